//! Damage anywhere: everything is there, or it is told that something may not be. Never less, silently.

use std::fs;
use std::path::{Path, PathBuf};

use earmark::library::{Description, FileState};
use earmark::store::{Batch, NewAsset};
use tempfile::{TempDir, tempdir};

use super::library::{
    Library, Numbers, asset_id, copy_directory, file, filled, new_asset, open, open_well, record, rounds,
};

/// A closed store with overwritten and deleted records, with a value too large for sled's log, opened several times.
fn worn() -> (TempDir, Library) {
    let directory = tempdir().unwrap();
    let mut library = filled(directory.path(), 60);
    for round in 0..3 {
        let store = open_well(directory.path()).store;
        let deleted = move || Batch {
            delete_assets: (round * 5..round * 5 + 3).map(asset_id).collect(),
            delete_files: (round * 5..round * 5 + 3).map(|number| file(1, &format!("{number}.wav"))).collect(),
            put_files: (0..20).map(|name| (file(1, &format!("{name}.txt")), record(1, FileState::Ignored))).collect(),
            ..Batch::default()
        };
        library.commit(&store, &deleted);
    }
    let text = (0..600_000u32).map(|index| char::from(b'a' + (u64::from(index).pow(2) % 23) as u8)).collect();
    let description = Description { text: Some(text), ..Description::default() };
    let long = || NewAsset { description: description.clone(), ..new_asset(500, 2) };
    library.commit(&open_well(directory.path()).store, &|| Batch { put_assets: vec![long()], ..Batch::default() });
    (directory, library)
}

fn files_below(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

fn flip(path: &Path, numbers: &mut Numbers) -> String {
    let mut bytes = fs::read(path).unwrap();
    // Most of a file that has just begun is zeros, which say nothing.
    let written: Vec<usize> = (0..bytes.len()).filter(|&at| bytes[at] != 0).collect();
    let at = written[numbers.below(written.len() as u64) as usize];
    bytes[at] ^= 1 << numbers.below(8);
    fs::write(path, bytes).unwrap();
    format!("flipped a bit of byte {at}")
}

fn truncate(path: &Path, numbers: &mut Numbers) -> String {
    let length = numbers.below(fs::metadata(path).unwrap().len());
    fs::OpenOptions::new().write(true).open(path).unwrap().set_len(length).unwrap();
    format!("truncated to {length} bytes")
}

/// Damages a copy of a store's file many times, and holds what is left against what was there.
fn check(wanted: &dyn Fn(&str) -> bool, damage: fn(&Path, &mut Numbers) -> String, tries: u32, seed: u64) {
    let (original, library) = worn();
    let mut numbers = Numbers(seed);
    let (mut silent, mut told) = (0, 0);
    for _ in 0..rounds(tries) {
        let directory = tempdir().unwrap();
        copy_directory(original.path(), directory.path());
        let name = |path: &PathBuf| path.strip_prefix(directory.path()).unwrap().to_string_lossy().into_owned();
        let files: Vec<PathBuf> =
            files_below(directory.path()).into_iter().filter(|path| wanted(&name(path))).collect();
        assert!(!files.is_empty(), "nothing to damage");
        let target = &files[numbers.below(files.len() as u64) as usize];
        let what = format!("{}: {}", name(target), damage(target, &mut numbers));
        if survives(directory.path(), &library, &what) { silent += 1 } else { told += 1 }
    }
    assert!(told > 0, "{silent} times everything was there: that was no damage");
}

/// Opens a damaged store. Whether nothing was wrong with it.
fn survives(directory: &Path, library: &Library, what: &str) -> bool {
    let before = library.vectors.keys().map(|(_, slot)| *slot).max();
    let opened = open(directory);
    let left = Library::of(&opened.store);
    let problems = opened.store.check().unwrap();
    assert!(problems.is_empty(), "{what}: {:?}: {problems:?}", opened.recovery);
    if opened.recovery.rescan {
        assert!(!opened.recovery.notes.is_empty(), "{what}: a doubt without a word");
        assert!(left.is_within(library), "{what}: {:?}: has what was never there", opened.recovery);
    } else {
        assert_eq!(&left, library, "{what}: {:?}: lost something", opened.recovery);
    }
    assert_eq!(left.roots, library.roots, "{what}: {:?}", opened.recovery);
    assert!(opened.store.totals().embedded_total >= 62, "{what}: {:?}", opened.store.totals());
    // It goes on, and never gives out a slot again.
    opened.store.bind_space(&super::library::space('a')).unwrap();
    let stored = opened.store.commit(Batch { put_assets: vec![new_asset(900, 1)], ..Batch::default() }).unwrap();
    let slot = stored[0].asset.segments[0].slot;
    let of_kind = library.vectors.keys().filter(|(kind, _)| *kind == stored[0].asset.kind).map(|(_, slot)| *slot).max();
    assert!(Some(slot) > of_kind && before.is_some(), "{what}: {slot:?} after {of_kind:?}");
    let well = opened.recovery.notes.is_empty();
    drop(opened);
    open_well(directory);
    well
}

fn in_database(name: &str) -> bool {
    name.ends_with("/db")
}

fn beside_database(name: &str) -> bool {
    !in_database(name) && name != "lock"
}

#[test]
fn flipped_bits_in_the_log_lose_nothing_silently() {
    check(&in_database, flip, 60, 1);
}

#[test]
fn truncated_logs_lose_nothing_silently() {
    check(&in_database, truncate, 60, 2);
}

#[test]
fn flipped_bits_beside_the_log_lose_nothing_silently() {
    check(&beside_database, flip, 60, 3);
}

#[test]
fn truncated_files_beside_the_log_lose_nothing_silently() {
    check(&beside_database, truncate, 60, 4);
}
