//! Searches among some of the vectors.

use roaring::RoaringBitmap;

use super::generation::Generation;
use super::rows::Code;
use super::scan::{Best, Question};
use super::{Found, Wanted};
use crate::library::Slot;

impl Generation {
    /// The nearest to `query`, which is of unit length, among `slots`.
    pub(super) fn search_among(&self, query: &[f32], slots: &RoaringBitmap, wanted: Wanted) -> Found {
        let slots: Vec<Slot> = slots.iter().map(Slot).collect();
        let positions = self.arena.positions(&slots);
        let Some(rows) = self.arena.rows() else { return Found::default() };
        let code = Code::of(query, rows.layout());
        let question = Question { arena: &self.arena, rows: &rows, query, code: &code };
        let mut best = Best::new(wanted.count);
        question.scan_positions(&mut best, &positions);
        Found { neighbours: best.into_neighbours(), exact: true }
    }
}
