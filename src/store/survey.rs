//! Everything is read and compared with everything else.
//!
//! Finds what is damaged or incomplete, and which records to forget so that the rest is whole: a vector goes without
//! its asset, an asset without one of its vectors, a file without its asset or its root. A file that is forgotten is
//! found again by comparing its root with the disk.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;

use super::codec::{self, Flaw, Record};
use super::database::{Bytes, Database, DatabaseError};
use super::keys::{self, Key};
use super::state::State;
use crate::library::{Asset, AssetId, FileState, Root, RootId, SegmentId, Slot};
use crate::media::MediaKind;

/// Records read in one go.
const CHUNK: usize = 256;
/// More are counted, but not listed.
const LISTED_PROBLEMS: usize = 100;

/// What there is in a database.
#[derive(Default)]
pub(super) struct Survey {
    /// Counts of everything; what comes next is above everything that is there.
    pub(super) found: State,
    /// What is wrong.
    pub(super) problems: Problems,
    /// Keys of what is to be forgotten.
    pub(super) forget: BTreeSet<Vec<u8>>,
    /// Roots, by id.
    pub(super) roots: BTreeMap<RootId, Root>,
    /// The record of a root could not be read.
    pub(super) lost_roots: bool,
    /// Assets that are whole, with the number of files that name them.
    pub(super) references: HashMap<AssetId, u32>,
}

/// A bounded list of sentences.
#[derive(Default)]
pub(super) struct Problems {
    listed: Vec<String>,
    more: u64,
}

impl Problems {
    pub(super) fn push(&mut self, problem: String) {
        if self.listed.len() < LISTED_PROBLEMS { self.listed.push(problem) } else { self.more += 1 }
    }

    /// The first `limit` of them, and how many there are besides.
    pub(super) fn sentences(&self, limit: usize) -> Vec<String> {
        let more = self.more + self.listed.len().saturating_sub(limit) as u64;
        let more = (more > 0).then(|| format!("and {more} more"));
        self.listed.iter().take(limit).cloned().chain(more).collect()
    }
}

/// What the assets say about the vectors.
#[derive(Default)]
struct Expected {
    assets: Vec<AssetId>,
    /// Place in `assets`, and number of the segment.
    by_slot: HashMap<(MediaKind, Slot), (u32, u32)>,
    /// Places in `assets`.
    incomplete: BTreeSet<u32>,
}

impl Survey {
    /// Reads everything.
    pub(super) fn of(database: &Database) -> Result<Self, DatabaseError> {
        let mut survey = Self::default();
        let mut expected = Expected::default();
        survey.read(database, keys::ROOTS, |survey, key, record| match codec::decode(key, record) {
            Ok(Record::Root(root)) => {
                survey.found.next_root = survey.found.next_root.max(root.id.0.saturating_add(1));
                survey.roots.insert(root.id, root);
            }
            other => {
                survey.lost_roots = true;
                survey.give_up(key, other.err());
            }
        })?;
        survey.read(database, keys::ASSETS, |survey, key, record| match codec::decode(key, record) {
            Ok(Record::Asset(asset)) => expected.asset(&asset),
            other => survey.give_up(key, other.err()),
        })?;
        survey.read(database, keys::VECTORS, |survey, key, record| survey.vector(&mut expected, key, record))?;
        survey.settle(database, expected)?;
        survey.read(database, keys::FILES, Self::file)?;
        Ok(survey)
    }

    fn read(
        &mut self,
        database: &Database,
        prefix: &[u8],
        mut each: impl FnMut(&mut Self, &[u8], &[u8]),
    ) -> Result<(), DatabaseError> {
        let end = keys::end_of(prefix);
        let mut last: Option<Bytes> = None;
        loop {
            let start = last.as_deref().map_or(Bound::Included(prefix), Bound::Excluded);
            let chunk = database.scan(start, end.as_deref(), CHUNK)?;
            for (key, record) in &chunk {
                self.found.count(key, None, Some(record));
                each(self, key, record);
            }
            last = match chunk.into_iter().next_back() {
                Some((key, _)) => Some(key),
                None => return Ok(()),
            };
        }
    }

