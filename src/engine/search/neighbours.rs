//! Neighbours of a direction: enough of them, with nothing missing in between.
//!
//! How many vectors make up the hits that are asked for is not known before: a long recording has many, and some are
//! of what is gone. So more and more are asked for, until there are enough hits or no more vectors.

use std::collections::{HashMap, HashSet};

use roaring::RoaringBitmap;

use super::Searcher;
use super::admission::Caller;
use super::background::Background;
use super::rank::{self, Found, Group};
use crate::embedding::Embedding;
use crate::engine::filter::CompiledFilter;
use crate::engine::query::Query;
use crate::index::{Effort, Index, Neighbour, Wanted};
use crate::library::{AssetId, Slot};
use crate::media::MediaKind;

/// Asked for on top of the hits, so that a few that drop out cost no second round.
const SPARE: usize = 16;

/// One search in all kinds that it is about.
pub(super) struct Scan<'a> {
    pub(super) searcher: &'a Searcher,
    pub(super) query: &'a Query,
    pub(super) filter: &'a CompiledFilter,
    pub(super) direction: &'a Embedding,
    /// Assets that are no hits.
    pub(super) excluded: &'a HashSet<AssetId>,
    pub(super) caller: &'a Caller,
}

/// What was found of a kind.
pub(super) struct FoundOfKind {
    pub(super) kind: MediaKind,
    /// In order; at least one more than asked for, if there are as many.
    pub(super) groups: Vec<Group>,
    /// What they are to be compared with.
    pub(super) background: Background,
    /// Every vector that passes was looked at.
    pub(super) exact: bool,
}

