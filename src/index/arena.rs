//! The vectors of one media kind, in memory, in the order in which they came.
//!
//! A vector's *position* is its place in that order: it never changes, so a graph may refer to it, and readers need no
//! lock. Owns the way from slots to positions, and which vectors are removed or silent. Invariant: of a slot, at most
//! one position is live. Only one thread at a time may add or remove; the index sees to that.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, RwLock};

use super::{read, write};
use crate::library::Slot;

/// No position.
pub(super) const NONE: u32 = u32::MAX;

/// A vector that generations of the index share.
#[derive(Clone)]
pub(super) struct Stored {
    pub(super) slot: Slot,
    pub(super) vector: Arc<[f32]>,
    /// Tells vectors apart: equal for equal bits.
    pub(super) digest: u64,
    pub(super) silent: bool,
}

impl Stored {
    pub(super) fn new(slot: Slot, vector: &[f32], silent: bool) -> Self {
        Self { slot, vector: vector.into(), digest: digest(vector), silent }
    }
}

/// The head of the BLAKE3 hash of a vector's values.
fn digest(vector: &[f32]) -> u64 {
    let bytes: Vec<u8> = vector.iter().flat_map(|value| value.to_le_bytes()).collect();
    let hash = blake3::hash(&bytes);
    let head = hash.as_bytes().first_chunk().expect("a hash has 32 bytes");
    u64::from_le_bytes(*head)
}

/// A position and what is known about it.
pub(super) struct Entry {
    pub(super) stored: Stored,
    removed: AtomicBool,
    /// Position of the graph's node that stands for this vector: its own, that of an identical one, or none.
    node: AtomicU32,
    /// Of those that the same node stands for, the next.
    twin: AtomicU32,
}

impl Entry {
    pub(super) fn is_live(&self) -> bool {
        !self.removed.load(Ordering::Acquire)
    }

    pub(super) fn node(&self) -> u32 {
        self.node.load(Ordering::Acquire)
    }
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
    entries: boxcar::Vec<Entry>,
    len: AtomicU32,
    positions: RwLock<Positions>,
    silent: boxcar::Vec<u32>,
    live: AtomicUsize,
    live_silent: AtomicUsize,
    changes: AtomicU64,
    dimension: OnceLock<usize>,
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
        self.dimension.get().copied()
    }

    pub(super) fn entry(&self, position: u32) -> Option<&Entry> {
        self.entries.get(position as usize)
    }

    /// The values at a position; empty where there are none, which is at an angle of 90 degrees to everything.
    pub(super) fn vector(&self, position: u32) -> &[f32] {
        self.entry(position).map_or(&[], |entry| &entry.stored.vector)
    }

    /// Where a slot is, if it is live.
    pub(super) fn position(&self, slot: Slot) -> Option<u32> {
        read(&self.positions).get(&slot).copied()
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
    pub(super) fn add(&self, stored: Stored) -> bool {
        let dimension = *self.dimension.get_or_init(|| stored.vector.len());
        if stored.vector.len() != dimension {
            tracing::error!("a vector of {} values was not indexed: expected {dimension}", stored.vector.len());
            return false;
        }
        if self.position(stored.slot).is_some() {
            return false;
        }
        let (slot, silent) = (stored.slot, stored.silent);
        let position = self.push(stored, false);
        if silent {
            self.silent.push(position);
            self.live_silent.fetch_add(1, Ordering::AcqRel);
        }
        write(&self.positions).insert(slot, position);
        self.live.fetch_add(1, Ordering::AcqRel);
        // Last: whoever sees the position must see all of it.
        self.len.store(position + 1, Ordering::Release);
        self.changes.fetch_add(1, Ordering::AcqRel);
        true
    }

    /// Takes a position for a vector that is gone, but whose node the graph needs on its ways.
    pub(super) fn add_removed(&self, stored: Stored) {
        let position = self.push(stored, true);
        self.len.store(position + 1, Ordering::Release);
    }

    fn push(&self, stored: Stored, removed: bool) -> u32 {
        let entry = Entry { stored, removed: removed.into(), node: AtomicU32::new(NONE), twin: AtomicU32::new(NONE) };
        u32::try_from(self.entries.push(entry)).expect("there are fewer vectors than slots were ever given out")
    }

    /// Removes a vector; `false` if it was not there.
    pub(super) fn remove(&self, slot: Slot) -> bool {
        let Some(position) = write(&self.positions).remove(&slot) else { return false };
        if let Some(entry) = self.entry(position) {
            entry.removed.store(true, Ordering::Release);
            self.live_silent.fetch_sub(entry.stored.silent.into(), Ordering::AcqRel);
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

    /// Estimate of the memory in bytes.
    pub(super) fn memory_bytes(&self) -> u64 {
        let counts = 2 * size_of::<usize>();
        let vector = self.dimension().unwrap_or(0) * size_of::<f32>() + counts;
        let place = size_of::<(Slot, u32)>() + 1;
        let capacity = read(&self.positions).capacity();
        (self.len() as usize * (size_of::<Entry>() + 1 + vector) + capacity * place) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(slot: u32, value: f32) -> Stored {
        Stored::new(Slot(slot), &[value, 1.0 - value], false)
    }

    #[test]
    fn a_slot_is_live_once_and_comes_back_at_a_new_position() {
        let arena = Arena::default();
        assert!(arena.add(stored(7, 0.5)) && !arena.add(stored(7, 0.25)));
        assert_eq!((arena.live(), arena.vector(0)), (1, &[0.5, 0.5][..]));
        assert!(arena.remove(Slot(7)) && !arena.remove(Slot(7)));
        assert_eq!((arena.live(), arena.position(Slot(7))), (0, None));
        assert!(arena.add(stored(7, 0.5)));
        assert_eq!((arena.live(), arena.len(), arena.position(Slot(7))), (1, 2, Some(1)));
        assert!(!arena.entry(0).unwrap().is_live());
    }

    #[test]
    fn vectors_of_another_size_are_refused() {
        let arena = Arena::default();
        assert!(arena.add(stored(1, 0.5)));
        assert!(!arena.add(Stored::new(Slot(2), &[1.0], false)));
        assert_eq!(arena.live(), 1);
    }

    #[test]
    fn a_node_stands_for_its_twins() {
        let arena = Arena::default();
        (0..4).for_each(|slot| assert!(arena.add(stored(slot, 0.5))));
        [(0, 0), (0, 1), (2, 2), (0, 3)].iter().for_each(|&(node, position)| arena.stand_for(node, position));
        let mut twins: Vec<u32> = arena.twins(0).collect();
        twins.sort_unstable();
        assert_eq!(twins, [0, 1, 3]);
        assert_eq!(arena.twins(2).collect::<Vec<_>>(), [2]);
        assert_eq!(arena.entry(3).unwrap().node(), 0);
    }

    #[test]
    fn equal_bits_have_equal_digests() {
        assert_eq!(stored(1, 0.5).digest, stored(2, 0.5).digest);
        assert_ne!(stored(1, 0.5).digest, stored(1, 0.25).digest);
    }
}
