//! sled, kept in: keys and records in, keys and records out.
//!
//! The only file that names sled. Invariant: no panic of sled's leaves it, and what [`Database::apply`] acknowledged is
//! on disk, by us and not by sled's word alone: it asks the system to write the data, but not to keep the file's
//! length, and values that are too large for its log go to files that it never syncs. Knows nothing of what records
//! mean.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::StoreError;
use super::durable;
use crate::containment::contain;

/// Keys and records as they come out of the database.
pub(super) type Bytes = sled::IVec;

/// Memory for pages that were read.
const CACHE_BYTES: u64 = 64 << 20;
/// Space is taken from the disk in pieces of this size. Half of sled's own: a new store is small, and still every leaf
/// with sixteen vectors, and most with sixteen assets, fits into one.
const SEGMENT_BYTES: usize = 256 << 10;
/// How long a database that was just closed may stay locked by threads that are about to end.
const RELEASE_WAIT: Duration = Duration::from_secs(5);
const RELEASE_POLL: Duration = Duration::from_millis(5);

/// Why the database does not do what it should.
#[derive(Debug, thiserror::Error)]
pub(super) enum DatabaseError {
    /// What is on disk makes no sense to it.
    #[error("{0}")]
    Damaged(String),
    /// The system does not let it read or write.
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
}

impl From<DatabaseError> for StoreError {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::Damaged(reason) => Self::Database(reason),
            DatabaseError::Io { path, source } => Self::Io { path, source },
        }
    }
}

/// A key with its new record, or with none to be deleted.
pub(super) type Write = (Vec<u8>, Option<Vec<u8>>);

/// An open database.
pub(super) struct Database {
    path: PathBuf,
    /// `None` once it is being closed.
    tree: Option<sled::Db>,
    /// A second handle on sled's file, to sync it with.
    data: File,
    /// Names of large values that are on disk.
    synced: Mutex<HashSet<OsString>>,
}

impl Database {
    /// Opens the database in a directory of its own, or makes one.
    pub(super) fn open(path: &Path) -> Result<Self, DatabaseError> {
        let io = |source| DatabaseError::Io { path: path.into(), source };
        let fresh = !path.exists();
        fs::create_dir_all(path).map_err(io)?;
        drop_unfinished(path).map_err(io)?;
        let tree = open_once_released(path)?;
        let data = File::options().read(true).write(true).open(path.join("db")).map_err(io)?;
        let blobs = path.join("blobs");
        let synced = Mutex::new(names_in(&blobs).map_err(io)?.into_iter().collect());
        if fresh {
            let sync = |name: &str| File::open(path.join(name))?.sync_all();
            sync("conf").and_then(|()| data.sync_all()).map_err(io)?;
            let above = path.parent().unwrap_or(path);
            for directory in [&blobs, path, above] {
                durable::sync_directory(directory).map_err(|error| io(io::Error::other(error)))?;
            }
        }
        Ok(Self { path: path.into(), tree: Some(tree), data, synced })
    }

    /// The record under a key.
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Bytes>, DatabaseError> {
        self.run(|tree| tree.get(key))
    }

    /// The first `limit` records from `start` on and before `end`, in the order of their keys.
    pub(super) fn scan(
        &self,
        start: Bound<&[u8]>,
        end: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Bytes, Bytes)>, DatabaseError> {
        let end = end.map_or(Bound::Unbounded, Bound::Excluded);
        self.run(|tree| tree.range::<&[u8], _>((start, end)).take(limit).collect())
    }

    /// Writes all of it or nothing; on disk when it returns.
    ///
    /// After an error nothing is known of what is on disk, and nothing may be written any more.
    pub(super) fn apply(&self, writes: impl IntoIterator<Item = Write>) -> Result<(), DatabaseError> {
        let mut batch = sled::Batch::default();
        for (key, record) in writes {
            match record {
                Some(record) => batch.insert(key, record),
                None => batch.remove(key),
            }
        }
        self.run(|tree| tree.apply_batch(batch).and_then(|()| tree.flush()))?;
        self.data.sync_data().and_then(|()| self.sync_large()).map_err(|source| self.io(source))
    }

