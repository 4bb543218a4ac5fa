//! Batches: what is put is there, whole, and what contradicts the store is refused whole.

use earmark::library::{FileState, RootId, Slot};
use earmark::media::MediaKind;
use earmark::store::{Batch, NewAsset, NewSegment, StoreError};
use proptest::prelude::*;
use tempfile::tempdir;

use super::library::{Library, asset_id, file, indexed, new_asset, one, open, open_well, record, root, space, vector};

#[test]
fn everything_is_there_after_reopening() {
    let directory = tempdir().unwrap();
    let mut library = Library::default();
    {
        let open = open_well(directory.path());
        library.hold_against(&open.store);
        assert_eq!(open.store.next_root_id(), RootId(1));
        library.commit(&open.store, &|| Batch {
            put_roots: vec![root(1), root(2)],
            put_assets: vec![new_asset(4, 700), new_asset(5, 1)],
            put_files: vec![
                (file(1, "a/long.wav"), indexed(4)),
                (file(1, "copy.wav"), indexed(4)),
                (file(2, "picture.jpg"), indexed(5)),
                (file(2, "readme.txt"), record(9, FileState::Ignored)),
            ],
            ..Batch::default()
        });
        library.hold_against(&open.store);
    }
    let open = open_well(directory.path());
    library.hold_against(&open.store);
    assert_eq!((open.store.space(), open.store.next_root_id()), (Some(space('a')), RootId(3)));
    assert_eq!(open.store.totals().embedded_total, 701);
    assert_eq!(open.store.vector(MediaKind::Audio, Slot(701)).unwrap(), None);
    let ((kind, slot), expected) = library.vectors.first_key_value().unwrap();
    assert_eq!(open.store.vector(*kind, *slot).unwrap().as_ref(), Some(expected));
    assert!(open.store.disk_bytes().unwrap() > 0);
}

#[test]
fn vectors_are_read_from_any_slot_on() {
    let directory = tempdir().unwrap();
    let open = open_well(directory.path());
    let mut library = Library::default();
    // More than are read at once; of the second asset, nothing is left but a gap.
    for (number, segments) in [(4, 700), (6, 2), (8, 3), (5, 2)] {
        library.commit(&open.store, &|| Batch { put_assets: vec![new_asset(number, segments)], ..Batch::default() });
    }
    library.commit(&open.store, &|| Batch { delete_assets: vec![asset_id(6)], ..Batch::default() });
    for kind in MediaKind::ALL {
        let all: Vec<_> = library.vectors.iter().filter(|((of, _), _)| *of == kind).map(|(_, it)| it.clone()).collect();
        let last = all.last().unwrap().slot.0;
        for first in [0, 1, 255, 256, 257, 511, 512, 699, 700, 701, 702, 703, last, last + 1, u32::MAX] {
            let found: Result<Vec<_>, _> = open.store.vectors_from(kind, Slot(first)).collect();
            let expected: Vec<_> = all.iter().filter(|vector| vector.slot.0 >= first).cloned().collect();
            assert_eq!(found.unwrap(), expected, "{kind} from {first}");
        }
    }
}

#[cfg(unix)]
#[test]
fn roots_and_files_need_not_be_unicode() {
    use std::os::unix::ffi::OsStrExt as _;
    let directory = tempdir().unwrap();
    let mut strange = root(1);
    strange.path = std::ffi::OsStr::from_bytes(b"/media/\xff\xfe").into();
    let mut key = file(1, "a");
    key.path = earmark::library::RelativePath::from_bytes(b"\xc3(.wav").unwrap();
    let mut library = Library::default();
    let batch = || Batch {
        put_roots: vec![strange.clone()],
        put_files: vec![(key.clone(), record(1, FileState::Ignored))],
        ..Batch::default()
    };
    library.commit(&open_well(directory.path()).store, &batch);
    library.hold_against(&open_well(directory.path()).store);
}

#[test]
fn slots_and_root_ids_are_never_given_out_twice() {
    let directory = tempdir().unwrap();
    let mut highest = None;
    for number in 0..6 {
        let store = open_well(directory.path()).store;
        let id = store.next_root_id();
        assert_eq!(id, RootId(number + 1));
        let batch = Batch { put_roots: vec![root(id.0)], put_assets: vec![new_asset(2, 3)], ..Batch::default() };
        let stored = store.commit(batch).unwrap();
        let slots: Vec<_> = stored[0].asset.segments.iter().map(|segment| segment.slot).collect();
        assert!(slots.is_sorted() && Some(slots[0]) > highest, "{slots:?} after {highest:?}");
        highest = slots.last().copied();
        store.commit(Batch { delete_roots: vec![id], delete_assets: vec![asset_id(2)], ..Batch::default() }).unwrap();
        assert_eq!((store.totals().assets, store.totals().roots), (0, 0));
    }
    assert_eq!(open_well(directory.path()).store.totals().embedded_total, 18);
}

