//! The walk below a folder: folders waiting to be read, and threads that read them.
//!
//! Small trees are walked by the caller alone, since a thread costs more than a few folders; helpers join once many
//! folders wait. Holds paths of folders only, so that a folder of a million files costs no more than its files do.

use std::fs::{self, DirEntry};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::paths::child;
use super::{Rules, ScanReport};
use crate::library::{FileStat, RelativePath};

/// Folders that the caller reads before helpers join.
const FOLDERS_ALONE: usize = 64;

/// Disks answer several questions at once, and networks even more so, whatever the number of cores.
const THREADS: usize = 8;

/// A walk.
pub(super) struct Walk<'a> {
    root: &'a Path,
    rules: &'a Rules,
    stop: &'a AtomicBool,
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<RelativePath>,
    /// Folders being read. Nothing waits and nothing is read: the walk is over.
    active: usize,
}

impl<'a> Walk<'a> {
    pub(super) fn new(root: &'a Path, rules: &'a Rules, stop: &'a AtomicBool) -> Self {
        Self { root, rules, stop, queue: Mutex::default(), changed: Condvar::new() }
    }

    /// What is below `folder`, unsorted; `None` if it was stopped.
    pub(super) fn run(&self, folder: RelativePath) -> Option<ScanReport> {
        self.queue().waiting.push(folder);
        let mut report = ScanReport::default();
        let mut left = FOLDERS_ALONE;
        self.work(&mut report, || {
            left = left.saturating_sub(1);
            left > 0
        });
        if !self.queue().waiting.is_empty() {
            self.run_together(&mut report);
        }
        (!self.stopped()).then_some(report)
    }

    fn run_together(&self, report: &mut ScanReport) {
        thread::scope(|scope| {
            let help = || {
                let mut found = ScanReport::default();
                self.work(&mut found, || true);
                found
            };
            // A helper that cannot be started is one helper less: the caller alone gets it done, too.
            let helpers: Vec<_> = (1..THREADS)
                .filter_map(|_| thread::Builder::new().name("scan".into()).spawn_scoped(scope, help).ok())
                .collect();
            self.work(report, || true);
            for helper in helpers {
                match helper.join() {
                    Ok(found) => report.merge(found),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
        });
    }

    /// Reads folders until none is left, or `go_on` says no.
    fn work(&self, report: &mut ScanReport, mut go_on: impl FnMut() -> bool) {
        while let Some(folder) = self.next() {
            let turn = Turn(self);
            self.read(&folder, report);
            drop(turn);
            if !go_on() {
                return;
            }
        }
    }

    /// Waits for a folder to read.
    fn next(&self) -> Option<RelativePath> {
        let mut queue = self.queue();
        loop {
            if self.stopped() {
                return None;
            }
            if let Some(folder) = queue.waiting.pop() {
                queue.active += 1;
                return Some(folder);
            }
            if queue.active == 0 {
                return None;
            }
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn read(&self, folder: &RelativePath, report: &mut ScanReport) {
        let entries = match fs::read_dir(folder.below(self.root)) {
            Ok(entries) => entries,
            Err(error) => return report.note_error(folder.clone(), &error),
        };
        for entry in entries {
            if self.stopped() {
                return;
            }
            match entry {
                Ok(entry) => self.visit(folder, &entry, report),
                // The rest of the folder is unknown, and asking again gives the same answer.
                Err(error) => return report.note_error(folder.clone(), &error),
            }
        }
    }

    fn visit(&self, folder: &RelativePath, entry: &DirEntry, report: &mut ScanReport) {
        let path = child(folder, &entry.file_name());
        let kind = match entry.file_type() {
            Ok(kind) => kind,
            Err(error) => return report.note_error(path, &error),
        };
        let counts = if kind.is_dir() { self.rules.enters_within(&path) } else { self.rules.counts_within(&path) };
        if !counts && (kind.is_dir() || kind.is_file()) {
            report.skipped.excluded += 1;
        } else if kind.is_dir() {
            self.queue().waiting.push(path);
            self.changed.notify_one();
        } else {
            match entry.metadata() {
                Ok(metadata) if metadata.is_file() && counts => report.files.push((path, FileStat::of(&metadata))),
                Ok(metadata) => report.note_other(&metadata),
                Err(error) => report.note_error(path, &error),
            }
        }
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One folder being read. Ends when dropped, so that a panic leaves nobody waiting for ever.
struct Turn<'w, 'a>(&'w Walk<'a>);

impl Drop for Turn<'_, '_> {
    fn drop(&mut self) {
        self.0.queue().active -= 1;
        self.0.changed.notify_all();
    }
}
