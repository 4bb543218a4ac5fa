//! Records are damaged behind the store's back, one kind of damage at a time.

use std::path::Path;

use super::super::*;
use crate::embedding::Embedding;
use crate::library::{
    AssetId, Description, FileStat, FileState, RelativePath, RootRules, Segment, SegmentId, Span, TechnicalFacts,
};

const GOOD: u8 = 1;
const HURT: u8 = 2;

fn space() -> SpaceId {
    SpaceId::from_digest("c".repeat(64))
}

fn id(number: u8) -> AssetId {
    AssetId::from_hash([number; 32])
}

fn file_key(name: &str) -> FileKey {
    FileKey { root: RootId(1), path: RelativePath::from_bytes(name.as_bytes()).unwrap() }
}

fn names(number: u8) -> FileRecord {
    let stat = FileStat { size: 1, modified_ns: 2, inode: None };
    FileRecord { stat, state: FileState::Indexed(id(number)) }
}

fn asset(number: u8) -> NewAsset {
    let vector = |value: f32| Embedding::normalized(&[1.0, value]).unwrap();
    let segment = |value| NewSegment { span: Span::default(), silent: false, vector: vector(value) };
    NewAsset {
        id: id(number),
        kind: MediaKind::Audio,
        facts: TechnicalFacts::default(),
        description: Description::default(),
        damage: None,
        added_ms: 0,
        segments: vec![segment(0.5), segment(2.0)],
    }
}

fn reopen(directory: &Path) -> (Store, Recovery) {
    let lock = DirectoryLock::acquire(directory).unwrap();
    Store::open(&lock, directory).unwrap()
}

/// A store with two assets with two vectors and a file each: slots 0 and 1 are of the good one.
fn make(directory: &Path) {
    let (store, _) = reopen(directory);
    store.bind_space(&space()).unwrap();
    let root = Root { id: RootId(1), path: "/media".into(), rules: RootRules::default(), identity: None };
    let files = [GOOD, HURT].map(|number| (file_key(&number.to_string()), names(number)));
    let put_assets = vec![asset(GOOD), asset(HURT)];
    store.commit(Batch { put_roots: vec![root], put_assets, put_files: files.into(), ..Batch::default() }).unwrap();
}

/// Assets and files that are left.
fn left(store: &Store) -> (Vec<AssetId>, Vec<String>) {
    assert_eq!(store.check().unwrap(), Vec::<String>::new());
    assert_eq!(store.totals().vectors, [2 * store.totals().assets, 0]);
    assert_eq!((store.space(), store.roots().unwrap().len()), (Some(space()), 1));
    let files = store.files().map(|file| file.unwrap().0.path.to_string());
    (store.assets().map(|asset| asset.unwrap().id).collect(), files.collect())
}

/// Writes behind the store's back, and says what is told and left.
fn after(key: &[u8], record: Option<Vec<u8>>) -> (String, bool, Vec<AssetId>, Vec<String>) {
    let directory = tempfile::tempdir().unwrap();
    make(directory.path());
    Database::open(&directory.path().join("store/1")).unwrap().apply([(key.to_vec(), record)]).unwrap();
    let (store, recovery) = reopen(directory.path());
    let (assets, files) = left(&store);
    let stored = store.commit(Batch { put_assets: vec![asset(7)], ..Batch::default() }).unwrap();
    assert!(stored[0].asset.segments[0].slot >= Slot(4));
    drop(store);
    assert_eq!(reopen(directory.path()).1, Recovery::default());
    (recovery.notes.join("; "), recovery.rescan, assets, files)
}

fn check(key: &[u8], record: Option<Vec<u8>>, note: &str, assets: &[u8], files: &[&str]) {
    let (notes, rescan, left_assets, left_files) = after(key, record);
    assert!(rescan && notes.contains(note), "{}: {notes}", keys::readable(key));
    assert_eq!(left_assets, assets.iter().copied().map(id).collect::<Vec<_>>(), "{notes}");
    assert_eq!(left_files, files, "{notes}");
}

fn slot(number: u32) -> Vec<u8> {
    Key::Vector(MediaKind::Audio, Slot(number)).to_bytes()
}

#[test]
fn an_asset_goes_with_what_it_lacks() {
    let garbage = || Some(b"garbage".to_vec());
    check(&slot(3), garbage(), "audio vector 3 is damaged", &[GOOD], &["1"]);
    check(&slot(2), None, "lacks a vector", &[GOOD], &["1"]);
    check(&Key::Asset(id(HURT)).to_bytes(), garbage(), "is damaged: its checksum", &[GOOD], &["1"]);
    check(&Key::Asset(id(HURT)).to_bytes(), None, "which does not have it", &[GOOD], &["1"]);
}

