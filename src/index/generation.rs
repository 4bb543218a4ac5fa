//! A generation: an arena and the graph over its first positions. Searches ask one generation and nothing else.
//!
//! The graph has taken all positions below [`Links::covered`]; the tail behind it is looked at exactly, so a vector is
//! found as soon as it is in the arena. Of identical vectors one is in the graph and stands for the others, for a graph
//! cannot tell them apart and loses some; silent ones are not in it at all.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, RwLock};

use super::arena::Arena;
use super::beam::with_scratch;
use super::calibrate::Calibration;
use super::filtered::Places;
use super::kernels::Kernels;
use super::links::Links;
use super::rows::Code;
use super::scan::{Best, Question};
use super::weave::{Forward, Loom, better, relink, weave};
use super::{Effort, Found, Wanted, lock, read, write};

/// A search in the graph looks at about this many nodes for each candidate, in an order that no cache foresees: asked
/// for more candidates than this share of the nodes, looking at all of them is as fast.
pub(super) const NODES_A_CANDIDATE: usize = 16;
/// Of the candidates of a search, so many more than are wanted are compared in full: the order of codes is not quite
/// that of vectors. Measured at 100,000 vectors: the ten nearest are among the twenty whose codes are nearest.
pub(super) const SPARE: usize = 10;
/// A graph is refined once more than this part of its nodes might have better links. Measured at 100,000 nodes woven in
/// two halves: recall@10 with 32 candidates 0.969, refined 0.990.
const REFINED_ABOVE: usize = 5;
/// Nodes that are refined in one piece of work, half a second of it.
const REFINED_AT_ONCE: usize = 8_192;
/// A node that a draft had put far from its like counts as so many: others like it were not noticed.
const CORRECTED_COUNTS: usize = 2;
/// Of the nodes that a refinement has corrected, one of so many still might have better links.
const CORRECTED_AGAIN: usize = 2;
/// What is spread over the index is chosen anew when more than this part of it has come or gone.
const SPREAD_ANEW: usize = 64;
/// Vectors that are asked for ahead of the one that is compared in full.
const AHEAD: usize = 3;

/// How far nodes have got the best links that the graph can give them. They are served once all nodes have them: a node
/// whose links were chosen before those of others would have too many links back.
#[derive(Default)]
struct Refinement {
    /// About how many nodes might have better links.
    debt: usize,
    /// The next position to be refined; 0 before the first.
    next: u32,
    /// The links of the nodes below it.
    forward: Vec<Vec<u32>>,
    /// How many of these nodes were corrected.
    corrected: usize,
}

/// See the module's documentation.
pub(super) struct Generation {
    pub(super) arena: Arc<Arena>,
    links: RwLock<Option<Arc<Links>>>,
    /// Of the same links.
    places: RwLock<Option<Arc<Places>>>,
    /// How many candidates a search needs. Found out for the graph as it was a while ago.
    pub(super) calibration: RwLock<Arc<Calibration>>,
    /// Nodes by the digest of their vectors, once somebody has asked. Used by whoever maintains, only.
    nodes: Mutex<Option<HashMap<u64, u32>>>,
    /// Used by whoever maintains, only.
    refinement: Mutex<Refinement>,
    /// The library that drafts has failed; this generation's graph grows no more.
    failed: AtomicBool,
    audible: Mutex<Option<(u64, Arc<[u32]>)>>,
}

impl Generation {
    /// A generation whose arena has registered what the graph's nodes stand for, if there is a graph.
    pub(super) fn new(arena: Arc<Arena>, links: Option<Links>) -> Self {
        let links = links.map(Arc::new);
        let places = links.clone().map(|links| Arc::new(Places::new(&arena, links)));
        Self {
            arena,
            links: RwLock::new(links),
            places: RwLock::new(places),
            calibration: RwLock::default(),
            nodes: Mutex::new(None),
            refinement: Mutex::default(),
            failed: AtomicBool::new(false),
            audible: Mutex::new(None),
        }
    }

    pub(super) fn links(&self) -> Option<Arc<Links>> {
        read(&self.links).clone()
    }

    /// The places of the graph, with it.
    pub(super) fn places(&self) -> Option<Arc<Places>> {
        read(&self.places).clone()
    }

    /// Whether its graph grows no more.
    pub(super) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    /// Positions that the graph, if there is one, has not taken.
    pub(super) fn tail(&self) -> u32 {
        self.links().map_or(0, |links| self.arena.len() - links.covered())
    }

