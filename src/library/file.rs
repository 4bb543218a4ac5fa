//! Files: where content was found, and what became of it.

use serde::{Deserialize, Serialize};

use super::{AssetId, RelativePath, RootId};

/// Names a file: its root and its path below it. Ordered by root, then by path.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FileKey {
    /// The watched folder.
    pub root: RootId,
    /// Where below it.
    pub path: RelativePath,
}

/// What the file system says about a file. As long as size and time stay, the content is taken to be the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FileStat {
    /// Size in bytes.
    pub size: u64,
    /// Last modification, in nanoseconds since 1970.
    pub modified_ns: i64,
    /// Device and inode number, where there are such things: tells a rename from a new file.
    pub inode: Option<(u64, u64)>,
}

impl FileStat {
    /// What a file's metadata says.
    pub fn of(metadata: &std::fs::Metadata) -> Self {
        let modified = metadata.modified().unwrap_or(std::time::UNIX_EPOCH);
        let nanoseconds = match modified.duration_since(std::time::UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_nanos()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |nanoseconds| -nanoseconds),
        };
        Self { size: metadata.len(), modified_ns: nanoseconds, inode: inode(metadata) }
    }

    /// Whether both are of one content, as far as size and time can tell.
    pub fn same_content(&self, other: &Self) -> bool {
        (self.size, self.modified_ns) == (other.size, other.modified_ns)
    }
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems have none")]
fn inode(metadata: &std::fs::Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn inode(_: &std::fs::Metadata) -> Option<(u64, u64)> {
    None
}

/// What is remembered about a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// As it was when its content was read.
    pub stat: FileStat,
    /// What became of it.
    pub state: FileState,
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FileState {
    /// Its content is searchable.
    Indexed(AssetId),
    /// Its content could not be embedded; not tried again until the file changes or somebody asks for it.
    Failed(Failure),
    /// Neither named nor built like a sound or a picture.
    Ignored,
}

/// Why a file is not searchable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Its content, if that could be read.
    pub content: Option<AssetId>,
    /// In one word.
    pub code: FailureCode,
    /// In a sentence: what was got, what was expected, what to do.
    pub reason: String,
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
}

/// Why a file is not searchable, in one word. Appended to only: stored by position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum FailureCode {
    /// The system refuses to let it be read.
    Unreadable,
    /// Nothing in it.
    Empty,
    /// Named like media, but no decoder knows the content.
    Unsupported,
    /// Of a known format, and broken.
    Damaged,
    /// Beyond a limit of the configuration.
    TooLarge,
    /// The model could not embed it.
    Embedding,
}

impl FailureCode {
    /// The name in print, e.g. "too_large".
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Empty => "empty",
            Self::Unsupported => "unsupported",
            Self::Damaged => "damaged",
            Self::TooLarge => "too_large",
            Self::Embedding => "embedding",
        }
    }
}
