//! The store: one home for each space, and one file that says which counts.

use std::fs;
use std::path::Path;

use earmark::library::RootId;
use earmark::store::{Batch, DirectoryLock, Recovery, Store, StoreError};
use tempfile::tempdir;

use super::library::{Library, copy_directory, file, filled, indexed, new_asset, one, open, open_well, root, space};

/// Opens the store and switches it.
fn switch(directory: &Path, digit: char) -> (Store, Recovery) {
    let lock = DirectoryLock::acquire(directory).unwrap();
    let (store, recovery) = Store::open(&lock, directory).unwrap();
    assert_eq!(recovery, Recovery::default());
    store.switch(&lock, &space(digit)).unwrap()
}

fn home(directory: &Path, digit: char) -> std::path::PathBuf {
    directory.join("spaces").join(digit.to_string().repeat(64))
}

#[test]
fn the_roots_stay_the_vectors_are_set_aside_and_come_back() {
    let directory = tempdir().unwrap();
    let before = filled(directory.path(), 9);
    let (store, recovery) = switch(directory.path(), 'b');
    let note = &recovery.notes[0];
    assert!(note.contains("bbbbbbbbbbbb") && note.contains("aaaaaaaaaaaa") && note.contains("9 files"), "{note}");
    let fresh = Library::of(&store);
    assert_eq!((&fresh.roots, fresh.files.len(), fresh.assets.len()), (&before.roots, 0, 0));
    assert_eq!((store.space(), store.totals().embedded_total), (Some(space('b')), 9));
    assert_eq!(store.directory(), home(directory.path(), 'b'));
    let aside = store.set_aside().unwrap();
    assert_eq!((aside.len(), &aside[0].space, &*aside[0].directory), (1, &Some(space('a')), directory.path()));
    assert!(aside[0].bytes > 0);
    store.commit(one(100)).unwrap();
    assert_eq!(store.totals().embedded_total, 10);
    drop(store);

    // It stays switched, and is a store like any other.
    let again = open(directory.path());
    assert_eq!((&again.recovery, again.store.space()), (&Recovery::default(), Some(space('b'))));
    assert_eq!(again.store.check().unwrap(), Vec::<String>::new());
    drop(again);

    let (store, recovery) = switch(directory.path(), 'a');
    assert!(recovery.notes[0].contains("9 files is taken up again"), "{recovery:?}");
    before.hold_against(&store);
    assert_eq!(store.totals().embedded_total, 10);
    assert_eq!(store.set_aside().unwrap()[0].space, Some(space('b')));
    drop(store);
    before.hold_against(&open_well(directory.path()).store);
}

#[test]
fn roots_that_came_and_went_meanwhile_are_those_of_the_library() {
    let directory = tempdir().unwrap();
    filled(directory.path(), 3);
    {
        let store = open_well(directory.path()).store;
        let batch = Batch {
            put_roots: vec![root(2), root(3)],
            put_files: vec![(file(2, "copy.wav"), indexed(1)), (file(3, "copy.wav"), indexed(1))],
            ..Batch::default()
        };
        store.commit(batch).unwrap();
        let gone = Batch { delete_roots: vec![RootId(3)], delete_files: vec![file(3, "copy.wav")], ..Batch::default() };
        store.commit(gone).unwrap();
    }
    let (store, _) = switch(directory.path(), 'b');
    // An id that was given out before the switch is not given out after it.
    assert_eq!(store.next_root_id(), RootId(4));
    let mut changed = root(1);
    changed.path = "/elsewhere".into();
    let batch = Batch { put_roots: vec![changed.clone(), root(4)], delete_roots: vec![RootId(2)], ..Batch::default() };
    store.commit(batch).unwrap();
    drop(store);
    let (store, _) = switch(directory.path(), 'a');
    assert_eq!(store.roots().unwrap(), [changed, root(4)]);
    assert_eq!(store.next_root_id(), RootId(5));
    let files: Vec<_> = store.files().map(|file| file.unwrap().0.root).collect();
    assert_eq!(files, [RootId(1); 3], "the files of the root that went are gone");
    assert_eq!(store.check().unwrap(), Vec::<String>::new());
    let third = store.commit(Batch { put_assets: vec![new_asset(50, 2)], ..Batch::default() });
    assert!(third.is_ok(), "{third:?}");
}

#[test]
fn a_directory_of_format_1_is_switched_where_it_lies() {
    let (directory, fixture) = (tempdir().unwrap(), Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/store-v1"));
    copy_directory(&fixture, directory.path());
    let before = Library::of(&open_well(directory.path()).store);
    drop(switch(directory.path(), 'b'));
    drop(switch(directory.path(), 'c'));
    let (store, _) = switch(directory.path(), 'a');
    before.hold_against(&store);
    let aside: Vec<_> = store.set_aside().unwrap().into_iter().map(|store| store.space).collect();
    assert_eq!(aside, [Some(space('b')), Some(space('c'))]);
}

#[test]
fn what_stops_in_between_leaves_the_library_as_it_was() {
    let directory = tempdir().unwrap();
    let before = filled(directory.path(), 4);
    // The last step, the file that says which counts, cannot be taken.
    fs::create_dir(directory.path().join("space.new")).unwrap();
    let lock = DirectoryLock::acquire(directory.path()).unwrap();
    let (store, _) = Store::open(&lock, directory.path()).unwrap();
    assert!(matches!(store.switch(&lock, &space('b')), Err(StoreError::Io { .. })));
    drop(lock);
    before.hold_against(&open_well(directory.path()).store);
    fs::remove_dir(directory.path().join("space.new")).unwrap();
    let (store, _) = switch(directory.path(), 'b');
    assert_eq!(Library::of(&store).roots, before.roots);
}

#[test]
fn a_store_of_one_space_never_becomes_one_of_another() {
    let directory = tempdir().unwrap();
    filled(directory.path(), 1);
    // Empty, but it lies where the vectors of this space are looked for.
    let (store, _) = switch(directory.path(), 'b');
    assert!(matches!(store.bind_space(&space('c')), Err(StoreError::OtherSpace { .. })));
    store.bind_space(&space('b')).unwrap();
}

#[test]
fn a_damaged_name_is_told_and_not_guessed() {
    let directory = tempdir().unwrap();
    let before = filled(directory.path(), 2);
    drop(switch(directory.path(), 'b'));
    let named = directory.path().join("space");
    let whole = fs::read(&named).unwrap();
    let refused = |expected: &str| {
        let lock = DirectoryLock::acquire(directory.path()).unwrap();
        let Err(error) = Store::open(&lock, directory.path()) else { panic!("it was opened") };
        let text = error.to_string();
        assert!(matches!(error, StoreError::NoSpace { .. }) && text.contains(expected), "{text}");
    };
    for damaged in [&b""[..], b"b", &whole[..64], b"../../etc\n"] {
        fs::write(&named, damaged).unwrap();
        refused("delete this file");
    }
    fs::write(&named, &whole).unwrap();
    fs::remove_dir_all(home(directory.path(), 'b')).unwrap();
    refused("which is gone");
    fs::remove_file(&named).unwrap();
    before.hold_against(&open_well(directory.path()).store);
}
