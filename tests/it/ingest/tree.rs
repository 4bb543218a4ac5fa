//! What folders may hold beside media.

use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use earmark::engine::query::Query;
use earmark::library::RootRules;
use earmark::media::MediaKind;

use super::library::{Library, PATIENCE, assert_sound, await_indexed, embedded, indexed, names, search, wav};

#[test]
fn links_pipes_and_strange_names_hold_nothing_up() {
    let library = Library::new();
    library.sound("a.wav", 1);
    let strange = library.root().join(std::ffi::OsStr::from_bytes(b"caf\xe9 \xff.wav"));
    std::fs::write(&strange, wav(2)).unwrap();
    library.sound("folder/b.wav", 3);
    symlink(library.root(), library.path("folder/loop")).unwrap();
    symlink(library.path("a.wav"), library.path("link.wav")).unwrap();
    symlink("/nowhere/at/all", library.path("broken.wav")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(library.path("pipe.wav")).status().unwrap();
    assert!(made.success());
    library.write("empty.wav", b"");
    library.write("empty", b"");
    let engine = library.watch();
    assert_eq!(indexed(&engine).len(), 3);
    let catalog = engine.catalog().read().unwrap();
    let root = catalog.roots().next().unwrap();
    assert_eq!((root.skipped.links, root.skipped.special), (3, 1));
    assert_eq!((root.counts.failed, root.counts.ignored), (1, 1));
    drop(catalog);
    let paths: Vec<_> =
        search(&engine, Query::default()).hits.into_iter().map(|hit| hit.files[0].path.clone()).collect();
    assert!(paths.contains(&strange));
    assert_sound(&engine);
}

#[test]
fn unreadable_files_are_counted_and_read_once_they_can_be() {
    let library = Library::new();
    library.sound("a.wav", 1);
    library.sound("secret/b.wav", 2);
    library.sound("c.wav", 3);
    let forbid = |path: &str, mode: u32| {
        std::fs::set_permissions(library.path(path), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    forbid("secret", 0o000);
    forbid("c.wav", 0o000);
    if std::fs::read(library.path("c.wav")).is_ok() {
        eprintln!("SKIPPED: permissions do not bind this user");
        forbid("secret", 0o755);
        return;
    }
    let engine = library.watch();
    assert_eq!(indexed(&engine), names(&["a.wav"]));
    assert_eq!(engine.stats().files.failed, 1);
    assert_eq!(engine.catalog().read().unwrap().roots().next().unwrap().unreadable, 1);
    forbid("secret", 0o755);
    forbid("c.wav", 0o644);
    engine.retry(None).unwrap();
    engine.rescan(None).unwrap();
    await_indexed(&engine, &names(&["a.wav", "c.wav", "secret/b.wav"]));
}

#[test]
fn what_is_excluded_is_neither_read_nor_watched() {
    let library = Library::new();
    for path in ["a.wav", ".git/b.wav", "@eaDir/c.wav", ".hidden/d.wav", "drafts/e.wav", "x/drafts/f.wav", "g.part"] {
        library.sound(path, path.len() as u32);
    }
    let engine = library.open(earmark::engine::Activity::Watching);
    let rules = RootRules { exclude: vec!["drafts".into()], ..RootRules::default() };
    engine.add_root(&library.root(), rules).unwrap();
    engine.wait_until_idle();
    assert_eq!(indexed(&engine), names(&["a.wav"]));
    assert_eq!(engine.watched_folders(), [library.root(), library.path("x")]);
    assert_eq!(engine.catalog().read().unwrap().roots().next().unwrap().skipped.excluded, 6);
}

#[test]
fn a_root_may_be_for_one_kind_only() {
    let library = Library::new();
    library.sound("a.wav", 1);
    std::fs::copy(crate::shared("media/demo/cat_1.jpg"), library.path("cat.jpg")).unwrap();
    let engine = library.open(earmark::engine::Activity::OnRequest);
    let rules = RootRules { kinds: vec![MediaKind::Image], ..RootRules::default() };
    engine.add_root(&library.root(), rules).unwrap();
    engine.wait_until_idle();
    assert_eq!((indexed(&engine), embedded(&engine)), (names(&["cat.jpg"]), 1));
}

#[test]
fn a_data_directory_inside_a_root_is_left_alone() {
    let library = Library::new();
    library.sound("a.wav", 1);
    let encoder = crate::stub_model::encoder(&crate::stub_model::Probe::default(), crate::stub_model::options());
    let data = library.path("my [data]");
    let activity = earmark::engine::Activity::Watching;
    let engine = earmark::engine::Engine::open(&data, library.options.clone(), Some(encoder), activity).unwrap();
    engine.add_root(&library.root(), RootRules::default()).unwrap();
    engine.wait_until_idle();
    assert_eq!(engine.watched_folders(), [library.root()]);
    assert_eq!(engine.catalog().read().unwrap().files().count(), 1);
    engine.stop(PATIENCE);
}
