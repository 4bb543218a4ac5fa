//! Terms of a query to one direction.
//!
//! Words and media go through the model together with those of the same query; every term becomes a unit vector, and
//! the weighted sum of them is the direction that is searched in.

use std::sync::Arc;

use super::admission::{Caller, Ticket};
use super::direction::{Direction, Modality, Resolved, mean};
use super::{Searcher, invalid};
use crate::embed::ModelInput;
use crate::embedding::{Embedding, NotAnEmbedding};
use crate::engine::content::{Source, Window, read_content};
use crate::engine::encoder::{Encoder, EncoderError, ImagePreparation};
use crate::engine::query::{QueryError, Term, TermKind};
use crate::media::MediaKind;

/// Media of a term, ready for the model.
struct Prepared {
    position: usize,
    field: String,
    kind: MediaKind,
    inputs: Vec<ModelInput>,
}

/// What becomes of the terms that are not words, before the model is asked.
#[derive(Default)]
struct Local {
    resolved: Vec<Resolved>,
    prepared: Vec<Prepared>,
    notes: Vec<String>,
}

/// A term's name in errors, as in the protocol.
pub(super) fn field(position: usize, what: &TermKind) -> String {
    let name = match what {
        TermKind::Text(_) => "text",
        TermKind::Audio(_) => "audio",
        TermKind::Image(_) => "image",
        TermKind::Stored { .. } => "stored",
        TermKind::Vector { .. } => "vector",
    };
    format!("terms[{position}].{name}")
}

/// Refuses a term that makes no sense by itself.
pub(super) fn check(field: &str, what: &TermKind) -> Result<(), QueryError> {
    match what {
        TermKind::Text(text) if text.trim().is_empty() => Err(invalid(field, "it is empty, expected words")),
        TermKind::Audio(bytes) | TermKind::Image(bytes) if bytes.is_empty() => {
            Err(invalid(field, "it is empty, expected the content of a file"))
        }
        TermKind::Vector { values, .. } => match Embedding::normalized(values) {
            Ok(_) => Ok(()),
            Err(error) => Err(QueryError::not_an_embedding(field, error)),
        },
        _ => Ok(()),
    }
}

impl Searcher {
    /// The direction that terms lead in.
    pub(super) async fn direction(&self, terms: &[Term], ticket: &Ticket) -> Result<Direction, QueryError> {
        let (texts, local) = tokio::try_join!(self.texts(terms), self.local(terms, ticket))?;
        let (mut resolved, mut notes) = texts;
        resolved.extend(local.resolved);
        notes.extend(local.notes);
        resolved.extend(self.media(local.prepared).await?);
        resolved.sort_by_key(|term| term.position);
        Direction::of(&resolved, terms, notes)
    }

    async fn texts(&self, terms: &[Term]) -> Result<(Vec<Resolved>, Vec<String>), QueryError> {
        let texts = terms.iter().enumerate().filter_map(|(position, term)| match &term.what {
            TermKind::Text(text) => Some((position, text.clone())),
            _ => None,
        });
        let (positions, prompts): (Vec<usize>, Vec<String>) = texts.unzip();
        if prompts.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let vectors = self.model()?.text(prompts).await.map_err(|error| self.encoder_error(error))?;
        expect_count(vectors.len(), positions.len())?;
        let (mut resolved, mut notes) = (Vec::new(), Vec::new());
        for (position, text) in positions.into_iter().zip(vectors) {
            let field = field(position, &terms[position].what);
            notes.extend(text.note.map(|note| format!("{field}: {note}")));
            let vector = Embedding::normalized(&text.vector).map_err(|error| unusable(&field, error))?;
            resolved.push(Resolved { position, vector, modality: Some(Modality::Text) });
        }
        Ok((resolved, notes))
    }

    /// What is done on a blocking thread: decoding, and looking up what is stored.
    async fn local(&self, terms: &[Term], ticket: &Ticket) -> Result<Local, QueryError> {
        let local = terms.iter().enumerate().filter(|(_, term)| !matches!(term.what, TermKind::Text(_)));
        let local: Vec<(usize, TermKind)> = local.map(|(position, term)| (position, term.what.clone())).collect();
        if local.is_empty() {
            return Ok(Local::default());
        }
        let searcher = self.clone();
        ticket.blocking(move |caller| searcher.local_terms(local, caller)).await
    }

