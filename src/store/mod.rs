//! The truth: what is known about every root, file, asset and vector, in sled.
//!
//! Owns the data directory's stores, one for each space, their record format, their keys, the ledgers beside them, and
//! the directory's lock.
//! Invariants: a batch is in the store whole or not at all; when [`Store::commit`] returns, it is on disk; an asset and
//! its vectors come and go together; a slot is never given out twice. Everything is checked when it is read: a byte
//! that is wrong is an error, never a wrong answer. Knows no model, no graph and no watched disk.

mod batch;
mod changes;
mod codec;
mod commit;
mod compact;
mod database;
mod durable;
mod error;
mod keys;
mod ledger;
mod lock;
mod place;
mod records;
mod recover;
mod repair;
mod roots_file;
mod spaces;
mod state;
mod survey;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

pub use batch::{Batch, NewAsset, NewSegment, Recovery, StoredAsset, StoredVector, Totals};
pub use error::StoreError;
pub use lock::DirectoryLock;
pub use spaces::SetAside;

use self::changes::Changes;
use self::codec::Record;
use self::commit::{Known, Outcome};
use self::database::Database;
use self::keys::Key;
use self::ledger::Ledger;
use self::place::Place;
use self::records::Records;
use self::recover::Opened;
use self::roots_file::RootsFile;
use self::spaces::Spaces;
use self::state::State;
use self::survey::Survey;
use crate::embedding::SpaceId;
use crate::library::{Asset, FileKey, FileRecord, Root, RootId, Slot};
use crate::media::MediaKind;

/// The format of the store and of the files beside it. A later one is refused; `recover` is where an earlier one will
/// be turned into this one, once there is any.
const FORMAT: u32 = 1;

/// Problems that [`Store::check`] lists; more are counted.
const LISTED_PROBLEMS: usize = 100;

/// An open store. Cheap to share; commits are taken one after the other.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    spaces: Spaces,
    /// The space that the directory is named after; none for a data directory's first.
    named: Option<SpaceId>,
    directory: PathBuf,
    place: Place,
    /// Held for reading by whoever reads or writes records, for writing only while another one takes its place.
    database: RwLock<Database>,
    now: RwLock<Now>,
    writer: Mutex<Writer>,
}

/// What is told without reading records.
#[derive(Clone)]
struct Now {
    state: State,
    space: Option<SpaceId>,
    /// By id.
    roots: Arc<[Root]>,
}

/// What only a commit needs; having it is the right to write.
struct Writer {
    known: Known,
    ledger: Ledger,
    /// The number of the database.
    number: u32,
    /// Set once it is not known what is on disk; then nothing is written any more.
    failure: Option<String>,
}

impl Store {
    /// Opens the store of the space that counts in a data directory, or makes one.
    ///
    /// A store that cannot be opened is set aside as `store.damaged-N` and an empty one with the same roots takes its
    /// place; one that opens but lacks something is repaired by forgetting what is incomplete. Either is told in
    /// [`Recovery`].
    ///
    /// # Errors
    /// [`StoreError`]: a newer format, or the system does not let us write.
    pub fn open(lock: &DirectoryLock, directory: &Path) -> Result<(Self, Recovery), StoreError> {
        let spaces = Spaces::of(directory);
        let named = spaces.named()?;
        Self::open_home(lock, spaces, named)
    }

    fn open_home(
        _lock: &DirectoryLock,
        spaces: Spaces,
        named: Option<SpaceId>,
    ) -> Result<(Self, Recovery), StoreError> {
        let directory = spaces.home(named.as_ref());
        let place = Place::of(&directory);
        let (Opened { database, number, state, space, known, ledger }, recovery) = recover::open(&directory, &place)?;
        let now = RwLock::new(Now { state, space, roots: known.roots.values().cloned().collect() });
        let writer = Mutex::new(Writer { known, ledger, number, failure: None });
        let database = RwLock::new(database);
        let inner = Inner { spaces, named, directory, place, database, now, writer };
        Ok((Self { inner: Arc::new(inner) }, recovery))
    }

