//! The one thread that owns the model, and the handle through which everybody else uses it.
//!
//! Queries go before files; files of several folders and kinds are embedded together; both queues are bounded. What
//! nobody waits for any more is not computed.

mod queue;
mod remembered;
mod worker;

use std::any::Any;
use std::sync::{Arc, mpsc};

use tokio::sync::oneshot;

use self::queue::{Answer, Query, Queue};
use self::remembered::Remembered;
use self::worker::Worker;
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
    /// Inputs of files that may wait; 0 for what suits the device.
    pub queue_inputs: usize,
    /// Queries that may wait; 0 counts as 1.
    pub queue_queries: usize,
    /// Prompts of queries whose vectors are kept; 0 for none.
    pub remembered_prompts: usize,
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
pub struct Encoder(Arc<Handle>);

/// Shared preparation of pictures.
pub type ImagePreparation = Arc<dyn Fn(&RgbImage) -> ModelInput + Send + Sync>;

/// What all clones share. The thread has the queue only, so it does not keep this alive.
struct Handle {
    queue: Arc<Queue>,
    facts: ModelFacts,
    prepare: ImagePreparation,
    remembered: Remembered,
}

/// What the thread says once the model is there.
type Loaded<E> = Result<(Arc<Queue>, ModelFacts, ImagePreparation), E>;

impl Encoder {
    /// Starts the thread, which loads the model by itself, and waits until it is there.
    ///
    /// # Errors
    /// Those of `load`.
    ///
    /// # Panics
    /// If `load` does, or if the system has no thread left.
    pub fn start<E: Send + 'static>(
        load: impl FnOnce() -> Result<Box<dyn EmbeddingModel>, E> + Send + 'static,
        options: EncoderOptions,
    ) -> Result<Self, E> {
        let (sender, receiver) = mpsc::sync_channel::<Loaded<E>>(1);
        let thread = std::thread::Builder::new().name("model".into()).spawn(move || {
            let model = match load() {
                Ok(model) => model,
                Err(error) => return drop(sender.send(Err(error))),
            };
            let facts = model.facts();
            let queue = Arc::new(Queue::new(options, &facts.device));
            let prepare = ImagePreparation::from(model.image_preparation());
            let worker = Worker::new(model, facts.dimensions, queue.clone());
            if sender.send(Ok((queue, facts, prepare))).is_ok() {
                worker.run();
            }
        });
        let thread = thread.expect("the system has a thread for the model");
        match receiver.recv() {
            Ok(loaded) => loaded.map(|(queue, facts, prepare)| {
                let remembered = Remembered::new(options.remembered_prompts);
                Self(Arc::new(Handle { queue, facts, prepare, remembered }))
            }),
            // It went without a word, so it panicked: whoever loads a model decides what becomes of that.
            Err(_) => std::panic::resume_unwind(thread.join().err().unwrap_or_else(no_reason)),
        }
    }

    /// What stays the same about the model.
    pub fn facts(&self) -> &ModelFacts {
        &self.0.facts
    }

    /// A picture as the model takes it, prepared on the caller's thread.
    pub fn image_input(&self, image: &RgbImage) -> ModelInput {
        (self.0.prepare)(image)
    }

    /// [`Self::image_input`], to be handed to others.
    pub fn image_preparation(&self) -> ImagePreparation {
        self.0.prepare.clone()
    }

    /// Vectors of prompts of a query, ahead of all files. The model is not asked for those that it gave lately.
    ///
    /// # Errors
    /// [`EncoderError::Overloaded`] at once if too many queries wait. If one prompt has no vector, none is returned.
    pub async fn text(&self, prompts: Vec<String>) -> Result<Vec<EmbeddedText>, EncoderError> {
        let known = self.0.remembered.look_up(&prompts);
        let unknown = prompts.into_iter().zip(&known).filter(|(_, known)| known.is_none());
        let unknown: Vec<String> = unknown.map(|(prompt, _)| prompt).collect();
        let mut made = Vec::new();
        if !unknown.is_empty() {
            made = self.ask(|answer| Query::text(unknown.clone(), answer)).await?;
            self.0.remembered.keep(unknown, &made);
        }
        let mut made = made.into_iter();
        Ok(known.into_iter().filter_map(|known| known.or_else(|| made.next())).collect())
    }

    /// Vectors of media of a query, ahead of all files.
    ///
    /// # Errors
    /// As [`Self::text`].
    pub async fn query(&self, inputs: Vec<ModelInput>) -> Result<Vec<RawEmbedding>, EncoderError> {
        if inputs.is_empty() {
            return Ok(Vec::new());
        }
        self.ask(|answer| Query::media(inputs, answer)).await
    }

    /// Puts an input of a file into the queue, and waits while that is full. `reply` is called on the model's thread,
    /// and must be quick.
    ///
    /// # Errors
    /// [`EncoderError::Gone`] once the thread has been told to end; `reply` is not called then.
    pub fn submit(
        &self,
        input: ModelInput,
        reply: impl FnOnce(Result<RawEmbedding, EncoderError>) + Send + 'static,
    ) -> Result<(), EncoderError> {
        self.0.queue.put_file(input, Box::new(reply))
    }

    /// Embeddings of files computed by this process.
    pub fn embedded(&self) -> u64 {
        self.0.queue.embedded()
    }

    /// Ends the thread after what it is doing, whoever still has a handle; what waits gets [`EncoderError::Gone`].
    pub fn stop(&self) {
        self.0.queue.stop();
    }

    async fn ask<T>(&self, query: impl FnOnce(Answer<T>) -> Query) -> Result<Vec<T>, EncoderError> {
        let (sender, answer) = oneshot::channel();
        self.0.queue.put_query(query(sender))?;
        answer.await.unwrap_or(Err(EncoderError::Gone))
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.queue.stop();
    }
}

fn no_reason() -> Box<dyn Any + Send> {
    Box::new("the model's thread ended without a model")
}
