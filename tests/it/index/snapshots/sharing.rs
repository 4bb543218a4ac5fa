//! Full chunks of rows: written once, shared by the snapshots that follow, and in memory only until then.

use std::os::unix::fs::MetadataExt as _;

use super::*;

/// Values of a vector: few, so that many vectors are made quickly.
const FEW: usize = 8;
/// Rows of a full chunk.
const CHUNK: usize = 2_048;

/// Which file on the disk a file of a snapshot is.
fn inode(directory: &Path, name: &str) -> u64 {
    fs::metadata(directory.join(name)).unwrap().ino()
}

/// An index of two full chunks and a bit, without a graph, and a snapshot of it.
fn chunks(seed: u64, directory: &Path) -> (Clusters, Oracle, Index) {
    let mut clusters = Clusters::new(seed, 100, FEW);
    let oracle = Oracle::of(&clusters.vectors(2 * CHUNK + 500, 0.8));
    let (index, refused) = oracle.open(NO_GRAPH, directory);
    assert_eq!(refused, None);
    index.snapshot().unwrap();
    (clusters, oracle, index)
}

fn assert_exact(index: &Index, oracle: &Oracle, queries: &[Embedding]) {
    for query in queries {
        assert_equal(&index.search(query.as_slice(), nearest(9)).neighbours, &oracle.nearest(query, 9, |_, _| true));
    }
}

/// Opens again what was written last.
fn assert_opens(oracle: &Oracle, directory: &Path, queries: &[Embedding]) {
    let (again, refused) = oracle.open(NO_GRAPH, directory);
    assert_eq!((refused, again.stats().live), (None, oracle.0.len()));
    assert_exact(&again, oracle, queries);
}

#[test]
fn values_that_are_on_disk_leave_the_memory() {
    let directory = tempfile::tempdir().unwrap();
    let mut clusters = Clusters::new(61, 100, FEW);
    let mut oracle = Oracle::of(&clusters.vectors(2 * CHUNK + 500, 0.8));
    let (index, _) = oracle.open(NO_GRAPH, directory.path());
    let before = index.stats().memory_bytes;
    index.snapshot().unwrap();
    let of_two_chunks = 2 * CHUNK * FEW * 2;
    assert_eq!(before - index.stats().memory_bytes, of_two_chunks as u64);
    let queries = clusters.vectors(10, 0.8);
    assert_exact(&index, &oracle, &queries);
    let (again, _) = oracle.open(NO_GRAPH, directory.path());
    assert!(again.stats().memory_bytes.abs_diff(index.stats().memory_bytes) < 1_000_000);
    assert_exact(&again, &oracle, &queries);
    // What comes afterwards is in memory again.
    for index in [&index, &again] {
        (0..500).for_each(|slot| oracle.insert(index, Slot(2 * slot + 1), clusters.vector(0.8), false));
        (0..500).for_each(|slot| oracle.remove(index, Slot(2 * slot + 1)));
        assert_exact(index, &oracle, &queries);
    }
}

#[test]
fn a_snapshot_shares_full_chunks_with_the_one_before() {
    let directory = tempfile::tempdir().unwrap();
    let (mut clusters, mut oracle, index) = chunks(62, directory.path());
    let at = |number: u32| directory.path().join(format!("gen-{number}"));
    let queries = clusters.vectors(10, 0.8);
    let first = ["rows-0", "rows-1", "rows-2"].map(|name| inode(&at(1), name));
    let mut index = index;
    for number in 2..5 {
        // Enough for another chunk in the end.
        (0..3_000).for_each(|slot| {
            oracle.insert(&index, Slot(2 * (3_000 * number + slot) + 1), clusters.vector(0.8), slot % 100 == 0);
        });
        oracle.remove(&index, Slot(number));
        index.snapshot().unwrap();
        assert_eq!(names(directory.path()), [format!("gen-{number}")]);
        let now = ["rows-0", "rows-1"].map(|name| inode(&at(number), name));
        assert_eq!(now, first[..2], "what is full is shared");
        if number == 3 {
            // One that was opened shares as well as one that has written.
            index = oracle.open(NO_GRAPH, directory.path()).0;
        }
        assert_opens(&Oracle(oracle.0.clone()), directory.path(), &[]);
    }
    assert!(at(4).join("rows-3").exists());
    let silent = Wanted { silent: true, ..nearest(20) };
    let (again, _) = oracle.open(NO_GRAPH, directory.path());
    for query in &queries {
        assert_equal(&again.search(query.as_slice(), silent).neighbours, &oracle.nearest(query, 20, |_, _| true));
    }
}