    /// Where this store lies, and what is derived from its vectors: the data directory, or a directory in it.
    pub fn directory(&self) -> &Path {
        &self.inner.directory
    }

    /// The space of its vectors; `None` as long as no model was ever used with it.
    pub fn space(&self) -> Option<SpaceId> {
        self.inner.now().space.clone()
    }

    /// Names the space of the vectors to come.
    ///
    /// # Errors
    /// [`StoreError::OtherSpace`] if it has vectors of another one.
    pub fn bind_space(&self, space: &SpaceId) -> Result<(), StoreError> {
        let mut writer = self.inner.writer()?;
        let Now { state, space: stored, .. } = self.inner.now().clone();
        match stored {
            Some(stored) if stored == *space => return Ok(()),
            Some(stored) if state.totals.vectors != [0; 2] || self.inner.named.is_some() => {
                return Err(StoreError::OtherSpace { stored, model: space.clone() });
            }
            _ => {}
        }
        let database = self.inner.database();
        let mut changes = Changes::new(&database, state);
        changes.put(keys::SPACE.to_vec(), codec::encode_space(space))?;
        self.inner.write(&mut writer, &database, changes, &mut Outcome::default(), Some(space))
    }

    /// The counts as of the last batch.
    pub fn totals(&self) -> Totals {
        self.inner.now().state.totals
    }

    /// An id that no root ever had.
    pub fn next_root_id(&self) -> RootId {
        RootId(self.inner.now().state.next_root)
    }

    /// All roots, by id.
    pub fn roots(&self) -> Result<Vec<Root>, StoreError> {
        Ok(self.inner.now().roots.to_vec())
    }

    /// All files, by key.
    ///
    /// This and the next two hold up nobody; what is committed meanwhile may be among the records or not.
    pub fn files(&self) -> impl Iterator<Item = Result<(FileKey, FileRecord), StoreError>> + use<> {
        self.records(keys::FILES.to_vec(), |record| match record {
            Record::File(key, file) => Some((key, file)),
            _ => None,
        })
    }

    /// All assets, by id.
    pub fn assets(&self) -> impl Iterator<Item = Result<Asset, StoreError>> + use<> {
        self.records(keys::ASSETS.to_vec(), |record| match record {
            Record::Asset(asset) => Some(*asset),
            _ => None,
        })
    }

    /// All vectors of a kind in slots from `first` on, by slot.
    pub fn vectors_from(
        &self,
        kind: MediaKind,
        first: Slot,
    ) -> impl Iterator<Item = Result<StoredVector, StoreError>> + use<> {
        let start = Key::Vector(kind, first).to_bytes();
        let records = Records::from(Arc::clone(&self.inner), &keys::vectors_of(kind), start);
        let wanted = |record| match record {
            Record::Vector(vector) => Some(vector),
            _ => None,
        };
        records.filter_map(move |record| record.map(wanted).transpose())
    }

    fn records<T>(
        &self,
        prefix: Vec<u8>,
        wanted: fn(Record) -> Option<T>,
    ) -> impl Iterator<Item = Result<T, StoreError>> + use<T> {
        let records = Records::of(Arc::clone(&self.inner), prefix);
        records.filter_map(move |record| record.map(wanted).transpose())
    }

    /// One vector; `None` if nothing is there.
    pub fn vector(&self, kind: MediaKind, slot: Slot) -> Result<Option<StoredVector>, StoreError> {
        let key = Key::Vector(kind, slot).to_bytes();
        let Some(record) = self.inner.database().get(&key)? else { return Ok(None) };
        let (segment, vector) = codec::decode_vector(&key, &record).map_err(|flaw| flaw.at(&key))?;
        Ok(Some(StoredVector { slot, segment, vector }))
    }

