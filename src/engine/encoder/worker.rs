//! The loop of the thread that owns the model.
//!
//! Invariants: between any two calls of the model, queries that wait are served; what the model cannot embed, or breaks
//! down on, costs no other input its vector.

use std::sync::Arc;

use super::EncoderError;
use super::queue::{Asked, FileInput, PROMPTS_AT_ONCE, Query, Queue, Reply, Work};
use crate::containment::contain;
use crate::embed::ModelInput;
use crate::embedding::Embedding;
use crate::engine::model::{EmbeddedText, EmbeddingModel, ModelFailure};
use crate::model::RawEmbedding;

/// Vectors of inputs, in order, or why there are none.
type Embed<'a, I, O> = &'a dyn Fn(&[I]) -> Result<Vec<O>, EncoderError>;

/// The model and what it has to do.
pub(super) struct Worker {
    model: Box<dyn EmbeddingModel>,
    dimensions: usize,
    queue: Arc<Queue>,
    /// Parts of batches that failed, to be tried by themselves.
    leftovers: Vec<Vec<FileInput>>,
}

impl Worker {
    pub(super) fn new(model: Box<dyn EmbeddingModel>, dimensions: usize, queue: Arc<Queue>) -> Self {
        Self { model, dimensions, queue, leftovers: Vec::new() }
    }

    /// Works until told to stop.
    pub(super) fn run(mut self) {
        while let Some(work) = self.queue.next(!self.leftovers.is_empty()) {
            match work {
                Work::Query(Query::Text(asked)) => self.serve_prompts(asked),
                Work::Query(Query::Media(asked)) => self.serve_media(asked),
                Work::Prompts(asked) => self.serve_together(asked),
                Work::Files(files) => self.embed_files(files),
                Work::Leftovers => {
                    let files = self.leftovers.pop().expect("there were leftovers");
                    self.embed_files(files);
                }
            }
        }
    }

    /// Queries with so few prompts left that they fit into one batch.
    fn serve_together(&self, asked: Vec<Asked<String, EmbeddedText>>) {
        let prompts: Vec<String> = asked.iter().flat_map(|asked| &asked.inputs).cloned().collect();
        let mut outputs = self.each(&prompts, &|prompts| self.embed_text(prompts)).into_iter();
        for Asked { inputs, outputs: mut all, answer } in asked {
            let last: Result<Vec<EmbeddedText>, _> = outputs.by_ref().take(inputs.len()).collect();
            let answered = last.map(|last| {
                all.extend(last);
                all
            });
            // Whoever asked may have gone meanwhile.
            drop(answer.send(answered));
        }
    }

    fn serve_prompts(&self, asked: Asked<String, EmbeddedText>) {
        let embed = |prompts: &[String]| self.embed_text(prompts);
        if let Some(rest) = self.serve_some(asked, PROMPTS_AT_ONCE, &embed) {
            self.queue.put_back(Query::Text(rest));
        }
    }

    fn serve_media(&self, asked: Asked<ModelInput, RawEmbedding>) {
        let at_once = asked.inputs.front().map_or(1, |input| self.queue.batch(input.kind()));
        if let Some(rest) = self.serve_some(asked, at_once, &|inputs| self.embed(inputs)) {
            self.queue.put_back(Query::Media(rest));
        }
    }

    /// Makes the next few vectors of a query, and answers it if they were the last; returns it if not.
    fn serve_some<I, O>(&self, mut asked: Asked<I, O>, at_once: usize, embed: Embed<'_, I, O>) -> Option<Asked<I, O>> {
        let inputs: Vec<I> = asked.inputs.drain(..at_once.min(asked.inputs.len())).collect();
        match self.each(&inputs, embed).into_iter().collect::<Result<Vec<O>, _>>() {
            Ok(outputs) => asked.outputs.extend(outputs),
            Err(error) => {
                drop(asked.answer.send(Err(error)));
                return None;
            }
        }
        if asked.inputs.is_empty() {
            drop(asked.answer.send(Ok(asked.outputs)));
            return None;
        }
        Some(asked)
    }