#[test]
fn an_asset_that_is_there_stays_as_it_is() {
    let directory = tempdir().unwrap();
    let store = open_well(directory.path()).store;
    let first = store.commit(Batch { put_assets: vec![new_asset(1, 2)], ..Batch::default() }).unwrap();
    let mut other = new_asset(1, 5);
    other.description.title = None;
    let again = || Batch { put_assets: vec![other.clone(), new_asset(3, 1), new_asset(3, 1)], ..Batch::default() };
    let stored = store.commit(again()).unwrap();
    assert_eq!((&stored[0].asset, &stored[0].vectors), (&first[0].asset, &first[0].vectors));
    assert_eq!((&stored[1].asset, &stored[1].vectors), (&stored[2].asset, &stored[2].vectors));
    assert_eq!((store.totals().assets, store.totals().embedded_total), (2, 3));
    let sequence = store.totals().sequence;
    assert_eq!(store.commit(again()).unwrap()[0].asset, first[0].asset);
    assert_eq!(store.totals().sequence, sequence, "nothing was written");
}

#[test]
fn contradictions_are_refused_whole() {
    let directory = tempdir().unwrap();
    let store = open_well(directory.path()).store;
    let mut library = Library::default();
    library.commit(&store, &|| Batch { put_roots: vec![root(1)], ..one(1) });
    library.commit(&store, &|| Batch { put_roots: vec![root(2)], delete_roots: vec![RootId(2)], ..Batch::default() });
    let check = |batch: Batch, expected: &str| {
        // What would be all right by itself does not come either.
        let mut batch = batch;
        batch.put_assets.push(new_asset(70, 1));
        batch.put_files.push((file(1, "fine.wav"), indexed(70)));
        match store.commit(batch).unwrap_err() {
            StoreError::Inconsistent { reason } => assert!(reason.contains(expected), "{reason}"),
            other => panic!("{other}"),
        }
        library.hold_against(&store);
    };
    let named = |number| Batch { put_files: vec![(file(1, "x.wav"), indexed(number))], ..Batch::default() };
    check(named(9), "which is not there");
    check(Batch { delete_assets: vec![asset_id(1)], ..Batch::default() }, "1 files name it");
    check(Batch { delete_assets: vec![asset_id(70)], ..Batch::default() }, "to be stored and to be deleted");
    check(
        Batch { delete_assets: vec![asset_id(1)], delete_files: vec![file(1, "1.wav")], ..named(1) },
        "1 files name it",
    );
    check(Batch { put_files: vec![(file(3, "x.wav"), record(1, FileState::Ignored))], ..Batch::default() }, "root 3");
    check(Batch { delete_roots: vec![RootId(1)], ..Batch::default() }, "which is not there");
    check(Batch { put_roots: vec![root(2)], ..Batch::default() }, "its id is not");
    check(Batch { put_roots: vec![root(0)], ..Batch::default() }, "its id is not");
    check(Batch { put_assets: vec![new_asset(8, 0)], ..Batch::default() }, "no segments");
    let left = Batch { delete_roots: vec![RootId(1)], ..Batch::default() };
    assert!(store.commit(left).unwrap_err().to_string().contains("file 1.wav of root 1 is not"));
    library.commit(&store, &|| Batch {
        delete_roots: vec![RootId(1)],
        delete_files: vec![file(1, "1.wav"), file(1, "absent")],
        delete_assets: vec![asset_id(1), asset_id(99)],
        ..Batch::default()
    });
    library.hold_against(&store);
}

#[test]
fn vectors_of_two_spaces_never_meet() {
    let directory = tempdir().unwrap();
    let store = open(directory.path()).store;
    assert_eq!(store.space(), None);
    let unbound = store.commit(Batch { put_assets: vec![new_asset(1, 1)], ..Batch::default() });
    assert!(matches!(unbound, Err(StoreError::Inconsistent { .. })));
    store.bind_space(&space('b')).unwrap();
    store.bind_space(&space('a')).unwrap();
    store.commit(Batch { put_assets: vec![new_asset(1, 1)], ..Batch::default() }).unwrap();
    store.bind_space(&space('a')).unwrap();
    let refused = store.bind_space(&space('b')).unwrap_err().to_string();
    assert!(refused.contains(&"a".repeat(64)) && refused.contains(&"b".repeat(64)), "{refused}");
    drop(store);
    let store = open_well(directory.path()).store;
    assert_eq!((store.space(), store.roots().unwrap()), (Some(space('a')), Vec::new()));
}

