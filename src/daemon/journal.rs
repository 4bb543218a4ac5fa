//! What happens in the library, in the log.

use std::time::Duration;

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;

use crate::engine::Engine;
use crate::engine::catalog::RootState;
use crate::engine::events::{Event, Numbered, Progress};
use crate::library::{FileKey, RootId};

/// How often progress is logged while files are read.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(10);

/// Logs events until the engine is gone: progress now and then, failing files, and how roots fare.
pub(super) async fn keep(engine: Engine, mut events: Receiver<Numbered>) {
    let mut journal = Journal { engine, reported: None, busy: false };
    loop {
        match events.recv().await {
            Ok(numbered) => journal.note(&numbered.event),
            Err(RecvError::Lagged(count)) => tracing::debug!(count, "events came too fast to be logged"),
            Err(RecvError::Closed) => return,
        }
    }
}

struct Journal {
    engine: Engine,
    /// When progress was last logged.
    reported: Option<Instant>,
    /// There was something to do when progress was last heard of.
    busy: bool,
}

impl Journal {
    fn note(&mut self, event: &Event) {
        match event {
            Event::Progress(progress) => self.note_progress(progress),
            Event::Indexed { file, embedded, .. } => {
                tracing::debug!(path = self.path(file), embedded, "indexed");
            }
            Event::Removed { file, .. } => tracing::debug!(path = self.path(file), "removed"),
            Event::Moved { from, to, .. } => {
                tracing::debug!(from = self.path(from), to = self.path(to), "moved");
            }
            Event::Failed { file, failure } => {
                let code = failure.code.as_str();
                tracing::warn!(path = self.path(file), code, reason = failure.reason, "cannot be indexed");
            }
            Event::Root(id) => self.note_root(*id),
            Event::RootRemoved(id) => tracing::info!(root = id.0, "folder removed"),
        }
    }

    fn note_progress(&mut self, progress: &Progress) {
        let busy = !progress.is_idle();
        let due = self.reported.is_none_or(|reported| reported.elapsed() >= PROGRESS_INTERVAL);
        let Progress { files_done, files_total, bytes_done, bytes_total, embedded, .. } = *progress;
        if !busy && self.busy && files_total > 0 {
            tracing::info!(files = files_done, bytes = bytes_done, embedded, "all files are read");
            self.reported = None;
        } else if busy && due && files_total > 0 {
            let eta_s = progress.eta_s.map(f64::round);
            tracing::info!(files_done, files_total, bytes_done, bytes_total, embedded, eta_s, "reading files");
            self.reported = Some(Instant::now());
        }
        self.busy = busy;
    }

    fn note_root(&self, id: RootId) {
        let Ok(catalog) = self.engine.catalog().read() else { return };
        let Some(entry) = catalog.root(id) else { return };
        let path = entry.root.path.display();
        match &entry.state {
            RootState::Watched => tracing::info!(%path, "folder is watched"),
            // The engine has warned of what is amiss.
            RootState::Polled(_) | RootState::Offline(_) | RootState::Unwatched => {}
        }
    }

    fn path(&self, file: &FileKey) -> String {
        let absolute = self.engine.catalog().read().ok().and_then(|catalog| catalog.absolute(file));
        absolute.map_or_else(|| file.path.to_string(), |path| path.display().to_string())
    }
}
