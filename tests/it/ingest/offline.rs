//! A root that is not there is not empty.

use earmark::engine::Engine;
use earmark::engine::catalog::RootState;
use earmark::engine::query::Query;

use super::library::{Library, assert_sound, await_indexed, embedded, eventually, indexed, names, search};

fn offline(engine: &Engine) -> bool {
    let catalog = engine.catalog().read().unwrap();
    catalog.roots().all(|entry| matches!(entry.state, RootState::Offline(_)))
}

#[test]
fn files_of_a_root_that_disappears_stay_and_are_marked() {
    let library = Library::new();
    library.sound("a.wav", 1);
    library.sound("b.wav", 2);
    let engine = library.watch();
    let away = library.root().with_file_name("away");
    std::fs::rename(library.root(), &away).unwrap();
    eventually("the root to be missed", || offline(&engine));
    engine.wait_until_idle();
    let hits = search(&engine, Query::default()).hits;
    assert_eq!(hits.len(), 2);
    assert!(hits.iter().all(|hit| hit.files[0].offline));
    assert_eq!(engine.stats().warnings.len(), 1);

    std::fs::remove_file(away.join("b.wav")).unwrap();
    std::fs::rename(&away, library.root()).unwrap();
    eventually("the root to be back", || !offline(&engine));
    await_indexed(&engine, &names(&["a.wav"]));
    assert_eq!(embedded(&engine), 2);
    assert!(search(&engine, Query::default()).hits.iter().all(|hit| !hit.files[0].offline));
    assert_sound(&engine);
}

#[test]
fn an_empty_folder_in_its_place_deletes_nothing() {
    let library = Library::new();
    library.sound("a.wav", 1);
    library.sound("b.wav", 2);
    library.index();
    // What a mount point looks like without its disk.
    let disk = library.root().with_file_name("disk");
    std::fs::rename(library.root(), &disk).unwrap();
    std::fs::create_dir(library.root()).unwrap();
    let engine = library.watch();
    assert!(offline(&engine));
    assert_eq!(indexed(&engine), names(&["a.wav", "b.wav"]));
    std::fs::remove_dir(library.root()).unwrap();
    std::fs::rename(&disk, library.root()).unwrap();
    eventually("the disk", || !offline(&engine));
    engine.wait_until_idle();
    assert_eq!((indexed(&engine), embedded(&engine)), (names(&["a.wav", "b.wav"]), 2));
    assert_sound(&engine);
}

#[test]
fn a_root_that_is_missing_at_the_start_is_waited_for() {
    let library = Library::new();
    library.sound("a.wav", 1);
    library.index();
    let away = library.root().with_file_name("away");
    std::fs::rename(library.root(), &away).unwrap();
    let engine = library.watch();
    eventually("the root to be missed", || offline(&engine));
    assert_eq!(indexed(&engine), names(&["a.wav"]));
    std::fs::rename(&away, library.root()).unwrap();
    eventually("the root to be back", || !offline(&engine));
    await_indexed(&engine, &names(&["a.wav"]));
    assert_eq!(embedded(&engine), 1);
}
