//! The watcher on notifications of our own, which refuse, fail and hang as the system's cannot be made to.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::super::live::{Notifications, Refusal};
use super::*;
use crate::library::{RootRules, WatchMode};

/// Nothing here takes nearly as long, unless it never comes.
const LONG: Duration = Duration::from_secs(30);

const OPTIONS: WatchOptions = WatchOptions {
    quiet: Duration::from_millis(10),
    patience: Duration::from_millis(100),
    poll_interval: Duration::from_millis(200),
};

/// Takes watches as long as `answer` does.
struct Scripted<F>(F);

impl<F: FnMut(&Path) -> Result<(), Refusal> + Send> Notifications for Scripted<F> {
    fn watch(&mut self, folder: &Path) -> Result<(), Refusal> {
        (self.0)(folder)
    }

    fn unwatch(&mut self, _: &Path) {}
}

fn root(id: u32, folders: &[&str]) -> (TempDir, Root) {
    let folder = tempfile::tempdir().unwrap();
    folders.iter().for_each(|name| fs::create_dir_all(folder.path().join(name)).unwrap());
    let path = folder.path().canonicalize().unwrap();
    (folder, Root { id: RootId(id), path, rules: RootRules::default(), identity: None })
}

fn rules() -> Arc<Rules> {
    Arc::new(Rules::new(&RootRules::default(), &[], false).unwrap())
}

fn start(connect: Arc<Connect>) -> (Watcher, Receiver<WatchEvent>) {
    let (sender, events) = channel();
    let sink = move |event| {
        let _ = sender.send(event);
    };
    (Watcher::start_with(OPTIONS, sink, connect), events)
}

fn next(events: &Receiver<WatchEvent>) -> WatchEvent {
    events.recv_timeout(LONG).expect("an event")
}

fn polled(event: WatchEvent) -> String {
    match event {
        WatchEvent::State { state: WatchState::Polled { reason }, .. } => reason,
        other => panic!("{other:?}: expected to be polled"),
    }
}

#[test]
fn at_the_limit_a_root_is_polled_and_told_how_to_raise_it() {
    let (_folder, root) = root(1, &["a/b", "c"]);
    let connect: Arc<Connect> = Arc::new(|_: &Arc<Inbox>| {
        let mut left = 2;
        Ok(Box::new(Scripted(move |_: &Path| {
            left -= 1;
            if left < 0 { Err(Refusal::Folders) } else { Ok(()) }
        })))
    });
    let (watcher, events) = start(connect);
    watcher.watch(&root, rules());
    let reason = polled(next(&events));
    assert!(reason.contains("sysctl fs.inotify.max_user_watches=") && reason.contains("has 4"), "{reason}");
    assert_eq!(watcher.watched_folders(), Vec::<PathBuf>::new(), "half a watch is none");
    for _ in 0..2 {
        assert_eq!(next(&events), WatchEvent::Rescan { root: root.id, reason: "polled".into() });
    }
}

#[test]
fn without_a_watcher_to_be_had_a_root_is_polled() {
    let check = |refusal: Refusal, expected: &str| {
        let (_folder, root) = root(1, &[]);
        let connect: Arc<Connect> = Arc::new(move |_: &Arc<Inbox>| Err(refusal.clone()));
        let (watcher, events) = start(connect);
        watcher.watch(&root, rules());
        let reason = polled(next(&events));
        assert!(reason.contains(expected), "{reason}: expected {expected}");
        assert!(matches!(next(&events), WatchEvent::Rescan { .. }));
    };
    check(Refusal::Instances, "sysctl fs.inotify.max_user_instances=");
    check(Refusal::Other("out of order".into()), "out of order");
}