#[test]
fn links_that_are_the_same_are_shared() {
    let directory = tempfile::tempdir().unwrap();
    let (mut clusters, mut oracle, index) = saved(67, directory.path());
    let links = |number: u32| inode(&directory.path().join(format!("gen-{number}")), "links");
    let first = links(1);
    let mut again = index;
    for number in 2..4 {
        oracle.insert(&again, Slot(2 * number + 1), clusters.vector(0.8), false);
        again.snapshot().unwrap();
        assert_eq!(links(number), first, "by the one that has woven them, and by one that has read them");
        again = oracle.open(SMALL, directory.path()).0;
    }
    (0..600).for_each(|slot| oracle.insert(&again, Slot(2 * slot + 1), clusters.vector(0.8), false));
    maintain_fully(&again);
    again.snapshot().unwrap();
    assert_ne!(links(4), first);
    let (again, refused) = oracle.open(SMALL, directory.path());
    assert_eq!(refused, None);
    assert_answers(&again, &oracle, &clusters.vectors(20, 0.8));
}

#[test]
fn a_chunk_that_is_not_full_is_written_again() {
    let directory = tempfile::tempdir().unwrap();
    let (mut clusters, mut oracle, index) = chunks(63, directory.path());
    let bytes = |number: u32| fs::metadata(directory.path().join(format!("gen-{number}/rows-2"))).unwrap().len();
    let before = bytes(1);
    oracle.insert(&index, Slot(1), clusters.vector(0.8), false);
    index.snapshot().unwrap();
    assert!(bytes(2) > before);
    assert_opens(&oracle, directory.path(), &clusters.vectors(3, 0.8));
}

#[test]
fn rows_of_another_arena_are_never_shared() {
    let directory = tempfile::tempdir().unwrap();
    let (mut clusters, mut oracle, index) = chunks(64, directory.path());
    let before = inode(&directory.path().join("gen-1"), "rows-0");
    oracle.remove(&index, Slot(0));
    index.request_compaction();
    maintain_fully(&index);
    assert!(index.snapshot_due(), "all rows are at other positions");
    index.snapshot().unwrap();
    assert_ne!(inode(&directory.path().join("gen-2"), "rows-0"), before);
    assert_opens(&oracle, directory.path(), &clusters.vectors(5, 0.8));
}

#[test]
fn a_chunk_that_cannot_be_shared_is_written_again() {
    let directory = tempfile::tempdir().unwrap();
    let (mut clusters, mut oracle, index) = chunks(65, directory.path());
    let queries = clusters.vectors(5, 0.8);
    fs::remove_file(directory.path().join("gen-1/rows-0")).unwrap();
    oracle.insert(&index, Slot(1), clusters.vector(0.8), false);
    index.snapshot().unwrap();
    assert_opens(&oracle, directory.path(), &queries);
    // Nothing of the one before is there any more.
    fs::remove_dir_all(directory.path()).unwrap();
    oracle.insert(&index, Slot(3), clusters.vector(0.8), false);
    index.snapshot().unwrap();
    assert_eq!(names(directory.path()), ["gen-1"]);
    assert_opens(&oracle, directory.path(), &queries);
}

#[test]
fn a_chunk_that_was_cut_short_is_not_shared_and_ends_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let (mut clusters, mut oracle, index) = chunks(66, directory.path());
    let rows = directory.path().join("gen-1/rows-1");
    fs::File::options().write(true).open(&rows).unwrap().set_len(100).unwrap();
    oracle.insert(&index, Slot(1), clusters.vector(0.8), false);
    let error = index.snapshot().unwrap_err().to_string();
    assert!(error.contains("gen-1/rows-1: has changed since it was written"), "{error}");
    assert_eq!((names(directory.path()), index.snapshot_due()), (vec!["gen-1".into()], true), "nothing is left of it");
    // The next start finds out, and begins anew.
    drop(index);
    let (again, refused) = oracle.open(NO_GRAPH, directory.path());
    assert!(refused.unwrap().contains("gen-1: rows-1: has 100 bytes"));
    again.snapshot().unwrap();
    assert_opens(&oracle, directory.path(), &clusters.vectors(5, 0.8));
}

#[test]
fn snapshots_are_whole_while_vectors_come_and_go() {
    let directory = tempfile::tempdir().unwrap();
    let mut clusters = Clusters::new(68, 100, FEW);
    let mut oracle = Oracle::of(&clusters.vectors(CHUNK - 700, 0.8));
    let coming = clusters.vectors(3_000, 0.8);
    let (index, _) = oracle.open(SMALL, directory.path());
    maintain_fully(&index);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for (number, vector) in (0..).zip(&coming) {
                index.insert(Slot(2 * number + 1), vector, number % 50 == 0);
                index.remove(Slot(6 * number));
            }
        });
        // At least one at once, and one when all is done.
        let mut ended = false;
        while !ended {
            ended = writer.is_finished();
            index.maintain();
            index.snapshot().unwrap();
        }
    });
    for (number, vector) in (0..).zip(coming) {
        oracle.0.insert(Slot(2 * number + 1), (vector, number % 50 == 0));
        oracle.0.remove(&Slot(6 * number));
    }
    let queries = clusters.vectors(10, 0.8);
    assert_answers(&index, &oracle, &queries);
    let (again, refused) = oracle.open(SMALL, directory.path());
    assert_eq!((refused, again.stats().live, again.snapshot_due()), (None, oracle.0.len(), false));
    assert_answers(&again, &oracle, &queries);
}
