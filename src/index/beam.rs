//! The search of the graph: best-first, with so many candidates in view.
//!
//! Compares codes only; who wants the exact order ranks the candidates again. Invariant: what is found depends on the
//! graph and the query alone, not on what the scratch memory was used for before.

use std::cell::RefCell;

use super::kernels::Kernels;
use super::links::Links;
use super::rows::{Code, Rows};

/// Codes that are asked for ahead of the one that is compared.
const AHEAD: usize = 4;
/// Entrances that a search begins at, at least, and candidates for each of them: what is nearest to a query of another
/// modality may be spread over many clusters. Measured at 50,000 vectors of 128 values: with 128 candidates such
/// queries find 0.995 of the nearest, and 0.975 if eight entrances are all.
const ENTRANCES: usize = 8;
const CANDIDATES_AN_ENTRANCE: usize = 5;
/// A candidate whose links have been followed.
pub(super) const FOLLOWED: u32 = 1 << 31;

/// The nearest so far, nearest first: nearness and position, and whether its links have been followed.
#[derive(Default)]
pub(super) struct Pool {
    pub(super) candidates: Vec<(f32, u32)>,
    most: usize,
}

impl Pool {
    fn reset(&mut self, most: usize) {
        self.candidates.clear();
        // A position must never look as if it had been followed.
        self.most = most.max(1);
        self.candidates.reserve(self.most + 1);
    }

    /// Keeps no more than so many from now on.
    pub(super) fn limit(&mut self, most: usize) {
        self.most = most.max(1);
        self.candidates.truncate(self.most);
    }

    /// Offers a candidate; answers the place that it took.
    #[inline]
    pub(super) fn offer(&mut self, nearness: f32, position: u32) -> Option<usize> {
        let full = self.candidates.len() == self.most;
        if full && nearness <= self.candidates[self.most - 1].0 {
            return None;
        }
        let place = self.candidates.partition_point(|candidate| candidate.0 >= nearness);
        if full {
            self.candidates.pop();
        }
        self.candidates.insert(place, (nearness, position));
        Some(place)
    }
}

/// What searches of one thread use again and again.
#[derive(Default)]
pub(super) struct Scratch {
    /// The number of the search that saw a position last.
    seen: Vec<u16>,
    search: u16,
    pub(super) pool: Pool,
    pub(super) fresh: Vec<u32>,
    entrances: Vec<(u32, u32)>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Does something with this thread's scratch memory.
pub(super) fn with_scratch<T>(work: impl FnOnce(&mut Scratch) -> T) -> T {
    SCRATCH.with(|scratch| work(&mut scratch.borrow_mut()))
}

impl Scratch {
    /// Begins a search among positions below `end`.
    pub(super) fn begin(&mut self, end: usize, most: usize) {
        if self.seen.len() < end {
            self.seen.resize(end, 0);
        }
        self.search = self.search.wrapping_add(1);
        if self.search == 0 {
            self.seen.fill(0);
            self.search = 1;
        }
        self.pool.reset(most);
    }

    /// Whether this search has not seen a position.
    #[inline]
    pub(super) fn is_new(&self, position: u32) -> bool {
        self.seen[position as usize] != self.search
    }

    #[inline]
    pub(super) fn see(&mut self, position: u32) -> bool {
        let seen = &mut self.seen[position as usize];
        let first = *seen != self.search;
        *seen = self.search;
        first
    }

    /// The `most` nodes that seem nearest to a query, nearest first, with their nearness (see [`Rows::nearness`]). The
    /// search begins at the nearest entrances, and at `start` if there is one.
    pub(super) fn search(
        &mut self,
        rows: &Rows,
        links: &Links,
        query: &Code,
        start: Option<u32>,
        most: usize,
    ) -> &[(f32, u32)] {
        self.begin(links.covered() as usize, most);
        let mut entrances = std::mem::take(&mut self.entrances);
        links.entrances().nearest(rows, query, ENTRANCES.max(most / CANDIDATES_AN_ENTRANCE), &mut entrances);
        for position in start.into_iter().chain(entrances.iter().map(|&(_, position)| position)) {
            self.enter(rows, &query.codes, position);
        }
        self.entrances = entrances;
        self.walk(rows, links, &query.codes);
        self.found()
    }

    fn enter(&mut self, rows: &Rows, codes: &[i8], position: u32) {
        if self.see(position) {
            self.pool.offer(rows.nearness(codes, position), position);
        }
    }

    fn walk(&mut self, rows: &Rows, links: &Links, codes: &[i8]) {
        let mut at = 0;
        while let Some(candidate) = self.pool.candidates.get_mut(at) {
            if candidate.1 & FOLLOWED != 0 {
                at += 1;
                continue;
            }
            let position = candidate.1;
            candidate.1 |= FOLLOWED;
            self.look_at(links.of(position));
            at = self.compare(rows, links, codes).min(at + 1);
        }
    }

    /// Keeps those of `links` that this search has not seen.
    fn look_at(&mut self, links: &[u32]) {
        let Self { seen, search, fresh, .. } = self;
        fresh.clear();
        fresh.extend(links.iter().filter(|&&link| std::mem::replace(&mut seen[link as usize], *search) != *search));
    }

    /// Offers what is fresh to the pool; answers the first place that was taken.
    pub(super) fn compare(&mut self, rows: &Rows, links: &Links, codes: &[i8]) -> usize {
        let Self { fresh, pool, .. } = self;
        for &position in fresh.iter().take(AHEAD) {
            Kernels::prefetch(rows.codes(position));
        }
        let mut first = usize::MAX;
        for (index, &position) in fresh.iter().enumerate() {
            if let Some(&ahead) = fresh.get(index + AHEAD) {
                Kernels::prefetch(rows.codes(ahead));
            }
            if let Some(place) = pool.offer(rows.nearness(codes, position), position) {
                first = first.min(place);
                // They are probably followed soon.
                Kernels::prefetch(links.of(position));
            }
        }
        first
    }

    pub(super) fn found(&mut self) -> &[(f32, u32)] {
        self.pool.candidates.iter_mut().for_each(|candidate| candidate.1 &= !FOLLOWED);
        &self.pool.candidates
    }
}
