//! Single changes, and what is reported about them.

use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;

use super::*;

/// Does something to a tree, and expects these reports, each itself or as part of a folder.
fn check(change: impl FnOnce(&Path), expected: &[&str]) {
    let watched = Watched::new(RootRules::default(), |root| {
        write(&root.join("a.wav"), "a");
        write(&root.join("sub/deep/b.wav"), "b");
        write(&root.join("other/c.wav"), "c");
    });
    change(&watched.root);
    let reported = watched.await_reports(expected);
    for path in &reported {
        assert!(!path.is_root(), "{expected:?} is no reason to look at the whole root");
    }
}

#[test]
fn each_change_of_a_file_is_reported() {
    check(|root| write(&root.join("new.wav"), "n"), &["new.wav"]);
    check(|root| write(&root.join("a.wav"), "more"), &["a.wav"]);
    check(|root| fs::remove_file(root.join("sub/deep/b.wav")).unwrap(), &["sub/deep/b.wav"]);
    check(|root| fs::rename(root.join("a.wav"), root.join("sub/d.wav")).unwrap(), &["a.wav", "sub/d.wav"]);
    check(|root| symlink("a.wav", root.join("link.wav")).unwrap(), &["link.wav"]);
    check(|root| fs::hard_link(root.join("a.wav"), root.join("other/hard.wav")).unwrap(), &["other/hard.wav"]);
    let touch = |root: &Path| {
        let file = fs::File::options().append(true).open(root.join("a.wav")).unwrap();
        file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    };
    check(touch, &["a.wav"]);
}

#[test]
fn each_change_of_a_folder_is_reported() {
    check(|root| fs::create_dir(root.join("new")).unwrap(), &["new"]);
    check(|root| fs::remove_dir_all(root.join("sub")).unwrap(), &["sub"]);
    check(|root| fs::rename(root.join("sub"), root.join("moved")).unwrap(), &["sub", "moved"]);
    check(|root| fs::rename(root.join("sub/deep"), root.join("other/deep")).unwrap(), &["sub/deep", "other/deep"]);
    check(|root| fs::rename(root.join("sub"), root.parent().unwrap().join("out")).unwrap(), &["sub"]);
    let replace = |root: &Path| {
        fs::remove_dir_all(root.join("other")).unwrap();
        fs::write(root.join("other"), "a file now").unwrap();
    };
    check(replace, &["other"]);
}

#[test]
fn a_save_by_way_of_another_file_is_reported_under_the_final_name() {
    let save = |root: &Path| {
        write(&root.join("a.wav.part"), "new");
        fs::rename(root.join("a.wav.part"), root.join("a.wav")).unwrap();
    };
    check(save, &["a.wav"]);
}

#[test]
fn what_happens_in_a_folder_that_moved_is_reported_under_its_new_path() {
    let watched = Watched::new(RootRules::default(), |root| write(&root.join("a/b/c.wav"), ""));
    fs::rename(watched.root.join("a"), watched.root.join("z")).unwrap();
    watched.await_reports(&["a", "z"]);
    watched.await_watched_folders(&["", "z", "z/b"]);
    write(&watched.root.join("z/b/d.wav"), "");
    let reported = watched.await_reports(&["z/b/d.wav"]);
    assert!(reported.iter().all(|it| it.starts_with(&path("z"))), "{reported:?}");
}

#[test]
fn reading_is_not_reported() {
    let watched = Watched::new(RootRules::default(), |root| write(&root.join("sub/a.wav"), "a"));
    for _ in 0..100 {
        assert_eq!(fs::read(watched.root.join("sub/a.wav")).unwrap(), b"a");
        assert_eq!(names(&scan_all(&watched.root, &watched.rules).files), ["sub/a.wav"]);
    }
    write(&watched.root.join("last.wav"), "");
    assert_eq!(watched.await_reports(&["last.wav"]), [path("last.wav")], "reading came before that");
}

#[test]
fn what_is_excluded_is_neither_watched_nor_reported() {
    let exclude = vec!["*.tmp".to_owned(), "old/".to_owned()];
    let watched = Watched::new(RootRules { exclude, ..RootRules::default() }, |root| {
        for folder in [".git/objects", "@eaDir/x", "old/a", "sub/OLD/b", "sub/kept"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
    });
    watched.await_watched_folders(&["", "sub", "sub/kept"]);
    for name in [".git/objects/a", ".hidden.wav", "old/a/b.wav", "sub/c.tmp", "sub/old/d.wav", "new/.cache/e"] {
        write(&watched.root.join(name), "");
    }
    fs::rename(watched.root.join("sub/kept"), watched.root.join("sub/OLD/kept")).unwrap();
    write(&watched.root.join("last.wav"), "");
    let reported = watched.await_reports(&["sub/kept", "new", "last.wav"]);
    for report in &reported {
        assert!(["sub/kept", "new", "last.wav"].map(path).contains(report), "{report:?} is excluded");
    }
    watched.await_watched_folders(&["", "new", "sub"]);
}

#[test]
fn a_name_need_not_be_unicode() {
    let watched = Watched::new(RootRules::default(), |_| {});
    let folder = watched.root.join(std::ffi::OsStr::from_bytes(b"caf\xe9"));
    fs::create_dir(&folder).unwrap();
    let deadline = Instant::now() + LONG;
    while !watched.watcher.watched_folders().contains(&folder) {
        assert!(Instant::now() < deadline, "a folder of such a name is not watched");
        std::thread::yield_now();
    }
    while watched.next() != (WatchEvent::Changed { root: ID, paths: vec![path(b"caf\xe9")] }) {}
    fs::write(folder.join(std::ffi::OsStr::from_bytes(b"\xff.wav")), "").unwrap();
    while watched.next() != (WatchEvent::Changed { root: ID, paths: vec![path(b"caf\xe9/\xff.wav")] }) {}
}

#[test]
fn links_to_folders_are_not_watched() {
    let watched = Watched::new(RootRules::default(), |root| {
        write(&root.parent().unwrap().join("outside/a.wav"), "");
        fs::create_dir(root.join("sub")).unwrap();
        symlink("../outside", root.join("link")).unwrap();
        symlink("..", root.join("sub/loop")).unwrap();
    });
    symlink("../../outside", watched.root.join("sub/link")).unwrap();
    watched.await_reports(&["sub/link"]);
    watched.await_watched_folders(&["", "sub"]);
}

/// Permissions do not bind the superuser.
#[test]
fn a_folder_that_becomes_readable_is_watched() {
    use std::os::unix::fs::PermissionsExt as _;
    let permit = |folder: &Path, mode| fs::set_permissions(folder, fs::Permissions::from_mode(mode)).unwrap();
    let watched = Watched::new(RootRules::default(), |root| {
        write(&root.join("locked/a.wav"), "");
        permit(&root.join("locked"), 0o000);
    });
    let locked = watched.root.join("locked");
    let bound = fs::read_dir(&locked).is_err();
    if bound {
        watched.await_watched_folders(&[""]);
    }
    permit(&locked, 0o755);
    watched.await_reports(&["locked"]);
    watched.await_watched_folders(&["", "locked"]);
}
