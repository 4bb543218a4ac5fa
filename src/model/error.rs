//! Why a model could not be loaded or run.

use std::fmt;

use super::precision::Agreement;

/// Why a model could not be loaded or run. The path of the model is added by whoever knows it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The file could not be opened, read or written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The file is not one that `earmark model import` wrote.
    #[error("not an earmark model: {0} (bring a checkpoint in with `earmark model import FILE`)")]
    NotAModel(String),
    /// The file is ours, and its content is not what was written.
    #[error("damaged model file: {0} (remove it and import it again)")]
    Damaged(String),
    /// The model was written for another preprocessing than this version has.
    #[error("made for preprocessing version {found}, this earmark has version {expected} (import it again)")]
    Preprocessing {
        /// Version in the file.
        found: u32,
        /// Version of this build.
        expected: u32,
    },
    /// The tensors are not those of the model's configuration.
    #[error("{0}")]
    Defective(Defects),
    /// The requested device is not there.
    #[error("device {device} is not available: {reason}")]
    Device {
        /// What was asked for.
        device: String,
        /// What is missing, and what to do.
        reason: String,
    },
    /// The model lacks the tower that the input needs.
    #[error("this model has no {0} tower (it is an image and text model; import an AudioCLIP checkpoint for sounds)")]
    NoTower(&'static str),
    /// Neither this processor nor a GPU would be faster in half precision.
    #[error(
        "this machine computes in f32 only (half precision needs a processor with AVX-512 BF16, or a GPU), so it \
         cannot be measured what half precision does to this model's vectors; import it on one that has either, or \
         without --precision half"
    )]
    NoHalfPrecision,
    /// In half precision the model's vectors would be too far from what they should be.
    #[error(
        "half precision takes too much from this model's vectors: least cosines to f32 are {0}, at least 0.999 is \
         needed (import it without --precision half)"
    )]
    TooCoarse(Agreement),
    /// An input does not fit the model.
    #[error("{0}")]
    Input(String),
    /// The tensor library failed, which on a GPU may mean that its memory is exhausted.
    #[error("computation failed: {0}")]
    Compute(#[from] candle_core::Error),
}

/// Everything that is wrong with a set of tensors; never empty in an error.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Defects(pub Vec<Defect>);

/// One thing that is wrong with a set of tensors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Defect {
    /// A tensor of the configuration is not there.
    Missing(String),
    /// A tensor is there that the configuration does not have.
    Extra(String),
    /// Two tensors have the same name (after stripping `module.`).
    Duplicate(String),
    /// A tensor has other dimensions than the configuration says.
    Shape {
        /// Name of the tensor.
        name: String,
        /// Dimensions in the configuration.
        expected: Vec<usize>,
        /// Dimensions in the file.
        actual: Vec<usize>,
    },
    /// A tensor has a number type that does not fit its use.
    Dtype {
        /// Name of the tensor.
        name: String,
        /// What its use needs.
        expected: &'static str,
        /// What the file has.
        actual: String,
    },
    /// A value is NaN or infinite.
    NotFinite {
        /// Name of the tensor.
        name: String,
        /// Row-major position of the first such value.
        index: usize,
    },
    /// A value is beyond what an f16 can hold.
    TooLarge {
        /// Name of the tensor.
        name: String,
        /// Row-major position of the first such value.
        index: usize,
    },
    /// A variance is negative, so that its square root is not a number.
    NegativeVariance {
        /// Name of the tensor.
        name: String,
        /// Position of the first such value.
        index: usize,
    },
}

impl Defects {
    /// `Ok` if there are none.
    pub(crate) fn into_result(self) -> Result<(), ModelError> {
        if self.0.is_empty() { Ok(()) } else { Err(ModelError::Defective(self)) }
    }
}

impl fmt::Display for Defects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.0.len() == 1 { "tensor does" } else { "tensors do" };
        write!(f, "{} {plural} not fit the model, so nothing of it is used:", self.0.len())?;
        self.0.iter().try_for_each(|defect| write!(f, "\n  {defect}"))
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(name) => write!(f, "{name}: missing"),
            Self::Extra(name) => write!(f, "{name}: not part of the model"),
            Self::Duplicate(name) => write!(f, "{name}: there twice"),
            Self::Shape { name, expected, actual } => write!(f, "{name}: shape is {actual:?}, expected {expected:?}"),
            Self::Dtype { name, expected, actual } => write!(f, "{name}: type is {actual}, expected {expected}"),
            Self::NotFinite { name, index } => write!(f, "{name}: value {index} is not finite"),
            Self::TooLarge { name, index } => {
                write!(f, "{name}: value {index} is too large for f16 (import it without --half)")
            }
            Self::NegativeVariance { name, index } => write!(f, "{name}: value {index} is a negative variance"),
        }
    }
}
