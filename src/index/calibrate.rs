//! How many candidates a search of the graph needs for the recall that is wanted.

use super::Index;
use super::generation::Generation;

/// Candidates a search needs, by how many neighbours are wanted.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Calibration;

impl Calibration {
    /// Candidates for `count` neighbours.
    pub(super) fn candidates(&self, count: usize) -> usize {
        count.saturating_mul(2).max(64)
    }

    /// A search among some of the vectors finds what is among so many of the nearest of all.
    pub(super) fn depth(&self) -> f64 {
        224.0
    }
}

impl Index {
    /// Finds out anew how many candidates searches need, if the graph has changed much. `false` if there is no need.
    pub(super) fn calibrate(&self, _current: &Generation) -> bool {
        false
    }
}
