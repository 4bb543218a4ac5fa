//! Formats: what an earlier earmark wrote can be read, what a later one wrote is refused.
//!
//! `tests/data/store-vN` is a data directory as format N wrote it: root 1 with three files, two of them of one of the
//! two assets. With EARMARK_TEST_KEEP_STORE set to a new directory, the first test leaves there what this earmark
//! writes.

use std::fs;
use std::path::{Path, PathBuf};

use earmark::library::FileState;
use earmark::store::{Batch, DirectoryLock, Store, StoreError};
use tempfile::tempdir;

use super::library::{Library, copy_directory, file, filled, indexed, new_asset, open_well, record, root, space};

fn fixture(format: u32) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/store-v{format}"))
}

fn written(directory: &Path) -> Library {
    let store = open_well(directory).store;
    let mut library = Library::default();
    library.commit(&store, &|| Batch {
        put_roots: vec![root(1)],
        put_assets: vec![new_asset(1, 1), new_asset(10, 2)],
        put_files: vec![
            (file(1, "dogs/bark.wav"), indexed(10)),
            (file(1, "copy of bark.wav"), indexed(10)),
            (file(1, "notes.txt"), record(11, FileState::Ignored)),
        ],
        ..Batch::default()
    });
    library
}

#[test]
fn format_1_is_read_as_it_was_written() {
    let (fresh, copy) = (tempdir().unwrap(), tempdir().unwrap());
    let expected = written(fresh.path());
    if let Some(keep) = std::env::var_os("EARMARK_TEST_KEEP_STORE") {
        copy_directory(fresh.path(), Path::new(&keep));
    }
    copy_directory(&fixture(1), copy.path());
    let store = open_well(copy.path()).store;
    expected.hold_against(&store);
    assert_eq!((store.space(), store.totals().embedded_total), (Some(space('a')), 3));
}

#[test]
fn a_later_format_is_refused_and_left_alone() {
    let directory = tempdir().unwrap();
    filled(directory.path(), 2);
    let path = directory.path().join("ledger");
    let mut bytes = fs::read(&path).unwrap();
    bytes[8] = 2;
    let checksum = crc32fast::hash(&bytes[..12]).to_le_bytes();
    bytes[12..16].copy_from_slice(&checksum);
    fs::write(&path, &bytes).unwrap();
    let lock = DirectoryLock::acquire(directory.path()).unwrap();
    let Err(refused) = Store::open(&lock, directory.path()) else { panic!("it was opened") };
    assert!(matches!(refused, StoreError::NewerFormat { found: 2, known: 1, .. }), "{refused}");
    assert_eq!(fs::read(&path).unwrap(), bytes);
}
