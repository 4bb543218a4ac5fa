//! Watched disks: what is there now, and what may have changed.
//!
//! Owns walking, exclusion rules, the system's notifications and polling. Invariants: events are hints and the scan is
//! the truth, so whatever is uncertain becomes a request to look again; what is excluded is neither walked nor watched;
//! symbolic links are never followed. Knows neither media formats nor what was found before.

mod rules;
mod scan;

pub use rules::{MalformedGlob, Rules};
pub use scan::{ScanError, ScanReport, Skipped, scan};

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::library::{RelativePath, Root, RootId};

/// How watching is done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WatchOptions {
    /// A path must have been quiet for this long before it is reported...
    pub quiet: Duration,
    /// ... but one that never is quiet is reported this often.
    pub patience: Duration,
    /// How often a polled root is looked at.
    pub poll_interval: Duration,
}

/// What a watcher reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WatchEvent {
    /// These paths may have changed: each a file or a folder with all below it, that may be there or not.
    Changed {
        /// Where.
        root: RootId,
        /// Below it; none lies below another of them.
        paths: Vec<RelativePath>,
    },
    /// Anything in the root may have changed.
    Rescan {
        /// Where.
        root: RootId,
        /// Why, for the log.
        reason: String,
    },
    /// How the root is watched from now on.
    State {
        /// Where.
        root: RootId,
        /// How.
        state: WatchState,
    },
}

/// How a root is watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WatchState {
    /// By the system's notifications.
    Notified,
    /// By looking again at an interval.
    Polled {
        /// Why not otherwise, and what to do about it.
        reason: String,
    },
    /// The folder is not there: unmounted, perhaps.
    Offline,
}

/// Watches roots until dropped.
pub struct Watcher {}

impl Watcher {
    /// Starts without any roots. `sink` is called from the watcher's thread and should return quickly.
    pub fn start(_options: WatchOptions, _sink: impl FnMut(WatchEvent) + Send + 'static) -> Self {
        todo!()
    }

    /// Watches a root, replacing what was watched of it before. Returns at once.
    pub fn watch(&self, _root: &Root, _rules: Arc<Rules>) {
        todo!()
    }

    /// Watches a root no more.
    pub fn forget(&self, _root: RootId) {
        todo!()
    }

    /// Folders with a watch of the system's on them, sorted.
    pub fn watched_folders(&self) -> Vec<PathBuf> {
        todo!()
    }
}
