//! A trial: the graph is asked what is known, with more and more candidates.
//!
//! Goes on by one query at a time. First each is answered exactly; then all are asked with more and more candidates,
//! until enough is found; then, with as many, among fewer and fewer of the vectors, until too little is. Invariant: a
//! vector that is asked for is neither expected nor counted, nor are those that are identical.

use std::collections::HashSet;
use std::sync::{Arc, Weak};

use roaring::RoaringBitmap;

use super::super::arena::{Arena, NONE};
use super::super::beam::with_scratch;
use super::super::filtered::{depth, walk};
use super::super::generation::{Generation, NODES_A_CANDIDATE, SPARE, direction};
use super::super::links::Links;
use super::super::rows::Code;
use super::super::scan::{Best, Question};
use super::Calibration;

/// Vectors of the library that are asked for, at most; and of a small one at most one of so many.
const SAMPLE: usize = 100;
const ONE_OF: usize = 16;
/// How far queries of another modality are from the vectors they are like: the gap of the benchmark's queries.
const GAP: f32 = 1.5;
/// Fewer queries than this that were really asked say little.
const LEAST_ASKED: usize = 16;
/// Counts of neighbours that are tried.
const COUNTS: [usize; 3] = [1, 10, 100];
/// With walks, this of the counts is tried.
const WALKED_AT: usize = 1;
/// The first number of candidates; each of the next is larger by this part of it.
const FIRST: usize = 12;
const LARGER_BY: usize = 5;
/// What this many candidates do not find, more are not going to find in a reasonable time.
const MOST: usize = 4_096;
/// Exact answers that are kept of a query: those that walks look for are among them.
const KNOWN: usize = 1_000;
/// How deep walks are tried.
const DEPTHS: [f64; 13] = [40., 56., 71., 90., 112., 141., 178., 224., 282., 355., 447., 562., 708.];

/// Where queries come from; recall has to be reached with those of each kind.
const KINDS: usize = 3;

struct Query {
    kind: usize,
    values: Vec<f32>,
    /// The node that it was taken from.
    own: Option<u32>,
    /// Nodes, nearest first.
    truth: Vec<u32>,
}

/// Recall, summed up by kind.
#[derive(Clone, Copy, Default)]
struct Tally([(f64, usize); KINDS]);

impl Tally {
    /// Of the nodes that are found, nearest first, those are compared in full that may be among `count`.
    fn add(&mut self, query: &Query, found: &[u32], expected: &[u32], count: usize) {
        let found = &found[..found.len().min(count + SPARE)];
        let hits = expected.iter().filter(|node| found.contains(node)).count();
        if !expected.is_empty() {
            self.0[query.kind].0 += hits as f64 / expected.len() as f64;
            self.0[query.kind].1 += 1;
        }
    }

    /// Of the kind that has found the least.
    fn worst(&self) -> f64 {
        let asked = self.0.iter().filter(|(_, asked)| *asked > 0);
        asked.map(|&(sum, asked)| sum / asked as f64).fold(f64::INFINITY, f64::min)
    }
}

/// See the module's documentation.
pub(in crate::index) struct Trial {
    arena: Weak<Arena>,
    nodes: usize,
    target: f64,
    queries: Vec<Query>,
    next: usize,
    part: Part,
    /// Candidates found necessary, by count.
    needed: [Option<usize>; COUNTS.len()],
    /// How deep walks find enough.
    walked: f64,
}

/// What all queries are gone through for.
enum Part {
    Truth,
    /// With so many candidates; what was found, by count.
    Search(usize, [Tally; COUNTS.len()]),
    /// At this of the depths, among these.
    Walk(usize, RoaringBitmap, Tally),
}

impl Trial {
    pub(super) fn begin(current: &Generation, links: &Links, asked: Vec<Vec<f32>>, target: f64) -> Self {
        let mut queries = sampled(current, links);
        if asked.len() >= LEAST_ASKED {
            queries.extend(asked.into_iter().map(|values| Query { kind: 2, values, own: None, truth: Vec::new() }));
        }
        Self {
            arena: Arc::downgrade(&current.arena),
            nodes: links.nodes(),
            target,
            queries,
            next: 0,
            part: Part::Truth,
            needed: [None; COUNTS.len()],
            walked: 0.0,
        }
    }

