//! The exact search: looks at every vector, and keeps the best.
//!
//! The order of hits is total (cosine, then slot), so the answer does not depend on how the work was split.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::ops::Range;

use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use super::Neighbour;
use super::arena::{Arena, Entry};
use super::dot::cosine;

/// From this many vectors on, threads share the work: below, starting them takes as long as looking.
const PARALLEL_FROM: usize = 4_096;
/// Vectors that a thread looks at in one go.
const CHUNK: usize = 1_024;

/// A hit in a heap whose top is the worst.
struct Ranked(Neighbour);

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        other.0.cosine.total_cmp(&self.0.cosine).then(self.0.slot.cmp(&other.0.slot))
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ranked {}

/// The best so many of what is offered.
pub(super) struct Best {
    count: usize,
    heap: BinaryHeap<Ranked>,
}

impl Best {
    pub(super) fn new(count: usize) -> Self {
        Self { count, heap: BinaryHeap::new() }
    }

    /// Offers the vector of an entry, unless it is removed.
    pub(super) fn offer(&mut self, query: &[f32], entry: &Entry) {
        if entry.is_live() {
            let stored = &entry.stored;
            self.keep(Ranked(Neighbour { slot: stored.slot, cosine: cosine(query, &stored.vector) }));
        }
    }

    fn keep(&mut self, hit: Ranked) {
        if self.heap.len() < self.count {
            self.heap.push(hit);
        } else if let Some(mut worst) = self.heap.peek_mut()
            && hit < *worst
        {
            *worst = hit;
        }
    }

    /// The best of both.
    pub(super) fn merge(mut self, other: Self) -> Self {
        other.heap.into_iter().for_each(|hit| self.keep(hit));
        self
    }

    /// Best first.
    pub(super) fn into_neighbours(self) -> Vec<Neighbour> {
        self.heap.into_sorted_vec().into_iter().map(|hit| hit.0).collect()
    }
}

/// The best at the positions in `range`, with those of silence if `silent`.
pub(super) fn scan_range(arena: &Arena, query: &[f32], count: usize, range: Range<u32>, silent: bool) -> Best {
    let first = range.start;
    scan(query, count, range.len(), |index| {
        // Fits, for it is below the range's end.
        arena.entry(first + index as u32).filter(|entry| silent || !entry.stored.silent)
    })
}

/// The best at `positions`, each of which is there once.
pub(super) fn scan_positions(arena: &Arena, query: &[f32], count: usize, positions: &[u32]) -> Best {
    scan(query, count, positions.len(), |index| arena.entry(positions[index]))
}

fn scan<'a>(query: &[f32], count: usize, len: usize, entry: impl Fn(usize) -> Option<&'a Entry> + Sync) -> Best {
    let part = |indices: Range<usize>| {
        let mut best = Best::new(count);
        indices.filter_map(&entry).for_each(|entry| best.offer(query, entry));
        best
    };
    if len < PARALLEL_FROM {
        return part(0..len);
    }
    let chunks = (0..len.div_ceil(CHUNK)).into_par_iter();
    let parts = chunks.map(|chunk| part(chunk * CHUNK..len.min((chunk + 1) * CHUNK)));
    parts.reduce(|| Best::new(count), Best::merge)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::Slot;

    #[test]
    fn keeps_the_best_and_of_equals_the_lowest_slot() {
        let hits = [(4, 0.5), (1, 0.25), (3, 0.5), (2, 0.75), (0, 0.5)];
        let mut best = Best::new(3);
        hits.iter().for_each(|&(slot, cosine)| best.keep(Ranked(Neighbour { slot: Slot(slot), cosine })));
        let found: Vec<u32> = best.into_neighbours().iter().map(|hit| hit.slot.0).collect();
        assert_eq!(found, [2, 0, 3]);
    }

    #[test]
    fn keeps_nothing_where_nothing_is_wanted() {
        let mut best = Best::new(0);
        best.keep(Ranked(Neighbour { slot: Slot(0), cosine: 1.0 }));
        assert!(best.into_neighbours().is_empty());
    }
}
