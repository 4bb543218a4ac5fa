//! An asset on its way: its windows go to the encoder one by one, its vectors come back in any order.

use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};

use super::content::{ContentFacts, Window};
use super::encoder::{Encoder, EncoderError};
use super::ingest::{Finished, ReadResult, deliver, embedding_failure, now_ms};
use super::sync::lock;
use super::work::{Job, Work};
use crate::embedding::Embedding;
use crate::library::{AssetId, FileStat, Span};
use crate::media::MediaKind;
use crate::model::RawEmbedding;
use crate::store::{NewAsset, NewSegment};

/// An asset whose vectors are being computed. Delivers itself to the recorder when it is complete, once.
#[derive(Clone)]
pub(super) struct Assembly(Arc<Mutex<State>>);

struct State {
    work: Arc<Work>,
    /// `None` once delivered or abandoned.
    open: Option<Open>,
    stat: FileStat,
    id: AssetId,
    kind: MediaKind,
    segments: Vec<(Span, bool, Option<Embedding>)>,
    missing: usize,
    facts: Option<ContentFacts>,
    trouble: Option<Trouble>,
}

/// Why there will be no asset.
enum Trouble {
    /// The content cannot be embedded.
    Failed(String),
    /// Nobody is to blame: the model is gone, or the process is stopping.
    Interrupted,
}

struct Open {
    job: Job,
    recorder: Sender<Finished>,
}

impl Assembly {
    pub(super) fn new(
        job: Job,
        stat: FileStat,
        id: AssetId,
        kind: MediaKind,
        recorder: Sender<Finished>,
        work: Arc<Work>,
    ) -> Self {
        let (open, segments) = (Some(Open { job, recorder }), Vec::new());
        Self(Arc::new(Mutex::new(State {
            work,
            open,
            stat,
            id,
            kind,
            segments,
            missing: 0,
            facts: None,
            trouble: None,
        })))
    }

    /// Sends a window to the encoder, and waits for a place there; `false` if there is no use in sending more.
    pub(super) fn submit(&self, encoder: &Encoder, window: Window) -> bool {
        let index = {
            let mut state = lock(&self.0);
            if state.trouble.is_some() {
                return false;
            }
            state.segments.push((window.span, window.silent, None));
            state.missing += 1;
            state.segments.len() - 1
        };
        let assembly = self.clone();
        if encoder.submit(window.input, move |vector| assembly.take(index, vector)).is_err() {
            self.take(index, Err(EncoderError::Gone));
            return false;
        }
        true
    }

    /// The process is stopping: not all windows were sent, and no more will be.
    pub(super) fn interrupt(&self) {
        lock(&self.0).trouble.get_or_insert(Trouble::Interrupted);
    }

    fn take(&self, index: usize, vector: Result<RawEmbedding, EncoderError>) {
        let mut state = lock(&self.0);
        state.missing -= 1;
        match vector.map(|vector| Embedding::normalized(&vector)) {
            Ok(Ok(embedding)) => {
                state.segments[index].2 = Some(embedding);
                state.work.count_embedding();
            }
            Ok(Err(error)) => state.trouble = Some(Trouble::Failed(error.to_string())),
            Err(EncoderError::Gone) => state.trouble = Some(Trouble::Interrupted),
            Err(error) => state.trouble = Some(Trouble::Failed(error.to_string())),
        }
        state.deliver_if_complete();
    }

    /// All windows were sent.
    pub(super) fn complete(&self, facts: ContentFacts) {
        let mut state = lock(&self.0);
        state.facts = Some(facts);
        state.deliver_if_complete();
    }

    /// Nothing is to be made of it. Returns the file, unless it was delivered.
    pub(super) fn abandon(&self) -> Option<Job> {
        lock(&self.0).open.take().map(|open| open.job)
    }
}

impl State {
    fn deliver_if_complete(&mut self) {
        if self.missing > 0 {
            return;
        }
        let Some(content) = self.facts.take() else { return };
        let Some(Open { job, recorder }) = self.open.take() else { return };
        let vectors: Option<Vec<NewSegment>> = std::mem::take(&mut self.segments)
            .into_iter()
            .map(|(span, silent, vector)| Some(NewSegment { span, silent, vector: vector? }))
            .collect();
        let result = match (self.trouble.take(), vectors) {
            (Some(Trouble::Interrupted), _) => ReadResult::Interrupted(self.id),
            (None, Some(segments)) if !segments.is_empty() => ReadResult::New(Box::new(NewAsset {
                id: self.id,
                kind: self.kind,
                facts: content.facts,
                description: content.description,
                damage: content.damage,
                added_ms: now_ms(),
                segments,
            })),
            (Some(Trouble::Failed(reason)), _) => ReadResult::Failed(embedding_failure(self.id, reason)),
            (None, _) => {
                let reason = "the model gave no vector for a part of it".into();
                ReadResult::Failed(embedding_failure(self.id, reason))
            }
        };
        deliver(&recorder, Finished { job, stat: self.stat, result });
    }
}
