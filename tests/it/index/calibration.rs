//! Whether as many candidates are kept in view as the recall that is wanted takes.

use super::*;

fn options(target_recall: f64) -> IndexOptions {
    IndexOptions { target_recall, ..SMALL }
}

/// Share of what looking at everything finds, in the same rounding.
fn recall_of(index: &Index, queries: &[Embedding], count: usize) -> f64 {
    let slots = |query: &Embedding, effort| {
        let found = index.search(query.as_slice(), Wanted { effort, ..nearest(count) });
        found.neighbours.into_iter().map(|hit| hit.slot).collect::<Vec<Slot>>()
    };
    let hits = |query: &Embedding| {
        let expected = slots(query, Effort::Exact);
        slots(query, Effort::Calibrated).into_iter().filter(|slot| expected.contains(slot)).count()
    };
    queries.iter().map(hits).sum::<usize>() as f64 / (queries.len() * count) as f64
}

#[test]
fn the_target_is_reached_with_queries_of_either_kind_and_a_higher_one_takes_more() {
    let mut clusters = Clusters::new(41, 60, 128);
    let vectors = clusters.vectors(12_000, 0.8);
    let queries = [clusters.vectors(100, 0.8), clusters.shifted(100, 0.8, 1.0)];
    let oracle = Oracle::of(&vectors);
    let calibrated = |target: f64| {
        let index = oracle.index(options(target));
        assert_eq!(index.stats().calibrated_candidates, None);
        maintain_fully(&index);
        for (kind, queries) in queries.iter().enumerate() {
            for count in [10, 100] {
                let recall = recall_of(&index, queries, count);
                assert!(recall >= target - 0.01, "recall@{count} {recall} of queries of kind {kind} for {target}");
            }
        }
        index.stats().calibrated_candidates.unwrap()
    };
    let candidates = [0.8, 0.95, 0.99].map(calibrated);
    assert!(candidates.is_sorted() && candidates[0] < candidates[2], "{candidates:?}");
    // Always the same for the same content, if one thread has built the graph.
    let alone = || {
        let index = oracle.index(IndexOptions { threads: 1, ..options(0.95) });
        maintain_fully(&index);
        index.stats().calibrated_candidates
    };
    assert_eq!(alone(), alone());
}

#[test]
fn what_was_asked_counts_too() {
    let mut clusters = Clusters::new(42, 20, 64);
    let oracle = Oracle::of(&clusters.vectors(4_000, 0.8));
    let calibrated = |asked: &[Embedding]| {
        let index = oracle.index(IndexOptions { threads: 1, ..options(0.9) });
        asked.iter().for_each(|query| drop(index.search(query.as_slice(), nearest(1))));
        maintain_fully(&index);
        index.stats().calibrated_candidates.unwrap()
    };
    // Between all clusters, where no way leads straight.
    let hard: Vec<Embedding> = (0..64).map(|_| clusters.vector(20.0)).collect();
    let (without, few, with) = (calibrated(&[]), calibrated(&hard[..8]), calibrated(&hard));
    assert!(without == few && with > without, "{without}, {few}, {with}");
}

#[test]
fn calibration_is_redone_after_growth_and_after_compaction_only() {
    let mut clusters = Clusters::new(43, 40, 32);
    let mut oracle = Oracle::of(&clusters.vectors(3_000, 0.8));
    let index = oracle.index(SMALL);
    maintain_fully(&index);
    let grow = |oracle: &mut Oracle, clusters: &mut Clusters, slots: std::ops::Range<u32>| {
        slots.for_each(|slot| oracle.insert(&index, Slot(2 * slot + 1), clusters.vector(0.8), false));
    };
    // Pieces of work until nothing is left: one to cover, others if something is to be calibrated.
    let pieces = || std::iter::repeat_with(|| index.maintain()).take_while(|&worked| worked).count();
    assert_eq!(pieces(), 0);
    grow(&mut oracle, &mut clusters, 0..400);
    assert_eq!(pieces(), 1, "an eighth more");
    grow(&mut oracle, &mut clusters, 400..1_040);
    assert!(pieces() > 1, "a third more");
    let before = index.stats().calibrated_candidates;
    assert!(before.is_some());
    index.request_compaction();
    let carried = std::iter::repeat_with(|| index.maintain()).take_while(|&worked| worked).count();
    assert!(carried > 3, "copied, replaced, and calibrated: {carried}");
    assert!(index.stats().calibrated_candidates.is_some());
    assert_eq!(pieces(), 0);
}

#[test]
fn a_target_that_no_graph_reaches_is_reached_by_looking_at_everything() {
    let mut clusters = Clusters::new(44, 1, 64);
    // Nothing is near anything else.
    let oracle = Oracle::of(&clusters.vectors(3_000, 50.0));
    let index = oracle.index(options(1.0));
    maintain_fully(&index);
    assert_eq!(index.stats().calibrated_candidates, Some(usize::MAX));
    let query = clusters.vector(50.0);
    assert!(index.search(query.as_slice(), nearest(10)).exact);
    assert!(!index.search(query.as_slice(), Wanted { effort: Effort::Candidates(20), ..nearest(10) }).exact);
}
