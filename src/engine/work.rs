//! Files that wait to be read, and how far that is.
//!
//! Invariant: a file is waiting, being read, or neither, but never twice; what is asked for while it is being read is
//! read again afterwards. Bounded by the files on the disk.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use super::events::Progress;
use super::sync::lock;
use crate::library::{FileKey, FileStat, RootId};

/// A file to be read.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) file: FileKey,
    /// Size when it was noticed: what progress is weighted by.
    pub(super) bytes: u64,
    /// Read it even if its content has failed before.
    pub(super) retry: bool,
    /// How it looked when it was put off, and when that was.
    pub(super) seen: Option<(FileStat, Instant)>,
    /// How often it was put off.
    pub(super) deferrals: u32,
}

impl Job {
    pub(super) fn new(file: FileKey, bytes: u64) -> Self {
        Self { file, bytes, retry: false, seen: None, deferrals: 0 }
    }
}

/// Where a file stands.
#[derive(Debug)]
enum Place {
    Waiting,
    /// Being read; asked for again in the meantime, perhaps.
    Reading(Option<Job>),
}

#[derive(Debug, Default)]
struct State {
    /// Noticed while watching: before the bulk.
    urgent: VecDeque<Job>,
    bulk: VecDeque<Job>,
    /// Put off until then. The number keeps keys apart.
    deferred: BTreeMap<(Instant, u64), Job>,
    places: HashMap<FileKey, Place>,
    reading: usize,
    scans: usize,
    deferral: u64,
    progress: Progress,
    /// When the queue was last empty.
    since: Option<Instant>,
    closed: bool,
}

/// The queue between whoever notices files and those who read them.
#[derive(Debug)]
pub(super) struct Work {
    state: Mutex<State>,
    changed: Condvar,
    /// Files that may be between being taken and being recorded.
    most_reading: usize,
}

impl Work {
    pub(super) fn new(most_reading: usize) -> Self {
        Self { state: Mutex::default(), changed: Condvar::new(), most_reading }
    }

    /// Takes files to be read; urgent ones come before others.
    pub(super) fn add(&self, jobs: impl IntoIterator<Item = Job>, urgent: bool) {
        let mut state = lock(&self.state);
        for job in jobs {
            state.add(job, urgent);
        }
        drop(state);
        self.changed.notify_all();
    }

    /// The next file, which must be [`Self::finish`]ed or [`Self::defer`]red. Waits for one; `None` once closed.
    pub(super) fn next(&self) -> Option<Job> {
        let mut state = lock(&self.state);
        loop {
            if state.closed {
                return None;
            }
            let now = Instant::now();
            state.wake(now);
            if state.reading < self.most_reading
                && let Some(job) = state.take()
            {
                return Some(job);
            }
            let until = state.deferred.first_key_value().map(|((at, _), _)| at.saturating_duration_since(now));
            let wait = until.unwrap_or(Duration::from_secs(3600));
            let (next, _) = self.changed.wait_timeout(state, wait).unwrap_or_else(std::sync::PoisonError::into_inner);
            state = next;
        }
    }

    /// Puts a file that is being read off.
    pub(super) fn defer(&self, mut job: Job, wait: Duration) {
        let mut state = lock(&self.state);
        state.reading -= 1;
        job.deferrals += 1;
        state.deferral += 1;
        let place = (Instant::now() + wait, state.deferral);
        state.places.insert(job.file.clone(), Place::Waiting);
        state.deferred.insert(place, job);
        drop(state);
        self.changed.notify_all();
    }

    /// A file that was being read is done with, whatever became of it.
    pub(super) fn finish(&self, job: &Job) {
        let mut state = lock(&self.state);
        state.reading -= 1;
        state.progress.files_done += 1;
        state.progress.bytes_done += job.bytes;
        if let Some(Place::Reading(Some(again))) = state.places.remove(&job.file) {
            state.add(again, true);
        }
        state.settle();
        drop(state);
        self.changed.notify_all();
    }

    /// An embedding was computed.
    pub(super) fn count_embedding(&self) {
        lock(&self.state).progress.embedded += 1;
    }

    /// A scan is asked for.
    pub(super) fn begin_scan(&self) {
        let mut state = lock(&self.state);
        state.start();
        state.scans += 1;
    }

    /// A scan that was asked for is done, and what it found was added.
    pub(super) fn end_scan(&self) {
        let mut state = lock(&self.state);
        state.scans -= 1;
        state.settle();
        drop(state);
        self.changed.notify_all();
    }

    /// Forgets what waits in a root.
    pub(super) fn forget_root(&self, root: RootId) {
        let mut state = lock(&self.state);
        let State { urgent, bulk, deferred, places, progress, .. } = &mut *state;
        let mut forget = |job: &Job| {
            let keep = job.file.root != root;
            if !keep {
                places.remove(&job.file);
                progress.files_total -= 1;
                progress.bytes_total -= job.bytes;
            }
            keep
        };
        urgent.retain(&mut forget);
        bulk.retain(&mut forget);
        deferred.retain(|_, job| forget(job));
        state.settle();
        drop(state);
        self.changed.notify_all();
    }

