//! What the engine asks of a model, and AudioCLIP's answer.
//!
//! Knows neither files nor threads: whoever owns a model calls it.

use crate::embed::{Embedder, ModelInput};
use crate::embedding::SpaceId;
use crate::media::RgbImage;
use crate::model::{LogitScales, ModelError, RawEmbedding, device};
use crate::preprocess::tokens::Overflow;

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

/// AudioCLIP as an [`EmbeddingModel`].
pub struct AudioClipModel {
    name: String,
    embedder: Embedder,
}

impl AudioClipModel {
    /// Gives a loaded model its name.
    pub fn new(name: impl Into<String>, embedder: Embedder) -> Self {
        Self { name: name.into(), embedder }
    }
}

impl EmbeddingModel for AudioClipModel {
    fn facts(&self) -> ModelFacts {
        let model = self.embedder.model();
        let metadata = model.metadata();
        ModelFacts {
            name: self.name.clone(),
            space: metadata.space.clone(),
            dimensions: metadata.config.embed_dim,
            numeric_type: metadata.dtype.to_string(),
            device: device::name(model.device()),
            parameters: model.parameters() as u64,
            scales: model.scales(),
        }
    }

    fn image_preparation(&self) -> Box<dyn Fn(&RgbImage) -> ModelInput + Send + Sync> {
        let resolution = self.embedder.resolution();
        Box::new(move |image| ModelInput::image(image, resolution))
    }

    fn embed(&self, inputs: &[ModelInput]) -> Result<Vec<RawEmbedding>, ModelFailure> {
        Ok(self.embedder.embed(inputs)?)
    }

    fn embed_text(&self, prompts: &[String]) -> Result<Vec<EmbeddedText>, ModelFailure> {
        let tokenized = prompts.iter().map(|prompt| self.embedder.tokenize_truncated(prompt));
        let (ids, cuts): (Vec<_>, Vec<_>) = tokenized.unzip();
        let note = |cut: Overflow| format!("the prompt has {} ids and was cut to {}", cut.count, cut.limit);
        let vectors = self.embedder.embed_text(&ids)?;
        Ok(vectors.into_iter().zip(cuts).map(|(vector, cut)| EmbeddedText { vector, note: cut.map(note) }).collect())
    }
}

impl From<ModelError> for ModelFailure {
    fn from(error: ModelError) -> Self {
        Self(error.to_string())
    }
}
