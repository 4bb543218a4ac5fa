//! Roots that go and come back, and systems that refuse.

use std::process::Command;

use super::*;

/// Tells this binary that it runs where only few folders can be watched.
const LOW_LIMIT: &str = "EARMARK_TEST_LOW_LIMIT";

fn state(state: WatchState) -> WatchEvent {
    WatchEvent::State { root: ID, state }
}

/// Skips changes: what a root is worth while it goes is not told in any order.
fn next_but_changes(watched: &Watched) -> WatchEvent {
    loop {
        match watched.next() {
            WatchEvent::Changed { .. } => {}
            other => return other,
        }
    }
}

/// Takes a root away and brings it back by other means, then expects to be told of both.
fn check(leave: impl FnOnce(&Path, &Path), come_back: impl FnOnce(&Path, &Path)) {
    let watched = Watched::new(RootRules::default(), |root| write(&root.join("sub/a.wav"), ""));
    let elsewhere = watched.place.path().join("elsewhere");
    leave(&watched.root, &elsewhere);
    assert_eq!(next_but_changes(&watched), state(WatchState::Offline));
    assert_eq!(watched.watched_folders(), Vec::<String>::new());
    come_back(&watched.root, &elsewhere);
    assert_eq!(watched.next(), state(WatchState::Notified));
    assert!(matches!(watched.next(), WatchEvent::Rescan { root: ID, .. }));
    write(&watched.root.join("sub/b.wav"), "");
    watched.await_reports(&["sub/b.wav"]);
}

#[test]
fn a_root_that_goes_is_offline_and_is_watched_again_when_it_is_back() {
    let restore = |root: &Path, elsewhere: &Path| fs::rename(elsewhere, root).unwrap();
    let anew = |root: &Path, _: &Path| fs::create_dir_all(root.join("sub")).unwrap();
    check(|root, elsewhere| fs::rename(root, elsewhere).unwrap(), restore);
    check(|root, _| fs::remove_dir_all(root).unwrap(), anew);
}

#[test]
fn a_root_that_is_a_file_is_offline() {
    let become_file = |root: &Path, elsewhere: &Path| {
        fs::rename(root, elsewhere).unwrap();
        fs::write(root, "").unwrap();
    };
    let become_folder = |root: &Path, elsewhere: &Path| {
        fs::remove_file(root).unwrap();
        fs::rename(elsewhere, root).unwrap();
    };
    check(become_file, become_folder);
}

#[test]
fn another_folder_in_the_place_of_a_root_is_watched_and_looked_at() {
    let watched = Watched::new(RootRules::default(), |root| {
        write(&root.join("a.wav"), "");
        write(&root.parent().unwrap().join("other/sub/b.wav"), "");
    });
    let place = watched.place.path();
    let flags = rustix::fs::RenameFlags::EXCHANGE;
    let (root, other) = (&watched.root, place.join("other"));
    rustix::fs::renameat_with(rustix::fs::CWD, root, rustix::fs::CWD, &other, flags).unwrap();
    assert_eq!(next_but_changes(&watched), state(WatchState::Notified), "it never was offline");
    assert!(matches!(watched.next(), WatchEvent::Rescan { root: ID, .. }));
    watched.await_watched_folders(&["", "sub"]);
}

#[test]
fn a_root_that_is_not_there_at_first_is_offline_until_it_is() {
    let watched = Watched::new(RootRules::default(), |_| {});
    let later = Root { id: RootId(8), path: watched.root.join("later"), rules: RootRules::default(), identity: None };
    watched.watcher.watch(&later, Arc::clone(&watched.rules));
    assert_eq!(watched.next(), WatchEvent::State { root: later.id, state: WatchState::Offline });
    watched.watcher.forget(ID);
    fs::create_dir(&later.path).unwrap();
    let notified = WatchEvent::State { root: later.id, state: WatchState::Notified };
    let deadline = Instant::now() + LONG;
    while watched.next() != notified {
        assert!(Instant::now() < deadline, "it is back, and not watched");
    }
}

#[test]
fn a_root_that_is_watched_anew_obeys_its_new_rules() {
    let watched = Watched::new(RootRules::default(), |root| fs::create_dir_all(root.join("sub/deep")).unwrap());
    watched.await_watched_folders(&["", "sub", "sub/deep"]);
    let exclude = RootRules { exclude: vec!["deep".to_owned()], ..RootRules::default() };
    let root = Root { id: ID, path: watched.root.clone(), rules: exclude.clone(), identity: None };
    watched.watcher.watch(&root, rules(&exclude));
    assert_eq!(watched.next(), state(WatchState::Notified));
    watched.await_watched_folders(&["", "sub"]);
    watched.watcher.forget(ID);
    watched.await_watched_folders(&[]);
}

/// Runs itself again as another user of a kind, whom the system lets watch five folders. Where no such user can be had
/// there is nothing to be tested.
#[test]
fn at_the_systems_own_limit_a_root_is_polled_and_told_how_to_raise_it() {
    if std::env::var_os(LOW_LIMIT).is_some() {
        return poll_at_the_limit();
    }
    let limited = |then: &str| {
        let mut command = Command::new("unshare");
        command.args(["-Ur", "sh", "-c", &format!("echo 5 > /proc/sys/user/max_inotify_watches && {then}")]);
        command
    };
    if !limited("true").output().is_ok_and(|output| output.status.success()) {
        return;
    }
    let test = "watch::outage::at_the_systems_own_limit_a_root_is_polled_and_told_how_to_raise_it";
    let mut again = limited("exec \"$0\" \"$@\"");
    again.arg(std::env::current_exe().unwrap()).args(["--exact", test]).env(LOW_LIMIT, "1");
    let output = again.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

fn poll_at_the_limit() {
    let watched = Watched::started(RootRules::default(), |root| {
        (0..20).for_each(|folder| fs::create_dir_all(root.join(format!("{folder}/deep"))).unwrap());
    });
    let event = watched.next();
    let WatchEvent::State { root: ID, state: WatchState::Polled { reason } } = event else {
        panic!("{event:?}: expected to be polled");
    };
    assert!(reason.contains("has 41") && reason.contains("sysctl fs.inotify.max_user_watches="), "{reason}");
    assert_eq!(watched.watched_folders(), Vec::<String>::new());
    for _ in 0..2 {
        assert_eq!(watched.next(), WatchEvent::Rescan { root: ID, reason: "polled".to_owned() });
    }
}