impl Scan<'_> {
    /// Searches the kinds one after the other.
    pub(super) fn all(&self, kinds: &[MediaKind]) -> Vec<FoundOfKind> {
        let passing = (!self.filter.passes_kinds()).then(|| self.passing_slots());
        let of_kind = |&kind: &MediaKind| self.of_kind(kind, passing.as_ref().map(|slots| &slots[kind as usize]));
        kinds.iter().map(of_kind).collect()
    }

    /// Slots of the assets that pass the filter, by kind.
    fn passing_slots(&self) -> [RoaringBitmap; 2] {
        let mut slots: [Vec<u32>; 2] = [Vec::new(), Vec::new()];
        let catalog = self.searcher.read();
        let filter = self.filter.bind(&catalog);
        for entry in filter.assets().into_iter().filter(|entry| !self.excluded.contains(&entry.asset.id)) {
            let segments = entry.asset.segments.iter().filter(|segment| self.query.silent || !segment.silent);
            slots[entry.asset.kind as usize].extend(segments.map(|segment| segment.slot.0));
        }
        drop(catalog);
        slots.map(RoaringBitmap::from_iter)
    }

    fn of_kind(&self, kind: MediaKind, passing: Option<&RoaringBitmap>) -> FoundOfKind {
        let index = &self.searcher.indexes[kind as usize];
        let background = self.background(kind, index);
        let direction = self.direction.as_slice();
        let effort = if self.query.exact { Effort::Exact } else { Effort::Calibrated };
        let mut exact = false;
        let found = self.gather(kind, &background, |count| {
            let wanted = Wanted { count, silent: self.query.silent, effort };
            let found = match passing {
                Some(slots) => index.search_among(direction, slots, wanted),
                None => index.search(direction, wanted),
            };
            // What was found before is found again, so that the last search alone counts.
            exact = found.exact;
            found.neighbours
        });
        let groups = self.complete(kind, index, &background, &found);
        FoundOfKind { kind, groups, background, exact }
    }

    fn background(&self, kind: MediaKind, index: &Index) -> Background {
        let neighbours = index.background(self.direction.as_slice(), self.searcher.options.background);
        let catalog = self.searcher.read();
        let owner = |slot: Slot| catalog.segment(kind, slot).map(|id| id.asset);
        Background::new(neighbours.iter().map(|neighbour| (owner(neighbour.slot), neighbour.cosine)).collect())
    }

    /// Hits asked for, and one more that tells whether there are more.
    fn enough(&self) -> usize {
        self.query.offset.saturating_add(self.query.limit).saturating_add(1)
    }

    /// At least [`Self::enough`] hits' worth of segments, in order, if there are as many. Whatever scores as much as
    /// the last of these hits is among them, so that the order of ties does not depend on how many were asked for.
    fn gather(
        &self,
        kind: MediaKind,
        background: &Background,
        mut fetch: impl FnMut(usize) -> Vec<Neighbour>,
    ) -> Vec<Found> {
        let enough = self.enough();
        let mut count = enough.saturating_mul(if self.query.grouped { 2 } else { 1 }).saturating_add(SPARE);
        loop {
            let neighbours = fetch(count);
            let worst = neighbours.last().map_or(f32::NEG_INFINITY, |neighbour| neighbour.cosine);
            let mut found = self.segments(kind, &neighbours);
            let floor = self.sift(&mut found, background);
            let last = self.score_of_hit(&found, enough);
            let done = neighbours.len() < count || worst < floor || last.is_some_and(|score| worst < score);
            if done || self.caller.is_gone() {
                return found;
            }
            count = count.saturating_mul(2);
        }
    }

    /// The segments of neighbours that can be hits.
    fn segments(&self, kind: MediaKind, neighbours: &[Neighbour]) -> Vec<Found> {
        let catalog = self.searcher.read();
        let segment = |neighbour: &Neighbour| {
            let id = catalog.segment(kind, neighbour.slot).filter(|id| !self.excluded.contains(&id.asset))?;
            let has_files = catalog.asset(&id.asset).is_some_and(|entry| !entry.files.is_empty());
            has_files.then_some(Found { id, score: neighbour.cosine })
        };
        neighbours.iter().filter_map(segment).collect()
    }

    /// Brings into order what was found, and leaves out what does not score enough; returns how much is enough.
    fn sift(&self, found: &mut Vec<Found>, background: &Background) -> f32 {
        rank::sort(found);
        let mean = if self.query.relative_cutoff { background.known_mean() } else { None };
        let best = found.first().map_or(f32::NEG_INFINITY, |best| best.score);
        let floor = rank::floor(best, self.query.min_score, mean);
        found.truncate(found.partition_point(|found| found.score >= floor));
        floor
    }

    /// The score of the hit with this number, from 1.
    fn score_of_hit(&self, found: &[Found], number: usize) -> Option<f32> {
        if !self.query.grouped {
            return found.get(number - 1).map(|found| found.score);
        }
        let mut seen = HashSet::new();
        let mut firsts = found.iter().filter(|found| seen.insert(found.id.asset));
        firsts.nth(number - 1).map(|found| found.score)
    }

    /// The hits, each with all of its segments looked at, whatever was found of it first: the graph may have missed its
    /// best, and what is far behind was not asked for.
    fn complete(&self, kind: MediaKind, index: &Index, background: &Background, found: &[Found]) -> Vec<Group> {
        let mut groups = rank::group(kind, found, self.query.grouped);
        groups.truncate(self.enough());
        if !self.query.grouped {
            return groups;
        }
        let mut known: HashMap<AssetId, usize> = groups.iter().map(|group| (group.asset, 0)).collect();
        for found in found {
            known.entry(found.id.asset).and_modify(|count| *count += 1);
        }
        let slots = self.slots_of(&known);
        if slots.is_empty() {
            return groups;
        }
        let wanted = Wanted { count: slots.len() as usize, silent: true, effort: Effort::Exact };
        let neighbours = index.search_among(self.direction.as_slice(), &slots, wanted).neighbours;
        let mut all = self.segments(kind, &neighbours);
        let again: HashSet<AssetId> = all.iter().map(|found| found.id.asset).collect();
        let kept = |found: &&Found| known.contains_key(&found.id.asset) && !again.contains(&found.id.asset);
        all.extend(found.iter().filter(kept));
        self.sift(&mut all, background);
        rank::group(kind, &all, true)
    }

    /// Slots of the assets that have more segments than are known.
    fn slots_of(&self, known: &HashMap<AssetId, usize>) -> RoaringBitmap {
        let catalog = self.searcher.read();
        let mut slots: Vec<u32> = Vec::new();
        for (id, &count) in known {
            let segments = catalog.asset(id).into_iter().flat_map(|entry| &entry.asset.segments);
            let live = segments.filter(|segment| self.query.silent || !segment.silent).map(|segment| segment.slot.0);
            let before = slots.len();
            slots.extend(live);
            if slots.len() - before <= count {
                slots.truncate(before);
            }
        }
        slots.into_iter().collect()
    }
}
