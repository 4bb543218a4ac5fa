//! Logit scales and confidence (SPEC 5).

use crate::embedding::Embedding;

/// The modalities of a query and its candidates, in either order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModalityPair {
    /// Sounds and pictures.
    AudioImage,
    /// Sounds and words.
    AudioText,
    /// Pictures and words.
    ImageText,
}

/// Effective scales: `clamp(exp(parameter), 1, 100)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogitScales {
    /// Sounds and pictures; absent without an audio tower.
    pub audio_image: Option<f32>,
    /// Sounds and words; absent without an audio tower.
    pub audio_text: Option<f32>,
    /// Pictures and words.
    pub image_text: f32,
}

impl LogitScales {
    /// The scale of a pair; `None` if the model lacks one of its towers.
    pub fn of(&self, pair: ModalityPair) -> Option<f32> {
        match pair {
            ModalityPair::AudioImage => self.audio_image,
            ModalityPair::AudioText => self.audio_text,
            ModalityPair::ImageText => Some(self.image_text),
        }
    }
}

/// The effective scale of a learned parameter.
pub(super) fn effective(parameter: f32) -> f32 {
    parameter.exp().clamp(1.0, 100.0)
}

/// `softmax(scale · cosine)` of a query over its candidates: what the model bets on each, summing to 1.
pub fn confidences(query: &Embedding, candidates: &[Embedding], scale: f32) -> Vec<f32> {
    let logits: Vec<f32> = candidates.iter().map(|candidate| scale * query.cosine(candidate)).collect();
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let weights: Vec<f64> = logits.iter().map(|&logit| f64::from(logit - largest).exp()).collect();
    let total: f64 = weights.iter().sum();
    weights.iter().map(|weight| (weight / total) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_are_clamped_after_the_exponential() {
        assert_eq!(effective(-0.5), 1.0);
        assert_eq!(effective(200.0), 100.0);
        assert!((effective(3.0) - 20.085_537).abs() < 1e-5);
    }

    #[test]
    fn confidences_sum_to_one_and_follow_the_cosine() {
        let unit = |values: &[f32]| Embedding::normalized(values).unwrap();
        let got = confidences(&unit(&[1.0, 0.0]), &[unit(&[1.0, 0.0]), unit(&[0.0, 1.0]), unit(&[-1.0, 0.0])], 1.0);
        let e = std::f32::consts::E;
        let total = e + 1.0 + 1.0 / e;
        for (got, expected) in got.iter().zip([e / total, 1.0 / total, 1.0 / e / total]) {
            assert!((got - expected).abs() < 1e-6, "{got} {expected}");
        }
        assert!(confidences(&unit(&[1.0]), &[], 100.0).is_empty());
    }
}
