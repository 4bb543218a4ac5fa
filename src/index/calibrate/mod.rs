//! How many candidates a search of the graph needs for the recall that is wanted: found out on the library itself.
//!
//! Vectors of the library, the same moved all one way (as queries of another modality are), and queries that were asked
//! lately are searched for exactly and with more and more candidates, in the background. Owns what was found out, and
//! when that is out of date. Invariant: the same content gives the same calibration, but for what was asked.
//!
//! `asked` remembers queries; a `trial` asks the graph and counts.

mod asked;
mod trial;

use std::sync::Arc;
use std::time::{Duration, Instant};

pub(super) use self::asked::Asked;
pub(super) use self::trial::Trial;
use super::generation::Generation;
use super::{Index, lock, read, write};

/// A calibration is out of date when the graph has changed by more than this part of its nodes.
const OUT_OF_DATE: usize = 4;
/// Below this many nodes the graph is not asked anyway: looking at all of them is as fast.
const LEAST_NODES: usize = 512;
/// How long one piece of the work may take, unless one exact search takes longer.
const PIECE: Duration = Duration::from_millis(40);
/// Before the first calibration: recall@10 is above 0.998 with 64 candidates at 100,000 vectors in clusters, of both
/// modalities, and recall@100 with 200.
const GUESSED_CANDIDATES: usize = 64;
/// Before the first calibration: recall@10 of walks is above 0.99 down to 240 with clusters of 200.
const GUESSED_DEPTH: f64 = 224.0;

/// What was found out. Made once and never changed; the next one takes its place.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub(super) struct Calibration {
    /// Ascending in both; none before the first calibration.
    steps: Vec<Step>,
    depth: f64,
    /// Nodes of the graph that was asked; 0 if that is another one.
    nodes: usize,
}

/// So many candidates find so many neighbours; [`usize::MAX`] if no number does that is worth while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct Step {
    count: usize,
    candidates: usize,
}

impl Calibration {
    /// Candidates for `count` neighbours: between those of the counts that were tried, and beyond in proportion.
    pub(super) fn candidates(&self, count: usize) -> usize {
        let after = self.steps.partition_point(|step| step.count < count);
        match (self.steps[..after].last(), self.steps.get(after)) {
            (None, None) => count.saturating_mul(2).max(GUESSED_CANDIDATES),
            (None, Some(first)) => first.candidates,
            (Some(_), Some(step)) | (Some(step), None) if step.candidates == usize::MAX => usize::MAX,
            (Some(last), None) => {
                let each = last.candidates.div_ceil(last.count);
                last.candidates.saturating_add(each.saturating_mul(count - last.count))
            }
            (Some(below), Some(above)) => {
                let (wider, counts) = (above.candidates - below.candidates, above.count - below.count);
                below.candidates + (wider * (count - below.count)).div_ceil(counts)
            }
        }
    }

    /// A walk among some of the vectors finds what is among so many of the nearest of all.
    pub(super) fn depth(&self) -> f64 {
        if self.steps.is_empty() { GUESSED_DEPTH } else { self.depth }
    }

    /// Candidates for ten neighbours, once that has been found out.
    pub(super) fn measured(&self) -> Option<usize> {
        (!self.steps.is_empty()).then(|| self.candidates(10))
    }

    /// The same for another graph of about the same vectors, until that one is calibrated.
    pub(super) fn carried_over(&self) -> Self {
        Self { nodes: 0, ..self.clone() }
    }

    fn is_of(&self, nodes: usize) -> bool {
        self.nodes.abs_diff(nodes) <= self.nodes / OUT_OF_DATE && self.nodes > 0
    }

    /// Of the candidates that counts need, and how deep walks find what they should; 0 if nowhere.
    fn new(mut steps: Vec<(usize, usize)>, depth: f64, nodes: usize) -> Self {
        let mut least = 0;
        for (_, candidates) in &mut steps {
            least = least.max(*candidates);
            *candidates = least;
        }
        let steps = steps.into_iter().map(|(count, candidates)| Step { count, candidates }).collect();
        Self { steps, depth, nodes }
    }
}

impl Index {
    /// Does a piece of the work of finding out anew how many candidates searches need, if the graph has changed much.
    /// `false` if there is no need.
    pub(super) fn calibrate(&self, current: &Generation) -> bool {
        let Some(links) = current.links() else { return false };
        if links.nodes() < LEAST_NODES || read(&current.calibration).is_of(links.nodes()) {
            return false;
        }
        let mut trial = lock(&self.trial);
        let mut going = match trial.take().filter(|trial| trial.is_of(current)) {
            Some(going) => going,
            None => Trial::begin(current, &links, lock(&self.asked).queries(), self.options.target_recall),
        };
        let begun = Instant::now();
        while begun.elapsed() < PIECE {
            if let Some(calibration) = going.go_on(current) {
                tracing::debug!("calibrated: {calibration:?}");
                *write(&current.calibration) = Arc::new(calibration);
                return true;
            }
        }
        *trial = Some(going);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_lie_between_those_of_the_counts_tried_and_beyond_in_proportion() {
        let calibration = Calibration::new(vec![(1, 16), (10, 40), (100, 220)], 300.0, 1_000);
        let check = |count, expected| assert_eq!(calibration.candidates(count), expected, "for {count}");
        check(0, 16);
        check(1, 16);
        check(4, 24);
        check(10, 40);
        check(55, 130);
        check(100, 220);
        check(200, 520);
        assert!(calibration.candidates(usize::MAX) > 1 << 60);
        assert_eq!((calibration.depth(), calibration.measured()), (300.0, Some(40)));
    }

    #[test]
    fn what_no_number_of_candidates_finds_is_looked_for_exactly() {
        let calibration = Calibration::new(vec![(1, 32), (10, 24), (100, usize::MAX)], 0.0, 1_000);
        let found = [1, 10, 11, 100, 500].map(|count| calibration.candidates(count));
        assert_eq!(found, [32, 32, usize::MAX, usize::MAX, usize::MAX]);
        let nothing = Calibration::new(vec![(1, usize::MAX), (10, 20)], 0.0, 1_000);
        assert_eq!([1, 5, 10].map(|count| nothing.candidates(count)), [usize::MAX; 3]);
    }

    #[test]
    fn a_calibration_is_out_of_date_when_a_quarter_is_new_or_the_graph_is_another() {
        let calibration = Calibration::new(vec![(1, 16)], 0.0, 1_000);
        let of = [749, 750, 1_250, 1_251].map(|nodes| calibration.is_of(nodes));
        assert_eq!(of, [false, true, true, false]);
        let carried = calibration.carried_over();
        assert_eq!((carried.is_of(1_000), carried.candidates(1)), (false, 16));
        assert!(!Calibration::default().is_of(0) && Calibration::default().measured().is_none());
        assert_eq!([1, 10, 100].map(|count| Calibration::default().candidates(count)), [64, 64, 200]);
    }

    #[test]
    fn a_calibration_is_read_as_it_was_written() {
        let calibration = Calibration::new(vec![(1, 16), (10, usize::MAX)], 12.5, 1_000);
        let written = serde_json::to_string(&calibration).unwrap();
        assert_eq!(serde_json::from_str::<Calibration>(&written).unwrap(), calibration);
    }
}
