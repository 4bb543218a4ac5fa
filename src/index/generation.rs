//! A generation: an arena and the graph over its first positions. Searches ask one generation and nothing else.
//!
//! The graph has taken all positions below [`Covering::covered`]; the tail behind it is looked at exactly, so a vector
//! is found as soon as it is in the arena. Of identical vectors one is in the graph and stands for the others, for a
//! graph cannot tell them apart and loses some; silent ones are not in it at all.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, RwLock};

use super::arena::{Arena, Entry, Stored};
use super::graph::Graph;
use super::scan::{scan_positions, scan_range};
use super::{IndexOptions, Neighbour, Wanted, lock, read, write};

/// A search in the graph looks at about this many nodes for each candidate, in an order that no cache foresees: asked
/// for more candidates than this share of the nodes, looking at all of them is as fast.
const NODES_A_CANDIDATE: usize = 16;

/// A graph and how far it has come.
pub(super) struct Covering {
    pub(super) graph: Graph,
    covered: AtomicU32,
    /// Nodes by the digest of their vectors. Used by whoever maintains, only.
    nodes: Mutex<HashMap<u64, u32>>,
}

impl Covering {
    /// Positions that the graph has taken.
    pub(super) fn covered(&self) -> u32 {
        self.covered.load(Ordering::Acquire)
    }
}

/// See the module's documentation.
pub(super) struct Generation {
    pub(super) arena: Arc<Arena>,
    covering: RwLock<Option<Arc<Covering>>>,
    /// The graph has failed; this generation will have no other.
    failed: AtomicBool,
    audible: Mutex<Option<(u64, Arc<[u32]>)>>,
}

impl Generation {
    pub(super) fn new(arena: Arena) -> Self {
        let (covering, failed) = (RwLock::new(None), AtomicBool::new(false));
        Self { arena: Arc::new(arena), covering, failed, audible: Mutex::new(None) }
    }

    /// A generation with a graph that has been loaded over `arena`, the first `covered` positions of which it has.
    pub(super) fn with_graph(arena: Arc<Arena>, graph: Graph, covered: u32) -> Self {
        let own = |&position: &u32| arena.entry(position).is_some_and(|entry| entry.node() == position);
        let digest = |position| arena.entry(position).map(|entry| (entry.stored.digest, position));
        let nodes = Mutex::new((0..covered).filter(own).filter_map(digest).collect());
        let covering = Covering { graph, covered: AtomicU32::new(covered), nodes };
        let covering = RwLock::new(Some(Arc::new(covering)));
        Self { arena, covering, failed: AtomicBool::new(false), audible: Mutex::new(None) }
    }

    pub(super) fn covering(&self) -> Option<Arc<Covering>> {
        read(&self.covering).clone()
    }

    /// Whether its graph was lost.
    pub(super) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    /// Positions that the graph, if there is one, has not taken.
    pub(super) fn tail(&self) -> u32 {
        self.covering().map_or(0, |covering| self.arena.len() - covering.covered())
    }

    /// The nearest to `query`, which is of unit length.
    pub(super) fn search(&self, query: &[f32], wanted: Wanted, least: usize) -> Vec<Neighbour> {
        let (arena, count) = (&self.arena, wanted.count);
        let exact = || scan_range(arena, query, count, 0..arena.len(), wanted.silent).into_neighbours();
        let Some(covering) = self.covering().filter(|_| !wanted.exact) else { return exact() };
        let covered = covering.covered();
        let Some(found) = self.live_near(&covering, query, count, least, covered) else { return exact() };
        let mut best = scan_range(arena, query, count, covered..arena.len(), wanted.silent);
        if wanted.silent {
            best = best.merge(scan_positions(arena, query, count, &arena.silent_below(covered)));
        }
        best.merge(scan_positions(arena, query, count, &found)).into_neighbours()
    }

    /// Live positions below `covered` among which are the `count` nearest, as far as the graph can tell; nothing if
    /// looking at all vectors is faster, or the only way to have that many.
    fn live_near(
        &self,
        covering: &Covering,
        query: &[f32],
        count: usize,
        least: usize,
        covered: u32,
    ) -> Option<Vec<u32>> {
        let is_live = |&position: &u32| position < covered && self.arena.entry(position).is_some_and(Entry::is_live);
        // The last of the candidates are not as surely the nearest as the first.
        let mut candidates = least.max(count.saturating_add(count / 2));
        let enough = count.max(candidates / 4 * 3);
        while candidates.saturating_mul(NODES_A_CANDIDATE) < covering.graph.nodes() {
            let found = match covering.graph.search(query, candidates) {
                Ok(found) => found,
                Err(reason) => {
                    self.lose_graph(&reason);
                    return None;
                }
            };
            let live: Vec<u32> = found.iter().flat_map(|&node| self.arena.twins(node)).filter(is_live).collect();
            if live.len() >= enough {
                return Some(live);
            }
            candidates *= 2;
        }
        None
    }