    /// How far it is.
    pub(super) fn progress(&self) -> Progress {
        let state = lock(&self.state);
        let mut progress = Progress { scanning: state.scans > 0, ..state.progress };
        if let Some(since) = state.since.filter(|_| progress.bytes_done > 0 && !progress.scanning) {
            let left = progress.bytes_total.saturating_sub(progress.bytes_done) as f64;
            progress.eta_s = Some(since.elapsed().as_secs_f64() * left / progress.bytes_done as f64);
        }
        progress
    }

    /// Waits until nothing waits, is read or scanned; or closed.
    pub(super) fn wait_until_idle(&self) {
        let mut state = lock(&self.state);
        while !state.idle() && !state.closed {
            state = self.changed.wait(state).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
    }

    /// Gives nothing out any more.
    pub(super) fn close(&self) {
        lock(&self.state).closed = true;
        self.changed.notify_all();
    }
}

impl State {
    fn idle(&self) -> bool {
        self.places.is_empty() && self.scans == 0
    }

    /// Notes when work starts, and counts anew from there.
    fn start(&mut self) {
        if self.since.is_none() {
            self.since = Some(Instant::now());
            self.progress = Progress::default();
        }
    }

    fn settle(&mut self) {
        if self.idle() {
            self.since = None;
        }
    }

    fn add(&mut self, job: Job, urgent: bool) {
        match self.places.get_mut(&job.file) {
            Some(Place::Waiting) => {}
            Some(Place::Reading(again)) => *again = Some(job),
            None => {
                self.start();
                self.progress.files_total += 1;
                self.progress.bytes_total += job.bytes;
                self.places.insert(job.file.clone(), Place::Waiting);
                if urgent { self.urgent.push_back(job) } else { self.bulk.push_back(job) }
            }
        }
    }

    /// Puts what was deferred until now in front.
    fn wake(&mut self, now: Instant) {
        while let Some(entry) = self.deferred.first_entry()
            && entry.key().0 <= now
        {
            let job = entry.remove();
            self.urgent.push_back(job);
        }
    }

    fn take(&mut self) -> Option<Job> {
        let job = self.urgent.pop_front().or_else(|| self.bulk.pop_front())?;
        self.places.insert(job.file.clone(), Place::Reading(None));
        self.reading += 1;
        Some(job)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::library::RelativePath;

    fn job(name: &str) -> Job {
        let path = RelativePath::new(Path::new(name)).unwrap();
        Job::new(FileKey { root: RootId(1), path }, 10)
    }

    fn names(work: &Work, count: usize) -> Vec<String> {
        (0..count).map(|_| work.next().unwrap().file.path.to_string()).collect()
    }

    #[test]
    fn urgent_files_come_first_and_none_twice() {
        let work = Work::new(10);
        work.add([job("a"), job("b")], false);
        work.add([job("b"), job("c")], true);
        assert_eq!(work.progress().files_total, 3);
        assert_eq!(names(&work, 3), ["c", "a", "b"]);
    }

    #[test]
    fn a_file_that_changes_while_it_is_read_is_read_again() {
        let work = Work::new(10);
        work.add([job("a")], false);
        let reading = work.next().unwrap();
        work.add([job("a")], true);
        work.add([job("b")], false);
        assert_eq!(names(&work, 1), ["b"]);
        work.finish(&reading);
        assert_eq!(names(&work, 1), ["a"]);
    }

    #[test]
    fn what_is_put_off_comes_back() {
        let work = Work::new(10);
        work.add([job("a"), job("b")], false);
        let first = work.next().unwrap();
        work.defer(first, Duration::from_millis(20));
        assert_eq!(names(&work, 2), ["b", "a"]);
        assert!(!work.progress().is_idle());
    }

    #[test]
    fn progress_starts_anew_after_everything_is_done() {
        let work = Work::new(10);
        work.begin_scan();
        assert!(!work.progress().is_idle());
        work.add([job("a"), job("b")], false);
        work.end_scan();
        for _ in 0..2 {
            let job = work.next().unwrap();
            work.finish(&job);
        }
        work.wait_until_idle();
        let done = work.progress();
        assert_eq!((done.files_total, done.files_done, done.bytes_done), (2, 2, 20));
        work.add([job("c")], false);
        assert_eq!((work.progress().files_total, work.progress().files_done), (1, 0));
    }

    #[test]
    fn no_more_files_are_given_out_than_may_be_read_at_once() {
        let work = std::sync::Arc::new(Work::new(1));
        work.add([job("a"), job("b")], false);
        let first = work.next().unwrap();
        let (sender, receiver) = std::sync::mpsc::channel();
        let other = work.clone();
        let thread = std::thread::spawn(move || sender.send(other.next().unwrap()).unwrap());
        assert!(receiver.try_recv().is_err());
        work.finish(&first);
        assert_eq!(receiver.recv().unwrap().file, job("b").file);
        thread.join().unwrap();
        work.close();
        assert!(work.next().is_none());
    }

    #[test]
    fn a_forgotten_root_waits_no_more() {
        let work = Work::new(10);
        work.add([job("a")], false);
        work.forget_root(RootId(1));
        work.wait_until_idle();
        assert_eq!(work.progress().files_total, 0);
    }
}
