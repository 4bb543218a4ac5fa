//! The exact search: looks at every vector, and keeps the best.
//!
//! Codes are compared first. How far a code's answer can be from the truth is known, so only those vectors are compared
//! in full that can be among the best. The order of hits is total (cosine, then slot), so the answer does not depend on
//! how the work was split.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::ops::Range;

use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use super::Neighbour;
use super::arena::Arena;
use super::rows::{Code, Rows};

/// From this many vectors on, threads share the work: below, starting them takes as long as looking.
const PARALLEL_FROM: usize = 16_384;
/// Vectors that a thread looks at in one go.
const CHUNK: usize = 4_096;
/// What rounding adds to the error of a code's answer, and to the length of a unit vector in half precision,
/// generously.
const ROUNDING: f32 = 1e-4;

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

/// A query of unit length among vectors, and its code.
pub(super) struct Question<'a> {
    pub(super) arena: &'a Arena,
    pub(super) rows: &'a Rows,
    pub(super) query: &'a [f32],
    pub(super) code: &'a Code,
}

/// The best so many of what is offered.
pub(super) struct Best {
    count: usize,
    heap: BinaryHeap<Ranked>,
}

impl Best {
    pub(super) fn new(count: usize) -> Self {
        Self { count, heap: BinaryHeap::new() }
    }

    /// Offers the vector at a position, unless it is removed.
    pub(super) fn offer(&mut self, question: &Question<'_>, position: u32) {
        if let Some(entry) = question.arena.entry(position).filter(|entry| entry.is_live()) {
            let cosine = question.rows.cosine(question.query, position);
            self.keep(Ranked(Neighbour { slot: entry.slot, cosine }));
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

    /// Anything below this is not among the best any more.
    fn least(&self) -> f32 {
        if self.heap.len() < self.count {
            return f32::NEG_INFINITY;
        }
        self.heap.peek().map_or(f32::INFINITY, |worst| worst.0.cosine)
    }

    /// Best first.
    pub(super) fn into_neighbours(self) -> Vec<Neighbour> {
        self.heap.into_sorted_vec().into_iter().map(|hit| hit.0).collect()
    }
}

impl Question<'_> {
    /// Offers what is at the positions in `range`, with that of silence if `silent`.
    pub(super) fn scan_range(&self, best: &mut Best, range: Range<u32>, silent: bool) {
        let first = range.start;
        // Fits, for it is below the range's end.
        let position = |index: usize| first + index as u32;
        let wanted = |position: u32| {
            self.arena.entry(position).is_some_and(|entry| entry.is_live() && (silent || !entry.silent))
        };
        self.scan(best, range.len(), |index| Some(position(index)).filter(|&position| wanted(position)));
    }

    /// Offers what is at `positions`, each of which is there once.
    pub(super) fn scan_positions(&self, best: &mut Best, positions: &[u32]) {
        self.scan(best, positions.len(), |index| Some(positions[index]).filter(|&it| self.arena.is_live(it)));
    }

    fn scan(&self, best: &mut Best, len: usize, position: impl Fn(usize) -> Option<u32> + Sync) {
        let near = |position: u32| (self.rows.nearness(&self.code.codes, position) * self.code.scale, position);
        let part = |range: Range<usize>| range.filter_map(&position).map(near).collect::<Vec<(f32, u32)>>();
        let mut near = if len < PARALLEL_FROM {
            part(0..len)
        } else {
            let chunks = (0..len.div_ceil(CHUNK)).into_par_iter();
            chunks.flat_map_iter(|chunk| part(chunk * CHUNK..len.min((chunk + 1) * CHUNK))).collect()
        };
        // The probably best first, so that most of the others need not be compared in full.
        let first = best.count.min(near.len());
        if first < near.len() {
            near.select_nth_unstable_by(first, |a, b| b.0.total_cmp(&a.0));
        }
        let error = self.largest_error();
        for (index, &(nearness, position)) in near.iter().enumerate() {
            if index < first || nearness + error >= best.least() {
                best.offer(self, position);
            }
        }
    }

    /// How far the product of two codes can be from that of their vectors: `|q·v − q'·v'| ≤ |q − q'| |v| + |q'| |v −
    /// v'|`.
    fn largest_error(&self) -> f32 {
        let of_rows = self.arena.store().map_or(0.0, super::rows::RowStore::worst_error);
        let of_query = self.code.error(self.query);
        of_query * (1.0 + ROUNDING) + (1.0 + of_query) * of_rows + ROUNDING
    }
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
        assert_eq!(best.least(), f32::INFINITY);
        assert!(best.into_neighbours().is_empty());
    }
}