    /// Whether positions mean in a generation what they mean here.
    pub(super) fn is_of(&self, current: &Generation) -> bool {
        std::ptr::eq(self.arena.as_ptr(), Arc::as_ptr(&current.arena))
    }

    /// Asks one query; answers what was found out when it is over.
    pub(super) fn go_on(&mut self, current: &Generation) -> Option<Calibration> {
        let Some(query) = self.queries.get_mut(self.next) else {
            self.next = 0;
            return self.end_part(current);
        };
        self.next += 1;
        let (rows, places) = current.arena.rows().zip(current.places())?;
        let code = Code::of(&query.values, rows.layout());
        let question = Question { arena: &current.arena, rows: &rows, query: &query.values, code: &code };
        match &mut self.part {
            Part::Truth => query.truth = truth(&question, places.links(), query.own),
            Part::Search(candidates, tallies) => {
                let found = with_scratch(|scratch| {
                    let found = scratch.search(&rows, places.links(), &code, None, *candidates);
                    found.iter().map(|&(_, node)| node).filter(|node| Some(*node) != query.own).collect::<Vec<u32>>()
                });
                for (tally, count) in tallies.iter_mut().zip(COUNTS) {
                    tally.add(query, &found, &query.truth[..count.min(query.truth.len())], count);
                }
            }
            Part::Walk(_, slots, tally) => {
                let candidates = self.needed[WALKED_AT].unwrap_or(MOST);
                let found: Vec<u32> = walk(&question, &places, slots, COUNTS[WALKED_AT], candidates)
                    .into_iter()
                    .filter(|node| Some(*node) != query.own)
                    .collect();
                let passes = |node: &u32| current.arena.entry(*node).is_some_and(|it| slots.contains(it.slot.0));
                let passing = query.truth.iter().copied().filter(passes);
                let expected: Vec<u32> = passing.take(COUNTS[WALKED_AT]).collect();
                tally.add(query, &found, &expected, COUNTS[WALKED_AT]);
            }
        }
        None
    }

    /// Goes on to the next part; answers what was found out if there is none.
    fn end_part(&mut self, current: &Generation) -> Option<Calibration> {
        let next_depth = match &self.part {
            Part::Truth => {
                self.part = Part::Search(FIRST, Default::default());
                return None;
            }
            Part::Search(candidates, tallies) => {
                let larger = candidates + candidates.div_ceil(LARGER_BY);
                for (needed, tally) in self.needed.iter_mut().zip(tallies) {
                    // One more step makes up for the chance by which these queries are easier than others.
                    *needed = needed.or((tally.worst() >= self.target).then_some(larger));
                }
                let most = MOST.min(self.nodes / NODES_A_CANDIDATE);
                if larger < most && self.needed.contains(&None) {
                    self.part = Part::Search(larger, Default::default());
                    return None;
                }
                self.needed[WALKED_AT].map(|_| 0)
            }
            Part::Walk(at, _, tally) if tally.worst() >= self.target => {
                self.walked = DEPTHS[*at];
                Some(at + 1)
            }
            Part::Walk(..) => None,
        };
        if let Some((at, &deep)) = next_depth.and_then(|at| Some((at, DEPTHS.get(at)?))) {
            let share = depth(COUNTS[WALKED_AT], 1.0) / deep;
            self.part = Part::Walk(at, some_nodes(current, share), Tally::default());
            return None;
        }
        let needed = COUNTS.into_iter().zip(self.needed).map(|(count, needed)| (count, needed.unwrap_or(usize::MAX)));
        Some(Calibration::new(needed.collect(), self.walked, self.nodes))
    }
}

