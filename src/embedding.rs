//! Embeddings and the spaces they live in.
//!
//! Invariant: an [`Embedding`] holds finite values of unit length, of one space. Vectors of different spaces are never
//! comparable, which is what [`SpaceId`] is for. Knows nothing of models or files.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Names an embedding space: equal ids mean that vectors may be compared.
///
/// It is the SHA-256, in lower-case hex, over the model's configuration, its weights, the preprocessing version and the
/// numeric type it is run in.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SpaceId(String);

impl SpaceId {
    /// Takes a digest that has been computed elsewhere.
    pub(crate) fn from_digest(hex: String) -> Self {
        Self(hex)
    }

    /// Takes what [`Self::as_str`] gave: 64 hex digits, in any case.
    pub fn from_hex(hex: &str) -> Option<Self> {
        let sound = hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        sound.then(|| Self(hex.to_ascii_lowercase()))
    }

    /// The full identity, 64 hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SpaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A direction in an embedding space: finite values of unit length.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedding(Vec<f32>);

/// Why a vector is no embedding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAnEmbedding {
    /// A value is NaN or infinite.
    #[error("value {0} of the vector is not finite")]
    NotFinite(usize),
    /// The vector has no direction.
    #[error("the vector has zero length, so it points nowhere")]
    Zero,
    /// The vector is so short that its direction is no more than rounding.
    #[error("the vector's length is below {:e}, so its direction is no more than rounding", f32::MIN_POSITIVE)]
    TooShort,
}

impl Embedding {
    /// Scales `raw` to unit length, `e / ‖e‖₂` (SPEC 5), with the norm summed in f64.
    pub fn normalized(raw: &[f32]) -> Result<Self, NotAnEmbedding> {
        if let Some(position) = raw.iter().position(|value| !value.is_finite()) {
            return Err(NotAnEmbedding::NotFinite(position));
        }
        let norm = raw.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt();
        if norm == 0.0 {
            return Err(NotAnEmbedding::Zero);
        }
        if norm < f64::from(f32::MIN_POSITIVE) {
            return Err(NotAnEmbedding::TooShort);
        }
        Ok(Self(raw.iter().map(|&value| (f64::from(value) / norm) as f32).collect()))
    }

    /// The cosine of the angle to `other`, in [−1, 1]; both must be of one space.
    pub fn cosine(&self, other: &Self) -> f32 {
        let dot: f64 = self.0.iter().zip(&other.0).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum();
        dot.clamp(-1.0, 1.0) as f32
    }

    /// The values.
    pub fn as_slice(&self) -> &[f32] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_are_64_hex_digits() {
        let space = SpaceId::from_hex(&"0aF9".repeat(16)).unwrap();
        assert_eq!(space.as_str(), "0af9".repeat(16));
        assert_eq!(SpaceId::from_hex(space.as_str()), Some(space));
        for wrong in ["", "0af9", &"g".repeat(64), &"0".repeat(65), &"é".repeat(32)] {
            assert_eq!(SpaceId::from_hex(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn normalizes_to_unit_length() {
        let embedding = Embedding::normalized(&[3.0, 0.0, -4.0]).unwrap();
        assert_eq!(embedding.as_slice(), [0.6, 0.0, -0.8]);
        assert_eq!(embedding.cosine(&embedding), 1.0);
    }

    #[test]
    fn survives_values_whose_squares_overflow_f32() {
        let large = 2f32.powi(100);
        let embedding = Embedding::normalized(&[3.0 * large, 4.0 * large]).unwrap();
        assert_eq!(embedding.as_slice(), [0.6, 0.8]);
    }

    #[test]
    fn refuses_what_has_no_direction() {
        assert_eq!(Embedding::normalized(&[0.0, 0.0]), Err(NotAnEmbedding::Zero));
        assert_eq!(Embedding::normalized(&[1.0, f32::NAN]), Err(NotAnEmbedding::NotFinite(1)));
        assert_eq!(Embedding::normalized(&[f32::INFINITY]), Err(NotAnEmbedding::NotFinite(0)));
        assert_eq!(Embedding::normalized(&[]), Err(NotAnEmbedding::Zero));
        assert_eq!(Embedding::normalized(&[0.0, -0.0]), Err(NotAnEmbedding::Zero));
    }

    #[test]
    fn refuses_what_rounding_has_made() {
        let least = f32::MIN_POSITIVE;
        let check = |raw: &[f32]| assert_eq!(Embedding::normalized(raw), Err(NotAnEmbedding::TooShort), "{raw:?}");
        check(&[f32::from_bits(1)]);
        check(&[0.0, -f32::from_bits(1), f32::from_bits(3)]);
        check(&[least.next_down()]);
        assert_eq!(Embedding::normalized(&[0.0, least]).unwrap().as_slice(), [0.0, 1.0]);
        // Each value is too small to be exact; together they are long enough.
        assert!(Embedding::normalized(&[least / 2.0; 4]).is_ok());
        assert!(NotAnEmbedding::TooShort.to_string().contains("below 1.1754944e-38"));
    }
}