    /// The nearest to `query`, which is of unit length.
    pub(super) fn search(&self, query: &[f32], wanted: Wanted) -> Found {
        // Before the rows: those of all of these positions are among them.
        let (links, len) = (self.links(), self.arena.len());
        let Some(rows) = self.arena.rows() else { return Found::default() };
        let code = Code::of(query, rows.layout());
        let question = Question { arena: &self.arena, rows: &rows, query, code: &code };
        let mut best = Best::new(wanted.count);
        let near = links.as_deref().and_then(|links| Some((self.near(&question, links, wanted)?, links.covered())));
        let exact = near.is_none();
        match near {
            None => question.scan_range(&mut best, 0..len, wanted.silent),
            Some((near, covered)) => {
                for (index, &position) in near.iter().enumerate() {
                    if let Some(&ahead) = near.get(index + AHEAD) {
                        Kernels::prefetch(rows.values(ahead));
                    }
                    best.offer(&question, position);
                }
                question.scan_range(&mut best, covered..len, wanted.silent);
                if wanted.silent {
                    question.scan_positions(&mut best, &self.arena.silent_below(covered));
                }
            }
        }
        Found { neighbours: best.into_neighbours(), exact }
    }

    /// Live positions that the graph has taken, among which are the nearest, as far as it can tell; nothing if looking
    /// at all vectors is asked for, or as fast, or the only way to have so many.
    fn near(&self, question: &Question<'_>, links: &Links, wanted: Wanted) -> Option<Vec<u32>> {
        let mut candidates = match wanted.effort {
            Effort::Exact => return None,
            Effort::Calibrated => read(&self.calibration).candidates(wanted.count),
            Effort::Candidates(candidates) => candidates.max(wanted.count),
        };
        let is_live = |&position: &u32| position < links.covered() && self.arena.is_live(position);
        while candidates.saturating_mul(NODES_A_CANDIDATE) < links.nodes() {
            let ranked = wanted.count.saturating_add(SPARE);
            let mut near = Vec::with_capacity(ranked.min(candidates));
            let mut live_nodes = 0;
            with_scratch(|scratch| {
                for &(_, node) in scratch.search(question.rows, links, question.code, None, candidates) {
                    let before = near.len();
                    if before < ranked {
                        near.extend(self.arena.twins(node).filter(is_live));
                        live_nodes += usize::from(near.len() > before);
                    } else {
                        live_nodes += usize::from(self.arena.twins(node).any(|twin| is_live(&twin)));
                    }
                }
            });
            // What was removed takes the places of what is there.
            if near.len() >= wanted.count && live_nodes >= candidates / 4 * 3 {
                return Some(near);
            }
            candidates *= 2;
        }
        None
    }

    /// Takes the positions in `range`, which begins where the graph ends, into the graph. Only one thread at a time may
    /// do this.
    pub(super) fn cover(&self, range: Range<u32>, loom: Loom) {
        let Some(rows) = self.arena.rows() else { return };
        let links = self.links();
        let fresh = self.new_nodes(range.clone());
        let nodes = self.nodes_below(range.end);
        match weave(&rows, links.as_deref(), &nodes, &fresh, range.end, loom) {
            Ok((woven, corrected)) => {
                let late = if links.is_some() { fresh.len() } else { 0 };
                self.owe(late + CORRECTED_COUNTS * corrected);
                self.serve(woven);
            }
            Err(reason) => {
                tracing::error!("the graph is built anew, as it failed: {reason}");
                self.failed.store(true, Ordering::Release);
            }
        }
    }

    /// Notes that so many more nodes might have better links.
    pub(super) fn owe(&self, nodes: usize) {
        lock(&self.refinement).debt += nodes;
    }

    /// About how many nodes might have better links.
    pub(super) fn debt(&self) -> usize {
        let refinement = lock(&self.refinement);
        // What has been begun and not ended is begun again by another process.
        if refinement.next == 0 { refinement.debt } else { self.arena.live_audible() }
    }

    /// Makes the links of some nodes better, if those of too many could be. `false` if there is no need.
    pub(super) fn refine(&self, loom: Loom) -> bool {
        let (Some(rows), Some(links)) = (self.arena.rows(), self.links()) else { return false };
        let mut refinement = lock(&self.refinement);
        if refinement.next == 0 && refinement.debt <= links.nodes() / REFINED_ABOVE {
            return false;
        }
        let nodes = self.nodes_below(links.covered());
        let begin = nodes.partition_point(|&node| node < refinement.next);
        let end = nodes.len().min(begin + REFINED_AT_ONCE);
        let Forward { links: forward, corrected } = better(&rows, &links, &nodes[begin..end], loom);
        refinement.forward.extend(forward);
        refinement.corrected += corrected;
        refinement.next = nodes.get(end).copied().unwrap_or(0);
        if refinement.next == 0 {
            let done = std::mem::take(&mut *refinement);
            self.serve(relink(&rows, links.covered(), &nodes, done.forward, loom));
            // Where many had to be corrected, some still may have to be.
            refinement.debt = done.corrected / CORRECTED_AGAIN;
        }
        true
    }

