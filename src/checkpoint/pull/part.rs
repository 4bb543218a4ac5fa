//! The file being built: `<destination>.part`, its lock, its running digest, and the record of where it came from.
//!
//! The record, `<destination>.part.json`, holds the address, the expected size and digest, and the server's version of
//! the file; bytes without a matching record are not continued.
//! Invariants: `length` bytes of the file have gone through `digest`, and all of them came from what the record names;
//! the part is locked for as long as it is held, and what is locked is what the path names.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::answer::Version;
use super::{DownloadError, Sha256Digest, Source};

/// Version of the record's format. A record of another one is not understood, and its part not continued.
const RECORD_FORMAT: u32 = 1;
/// A part may vanish between opening and locking when another download ends; it will not happen this often in a row.
const LOCK_TRIES: u32 = 8;
const READ_BYTES: usize = 1 << 17;

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    format: u32,
    url: String,
    bytes: u64,
    sha256: String,
    version: Version,
}

impl Record {
    fn new(source: &Source, version: Version) -> Self {
        let Source { url, bytes, sha256, .. } = source;
        Self { format: RECORD_FORMAT, url: url.clone(), bytes: *bytes, sha256: sha256.to_string(), version }
    }

    /// Reads the record; `None` if there is none, or none that concerns `source`.
    fn load(path: &Path, source: &Source) -> Option<Self> {
        let record: Self = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
        (record == Self::new(source, record.version.clone())).then_some(record)
    }
}

/// The beginning of a file, held under a lock.
pub(super) struct Part<'a> {
    source: &'a Source,
    path: PathBuf,
    record_path: PathBuf,
    file: File,
    length: u64,
    digest: Sha256,
    version: Version,
    pieces: u32,
}

impl<'a> Part<'a> {
    /// Opens and locks the part for `destination`, and takes up what an earlier download left there.
    pub(super) fn open(source: &'a Source, destination: &Path, cancel: &AtomicBool) -> Result<Self, DownloadError> {
        let path = with_suffix(destination, ".part");
        let trouble = |error| DownloadError::storage(&path, source.bytes, error);
        if let Some(folder) = destination.parent() {
            fs::create_dir_all(folder).map_err(trouble)?;
        }
        let file = open_locked(&path).map_err(trouble)?.ok_or_else(|| DownloadError::Busy { path: path.clone() })?;
        let on_disk = file.metadata().map_err(trouble)?.len();
        let record_path = with_suffix(destination, ".part.json");
        let mut part = Self {
            source,
            path,
            record_path,
            file,
            length: 0,
            digest: Sha256::new(),
            version: Version::default(),
            pieces: 0,
        };
        if (1..=source.bytes).contains(&on_disk)
            && let Some(record) = Record::load(&part.record_path, source)
        {
            part.version = record.version;
            part.take_up(cancel)?;
        }
        Ok(part)
    }

    fn take_up(&mut self, cancel: &AtomicBool) -> Result<(), DownloadError> {
        let hashed = digest_of(&mut self.file, cancel).map_err(|error| self.trouble(error))?;
        let Some((digest, length)) = hashed else { return Err(self.cancelled()) };
        (self.digest, self.length, self.pieces) = (digest, length, 1);
        Ok(())
    }

