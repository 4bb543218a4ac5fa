//! Why the engine cannot do what it was asked.

use crate::index::SnapshotError;
use crate::store::StoreError;
use crate::watch::MalformedGlob;

/// Why the engine cannot do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The store refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A snapshot was not written.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// A glob is malformed.
    #[error(transparent)]
    Glob(#[from] MalformedGlob),
    /// A folder cannot be a root.
    #[error("{}: {reason}", path.display())]
    Root {
        /// The folder.
        path: std::path::PathBuf,
        /// What is wrong with it, and what to do.
        reason: String,
        /// It is a root already.
        exists: bool,
    },
    /// There is no such root.
    #[error("there is no root {0}")]
    NoSuchRoot(u32),
    /// This process does not index.
    #[error("no files are indexed by this process: {0}")]
    Inactive(String),
}

impl EngineError {
    /// Whether the database has failed, so that nothing can be changed until the library is opened again.
    pub fn needs_restart(&self) -> bool {
        matches!(self, Self::Store(StoreError::Database(_)))
    }
}
