//! Repairing a store that can be read: what is incomplete is forgotten, and what is known from elsewhere put back.

use std::collections::{BTreeMap, HashMap};

use super::changes::Changes;
use super::codec;
use super::database::{Database, DatabaseError};
use super::keys::{self, Key};
use super::recover::{Beside, Settled};
use super::roots_file::{Found, RootsFile};
use super::state::State;
use super::survey::Survey;
use super::{Recovery, StoreError};
use crate::embedding::SpaceId;
use crate::library::{AssetId, FileState, Root, RootId};

/// Problems told in full when a store is opened.
const TOLD_PROBLEMS: usize = 5;

/// A database that can be read.
pub(super) struct Contents {
    pub(super) database: Database,
    /// `None` if it is missing or damaged.
    pub(super) state: Option<State>,
    /// `None` if it never had one, or that is damaged.
    pub(super) space: Option<SpaceId>,
    pub(super) survey: Survey,
}

/// Makes a store whole, and says what was wrong with it.
pub(super) fn repair(contents: Contents, beside: &Beside, recovery: &mut Recovery) -> Result<Settled, StoreError> {
    let Contents { database, state: stored, space, survey } = contents;
    tell(stored.as_ref(), beside, &survey, recovery);
    let mut state = survey.found;
    [stored, beside.account.last].iter().flatten().for_each(|known| state.continue_after(known));
    if stored.is_none() && beside.account.last.is_none() {
        state.totals.embedded_total = state.totals.vectors.iter().sum();
    }
    let sequence = stored.map_or(0, |state| state.totals.sequence);
    let (roots, mut references) = (roots(sequence, beside, &survey), survey.references);
    recovery.rescan |= roots != survey.roots;

    let mut changes = Changes::new(&database, state);
    for key in survey.forget {
        changes.delete(key)?;
    }
    for id in survey.roots.keys().filter(|id| !roots.contains_key(id)) {
        changes.delete(Key::Root(*id).to_bytes())?;
        forget_files(&mut changes, *id, &mut references)?;
    }
    for root in roots.values() {
        let key = Key::Root(root.id).to_bytes();
        let record = codec::encode_root(&key, root);
        changes.put(key, record)?;
        changes.state.next_root = changes.state.next_root.max(root.id.0.saturating_add(1));
    }
    let space = space.or_else(|| beside.space().cloned());
    if let Some(space) = &space {
        changes.put(keys::SPACE.to_vec(), codec::encode_space(space))?;
    }
    let mut state = changes.state;
    if !changes.is_empty() || stored != Some(state) {
        let writes;
        (writes, state) = changes.finish();
        database.apply(writes)?;
    }
    let roots_file = RootsFile { sequence: state.totals.sequence, space, roots: roots.into_values().collect() };
    Ok(Settled { database, state, roots_file, references })
}

/// Says what is wrong, and whether that means that something may be missing.
fn tell(stored: Option<&State>, beside: &Beside, survey: &Survey, recovery: &mut Recovery) {
    let Recovery { notes, rescan } = recovery;
    let mut doubt = |note: String| {
        notes.push(note);
        *rescan = true;
    };
    let sequence = stored.map_or(0, |state| state.totals.sequence);
    let last = beside.account.last.map_or(0, |state| state.totals.sequence);
    match stored {
        None => doubt("the store lost its counts; they were taken anew".to_owned()),
        Some(_) if sequence < last => {
            doubt(format!("the store lost its last {} batches; files are read again", last - sequence));
        }
        Some(_) if beside.account.damaged || sequence > last + 1 => {
            doubt("the ledger was damaged or is missing, so nothing tells whether the store is whole".to_owned());
        }
        Some(_) => {}
    }
    let problems = survey.problems.sentences(TOLD_PROBLEMS);
    if !problems.is_empty() {
        doubt(format!("damaged or incomplete records were forgotten: {}", problems.join("; ")));
    } else if stored.is_some_and(|stored| !stored.same_records(&survey.found)) {
        doubt("the store's records are not those that it counted; the counts were taken anew".to_owned());
    }
    if beside.roots_file == Found::Damaged || (beside.roots_file == Found::Nothing && sequence > 1) {
        notes.push("the file of roots was damaged or missing; it was written anew from the store".to_owned());
    }
}

/// The roots that there should be: those in the store, unless those beside it are known to be newer or whole.
fn roots(sequence: u64, beside: &Beside, survey: &Survey) -> BTreeMap<RootId, Root> {
    match &beside.roots_file {
        Found::Whole(file) if survey.lost_roots || file.sequence > sequence => {
            file.roots.iter().map(|root| (root.id, root.clone())).collect()
        }
        _ => survey.roots.clone(),
    }
}

fn forget_files(
    changes: &mut Changes<'_>,
    root: RootId,
    references: &mut HashMap<AssetId, u32>,
) -> Result<(), DatabaseError> {
    let mut files = Vec::new();
    changes.keys(&keys::files_of(root), |key| {
        files.push(key.to_vec());
        true
    })?;
    for key in files {
        if let (Some(Key::File(file)), Some(record)) = (Key::parse(&key), changes.get(&key)?)
            && let Ok(record) = codec::decode_file(&file, &key, &record)
            && let FileState::Indexed(asset) = record.state
            && let Some(count) = references.get_mut(&asset)
        {
            *count = count.saturating_sub(1);
        }
        changes.delete(key)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
