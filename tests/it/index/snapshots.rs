//! Snapshots that are whole: what is read again, and what of it is used.

mod formats;
#[cfg(unix)]
mod sharing;

use std::cell::RefCell;
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

/// All that an exact search finds, and all that a search of the graph finds.
fn assert_answers(index: &Index, oracle: &Oracle, queries: &[Embedding]) {
    for query in queries {
        let found = index.search(query.as_slice(), Wanted { count: 10, silent: true, effort: Effort::Exact });
        assert_equal(&found.neighbours, &oracle.nearest(query, 10, |_, _| true));
    }
    let found = recall(index, oracle, queries, 10);
    assert!(found >= 0.97, "recall {found}");
}

/// What an index is, but for where its values are.
fn sizes(index: &Index) -> IndexStats {
    IndexStats { memory_bytes: 0, ..index.stats() }
}

#[test]
fn rows_and_graph_are_read_again_as_they_were() {
    let directory = tempfile::tempdir().unwrap();
    let (mut clusters, oracle, index) = saved(31, directory.path());
    let (again, refused) = oracle.open(SMALL, directory.path());
    assert_eq!((refused, again.stats(), again.snapshot_due()), (None, index.stats(), false));
    for query in clusters.vectors(50, 0.8) {
        for effort in [Effort::Calibrated, Effort::Exact] {
            let find = |index: &Index| index.search(query.as_slice(), Wanted { count: 10, silent: true, effort });
            assert_eq!(find(&index), find(&again));
        }
    }
    assert_answers(&again, &oracle, &clusters.vectors(20, 0.8));
    assert!(!again.maintain(), "nothing is left to do");
}

#[test]
fn the_store_is_asked_for_what_is_missing_and_for_a_few_to_compare() {
    let directory = tempfile::tempdir().unwrap();
    let (mut clusters, mut oracle, _) = saved(32, directory.path());
    let first_read = |oracle: &Oracle| {
        let live: Vec<(Slot, bool)> = oracle.0.iter().map(|(slot, (_, silent))| (*slot, *silent)).collect();
        let asked = RefCell::new(Vec::new());
        let opened = Index::open(SMALL, &space("here"), directory.path(), &live, |first, take| {
            asked.borrow_mut().push(first);
            oracle.0.range(first..).for_each(|(slot, (vector, _))| take(*slot, vector));
            Ok::<(), Infallible>(())
        });
        let Ok((index, refused)) = opened;
        assert_eq!((refused, index.stats().live), (None, oracle.0.len()));
        asked.into_inner()
    };
    assert_eq!(first_read(&oracle), [Slot(2 * (2_000 - 16))]);
    oracle.0.insert(Slot(2_001), (clusters.vector(0.8), false));
    assert_eq!(first_read(&oracle), [Slot(2_001)]);
    let failed = Index::open(SMALL, &space("here"), directory.path(), &[(Slot(0), false)], |_, _| Err("unreadable"));
    assert_eq!(failed.err(), Some("unreadable"));
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
    assert_answers(&again, &oracle, &queries);
    assert!(again.snapshot_due());
    maintain_fully(&again);
    again.snapshot().unwrap();
    assert_eq!(names(directory.path()), ["gen-2"]);
    let (third, refused) = oracle.open(SMALL, directory.path());
    assert_eq!((refused, sizes(&third)), (None, sizes(&again)));
    assert_answers(&third, &oracle, &queries);
}

#[test]
fn more_than_what_may_be_removed_is_no_reason_to_refuse() {
    let directory = tempfile::tempdir().unwrap();
    let (mut clusters, oracle, _) = saved(33, directory.path());
    let fewer = Oracle(oracle.0.into_iter().skip(1_200).collect());
    let (again, refused) = fewer.open(SMALL, directory.path());
    assert_eq!((refused, again.stats().live, again.stats().graph_removed), (None, 800, 1_200));
    let queries = clusters.vectors(30, 0.8);
    assert_answers(&again, &fewer, &queries);
    maintain_fully(&again);
    assert_eq!(again.stats().graph_removed, 0, "compaction follows");
    assert_answers(&again, &fewer, &queries);
}

