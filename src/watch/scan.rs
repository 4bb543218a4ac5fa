//! Walking a root, or a part of it.
//!
//! Links are not followed: not to the files they name, not on the way to what is asked for. Nothing but folders is
//! ever opened. What cannot be read is told apart from what is gone.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use super::Rules;
use super::paths::folders_of;
use super::walk::Walk;
use crate::library::{FileStat, RelativePath};

/// What a walk found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScanReport {
    /// Regular files that count, sorted by path.
    pub files: Vec<(RelativePath, FileStat)>,
    /// Files and folders of which nothing could be learned, with what the system said, sorted. Nothing is known about
    /// what is below such a folder: it must not be taken for deleted.
    pub unreadable: Vec<(RelativePath, String)>,
    /// What was passed over.
    pub skipped: Skipped,
    /// Device and inode number of the root folder, where there are such things: another one is another disk.
    pub identity: Option<(u64, u64)>,
}

/// What a walk passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Skipped {
    /// Files and folders that the rules exclude.
    pub excluded: u64,
    /// Symbolic links.
    pub links: u64,
    /// FIFOs, sockets and devices.
    pub special: u64,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScanError {
    /// The root is not there, or is no folder.
    #[error("{}: {reason}", path.display())]
    Offline {
        /// The root.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// Somebody asked it to stop.
    #[error("the scan was stopped")]
    Stopped,
}

/// Walks what is at or below `under` in the root folder at `root`, on several threads.
///
/// `under` may be a folder, a file, or nothing any more: then the report has no files.
///
/// # Errors
/// [`ScanError::Offline`], also if the root went away or was replaced in the meantime: what a disk shows while it is
/// being unmounted must not be taken for the truth. [`ScanError::Stopped`].
pub fn scan(root: &Path, rules: &Rules, under: &RelativePath, stop: &AtomicBool) -> Result<ScanReport, ScanError> {
    let offline = |reason| ScanError::Offline { path: root.into(), reason };
    let identity = identity(root).map_err(offline)?;
    let mut report = look(root, rules, under, stop)?;
    if self::identity(root).map_err(offline)? != identity {
        return Err(offline("replaced by another folder during the scan".to_owned()));
    }
    report.files.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    report.unreadable.sort_unstable();
    Ok(ScanReport { identity, ..report })
}

/// Device and inode number of the folder at `root`, where there are such things; why it is offline otherwise.
pub(super) fn identity(root: &Path) -> Result<Option<(u64, u64)>, String> {
    let metadata = fs::symlink_metadata(root).map_err(|error| error.to_string())?;
    if !metadata.is_dir() {
        let kind = if metadata.is_symlink() { "a symbolic link" } else { "no folder" };
        return Err(format!("is {kind}; expected a folder"));
    }
    Ok(FileStat::of(&metadata).inode)
}

/// Whether an error says that there is nothing at a path, rather than that it cannot be looked at.
pub(super) fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Goes down from the root to `under`, name by name, and walks from there.
fn look(root: &Path, rules: &Rules, under: &RelativePath, stop: &AtomicBool) -> Result<ScanReport, ScanError> {
    let mut report = ScanReport::default();
    for folder in folders_of(under) {
        match fs::symlink_metadata(folder.below(root)) {
            Ok(metadata) if metadata.is_dir() && rules.enters_within(&folder) => {}
            Ok(metadata) => {
                // Nothing can lie below a file.
                if metadata.is_dir() {
                    report.skipped.excluded += 1;
                } else {
                    report.note_other(&metadata);
                }
                return Ok(report);
            }
            Err(error) => {
                report.note_error(under.clone(), &error);
                return Ok(report);
            }
        }
    }
    match fs::symlink_metadata(under.below(root)) {
        Ok(metadata) if metadata.is_dir() && rules.enters_within(under) => {
            return Walk::new(root, rules, stop).run(under.clone()).ok_or(ScanError::Stopped);
        }
        Ok(metadata) if metadata.is_dir() => report.skipped.excluded += 1,
        Ok(metadata) if metadata.is_file() && !rules.counts_within(under) => report.skipped.excluded += 1,
        Ok(metadata) if metadata.is_file() => report.files.push((under.clone(), FileStat::of(&metadata))),
        Ok(metadata) => report.note_other(&metadata),
        Err(error) => report.note_error(under.clone(), &error),
    }
    Ok(report)
}

impl ScanReport {
    /// Counts what is neither a file nor a folder.
    pub(super) fn note_other(&mut self, metadata: &Metadata) {
        if metadata.is_symlink() {
            self.skipped.links += 1;
        } else if !metadata.is_file() && !metadata.is_dir() {
            self.skipped.special += 1;
        }
    }

    /// Remembers what cannot be looked at; what is gone is no news.
    pub(super) fn note_error(&mut self, path: RelativePath, error: &io::Error) {
        if !is_gone(error) {
            self.unreadable.push((path, error.to_string()));
        }
    }

    /// Adds what another thread found.
    pub(super) fn merge(&mut self, other: Self) {
        self.files.extend(other.files);
        self.unreadable.extend(other.unreadable);
        self.skipped.excluded += other.skipped.excluded;
        self.skipped.links += other.skipped.links;
        self.skipped.special += other.skipped.special;
    }
}