    /// Syncs large values that came since the last time.
    fn sync_large(&self) -> io::Result<()> {
        let blobs = self.path.join("blobs");
        let mut synced = self.synced.lock().unwrap_or_else(PoisonError::into_inner);
        let present = names_in(&blobs)?;
        let fresh: Vec<&OsString> = present.iter().filter(|name| !synced.contains(*name)).collect();
        if fresh.is_empty() {
            return Ok(());
        }
        for name in fresh {
            match File::open(blobs.join(name)) {
                Ok(file) => file.sync_all()?,
                // Already replaced by a later one.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        durable::sync_directory(&blobs).map_err(io::Error::other)?;
        *synced = present.into_iter().collect();
        Ok(())
    }

    fn run<T>(&self, work: impl FnOnce(&sled::Db) -> sled::Result<T>) -> Result<T, DatabaseError> {
        let tree = self.tree.as_ref().expect("only dropping takes it");
        match contain(|| work(tree)) {
            Ok(result) => result.map_err(|error| explained(error, &self.path)),
            Err(panic) => Err(DatabaseError::Damaged(panic)),
        }
    }

    fn io(&self, source: io::Error) -> DatabaseError {
        DatabaseError::Io { path: self.path.clone(), source }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // Everything acknowledged is on disk: a panic over what sled still wanted to write changes nothing.
        let tree = self.tree.take();
        let _ = contain(|| drop(tree));
    }
}

/// Opens a database, waiting for the lock that threads of one that was just closed may still hold.
fn open_once_released(path: &Path) -> Result<sled::Db, DatabaseError> {
    let config = sled::Config::new()
        .path(path)
        .cache_capacity(CACHE_BYTES)
        .segment_size(SEGMENT_BYTES)
        // We flush, when a batch is whole.
        .flush_every_ms(None);
    let until = Instant::now() + RELEASE_WAIT;
    loop {
        match contain(|| config.open()) {
            Ok(Ok(tree)) => return Ok(tree),
            Ok(Err(error)) if is_locked(&error) && Instant::now() < until => thread::sleep(RELEASE_POLL),
            Ok(Err(error)) => return Err(explained(error, path)),
            Err(panic) => return Err(DatabaseError::Damaged(panic)),
        }
    }
}

fn is_locked(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(error) if error.kind() == ErrorKind::Other && error.to_string().contains("lock"))
}

/// Tells a disk that fails from data that is wrong: only the latter is a reason to begin anew.
fn explained(error: sled::Error, path: &Path) -> DatabaseError {
    match error {
        // Files that end too early, lack, or hold what they cannot.
        sled::Error::Io(error)
            if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::NotFound | ErrorKind::InvalidData) =>
        {
            DatabaseError::Damaged(error.to_string())
        }
        sled::Error::Io(source) => DatabaseError::Io { path: path.into(), source },
        other => DatabaseError::Damaged(other.to_string()),
    }
}

/// Removes snapshots of the log that a killed process left half written: sled would take them for whole ones and refuse
/// to open. So would it a finished one that is damaged; without any it reads the whole log instead.
fn drop_unfinished(path: &Path) -> io::Result<()> {
    for name in names_in(path)? {
        let text = name.to_string_lossy();
        let file = path.join(&name);
        if text.starts_with("snap.") && (text.ends_with(".generating") || !is_whole_snapshot(&fs::read(&file)?)) {
            fs::remove_file(&file)?;
        }
    }
    Ok(())
}

/// A snapshot ends with its length in 8 bytes, which is about uncompressed data and tells nothing, and its CRC-32.
fn is_whole_snapshot(bytes: &[u8]) -> bool {
    let Some((rest, stored)) = bytes.split_last_chunk::<4>() else { return false };
    let Some((data, _)) = rest.split_last_chunk::<8>() else { return false };
    !data.is_empty() && crc32fast::hash(data).to_le_bytes() == *stored
}

fn names_in(directory: &Path) -> io::Result<Vec<OsString>> {
    fs::read_dir(directory)?.map(|entry| Ok(entry?.file_name())).collect()
}
