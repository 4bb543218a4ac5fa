//! The vectors of one media kind, in memory, in the order in which they came.
//!
//! A vector's *position* is its place in that order: it never changes, so a graph may refer to it, and readers need no
//! lock. Owns the way from slots to positions, and which vectors are removed or silent. Invariant: of a slot, at most
//! one position is live. Only one thread at a time may add or remove; the index sees to that.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{OnceLock, RwLock};

use half::f16;
use half::slice::HalfFloatSliceExt as _;

use super::memory::bytes_of;
use super::rows::{Chunk, RowStore, Rows};
use super::{read, write};
use crate::embedding::Embedding;
use crate::library::Slot;

/// No position.
pub(super) const NONE: u32 = u32::MAX;

/// Vectors that are compared with those of the store, to tell whether the rows of a snapshot are theirs. The last ones:
/// of a store that was put back to an earlier state, they are the first that differ.
const COMPARED: usize = 16;

/// What is known about a position, but for its row.
pub(super) struct Entry {
    pub(super) slot: Slot,
    pub(super) silent: bool,
    removed: AtomicBool,
    /// Position of the node that stands for this vector: its own, that of an identical one, or none.
    node: AtomicU32,
    /// Of those that the same node stands for, the next.
    twin: AtomicU32,
    /// Tells vectors apart: equal for equal values.
    pub(super) digest: u64,
}

impl Entry {
    fn new(slot: Slot, digest: u64, silent: bool, removed: bool) -> Self {
        let (node, twin) = (AtomicU32::new(NONE), AtomicU32::new(NONE));
        Self { slot, silent, removed: removed.into(), node, twin, digest }
    }

    pub(super) fn is_live(&self) -> bool {
        !self.removed.load(Ordering::Acquire)
    }

    pub(super) fn node(&self) -> u32 {
        self.node.load(Ordering::Acquire)
    }
}

/// What a snapshot knows of a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub(super) slot: Slot,
    pub(super) digest: u64,
    pub(super) silent: bool,
    pub(super) live: bool,
    /// The node that stands for it, which comes no later, or [`NONE`].
    pub(super) node: u32,
}

/// The head of the BLAKE3 hash of a vector's values.
fn digest(values: &[f16]) -> u64 {
    let hash = blake3::hash(bytes_of(values));
    let head = hash.as_bytes().first_chunk().expect("a hash has 32 bytes");
    u64::from_le_bytes(*head)
}

/// Slots are numbers in ascending order: multiplying spreads them well enough.
#[derive(Default)]
struct SlotHasher(u64);