#[test]
fn a_record_is_believed_under_its_own_key_only() {
    let (segment, vector) = (SegmentId { asset: id(GOOD), ordinal: 0 }, Embedding::normalized(&[1.0, 1.0]).unwrap());
    let (of_other_key, _) = codec::encode_vector(&slot(0), segment, &vector).unwrap();
    check(&slot(3), Some(of_other_key), "its checksum is wrong", &[GOOD], &["1"]);
    // Of an asset that has its own vector elsewhere.
    let (stray, _) = codec::encode_vector(&slot(9), segment, &vector).unwrap();
    check(&slot(9), Some(stray), "audio vector 9 is of asset", &[GOOD, HURT], &["1", "2"]);
    let (wrong, _) = codec::encode_vector(&slot(3), segment, &vector).unwrap();
    check(&slot(3), Some(wrong), "which does not have it", &[GOOD], &["1"]);
}

#[test]
fn two_assets_never_share_a_vector() {
    let NewAsset { id: third, kind, facts, description, damage, added_ms, .. } = asset(3);
    let segments = vec![Segment { span: Span::default(), silent: false, slot: Slot(2) }];
    let third = Asset { id: third, kind, facts, description, damage, added_ms, segments };
    let key = Key::Asset(third.id).to_bytes();
    check(&key, Some(codec::encode_asset(&key, &third)), "lacks a vector", &[GOOD], &["1"]);
}

#[test]
fn a_file_goes_without_its_asset_or_root_and_comes_again() {
    let strange = |root: u32, number: u8| {
        let key = Key::File(FileKey { root: RootId(root), ..file_key("x") }).to_bytes();
        let record = codec::encode_file(&key, &names(number));
        (key, Some(record))
    };
    let (key, record) = strange(1, 77);
    check(&key, record, "lacks its asset", &[GOOD, HURT], &["1", "2"]);
    let (key, record) = strange(5, GOOD);
    check(&key, record, "lacks its root", &[GOOD, HURT], &["1", "2"]);
    check(&Key::File(file_key("2")).to_bytes(), Some(vec![1; 9]), "is damaged", &[GOOD, HURT], &["1"]);
    let mut no_key = Key::File(file_key("2")).to_bytes();
    no_key.extend_from_slice(b"//");
    check(&no_key, Some(vec![1; 9]), "", &[GOOD, HURT], &["1", "2"]);
}

#[test]
fn records_that_are_whole_but_not_the_last_ones_are_noticed() {
    let key = Key::File(file_key("2")).to_bytes();
    let stale = codec::encode_file(&key, &names(GOOD));
    check(&key, Some(stale), "not those that it counted", &[GOOD, HURT], &["1", "2"]);
    check(&key, None, "not those that it counted", &[GOOD, HURT], &["1"]);
}

#[test]
fn roots_space_and_counts_are_known_from_elsewhere() {
    let root = Key::Root(RootId(1)).to_bytes();
    check(&root, Some(vec![3; 40]), "root 1 is damaged", &[GOOD, HURT], &[]);
    check(keys::STATE, Some(vec![3; 40]), "lost its counts", &[GOOD, HURT], &["1", "2"]);
    check(keys::STATE, None, "lost its counts", &[GOOD, HURT], &["1", "2"]);
    let (notes, rescan, assets, _) = after(keys::SPACE, None);
    assert_eq!((notes.as_str(), rescan, assets.len()), ("", false, 2));
}

#[test]
fn a_store_of_no_format_is_set_aside_and_one_of_a_later_format_refused() {
    check(keys::FORMAT, Some(vec![1; 8]), "store.damaged-1", &[], &[]);
    check(keys::FORMAT, None, "it has no format", &[], &[]);
    let directory = tempfile::tempdir().unwrap();
    make(directory.path());
    let later = [(keys::FORMAT.to_vec(), Some(codec::encode_format(FORMAT + 1)))];
    Database::open(&directory.path().join("store/1")).unwrap().apply(later).unwrap();
    let lock = DirectoryLock::acquire(directory.path()).unwrap();
    let refused = Store::open(&lock, directory.path()).err().unwrap();
    assert!(matches!(refused, StoreError::NewerFormat { found, .. } if found == FORMAT + 1), "{refused}");
}
