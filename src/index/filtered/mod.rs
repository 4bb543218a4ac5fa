//! Searches among some of the vectors.
//!
//! What passes is looked at exactly if it is little. Otherwise the graph is searched among the nodes that pass; or,
//! where these are too far apart for that, among all nodes, and of what is found that is kept which passes. What the
//! graph has not taken, and silence, are looked at exactly. Invariant: only what passes is found, and fewer than are
//! wanted only if no more pass.
//!
//! `allowed` has which slots pass, `places` which slots the graph's nodes are of, and a `walk` finds the nearest of
//! them.

mod allowed;
mod places;
mod walk;

use std::cell::RefCell;

use roaring::RoaringBitmap;

use self::allowed::Allowed;
pub(super) use self::places::Places;
use self::walk::Walk;
use super::beam::with_scratch;
use super::generation::{Generation, NODES_A_CANDIDATE, SPARE};
use super::rows::Code;
use super::scan::{Best, Question};
use super::{Effort, Found, Wanted, read};
use crate::library::Slot;

/// Looking at so many vectors takes as long as a walk that keeps one candidate in view, and at so many more for each
/// more candidate. Measured at 20,000 and 100,000 vectors of which 10 to 15 % pass: a walk with 16 candidates takes as
/// long as looking at 1,250 vectors; one with 32 takes 1.6 times as long as the one with 16.
const ROWS_A_WALK: u64 = 512;
const ROWS_A_CANDIDATE: u64 = 48;
/// Where too few pass for a walk, but for those near the query perhaps, finding that out is worth while from so many
/// vectors on: it takes a sixth of the time of looking at them.
const ROWS_WORTH_ASKING: u64 = 8_192;
/// A walk keeps at least so many times the wanted number of candidates in view.
const LEAST_CANDIDATES: f64 = 1.5;
/// Of the candidates that a walk finds, at least this share must be live, or else those that are gone have hidden
/// others.
const LIVE_SHARE: f64 = 0.75;

thread_local! {
    static ALLOWED: RefCell<Allowed> = RefCell::default();
}

/// What is searched: the vectors in `slots` at positions below `len`.
struct Among<'a> {
    slots: &'a RoaringBitmap,
    places: &'a Places,
    question: &'a Question<'a>,
    len: u32,
}

impl Generation {
    /// The nearest to `query`, which is of unit length, among `slots`, silent ones included.
    pub(super) fn search_among(&self, query: &[f32], slots: &RoaringBitmap, wanted: Wanted) -> Found {
        // Before the rows: those of all of these positions are among them.
        let (places, len) = (self.places(), self.arena.len());
        let Some(rows) = self.arena.rows() else { return Found::default() };
        let code = Code::of(query, rows.layout());
        let question = Question { arena: &self.arena, rows: &rows, query, code: &code };
        let mut best = Best::new(wanted.count);
        let Some(places) = places else {
            let slots: Vec<Slot> = slots.iter().map(Slot).collect();
            let mut positions = self.arena.positions(&slots);
            positions.retain(|&position| position < len);
            question.scan_positions(&mut best, &positions);
            return Found { neighbours: best.into_neighbours(), exact: true };
        };
        let among = Among { slots, places: &places, question: &question, len };
        let near = self.near_among(&among, wanted);
        let exact = near.is_none();
        match near {
            None => question.scan_positions(&mut best, &among.positions(slots)),
            Some((near, behind)) => {
                near.iter().for_each(|&position| best.offer(&question, position));
                question.scan_positions(&mut best, &behind);
                if !places.silent.is_empty() {
                    question.scan_positions(&mut best, &among.positions(&(slots & &places.silent)));
                }
            }
        }
        Found { neighbours: best.into_neighbours(), exact }
    }

    /// Live positions that the graph has taken and that pass, among which are the nearest, as far as it can tell, and
    /// those behind the graph that pass. Nothing if looking at all that passes is asked for, or as fast, or surer.
    fn near_among(&self, among: &Among<'_>, wanted: Wanted) -> Option<(Vec<u32>, Vec<u32>)> {
        let calibration = read(&self.calibration).clone();
        let candidates = match wanted.effort {
            Effort::Exact => return None,
            Effort::Calibrated => calibration.candidates(wanted.count),
            Effort::Candidates(candidates) => candidates.max(wanted.count),
        };
        let narrowed = |share: f64| match wanted.effort {
            Effort::Calibrated => narrowed(candidates, wanted.count, share),
            _ => candidates,
        };
        let passing = among.slots.len();
        let walking = |share: f64| {
            let candidates = narrowed(share);
            (ROWS_A_WALK.saturating_add(ROWS_A_CANDIDATE.saturating_mul(candidates as u64)) < passing)
                .then_some(candidates)
        };
        // Only what is known to find the nearest of all finds enough that passes.
        let sifting = |share: f64| {
            let deep = whole(depth(wanted.count, share));
            let candidates = Some(calibration.candidates(deep)).filter(|_| wanted.effort == Effort::Calibrated)?;
            (candidates.saturating_mul(NODES_A_CANDIDATE) as u64 <= passing).then_some((deep, candidates))
        };
        let of_all = (passing as f64 / self.arena.live().max(1) as f64).min(1.0);
        let sure = |share: f64| depth(wanted.count, share) <= calibration.depth();
        if walking(of_all).is_none() || (!sure(of_all) && sifting(of_all).is_none() && passing < ROWS_WORTH_ASKING) {
            return None;
        }
        ALLOWED.with_borrow_mut(|allowed| {
            allowed.load(among.slots);
            let near = with_scratch(|scratch| {
                let walk = Walk::begin(among.question, among.places, allowed, scratch, candidates);
                let share = walk.share(of_all);
                if sure(share) {
                    return among.live(walk.finish(walking(share.max(of_all))?), allowed, wanted.count);
                }
                let (deep, candidates) = sifting(share)?;
                let links = among.places.links();
                let found = scratch.search(among.question.rows, links, among.question.code, None, candidates);
                among.sift(&found[..deep.min(found.len())], allowed, wanted.count)
            })?;
            let covered = among.places.links.covered();
            let passes = |&position: &u32| {
                self.arena.entry(position).is_some_and(|entry| allowed.has(entry.slot.0) && entry.is_live())
            };
            Some((near, (covered..among.len).filter(passes).collect()))
        })
    }
}

