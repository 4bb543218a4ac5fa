//! What a search among some of the vectors finds of what there is to find among them.

use earmark::index::Found;
use proptest::prelude::*;

use super::*;

/// Candidates for ten neighbours, so that the walk's recall does not depend on calibration.
const SOME: Effort = Effort::Candidates(64);
/// How far half precision takes a cosine, at most.
const ROUNDING: f32 = 5e-4;

fn bitmap(slots: impl IntoIterator<Item = Slot>) -> RoaringBitmap {
    slots.into_iter().map(|slot| slot.0).collect()
}

/// Share of the exact answers that are found among what each query's filter keeps, and share of answers that are exact.
fn recall_among(
    index: &Index,
    oracle: &Oracle,
    queries: &[Embedding],
    wanted: Wanted,
    filter: impl Fn(&Embedding) -> RoaringBitmap,
) -> (f64, f64) {
    let (mut hits, mut all, mut exact) = (0, 0, 0);
    for query in queries {
        let kept = filter(query);
        let found = index.search_among(query.as_slice(), &kept, wanted);
        let expected = oracle.nearest(query, wanted.count, |slot, _| kept.contains(slot.0));
        check_set(&found, &kept, expected.len());
        exact += usize::from(found.exact);
        all += expected.len();
        // Rounded to half precision, vectors may change places with those that are as good as equally near.
        let least = expected.last().map_or(f32::INFINITY, |(_, cosine)| cosine - ROUNDING);
        hits += found.neighbours.iter().filter(|hit| hit.cosine >= least).count();
    }
    (hits as f64 / all.max(1) as f64, exact as f64 / queries.len() as f64)
}

/// Nothing but what passes, as many as there are, each once, in order.
fn check_set(found: &Found, kept: &RoaringBitmap, count: usize) {
    let hits = &found.neighbours;
    assert_eq!(hits.len(), count, "{found:?}");
    assert!(hits.iter().all(|hit| kept.contains(hit.slot.0)), "{found:?}");
    let ranked = |pair: &[Neighbour]| {
        pair[0].cosine > pair[1].cosine || (pair[0].cosine == pair[1].cosine && pair[0].slot < pair[1].slot)
    };
    assert!(hits.windows(2).all(ranked), "{found:?}");
    assert_eq!(hits.iter().map(|hit| hit.slot).collect::<std::collections::BTreeSet<_>>().len(), hits.len());
}

/// 20,000 vectors in clusters of 200, all of them in the graph, and queries of both kinds.
fn library() -> (Oracle, Index, [Vec<Embedding>; 2]) {
    let mut clusters = Clusters::new(31, 100, 256);
    let oracle = Oracle::of(&clusters.vectors(20_000, 0.8));
    // With one thread it is always the same graph.
    let index = oracle.index(IndexOptions { threads: 1, ..SMALL });
    maintain_fully(&index);
    assert_eq!(index.stats().graph_nodes, 20_000);
    (oracle, index, [clusters.vectors(50, 0.8), clusters.shifted(50, 0.8, 1.5)])
}

#[test]
fn searches_among_some_find_99_of_100_whatever_share_passes() {
    let (oracle, index, queries) = library();
    for (kind, queries) in queries.iter().enumerate() {
        for (share, walks) in [(0.001, false), (0.01, false), (0.1, false), (0.3, true), (0.5, true), (0.97, true)] {
            let mut random = Random(32);
            let kept = bitmap(oracle.0.keys().copied().filter(|_| random.fraction() < share));
            let wanted = Wanted { effort: SOME, ..nearest(10) };
            let (recall, exact) = recall_among(&index, &oracle, queries, wanted, |_| kept.clone());
            assert!(recall >= 0.99, "recall {recall} of queries of kind {kind} where {share} pass");
            assert!(if walks { exact < 0.1 } else { exact == 1.0 }, "{exact} are exact where {share} pass");
            let wanted = Wanted { effort: Effort::Exact, ..nearest(10) };
            assert_eq!(recall_among(&index, &oracle, &queries[..5], wanted, |_| kept.clone()), (1.0, 1.0));
        }
    }
}

