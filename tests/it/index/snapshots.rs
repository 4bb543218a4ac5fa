//! Snapshots that are whole: what is read again, and what of it is used.

use std::fs;

use super::*;

/// An index with a graph and a snapshot of it.
fn saved(seed: u64, directory: &Path) -> (Clusters, Oracle, Index) {
    let mut clusters = Clusters::new(seed, 30, DIMENSION);
    let oracle = Oracle::of(&clusters.vectors(2_000, 0.8));
    let (index, refused) = oracle.open(SMALL, directory);
    assert_eq!(refused, None);
    maintain_fully(&index);
    assert!(index.snapshot_due());
    index.snapshot().unwrap();
    assert!(!index.snapshot_due());
    (clusters, oracle, index)
}

fn names(directory: &Path) -> Vec<String> {
    let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
    let mut names: Vec<String> = fs::read_dir(directory).unwrap().map(|entry| name(entry.unwrap())).collect();
    names.sort();
    names
}

#[test]
fn a_graph_is_read_again_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let (mut clusters, oracle, index) = saved(31, directory.path());
    let (again, refused) = oracle.open(SMALL, directory.path());
    assert_eq!((refused, again.stats().graph_nodes, again.snapshot_due()), (None, 2_000, false));
    for query in clusters.vectors(50, 0.8) {
        let find = |index: &Index| index.search(query.as_slice(), nearest(10)).neighbours;
        assert_eq!(find(&index), find(&again));
    }
    assert!(!again.maintain(), "nothing is left to do");
}

#[test]
fn what_came_and_went_since_is_seen() {
    let directory = tempfile::tempdir().unwrap();
    let (mut clusters, mut oracle, index) = saved(32, directory.path());
    for slot in 0..150 {
        oracle.remove(&index, Slot(2 * slot));
        oracle.insert(&index, Slot(2 * slot + 1), clusters.vector(0.8), slot % 3 == 0);
    }
    let (again, refused) = oracle.open(SMALL, directory.path());
    assert_eq!((refused, again.stats().graph_removed), (None, 150));
    let queries = clusters.vectors(50, 0.8);
    assert!(recall(&again, &oracle, &queries, 10) >= 0.97);
    for query in &queries {
        let found = again.search(query.as_slice(), nearest(10)).neighbours;
        assert!(found.iter().all(|hit| oracle.0.contains_key(&hit.slot)), "a removed vector was found");
    }
    maintain_fully(&again);
    assert!(recall(&again, &oracle, &queries, 10) >= 0.97);
    assert_eq!(again.stats().graph_nodes, 2_100);
    assert!(again.snapshot_due());
    again.snapshot().unwrap();
    assert_eq!(names(directory.path()), ["gen-2"]);
    let (third, refused) = oracle.open(SMALL, directory.path());
    assert_eq!(
        (refused, third.stats()),
        (None, IndexStats { memory_bytes: third.stats().memory_bytes, ..again.stats() })
    );
    assert!(recall(&third, &oracle, &queries, 10) >= 0.97);
}

#[test]
fn a_slot_that_was_removed_when_the_graph_came_by_is_found_when_it_is_back() {
    let directory = tempfile::tempdir().unwrap();
    let mut clusters = Clusters::new(33, 30, DIMENSION);
    let mut oracle = Oracle::of(&clusters.vectors(1_000, 0.8));
    let (index, _) = oracle.open(SMALL, directory.path());
    let back = oracle.0[&Slot(10)].clone();
    oracle.remove(&index, Slot(10));
    maintain_fully(&index);
    index.snapshot().unwrap();
    oracle.0.insert(Slot(10), back.clone());
    let (again, refused) = oracle.open(SMALL, directory.path());
    assert_eq!((refused, again.stats().graph_nodes), (None, 999));
    assert_eq!(again.search(back.0.as_slice(), nearest(1)).neighbours[0].slot, Slot(10));
}

