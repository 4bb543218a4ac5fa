//! Nearest neighbours against an exact oracle, and snapshots against damage.

mod calibration;
mod churn;
mod damage;
mod filters;
mod random;
mod recall;
mod snapshots;
mod stress;
#[path = "../support/vectors.rs"]
pub mod vectors;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::Path;

use earmark::embedding::{Embedding, SpaceId};
use earmark::index::{Effort, Found, Index, IndexOptions, IndexStats, Neighbour, Wanted};
use earmark::library::Slot;
use half::f16;
use half::slice::HalfFloatSliceExt as _;
use roaring::RoaringBitmap;

use vectors::{Clusters, Random, unit};

/// Small enough that a graph is built from a few hundred vectors, and searched rather than passed over.
const SMALL: IndexOptions = IndexOptions {
    exact_below: 200,
    links: 12,
    construction_candidates: 60,
    target_recall: 0.99,
    compact_above: 0.2,
    threads: 2,
};
const NO_GRAPH: IndexOptions = IndexOptions { exact_below: usize::MAX, ..SMALL };
const DIMENSION: usize = 32;

fn space(name: &str) -> SpaceId {
    serde_json::from_value(serde_json::Value::from(name)).unwrap()
}

fn nearest(count: usize) -> Wanted {
    Wanted { count, silent: false, effort: Effort::Calibrated }
}

/// What is in the index, as it should be.
#[derive(Clone, Default)]
struct Oracle(BTreeMap<Slot, (Embedding, bool)>);

impl Oracle {
    fn of(vectors: &[Embedding]) -> Self {
        let slots = (0..).map(|slot| Slot(2 * slot));
        Self(slots.zip(vectors.iter().map(|vector| (vector.clone(), false))).collect())
    }

    fn open(&self, options: IndexOptions, directory: &Path) -> (Index, Option<String>) {
        let live: Vec<(Slot, bool)> = self.0.iter().map(|(slot, (_, silent))| (*slot, *silent)).collect();
        let opened = Index::open(options, &space("here"), directory, &live, |first, take| {
            self.0.range(first..).for_each(|(slot, (vector, _))| take(*slot, vector));
            Ok::<(), Infallible>(())
        });
        let Ok(opened) = opened;
        opened
    }

    /// An index that has no snapshot.
    fn index(&self, options: IndexOptions) -> Index {
        let (index, refused) = self.open(options, Path::new("/nonexistent/earmark"));
        assert_eq!(refused, None);
        index
    }

    /// Slots by brute force, best first, of those that `keep` keeps.
    fn nearest(&self, query: &Embedding, count: usize, keep: impl Fn(Slot, bool) -> bool) -> Vec<(Slot, f32)> {
        let kept = self.0.iter().filter(|(slot, (_, silent))| keep(**slot, *silent));
        let mut cosine = as_it_is_kept(query.as_slice());
        let mut all: Vec<(Slot, f32)> = kept.map(|(slot, (vector, _))| (*slot, cosine(vector))).collect();
        all.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        all.truncate(count);
        all
    }

    fn remove(&mut self, index: &Index, slot: Slot) {
        self.0.remove(&slot);
        index.remove(slot);
    }

    fn insert(&mut self, index: &Index, slot: Slot, vector: Embedding, silent: bool) {
        index.insert(slot, &vector, silent);
        self.0.insert(slot, (vector, silent));
    }
}

/// The cosine of the angle between a query and a vector, of which the index keeps values in half precision.
fn as_it_is_kept(query: &[f32]) -> impl FnMut(&Embedding) -> f32 {
    let (mut halves, mut values) = (vec![f16::ZERO; query.len()], vec![0f32; query.len()]);
    move |vector| {
        halves.convert_from_f32_slice(vector.as_slice());
        halves.convert_to_f32_slice(&mut values);
        let dot: f64 = query.iter().zip(&values).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum();
        dot.clamp(-1.0, 1.0) as f32
    }
}