#[test]
fn a_limit_that_passes_is_forgiven() {
    let (_folder, root) = root(1, &["a"]);
    let asked = Arc::new(AtomicUsize::new(0));
    let connect: Arc<Connect> = Arc::new(move |_: &Arc<Inbox>| {
        let first = asked.fetch_add(1, Ordering::Relaxed) == 0;
        Ok(Box::new(Scripted(move |_: &Path| if first { Err(Refusal::Folders) } else { Ok(()) })))
    });
    let (watcher, events) = start(connect);
    watcher.watch(&root, rules());
    assert_eq!(next(&events), WatchEvent::State { root: root.id, state: WatchState::Notified });
    assert_eq!(watcher.watched_folders(), [root.path.clone(), root.path.join("a")]);
}

#[test]
fn lost_notifications_are_a_rescan_after_the_watches_are_renewed() {
    let (_folder, root) = root(1, &[]);
    let (sender, inboxes) = channel();
    let connect: Arc<Connect> = Arc::new(move |inbox: &Arc<Inbox>| {
        sender.send(Arc::clone(inbox)).unwrap();
        Ok(Box::new(Scripted(|_: &Path| Ok(()))))
    });
    let (watcher, events) = start(connect);
    watcher.watch(&root, rules());
    assert_eq!(next(&events), WatchEvent::State { root: root.id, state: WatchState::Notified });
    fs::create_dir(root.path.join("unnoticed")).unwrap();
    inboxes.recv_timeout(LONG).unwrap().lose("test".into());
    assert_eq!(next(&events), WatchEvent::Rescan { root: root.id, reason: "test".into() });
    assert_eq!(watcher.watched_folders(), [root.path.clone(), root.path.join("unnoticed")]);
}

#[test]
fn a_root_that_hangs_blocks_nobody_else() {
    let (_hanging, hanging) = root(1, &[]);
    let (_well, well) = root(2, &["a"]);
    let (release, gate) = channel::<()>();
    let (gate, path) = (Arc::new(Mutex::new(gate)), hanging.path.clone());
    let connect: Arc<Connect> = Arc::new(move |_: &Arc<Inbox>| {
        let (gate, path) = (Arc::clone(&gate), path.clone());
        Ok(Box::new(Scripted(move |folder: &Path| {
            if folder == path {
                let _ = gate.lock().unwrap().recv();
            }
            Ok(())
        })))
    });
    let (watcher, events) = start(connect);
    watcher.watch(&hanging, rules());
    watcher.watch(&well, rules());
    assert_eq!(next(&events), WatchEvent::State { root: well.id, state: WatchState::Notified });
    assert_eq!(watcher.watched_folders(), [well.path.clone(), well.path.join("a")]);
    watcher.forget(well.id);
    assert_eq!(watcher.watched_folders(), Vec::<PathBuf>::new());
    drop(release);
    assert_eq!(next(&events), WatchEvent::State { root: hanging.id, state: WatchState::Notified });
}

#[test]
fn a_root_that_wants_it_is_polled_until_it_is_forgotten() {
    let (_folder, mut root) = root(1, &[]);
    root.rules.watch = WatchMode::Poll;
    let (watcher, events) = start(Arc::new(|_: &Arc<Inbox>| panic!("nobody asked for notifications")));
    let begun = Instant::now();
    watcher.watch(&root, rules());
    assert!(polled(next(&events)).contains("watch mode"));
    next(&events);
    assert!(begun.elapsed() >= OPTIONS.poll_interval);
    watcher.forget(root.id);
    // One may have been on its way.
    let _ = events.recv_timeout(OPTIONS.poll_interval);
    assert_eq!(events.recv_timeout(3 * OPTIONS.poll_interval), Err(RecvTimeoutError::Timeout));
}

#[test]
fn dropping_the_watcher_ends_its_threads() {
    let (_folder, root) = root(1, &["a"]);
    let (watcher, events) = start(Arc::new(connect));
    watcher.watch(&root, rules());
    watcher.watch(&root, rules());
    while !matches!(next(&events), WatchEvent::State { state: WatchState::Notified, .. }) {}
    drop(watcher);
    while let Ok(event) = events.recv_timeout(LONG) {
        assert!(matches!(event, WatchEvent::State { .. }), "{event:?}");
    }
    assert_eq!(events.recv_timeout(LONG), Err(RecvTimeoutError::Disconnected), "the sink is still held");
}