/// Nodes spread evenly over the graph as queries, and the same moved all one way.
fn sampled(current: &Generation, links: &Links) -> Vec<Query> {
    let Some(rows) = current.arena.rows() else { return Vec::new() };
    let nodes = current.nodes_below(links.covered());
    let count = SAMPLE.min(nodes.len() / ONE_OF);
    let gap = one_direction(rows.layout().dimension);
    let mut queries = Vec::with_capacity(2 * count);
    for index in 0..count {
        let own = nodes[(2 * index + 1) * nodes.len() / (2 * count)];
        let values: Vec<f32> = rows.values(own).iter().map(|value| value.to_f32()).collect();
        let moved: Vec<f32> = values.iter().zip(&gap).map(|(value, gap)| value + GAP * gap).collect();
        for (kind, values) in [values, moved].into_iter().enumerate() {
            if let Some(values) = direction(&values, &current.arena) {
                queries.push(Query { kind, values: values.into_owned(), own: Some(own), truth: Vec::new() });
            }
        }
    }
    queries
}

/// The nodes nearest to a question but for its own, nearest first, by looking at all.
fn truth(question: &Question<'_>, links: &Links, own: Option<u32>) -> Vec<u32> {
    let mut best = Best::new(KNOWN);
    question.scan_range(&mut best, 0..links.covered(), false);
    let mut known = HashSet::new();
    let node = |slot| Some(question.arena.entry(question.arena.position(slot)?)?.node());
    let nodes = best.into_neighbours().into_iter().filter_map(|hit| node(hit.slot));
    nodes.filter(|&node| node != NONE && Some(node) != own && known.insert(node)).collect()
}

/// Slots of about this share of the live nodes, which have nothing in common.
fn some_nodes(current: &Generation, share: f64) -> RoaringBitmap {
    let covered = current.links().map_or(0, |links| links.covered());
    let nodes = current.nodes_below(covered).into_iter().filter_map(|node| current.arena.entry(node));
    let live = nodes.filter(|entry| entry.is_live()).map(|entry| entry.slot.0);
    live.filter(|&slot| fraction(u64::from(slot)) < share).collect()
}

/// A direction that has nothing to do with any vector, always the same one.
fn one_direction(dimension: usize) -> Vec<f32> {
    // The sum of a few is about normally distributed, so that no axis is preferred.
    let value = |index: u64| (0..4).map(|part| fraction(4 * index + part) as f32 - 0.5).sum::<f32>();
    let values: Vec<f32> = (0..dimension as u64).map(value).collect();
    let norm = values.iter().map(|value| value * value).sum::<f32>().sqrt();
    values.into_iter().map(|value| value / norm.max(f32::MIN_POSITIVE)).collect()
}

/// A number in [0, 1) that looks as if it were drawn at random (the finisher of SplitMix64).
fn fraction(number: u64) -> f64 {
    let mut mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_kind_counts_and_one_that_was_not_asked_does_not() {
        let query = |kind| Query { kind, values: Vec::new(), own: None, truth: Vec::new() };
        let mut tally = Tally::default();
        tally.add(&query(0), &[3, 1, 2], &[1, 2], 2);
        tally.add(&query(2), &[3, 1, 4], &[1, 2], 2);
        tally.add(&query(2), &[9], &[], 2);
        assert_eq!(tally.worst(), 0.5);
        // Only as many as are compared in full are found.
        let mut found: Vec<u32> = (10..10 + 2 + SPARE as u32).collect();
        found.push(1);
        tally.add(&query(2), &found, &[1], 2);
        assert_eq!(tally.worst(), 0.25);
    }

    #[test]
    fn the_direction_is_one_and_shares_are_kept() {
        let gap = one_direction(1_024);
        assert!((gap.iter().map(|value| value * value).sum::<f32>() - 1.0).abs() < 1e-5);
        assert!(gap.iter().sum::<f32>().abs() < 4.0 && gap.iter().all(|value| value.abs() < 0.2));
        let kept = (0..100_000).filter(|&slot| fraction(slot) < 0.1).count();
        assert!((9_700..10_300).contains(&kept), "{kept}");
    }
}
