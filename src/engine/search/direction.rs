//! Vectors of terms to the one direction that is searched in.

use super::invalid;
use super::terms::field;
use crate::embedding::{Embedding, NotAnEmbedding};
use crate::engine::query::{QueryError, Term};
use crate::media::MediaKind;
use crate::model::ModalityPair;

/// A sum shorter than this share of its weights is what rounding left of terms that cancel each other out.
const SHORTEST_SUM: f64 = 1e-6;

/// Where to search.
#[derive(Debug)]
pub(super) struct Direction {
    /// Of unit length.
    pub(super) vector: Embedding,
    /// What all positive terms are, if they are all one.
    pub(super) modality: Option<Modality>,
    /// What the caller should know about the terms.
    pub(super) notes: Vec<String>,
}

/// What a term is, as far as the model's learned scales are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Modality {
    Text,
    Media(MediaKind),
}

impl Modality {
    /// The pair that it makes with hits of a kind; none with its own.
    pub(super) fn pair_with(self, kind: MediaKind) -> Option<ModalityPair> {
        match (self, kind) {
            (Self::Text, MediaKind::Audio) => Some(ModalityPair::AudioText),
            (Self::Text, MediaKind::Image) => Some(ModalityPair::ImageText),
            (Self::Media(MediaKind::Audio), MediaKind::Image) | (Self::Media(MediaKind::Image), MediaKind::Audio) => {
                Some(ModalityPair::AudioImage)
            }
            (Self::Media(_), _) => None,
        }
    }
}

/// A term's vector.
#[derive(Debug)]
pub(super) struct Resolved {
    /// Its number among the terms.
    pub(super) position: usize,
    /// Of unit length.
    pub(super) vector: Embedding,
    /// What it is; none for a bare vector.
    pub(super) modality: Option<Modality>,
}

impl Direction {
    /// The weighted sum of the vectors of `terms`.
    pub(super) fn of(resolved: &[Resolved], terms: &[Term], notes: Vec<String>) -> Result<Self, QueryError> {
        check_dimensions(resolved, terms)?;
        let weighted = resolved.iter().map(|term| (terms[term.position].weight, &term.vector));
        Ok(Self { vector: combine(weighted)?, modality: common_modality(resolved, terms), notes })
    }
}

/// Vectors of unlike lengths cannot be added; without a model, only now does this show.
fn check_dimensions(resolved: &[Resolved], terms: &[Term]) -> Result<(), QueryError> {
    let Some(first) = resolved.first() else { return Ok(()) };
    let expected = first.vector.as_slice().len();
    match resolved.iter().find(|term| term.vector.as_slice().len() != expected) {
        None => Ok(()),
        Some(odd) => {
            let field = field(odd.position, &terms[odd.position].what);
            Err(invalid(field, format!("got {} values, expected {expected}", odd.vector.as_slice().len())))
        }
    }
}

/// What all positive terms are, if they are all one.
fn common_modality(resolved: &[Resolved], terms: &[Term]) -> Option<Modality> {
    let mut positive = resolved.iter().filter(|term| terms[term.position].weight > 0.0).map(|term| term.modality);
    let first = positive.next()??;
    positive.all(|modality| modality == Some(first)).then_some(first)
}

/// The direction of the sum of weighted unit vectors, which are of one length.
fn combine<'a>(weighted: impl Iterator<Item = (f32, &'a Embedding)>) -> Result<Embedding, QueryError> {
    let mut sum: Vec<f64> = Vec::new();
    let mut weights = 0.0;
    for (weight, vector) in weighted {
        let weight = f64::from(weight);
        weights += weight.abs();
        sum.resize(vector.as_slice().len(), 0.0);
        for (sum, &value) in sum.iter_mut().zip(vector.as_slice()) {
            *sum += weight * f64::from(value);
        }
    }
    let length = sum.iter().map(|value| (value / weights).powi(2)).sum::<f64>().sqrt();
    let cancelled = || invalid("terms", "cancel each other out");
    // No number where there is nothing to add up.
    if length.is_nan() || length <= SHORTEST_SUM {
        return Err(cancelled());
    }
    let scaled: Vec<f32> = sum.iter().map(|value| (value / weights / length) as f32).collect();
    Embedding::normalized(&scaled).map_err(|_| cancelled())
}

/// The direction of the mean of unit vectors.
pub(super) fn mean(vectors: &[Embedding]) -> Result<Embedding, NotAnEmbedding> {
    combine(vectors.iter().map(|vector| (1.0, vector))).map_err(|_| NotAnEmbedding::Zero)
}

#[cfg(test)]
mod tests;
