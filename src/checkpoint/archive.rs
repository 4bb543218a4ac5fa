//! The zip container of PyTorch files: stored entries, found by name, checked on reading.
//!
//! The one home of the `zip` crate. Owns what a hostile container could do: the end record is checked before the crate
//! sizes its tables from it, and compressed, encrypted, doubled or out-of-file entries are refused.
//! Invariant: bytes handed out come from an entry whose checksum was verified. Does not know pickles.

use std::collections::HashSet;
use std::io::{Read, Seek, SeekFrom};

use zip::read::{ArchiveOffset, Config, ZipFile};
use zip::{CompressionMethod, ZipArchive};

use super::file::CheckpointSource;
use super::{CheckpointError, CheckpointLimits};

mod end_record;

/// An opened archive. Entries are addressed by index.
pub(super) struct Archive {
    zip: ZipArchive<Box<dyn CheckpointSource>>,
    /// Everything that entries may occupy: the file up to the directory.
    directory_start: u64,
    /// Entries read to the end at least once, with a matching checksum.
    verified: HashSet<usize>,
    /// What precedes the names of all entries that matter, e.g. `archive/`.
    prefix: String,
}

impl Archive {
    /// Opens the archive and finds its `data.pkl`.
    pub(super) fn open(
        mut source: Box<dyn CheckpointSource>,
        limits: &CheckpointLimits,
    ) -> Result<Self, CheckpointError> {
        let directory_start = end_record::check(&mut source, limits)?;
        let config = Config { archive_offset: ArchiveOffset::Known(0) };
        let zip = ZipArchive::with_config(config, source).map_err(CheckpointError::archive)?;
        if zip.has_duplicate_names() {
            return Err(CheckpointError::layout("two entries have the same name"));
        }
        let mut archive = Self { zip, directory_start, verified: HashSet::new(), prefix: String::new() };
        archive.prefix = archive.find_prefix()?;
        Ok(archive)
    }

    fn find_prefix(&self) -> Result<String, CheckpointError> {
        let mut found = None;
        for name in self.zip.file_names() {
            let name = name.map_err(CheckpointError::archive)?;
            let Some(prefix) = name.strip_suffix("data.pkl") else { continue };
            if !prefix.is_empty() && !prefix.ends_with('/') {
                continue;
            }
            if found.replace(prefix.to_owned()).is_some() {
                return Err(CheckpointError::layout("it holds more than one data.pkl, expected one"));
            }
        }
        found.ok_or_else(|| CheckpointError::layout("it holds no data.pkl; it may be an ordinary zip file"))
    }

    /// The entry of this name beside `data.pkl`.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.zip.index_for_name(&format!("{}{name}", self.prefix))
    }

    /// The size of an entry, known to lie inside the file.
    pub(super) fn size(&mut self, index: usize) -> Result<u64, CheckpointError> {
        let directory_start = self.directory_start;
        let entry = self.zip.by_index_raw(index).map_err(CheckpointError::archive)?;
        checked_size(&entry, directory_start)
    }

    /// Reads an entry whole. The caller has checked its size against a limit.
    pub(super) fn read(&mut self, index: usize) -> Result<Vec<u8>, CheckpointError> {
        let size = self.size(index)?;
        let mut bytes = vec![0; usize::try_from(size).map_err(CheckpointError::archive)?];
        let mut entry = self.zip.by_index(index).map_err(CheckpointError::archive)?;
        let name = entry.name().map_err(CheckpointError::archive)?.into_owned();
        let mut read = || -> std::io::Result<()> {
            entry.read_exact(&mut bytes)?;
            // The checksum is compared when the end is met.
            std::io::copy(&mut entry, &mut std::io::sink()).map(|_| ())
        };
        read().map_err(|error| damaged_entry(&name, &error))?;
        self.verified.insert(index);
        Ok(bytes)
    }

    /// Reads `length` bytes of an entry from `start` on; the caller has checked both against the entry's size.
    pub(super) fn read_range(&mut self, index: usize, start: u64, length: usize) -> Result<Vec<u8>, CheckpointError> {
        if !self.verified.contains(&index) {
            self.verify(index)?;
        }
        let mut entry = self.zip.by_index_seek(index).map_err(CheckpointError::archive)?;
        entry.seek(SeekFrom::Start(start))?;
        let mut bytes = vec![0; length];
        entry.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn verify(&mut self, index: usize) -> Result<(), CheckpointError> {
        self.size(index)?;
        let mut entry = self.zip.by_index(index).map_err(CheckpointError::archive)?;
        let name = entry.name().map_err(CheckpointError::archive)?.into_owned();
        std::io::copy(&mut entry, &mut std::io::sink()).map_err(|error| damaged_entry(&name, &error))?;
        self.verified.insert(index);
        Ok(())
    }
}

fn damaged_entry(name: &str, error: &std::io::Error) -> CheckpointError {
    CheckpointError::archive(format!("entry {:?}: {error}", super::error::shorten(name)))
}

fn checked_size(entry: &ZipFile<'_, impl Read>, directory_start: u64) -> Result<u64, CheckpointError> {
    let name = || entry.name().map_or_else(|_| "?".into(), |name| super::error::shorten(&name));
    if entry.encrypted() {
        return Err(CheckpointError::layout(format!("entry {:?} is encrypted", name())));
    }
    if entry.compression() != CompressionMethod::Stored {
        return Err(CheckpointError::layout(format!(
            "entry {:?} is compressed, expected stored; pack the files again without compression, or save again",
            name()
        )));
    }
    let end = entry.data_start().and_then(|start| start.checked_add(entry.size()));
    if entry.compressed_size() != entry.size() || end.is_none_or(|end| end > directory_start) {
        return Err(CheckpointError::archive(format!("entry {:?} does not fit in the file", name())));
    }
    Ok(entry.size())
}