impl Among<'_> {
    /// Where those of `slots` are that can be searched.
    fn positions(&self, slots: &RoaringBitmap) -> Vec<u32> {
        let mut positions = self.places.positions(self.question.arena, slots.iter());
        positions.retain(|&position| position < self.len);
        positions
    }

    /// What the nearest nodes stand for of that which passes; nothing if that is too little.
    fn sift(&self, nodes: &[(f32, u32)], allowed: &Allowed, count: usize) -> Option<Vec<u32>> {
        let passes = |position: &u32| self.passes(*position, allowed);
        let near: Vec<u32> =
            nodes.iter().flat_map(|&(_, node)| self.question.arena.twins(node)).filter(passes).collect();
        (near.len() >= count).then_some(near)
    }

    /// Whether the graph has taken a position, and it is live and passes.
    fn passes(&self, position: u32, allowed: &Allowed) -> bool {
        let entry = self.question.arena.entry(position).filter(|_| position < self.places.links().covered());
        entry.is_some_and(|entry| entry.is_live() && allowed.has(entry.slot.0))
    }

    /// What the nodes stand for of that which passes, as much as is worth comparing in full for `count` of them;
    /// nothing if that may be too little.
    fn live(&self, nodes: &[(f32, u32)], allowed: &Allowed, count: usize) -> Option<Vec<u32>> {
        let arena = self.question.arena;
        let passes = |&position: &u32| self.passes(position, allowed);
        let ranked = count.saturating_add(count / 2).saturating_add(SPARE);
        let mut near = Vec::with_capacity(ranked.min(nodes.len()));
        let mut live = 0;
        for &(_, node) in nodes {
            let before = near.len();
            if before < ranked {
                near.extend(arena.twins(node).filter(passes));
                live += usize::from(near.len() > before);
            } else {
                live += usize::from(arena.twins(node).any(|twin| passes(&twin)));
            }
        }
        (near.len() >= count && live as f64 >= nodes.len() as f64 * LIVE_SHARE).then_some(near)
    }
}

/// A walk with that few pass needs fewer candidates than a search of all: each of its steps comes by many nodes.
/// Measured at 100,000 vectors: with the square root of the share it finds at least what all candidates find where all
/// pass.
fn narrowed(candidates: usize, count: usize, share: f64) -> usize {
    whole((candidates as f64 * share.sqrt()).max(count as f64 * LEAST_CANDIDATES))
}

/// A count, rounded down.
#[expect(clippy::cast_sign_loss, reason = "no count is negative")]
fn whole(count: f64) -> usize {
    count as usize
}

/// The nodes that a walk finds among `slots`, nearest first, where a search of all needs so many candidates.
pub(super) fn walk(
    question: &Question<'_>,
    places: &Places,
    slots: &RoaringBitmap,
    count: usize,
    candidates: usize,
) -> Vec<u32> {
    let share = (slots.len() as f64 / question.arena.live().max(1) as f64).min(1.0);
    ALLOWED.with_borrow_mut(|allowed| {
        allowed.load(slots);
        with_scratch(|scratch| {
            let walk = Walk::begin(question, places, allowed, scratch, candidates);
            walk.finish(narrowed(candidates, count, share)).iter().map(|&(_, node)| node).collect()
        })
    })
}

/// Among so many of the nearest vectors there are `count` that pass, but for few queries: three standard deviations
/// more are expected there.
pub(super) fn depth(count: usize, share: f64) -> f64 {
    let count = count as f64;
    (count + 3.0 * count.sqrt()) / share
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_are_wanted_and_the_fewer_pass_the_deeper_they_are() {
        assert_eq!((depth(1, 1.0), depth(100, 0.5), depth(10, 0.0)), (4.0, 260.0, f64::INFINITY));
    }
}