#[test]
fn what_is_removed_while_compaction_goes_on_leaves_no_link_behind() {
    let directory = tempfile::tempdir().unwrap();
    let (mut clusters, mut oracle, index) = saved(39, directory.path());
    index.request_compaction();
    // The next generation is begun, and has all rows; its graph comes with the third piece of work.
    assert!(index.maintain() && index.maintain());
    (0..300).for_each(|slot| oracle.remove(&index, Slot(6 * slot)));
    assert!(index.maintain());
    assert_eq!((index.stats().graph_nodes, index.stats().graph_removed), (1_700, 0));
    index.snapshot().unwrap();
    let (again, refused) = oracle.open(SMALL, directory.path());
    assert_eq!((refused, sizes(&again)), (None, sizes(&index)));
    assert_answers(&again, &oracle, &clusters.vectors(20, 0.8));
}

#[test]
fn a_removal_alone_needs_no_snapshot() {
    let directory = tempfile::tempdir().unwrap();
    let (mut clusters, mut oracle, index) = saved(34, directory.path());
    oracle.remove(&index, Slot(0));
    assert!(!index.snapshot_due());
    index.snapshot().unwrap();
    assert_eq!(names(directory.path()), ["gen-1"], "nothing is written again");
    oracle.insert(&index, Slot(1), clusters.vector(0.8), false);
    assert!(index.snapshot_due(), "a new row is what the next start would have to read");
    index.snapshot().unwrap();
    (0..600).for_each(|slot| oracle.insert(&index, Slot(2 * slot + 1), clusters.vector(0.8), false));
    index.snapshot().unwrap();
    maintain_fully(&index);
    assert!(index.snapshot_due(), "new links are what the next start would have to weave");
    index.snapshot().unwrap();
    assert_eq!(names(directory.path()), ["gen-4"]);
    let (again, refused) = oracle.open(SMALL, directory.path());
    assert_eq!((refused, sizes(&again)), (None, sizes(&index)));
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
    assert_answers(&again, &oracle, &clusters.vectors(20, 0.8));
}

#[test]
fn of_a_slot_that_came_and_went_the_last_row_counts() {
    let directory = tempfile::tempdir().unwrap();
    let (mut clusters, mut oracle, index) = saved(35, directory.path());
    let node = oracle.0[&Slot(20)].0.clone();
    // Once back in the graph, and once behind it.
    for _ in 0..2 {
        oracle.remove(&index, Slot(20));
        oracle.insert(&index, Slot(20), node.clone(), false);
        index.snapshot().unwrap();
        let (again, refused) = oracle.open(SMALL, directory.path());
        assert_eq!((refused, again.stats().live), (None, 2_000));
        let hits = again.search(node.as_slice(), nearest(5)).neighbours;
        assert_eq!((hits[0].slot, hits.iter().filter(|hit| hit.slot == Slot(20)).count()), (Slot(20), 1));
        oracle.remove(&again, Slot(20));
        assert!(again.search(node.as_slice(), nearest(5)).neighbours.iter().all(|hit| hit.slot != Slot(20)));
        oracle.insert(&again, Slot(20), node.clone(), false);
        assert_answers(&again, &oracle, &clusters.vectors(10, 0.8));
    }
}

#[test]
fn silence_stays_silent_and_is_read_again_if_the_store_says_otherwise() {
    let directory = tempfile::tempdir().unwrap();
    let mut clusters = Clusters::new(34, 30, DIMENSION);
    let mut oracle = Oracle::of(&clusters.vectors(1_000, 0.8));
    (0..1_000).for_each(|slot| drop(oracle.0.insert(Slot(2 * slot + 1), (clusters.vector(0.8), true))));
    let (index, _) = oracle.open(SMALL, directory.path());
    maintain_fully(&index);
    index.snapshot().unwrap();
    let queries = clusters.vectors(20, 0.8);
    let (again, refused) = oracle.open(SMALL, directory.path());
    assert_eq!((refused, again.stats().graph_nodes, again.maintain()), (None, 1_000, false));
    assert_answers(&again, &oracle, &queries);
    oracle.0.entry(Slot(7)).and_modify(|(_, silent)| *silent = false);
    oracle.0.entry(Slot(8)).and_modify(|(_, silent)| *silent = true);
    let (again, refused) = oracle.open(SMALL, directory.path());
    assert_eq!((refused, again.stats().live), (None, 2_000));
    assert_answers(&again, &oracle, &queries);
    let first = |slot| again.search(oracle.0[&slot].0.as_slice(), nearest(1)).neighbours[0].slot;
    assert!(first(Slot(7)) == Slot(7) && first(Slot(8)) != Slot(8));
}

