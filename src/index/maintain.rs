//! What an index does when nobody is waiting: bringing vectors into the graph, and leaving removed ones behind.
//!
//! Removal only marks. Once too many are marked, a new generation is made of what is left: its rows are copied, its
//! graph is woven from the old one; then it takes the place of the old one, which has served meanwhile. Invariant: what
//! comes or goes meanwhile reaches both.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;

use super::arena::{Arena, Entry, NONE};
use super::generation::Generation;
use super::links::Links;
use super::weave::{Loom, reweave};
use super::{Index, lock, write};
use crate::library::Slot;

/// As many vectors behind the graph are worth weaving in as one of so many nodes, within bounds: few, because every
/// search looks at each of them, but all links are copied each time. Measured at 20,000 nodes: with 128, a search takes
/// a third longer while vectors are added at full speed, with 512 twice as long.
const WORTH_ONE_OF: usize = 256;
const LEAST_WORTH: usize = 128;
const MOST_WORTH: usize = 1_024;
/// Once nothing comes any more, fewer are worth while.
const REST_ONE_OF: usize = 4_096;
const LEAST_REST: usize = 32;
/// So many times as many as are worth while, and whoever adds another one helps.
const LONGEST_TAIL: u32 = 2;
/// Positions that a graph takes in one piece of work, so that a draft needs no more than half a gigabyte.
const COVERED_AT_ONCE: u32 = 262_144;
/// Rows that a new generation takes over at once, while insertions wait: a few milliseconds.
const COPIED_AT_ONCE: u32 = 4_096;
/// A graph that fails this often is left alone until something else is a reason to build it anew.
const MOST_FAILURES: u32 = 3;

/// What those who maintain must remember from one piece of work to the next.
#[derive(Default)]
pub(super) struct Maintenance {
    failures: u32,
    /// Positions there were the last time.
    before: u32,
}

/// What those who add and remove must know.
#[derive(Default)]
pub(super) struct Writer {
    next: Option<Next>,
}

/// The generation that is being made.
struct Next {
    generation: Arc<Generation>,
    /// Where the rows of the current generation are in the next, as far as they have been copied.
    moved: Vec<u32>,
    /// It has all of them, so that what is added must be added here, too.
    caught_up: bool,
}

impl Writer {
    /// What has been added to the current generation.
    pub(super) fn add(&mut self, slot: Slot, vector: &[f32], silent: bool) {
        if let Some(next) = self.next.as_ref().filter(|next| next.caught_up) {
            next.generation.arena.add(slot, vector, silent);
        }
    }

    /// What has been removed from the current generation.
    pub(super) fn remove(&self, slot: Slot) {
        if let Some(next) = &self.next {
            next.generation.arena.remove(slot);
        }
    }
}

impl Index {
    /// Does one bounded piece of what is due: bringing vectors into the graph, or making it anew. `false` if nothing
    /// is. Meant to be called again and again by a thread of its own; searches and insertions go on meanwhile.
    pub fn maintain(&self) -> bool {
        let mut maintenance = lock(&self.maintenance);
        let next = lock(&self.writer).next.as_ref().map(|next| next.caught_up);
        match next {
            Some(false) => self.copy_on(),
            Some(true) => self.replace(),
            None => {
                let current = self.current();
                if !self.compaction_due(&current, &mut maintenance) {
                    let calm = std::mem::replace(&mut maintenance.before, current.arena.len()) == current.arena.len();
                    return self.cover(&current, calm) || current.refine(self.loom()) || self.calibrate(&current);
                }
                let generation = Arc::new(Generation::new(Arc::default(), None));
                lock(&self.writer).next = Some(Next { generation, moved: Vec::new(), caught_up: false });
            }
        }
        true
    }

    /// Helps to bring into the graph what is behind it, if that is so much that searches suffer.
    pub(super) fn help(&self) {
        let falls_behind = || {
            let current = self.current();
            let nodes = current.links().map_or(0, |links| links.nodes());
            current.tail() > LONGEST_TAIL * worth_covering(nodes) && !current.has_failed()
        };
        while falls_behind() && self.maintain() {}
    }

