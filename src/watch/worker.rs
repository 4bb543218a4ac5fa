//! One root's thread: places its watches, makes sense of hints, polls, and notices when the root goes and comes back.
//!
//! Each root has a thread and notifications of its own: a network disk that hangs blocks nobody else, and what the
//! system drops is known to concern this root. Hints only say where to look. What is there is looked up, so that their
//! order does not matter.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::debounce::{Debouncer, Due};
use super::folders::{Folders, Inode};
use super::inbox::{Hint, Hints, Inbox};
use super::limits::InstanceLimit;
use super::live::{Connect, Notifications, Refusal};
use super::mounts::network_file_system;
use super::paths::{folders_of, relative};
use super::place::{Placing, Unwatchable};
use super::scan::identity;
use super::{Rules, WatchEvent, WatchOptions, WatchState};
use crate::library::{RelativePath, Root, RootId, WatchMode};

/// A root that went or came back is noticed within this time; asking is cheap.
const LONGEST_BETWEEN_CHECKS: Duration = Duration::from_secs(2);

/// Whom events are told.
pub(super) type Sink = Mutex<dyn FnMut(WatchEvent) + Send>;

/// What a root's thread is started with.
pub(super) struct Task {
    pub(super) root: Root,
    pub(super) rules: Arc<Rules>,
    pub(super) options: WatchOptions,
    pub(super) inbox: Arc<Inbox>,
    pub(super) folders: Arc<Mutex<Folders>>,
    pub(super) connect: Arc<Connect>,
    pub(super) sink: Arc<Sink>,
}

/// A root's thread.
pub(super) struct Worker {
    id: RootId,
    path: PathBuf,
    task: Task,
    debouncer: Debouncer,
    phase: Phase,
    /// Of the root folder that was last there.
    identity: Inode,
    next_check: Instant,
}

enum Phase {
    /// Nothing has been told yet.
    New,
    Offline,
    Notified(Box<dyn Notifications>),
    Polled {
        next: Instant,
    },
}

impl Worker {
    pub(super) fn new(task: Task) -> Self {
        let debouncer = Debouncer::new(task.options.quiet, task.options.patience);
        let (id, path) = (task.root.id, task.root.path.clone());
        Self { id, path, task, debouncer, phase: Phase::New, identity: None, next_check: Instant::now() }
    }

    /// Works until it is asked to end.
    pub(super) fn run(mut self) {
        while !self.task.inbox.is_stopped() {
            if self.next_check <= Instant::now() {
                self.check();
            }
            let hints = self.task.inbox.take(self.next_wakeup());
            self.heed(hints);
            self.report();
            self.sweep();
        }
        self.drop_watches();
    }

    fn next_wakeup(&self) -> Instant {
        let due = self.debouncer.next_deadline();
        let poll = if let Phase::Polled { next } = self.phase { Some(next) } else { None };
        [due, poll].into_iter().flatten().fold(self.next_check, Instant::min)
    }

    fn check_interval(&self) -> Duration {
        (self.task.options.poll_interval / 10).clamp(Duration::from_millis(20), LONGEST_BETWEEN_CHECKS)
    }

    /// Looks whether the root is there, and still the same folder.
    fn check(&mut self) {
        self.next_check = Instant::now() + self.check_interval();
        match (identity(&self.path), &self.phase) {
            (Err(_), Phase::Offline) => {}
            (Err(reason), _) => {
                tracing::warn!(root = %self.path.display(), reason, "a watched folder is offline");
                self.drop_watches();
                self.enter(Phase::Offline, WatchState::Offline);
            }
            (Ok(identity), Phase::New) => self.attach(identity),
            (Ok(identity), Phase::Offline) => {
                self.attach(identity);
                self.emit_rescan("the folder is back".to_owned());
            }
            (Ok(identity), _) if identity != self.identity => {
                self.attach(identity);
                self.emit_rescan("another folder has taken the place of the former one".to_owned());
            }
            (Ok(_), _) => {}
        }
    }

    /// Places all watches anew, or begins to poll.
    fn attach(&mut self, identity: Inode) {
        self.identity = identity;
        self.drop_watches();
        if self.task.root.rules.watch == WatchMode::Poll {
            return self.poll("asked for by the root's watch mode".to_owned());
        }
        if let Some(kind) = network_file_system(&self.path) {
            return self.poll(Unwatchable::Network { path: self.path.clone(), kind }.to_string());
        }
        let mut watched = self.connect();
        if matches!(watched, Err(Unwatchable::Folders(_) | Unwatchable::Instances(_))) {
            // The watches of a predecessor may only just be going.
            self.drop_watches();
            self.task.inbox.pause(Instant::now() + self.check_interval());
            watched = self.connect();
        }
        match watched {
            Ok(notifications) => self.enter(Phase::Notified(notifications), WatchState::Notified),
            Err(reason) => self.give_up(&reason),
        }
    }

    fn connect(&mut self) -> Result<Box<dyn Notifications>, Unwatchable> {
        let mut notifications = (self.task.connect)(&self.task.inbox).map_err(|refusal| match refusal {
            Refusal::Folders | Refusal::Instances => Unwatchable::Instances(InstanceLimit::read()),
            Refusal::Gone | Refusal::Forbidden => self.unwatchable("notifications are not available"),
            Refusal::Other(reason) => self.unwatchable(&reason),
        })?;
        placing(&self.path, &self.task, &mut *notifications).place(&RelativePath::root())?;
        let watched = self.folders().len() > 0;
        if watched { Ok(notifications) } else { Err(self.unwatchable("the folder may not be read")) }
    }