    /// Lets a graph be searched from now on.
    pub(super) fn serve(&self, links: Links) {
        let links = Arc::new(links);
        let places = Arc::new(Places::new(&self.arena, links.clone()));
        let old = write(&self.links).replace(links);
        let old_places = write(&self.places).replace(places);
        drop((old, old_places));
    }

    /// Positions below `end` that are nodes of their own, ascending.
    pub(super) fn nodes_below(&self, end: u32) -> Vec<u32> {
        let is_node = |&position: &u32| self.arena.entry(position).is_some_and(|entry| entry.node() == position);
        (0..end).filter(is_node).collect()
    }

    /// Those of the positions that need a node of their own; the others are left to the nodes of identical vectors.
    pub(super) fn new_nodes(&self, range: Range<u32>) -> Vec<u32> {
        let Some(rows) = self.arena.rows() else { return Vec::new() };
        let mut known = lock(&self.nodes);
        let nodes = known.get_or_insert_with(|| {
            let nodes = self.nodes_below(range.start);
            nodes.into_iter().filter_map(|node| Some((self.arena.entry(node)?.digest, node))).collect()
        });
        let mut new = Vec::new();
        for position in range {
            let entry = self.arena.entry(position).filter(|entry| entry.is_live() && !entry.silent);
            let Some(entry) = entry else { continue };
            let twin = nodes.get(&entry.digest).copied();
            match twin.filter(|&node| rows.values(node) == rows.values(position)) {
                Some(node) => self.arena.stand_for(node, position),
                None => {
                    nodes.insert(entry.digest, position);
                    self.arena.stand_for(position, position);
                    new.push(position);
                }
            }
        }
        new
    }

    /// Nodes of the graph whose vectors were removed.
    pub(super) fn removed_nodes(&self, links: &Links) -> usize {
        self.nodes_below(links.covered()).into_iter().filter(|&node| !self.arena.is_live(node)).count()
    }

    /// Up to `count` positions of vectors that are not silent, spread evenly over their slots.
    pub(super) fn spread(&self, count: usize) -> Vec<u32> {
        let audible = self.audible();
        let total = audible.len();
        let picked = |index: usize| audible[(2 * index + 1) * total / (2 * count)];
        if total <= count { audible.to_vec() } else { (0..count).map(picked).collect() }
    }

    /// Positions that are not silent, by slot, and live but for the last few that went. Kept until enough has changed
    /// to matter: to list them takes longer than a search.
    fn audible(&self) -> Arc<[u32]> {
        let changes = self.arena.changes();
        let mut kept = lock(&self.audible);
        let recent = |positions: &[u32]| (positions.len() / SPREAD_ANEW) as u64;
        if let Some((_, positions)) = kept.as_ref().filter(|(at, positions)| changes - at <= recent(positions)) {
            return positions.clone();
        }
        let entries = (0..self.arena.len()).filter_map(|position| Some((position, self.arena.entry(position)?)));
        let audible = entries.filter(|(_, entry)| entry.is_live() && !entry.silent);
        let mut audible: Vec<_> = audible.map(|(position, entry)| (entry.slot, position)).collect();
        audible.sort_unstable();
        let positions: Arc<[u32]> = audible.into_iter().map(|(_, position)| position).collect();
        *kept = Some((changes, positions.clone()));
        positions
    }
}

/// A query as a direction: finite, of unit length, of as many values as the vectors. Nothing if it points nowhere, or
/// is so short that rounding has made its direction.
pub(super) fn direction<'a>(query: &'a [f32], arena: &Arena) -> Option<Cow<'a, [f32]>> {
    if arena.dimension() != Some(query.len()) || query.iter().any(|value| !value.is_finite()) {
        return None;
    }
    // Most are of unit length, which single precision can tell.
    let unit = |norm: f64| (norm - 1.0).abs() < UNIT_TOLERANCE;
    if unit(f64::from(Kernels::best().dot(query, query)).sqrt()) {
        return Some(Cow::Borrowed(query));
    }
    let norm = query.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt();
    (norm >= f64::from(f32::MIN_POSITIVE))
        .then(|| query.iter().map(|&value| (f64::from(value) / norm) as f32).collect())
}

/// How far from 1 rounding takes the length of a unit vector, generously.
const UNIT_TOLERANCE: f64 = 1e-4;
