//! Roots: watched folders and the rules that hold in them.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::media::MediaKind;

/// Names a root in one data directory. Never given out twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RootId(pub u32);

/// A watched folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// Its name.
    pub id: RootId,
    /// Absolute, without symbolic links. Need not be Unicode.
    pub path: PathBuf,
    /// What of it counts.
    pub rules: RootRules,
    /// Device and inode number that the folder had when it was last compared with the disk, where there are such
    /// things: another one is another disk, or the empty folder that a disk is mounted on.
    pub identity: Option<(u64, u64)>,
}

/// What of a root counts, on top of what the configuration excludes everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RootRules {
    /// Globs over paths below the root, one of which a file must match; empty for all.
    pub include: Vec<String>,
    /// Globs over paths below the root, for files and folders that are neither read nor watched.
    pub exclude: Vec<String>,
    /// Kinds of media to index; empty for all.
    pub kinds: Vec<MediaKind>,
    /// How changes are noticed.
    pub watch: WatchMode,
}

/// How changes in a root are noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WatchMode {
    /// By the system's notifications; by polling on network file systems and where notifications run out.
    #[default]
    Auto,
    /// By looking again at an interval.
    Poll,
}