    /// What is being fetched.
    pub(super) fn source(&self) -> &'a Source {
        self.source
    }

    /// Bytes of the file that are here.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// The version of the remote file that these bytes are of.
    pub(super) fn version(&self) -> &Version {
        &self.version
    }

    /// Whether the bytes came from more than one response.
    pub(super) fn is_pieced(&self) -> bool {
        self.pieces > 1
    }

    /// Whether there is nothing on disk, not even bytes that this call could not use.
    pub(super) fn is_blank(&self) -> bool {
        self.file.metadata().is_ok_and(|metadata| metadata.len() == 0)
    }

    /// Finds out whether the disk has room for what is still to come.
    pub(super) fn check_room(&self) -> Result<(), DownloadError> {
        match free_bytes(&self.path) {
            Some(free) if free < self.missing() => Err(self.trouble(io::ErrorKind::StorageFull.into())),
            _ => Ok(()),
        }
    }

    /// Starts a new file: what is on disk goes, and the record names `version` from now on.
    pub(super) fn restart(&mut self, version: Version) -> Result<(), DownloadError> {
        self.wipe()?;
        self.version = version;
        let record = Record::new(self.source, self.version.clone());
        let json = serde_json::to_vec(&record).expect("a struct of numbers and strings has a JSON form");
        fs::write(&self.record_path, json)
            .map_err(|error| DownloadError::storage(&self.record_path, self.missing(), error))?;
        self.pieces = 1;
        Ok(())
    }

    /// Continues with a further response.
    pub(super) fn resume(&mut self) {
        self.pieces += 1;
    }

    /// Writes `bytes` after those that are here.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), DownloadError> {
        self.file.write_all(bytes).map_err(|error| self.trouble(error))?;
        self.digest.update(bytes);
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Ignores what is here without touching the disk: the next try asks for everything.
    pub(super) fn forget(&mut self) {
        (self.length, self.digest, self.version) = (0, Sha256::new(), Version::default());
    }

    /// Empties the file.
    pub(super) fn wipe(&mut self) -> Result<(), DownloadError> {
        self.forget();
        let emptied = self.file.metadata().and_then(|metadata| {
            // Only where there is something: a device cannot be truncated, and has no length.
            if metadata.len() > 0 { self.file.set_len(0) } else { Ok(()) }
        });
        emptied.and_then(|()| self.file.rewind()).map_err(|error| self.trouble(error))
    }

    /// Deletes part and record.
    pub(super) fn remove(self) {
        // Nobody can act on a failure here, and a part left behind does no harm: it is checked before it is used.
        for path in [&self.record_path, &self.path] {
            let _ = fs::remove_file(path);
        }
    }

    /// Compares the digest of the complete file with the expected one.
    pub(super) fn verify(&self) -> Result<(), DownloadError> {
        let got = Sha256Digest::from(<[u8; 32]>::from(self.digest.clone().finalize()));
        let Source { url, sha256: expected, .. } = self.source;
        if got == *expected {
            return Ok(());
        }
        Err(DownloadError::WrongHash { url: url.clone(), got, expected: *expected })
    }

    /// Makes the verified file durable under its real name.
    pub(super) fn finish(self, destination: &Path) -> Result<(), DownloadError> {
        self.file.sync_all().map_err(|error| self.trouble(error))?;
        let moved = fs::rename(&self.path, destination).and_then(|()| sync_folder(destination));
        moved.map_err(|error| DownloadError::storage(destination, 0, error))?;
        // The record goes last: without it, a part cut off from its rename by a crash could not be taken up again.
        let _ = fs::remove_file(&self.record_path);
        Ok(())
    }

    /// The error for a download that the user ended here.
    pub(super) fn cancelled(&self) -> DownloadError {
        DownloadError::Cancelled { path: self.path.clone(), got: self.length, expected: self.source.bytes }
    }

    /// Sorts trouble with the part file.
    pub(super) fn trouble(&self, error: io::Error) -> DownloadError {
        DownloadError::storage(&self.path, self.missing(), error)
    }

    fn missing(&self) -> u64 {
        self.source.bytes - self.length
    }
}

/// Whether the file at `path` is the one described by `source`. `None` if cancelled.
pub(super) fn is_complete(path: &Path, source: &Source, cancel: &AtomicBool) -> io::Result<Option<bool>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Some(false)),
        Err(error) => return Err(error),
    };
    if file.metadata()?.len() != source.bytes {
        return Ok(Some(false));
    }
    let hashed = digest_of(&mut file, cancel)?;
    Ok(hashed.map(|(digest, _)| Sha256Digest::from(<[u8; 32]>::from(digest.finalize())) == source.sha256))
}

/// Hashes a file from its start, and leaves the position at its end. `None` if cancelled.
fn digest_of(file: &mut File, cancel: &AtomicBool) -> io::Result<Option<(Sha256, u64)>> {
    file.seek(SeekFrom::Start(0))?;
    let (mut digest, mut length) = (Sha256::new(), 0);
    let mut buffer = vec![0; READ_BYTES];
    loop {
        if cancel.load(Ordering::Relaxed) {
            return Ok(None);
        }
        match file.read(&mut buffer) {
            Ok(0) => return Ok(Some((digest, length))),
            Ok(count) => {
                digest.update(&buffer[..count]);
                length += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Opens or creates the file and locks it; `None` if someone else holds the lock.
fn open_locked(path: &Path) -> io::Result<Option<File>> {
    for _ in 0..LOCK_TRIES {
        let file = File::options().read(true).write(true).create(true).truncate(false).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            // The lock only keeps two downloads apart; a file system without locks is no reason to have none.
            Err(TryLockError::Error(error)) => tracing::warn!("{}: cannot be locked: {error}", path.display()),
        }
        // Its former holder may have renamed or deleted it in the meantime: then this is no longer the part.
        if is_same_file(&file, path)? {
            return Ok(Some(file));
        }
    }
    Ok(None)
}

#[cfg(unix)]
fn is_same_file(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;

    let open = file.metadata()?;
    match fs::metadata(path) {
        Ok(named) => Ok((open.dev(), open.ino()) == (named.dev(), named.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(not(unix))]
fn is_same_file(_: &File, path: &Path) -> io::Result<bool> {
    path.try_exists()
}

/// Free space for ordinary users where `path` is; `None` where the system does not tell.
#[cfg(unix)]
fn free_bytes(path: &Path) -> Option<u64> {
    let space = rustix::fs::statvfs(folder_of(path)).ok()?;
    space.f_bavail.checked_mul(space.f_frsize)
}

#[cfg(not(unix))]
fn free_bytes(_: &Path) -> Option<u64> {
    None
}

/// A rename is durable once its folder is.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