    fn unwatchable(&self, reason: &str) -> Unwatchable {
        Unwatchable::Other { path: self.path.clone(), reason: reason.to_owned() }
    }

    /// Polls because watching failed.
    fn give_up(&mut self, reason: &Unwatchable) {
        tracing::warn!(root = %self.path.display(), %reason, "a folder is polled instead of watched");
        self.poll(reason.to_string());
    }

    fn poll(&mut self, reason: String) {
        self.drop_watches();
        let next = Instant::now() + self.task.options.poll_interval;
        self.enter(Phase::Polled { next }, WatchState::Polled { reason });
    }

    fn drop_watches(&mut self) {
        if let Phase::Notified(notifications) = std::mem::replace(&mut self.phase, Phase::New) {
            drop(notifications);
        }
        *self.folders() = Folders::default();
        self.debouncer.clear();
    }

    fn enter(&mut self, phase: Phase, state: WatchState) {
        self.phase = phase;
        self.emit(WatchEvent::State { root: self.id, state });
    }

    /// Looks where hints point, and lets what is found there wait for quiet.
    fn heed(&mut self, hints: Hints) {
        let mut hinted: Vec<(RelativePath, Hint)> = Vec::with_capacity(hints.paths.len());
        hinted.extend(hints.paths.into_iter().filter_map(|(path, hint)| Some((relative(&self.path, &path)?, hint))));
        hinted.sort_unstable();
        if hinted.iter().any(|(path, hint)| path.is_root() && *hint == Hint::Anything) {
            self.check();
        }
        if let Some(reason) = hints.lost.filter(|_| self.is_notified()) {
            tracing::info!(root = %self.path.display(), reason, "a watched folder is looked at again");
            if self.place(&RelativePath::root()) {
                self.debouncer.add_everything(reason, Instant::now());
            }
        }
        let mut placed: Option<RelativePath> = None;
        for (path, hint) in hinted {
            // What is left of an ended watch says nothing: a scan follows the new one.
            if self.task.inbox.is_stopped() || !self.is_notified() {
                return;
            }
            // Sorted, so that a folder comes before all below it, of which its watches have been renewed, too.
            if placed.as_ref().is_some_and(|folder| path.starts_with(folder)) {
                continue;
            }
            match hint {
                Hint::File if self.task.rules.counts(&path) => self.debouncer.add(&path, Instant::now()),
                Hint::File => {}
                Hint::Anything if self.look_at(&path) => placed = Some(path),
                Hint::Anything => {}
            }
        }
    }

    /// Watches or forgets what is at `path`, then reports it: a scan after that misses nothing. Tells whether it is a
    /// folder that was watched with all below it.
    fn look_at(&mut self, path: &RelativePath) -> bool {
        let rules = Arc::clone(&self.task.rules);
        if !folders_of(path).all(|folder| rules.enters_within(&folder)) {
            return false;
        }
        let is_folder = fs::symlink_metadata(path.below(&self.path)).is_ok_and(|metadata| metadata.is_dir());
        if is_folder {
            let entered = rules.enters_within(path);
            if entered && self.place(path) {
                self.debouncer.add(path, Instant::now());
            }
            return entered;
        }
        let was_folder = self.folders().mark_gone(path);
        // What is gone may have been a folder that was never seen, and whose files were found all the same.
        if was_folder || rules.enters_within(path) || rules.counts_within(path) {
            self.debouncer.add(path, Instant::now());
        }
        false
    }

    /// Renews the watches at `path` and below; if that fails, the root is polled, and this is false.
    fn place(&mut self, path: &RelativePath) -> bool {
        let Phase::Notified(notifications) = &mut self.phase else { return false };
        let placed = placing(&self.path, &self.task, &mut **notifications).place(path);
        if let Err(reason) = &placed {
            self.give_up(reason);
        }
        placed.is_ok()
    }

    /// Cleans up, once nothing waits to be reported.
    fn sweep(&mut self) {
        if let (Phase::Notified(notifications), None) = (&mut self.phase, self.debouncer.next_deadline()) {
            placing(&self.path, &self.task, &mut **notifications).sweep();
        }
    }

    fn folders(&self) -> MutexGuard<'_, Folders> {
        self.task.folders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_notified(&self) -> bool {
        matches!(self.phase, Phase::Notified(_))
    }

    fn report(&mut self) {
        let now = Instant::now();
        match self.debouncer.due(now) {
            Some(Due::Paths(paths)) => self.emit(WatchEvent::Changed { root: self.id, paths }),
            Some(Due::Everything(reason)) => self.emit_rescan(reason),
            None => {}
        }
        if let Phase::Polled { next } = &mut self.phase
            && *next <= now
        {
            *next = now + self.task.options.poll_interval;
            self.emit_rescan("polled".to_owned());
        }
    }

    fn emit_rescan(&self, reason: String) {
        self.emit(WatchEvent::Rescan { root: self.id, reason });
    }

    fn emit(&self, event: WatchEvent) {
        let mut sink = self.task.sink.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.task.inbox.is_stopped() {
            sink(event);
        }
    }
}

fn placing<'a>(root: &'a Path, task: &'a Task, notifications: &'a mut dyn Notifications) -> Placing<'a> {
    Placing { root, rules: &task.rules, notifications, folders: &task.folders, inbox: &task.inbox }
}
