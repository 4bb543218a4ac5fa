//! Watched disks: what is there now, and what may have changed.
//!
//! Owns walking, exclusion rules, the system's notifications and polling. Invariants: events are hints and the scan is
//! the truth, so whatever is uncertain becomes a request to look again; what is excluded is neither walked nor watched;
//! symbolic links are never followed. Knows neither media formats nor what was found before.

mod debounce;
mod folders;
mod inbox;
mod limits;
mod live;
mod mounts;
mod paths;
mod place;
mod rules;
mod scan;
mod walk;
mod watcher;
mod worker;

pub use rules::{MalformedGlob, Rules};
pub use scan::{ScanError, ScanReport, Skipped, scan};
pub use watcher::Watcher;

use std::time::Duration;

use crate::library::{RelativePath, RootId};

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
