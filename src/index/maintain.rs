//! What an index does when nobody is waiting: bringing vectors into the graph, and leaving removed ones behind.
//!
//! Removal only marks. Once too many are marked, a new generation is made of what is left: its vectors are copied,
//! which is cheap, for generations share them; then its graph is built; then it takes the place of the old one, which
//! has served meanwhile. Invariant: what comes or goes meanwhile reaches both.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::arena::{Arena, Stored};
use super::generation::Generation;
use super::{Index, lock, write};
use crate::library::Slot;

/// Positions that a graph takes in one piece of work: half a second of it.
const COVERED_AT_ONCE: u32 = 256;
/// Vectors that a new generation takes over at once, while insertions wait: less than a millisecond.
const COPIED_AT_ONCE: u32 = 4_096;
/// A graph that fails this often is left alone until something else is a reason to build it anew.
const MOST_FAILURES: u32 = 3;

/// What those who maintain must remember from one piece of work to the next.
#[derive(Default)]
pub(super) struct Maintenance {
    failures: u32,
}

/// What those who add and remove must know.
#[derive(Default)]
pub(super) struct Writer {
    next: Option<Next>,
}

/// The generation that is being made.
struct Next {
    generation: Arc<Generation>,
    /// Positions of the current generation whose vectors it has.
    copied: u32,
    /// It has all of them, so that what is added must be added here, too.
    caught_up: bool,
}

impl Writer {
    /// What has been added to the current generation.
    pub(super) fn add(&self, stored: Stored) {
        if let Some(next) = self.next.as_ref().filter(|next| next.caught_up) {
            next.generation.arena.add(stored);
        }
    }

    /// What has been removed from the current generation.
    pub(super) fn remove(&self, slot: Slot) {
        if let Some(next) = &self.next {
            next.generation.arena.remove(slot);
        }
    }
}

impl Index {
    /// Does one bounded piece of what is due: bringing vectors into the graph, or building it anew. `false` if nothing
    /// is. Meant to be called again and again by a thread of its own; searches and insertions go on meanwhile.
    pub fn maintain(&self) -> bool {
        let mut maintenance = lock(&self.maintenance);
        let next = lock(&self.writer).next.as_ref().map(|next| (next.generation.clone(), next.caught_up));
        match next {
            Some((_, false)) => self.copy_on(),
            Some((next, true)) => {
                let worked = next.cover(COVERED_AT_ONCE, &self.options);
                if !worked || next.has_failed() || next.tail() < COVERED_AT_ONCE {
                    self.replace(next);
                }
            }
            None => {
                let current = self.current();
                if !self.compaction_due(&current, &mut maintenance) {
                    return current.cover(COVERED_AT_ONCE, &self.options);
                }
                let generation = Arc::new(Generation::new(Arena::default()));
                lock(&self.writer).next = Some(Next { generation, copied: 0, caught_up: false });
            }
        }
        true
    }

    fn compaction_due(&self, current: &Generation, maintenance: &mut Maintenance) -> bool {
        let requested = self.compaction_requested.swap(false, Ordering::AcqRel);
        let failed = current.has_failed() && maintenance.failures < MOST_FAILURES;
        maintenance.failures += u32::from(failed);
        let positions = current.arena.len() as usize;
        let removed = positions.saturating_sub(current.arena.live());
        requested || failed || removed as f64 > self.options.compact_above * positions as f64
    }

    /// Copies some more vectors into the next generation.
    fn copy_on(&self) {
        let mut writer = lock(&self.writer);
        let current = self.current();
        let Some(next) = &mut writer.next else { return };
        let end = current.arena.len().min(next.copied.saturating_add(COPIED_AT_ONCE));
        for stored in current.live(next.copied, end) {
            next.generation.arena.add(stored);
        }
        next.copied = end;
        next.caught_up = end == current.arena.len();
    }

    /// Lets the next generation serve.
    fn replace(&self, next: Arc<Generation>) {
        let old = {
            let mut writer = lock(&self.writer);
            writer.next = None;
            std::mem::replace(&mut *write(&self.current), next)
        };
        // A graph takes its time to end: not while others wait.
        drop(old);
    }
}