#[test]
fn what_passes_may_have_to_do_with_the_query() {
    let (oracle, index, queries) = library();
    let every = bitmap(oracle.0.keys().copied());
    let near = |query: &Embedding, count: usize| {
        bitmap(oracle.nearest(query, count, |_, _| true).into_iter().map(|(slot, _)| slot))
    };
    let third = bitmap(oracle.0.keys().copied().filter(|slot| slot.0 % 3 == 0));
    let quarter = bitmap(oracle.0.keys().copied().filter(|slot| slot.0 < 10_000));
    type Filter<'a> = &'a dyn Fn(&Embedding) -> RoaringBitmap;
    let filters: [(&str, Filter<'_>); 5] = [
        ("all but the query's own cluster", &|query| &every - near(query, 200)),
        ("all but the nearest 20", &|query| &every - near(query, 20)),
        ("the query's own cluster, and few others", &|query| near(query, 200) | (&third & &quarter)),
        ("every third, and none of the query's own cluster", &|query| &third - near(query, 200)),
        ("the query's own half of the clusters", &|query| near(query, 10_000)),
    ];
    for (kind, queries) in queries.iter().enumerate() {
        for (name, filter) in filters {
            let wanted = Wanted { effort: SOME, ..nearest(10) };
            let (recall, _) = recall_among(&index, &oracle, &queries[..20], wanted, filter);
            assert!(recall >= 0.99, "recall {recall} of queries of kind {kind}: {name}");
        }
    }
}

#[test]
fn a_walk_finds_twins_silence_and_what_is_behind_the_graph() {
    let mut clusters = Clusters::new(33, 50, 256);
    let mut oracle = Oracle::of(&clusters.vectors(10_000, 0.8));
    let index = oracle.index(SMALL);
    let same = clusters.vector(0.8);
    for number in 0..40 {
        oracle.insert(&index, Slot(20_001 + 2 * number), same.clone(), false);
        oracle.insert(&index, Slot(30_001 + 2 * number), same.clone(), true);
    }
    // A slot that comes back, behind the others.
    let returning = Slot(100);
    oracle.remove(&index, returning);
    oracle.insert(&index, returning, same.clone(), false);
    maintain_fully(&index);
    (0..20).for_each(|number| oracle.insert(&index, Slot(40_001 + 2 * number), same.clone(), number % 2 == 0));
    // The node that stands for the twins does not pass, and another of them is removed.
    oracle.remove(&index, Slot(20_005));
    let kept = bitmap(oracle.0.keys().copied().filter(|slot| slot.0 % 4 == 0 || slot.0 % 8 == 5 || slot.0 > 40_000));
    let find = |count| {
        let wanted = Wanted { count, silent: false, effort: Effort::Candidates(count + 8) };
        index.search_among(same.as_slice(), &kept, wanted)
    };
    assert!(!find(25).exact, "the graph is searched");
    // All that are identical: 10 of the graph with the one that came back, 10 silent ones, 20 behind the graph.
    for count in [1, 10, 25, 40] {
        let expected = oracle.nearest(&same, count, |slot, _| kept.contains(slot.0));
        let found: Vec<Slot> = find(count).neighbours.iter().map(|hit| hit.slot).collect();
        let slots: Vec<Slot> = expected.iter().map(|(slot, _)| *slot).collect();
        assert_eq!(found, slots, "of {count}");
    }
}

#[test]
fn a_walk_that_ends_among_removed_ones_is_made_up_for() {
    let (mut oracle, index, [queries, _]) = library();
    let kept = bitmap(oracle.0.keys().copied().filter(|slot| slot.0 % 4 == 0));
    let query = &queries[0];
    for (slot, _) in oracle.nearest(query, 300, |_, _| true) {
        oracle.remove(&index, slot);
    }
    let wanted = Wanted { effort: SOME, ..nearest(10) };
    let (recall, exact) = recall_among(&index, &oracle, std::slice::from_ref(query), wanted, |_| kept.clone());
    assert_eq!((recall, exact), (1.0, 1.0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn only_what_passes_is_found_each_once_in_order_and_enough_of_it(
        seed in 0u64..1_000,
        removed in 0.0f32..0.3,
        share in prop_oneof![Just(0.0f32), 0.0f32..0.1, 0.1f32..1.0, Just(1.0f32)],
        stretch in 0usize..3,
        count in prop_oneof![Just(0usize), 1usize..40, 1_000usize..5_000],
        candidates in 1usize..64,
    ) {
        let mut clusters = Clusters::new(seed, 20, 16);
        let mut oracle = Oracle::of(&clusters.vectors(2_500, 0.8));
        let index = oracle.index(IndexOptions { exact_below: 100, compact_above: 0.9, threads: 1, ..SMALL });
        let mut random = Random(seed);
        // Twins, silence, slots that came back, and a tail behind the graph.
        for number in 0..600u32 {
            let like = Slot(2 * (random.below(2_500) as u32));
            let vector = match oracle.0.get(&like) {
                Some((vector, _)) if number % 3 == 0 => vector.clone(),
                _ => clusters.vector(0.8),
            };
            oracle.insert(&index, Slot(6_001 + 2 * number), vector, number % 5 == 0);
            if number % 7 == 0 {
                oracle.remove(&index, like);
                oracle.insert(&index, like, clusters.vector(0.8), number % 2 == 0);
            }
            if number == 400 {
                maintain_fully(&index);
            }
        }
        let slots: Vec<Slot> = oracle.0.keys().copied().collect();
        let gone: Vec<Slot> = slots.iter().copied().filter(|_| random.fraction() < removed).collect();
        gone.iter().for_each(|&slot| oracle.remove(&index, slot));
        // Neighbouring slots pass together, as those of a folder do; and some that are not there.
        let passes = (0..9_000u32 >> (4 * stretch)).filter(|_| random.fraction() < share);
        let kept: RoaringBitmap = passes.flat_map(|run| run << (4 * stretch)..(run + 1) << (4 * stretch)).collect();
        for effort in [Effort::Exact, Effort::Calibrated, Effort::Candidates(candidates)] {
            let query = clusters.vector(0.8);
            let found = index.search_among(query.as_slice(), &kept, Wanted { count, silent: false, effort });
            let expected = oracle.nearest(&query, count, |slot, _| kept.contains(slot.0));
            check_set(&found, &kept, expected.len());
            for hit in &found.neighbours {
                prop_assert!((hit.cosine - query.cosine(&oracle.0[&hit.slot].0)).abs() < ROUNDING);
            }
            if found.exact {
                assert_equal(&found.neighbours, &expected);
            }
            prop_assert!(effort != Effort::Exact || found.exact);
        }
    }
}