    fn local_terms(&self, terms: Vec<(usize, TermKind)>, caller: &Caller) -> Result<Local, QueryError> {
        let mut local = Local::default();
        for (position, what) in terms {
            let field = field(position, &what);
            let (vector, modality) = match what {
                TermKind::Text(_) => continue,
                TermKind::Audio(bytes) | TermKind::Image(bytes) => {
                    let kind = if field.ends_with("audio") { MediaKind::Audio } else { MediaKind::Image };
                    let (inputs, damage) = self.windows(&field, kind, bytes, caller)?;
                    local.notes.extend(damage.map(|damage| format!("{field}: {damage}")));
                    local.prepared.push(Prepared { position, field, kind, inputs });
                    continue;
                }
                TermKind::Stored { asset, ordinal } => {
                    let (vector, kind) = self.stored(&field, asset, ordinal)?;
                    (vector, Some(Modality::Media(kind)))
                }
                TermKind::Vector { values, space } => (self.given(&field, &values, space.as_deref())?, None),
            };
            local.resolved.push(Resolved { position, vector, modality });
        }
        Ok(local)
    }

    /// The windows of a query's media that count, and what is wrong with it.
    fn windows(
        &self,
        field: &str,
        kind: MediaKind,
        bytes: Arc<[u8]>,
        caller: &Caller,
    ) -> Result<(Vec<ModelInput>, Option<String>), QueryError> {
        let encoder = self.model()?.clone();
        let prepare: ImagePreparation = Arc::new(move |image| encoder.image_input(image));
        let end_ms = self.options.query_audio_s.saturating_mul(1_000);
        let (mut heard, mut silent) = (Vec::new(), Vec::new());
        let mut emit = |window: Window| {
            let none_yet = heard.is_empty() && silent.is_empty();
            if caller.is_gone() || !none_yet && window.span.end_ms > end_ms {
                return false;
            }
            if !window.silent {
                silent.clear();
                heard.push(window.input);
            } else if heard.is_empty() {
                silent.push(window.input);
            }
            true
        };
        let facts = read_content(&Source::Bytes(bytes), kind, &self.content, &prepare, &mut emit)
            .map_err(|error| invalid(field, error.to_string()))?;
        Ok((if heard.is_empty() { silent } else { heard }, facts.damage))
    }

    /// The vectors of media: means of the unit vectors of their windows.
    async fn media(&self, prepared: Vec<Prepared>) -> Result<Vec<Resolved>, QueryError> {
        if prepared.is_empty() {
            return Ok(Vec::new());
        }
        let (mut terms, mut inputs) = (Vec::new(), Vec::new());
        for term in prepared {
            terms.push((term.position, term.field, term.kind, term.inputs.len()));
            inputs.extend(term.inputs);
        }
        let count = inputs.len();
        let vectors = self.model()?.query(inputs).await.map_err(|error| self.encoder_error(error))?;
        expect_count(vectors.len(), count)?;
        let mut vectors = vectors.into_iter();
        let mut resolved = Vec::new();
        for (position, field, kind, windows) in terms {
            let units: Result<Vec<_>, _> =
                vectors.by_ref().take(windows).map(|raw| Embedding::normalized(&raw)).collect();
            let units = units.map_err(|error| unusable(&field, error))?;
            let vector = mean(&units).map_err(|error| QueryError::not_an_embedding(&field, error))?;
            resolved.push(Resolved { position, vector, modality: Some(Modality::Media(kind)) });
        }
        Ok(resolved)
    }

    fn model(&self) -> Result<&Encoder, QueryError> {
        self.encoder.as_ref().ok_or(QueryError::NoModel)
    }

    fn encoder_error(&self, error: EncoderError) -> QueryError {
        match error {
            EncoderError::Overloaded => QueryError::Overloaded { limit: self.options.waiting },
            error => QueryError::Model(error.to_string()),
        }
    }
}

/// The model's own vector is none: its fault, not the caller's.
fn unusable(field: &str, error: NotAnEmbedding) -> QueryError {
    QueryError::Model(format!("{field}: {error}"))
}

fn expect_count(got: usize, expected: usize) -> Result<(), QueryError> {
    if got == expected {
        return Ok(());
    }
    Err(QueryError::Model(format!("the model gave {got} vectors, expected {expected}")))
}