#[test]
fn identical_vectors_still_stand_for_each_other() {
    let directory = tempfile::tempdir().unwrap();
    let mut clusters = Clusters::new(36, 30, DIMENSION);
    let mut vectors = clusters.vectors(1_000, 0.8);
    let again = vectors[..100].to_vec();
    // Three of each of the first hundred.
    vectors.extend(again.iter().cloned().chain(again.iter().cloned()));
    let mut oracle = Oracle::of(&vectors);
    let (index, _) = oracle.open(SMALL, directory.path());
    maintain_fully(&index);
    index.snapshot().unwrap();
    // The node itself goes in between.
    (0..50).for_each(|slot| oracle.remove(&index, Slot(2 * slot)));
    let (again, refused) = oracle.open(SMALL, directory.path());
    assert_eq!((refused, again.stats().graph_nodes, again.stats().live), (None, 1_000, 1_150));
    for vector in &vectors[..100] {
        assert_equal(&again.search(vector.as_slice(), nearest(4)).neighbours, &oracle.nearest(vector, 4, |_, _| true));
    }
    // One more of them is left to the same node.
    oracle.insert(&again, Slot(1), vectors[0].clone(), false);
    (0..600).for_each(|slot| oracle.insert(&again, Slot(2 * slot + 3), clusters.vector(0.8), false));
    maintain_fully(&again);
    assert_eq!(again.stats().graph_nodes, 1_600);
    assert_equal(
        &again.search(vectors[0].as_slice(), nearest(3)).neighbours,
        &oracle.nearest(&vectors[0], 3, |_, _| true),
    );
}

#[test]
fn what_does_not_fit_is_refused_with_a_reason() {
    let directory = tempfile::tempdir().unwrap();
    let (mut clusters, oracle, _) = saved(37, directory.path());
    let live: Vec<(Slot, bool)> = oracle.0.keys().map(|slot| (*slot, false)).collect();
    let check = |oracle: &Oracle, options: IndexOptions, space: &SpaceId, expected: &str| {
        let opened = Index::open(options, space, directory.path(), &live, |first, take| {
            oracle.0.range(first..).for_each(|(slot, (vector, _))| take(*slot, vector));
            Ok::<(), Infallible>(())
        });
        let Ok((index, refused)) = opened;
        let refused = refused.unwrap();
        assert!(refused.contains(expected), "{refused}, expected {expected}");
        assert_eq!((index.stats().live, index.stats().graph_nodes), (oracle.0.len(), 0));
        maintain_fully(&index);
        assert!(index.snapshot_due() && index.stats().graph_nodes == 2_000);
        assert_answers(
            &index,
            oracle,
            &oracle.0.values().take(5).map(|(vector, _)| vector.clone()).collect::<Vec<_>>(),
        );
    };
    check(&oracle, SMALL, &space("there"), "gen-1: its space is here, expected there");
    check(&oracle, IndexOptions { links: 13, ..SMALL }, &space("here"), "number of links is 12, expected 13");
    let other = IndexOptions { construction_candidates: 61, ..SMALL };
    check(&oracle, other, &space("here"), "gen-1: its graph is made anew: its number of construction candidates is 60");
    let others = Oracle::of(&clusters.vectors(2_000, 0.8));
    check(&others, SMALL, &space("here"), "has another vector in slot 3968 than the store");
    let mut last = oracle.clone();
    last.0.insert(Slot(3_998), (clusters.vector(0.8), false));
    check(&last, SMALL, &space("here"), "has another vector in slot 3998 than the store");
    let smaller = Oracle::of(&Clusters::new(38, 30, DIMENSION - 1).vectors(2_000, 0.8));
    check(&smaller, SMALL, &space("here"), "has another vector in slot 3968 than the store");
}

