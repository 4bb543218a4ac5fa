//! The one thread that owns the model, and the handle through which everybody else uses it.
//!
//! Queries go before files; files of several folders and kinds are embedded together; both queues are bounded. What
//! nobody waits for any more is not computed.

use std::sync::Arc;

use super::model::{EmbeddedText, EmbeddingModel, ModelFacts};
use crate::embed::ModelInput;
use crate::media::RgbImage;
use crate::model::RawEmbedding;

/// Sizes of batches and queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EncoderOptions {
    /// Most inputs that the model gets at once; 0 for what suits the device.
    pub batch_inputs: usize,
    /// How long an input waits for others.
    pub batch_wait: std::time::Duration,
    /// Inputs of files that may wait.
    pub queue_inputs: usize,
    /// Queries that may wait.
    pub queue_queries: usize,
}

/// Why something was not embedded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncoderError {
    /// The model refused or failed.
    #[error("{0}")]
    Model(String),
    /// More queries are waiting than may.
    #[error("too many queries are waiting for the model")]
    Overloaded,
    /// The thread has ended.
    #[error("the model is no longer there")]
    Gone,
}

/// A way to the model. Cheap to clone; the thread ends with the last handle.
#[derive(Clone)]
pub struct Encoder {}

impl Encoder {
    /// Starts the thread, which loads the model by itself, and waits until it is there.
    pub fn start<E: Send + 'static>(
        _load: impl FnOnce() -> Result<Box<dyn EmbeddingModel>, E> + Send + 'static,
        _options: EncoderOptions,
    ) -> Result<Self, E> {
        todo!()
    }

    /// What stays the same about the model.
    pub fn facts(&self) -> &ModelFacts {
        todo!()
    }

    /// A picture as the model takes it, prepared on the caller's thread.
    pub fn image_input(&self, _image: &RgbImage) -> ModelInput {
        todo!()
    }

    /// Vectors of prompts of a query, ahead of all files.
    pub async fn text(&self, _prompts: Vec<String>) -> Result<Vec<EmbeddedText>, EncoderError> {
        todo!()
    }

    /// Vectors of media of a query, ahead of all files.
    pub async fn query(&self, _inputs: Vec<ModelInput>) -> Result<Vec<RawEmbedding>, EncoderError> {
        todo!()
    }

    /// Puts an input of a file into the queue, and waits while that is full. `reply` is called on the model's thread, and
    /// must be quick.
    pub fn submit(
        &self,
        _input: ModelInput,
        _reply: impl FnOnce(Result<RawEmbedding, EncoderError>) + Send + 'static,
    ) -> Result<(), EncoderError> {
        todo!()
    }

    /// Embeddings of files computed by this process.
    pub fn embedded(&self) -> u64 {
        todo!()
    }

    /// Ends the thread after what it is doing, whoever still has a handle; what waits gets [`EncoderError::Gone`].
    pub fn stop(&self) {}
}

/// Shared preparation of pictures.
pub type ImagePreparation = Arc<dyn Fn(&RgbImage) -> ModelInput + Send + Sync>;
