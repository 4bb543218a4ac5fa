//! Copies, renames, deletions and rewrites: content is embedded once.

use earmark::engine::Activity;
use earmark::engine::query::Query;
use earmark::library::RootRules;

use super::library::{Library, assert_sound, await_indexed, embedded, eventually, indexed, names, rounds, search};

#[test]
fn what_was_indexed_is_not_embedded_again() {
    let library = Library::new();
    library.sound("a.wav", 1);
    library.sound("b/c.wav", 2);
    assert_eq!(library.index(), 2);
    assert_eq!(library.index(), 2);
    library.sound("d.wav", 3);
    assert_eq!(library.index(), 3);
}

#[test]
fn copies_are_one_asset_with_several_files() {
    let library = Library::new();
    for copy in 0..20 {
        library.sound(&format!("copies/{copy}.wav"), 1);
    }
    let engine = library.watch();
    assert_eq!((embedded(&engine), indexed(&engine).len()), (1, 20));
    let hits = search(&engine, Query::default()).hits;
    assert_eq!((hits.len(), hits[0].files.len()), (1, 20));
    library.sound("later.wav", 1);
    eventually("the copy", || indexed(&engine).contains("later.wav"));
    assert_eq!(embedded(&engine), 1);
    assert_sound(&engine);
}

#[test]
fn changes_are_noticed_while_watching() {
    let library = Library::new();
    library.sound("a.wav", 1);
    let engine = library.watch();
    assert_eq!(indexed(&engine), names(&["a.wav"]));

    library.sound("new/folder/b.wav", 2);
    await_indexed(&engine, &names(&["a.wav", "new/folder/b.wav"]));
    library.rename("new", "other");
    await_indexed(&engine, &names(&["a.wav", "other/folder/b.wav"]));
    assert_eq!(embedded(&engine), 2);

    std::fs::remove_file(library.path("a.wav")).unwrap();
    await_indexed(&engine, &names(&["other/folder/b.wav"]));
    assert_eq!(search(&engine, Query::default()).hits.len(), 1);

    // As many programs save: a new file takes the place of the old one.
    library.sound(".saving.tmp", 3);
    library.rename(".saving.tmp", "other/folder/b.wav");
    eventually("the new content", || embedded(&engine) == 3);
    await_indexed(&engine, &names(&["other/folder/b.wav"]));
    assert_sound(&engine);
}

#[test]
fn a_rename_of_a_large_tree_computes_nothing() {
    let files = 1_000 * rounds();
    let library = Library::new();
    for number in 0..files {
        library.sound(&format!("tree/{:02}/{number}.wav", number % 50), number);
    }
    let engine = library.watch();
    assert_eq!((embedded(&engine), indexed(&engine).len()), (u64::from(files), files as usize));
    library.rename("tree", "renamed/deep/tree");
    let arrived = || indexed(&engine).iter().all(|name| name.starts_with("renamed/deep/tree/"));
    eventually("the new names", || arrived() && indexed(&engine).len() == files as usize);
    engine.wait_until_idle();
    assert_eq!(embedded(&engine), u64::from(files));
    assert_sound(&engine);
}

#[test]
fn content_that_comes_back_is_known() {
    let library = Library::new();
    library.sound("a.wav", 1);
    library.sound("b.wav", 2);
    let engine = library.watch();
    std::fs::rename(library.path("a.wav"), library.root().join("../aside.wav")).unwrap();
    await_indexed(&engine, &names(&["b.wav"]));
    std::fs::rename(library.root().join("../aside.wav"), library.path("back.wav")).unwrap();
    await_indexed(&engine, &names(&["b.wav", "back.wav"]));
    assert_eq!(embedded(&engine), 2);
    assert_eq!(search(&engine, Query::default()).hits.len(), 2);

    // Compaction forgets what has no file.
    std::fs::remove_file(library.path("back.wav")).unwrap();
    await_indexed(&engine, &names(&["b.wav"]));
    engine.compact().unwrap();
    assert_eq!((engine.stats().orphans, engine.stats().totals.assets), (0, 1));
    library.sound("again.wav", 1);
    await_indexed(&engine, &names(&["b.wav", "again.wav"]));
    assert_eq!(embedded(&engine), 3);
    assert_sound(&engine);
}

#[test]
fn a_file_is_embedded_once_it_is_complete() {
    let mut library = Library::new();
    library.options.ingest.settle_ms = 500;
    let engine = library.watch();
    let content = super::library::wav(1);
    for part in 1..=10 {
        library.write("growing.wav", &content[..content.len() * part / 10]);
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    await_indexed(&engine, &names(&["growing.wav"]));
    assert_eq!(embedded(&engine), 1);
    let id = search(&engine, Query::default()).hits[0].asset.id;
    assert_eq!(id.as_bytes(), blake3::hash(&content).as_bytes());
}

#[test]
fn a_removed_root_takes_its_files_along_and_comes_back_for_free() {
    let library = Library::new();
    library.sound("a.wav", 1);
    let engine = library.watch();
    let id = engine.catalog().read().unwrap().roots().next().unwrap().root.id;
    assert_eq!(engine.remove_root(id).unwrap(), 1);
    assert_eq!(search(&engine, Query::default()).hits, []);
    assert!(engine.remove_root(id).is_err());
    let entry = engine.add_root(&library.root(), RootRules::default()).unwrap();
    assert!(entry.root.id > id, "ids are never given out again");
    await_indexed(&engine, &names(&["a.wav"]));
    assert_eq!(embedded(&engine), 1);
    assert_sound(&engine);
}

#[test]
fn roots_do_not_overlap() {
    let library = Library::new();
    library.write("inner/x.txt", b"");
    let engine = library.open(Activity::OnRequest);
    let refused = |path: &std::path::Path, expected: &str| {
        let error = engine.add_root(path, RootRules::default()).unwrap_err().to_string();
        assert!(error.contains(expected), "{expected:?} in {error:?}");
    };
    engine.add_root(&library.root(), RootRules::default()).unwrap();
    refused(&library.root(), "is watched already");
    refused(&library.path("inner"), "which is watched already");
    refused(library.root().parent().unwrap(), "remove that first");
    refused(&library.path("inner/x.txt"), "not a folder");
    refused(&library.path("nowhere"), "No such file");
    let rules = RootRules { exclude: vec!["[".into()], ..RootRules::default() };
    let elsewhere = tempfile::tempdir().unwrap();
    assert!(engine.add_root(elsewhere.path(), rules).unwrap_err().to_string().contains("glob"));
}

#[test]
fn what_is_found_after_a_restart_is_what_was_recorded() {
    let library = Library::new();
    library.sound("a.wav", 1);
    library.sound("b.wav", 2);
    library.index();
    std::fs::remove_file(library.path("a.wav")).unwrap();
    library.rename("b.wav", "c.wav");
    library.sound("d.wav", 3);
    let engine = library.watch();
    await_indexed(&engine, &names(&["c.wav", "d.wav"]));
    assert_eq!(embedded(&engine), 3);
    assert_sound(&engine);
    engine.stop(super::library::PATIENCE);
    drop(engine);

    let engine = library.open(Activity::Still);
    assert_eq!(indexed(&engine), names(&["c.wav", "d.wav"]));
    assert_eq!(search(&engine, Query::default()).hits.len(), 2);
    assert!(engine.rescan(None).unwrap_err().to_string().contains("only searches"));
}
