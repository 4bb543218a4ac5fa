//! Opening a store: is it the one that was left?
//!
//! sled opens truncated files as if nothing were missing, and other damage makes it panic. So everything is read, and
//! compared with the counts in the store, and these with the ledger. What is incomplete is forgotten, so that a rescan
//! brings it back; a database that makes no sense at all is set aside, and an empty one with the same roots and space
//! takes its place. Slots, root ids and the sequence go on where the ledger left off, whatever was lost.

use std::collections::HashMap;
use std::ops::Bound;
use std::path::Path;

use super::changes::Changes;
use super::codec;
use super::commit::Known;
use super::database::{Database, DatabaseError};
use super::keys::{self, Key};
use super::ledger::{Account, Ledger};
use super::place::Place;
use super::repair::{Contents, repair};
use super::roots_file::{Found, RootsFile};
use super::state::State;
use super::survey::Survey;
use super::{FORMAT, Recovery, StoreError};
use crate::embedding::SpaceId;
use crate::library::AssetId;

/// A store that is whole.
pub(super) struct Opened {
    pub(super) database: Database,
    pub(super) number: u32,
    pub(super) state: State,
    pub(super) space: Option<SpaceId>,
    pub(super) known: Known,
    pub(super) ledger: Ledger,
}

/// What lay beside the database.
pub(super) struct Beside {
    pub(super) account: Account,
    pub(super) roots_file: Found,
}

/// A database that is whole, and what belongs beside it.
pub(super) struct Settled {
    pub(super) database: Database,
    pub(super) state: State,
    pub(super) roots_file: RootsFile,
    pub(super) references: HashMap<AssetId, u32>,
}

/// What lay in the place of the database.
enum Attempt {
    /// None, or one that was never written to.
    Nothing,
    /// One that can be read.
    Readable(Box<Contents>),
    /// One of this later format.
    Newer(u32),
    /// Why it cannot be read.
    Unusable(String),
}

/// Opens the store of a data directory, and repairs or replaces it if need be.
pub(super) fn open(directory: &Path, place: &Place) -> Result<(Opened, Recovery), StoreError> {
    let beside = Beside { account: Account::read(directory)?, roots_file: RootsFile::read(directory)? };
    let mut recovery = Recovery::default();
    let mut number = place.current()?.unwrap_or_default();
    let attempt = match place.current()? {
        Some(number) => attempt(&place.path(number), &beside),
        None => Ok(Attempt::Nothing),
    };
    let settled = match attempt {
        Ok(Attempt::Readable(contents)) => repair(*contents, &beside, &mut recovery)?,
        Ok(Attempt::Newer(found)) => {
            return Err(StoreError::NewerFormat { path: directory.into(), found, known: FORMAT });
        }
        Ok(Attempt::Nothing) => {
            if beside.tell_of_something() {
                let note = "the store is missing; a new one with the same roots was made, and everything is read again";
                recovery = Recovery { notes: vec![note.to_owned()], rescan: true };
            }
            number = place.unused(number)?;
            begin(place, number, &beside, &mut recovery)?
        }
        Ok(Attempt::Unusable(reason)) | Err(DatabaseError::Damaged(reason)) => {
            let last = number;
            let aside = place.set_aside()?;
            let note = format!(
                "the store was damaged ({reason}) and is now {}; a new one with the same roots was made, and \
                 everything is read again; the old one can be deleted",
                aside.display()
            );
            recovery = Recovery { notes: vec![note], rescan: true };
            number = place.unused(last)?;
            begin(place, number, &beside, &mut recovery)?
        }
        Err(io @ DatabaseError::Io { .. }) => return Err(io.into()),
    };
    Ok((finish(directory, place, number, settled, &beside)?, recovery))
}

impl Beside {
    /// Whether there was anything in the store that they were beside.
    fn tell_of_something(&self) -> bool {
        let counted = self.account.last.is_some_and(|state| !state.same_records(&State::default()));
        let rooted = match &self.roots_file {
            Found::Whole(file) => !file.roots.is_empty(),
            Found::Damaged => true,
            Found::Nothing => false,
        };
        counted || rooted
    }

