//! What the services share: the engine, once it is there, and the limits.

use std::sync::{Arc, OnceLock};

use prost::Message;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tonic::{Response, Status};

use super::health::Health;
use super::serve::ServeOptions;
use super::status;
use crate::engine::Engine;

/// Queries or prompts of one batch.
pub(super) const MOST_OF_A_BATCH: usize = 256;

/// A place for the engine, so that a server can say that it is not ready while the library is being opened.
#[derive(Clone, Default)]
pub struct EngineSlot(Arc<OnceLock<Engine>>);

impl EngineSlot {
    /// Gives the server its engine; only the first one counts.
    pub fn fill(&self, engine: Engine) {
        // A second engine is the caller's mistake, and harmless.
        let _ = self.0.set(engine);
    }
}

impl From<Engine> for EngineSlot {
    fn from(engine: Engine) -> Self {
        let slot = Self::default();
        slot.fill(engine);
        slot
    }
}

/// How far a server is on its way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// It takes requests.
    Serving,
    /// It finishes those that are under way.
    Draining,
    /// Its grace is over: what is still under way is given up.
    Cut,
}

/// Resolves when the server has come to a phase, and never if it goes without coming to it.
pub(super) async fn reached(mut phases: watch::Receiver<Phase>, phase: Phase) {
    if phases.wait_for(|now| *now >= phase).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// What the services share.
pub(super) struct Edge {
    slot: EngineSlot,
    pub(super) options: ServeOptions,
    pub(super) health: Health,
    /// A place for each upload that is under way.
    pub(super) uploads: Semaphore,
    /// A place for each media file that is being embedded for a caller.
    pub(super) embeddings: Semaphore,
    pub(super) phases: watch::Receiver<Phase>,
}

impl Edge {
    pub(super) fn new(
        slot: EngineSlot,
        options: ServeOptions,
        health: Health,
        phases: watch::Receiver<Phase>,
    ) -> Arc<Self> {
        let uploads = Semaphore::new(options.concurrent_uploads);
        let embeddings = Semaphore::new(options.concurrent_uploads.max(1));
        Arc::new(Self { slot, options, health, uploads, embeddings, phases })
    }

    /// The engine, or `UNAVAILABLE`.
    pub(super) fn engine(&self) -> Result<&Engine, Status> {
        self.slot.0.get().ok_or_else(status::not_ready)
    }

    /// Does something that blocks, on a thread for such things. If the caller leaves before it has begun, it is not
    /// done.
    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Engine) -> T + Send + 'static,
    ) -> Result<T, Status> {
        let engine = self.engine()?.clone();
        let mut tasks = JoinSet::new();
        tasks.spawn_blocking(move || work(&engine));
        let done = tasks.join_next().await.expect("one task was spawned");
        done.map_err(|error| status::internal("the work broke down", &error))
    }

    /// An answer, if a message can hold it.
    pub(super) fn answer<M: Message>(&self, message: M) -> Result<Response<M>, Status> {
        let (bytes, limit) = (message.encoded_len(), self.options.message_bytes);
        if bytes > limit {
            return Err(status::answer_too_large(bytes, limit));
        }
        Ok(Response::new(message))
    }
}
