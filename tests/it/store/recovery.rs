//! Recovery: what is done about a store that is not the one that was left.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use earmark::library::RootId;
use earmark::store::{Batch, DirectoryLock, Recovery, Store, StoreError};
use tempfile::tempdir;

use super::library::{Library, asset_id, copy_directory, file, filled, new_asset, one, open, open_well, root};

/// Opens a store of which something is to be told.
fn open_told(directory: &Path, expected: &str) -> Store {
    let opened = open(directory);
    let Recovery { notes, rescan } = opened.recovery;
    assert!(rescan && notes.iter().any(|note| note.contains(expected)), "{notes:?}");
    assert_eq!(opened.store.check().unwrap(), Vec::<String>::new());
    opened.store
}

fn database(directory: &Path) -> std::path::PathBuf {
    let number = fs::read_to_string(directory.join("store/current")).unwrap();
    directory.join("store").join(number.trim())
}

#[test]
fn a_store_that_is_gone_leaves_its_roots_and_numbers() {
    let directory = tempdir().unwrap();
    let library = filled(directory.path(), 10);
    fs::remove_dir_all(directory.path().join("store")).unwrap();
    let store = open_told(directory.path(), "the store is missing");
    assert_eq!(Library::of(&store), Library { roots: library.roots.clone(), ..Library::default() });
    assert_eq!((store.space(), store.next_root_id()), (Some(super::library::space('a')), RootId(2)));
    let stored = store.commit(one(2)).unwrap();
    assert_eq!(stored[0].asset.segments[0].slot.0, 5, "five of each kind were given out");
    assert_eq!(store.totals().embedded_total, 11);
    drop(store);
    open_well(directory.path());
}

#[test]
fn a_store_that_makes_no_sense_is_set_aside() {
    let directory = tempdir().unwrap();
    let library = filled(directory.path(), 10);
    for number in 1..3 {
        let path = database(directory.path()).join("db");
        let mut bytes = fs::read(&path).unwrap();
        bytes[100..400].fill(0xee);
        fs::write(&path, &bytes).unwrap();
        let aside = directory.path().join(format!("store.damaged-{number}"));
        let store = open_told(directory.path(), &aside.display().to_string());
        assert_eq!(store.roots().unwrap(), library.roots.values().cloned().collect::<Vec<_>>());
        assert!(aside.is_dir(), "{}", aside.display());
        store.commit(one(number)).unwrap();
        drop(store);
        open_well(directory.path()).store.commit(one(number + 50)).unwrap();
    }
}

#[test]
fn a_store_that_is_behind_its_ledger_is_not_believed() {
    let (directory, earlier) = (tempdir().unwrap(), tempdir().unwrap());
    filled(directory.path(), 4);
    copy_directory(&directory.path().join("store"), earlier.path());
    {
        let store = open_well(directory.path()).store;
        store.commit(Batch { put_roots: vec![root(2)], ..Batch::default() }).unwrap();
        let batch = Batch { delete_roots: vec![RootId(1)], put_assets: vec![new_asset(8, 5)], ..Batch::default() };
        let delete_files = (0..4).map(|number| file(1, &format!("{number}.wav"))).collect();
        store.commit(Batch { delete_files, ..batch }).unwrap();
    }
    fs::remove_dir_all(directory.path().join("store")).unwrap();
    copy_directory(earlier.path(), &directory.path().join("store"));
    let store = open_told(directory.path(), "lost its last 2 batches");
    let left = Library::of(&store);
    assert!(left.roots.keys().eq([&RootId(2)]), "roots are as they were last: {:?}", left.roots);
    assert!(left.files.is_empty() && left.assets.len() == 4);
    assert_eq!(store.totals().embedded_total, 9);
    let stored = store.commit(Batch { put_assets: vec![new_asset(8, 1)], ..Batch::default() }).unwrap();
    assert_eq!(stored[0].asset.segments[0].slot.0, 7, "two and five were given out");
    store.commit(Batch { delete_assets: vec![asset_id(1)], ..Batch::default() }).unwrap();
    drop(store);
    open_well(directory.path());
}

#[test]
fn what_lies_beside_the_database_is_made_anew() {
    let directory = tempdir().unwrap();
    let library = filled(directory.path(), 4);
    fs::remove_file(directory.path().join("ledger")).unwrap();
    library.hold_against(&open_told(directory.path(), "ledger"));
    fs::remove_file(directory.path().join("roots")).unwrap();
    let opened = open(directory.path());
    assert!(!opened.recovery.rescan && opened.recovery.notes[0].contains("roots"), "{:?}", opened.recovery);
    library.hold_against(&opened.store);
    drop(opened);
    fs::remove_file(directory.path().join("store/current")).unwrap();
    library.hold_against(&open_well(directory.path()).store);
}

#[test]
fn a_data_directory_that_is_put_back_whole_is_believed() {
    let (directory, backup) = (tempdir().unwrap(), tempdir().unwrap());
    let library = filled(directory.path(), 4);
    copy_directory(directory.path(), backup.path());
    open_well(directory.path()).store.commit(one(77)).unwrap();
    library.hold_against(&open_well(backup.path()).store);
}

#[test]
fn what_a_kill_leaves_of_opening_and_compacting_is_removed() {
    let directory = tempdir().unwrap();
    let library = filled(directory.path(), 4);
    let half = directory.path().join("store/99");
    copy_directory(&database(directory.path()), &half);
    let snapshot = database(directory.path()).join("snap.FFFFFFFFFFFFFFFF.generating");
    fs::write(&snapshot, "half").unwrap();
    library.hold_against(&open_well(directory.path()).store);
    assert!(!half.exists() && !snapshot.exists());
}

#[test]
fn a_damaged_snapshot_of_the_log_is_done_without() {
    let directory = tempdir().unwrap();
    let library = filled(directory.path(), 40);
    drop(open_well(directory.path()));
    let entries = fs::read_dir(database(directory.path())).unwrap().map(|entry| entry.unwrap().path());
    let snapshots: Vec<_> =
        entries.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("snap.")).collect();
    assert!(!snapshots.is_empty());
    for path in snapshots {
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&path, bytes).unwrap();
    }
    library.hold_against(&open_well(directory.path()).store);
}

#[test]
fn a_second_one_is_refused_at_once() {
    let directory = tempdir().unwrap();
    let first = open_well(directory.path());
    let began = Instant::now();
    let refused = DirectoryLock::acquire(directory.path()).unwrap_err();
    assert!(began.elapsed() < Duration::from_secs(1));
    assert!(matches!(refused, StoreError::Locked { holder: Some(pid), .. } if pid == std::process::id()), "{refused}");
    drop(first);
    open_well(directory.path());
}

#[cfg(unix)]
#[test]
fn a_directory_that_cannot_be_written_is_named() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempdir().unwrap();
    let data = directory.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::set_permissions(&data, fs::Permissions::from_mode(0o555)).unwrap();
    // Whoever may do everything is not kept out by permissions: then a file is in the way.
    let data = if fs::write(data.join("probe"), "").is_ok() { data.join("probe/data") } else { data };
    let began = Instant::now();
    let refused = DirectoryLock::acquire(&data).unwrap_err();
    assert!(began.elapsed() < Duration::from_secs(1));
    assert!(matches!(refused, StoreError::Io { .. }) && refused.to_string().contains("data"), "{refused}");
}
