//! What a hit is compared with: cosines of the query to vectors spread over the library.

use crate::library::AssetId;

/// Fewer vectors than this tell nothing about mean and spread.
const FEWEST: usize = 8;

/// Cosines of a query to vectors of one kind, whatever they are of.
#[derive(Debug, Clone)]
pub(super) struct Background {
    /// With the asset, so that a hit is not compared with itself.
    cosines: Vec<(Option<AssetId>, f32)>,
    /// Their mean; 0 if there are none.
    pub(super) mean: f64,
    /// Their standard deviation; 0 if there are none.
    pub(super) deviation: f64,
}

impl Background {
    pub(super) fn new(cosines: Vec<(Option<AssetId>, f32)>) -> Self {
        let count = cosines.len().max(1) as f64;
        let mean = cosines.iter().map(|(_, cosine)| f64::from(*cosine)).sum::<f64>() / count;
        let squares = cosines.iter().map(|(_, cosine)| (f64::from(*cosine) - mean).powi(2));
        let deviation = (squares.sum::<f64>() / count).sqrt();
        Self { cosines, mean, deviation }
    }

    /// Whether mean and spread tell anything.
    pub(super) fn tells(&self) -> bool {
        self.cosines.len() >= FEWEST
    }

    /// The mean, if there is anything that it is of.
    pub(super) fn known_mean(&self) -> Option<f64> {
        (!self.cosines.is_empty()).then_some(self.mean)
    }

    /// What the model bets on a hit of `asset` against the background: `e^(s·c) / (e^(s·c) + Σ e^(s·c_b))`, with the
    /// learned scale `s` of the pair of modalities. Vectors of the asset itself do not count as background.
    pub(super) fn confidence(&self, score: f32, asset: AssetId, scale: f32) -> f32 {
        // Divided by e^(s·c), so that only differences of cosines are raised; what overflows is infinite, and the
        // confidence 0.
        let others = self.cosines.iter().filter(|(owner, _)| *owner != Some(asset));
        let weights = others.map(|(_, cosine)| (f64::from(scale) * (f64::from(*cosine) - f64::from(score))).exp());
        (1.0 / (1.0 + weights.sum::<f64>())) as f32
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn asset(number: u8) -> AssetId {
        AssetId::from_hash([number; 32])
    }

    #[test]
    fn confidence_is_the_softmax_over_hit_and_background() {
        let background = Background::new(vec![(Some(asset(1)), 0.1), (None, 0.3), (Some(asset(2)), 0.9)]);
        let (hit, near, far) = (f64::exp(10.0 * 0.5), f64::exp(10.0 * 0.3), f64::exp(10.0 * 0.1));
        let own = background.confidence(0.5, asset(2), 10.0);
        assert!((f64::from(own) - hit / (hit + near + far)).abs() < 1e-6, "{own}");
        // To anybody else, the near one counts.
        assert!(background.confidence(0.5, asset(3), 10.0) < 0.02);
        assert_eq!(Background::new(Vec::new()).confidence(0.5, asset(1), 100.0), 1.0);
    }

    #[test]
    fn mean_and_deviation_are_those_of_the_whole() {
        let background = Background::new(vec![(None, 0.0), (None, 0.5), (None, 1.0)]);
        assert_eq!(background.known_mean(), Some(0.5));
        assert!((background.deviation - (1.0f64 / 6.0).sqrt()).abs() < 1e-12);
        assert_eq!(Background::new(Vec::new()).known_mean(), None);
        assert!(!background.tells() && Background::new(vec![(None, 0.0); FEWEST]).tells());
    }

    proptest! {
        #[test]
        fn confidence_is_a_share_and_rises_with_the_score(
            cosines in prop::collection::vec(-1.0f32..=1.0, 0..40), low in -1.0f32..=1.0, high in -1.0f32..=1.0,
            scale in 1.0f32..=100.0,
        ) {
            let background = Background::new(cosines.into_iter().map(|cosine| (None, cosine)).collect());
            let confidence = |score| background.confidence(score, asset(0), scale);
            let (low, high) = (confidence(low.min(high)), confidence(low.max(high)));
            prop_assert!((0.0..=1.0).contains(&low) && (0.0..=1.0).contains(&high) && low <= high);
        }
    }
}