impl Hasher for SlotHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_u32(byte.into()));
    }

    fn write_u32(&mut self, value: u32) {
        self.0 = (self.0.rotate_left(5) ^ u64::from(value)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

/// Where live slots are.
type Positions = HashMap<Slot, u32, BuildHasherDefault<SlotHasher>>;

/// See the module's documentation.
#[derive(Default)]
pub(super) struct Arena {
    rows: OnceLock<RowStore>,
    entries: boxcar::Vec<Entry>,
    len: AtomicU32,
    positions: RwLock<Positions>,
    silent: boxcar::Vec<u32>,
    live: AtomicUsize,
    live_silent: AtomicUsize,
    changes: AtomicU64,
}

impl Arena {
    /// Positions given out, those of removed vectors included.
    pub(super) fn len(&self) -> u32 {
        self.len.load(Ordering::Acquire)
    }

    /// Vectors that are not removed.
    pub(super) fn live(&self) -> usize {
        self.live.load(Ordering::Acquire)
    }

    /// Those of them that are not silent.
    pub(super) fn live_audible(&self) -> usize {
        self.live().saturating_sub(self.live_silent.load(Ordering::Acquire))
    }

    /// Changes whenever a vector comes or goes.
    pub(super) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Values of a vector, once there is one.
    pub(super) fn dimension(&self) -> Option<usize> {
        self.rows.get().map(|rows| rows.layout().dimension)
    }

    /// Where rows are kept, once there is one.
    pub(super) fn store(&self) -> Option<&RowStore> {
        self.rows.get()
    }

    /// The rows of at least those positions that had been given out before, if there are any.
    pub(super) fn rows(&self) -> Option<Rows> {
        self.rows.get().map(RowStore::rows)
    }

    pub(super) fn entry(&self, position: u32) -> Option<&Entry> {
        self.entries.get(position as usize)
    }

    /// Whether there is a vector at a position that can be found.
    pub(super) fn is_live(&self, position: u32) -> bool {
        self.entry(position).is_some_and(Entry::is_live)
    }

    /// Where a slot is, if it is live.
    pub(super) fn position(&self, slot: Slot) -> Option<u32> {
        read(&self.positions).get(&slot).copied()
    }

    /// Whether the vector at a position has these values, as precisely as they are kept.
    pub(super) fn holds(&self, position: u32, vector: &[f32]) -> bool {
        let mut values = vec![f16::ZERO; vector.len()];
        values.convert_from_f32_slice(vector);
        self.rows().is_some_and(|rows| rows.values(position) == values)
    }

    /// Where slots are: ascending, each once, those that are not live left out.
    pub(super) fn positions(&self, slots: &[Slot]) -> Vec<u32> {
        let mut found: Vec<u32> = {
            let positions = read(&self.positions);
            slots.iter().filter_map(|slot| positions.get(slot).copied()).collect()
        };
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Positions of silent vectors below `end`, removed ones included.
    pub(super) fn silent_below(&self, end: u32) -> Vec<u32> {
        self.silent.iter().map(|(_, &position)| position).filter(|&position| position < end).collect()
    }

    /// Adds a vector, unless its slot is live or its size is not that of the others.
    pub(super) fn add(&self, slot: Slot, vector: &[f32], silent: bool) -> bool {
        if !self.has_room_for(slot, vector.len()) {
            return false;
        }
        let mut values = vec![f16::ZERO; vector.len()];
        values.convert_from_f32_slice(vector);
        let entry = Entry::new(slot, digest(&values), silent, false);
        let rows = self.rows.get_or_init(|| RowStore::new(vector.len()));
        self.publish(entry, &rows.push(&values))
    }

    /// Adds the vector at a position of another arena, unless its slot is live.
    pub(super) fn take_over(&self, other: &Self, rows: &Rows, position: u32) -> bool {
        let Some(Entry { slot, silent, digest, .. }) = other.entry(position) else { return false };
        let own = self.rows.get_or_init(|| RowStore::new(rows.layout().dimension));
        own.note_error(other.store().map_or(0.0, RowStore::worst_error));
        self.has_room_for(*slot, rows.layout().dimension)
            && self.publish(Entry::new(*slot, *digest, *silent, false), &own.copy(rows, position))
    }

    /// Takes chunks of rows from a snapshot, all but the last of which are full, before anything else is added.
    /// `error` is how far a vector is from what its code says, at most.
    pub(super) fn adopt(&self, dimension: usize, chunks: Vec<Chunk>, error: f32) {
        let rows = self.rows.get_or_init(|| RowStore::new(dimension));
        rows.note_error(error);
        rows.adopt(chunks);
    }

    /// Says what is known of the rows that were adopted, in their order. One that is not live is that of a removed
    /// vector, over which the graph's ways still lead. Of a slot, at most one may be live.
    pub(super) fn assign(&self, known: impl ExactSizeIterator<Item = Known>) {
        let count = known.len();
        self.entries.reserve(count);
        {
            let mut positions = write(&self.positions);
            positions.reserve(count);
            let (mut live, mut live_silent) = (0, 0);
            for Known { slot, digest, silent, live: is_live, node } in known {
                let position = self.entries.push(Entry::new(slot, digest, silent, !is_live)) as u32;
                if silent {
                    self.silent.push(position);
                }
                if node != NONE {
                    self.stand_for(node, position);
                }
                if is_live {
                    live += 1;
                    live_silent += usize::from(silent);
                    positions.insert(slot, position);
                }
            }
            self.live.fetch_add(live, Ordering::AcqRel);
            self.live_silent.fetch_add(live_silent, Ordering::AcqRel);
        }
        // Last, as ever.
        self.len.fetch_add(count as u32, Ordering::AcqRel);
        self.changes.fetch_add(1, Ordering::AcqRel);
    }

    /// Adds those of the slots that are to be `live` and are not, each with whether it is silent, from what `read`
    /// gives: all vectors from a slot on. Of the others, at least the last few are compared with what it gives. Answers
    /// with a slot that has another vector here than there.
    pub(super) fn complete<E>(
        &self,
        live: &[(Slot, bool)],
        read: &impl Fn(Slot, &mut dyn FnMut(Slot, &Embedding)) -> Result<(), E>,
    ) -> Result<Option<Slot>, E> {
        let is_missing = |(slot, _): &&(Slot, bool)| self.position(*slot).is_none();
        // Looking for nothing among a million takes a while.
        let looked_at = if self.live() == live.len() { &[][..] } else { live };
        let missing: HashMap<Slot, bool> = looked_at.iter().filter(is_missing).copied().collect();
        let compared = live.iter().rev().filter(|slot| !is_missing(slot)).map(|&(slot, _)| slot).take(COMPARED);
        let Some(first) = missing.keys().copied().chain(compared).min() else { return Ok(None) };
        let mut other = None;
        read(first, &mut |slot, vector| {
            if let Some(&silent) = missing.get(&slot) {
                self.add(slot, vector.as_slice(), silent);
            } else if self.position(slot).is_some_and(|position| !self.holds(position, vector.as_slice())) {
                other = other.or(Some(slot));
            }
        })?;
        Ok(other)
    }

    fn has_room_for(&self, slot: Slot, dimension: usize) -> bool {
        let expected = self.dimension().unwrap_or(dimension);
        if dimension != expected {
            tracing::error!("a vector of {dimension} values was not indexed: expected {expected}");
            return false;
        }
        self.position(slot).is_none()
    }

    fn publish(&self, entry: Entry, written: &io::Result<()>) -> bool {
        if let Err(error) = written {
            tracing::error!("a vector was not indexed, there is no memory for it: {error}");
            return false;
        }
        self.note(entry);
        true
    }

    /// Lets the entry of a row that has been written be seen.
    fn note(&self, entry: Entry) {
        let (slot, silent, live) = (entry.slot, entry.silent, entry.is_live());
        let position = self.entries.push(entry);
        let position = u32::try_from(position).expect("there are fewer vectors than slots were ever given out");
        if silent {
            self.silent.push(position);
        }
        if live {
            self.live_silent.fetch_add(silent.into(), Ordering::AcqRel);
            write(&self.positions).insert(slot, position);
            self.live.fetch_add(1, Ordering::AcqRel);
        }
        // Last: whoever sees the position must see all of it.
        self.len.store(position + 1, Ordering::Release);
        self.changes.fetch_add(1, Ordering::AcqRel);
    }

    /// Removes a vector; `false` if it was not there.
    pub(super) fn remove(&self, slot: Slot) -> bool {
        let Some(position) = write(&self.positions).remove(&slot) else { return false };
        if let Some(entry) = self.entry(position) {
            entry.removed.store(true, Ordering::Release);
            self.live_silent.fetch_sub(entry.silent.into(), Ordering::AcqRel);
        }
        self.live.fetch_sub(1, Ordering::AcqRel);
        self.changes.fetch_add(1, Ordering::AcqRel);
        true
    }

    /// Lets the graph's node at `node` stand for the vector at `position`.
    pub(super) fn stand_for(&self, node: u32, position: u32) {
        let (Some(first), Some(entry)) = (self.entry(node), self.entry(position)) else { return };
        entry.node.store(node, Ordering::Release);
        if node != position {
            entry.twin.store(first.twin.load(Ordering::Acquire), Ordering::Release);
            first.twin.store(position, Ordering::Release);
        }
    }

    /// Positions that the node at `node` stands for: its own and those of identical vectors.
    pub(super) fn twins(&self, node: u32) -> impl Iterator<Item = u32> {
        let next = |&position: &u32| {
            let twin = self.entry(position).map_or(NONE, |entry| entry.twin.load(Ordering::Acquire));
            (twin != NONE).then_some(twin)
        };
        std::iter::successors(Some(node), next)
    }

    /// Memory of codes, entries and the way from slots to positions, in bytes, and that of values which are in no file.
    pub(super) fn memory_bytes(&self) -> u64 {
        let Some(rows) = self.rows() else { return 0 };
        let layout = rows.layout();
        let chunk = |chunk: &Chunk| {
            let value = if chunk.is_mapped() { 0 } else { size_of::<f16>() };
            chunk.scales().len() * (layout.stride + size_of::<f32>() + layout.dimension * value)
        };
        let place = size_of::<(Slot, u32)>() + 1;
        let places = read(&self.positions).capacity() * place + self.len() as usize * (size_of::<Entry>() + 1);
        (rows.chunks().iter().map(chunk).sum::<usize>() + places) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arena(values: &[(u32, f32)]) -> Arena {
        let arena = Arena::default();
        values.iter().for_each(|&(slot, value)| assert!(arena.add(Slot(slot), &[value, 1.0 - value], false)));
        arena
    }

    fn values(arena: &Arena, position: u32) -> Vec<f32> {
        arena.rows().unwrap().values(position).iter().map(|value| value.to_f32()).collect()
    }

    #[test]
    fn a_slot_is_live_once_and_comes_back_at_a_new_position() {
        let arena = arena(&[(7, 0.5)]);
        assert!(!arena.add(Slot(7), &[0.25, 0.75], false));
        assert_eq!((arena.live(), values(&arena, 0)), (1, vec![0.5, 0.5]));
        assert!(arena.remove(Slot(7)) && !arena.remove(Slot(7)));
        assert_eq!((arena.live(), arena.position(Slot(7))), (0, None));
        assert!(arena.add(Slot(7), &[0.5, 0.5], false));
        assert_eq!((arena.live(), arena.len(), arena.position(Slot(7))), (1, 2, Some(1)));
        assert!(!arena.is_live(0) && arena.is_live(1) && !arena.is_live(2));
    }

    #[test]
    fn vectors_of_another_size_are_refused() {
        let arena = arena(&[(1, 0.5)]);
        assert!(!arena.add(Slot(2), &[1.0], false));
        assert_eq!(arena.live(), 1);
    }

    #[test]
    fn a_vector_is_taken_over_with_all_that_is_known_of_it() {
        let from = arena(&[(1, 0.5), (2, 0.25)]);
        assert!(from.add(Slot(3), &[1.0, 0.0], true));
        let (to, rows) = (Arena::default(), from.rows().unwrap());
        assert!(to.take_over(&from, &rows, 2) && to.take_over(&from, &rows, 1));
        assert!(!to.take_over(&from, &rows, 1), "it is there");
        assert_eq!((values(&to, 0), values(&to, 1)), (vec![1.0, 0.0], vec![0.25, 0.75]));
        assert_eq!((to.live(), to.live_audible(), to.silent_below(2)), (2, 1, vec![0]));
        assert_eq!(to.entry(1).unwrap().digest, from.entry(1).unwrap().digest);
    }

    #[test]
    fn a_node_stands_for_its_twins() {
        let arena = arena(&[(0, 0.5), (1, 0.5), (2, 0.5), (3, 0.5)]);
        [(0, 0), (0, 1), (2, 2), (0, 3)].iter().for_each(|&(node, position)| arena.stand_for(node, position));
        let mut twins: Vec<u32> = arena.twins(0).collect();
        twins.sort_unstable();
        assert_eq!(twins, [0, 1, 3]);
        assert_eq!(arena.twins(2).collect::<Vec<_>>(), [2]);
        assert_eq!(arena.entry(3).unwrap().node(), 0);
    }

    #[test]
    fn equal_values_have_equal_digests() {
        let arena = arena(&[(1, 0.5), (2, 0.5), (3, 0.25)]);
        let digest = |position| arena.entry(position).unwrap().digest;
        assert_eq!(digest(0), digest(1));
        assert_ne!(digest(0), digest(2));
    }
}
