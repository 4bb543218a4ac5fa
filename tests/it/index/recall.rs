//! What the graph finds of what there is to find.

use super::*;

/// The shipped options (config/earmark.toml), with a graph at the size of the test.
const SHIPPED: IndexOptions = IndexOptions {
    exact_below: 20_000,
    links: 16,
    construction_candidates: 200,
    target_recall: 0.99,
    compact_above: 0.2,
    threads: 0,
};

#[test]
fn the_shipped_options_find_99_of_100_among_20_000() {
    let mut clusters = Clusters::new(11, 100, 1_024);
    let oracle = Oracle::of(&clusters.vectors(20_000, 0.8));
    let index = oracle.index(SHIPPED);
    maintain_fully(&index);
    assert_eq!(index.stats().graph_nodes, 20_000);
    let same = recall(&index, &oracle, &clusters.vectors(100, 0.8), 10);
    let shifted = recall(&index, &oracle, &clusters.shifted(100, 0.8, 1.5), 10);
    assert!(same >= 0.99 && shifted >= 0.99, "recall@10 {same} of the same kind, {shifted} of another");
}

#[test]
fn removal_and_compaction_keep_recall_and_answers() {
    let mut clusters = Clusters::new(12, 60, 64);
    let mut oracle = Oracle::of(&clusters.vectors(6_000, 0.8));
    let index = oracle.index(SMALL);
    maintain_fully(&index);
    let queries = clusters.vectors(100, 0.8);
    let before = recall(&index, &oracle, &queries, 10);
    let mut random = Random(13);
    let slots: Vec<Slot> = oracle.0.keys().copied().collect();
    let removed = slots.into_iter().filter(|_| random.fraction() < 0.19).collect::<Vec<_>>();
    removed.iter().for_each(|&slot| oracle.remove(&index, slot));
    assert_eq!(index.stats().graph_removed, removed.len());
    let marked = recall(&index, &oracle, &queries, 10);
    assert!(!index.maintain(), "too few are removed");
    index.request_compaction();
    maintain_fully(&index);
    assert_eq!(index.stats().graph_removed, 0);
    assert_eq!(index.stats().graph_nodes, oracle.0.len());
    let after = recall(&index, &oracle, &queries, 10);
    assert!([before, marked, after].iter().all(|&recall| recall >= 0.97), "{before}, {marked}, {after}");
}

#[test]
fn a_graph_is_left_when_too_much_of_it_is_removed() {
    let mut clusters = Clusters::new(14, 30, DIMENSION);
    let mut oracle = Oracle::of(&clusters.vectors(1_000, 0.8));
    let index = oracle.index(SMALL);
    maintain_fully(&index);
    (0..300).for_each(|slot| oracle.remove(&index, Slot(2 * slot)));
    assert_eq!(index.stats().graph_removed, 300);
    // While the new one is made, what comes and goes reaches it, too.
    for slot in 0..200 {
        assert!(index.maintain() || slot > 2);
        oracle.insert(&index, Slot(5_001 + slot), clusters.vector(0.8), false);
        oracle.remove(&index, Slot(2 * (300 + slot)));
        let query = clusters.vector(0.8);
        assert_equal(&index.search(query.as_slice(), nearest(5)).neighbours, &oracle.nearest(&query, 5, |_, _| true));
    }
    maintain_fully(&index);
    let stats = index.stats();
    assert_eq!((stats.live, oracle.0.len()), (700, 700));
    assert!(stats.graph_removed * 5 <= stats.graph_nodes, "{stats:?}");
    // Almost all goes: a graph of what is left would find less, and not sooner.
    for number in 0..600 {
        let slot = *oracle.0.keys().nth(number % 3).unwrap();
        oracle.remove(&index, slot);
    }
    maintain_fully(&index);
    let stats = index.stats();
    assert!(stats.live == 100 && stats.graph_nodes <= 100 && stats.graph_removed == 0, "{stats:?}");
    let query = clusters.vector(0.8);
    let found = index.search(query.as_slice(), nearest(200));
    assert!(found.exact);
    assert_equal(&found.neighbours, &oracle.nearest(&query, 200, |_, _| true));
}

#[test]
fn few_vectors_are_brought_into_the_graph_once_no_others_come() {
    let mut clusters = Clusters::new(14, 30, DIMENSION);
    let mut oracle = Oracle::of(&clusters.vectors(3_000, 0.8));
    let index = oracle.index(SMALL);
    maintain_fully(&index);
    let mut add = |slots: std::ops::Range<u32>| {
        slots.for_each(|number| oracle.insert(&index, Slot(2 * number + 1), clusters.vector(0.8), false));
        [index.maintain(), index.maintain(), index.maintain()]
    };
    assert_eq!(add(0..40), [false, true, false], "no more came after the first time");
    assert_eq!(add(40..50), [false; 3], "too few to copy all links for");
    assert_eq!(index.stats().graph_nodes, 3_040);
}