    /// What becomes of each input: together if possible, and in ever smaller parts if not.
    fn each<I, O>(&self, inputs: &[I], embed: Embed<'_, I, O>) -> Vec<Result<O, EncoderError>> {
        match embed(inputs) {
            Ok(outputs) => outputs.into_iter().map(Ok).collect(),
            Err(error) if inputs.len() == 1 => vec![Err(error)],
            Err(_) => {
                let (front, back) = inputs.split_at(inputs.len() / 2);
                let mut outputs = self.each(front, embed);
                outputs.extend(self.each(back, embed));
                outputs
            }
        }
    }

    /// Embeds inputs of files together. If that fails, they are left over in two halves, down to single ones: so a bad
    /// input costs itself only, too large a batch nothing, and queries get their turn in between.
    fn embed_files(&mut self, files: Vec<FileInput>) {
        let (inputs, replies): (Vec<_>, Vec<_>) = files.into_iter().map(|file| (file.input, file.reply)).unzip();
        match self.embed(&inputs) {
            Ok(vectors) => {
                for (vector, reply) in vectors.into_iter().zip(replies) {
                    self.queue.count_embedded();
                    deliver(reply, Ok(vector));
                }
            }
            Err(error) if inputs.len() == 1 => {
                replies.into_iter().for_each(|reply| deliver(reply, Err(error.clone())));
            }
            Err(error) => {
                tracing::debug!("{} inputs are embedded in two parts, because together {error}", inputs.len());
                let mut front: Vec<_> =
                    inputs.into_iter().zip(replies).map(|(input, reply)| FileInput { input, reply }).collect();
                let back = front.split_off(front.len() / 2);
                self.leftovers.extend([back, front]);
            }
        }
    }

    fn embed(&self, inputs: &[ModelInput]) -> Result<Vec<RawEmbedding>, EncoderError> {
        let vectors = contained(|| self.model.embed(inputs))?;
        self.check(inputs.len(), vectors.iter())?;
        Ok(vectors)
    }

    fn embed_text(&self, prompts: &[String]) -> Result<Vec<EmbeddedText>, EncoderError> {
        let texts = contained(|| self.model.embed_text(prompts))?;
        self.check(prompts.len(), texts.iter().map(|text| &text.vector))?;
        Ok(texts)
    }

    /// Vectors that point nowhere must not reach the store.
    fn check<'a>(
        &self,
        expected: usize,
        vectors: impl ExactSizeIterator<Item = &'a RawEmbedding>,
    ) -> Result<(), EncoderError> {
        if vectors.len() != expected {
            let got = vectors.len();
            return Err(EncoderError::Model(format!("the model gave {got} vectors for {expected} inputs")));
        }
        for vector in vectors {
            if vector.len() != self.dimensions {
                let (got, dimensions) = (vector.len(), self.dimensions);
                return Err(EncoderError::Model(format!("the model gave {got} values, expected {dimensions}")));
            }
            Embedding::normalized(vector).map_err(|error| EncoderError::Model(error.to_string()))?;
        }
        Ok(())
    }
}

/// However the thread ends, nobody is left waiting.
impl Drop for Worker {
    fn drop(&mut self) {
        self.queue.stop();
        let (queries, files) = self.queue.drain();
        // Without its other end a query ends in `Gone`.
        drop(queries);
        let leftovers = std::mem::take(&mut self.leftovers);
        for file in leftovers.into_iter().rev().flatten().chain(files) {
            deliver(file.reply, Err(EncoderError::Gone));
        }
    }
}

/// A model that breaks down on an input has failed on it, no more.
fn contained<T>(work: impl FnOnce() -> Result<T, ModelFailure>) -> Result<T, EncoderError> {
    let failure = match contain(work) {
        Ok(Ok(made)) => return Ok(made),
        Ok(Err(ModelFailure(reason))) => reason,
        Err(panic) => format!("the model broke down: {panic}"),
    };
    Err(EncoderError::Model(failure))
}

fn deliver(reply: Reply, result: Result<RawEmbedding, EncoderError>) {
    if let Err(panic) = contain(|| reply(result)) {
        tracing::error!("whoever takes a vector broke down: {panic}");
    }
}