#[test]
fn what_was_left_unfinished_is_ignored_and_swept_away() {
    let directory = tempfile::tempdir().unwrap();
    let (mut clusters, mut oracle, index) = saved(36, directory.path());
    let at = |name: &str| directory.path().join(name);
    fs::create_dir(at("gen-2.tmp")).unwrap();
    fs::copy(at("gen-1/rows-0"), at("gen-2.tmp/rows-0")).unwrap();
    fs::create_dir(at("gen-7.tmp")).unwrap();
    fs::write(at("notes"), "not ours").unwrap();
    let (again, refused) = oracle.open(SMALL, directory.path());
    assert_eq!((refused, again.stats().graph_nodes), (None, 2_000));
    oracle.insert(&index, Slot(1), clusters.vector(0.8), false);
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
fn rows_are_kept_without_a_graph() {
    let directory = tempfile::tempdir().unwrap();
    let mut clusters = Clusters::new(37, 3, DIMENSION);
    let mut oracle = Oracle::of(&clusters.vectors(50, 0.8));
    let (index, _) = oracle.open(SMALL, directory.path());
    assert!(index.snapshot_due());
    index.snapshot().unwrap();
    assert_eq!(names(&directory.path().join("gen-1")), ["manifest.b3", "manifest.json", "rows-0"]);
    let (again, refused) = oracle.open(SMALL, directory.path());
    assert_eq!((refused, again.stats(), again.snapshot_due()), (None, index.stats(), false));
    // The chunk is not full: it goes on growing.
    (0..200).for_each(|slot| oracle.insert(&again, Slot(2 * slot + 1), clusters.vector(0.8), false));
    assert_answers(&again, &oracle, &clusters.vectors(10, 0.8));
    maintain_fully(&again);
    again.snapshot().unwrap();
    let (third, refused) = oracle.open(SMALL, directory.path());
    assert_eq!((refused, third.stats().graph_nodes), (None, 250));
    assert_answers(&third, &oracle, &clusters.vectors(10, 0.8));
}

#[test]
fn of_nothing_there_is_a_snapshot_only_if_there_was_something() {
    let directory = tempfile::tempdir().unwrap();
    let mut oracle = Oracle::default();
    let (index, _) = oracle.open(SMALL, directory.path());
    assert!(!index.snapshot_due());
    index.snapshot().unwrap();
    assert!(names(directory.path()).is_empty());
    oracle.insert(&index, Slot(3), unit(&[1.0, 2.0]), false);
    index.snapshot().unwrap();
    oracle.remove(&index, Slot(3));
    maintain_fully(&index);
    assert!(index.snapshot_due());
    index.snapshot().unwrap();
    assert_eq!(names(&directory.path().join("gen-2")), ["manifest.b3", "manifest.json"]);
    let (again, refused) = oracle.open(SMALL, directory.path());
    assert_eq!((refused, again.stats().live, again.snapshot_due()), (None, 0, false));
    oracle.insert(&again, Slot(4), unit(&[1.0, 2.0, 3.0]), false);
    assert_eq!(again.search(&[1.0, 0.0, 0.0], nearest(1)).neighbours[0].slot, Slot(4));
}

#[test]
fn what_the_system_does_not_let_us_write_is_told_with_its_path() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "in the way").unwrap();
    let oracle = Oracle::of(&Clusters::new(38, 3, DIMENSION).vectors(300, 0.8));
    let (index, refused) = oracle.open(SMALL, &file);
    assert!(refused.unwrap().contains("file: "));
    maintain_fully(&index);
    assert!(index.snapshot().unwrap_err().to_string().contains("file: "));
    assert!(index.snapshot_due());
    assert_answers(&index, &oracle, &[oracle.0[&Slot(0)].0.clone()]);
    // Once there is nothing in the way, it is written.
    fs::remove_file(&file).unwrap();
    index.snapshot().unwrap();
    assert_eq!((index.snapshot_due(), names(&file)), (false, vec!["gen-1".into()]));
}