    /// The space that the roots were last written with.
    pub(super) fn space(&self) -> Option<&SpaceId> {
        if let Found::Whole(file) = &self.roots_file { file.space.as_ref() } else { None }
    }
}

fn attempt(path: &Path, beside: &Beside) -> Result<Attempt, DatabaseError> {
    let database = Database::open(path)?;
    let Some(format) = database.get(keys::FORMAT)? else {
        let empty = database.scan(Bound::Unbounded, None, 1)?.is_empty();
        return Ok(match empty {
            // sled takes a log that it cannot make out for one that has not begun.
            true if beside.tell_of_something() => Attempt::Unusable("nothing is in it any more".to_owned()),
            true => Attempt::Nothing,
            false => Attempt::Unusable("it has no format".to_owned()),
        });
    };
    match codec::decode_format(&format) {
        Ok(FORMAT) => {}
        Ok(found) if found > FORMAT => return Ok(Attempt::Newer(found)),
        Ok(found) => return Ok(Attempt::Unusable(format!("it has format {found}, which never was"))),
        Err(flaw) => return Ok(Attempt::Unusable(format!("the format of its records: {flaw}"))),
    }
    let state = database.get(keys::STATE)?.and_then(|record| codec::decode_state(&record).ok());
    let space = database.get(keys::SPACE)?.and_then(|record| codec::decode_space(&record).ok());
    let survey = Survey::of(&database)?;
    if space.as_ref().or(beside.space()).is_none() && survey.found.totals.vectors != [0; 2] {
        return Ok(Attempt::Unusable("it does not say which model made its vectors".to_owned()));
    }
    Ok(Attempt::Readable(Box::new(Contents { database, state, space, survey })))
}

/// Makes a database with nothing but the roots and the space that are still known.
fn begin(place: &Place, number: u32, beside: &Beside, recovery: &mut Recovery) -> Result<Settled, StoreError> {
    let database = Database::open(&place.path(number))?;
    let mut state = State::default();
    beside.account.last.iter().for_each(|last| state.continue_after(last));
    let mut roots_file = RootsFile::default();
    match &beside.roots_file {
        Found::Whole(file) => roots_file.clone_from(file),
        Found::Damaged => {
            recovery.rescan = true;
            recovery.notes.push("the file of roots was damaged, too; add the roots again".to_owned());
        }
        Found::Nothing => {}
    }
    let mut changes = Changes::new(&database, state);
    changes.put_fresh(keys::FORMAT.to_vec(), codec::encode_format(FORMAT));
    if let Some(space) = &roots_file.space {
        changes.put_fresh(keys::SPACE.to_vec(), codec::encode_space(space));
    }
    for root in &roots_file.roots {
        let key = Key::Root(root.id).to_bytes();
        let record = codec::encode_root(&key, root);
        changes.put_fresh(key, record);
        changes.state.next_root = changes.state.next_root.max(root.id.0.saturating_add(1));
    }
    let (writes, state) = changes.finish();
    database.apply(writes)?;
    Ok(Settled { database, state, roots_file, references: HashMap::new() })
}

/// Makes everything beside the database say what it says.
fn finish(
    directory: &Path,
    place: &Place,
    number: u32,
    settled: Settled,
    beside: &Beside,
) -> Result<Opened, StoreError> {
    let Settled { database, state, mut roots_file, references } = settled;
    place.make_current(number)?;
    place.remove_others(number)?;
    let same = |found: &RootsFile| (&found.roots, &found.space) == (&roots_file.roots, &roots_file.space);
    if !matches!(&beside.roots_file, Found::Whole(found) if same(found)) {
        roots_file.sequence = state.totals.sequence;
        roots_file.write(directory)?;
    }
    let ledger = Ledger::begin(directory, &state)?;
    let roots = roots_file.roots.into_iter().map(|root| (root.id, root)).collect();
    Ok(Opened { database, number, state, space: roots_file.space, known: Known { roots, references }, ledger })
}