#[test]
fn silent_vectors_among_the_covered_stay_silent() {
    let directory = tempfile::tempdir().unwrap();
    let mut clusters = Clusters::new(34, 30, DIMENSION);
    let mut oracle = Oracle::of(&clusters.vectors(1_000, 0.8));
    (0..1_000).for_each(|slot| drop(oracle.0.insert(Slot(2 * slot + 1), (clusters.vector(0.8), true))));
    let (index, _) = oracle.open(SMALL, directory.path());
    maintain_fully(&index);
    index.snapshot().unwrap();
    let (again, refused) = oracle.open(SMALL, directory.path());
    assert_eq!((refused, again.stats().graph_nodes, again.maintain()), (None, 1_000, false));
    for query in clusters.vectors(20, 0.8) {
        let find = |silent| again.search(query.as_slice(), Wanted { count: 10, silent, exact: false });
        assert_equal(&find(true), &oracle.nearest(&query, 10, |_, _| true));
        assert_equal(&find(false), &oracle.nearest(&query, 10, |_, silent| !silent));
    }
}

#[test]
fn what_does_not_fit_is_refused_with_a_reason() {
    let directory = tempfile::tempdir().unwrap();
    let (mut clusters, oracle, _) = saved(35, directory.path());
    let check = |oracle: &Oracle, options: IndexOptions, space: &SpaceId, expected: &str| {
        let vectors = oracle.0.iter().map(|(slot, (vector, silent))| (*slot, vector.clone(), *silent));
        let (index, refused) = Index::open(options, space, directory.path(), vectors);
        let refused = refused.unwrap();
        assert!(refused.contains("gen-1: ") && refused.contains(expected), "{refused}, expected {expected}");
        assert_eq!((index.stats().live, index.stats().graph_nodes), (oracle.0.len(), 0));
    };
    check(&oracle, SMALL, &space("there"), "its space is here, expected there");
    check(&oracle, IndexOptions { links: 13, ..SMALL }, &space("here"), "number of links is 12, expected 13");
    let other = IndexOptions { construction_candidates: 61, ..SMALL };
    check(&oracle, other, &space("here"), "construction candidates is 60, expected 61");
    let fewer = Oracle(oracle.0.clone().into_iter().skip(500).collect());
    check(&fewer, SMALL, &space("here"), "of its 2000 vectors, 500 are gone");
    let others = Oracle::of(&clusters.vectors(2_000, 0.8));
    check(&others, SMALL, &space("here"), "has another vector");
    check(&Oracle::default(), SMALL, &space("here"), "of its 2000 vectors, 2000 are gone");
}

#[test]
fn what_was_left_unfinished_is_ignored_and_swept_away() {
    let directory = tempfile::tempdir().unwrap();
    let (_, oracle, index) = saved(36, directory.path());
    let at = |name: &str| directory.path().join(name);
    fs::create_dir(at("gen-2.tmp")).unwrap();
    fs::copy(at("gen-1/slots"), at("gen-2.tmp/slots")).unwrap();
    fs::create_dir(at("gen-7.tmp")).unwrap();
    fs::write(at("notes"), "not ours").unwrap();
    let (again, refused) = oracle.open(SMALL, directory.path());
    assert_eq!((refused, again.stats().graph_nodes), (None, 2_000));
    index.snapshot().unwrap();
    assert_eq!(names(directory.path()), ["gen-8", "notes"]);
    // Killed before the older one was removed: the newer counts; and if that is harmed, the older does.
    fs::rename(at("gen-8"), at("gen-3")).unwrap();
    fs::create_dir(at("gen-5")).unwrap();
    let (again, refused) = oracle.open(SMALL, directory.path());
    assert!(refused.unwrap().contains("gen-5: manifest.json: "));
    assert_eq!(again.stats().graph_nodes, 2_000);
}

#[test]
fn without_a_graph_there_is_nothing_to_write() {
    let directory = tempfile::tempdir().unwrap();
    let (index, _) = Oracle::of(&Clusters::new(37, 3, DIMENSION).vectors(50, 0.8)).open(SMALL, directory.path());
    assert!(!index.snapshot_due());
    index.snapshot().unwrap();
    assert!(names(directory.path()).is_empty());
}

#[test]
fn what_the_system_does_not_let_us_write_is_told_with_its_path() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "in the way").unwrap();
    let (index, refused) = Oracle::of(&Clusters::new(38, 3, DIMENSION).vectors(300, 0.8)).open(SMALL, &file);
    assert!(refused.unwrap().contains("file: "));
    maintain_fully(&index);
    assert!(index.snapshot().unwrap_err().to_string().contains("file: "));
    assert!(index.snapshot_due());
}
