//! The file being built: `<destination>.part`, its lock, its running digest, and the record of where it came from.
//!
//! Bytes without a matching [`Record`] are not continued.
//! Invariants: `length` bytes of the file have gone through `digest`, and all of them came from what the record names;
//! the part is locked for as long as it is held, and what is locked is what the path names.

use std::fs::{self, File};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use sha2::{Digest, Sha256};

use super::answer::Version;
use super::disk::{digest_of, free_bytes, open_locked, sync_folder};
use super::record::Record;
use super::{DownloadError, Sha256Digest, Source};

/// The beginning of a file, held under a lock.
pub(super) struct Part<'a> {
    source: &'a Source,
    path: PathBuf,
    record_path: PathBuf,
    file: File,
    length: u64,
    digest: Sha256,
    version: Version,
    /// Whether all bytes came from one response to this call.
    single: bool,
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
            single: false,
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
        (self.digest, self.length, self.single) = (digest, length, false);
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

    /// Whether the bytes came from more than one response to this call: from several, or from an earlier call.
    pub(super) fn is_pieced(&self) -> bool {
        !self.single
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
        Record::new(self.source, self.version.clone())
            .save(&self.record_path)
            .map_err(|error| DownloadError::storage(&self.record_path, self.missing(), error))?;
        self.single = true;
        Ok(())
    }

    /// Continues with a further response.
    pub(super) fn resume(&mut self) {
        self.single = false;
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

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
