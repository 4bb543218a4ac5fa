//! Where slots are in a graph, and what a graph's positions are of.
//!
//! Made with the graph and never changed, so it may speak of vectors that have been removed since. Invariant: what it
//! says of a slot is checked against the arena, so that it is only ever a shortcut. Does not know which slots are
//! allowed.

use std::sync::Arc;

use roaring::RoaringBitmap;

use super::super::arena::Arena;
use super::super::links::Links;
use crate::library::Slot;

/// See the module's documentation.
pub(in crate::index) struct Places {
    pub(super) links: Arc<Links>,
    /// By position. They ascend, but for slots that came back.
    slots: Box<[u32]>,
    /// By position, a bit: a node that stands for others, too. Nothing if there are none.
    twinned: Option<Box<[u64]>>,
    /// Slots of the silent positions.
    pub(super) silent: RoaringBitmap,
}

const WORD: u32 = u64::BITS;

impl Places {
    /// Of the positions that a graph has taken.
    pub(in crate::index) fn new(arena: &Arena, links: Arc<Links>) -> Self {
        let mut slots = Vec::with_capacity(links.covered() as usize);
        let mut twinned = vec![0u64; (links.covered() as usize).div_ceil(WORD as usize)];
        let mut silent = RoaringBitmap::new();
        for position in 0..links.covered() {
            let Some(entry) = arena.entry(position) else { break };
            slots.push(entry.slot.0);
            if entry.silent && entry.is_live() {
                silent.insert(entry.slot.0);
            }
            let node = entry.node();
            if node != position
                && let Some(word) = twinned.get_mut((node / WORD) as usize)
            {
                *word |= 1 << (node % WORD);
            }
        }
        let twinned = twinned.iter().any(|&word| word != 0).then(|| twinned.into());
        Self { links, slots: slots.into(), twinned, silent }
    }

    pub(in crate::index) fn links(&self) -> &Links {
        &self.links
    }

    /// The slot of a position.
    #[inline]
    pub(super) fn slot(&self, position: u32) -> u32 {
        self.slots[position as usize]
    }

    /// Whether the node at a position may stand for others, too.
    #[inline]
    pub(super) fn is_twinned(&self, position: u32) -> bool {
        match &self.twinned {
            Some(twinned) => twinned[(position / WORD) as usize] >> (position % WORD) & 1 != 0,
            None => false,
        }
    }

    /// Where the live ones of `slots`, which ascend, are. Those behind the graph are among them.
    pub(super) fn positions(&self, arena: &Arena, slots: impl Iterator<Item = u32>) -> Vec<u32> {
        let mut positions = Vec::new();
        let mut begin = 0;
        for slot in slots {
            begin = self.seek(begin, slot);
            let here = self.slots.get(begin).is_some_and(|&here| here == slot) && arena.is_live(begin as u32);
            // A slot that came back, or is behind the graph, or is not there.
            positions.extend(if here { Some(begin as u32) } else { arena.position(Slot(slot)) });
        }
        positions
    }

    /// The first position from `begin` on with at least this slot, if slots ascend from there.
    fn seek(&self, begin: usize, slot: u32) -> usize {
        let rest = &self.slots[begin..];
        let Some(&first) = rest.first().filter(|&&first| first < slot) else { return begin };
        // Each position has a slot of its own, so it is no further than the slots are apart; and most often just there.
        let most = ((slot - first) as usize).min(rest.len());
        if rest.get(most).is_some_and(|&there| there == slot) && rest[most - 1] < slot {
            return begin + most;
        }
        let mut reach = 1;
        while reach < most && rest[reach] < slot {
            reach *= 2;
        }
        let (low, high) = (reach / 2, reach.min(most));
        begin + low + rest[low..high].partition_point(|&there| there < slot)
    }

    /// Memory in bytes, at most, but for silence.
    pub(in crate::index) fn memory_bytes(&self) -> u64 {
        let bits = self.slots.len().div_ceil(WORD as usize) * size_of::<u64>();
        (size_of_val(&self.slots[..]) + bits) as u64
    }
}