    /// Brings what is behind the graph into it, if that is worth while. A graph is begun if there are vectors enough.
    fn cover(&self, current: &Generation, calm: bool) -> bool {
        let links = current.links();
        let due = match &links {
            Some(links) => current.tail() >= if calm { rest(links.nodes()) } else { worth_covering(links.nodes()) },
            None => current.arena.live_audible() >= self.options.exact_below.max(1),
        };
        if current.has_failed() || !due {
            return false;
        }
        let begin = links.map_or(0, |links| links.covered());
        let end = current.arena.len().min(begin.saturating_add(COVERED_AT_ONCE));
        current.cover(begin..end, self.loom());
        true
    }

    fn loom(&self) -> Loom {
        let threads = match self.options.threads {
            0 => thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        };
        Loom { links: self.options.links, candidates: self.options.construction_candidates, threads }
    }

    fn compaction_due(&self, current: &Generation, maintenance: &mut Maintenance) -> bool {
        let requested = self.compaction_requested.swap(false, Ordering::AcqRel);
        let failed = current.has_failed() && maintenance.failures < MOST_FAILURES;
        maintenance.failures += u32::from(failed);
        let positions = current.arena.len() as usize;
        let removed = positions.saturating_sub(current.arena.live());
        requested || failed || removed as f64 > self.options.compact_above * positions as f64
    }

    /// Copies some more rows into the next generation.
    fn copy_on(&self) {
        let mut writer = lock(&self.writer);
        let current = self.current();
        let Some(next) = &mut writer.next else { return };
        let begin = next.moved.len() as u32;
        let end = current.arena.len().min(begin.saturating_add(COPIED_AT_ONCE));
        let rows = current.arena.rows();
        for position in begin..end {
            let taken = rows.as_ref().is_some_and(|rows| {
                current.arena.is_live(position) && next.generation.arena.take_over(&current.arena, rows, position)
            });
            next.moved.push(if taken { next.generation.arena.len() - 1 } else { NONE });
        }
        next.caught_up = end == current.arena.len();
    }

    /// Gives the next generation its graph, and lets it serve.
    fn replace(&self) {
        let (next, moved) = match &mut lock(&self.writer).next {
            Some(next) => (next.generation.clone(), std::mem::take(&mut next.moved)),
            None => return,
        };
        let current = self.current();
        if let Some(links) = current.links().filter(|_| !current.has_failed()) {
            self.reweave(&current, &links, &next, moved);
        }
        let old = {
            let mut writer = lock(&self.writer);
            writer.next = None;
            std::mem::replace(&mut *write(&self.current), next)
        };
        // Memory is given back slowly: not while others wait.
        drop(old);
    }

    /// The graph of `current` over the positions of `next`.
    fn reweave(&self, current: &Generation, links: &Links, next: &Generation, mut moved: Vec<u32>) {
        moved.truncate(links.covered() as usize);
        // Positions ascend in both, so those of the graph come first in the next as well.
        let covered = moved.iter().rev().find(|&&position| position != NONE).map_or(0, |&last| last + 1);
        // What was removed after it had been copied is no node of the next.
        next.new_nodes(0..covered);
        let node_of = |position: u32| next.arena.entry(position).map(Entry::node).filter(|&node| node != NONE);
        // A vector stays reachable while any of those that are identical is there.
        for node in current.nodes_below(links.covered()) {
            let stays = |twin: u32| moved.get(twin as usize).copied().and_then(node_of);
            moved[node as usize] = current.arena.twins(node).find_map(stays).unwrap_or(NONE);
        }
        let is_node = |position: &u32| current.arena.entry(*position).is_some_and(|entry| entry.node() == *position);
        (0..links.covered()).filter(|position| !is_node(position)).for_each(|it| moved[it as usize] = NONE);
        let nodes = next.nodes_below(covered);
        let Some(rows) = next.arena.rows().filter(|_| !nodes.is_empty()) else { return };
        next.serve(reweave(&rows, links, &moved, &nodes, covered, self.loom()));
        // Nearly all of them had a link to something that is gone.
        next.owe(nodes.len());
        *write(&next.calibration) = Arc::new(super::read(&current.calibration).carried_over());
    }
}

/// Vectors behind a graph of so many nodes that are worth weaving in.
fn worth_covering(nodes: usize) -> u32 {
    (nodes / WORTH_ONE_OF).clamp(LEAST_WORTH, MOST_WORTH) as u32
}

/// The same once nothing comes any more.
fn rest(nodes: usize) -> u32 {
    (nodes / REST_ONE_OF).clamp(LEAST_REST, MOST_WORTH) as u32
}

impl Default for Generation {
    fn default() -> Self {
        Self::new(Arc::new(Arena::default()), None)
    }
}
