//! The handle on all watched roots: starts and ends their threads.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};

use super::folders::Folders;
use super::inbox::Inbox;
use super::live::{Connect, connect};
use super::worker::{Sink, Task, Worker};
use super::{Rules, WatchEvent, WatchOptions, WatchState};
use crate::library::{RelativePath, Root, RootId};

/// Watches roots until dropped.
pub struct Watcher {
    options: WatchOptions,
    sink: Arc<Sink>,
    connect: Arc<Connect>,
    running: Mutex<HashMap<RootId, Running>>,
}

/// A root's thread, which ends soon after this is dropped.
struct Running {
    path: PathBuf,
    inbox: Arc<Inbox>,
    folders: Arc<Mutex<Folders>>,
    thread: Option<JoinHandle<()>>,
}

impl Watcher {
    /// Starts without any roots. `sink` is called from the threads of the roots, one at a time, and should return
    /// quickly.
    pub fn start(options: WatchOptions, sink: impl FnMut(WatchEvent) + Send + 'static) -> Self {
        Self::start_with(options, sink, Arc::new(connect))
    }

    /// Starts on other notifications than the system's.
    pub(super) fn start_with(
        options: WatchOptions,
        sink: impl FnMut(WatchEvent) + Send + 'static,
        connect: Arc<Connect>,
    ) -> Self {
        Self { options, sink: Arc::new(Mutex::new(sink)), connect, running: Mutex::default() }
    }

    /// Watches a root, replacing what was watched of it before. Returns at once.
    ///
    /// A [`WatchEvent::State`] follows once all watches are placed: a scan begun after that misses nothing.
    pub fn watch(&self, root: &Root, rules: Arc<Rules>) {
        let (inbox, folders) = (Arc::<Inbox>::default(), Arc::<Mutex<Folders>>::default());
        let task = Task {
            root: root.clone(),
            rules,
            options: self.options,
            inbox: Arc::clone(&inbox),
            folders: Arc::clone(&folders),
            connect: Arc::clone(&self.connect),
            sink: Arc::clone(&self.sink),
        };
        let mut running = self.running();
        let predecessor = running.remove(&root.id).and_then(Running::end);
        let work = move || {
            // Its watches count against the limit as long as it has them. A panic in it has been printed.
            let _ = predecessor.map(JoinHandle::join);
            Worker::new(task).run();
        };
        match Builder::new().name(format!("watch {}", root.id.0)).spawn(work) {
            Ok(thread) => {
                let thread = Some(thread);
                running.insert(root.id, Running { path: root.path.clone(), inbox, folders, thread });
            }
            Err(error) => {
                drop(running);
                tracing::error!(root = %root.path.display(), %error, "a folder is not watched");
                let state = WatchState::Polled { reason: format!("no thread to watch it with: {error}") };
                let mut sink = self.sink.lock().unwrap_or_else(PoisonError::into_inner);
                sink(WatchEvent::State { root: root.id, state });
            }
        }
    }

    /// Watches a root no more. An event of it that is being told at this moment may still arrive, but none after it.
    pub fn forget(&self, root: RootId) {
        self.running().remove(&root);
    }

    /// Folders with a watch of the system's on them, sorted.
    pub fn watched_folders(&self) -> Vec<PathBuf> {
        let mut watched = Vec::new();
        for root in self.running().values() {
            let folders = root.folders.lock().unwrap_or_else(PoisonError::into_inner);
            watched.extend(folders.below(&RelativePath::root()).iter().map(|folder| folder.below(&root.path)));
        }
        watched.sort_unstable();
        watched
    }

    fn running(&self) -> MutexGuard<'_, HashMap<RootId, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    /// Ends the thread, which may take a while, and need not be waited for.
    fn end(mut self) -> Option<JoinHandle<()>> {
        self.thread.take()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Not joined: it may hang with its disk, and it tells nothing any more.
        self.inbox.stop();
    }
}

#[cfg(test)]
mod tests;