/// Sums in f32 and f64 may rank vectors apart that are as good as equally near.
fn assert_equal(found: &[Neighbour], expected: &[(Slot, f32)]) {
    assert_eq!(found.len(), expected.len(), "{found:?}, expected {expected:?}");
    for (found, (slot, cosine)) in found.iter().zip(expected) {
        let near = (found.cosine - cosine).abs() < 1e-5;
        assert!(near, "{found:?}, expected {slot:?} at {cosine}");
    }
    let mut slots: Vec<Slot> = found.iter().map(|hit| hit.slot).collect();
    slots.sort_unstable();
    slots.dedup();
    assert_eq!(slots.len(), found.len(), "a slot was found twice");
    let ranked = |pair: &[Neighbour]| {
        (pair[0].cosine, pair[1].slot) > (pair[1].cosine, pair[0].slot) || pair[0].cosine > pair[1].cosine
    };
    assert!(found.windows(2).all(ranked), "not ranked: {found:?}");
}

fn maintain_fully(index: &Index) {
    let pieces = std::iter::repeat_with(|| index.maintain()).take(100_000).take_while(|&worked| worked).count();
    assert!(pieces < 100_000, "maintenance has no end");
}

/// Share of the exact answers that are found.
fn recall(index: &Index, oracle: &Oracle, queries: &[Embedding], count: usize) -> f64 {
    let mut hits = 0;
    for query in queries {
        let found: Vec<Slot> =
            index.search(query.as_slice(), nearest(count)).neighbours.iter().map(|hit| hit.slot).collect();
        assert_eq!(found.len(), count.min(oracle.0.len()));
        let expected = oracle.nearest(query, count, |_, silent| !silent);
        hits += expected.iter().filter(|(slot, _)| found.contains(slot)).count();
    }
    hits as f64 / (queries.len() * count) as f64
}

#[test]
fn without_a_graph_answers_are_those_of_brute_force() {
    let mut clusters = Clusters::new(1, 20, DIMENSION);
    // More than what one thread looks at, too.
    for size in [0, 1, 9, 700, 6_000] {
        let oracle = Oracle::of(&clusters.vectors(size, 0.8));
        let index = oracle.index(NO_GRAPH);
        assert!(!index.maintain());
        for query in clusters.vectors(5, 1.0) {
            for count in [0, 1, 10, 5_000, usize::MAX] {
                let expected = oracle.nearest(&query, count, |_, _| true);
                assert_equal(&index.search(query.as_slice(), nearest(count)).neighbours, &expected);
            }
        }
    }
}

#[test]
fn a_search_among_slots_can_be_exact_whatever_they_are() {
    let mut clusters = Clusters::new(2, 20, DIMENSION);
    let mut oracle = Oracle::of(&clusters.vectors(3_000, 0.8));
    let index = oracle.index(SMALL);
    let silent = clusters.vector(0.8);
    oracle.insert(&index, Slot(1), silent, true);
    maintain_fully(&index);
    let mut random = Random(3);
    for share in [0.0, 0.001, 0.1, 0.9] {
        // Every other slot, and all beyond 6,000, are not there.
        let mut slots: Vec<Slot> = (0..7_000).filter(|_| random.fraction() < share).map(Slot).collect();
        slots.extend([Slot(1), Slot(1), Slot(u32::MAX)]);
        let bitmap: RoaringBitmap = slots.iter().map(|slot| slot.0).collect();
        for query in clusters.vectors(5, 1.0) {
            let expected = oracle.nearest(&query, 20, |slot, _| slots.contains(&slot));
            let wanted = Wanted { effort: Effort::Exact, ..nearest(20) };
            let found = index.search_among(query.as_slice(), &bitmap, wanted);
            assert!(found.exact);
            assert_equal(&found.neighbours, &expected);
        }
    }
}

#[test]
fn of_equals_the_lowest_slots_are_found_by_the_graph_too() {
    let mut clusters = Clusters::new(4, 30, DIMENSION);
    let mut oracle = Oracle::of(&clusters.vectors(3_000, 0.8));
    let index = oracle.index(SMALL);
    let same = clusters.vector(0.8);
    let twins: Vec<Slot> = (0..500).map(|number| Slot(2 * (500 - number) + 1)).collect();
    twins.iter().for_each(|&slot| oracle.insert(&index, slot, same.clone(), false));
    maintain_fully(&index);
    assert!(index.stats().graph_nodes <= 3_001, "identical vectors have one node");
    let find =
        || index.search(same.as_slice(), nearest(10)).neighbours.iter().map(|hit| hit.slot.0).collect::<Vec<u32>>();
    assert_eq!(find(), [3, 5, 7, 9, 11, 13, 15, 17, 19, 21]);
    // The one that is in the graph goes; the others stay.
    index.remove(Slot(1_001));
    index.remove(Slot(3));
    assert_eq!(find(), [5, 7, 9, 11, 13, 15, 17, 19, 21, 23]);
}

