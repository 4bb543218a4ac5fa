//! What happens, for whoever listens.

use std::sync::Mutex;

use tokio::sync::broadcast;

use crate::library::{AssetId, Failure, FileKey, RootId};

/// Events that a receiver may lag behind before it loses the oldest.
const KEPT_EVENTS: usize = 4_096;

/// How far indexing is, since the queue was last empty.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Progress {
    /// Roots are being compared with the disk: the totals still grow.
    pub scanning: bool,
    /// Files to read.
    pub files_total: u64,
    /// Files read, whatever became of them.
    pub files_done: u64,
    /// Bytes to read.
    pub bytes_total: u64,
    /// Bytes read.
    pub bytes_done: u64,
    /// Embeddings computed.
    pub embedded: u64,
    /// Seconds left at the present pace, weighted by bytes.
    pub eta_s: Option<f64>,
}

impl Progress {
    /// Nothing is left to do.
    pub fn is_idle(&self) -> bool {
        !self.scanning && self.files_done >= self.files_total
    }
}

/// Something that happened. What it tells is on disk.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// About twice a second while indexing.
    Progress(Progress),
    /// A file is searchable.
    Indexed {
        /// The file.
        file: FileKey,
        /// Its content.
        asset: AssetId,
        /// It had to be embedded; otherwise its content was known.
        embedded: bool,
    },
    /// A file is gone, or no longer what it was.
    Removed {
        /// The file.
        file: FileKey,
        /// What its content was.
        asset: AssetId,
    },
    /// A file has another name.
    Moved {
        /// Its name until now.
        from: FileKey,
        /// Its name from now on.
        to: FileKey,
        /// Its content.
        asset: AssetId,
    },
    /// A file could not be indexed.
    Failed {
        /// The file.
        file: FileKey,
        /// Why.
        failure: Failure,
    },
    /// A root was added, or fares otherwise.
    Root(RootId),
    /// A root was removed.
    RootRemoved(RootId),
}

/// An event with its number, which ascends by one.
#[derive(Debug, Clone, PartialEq)]
pub struct Numbered {
    /// From 1.
    pub sequence: u64,
    /// What happened.
    pub event: Event,
}

/// Numbers events and hands them to whoever listens. Never waits for a listener.
#[derive(Debug)]
pub(super) struct EventHub {
    last: Mutex<u64>,
    sender: broadcast::Sender<Numbered>,
}

impl EventHub {
    pub(super) fn new() -> Self {
        Self { last: Mutex::new(0), sender: broadcast::Sender::new(KEPT_EVENTS) }
    }

    pub(super) fn publish(&self, event: Event) {
        let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *last += 1;
        // An error means that nobody listens.
        let _ = self.sender.send(Numbered { sequence: *last, event });
    }

    pub(super) fn subscribe(&self) -> broadcast::Receiver<Numbered> {
        self.sender.subscribe()
    }
}
