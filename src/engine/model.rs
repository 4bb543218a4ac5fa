//! What the engine asks of a model.

use crate::embed::ModelInput;
use crate::embedding::SpaceId;
use crate::media::RgbImage;
use crate::model::{LogitScales, RawEmbedding};

/// What stays the same about a model while it is loaded.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelFacts {
    /// What it is called.
    pub name: String,
    /// The space of its vectors.
    pub space: SpaceId,
    /// Values of a vector.
    pub dimensions: usize,
    /// Numeric type that it is run in, e.g. "f32".
    pub numeric_type: String,
    /// Where it runs, e.g. "cpu".
    pub device: String,
    /// Learned numbers in it.
    pub parameters: u64,
    /// Learned scales of its modality pairs.
    pub scales: LogitScales,
}

/// Why a model gave no vectors.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ModelFailure(pub String);

/// A prompt's vector.
#[derive(Debug, Clone, PartialEq)]
pub struct EmbeddedText {
    /// The vector, not normalised.
    pub vector: RawEmbedding,
    /// What the caller should know: that the prompt was cut, for instance.
    pub note: Option<String>,
}

/// A model with its preprocessing. Owned by one thread; the preparation of pictures is done by others.
pub trait EmbeddingModel: Send {
    /// What stays the same about it.
    fn facts(&self) -> ModelFacts;

    /// What turns a picture into its input; to be called on any thread.
    fn image_preparation(&self) -> Box<dyn Fn(&RgbImage) -> ModelInput + Send + Sync>;

    /// One vector for each input, in order.
    fn embed(&self, inputs: &[ModelInput]) -> Result<Vec<RawEmbedding>, ModelFailure>;

    /// One vector for each prompt, in order.
    fn embed_text(&self, prompts: &[String]) -> Result<Vec<EmbeddedText>, ModelFailure>;
}