    /// Brings up to `count` more positions into the graph, which is started if there are vectors enough for one.
    /// `false` if there is nothing to do. Only one thread at a time may do this.
    pub(super) fn cover(&self, count: u32, options: &IndexOptions) -> bool {
        if self.has_failed() {
            return false;
        }
        let covering = match self.covering() {
            Some(covering) => covering,
            None if self.arena.live_audible() < options.exact_below.max(1) => return false,
            None => {
                let graph = Graph::new(self.arena.clone(), options);
                let covering = Covering { graph, covered: AtomicU32::new(0), nodes: Mutex::default() };
                write(&self.covering).insert(Arc::new(covering)).clone()
            }
        };
        let start = covering.covered();
        let end = self.arena.len().min(start.saturating_add(count));
        let nodes = self.new_nodes(&covering, start, end);
        match covering.graph.insert(&nodes) {
            Ok(()) => covering.covered.store(end, Ordering::Release),
            Err(reason) => self.lose_graph(&reason),
        }
        start < end
    }

    /// Those of the positions that need a node of their own; the others are left to the nodes of identical vectors.
    fn new_nodes(&self, covering: &Covering, start: u32, end: u32) -> Vec<u32> {
        let mut nodes = lock(&covering.nodes);
        let mut new = Vec::new();
        for position in start..end {
            let Some(entry) = self.arena.entry(position).filter(|entry| entry.is_live()) else { continue };
            let stored = &entry.stored;
            if stored.silent {
                continue;
            }
            let twin = nodes.get(&stored.digest).copied();
            match twin.filter(|&node| self.arena.vector(node) == &*stored.vector) {
                Some(node) => self.arena.stand_for(node, position),
                None => {
                    nodes.insert(stored.digest, position);
                    self.arena.stand_for(position, position);
                    new.push(position);
                }
            }
        }
        new
    }

    fn lose_graph(&self, reason: &str) {
        tracing::error!("the graph is dropped and built anew, as it failed: {reason}");
        self.failed.store(true, Ordering::Release);
        let lost = write(&self.covering).take();
        drop(lost);
    }

    /// Nodes of the graph whose vectors were removed.
    pub(super) fn removed_nodes(&self, covering: &Covering) -> usize {
        let entries = (0..covering.covered()).filter_map(|position| Some((position, self.arena.entry(position)?)));
        entries.filter(|(position, entry)| entry.node() == *position && !entry.is_live()).count()
    }

    /// Vectors that can be found, in the order of their positions.
    pub(super) fn live(&self, start: u32, end: u32) -> impl Iterator<Item = Stored> {
        let entries = (start..end).filter_map(|position| self.arena.entry(position));
        entries.filter(|entry| entry.is_live()).map(|entry| entry.stored.clone())
    }

    /// Up to `count` positions of vectors that are not silent, spread evenly over their slots.
    pub(super) fn spread(&self, count: usize) -> Vec<u32> {
        let audible = self.audible();
        let total = audible.len();
        let picked = |index: usize| audible[(2 * index + 1) * total / (2 * count)];
        if total <= count { audible.to_vec() } else { (0..count).map(picked).collect() }
    }

    /// Live positions that are not silent, by slot. Kept until anything changes.
    fn audible(&self) -> Arc<[u32]> {
        let changes = self.arena.changes();
        let mut kept = lock(&self.audible);
        if let Some((_, positions)) = kept.as_ref().filter(|(at, _)| *at == changes) {
            return positions.clone();
        }
        let entries = (0..self.arena.len()).filter_map(|position| Some((position, self.arena.entry(position)?)));
        let audible = entries.filter(|(_, entry)| entry.is_live() && !entry.stored.silent);
        let mut audible: Vec<_> = audible.map(|(position, entry)| (entry.stored.slot, position)).collect();
        audible.sort_unstable();
        let positions: Arc<[u32]> = audible.into_iter().map(|(_, position)| position).collect();
        *kept = Some((changes, positions.clone()));
        positions
    }
}

/// A query as a direction: finite, of unit length, of as many values as the vectors. Nothing if it points nowhere.
pub(super) fn direction<'a>(query: &'a [f32], arena: &Arena) -> Option<Cow<'a, [f32]>> {
    if arena.dimension() != Some(query.len()) || query.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let norm = query.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt();
    if norm == 0.0 {
        return None;
    }
    if (norm - 1.0).abs() < UNIT_TOLERANCE {
        return Some(Cow::Borrowed(query));
    }
    Some(query.iter().map(|&value| (f64::from(value) / norm) as f32).collect())
}

/// How far from 1 rounding takes the length of a unit vector, generously.
const UNIT_TOLERANCE: f64 = 1e-4;
