//! Walking and watching real folders.

mod changes;
mod mirror;
mod outage;
mod scanning;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use earmark::library::{FileStat, RelativePath, Root, RootId, RootRules};
use earmark::watch::{Rules, ScanReport, WatchEvent, WatchOptions, WatchState, Watcher, scan};
use tempfile::TempDir;

/// Nothing here takes nearly as long, unless it never comes.
const LONG: Duration = Duration::from_secs(60);

const OPTIONS: WatchOptions = WatchOptions {
    quiet: Duration::from_millis(30),
    patience: Duration::from_millis(300),
    poll_interval: Duration::from_secs(1),
};

const ID: RootId = RootId(7);

fn path(bytes: impl AsRef<[u8]>) -> RelativePath {
    RelativePath::from_bytes(bytes.as_ref()).unwrap()
}

fn rules(rules: &RootRules) -> Arc<Rules> {
    Arc::new(Rules::new(rules, &["@eaDir".to_owned()], false).unwrap())
}

fn scan_all(root: &Path, rules: &Rules) -> ScanReport {
    scan(root, rules, &RelativePath::root(), &AtomicBool::new(false)).unwrap()
}

fn write(path: &Path, content: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn names(files: &[(RelativePath, FileStat)]) -> Vec<String> {
    files.iter().map(|(path, _)| path.to_string()).collect()
}

/// A folder that is being watched.
struct Watched {
    /// What the root lies in; gone when dropped.
    place: TempDir,
    root: PathBuf,
    rules: Arc<Rules>,
    events: Receiver<WatchEvent>,
    watcher: Watcher,
}

impl Watched {
    /// Fills a folder, watches it, and waits until it is watched.
    fn new(root_rules: RootRules, fill: impl FnOnce(&Path)) -> Self {
        let watched = Self::started(root_rules, fill);
        assert_eq!(watched.next(), WatchEvent::State { root: ID, state: WatchState::Notified });
        watched
    }

    /// Fills a folder, and has it watched.
    fn started(root_rules: RootRules, fill: impl FnOnce(&Path)) -> Self {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().canonicalize().unwrap().join("root");
        fs::create_dir(&root).unwrap();
        fill(&root);
        let (sender, events) = channel();
        let watcher = Watcher::start(OPTIONS, move |event| {
            let _ = sender.send(event);
        });
        let rules = rules(&root_rules);
        watcher.watch(&Root { id: ID, path: root.clone(), rules: root_rules, identity: None }, Arc::clone(&rules));
        Self { place, root, rules, events, watcher }
    }

    fn next(&self) -> WatchEvent {
        self.events.recv_timeout(LONG).expect("an event")
    }

    /// Waits until everything in `expected` has been reported, itself or as part of a folder, and returns all reports.
    fn await_reports(&self, expected: &[&str]) -> Vec<RelativePath> {
        let deadline = Instant::now() + LONG;
        let mut reported: Vec<RelativePath> = Vec::new();
        let missing = |reported: &[RelativePath]| -> Vec<String> {
            let covered = |it: &RelativePath| reported.iter().any(|report| it.starts_with(report));
            expected.iter().filter(|&&it| !covered(&path(it))).map(ToString::to_string).collect()
        };
        while !missing(&reported).is_empty() {
            match self.events.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(WatchEvent::Changed { root: ID, paths }) => reported.extend(paths),
                Ok(WatchEvent::Rescan { root: ID, .. }) => reported.push(RelativePath::root()),
                Ok(other) => panic!("{other:?}: expected a change"),
                Err(RecvTimeoutError::Timeout) => panic!("not reported: {:?}", missing(&reported)),
                Err(RecvTimeoutError::Disconnected) => panic!("the watcher is gone"),
            }
        }
        reported
    }

    /// Folders with a watch on them, below the root.
    fn watched_folders(&self) -> Vec<String> {
        let below = |folder: &PathBuf| folder.strip_prefix(&self.root).unwrap().to_string_lossy().into_owned();
        self.watcher.watched_folders().iter().map(below).collect()
    }

    /// Waits until exactly these folders are watched.
    fn await_watched_folders(&self, expected: &[&str]) {
        let deadline = Instant::now() + LONG;
        while self.watched_folders() != expected {
            assert!(Instant::now() < deadline, "{:?}: expected {expected:?}", self.watched_folders());
            std::thread::yield_now();
        }
    }
}
