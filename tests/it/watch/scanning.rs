//! Scans of trees with everything in them that a disk can have.

use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::process::Command;

use earmark::watch::{ScanError, Skipped};

use super::*;

fn scan_under(root: &Path, under: &str, root_rules: &RootRules) -> ScanReport {
    scan(root, &rules(root_rules), &path(under), &AtomicBool::new(false)).unwrap()
}

fn make_fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn only_regular_files_count_and_the_rest_is_counted() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    for name in ["z.wav", "a/b/c.wav", "a/empty", ".hidden/d.wav", "e.tmp", "@eaDir/f", "a/.g"] {
        write(&root.join(name), if name == "a/empty" { "" } else { "four" });
    }
    symlink("z.wav", root.join("link.wav")).unwrap();
    symlink("..", root.join("a/loop")).unwrap();
    symlink("nowhere", root.join("a/dangling")).unwrap();
    make_fifo(&root.join("a/fifo.wav"));
    let _socket = UnixListener::bind(root.join("socket")).unwrap();
    let exclude = RootRules { exclude: vec!["*.tmp".to_owned()], ..RootRules::default() };
    let report = scan_under(root, "", &exclude);
    assert_eq!(names(&report.files), ["a/b/c.wav", "a/empty", "z.wav"]);
    assert_eq!(report.files.iter().map(|(_, stat)| stat.size).collect::<Vec<_>>(), [4, 0, 4]);
    assert_eq!(report.skipped, Skipped { excluded: 4, links: 3, special: 2 });
    assert_eq!(report.unreadable, []);
    let metadata = fs::metadata(root).unwrap();
    assert_eq!(report.identity, FileStat::of(&metadata).inode);
}

#[test]
fn a_part_of_a_root_is_scanned_as_the_whole_would_be() {
    let root = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    let root = root.path();
    write(&outside.path().join("secret.wav"), "");
    for name in ["a/b/c.wav", "a/d.wav", "a/no/e.wav", "ab.wav", "f.tmp"] {
        write(&root.join(name), "");
    }
    symlink(outside.path(), root.join("a/out")).unwrap();
    make_fifo(&root.join("a/fifo"));
    let exclude = RootRules { exclude: vec!["no".to_owned(), "*.tmp".to_owned()], ..RootRules::default() };
    let check = |under: &str, files: &[&str], skipped: [u64; 3]| {
        let report = scan_under(root, under, &exclude);
        assert_eq!(names(&report.files), files, "under {under}");
        let [excluded, links, special] = skipped;
        assert_eq!(report.skipped, Skipped { excluded, links, special }, "under {under}");
        assert_eq!(report.unreadable, [], "under {under}");
        assert!(report.identity.is_some());
    };
    check("a", &["a/b/c.wav", "a/d.wav"], [1, 1, 1]);
    check("a/b", &["a/b/c.wav"], [0, 0, 0]);
    check("a/d.wav", &["a/d.wav"], [0, 0, 0]);
    check("gone", &[], [0, 0, 0]);
    check("gone/deep/down", &[], [0, 0, 0]);
    check("a/d.wav/below", &[], [0, 0, 0]);
    check("a/no", &[], [1, 0, 0]);
    check("a/no/e.wav", &[], [1, 0, 0]);
    check("f.tmp", &[], [1, 0, 0]);
    check("a/out", &[], [0, 1, 0]);
    check("a/out/secret.wav", &[], [0, 1, 0]);
    check("a/fifo", &[], [0, 0, 1]);
}

#[test]
fn a_root_that_is_not_there_is_offline_and_not_empty() {
    let place = tempfile::tempdir().unwrap();
    let check = |name: &str, expected: &str| {
        let root = place.path().join(name);
        let result = scan(&root, &rules(&RootRules::default()), &path("a"), &AtomicBool::new(false));
        let Err(error @ ScanError::Offline { .. }) = result else { panic!("{result:?}: expected offline") };
        let error = error.to_string();
        assert!(error.contains(&*root.to_string_lossy()) && error.contains(expected), "{error}: expected {expected}");
    };
    fs::write(place.path().join("file"), "").unwrap();
    symlink(".", place.path().join("link")).unwrap();
    check("nowhere", "No such file");
    check("file", "expected a folder");
    check("link", "symbolic link");
}

#[test]
fn a_scan_stops_when_asked() {
    let root = tempfile::tempdir().unwrap();
    write(&root.path().join("a/b.wav"), "");
    let result = scan(root.path(), &rules(&RootRules::default()), &RelativePath::root(), &AtomicBool::new(true));
    assert!(matches!(result, Err(ScanError::Stopped)), "{result:?}");
}

#[test]
fn names_need_not_be_unicode() {
    let root = tempfile::tempdir().unwrap();
    let name = |bytes: &'static [u8]| Path::new(std::ffi::OsStr::from_bytes(bytes));
    write(&root.path().join(name(b"caf\xe9/\xff.wav")), "");
    write(&root.path().join(name(b"caf\xc3\xa9/new\nline.wav")), "");
    let found: Vec<RelativePath> =
        scan_under(root.path(), "", &RootRules::default()).files.into_iter().map(|(path, _)| path).collect();
    assert_eq!(found, [path(b"caf\xc3\xa9/new\nline.wav"), path(b"caf\xe9/\xff.wav")]);
}

/// Permissions do not bind the superuser, who reads what is to be unreadable.
#[test]
fn what_cannot_be_read_is_told_apart_from_what_is_gone() {
    let root = tempfile::tempdir().unwrap();
    let locked = root.path().join("locked");
    write(&locked.join("inner/a.wav"), "");
    write(&root.path().join("b.wav"), "");
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o000)).unwrap();
    let bound = fs::read_dir(&locked).is_err();
    let whole = scan_under(root.path(), "", &RootRules::default());
    let below = scan_under(root.path(), "locked/inner", &RootRules::default());
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o755)).unwrap();
    if bound {
        assert_eq!(names(&whole.files), ["b.wav"]);
        let unreadable = |report: &ScanReport| report.unreadable.iter().map(|it| it.0.clone()).collect::<Vec<_>>();
        assert_eq!(unreadable(&whole), [path("locked")]);
        assert!(whole.unreadable[0].1.contains("denied"), "{:?}", whole.unreadable);
        assert_eq!(unreadable(&below), [path("locked/inner")]);
    } else {
        assert_eq!(names(&whole.files), ["b.wav", "locked/inner/a.wav"]);
        assert_eq!(names(&below.files), ["locked/inner/a.wav"]);
    }
}

#[test]
fn many_folders_are_walked_by_many_threads_with_one_result() {
    let root = tempfile::tempdir().unwrap();
    let mut expected = Vec::new();
    for folder in 0..400 {
        let name = format!("{}/{folder}/file.wav", folder % 7);
        write(&root.path().join(&name), "");
        expected.push(name);
    }
    expected.sort();
    let report = scan_under(root.path(), "", &RootRules::default());
    assert_eq!(names(&report.files), expected);
    assert_eq!(report, scan_under(root.path(), "", &RootRules::default()));
}