    fn give_up(&mut self, key: &[u8], flaw: Option<Flaw>) {
        let flaw = flaw.unwrap_or(Flaw::Key);
        self.problems.push(format!("{} is damaged: {flaw}", keys::readable(key)));
        self.forget.insert(key.to_vec());
    }

    fn vector(&mut self, expected: &mut Expected, key: &[u8], record: &[u8]) {
        let Some(Key::Vector(kind, slot)) = Key::parse(key) else { return self.give_up(key, None) };
        let next = &mut self.found.next_slots[keys::index(kind)];
        *next = (*next).max(slot.0.saturating_add(1));
        let claimed = expected.by_slot.remove(&(kind, slot));
        let right = |segment: SegmentId, (asset, ordinal): (u32, u32)| {
            (segment.asset, segment.ordinal) == (expected.assets[asset as usize], ordinal)
        };
        match codec::decode_segment(key, record) {
            Ok(segment) if claimed.is_some_and(|claimed| right(segment, claimed)) => return,
            Ok(segment) => {
                let of = format!("asset {}, which does not have it", segment.asset);
                self.problems.push(format!("{} is of {of}", keys::readable(key)));
                self.forget.insert(key.to_vec());
            }
            Err(flaw) => self.give_up(key, Some(flaw)),
        }
        expected.incomplete.extend(claimed.map(|(asset, _)| asset));
    }

    /// Takes the assets that lack nothing, and forgets the others with what they have.
    fn settle(&mut self, database: &Database, mut expected: Expected) -> Result<(), DatabaseError> {
        expected.incomplete.extend(expected.by_slot.into_values().map(|(asset, _)| asset));
        for (place, &id) in (0u32..).zip(&expected.assets) {
            if !expected.incomplete.contains(&place) {
                self.references.insert(id, 0);
                continue;
            }
            self.problems.push(format!("asset {id} lacks a vector"));
            let key = Key::Asset(id).to_bytes();
            let Some(record) = database.get(&key)? else { continue };
            for (kind, slot) in codec::decode_asset(id, &key, &record).iter().flat_map(slots) {
                let key = Key::Vector(kind, slot).to_bytes();
                let own = database.get(&key)?.and_then(|record| codec::decode_vector(&key, &record).ok());
                self.forget.extend(own.filter(|(segment, _)| segment.asset == id).map(|_| key));
            }
            self.forget.insert(key);
        }
        Ok(())
    }

    fn file(&mut self, key: &[u8], record: &[u8]) {
        let (file, record) = match codec::decode(key, record) {
            Ok(Record::File(file, record)) => (file, record),
            other => return self.give_up(key, other.err()),
        };
        let named = if let FileState::Indexed(asset) = record.state { Some(asset) } else { None };
        let lacks = if !self.roots.contains_key(&file.root) {
            "root"
        } else if named.is_some_and(|asset| !self.references.contains_key(&asset)) {
            "asset"
        } else {
            if let Some(count) = named.and_then(|asset| self.references.get_mut(&asset)) {
                *count += 1;
            }
            return;
        };
        self.problems.push(format!("{} lacks its {lacks}", keys::readable(key)));
        self.forget.insert(key.to_vec());
    }
}

impl Expected {
    fn asset(&mut self, asset: &Asset) {
        let place = u32::try_from(self.assets.len()).expect("every asset has a slot, and slots are u32");
        self.assets.push(asset.id);
        if asset.segments.is_empty() {
            self.incomplete.insert(place);
        }
        for (ordinal, (kind, slot)) in (0u32..).zip(slots(asset)) {
            if let Some((other, _)) = self.by_slot.insert((kind, slot), (place, ordinal)) {
                // Two claim one vector: it can only be of one of them, and which is not known.
                self.incomplete.extend([other, place]);
            }
        }
    }
}

/// Where the vectors of an asset are.
pub(super) fn slots(asset: &Asset) -> impl Iterator<Item = (MediaKind, Slot)> {
    asset.segments.iter().map(|segment| (asset.kind, segment.slot))
}
