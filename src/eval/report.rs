//! Figures of a classification: top-1, accuracy of each class, and who is taken for whom.

use std::collections::BTreeMap;

use serde::Serialize;

/// Figures of a finished evaluation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Fraction of the clips whose most likely class is their own.
    pub top1: f64,
    /// Clips that were classified.
    pub n: usize,
    /// Accuracy of each class that has clips.
    pub per_class: BTreeMap<String, ClassAccuracy>,
    /// `confusion[truth][prediction]` in clips, in the order of `classes`.
    pub confusion: Vec<Vec<usize>>,
    /// The prompts of the classes.
    pub classes: Vec<String>,
}

/// How well one class is recognised.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ClassAccuracy {
    /// Clips of the class.
    pub n: usize,
    /// Clips that were recognised.
    pub correct: usize,
    /// Their ratio.
    pub top1: f64,
}

impl Report {
    /// From pairs of a clip's class and the predicted one, as indices into `classes`.
    pub fn new(classes: &[String], predictions: &[(usize, usize)]) -> Self {
        let mut confusion = vec![vec![0; classes.len()]; classes.len()];
        for &(truth, prediction) in predictions {
            confusion[truth][prediction] += 1;
        }
        let accuracy = |truth: usize| {
            let (n, correct) = (confusion[truth].iter().sum(), confusion[truth][truth]);
            ClassAccuracy { n, correct, top1: ratio(correct, n) }
        };
        let per_class: BTreeMap<String, ClassAccuracy> =
            classes.iter().enumerate().map(|(truth, class)| (class.clone(), accuracy(truth))).collect();
        let correct = predictions.iter().filter(|(truth, prediction)| truth == prediction).count();
        Self {
            top1: ratio(correct, predictions.len()),
            n: predictions.len(),
            per_class: per_class.into_iter().filter(|(_, class)| class.n > 0).collect(),
            confusion,
            classes: classes.to_vec(),
        }
    }
}

fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_was_taken_for_what() {
        let classes = ["dog", "rain", "sea"].map(String::from);
        let report = Report::new(&classes, &[(0, 0), (0, 1), (1, 1), (1, 1)]);
        assert_eq!((report.top1, report.n), (0.75, 4));
        assert_eq!(report.confusion, [[1, 1, 0], [0, 2, 0], [0, 0, 0]]);
        assert_eq!(report.per_class["dog"], ClassAccuracy { n: 2, correct: 1, top1: 0.5 });
        assert!(!report.per_class.contains_key("sea"));
        assert_eq!(Report::new(&classes, &[]).top1, 0.0);
    }
}