#[test]
fn what_is_inserted_is_found_at_once_and_what_is_removed_never() {
    let mut clusters = Clusters::new(5, 30, DIMENSION);
    let mut oracle = Oracle::of(&clusters.vectors(3_000, 0.8));
    let index = oracle.index(SMALL);
    maintain_fully(&index);
    assert_eq!(index.stats().graph_nodes, 3_000);
    for slot in (1..401).step_by(2).map(Slot) {
        let vector = clusters.vector(0.8);
        oracle.insert(&index, slot, vector.clone(), false);
        let best = index.search(vector.as_slice(), nearest(1)).neighbours[0];
        assert!(best.slot == slot && best.cosine > 0.999);
    }
    // A whole neighbourhood goes, so that the graph's first candidates are all gone.
    let query = clusters.vector(0.8);
    for (slot, _) in oracle.nearest(&query, 450, |_, _| true) {
        oracle.remove(&index, slot);
        assert!(index.search(query.as_slice(), nearest(20)).neighbours.iter().all(|hit| hit.slot != slot));
    }
    assert_equal(&index.search(query.as_slice(), nearest(20)).neighbours, &oracle.nearest(&query, 20, |_, _| true));
    assert_eq!(index.stats().live, 2_750);
}

#[test]
fn a_slot_keeps_its_vector_and_may_come_back() {
    let index = Oracle::default().index(SMALL);
    let (first, second) = (unit(&[1.0, 0.0]), unit(&[0.0, 1.0]));
    index.insert(Slot(9), &first, false);
    index.insert(Slot(9), &second, false);
    assert_eq!(index.vector(Slot(9)), Some(first.clone()));
    index.remove(Slot(9));
    index.remove(Slot(9));
    assert_eq!((index.vector(Slot(9)), index.stats().live), (None, 0));
    index.insert(Slot(3), &second, false);
    index.insert(Slot(9), &first, false);
    let found = index.search(first.as_slice(), nearest(9)).neighbours;
    assert_eq!(found.iter().map(|hit| hit.slot.0).collect::<Vec<_>>(), [9, 3]);
}

#[test]
fn silence_is_found_only_when_it_is_wanted() {
    let mut clusters = Clusters::new(6, 30, DIMENSION);
    let mut oracle = Oracle::of(&clusters.vectors(2_000, 0.8));
    let index = oracle.index(SMALL);
    (0..300).for_each(|number| oracle.insert(&index, Slot(2 * number + 1), clusters.vector(0.8), true));
    maintain_fully(&index);
    oracle.insert(&index, Slot(9_001), clusters.vector(0.8), true);
    oracle.remove(&index, Slot(1));
    assert_eq!(index.stats().graph_nodes, 2_000, "silence is not in the graph");
    for query in clusters.vectors(20, 0.8) {
        for effort in [Effort::Calibrated, Effort::Exact] {
            let find = |silent| index.search(query.as_slice(), Wanted { count: 10, silent, effort }).neighbours;
            assert_equal(&find(true), &oracle.nearest(&query, 10, |_, _| true));
            assert_equal(&find(false), &oracle.nearest(&query, 10, |_, silent| !silent));
        }
    }
}

