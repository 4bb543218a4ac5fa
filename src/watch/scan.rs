//! Walking a root, or a part of it.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use super::Rules;
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
        path: std::path::PathBuf,
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
pub fn scan(_root: &Path, _rules: &Rules, _under: &RelativePath, _stop: &AtomicBool) -> Result<ScanReport, ScanError> {
    todo!()
}
