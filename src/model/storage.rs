//! How the numbers of a tensor are stored in a model file, and back to what models run in.
//!
//! Invariant: what is read is what was written, except that weights stored as f16 are rounded to it.

use half::f16;
use half::slice::HalfFloatSliceExt as _;
use safetensors::tensor::Dtype;
use serde::{Deserialize, Serialize};

use super::error::Defect;
use super::schema::{Kind, TensorSpec};

/// What the weights of a model are stored as. They are run in f32 either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Weights {
    /// As they are.
    #[default]
    F32,
    /// Rounded, at half the size. Biases, norms, variances and all else that has fewer than two dimensions stay f32:
    /// they take next to no room, and some of them do not fit into an f16.
    F16,
}

impl Weights {
    /// For metadata, in which it is not mentioned: files that are older than the choice must stay as they are.
    pub(super) fn is_usual(&self) -> bool {
        *self == Self::F32
    }

    /// What a tensor is stored as.
    pub(super) fn stored_as(self, spec: &TensorSpec) -> Stored {
        match (spec.kind, self) {
            (Kind::Counter, _) => Stored::I64,
            (Kind::Real, Self::F16) if spec.shape.len() >= 2 => Stored::F16,
            (Kind::Real | Kind::Variance, _) => Stored::F32,
        }
    }
}

impl std::fmt::Display for Weights {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
        })
    }
}

/// The type of a stored tensor, widest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stored {
    I64,
    F32,
    F16,
}

impl Stored {
    /// Bytes of one number.
    fn width(self) -> u64 {
        match self {
            Self::I64 => 8,
            Self::F32 => 4,
            Self::F16 => 2,
        }
    }

    /// Bytes of a tensor.
    pub(super) fn bytes(self, spec: &TensorSpec) -> u64 {
        spec.shape.iter().product::<usize>() as u64 * self.width()
    }

    /// The type in a safetensors header.
    pub(super) fn dtype(self) -> Dtype {
        match self {
            Self::I64 => Dtype::I64,
            Self::F32 => Dtype::F32,
            Self::F16 => Dtype::F16,
        }
    }

    /// The type in messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::I64 => "I64",
            Self::F32 => "F32",
            Self::F16 => "F16",
        }
    }

    /// The numbers of a stored tensor; `None` if it is no tensor of real numbers.
    pub(super) fn values(self, bytes: &[u8]) -> Option<Vec<f32>> {
        match self {
            Self::I64 => None,
            Self::F32 => Some(reals(bytes)),
            Self::F16 => {
                let stored: Vec<f16> = bytes.as_chunks().0.iter().map(|&value| f16::from_le_bytes(value)).collect();
                Some(stored.to_f32_vec())
            }
        }
    }

    /// The bytes to store for a tensor that is given in little-endian f32 or i64, or the first value that does not fit.
    pub(super) fn encode(self, spec: &TensorSpec, bytes: Vec<u8>) -> Result<Vec<u8>, Defect> {
        if self != Self::F16 {
            return Ok(bytes);
        }
        let values = reals(&bytes);
        let rounded: Vec<f16> = values.iter().map(|&value| f16::from_f32(value)).collect();
        let too_large = |(value, rounded): (&f32, &f16)| value.is_finite() && !rounded.is_finite();
        match values.iter().zip(&rounded).position(too_large) {
            Some(index) => Err(Defect::TooLarge { name: spec.name.clone(), index }),
            None => Ok(rounded.into_iter().flat_map(f16::to_le_bytes).collect()),
        }
    }
}

/// Little-endian f32.
pub(super) fn reals(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|&value| f32::from_le_bytes(value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(shape: &[usize], kind: Kind) -> TensorSpec {
        TensorSpec { name: "x".into(), shape: shape.to_vec(), kind }
    }

    fn bytes(values: &[f32]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    #[test]
    fn only_weights_are_halved() {
        let check = |weights: Weights, spec: TensorSpec, expected| assert_eq!(weights.stored_as(&spec), expected);
        check(Weights::F16, spec(&[2, 3], Kind::Real), Stored::F16);
        check(Weights::F16, spec(&[2, 3, 1, 1], Kind::Real), Stored::F16);
        check(Weights::F16, spec(&[6], Kind::Real), Stored::F32);
        check(Weights::F16, spec(&[], Kind::Real), Stored::F32);
        check(Weights::F16, spec(&[6], Kind::Variance), Stored::F32);
        check(Weights::F16, spec(&[], Kind::Counter), Stored::I64);
        check(Weights::F32, spec(&[2, 3], Kind::Real), Stored::F32);
        check(Weights::F32, spec(&[], Kind::Counter), Stored::I64);
    }

    #[test]
    fn halves_are_rounded_and_nothing_else_is() {
        let given = [0.1, -2.0, 1e-9, 65_504.0];
        let weight = spec(&[2, 2], Kind::Real);
        let stored = Stored::F16.encode(&weight, bytes(&given)).unwrap();
        assert_eq!(stored.len() as u64, Stored::F16.bytes(&weight));
        assert_eq!(Stored::F16.values(&stored).unwrap(), [0.099_975_586, -2.0, 0.0, 65_504.0]);
        let stored = Stored::F32.encode(&weight, bytes(&given)).unwrap();
        assert_eq!(Stored::F32.values(&stored).unwrap(), given);
        assert_eq!(Stored::I64.values(&7i64.to_le_bytes()), None);
    }

    #[test]
    fn what_a_half_cannot_hold_is_named() {
        let weight = spec(&[1, 3], Kind::Real);
        let too_large = Stored::F16.encode(&weight, bytes(&[1.0, 65_519.0, -65_520.0]));
        assert_eq!(too_large, Err(Defect::TooLarge { name: "x".into(), index: 2 }));
        // What is no number at all is named as that, by the check of values.
        let stored = Stored::F16.encode(&weight, bytes(&[1.0, f32::NAN, f32::INFINITY])).unwrap();
        let values = Stored::F16.values(&stored).unwrap();
        assert!(values[1].is_nan() && values[2] == f32::INFINITY, "{values:?}");
    }
}