    /// Writes a batch; when it returns, the batch is on disk. Answers what became of [`Batch::put_assets`], in order;
    /// an asset that was there already stays as it is.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing of the batch is in the store. After a failure of the disk that is not known until
    /// the store is opened again, and nothing is accepted any more until then.
    pub fn commit(&self, batch: Batch) -> Result<Vec<StoredAsset>, StoreError> {
        let mut writer = self.inner.writer()?;
        let database = self.inner.database();
        let Now { state, space, .. } = self.inner.now().clone();
        if space.is_none() && !batch.put_assets.is_empty() {
            return Err(StoreError::Inconsistent { reason: "assets before the space of their vectors".to_owned() });
        }
        let mut changes = Changes::new(&database, state);
        let mut outcome = commit::plan(&mut changes, &writer.known, batch)?;
        self.inner.write(&mut writer, &database, changes, &mut outcome, None)?;
        Ok(outcome.stored)
    }

    /// Reads everything and says what is wrong: an asset without its vectors, a vector without its asset, a file whose
    /// asset is missing, counts that do not match. Empty if all is well. Nothing can be committed meanwhile.
    pub fn check(&self) -> Result<Vec<String>, StoreError> {
        let _writer = self.inner.writer()?;
        let survey = Survey::of(&self.inner.database())?;
        let mut problems = survey.problems.sentences(LISTED_PROBLEMS);
        let state = self.inner.now().state;
        if !survey.found.same_records(&state) {
            let (found, counted) = (survey.found.totals, state.totals);
            problems.push(format!("the records are not those that were counted: found {found:?}, counted {counted:?}"));
        }
        let stored = self.inner.database().get(keys::STATE)?.map(|record| codec::decode_state(&record));
        if stored != Some(Ok(state)) {
            problems.push(format!("the stored counts are {stored:?}, expected {state:?}"));
        }
        Ok(problems)
    }

    /// Bytes on disk.
    pub fn disk_bytes(&self) -> Result<u64, StoreError> {
        spaces::disk_bytes(&self.inner.directory)
    }

    /// Copies everything that is alive into a fresh database and takes that: the old one keeps the space of what was
    /// overwritten and deleted. Nothing can be committed meanwhile.
    pub fn compact(&self) -> Result<(), StoreError> {
        compact::compact(&self.inner, &mut *self.inner.writer()?)
    }
}

impl Inner {
    fn database(&self) -> RwLockReadGuard<'_, Database> {
        self.database.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> RwLockReadGuard<'_, Now> {
        self.now.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The right to write, unless writing failed.
    fn writer(&self) -> Result<MutexGuard<'_, Writer>, StoreError> {
        // A panic while writing leaves as much unknown as a failure of the disk.
        let panicked = |_| StoreError::Database("a write did not come to its end".to_owned());
        let writer = self.writer.lock().map_err(panicked)?;
        match &writer.failure {
            Some(failure) => Err(StoreError::Database(failure.clone())),
            None => Ok(writer),
        }
    }

    /// Writes changes, to the database and beside it; a failure is the last thing that it does.
    fn write(
        &self,
        writer: &mut Writer,
        database: &Database,
        changes: Changes<'_>,
        outcome: &mut Outcome,
        space: Option<&SpaceId>,
    ) -> Result<(), StoreError> {
        if changes.is_empty() && changes.state == self.now().state {
            return Ok(());
        }
        let (writes, state) = changes.finish();
        let mut now = self.now().clone();
        now.state = state;
        let about_roots = outcome.roots.as_ref().map(|roots| now.roots = roots.values().cloned().collect()).is_some();
        let about_space = space.map(|space| now.space = Some(space.clone())).is_some();
        let written = database.apply(writes).map_err(StoreError::from).and_then(|()| {
            if about_roots || about_space {
                let sequence = state.totals.sequence;
                let file = RootsFile { sequence, space: now.space.clone(), roots: now.roots.to_vec() };
                file.write(&self.directory)?;
            }
            writer.ledger.append(&state)
        });
        if let Err(error) = written {
            writer.failure = Some(error.to_string());
            return Err(error);
        }
        writer.known.learn(outcome);
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = now;
        Ok(())
    }
}
