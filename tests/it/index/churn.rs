//! Much comes and goes: the graph stays as good as a new one, and the same life leads to the same graph.

use super::*;

const VALUES: usize = 64;
const VECTORS: usize = 6_000;
/// As few as leave something to be missed.
const FEW: Effort = Effort::Candidates(24);

/// Slots that are found for each query, best first.
fn found(index: &Index, queries: &[Embedding], effort: Effort) -> Vec<Vec<Neighbour>> {
    let wanted = Wanted { effort, ..nearest(10) };
    queries.iter().map(|query| index.search(query.as_slice(), wanted).neighbours).collect()
}

/// Share of the exact answers that are found.
fn share(index: &Index, queries: &[Embedding], effort: Effort) -> f64 {
    let (found, exact) = (found(index, queries, effort), found(index, queries, Effort::Exact));
    let hits = |(found, exact): (&Vec<Neighbour>, &Vec<Neighbour>)| {
        found.iter().filter(|hit| exact.iter().any(|other| other.slot == hit.slot)).count()
    };
    found.iter().zip(&exact).map(hits).sum::<usize>() as f64 / (10 * queries.len()) as f64
}

#[test]
fn after_half_is_replaced_the_graph_is_as_good_as_a_new_one() {
    let mut clusters = Clusters::new(51, 60, VALUES);
    let mut oracle = Oracle::of(&clusters.vectors(VECTORS, 0.8));
    let index = oracle.index(SMALL);
    maintain_fully(&index);
    let mut random = Random(52);
    let mut slots: Vec<Slot> = oracle.0.keys().copied().collect();
    for number in 0..VECTORS as u32 / 2 {
        let slot = slots.swap_remove(random.below(slots.len()));
        oracle.remove(&index, slot);
        oracle.insert(&index, Slot(100_000 + number), clusters.vector(0.8), false);
        if number % 50 == 0 {
            index.maintain();
        }
    }
    maintain_fully(&index);
    let fresh = oracle.index(SMALL);
    maintain_fully(&fresh);
    let stats = index.stats();
    assert_eq!((stats.live, fresh.stats().graph_nodes), (VECTORS, VECTORS));
    assert!(stats.graph_removed as f64 <= SMALL.compact_above * stats.graph_nodes as f64, "{stats:?}");
    for queries in [clusters.vectors(300, 0.8), clusters.shifted(300, 0.8, 1.5)] {
        // A fifth of the nodes has been removed and takes places among few candidates, which calibration makes up for.
        for (effort, less) in [(FEW, 0.06), (Effort::Calibrated, 0.01)] {
            let (old, new) = (share(&index, &queries, effort), share(&fresh, &queries, effort));
            assert!(old >= new - less, "{effort:?}: {old}, and {new} by a new graph");
        }
        let is_there = |hit: &Neighbour| oracle.0.contains_key(&hit.slot);
        assert!(found(&index, &queries, FEW).iter().flatten().all(is_there), "a removed vector was found");
    }
}

#[test]
fn with_one_thread_the_same_life_leads_to_the_same_answers() {
    let one = IndexOptions { threads: 1, ..SMALL };
    let queries = Clusters::new(53, 60, VALUES).vectors(200, 0.8);
    let life = || {
        let mut clusters = Clusters::new(54, 60, VALUES);
        let index = Oracle::of(&clusters.vectors(2_000, 0.8)).index(one);
        maintain_fully(&index);
        let mut answers = vec![found(&index, &queries, FEW)];
        // Woven in several pieces, of which some are helped with by whoever inserts.
        for number in 0..4_000 {
            index.insert(Slot(10_000 + number), &clusters.vector(0.8), number % 40 == 0);
            if number % 1_900 == 0 {
                maintain_fully(&index);
                answers.push(found(&index, &queries, FEW));
            }
        }
        (0..1_000).for_each(|slot| index.remove(Slot(4 * slot)));
        answers.push(found(&index, &queries, FEW));
        index.request_compaction();
        maintain_fully(&index);
        answers.extend([FEW, Effort::Calibrated].map(|effort| found(&index, &queries, effort)));
        (answers, index.stats())
    };
    let (first, second) = (life(), life());
    assert_eq!(first.1, second.1);
    for (moment, (first, second)) in first.0.iter().zip(&second.0).enumerate() {
        assert!(first == second, "the answers differ at moment {moment}");
    }
}

#[test]
fn whoever_adds_faster_than_the_graph_grows_helps() {
    let mut clusters = Clusters::new(55, 30, DIMENSION);
    let index = Oracle::of(&clusters.vectors(500, 0.8)).index(SMALL);
    assert!(index.maintain());
    for number in 0..5_000 {
        index.insert(Slot(10_000 + number), &clusters.vector(0.8), false);
        let stats = index.stats();
        assert!(stats.live - stats.graph_nodes <= 1_024, "{stats:?}");
    }
}