#[test]
fn nothing_is_near_a_query_that_is_no_direction() {
    let index = Oracle::of(&[unit(&[1.0, 0.0, 0.0])]).index(SMALL);
    let check = |query: &[f32], expected: usize| {
        let among = index.search_among(query, &RoaringBitmap::from([0]), nearest(5)).neighbours;
        let found = [index.search(query, nearest(5)).neighbours, among, index.background(query, 5)];
        assert!(found.iter().all(|found| found.len() == expected), "{query:?}: {found:?}");
    };
    check(&[1.0, 0.0, 0.0], 1);
    check(&[f32::MAX, f32::MAX, 0.0], 1);
    check(&[f32::MIN_POSITIVE, 0.0, 0.0], 1);
    // A direction that rounding has made is none.
    check(&[f32::from_bits(1), 0.0, 0.0], 0);
    check(&[0.0, f32::MIN_POSITIVE.next_down(), 0.0], 0);
    check(&[0.0, 0.0, 0.0], 0);
    check(&[f32::NAN, 0.0, 0.0], 0);
    check(&[1.0, f32::INFINITY, 0.0], 0);
    check(&[1.0, 0.0], 0);
    check(&[], 0);
    assert!(Oracle::default().index(SMALL).search(&[1.0], nearest(5)).neighbours.is_empty());
}

#[test]
fn how_long_a_query_is_does_not_matter() {
    let mut clusters = Clusters::new(8, 10, DIMENSION);
    let index = Oracle::of(&clusters.vectors(2_000, 0.8)).index(SMALL);
    maintain_fully(&index);
    for query in clusters.vectors(10, 0.8) {
        let expected = index.search(query.as_slice(), nearest(10)).neighbours;
        for factor in [2f32.powi(100), 2f32.powi(-100), 1.5] {
            let scaled: Vec<f32> = query.as_slice().iter().map(|value| value * factor).collect();
            let found = index.search(&scaled, nearest(10)).neighbours;
            let near = |(a, b): (&Neighbour, &Neighbour)| (a.cosine - b.cosine).abs() < 1e-5;
            assert!(found.len() == 10 && found.iter().zip(&expected).all(near), "{found:?}, expected {expected:?}");
        }
    }
}

#[test]
fn vectors_of_another_size_are_not_taken_in() {
    let mut oracle = Oracle::default();
    let index = oracle.index(SMALL);
    oracle.insert(&index, Slot(1), unit(&[1.0, 0.0, 0.0]), false);
    for other in [&[1.0, 0.0][..], &[1.0, 0.0, 0.0, 0.0], &[1.0]] {
        index.insert(Slot(2), &unit(other), false);
        assert_eq!((index.stats().live, index.vector(Slot(2))), (1, None));
    }
    // The slot is still free for one that fits.
    oracle.insert(&index, Slot(2), unit(&[0.0, 1.0, 0.0]), false);
    let query = unit(&[0.0, 1.0, 0.0]);
    assert_equal(&index.search(query.as_slice(), nearest(5)).neighbours, &oracle.nearest(&query, 5, |_, _| true));
    // Neither are they from the store.
    oracle.0.insert(Slot(3), (unit(&[1.0, 0.0]), false));
    assert_eq!(oracle.index(SMALL).stats().live, 2);
}

#[test]
fn the_background_is_spread_evenly_and_stays_the_same() {
    let mut clusters = Clusters::new(7, 10, DIMENSION);
    let mut oracle = Oracle::of(&clusters.vectors(100, 0.8));
    let index = oracle.index(SMALL);
    let query = clusters.vector(0.8);
    let slots = |count| index.background(query.as_slice(), count).iter().map(|hit| hit.slot.0).collect::<Vec<u32>>();
    assert_eq!(slots(4), [24, 74, 124, 174]);
    assert_eq!(slots(1_000), (0..100).map(|slot| 2 * slot).collect::<Vec<_>>());
    assert!(slots(0).is_empty());
    oracle.insert(&index, Slot(1), clusters.vector(0.8), true);
    assert_eq!(slots(4), [24, 74, 124, 174], "silence is left out");
    (0..50).for_each(|slot| oracle.remove(&index, Slot(2 * slot)));
    assert_eq!(slots(2), [124, 174]);
    let cosines = index.background(query.as_slice(), 5);
    let mut cosine = as_it_is_kept(query.as_slice());
    let mut expected = |hit: &Neighbour| cosine(&oracle.0[&hit.slot].0);
    assert!(cosines.iter().all(|hit| (hit.cosine - expected(hit)).abs() < 1e-5));
    // The same content in another order of insertion.
    let other = oracle.index(SMALL);
    assert_eq!(other.background(query.as_slice(), 7), index.background(query.as_slice(), 7));
}
