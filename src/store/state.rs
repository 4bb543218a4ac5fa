//! The state of a store: its counts, and what it will give out next.
//!
//! Written in every batch, and to the ledger after every batch, in the same bytes.

use super::keys::{self, Key};
use super::{Totals, codec};

/// Little-endian integers, in the order of [`State::to_bytes`].
pub(super) const STATE_BYTES: usize = 8 * 8 + 3 * 4;

/// Counts, and what comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct State {
    pub(super) totals: Totals,
    /// The slots of the next vectors, by kind.
    pub(super) next_slots: [u32; 2],
    /// The id of the next root. 0 is never one: on the wire it says that there is none.
    pub(super) next_root: u32,
    /// Sum of the checksums of all records but the meta ones: tells that some of them are older than the counts, which
    /// the counts alone do not.
    pub(super) digest: u64,
}

impl Default for State {
    fn default() -> Self {
        Self { totals: Totals::default(), next_slots: [0; 2], next_root: 1, digest: 0 }
    }
}

impl State {
    pub(super) fn to_bytes(self) -> [u8; STATE_BYTES] {
        let Totals { sequence, roots, files, assets, vectors, embedded_total } = self.totals;
        let long = [sequence, roots, files, assets, vectors[0], vectors[1], embedded_total, self.digest];
        let short = [self.next_slots[0], self.next_slots[1], self.next_root];
        let bytes = long.into_iter().flat_map(u64::to_le_bytes).chain(short.into_iter().flat_map(u32::to_le_bytes));
        let mut state = [0; STATE_BYTES];
        state.iter_mut().zip(bytes).for_each(|(place, byte)| *place = byte);
        state
    }

    pub(super) fn from_bytes(bytes: &[u8; STATE_BYTES]) -> Self {
        let long = |at: usize| u64::from_le_bytes(std::array::from_fn(|index| bytes[8 * at + index]));
        let short = |at: usize| u32::from_le_bytes(std::array::from_fn(|index| bytes[64 + 4 * at + index]));
        let totals = Totals {
            sequence: long(0),
            roots: long(1),
            files: long(2),
            assets: long(3),
            vectors: [long(4), long(5)],
            embedded_total: long(6),
        };
        Self { totals, next_slots: [short(0), short(1)], next_root: short(2), digest: long(7) }
    }

    /// Counts that the record under `key` is another one now, or none.
    pub(super) fn count(&mut self, key: &[u8], old: Option<&[u8]>, new: Option<&[u8]>) {
        let totals = &mut self.totals;
        let counter = match Key::parse(key) {
            Some(Key::Root(_)) => &mut totals.roots,
            Some(Key::Asset(_)) => &mut totals.assets,
            Some(Key::Vector(kind, _)) => &mut totals.vectors[keys::index(kind)],
            Some(Key::File(_)) => &mut totals.files,
            None => return,
        };
        if let Some(old) = old {
            *counter = counter.wrapping_sub(1);
            self.digest = self.digest.wrapping_sub(codec::stored_checksum(old));
        }
        if let Some(new) = new {
            *counter = counter.wrapping_add(1);
            self.digest = self.digest.wrapping_add(codec::stored_checksum(new));
        }
    }

    /// Whether both are of the same records.
    pub(super) fn same_records(&self, other: &Self) -> bool {
        let records = |state: &Self| {
            let Totals { roots, files, assets, vectors, .. } = state.totals;
            (roots, files, assets, vectors, state.digest)
        };
        records(self) == records(other)
    }

    /// Goes on where the later of two leaves off: what either has given out stays given out.
    pub(super) fn continue_after(&mut self, other: &Self) {
        let (own, others) = (&mut self.totals, &other.totals);
        own.sequence = own.sequence.max(others.sequence);
        own.embedded_total = own.embedded_total.max(others.embedded_total);
        self.next_root = self.next_root.max(other.next_root);
        for (slot, other) in self.next_slots.iter_mut().zip(other.next_slots) {
            *slot = (*slot).max(other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counting_forth_and_back_leaves_nothing() {
        let mut state = State::default();
        let key = Key::Vector(crate::media::MediaKind::Image, crate::library::Slot(7)).to_bytes();
        state.count(&key, None, Some(b"first"));
        assert_eq!((state.totals.vectors, state.digest != 0), ([0, 1], true));
        let first = state;
        state.count(&key, Some(b"first"), Some(b"other"));
        assert!(!state.same_records(&first));
        state.count(&key, Some(b"other"), None);
        state.count(keys::STATE, None, Some(b"state"));
        assert_eq!(state, State::default());
    }

    #[test]
    fn survives_being_written_and_read() {
        let totals =
            Totals { sequence: u64::MAX, roots: 2, files: 3, assets: 4, vectors: [5, 6], embedded_total: 1 << 40 };
        let state = State { totals, next_slots: [8, u32::MAX], next_root: 10, digest: 11 };
        assert_eq!(State::from_bytes(&state.to_bytes()), state);
        assert_eq!(State::from_bytes(&State::default().to_bytes()), State::default());
    }
}
