//! The search of the graph among those nodes that pass.
//!
//! Begins where a narrow search of all nodes ends. From there it walks as `beam` does, but compares and keeps only
//! nodes that pass. Over those that do not it steps to what is behind them (two hops, as in ACORN by Patel et al.,
//! 2024), so that it does not come to an end where few pass. Invariant: what it finds depends on the graph, the query
//! and the slots alone. Does not know whether walking is worth while.

use super::super::beam::{FOLLOWED, Scratch};
use super::super::kernels::Kernels;
use super::super::scan::Question;
use super::allowed::Allowed;
use super::places::Places;

/// Candidates of the search of all nodes, which need only end near the query.
const STARTS: usize = 8;
/// Of these, so many of those that do not pass are stepped over.
const STEPPED_OVER: usize = 4;
/// Links of a start that are asked for the share that passes near the query: the first ones lead to what is nearest.
const ASKED: usize = 12;
/// Nodes that pass among those linked from one, from which on what is behind the others is not looked at. Measured at
/// 100,000 vectors of which 10 to 50 % pass: with 8 recall falls below that of the search of all, with 32 the same
/// recall takes a fifth longer.
const PASSING_ENOUGH: usize = 16;

/// See the module's documentation.
pub(super) struct Walk<'a> {
    pub(super) question: &'a Question<'a>,
    pub(super) places: &'a Places,
    pub(super) allowed: &'a Allowed,
    pub(super) scratch: &'a mut Scratch,
    /// Nodes that do not pass, in view of one that is followed.
    over: Vec<u32>,
    /// Nodes that were asked whether they pass, and those that do.
    asked: usize,
    passed: usize,
}

impl<'a> Walk<'a> {
    /// Begins near the query, with at most so many candidates.
    pub(super) fn begin(
        question: &'a Question<'a>,
        places: &'a Places,
        allowed: &'a Allowed,
        scratch: &'a mut Scratch,
        most: usize,
    ) -> Self {
        let starts = scratch.search(question.rows, &places.links, question.code, None, STARTS).to_vec();
        let end = places.links.covered() as usize;
        let mut walk = Self { question, places, allowed, scratch, over: Vec::new(), asked: 0, passed: 0 };
        walk.scratch.begin(end, most);
        starts.iter().for_each(|&(_, position)| walk.ask_around(position));
        walk.scratch.begin(end, most);
        let (passing, others): (Vec<_>, Vec<_>) = starts.into_iter().partition(|&(_, start)| walk.passes(start));
        for (nearness, position) in passing {
            walk.scratch.see(position);
            walk.scratch.pool.offer(nearness, position);
        }
        for (_, position) in others.into_iter().take(STEPPED_OVER) {
            walk.scratch.see(position);
            walk.follow(position);
        }
        walk
    }

    /// Counts how many pass of a start and what is nearest to it.
    fn ask_around(&mut self, start: u32) {
        for &position in self.places.links.of(start).iter().take(ASKED).chain([&start]) {
            if self.scratch.see(position) {
                self.asked += 1;
                self.passed += usize::from(self.passes(position));
            }
        }
    }

    /// The share of nodes near the query that pass, 0 to 1, if it is not `of_all` but for chance.
    pub(super) fn share(&self, of_all: f64) -> f64 {
        share_near(of_all, self.asked, self.passed)
    }

    /// The nodes that pass and seem nearest, at most so many, nearest first, with their nearness.
    pub(super) fn finish(self, most: usize) -> &'a [(f32, u32)] {
        let mut walk = self;
        walk.scratch.pool.limit(most);
        let mut at = 0;
        while let Some(candidate) = walk.scratch.pool.candidates.get_mut(at) {
            if candidate.1 & FOLLOWED != 0 {
                at += 1;
                continue;
            }
            let position = candidate.1;
            candidate.1 |= FOLLOWED;
            at = walk.follow(position).min(at + 1);
        }
        walk.scratch.found()
    }

    /// Compares what can be reached from a node; answers the first place among the candidates that was taken.
    fn follow(&mut self, position: u32) -> usize {
        let links = &*self.places.links;
        self.scratch.fresh.clear();
        self.over.clear();
        let mut passing = 0;
        for &link in links.of(position) {
            if self.passes(link) {
                passing += 1;
                self.freshen(link);
            } else if self.scratch.is_new(link) {
                Kernels::prefetch(links.of(link));
                self.over.push(link);
            }
        }
        for index in 0..self.over.len() {
            if passing >= PASSING_ENOUGH {
                break;
            }
            let over = self.over[index];
            self.scratch.see(over);
            for &link in links.of(over) {
                if self.passes(link) {
                    passing += 1;
                    self.freshen(link);
                }
            }
        }
        self.scratch.compare(self.question.rows, links, &self.question.code.codes)
    }

    #[inline]
    fn freshen(&mut self, position: u32) {
        if self.scratch.see(position) {
            self.scratch.fresh.push(position);
        }
    }

    #[inline]
    fn passes(&self, position: u32) -> bool {
        self.allowed.has(self.places.slot(position)) || (self.places.is_twinned(position) && self.twin_passes(position))
    }

    #[cold]
    fn twin_passes(&self, node: u32) -> bool {
        let arena = self.question.arena;
        let passes = |twin: u32| arena.entry(twin).is_some_and(|entry| self.allowed.has(entry.slot.0));
        arena.twins(node).any(passes)
    }
}

/// The share that passes where `passed` of `asked` do, if that differs more from what is expected where chance alone
/// decides which do than it does in nearly all cases, by three standard deviations.
fn share_near(of_all: f64, asked: usize, passed: usize) -> f64 {
    let (asked, passed) = (asked as f64, passed as f64);
    let expected = asked * of_all;
    let deviation = (expected * (1.0 - of_all)).sqrt();
    if (passed - expected).abs() > 3.0 * deviation { passed / asked } else { of_all }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_near_the_query_counts_where_chance_does_not_explain_it() {
        let check = |of_all, asked, passed, expected: f64| {
            assert_eq!(share_near(of_all, asked, passed), expected, "{passed} of {asked} where {of_all} pass");
        };
        check(0.1, 100, 10, 0.1);
        check(0.1, 100, 2, 0.1);
        check(0.1, 100, 0, 0.0);
        check(0.1, 100, 20, 0.2);
        check(0.5, 100, 36, 0.5);
        check(0.5, 100, 34, 0.34);
        check(1.0, 100, 100, 1.0);
        check(1.0, 100, 20, 0.2);
        check(0.3, 0, 0, 0.3);
    }
}