#[test]
fn a_compacted_store_is_smaller_and_the_same() {
    let directory = tempdir().unwrap();
    let mut library = Library::default();
    let many = |first: u32| move || Batch { put_assets: (first..first + 200).map(large).collect(), ..Batch::default() };
    {
        let store = open_well(directory.path()).store;
        for first in (0..1000).step_by(200) {
            library.commit(&store, &many(first));
        }
        library.commit(&store, &|| Batch { delete_assets: (100..1000).map(asset_id).collect(), ..Batch::default() });
        // An iterator goes on in the other database.
        let mut assets = store.assets();
        let first = assets.next().unwrap().unwrap();
        let before = store.disk_bytes().unwrap();
        store.compact().unwrap();
        let after = store.disk_bytes().unwrap();
        assert!(after < before / 2, "{before} bytes before, {after} after");
        assert!(assets.map(|asset| asset.unwrap().id).eq(library.assets.keys().skip(1).copied()));
        assert_eq!(Some(&first), library.assets.first_key_value().map(|(_, asset)| asset));
        library.hold_against(&store);
        library.commit(&store, &many(2000));
        library.hold_against(&store);
    }
    library.hold_against(&open_well(directory.path()).store);
}

/// An asset with a vector of the usual length.
fn large(number: u32) -> NewAsset {
    let values: Vec<f32> = (0..1024).map(|index| (number as f32 + index as f32).sin()).collect();
    let vector = earmark::embedding::Embedding::normalized(&values).unwrap();
    let template = new_asset(number, 1);
    let segment = NewSegment { vector, ..template.segments[0].clone() };
    NewAsset { segments: vec![segment], ..template }
}

#[test]
fn vectors_come_back_as_they_will_be_read() {
    let directory = tempdir().unwrap();
    let store = open_well(directory.path()).store;
    let stored = store.commit(Batch { put_assets: vec![new_asset(1, 2)], ..Batch::default() }).unwrap();
    for (ordinal, kept) in (0u32..).zip(&stored[0].vectors) {
        let read = store.vector(MediaKind::Image, stored[0].asset.segments[ordinal as usize].slot).unwrap().unwrap();
        assert_eq!((&read.vector, read.segment.ordinal), (kept, ordinal));
        assert!(kept.cosine(&vector(100 + ordinal)) > 0.999_99);
    }
}

/// One change of a random batch; numbers are small, so that they meet.
#[derive(Debug, Clone)]
enum Change {
    PutRoot(u32),
    PutAsset(u32, u32),
    PutFile(u32, u32, Option<u32>),
    DeleteRoot(u32),
    DeleteAsset(u32),
    DeleteFile(u32, u32),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        1 => (1..4u32).prop_map(Change::PutRoot),
        3 => (0..12u32, 1..4u32).prop_map(|(number, segments)| Change::PutAsset(number, segments)),
        4 => (1..4u32, 0..8u32, proptest::option::of(0..12u32)).prop_map(|(root, name, asset)| {
            Change::PutFile(root, name, asset)
        }),
        1 => (1..4u32).prop_map(Change::DeleteRoot),
        2 => (0..12u32).prop_map(Change::DeleteAsset),
        3 => (1..4u32, 0..8u32).prop_map(|(root, name)| Change::DeleteFile(root, name)),
    ]
}

fn batch_of(changes: &[Change]) -> Batch {
    let mut batch = Batch::default();
    for change in changes.iter().cloned() {
        match change {
            Change::PutRoot(id) => batch.put_roots.push(root(id)),
            Change::PutAsset(number, segments) => batch.put_assets.push(new_asset(number, segments)),
            Change::PutFile(root, name, Some(number)) => {
                batch.put_files.push((file(root, &name.to_string()), indexed(number)));
            }
            Change::PutFile(root, name, None) => {
                batch.put_files.push((file(root, &name.to_string()), record(7, FileState::Ignored)));
            }
            Change::DeleteRoot(id) => batch.delete_roots.push(RootId(id)),
            Change::DeleteAsset(number) => batch.delete_assets.push(asset_id(number)),
            Change::DeleteFile(root, name) => batch.delete_files.push(file(root, &name.to_string())),
        }
    }
    batch
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_store_is_what_its_batches_make_it(
        batches in proptest::collection::vec((proptest::collection::vec(change(), 1..7), 0..8u32), 1..40)
    ) {
        let directory = tempdir().unwrap();
        let mut opened = open_well(directory.path());
        let mut library = Library::default();
        library.commit(&opened.store, &|| Batch { put_roots: vec![root(1), root(2), root(3)], ..Batch::default() });
        for (changes, and_then) in &batches {
            match opened.store.commit(batch_of(changes)) {
                Ok(stored) => library.apply(batch_of(changes), &stored),
                Err(StoreError::Inconsistent { .. }) => {}
                Err(other) => panic!("{other}"),
            }
            match and_then {
                0 => {
                    drop(opened);
                    opened = open_well(directory.path());
                }
                1 => opened.store.compact().unwrap(),
                _ => {}
            }
            library.hold_against(&opened.store);
        }
    }
}
