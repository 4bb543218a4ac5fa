//! Queries from the wire.

use std::sync::Arc;

use super::{HitFields, asset_id, filter, kind, text};
use crate::engine::query::{Query, Term, TermKind};
use crate::grpc::proto::{self, term::What};
use crate::grpc::status::Malformed;
use crate::media::MediaKind;

const DEFAULT_LIMIT: u32 = 20;

/// What a query may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::grpc) struct QueryLimits {
    /// Most hits, those passed over included.
    pub(in crate::grpc) hits: usize,
    /// Most terms.
    pub(in crate::grpc) terms: usize,
    /// Values of a vector, if a model is there to say so.
    pub(in crate::grpc) dimensions: Option<usize>,
}

/// A query that was understood.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::grpc) struct Asked {
    /// As the engine takes it. Terms that name an upload have no content yet.
    pub(in crate::grpc) query: Query,
    /// What of a hit is filled.
    pub(in crate::grpc) fields: HitFields,
    /// Which terms name an upload, in order.
    pub(in crate::grpc) uploads: Vec<usize>,
}

impl Asked {
    /// Gives the terms that name uploads their content; as many as [`Self::uploads`].
    pub(in crate::grpc) fn fill(&mut self, contents: Vec<Arc<[u8]>>) {
        for (&term, content) in self.uploads.iter().zip(contents) {
            if let TermKind::Audio(empty) | TermKind::Image(empty) = &mut self.query.terms[term].what {
                *empty = content;
            }
        }
        self.uploads.clear();
    }
}

/// A query, but for its page token, which is not looked at.
pub(in crate::grpc) fn query(wire: proto::QueryRequest, limits: &QueryLimits) -> Result<Asked, Malformed> {
    let (limit, offset) = window(&wire, limits.hits)?;
    if wire.terms.is_empty() || wire.terms.len() > limits.terms {
        let reason = format!("{} terms, expected 1 to {}", wire.terms.len(), limits.terms);
        return Err(Malformed::new("terms", reason));
    }
    if wire.min_score.is_some_and(|score| !score.is_finite()) {
        return Err(Malformed::new("min_score", "is not finite"));
    }
    let fields = HitFields::of(wire.fields.as_ref())?;
    let mut terms = Vec::with_capacity(wire.terms.len());
    let mut uploads = Vec::new();
    for (index, wire) in wire.terms.into_iter().enumerate() {
        if matches!(wire.what, Some(What::Upload(_))) {
            uploads.push(index);
        }
        terms.push(term(wire, limits).map_err(|malformed| malformed.within(&format!("terms[{index}]")))?);
    }
    let query = Query {
        terms,
        filter: filter(wire.filter)?,
        limit,
        offset,
        min_score: wire.min_score,
        relative_cutoff: wire.relative_cutoff,
        grouped: !wire.ungrouped,
        silent: wire.include_silent,
        exact: wire.exact,
    };
    Ok(Asked { query, fields, uploads })
}

/// How many hits are wanted, and how many passed over.
fn window(wire: &proto::QueryRequest, most: usize) -> Result<(usize, usize), Malformed> {
    let limit = if wire.limit == 0 { DEFAULT_LIMIT } else { wire.limit };
    let end = u64::from(limit) + u64::from(wire.offset);
    if usize::try_from(end).is_ok_and(|end| end <= most) {
        let sizes = (usize::try_from(limit), usize::try_from(wire.offset));
        if let (Ok(limit), Ok(offset)) = sizes {
            return Ok((limit, offset));
        }
    }
    let reason = format!("{limit}, with offset {} reaches hit {end}, the limit is {most}", wire.offset);
    Err(Malformed::new("limit", reason))
}

fn term(wire: proto::Term, limits: &QueryLimits) -> Result<Term, Malformed> {
    if !wire.weight.is_finite() {
        return Err(Malformed::new("weight", "is not finite"));
    }
    let weight = if wire.weight == 0.0 { 1.0 } else { wire.weight };
    let content = |field: &str, bytes: Vec<u8>| {
        if bytes.is_empty() { Err(Malformed::new(field, "is empty")) } else { Ok(Arc::<[u8]>::from(bytes)) }
    };
    let what = match wire.what {
        None => {
            let expected = "expected one of text, audio, image, stored, vector, upload";
            return Err(Malformed::new("what", format!("is missing, {expected}")));
        }
        Some(What::Text(words)) => {
            text("text", &words)?;
            TermKind::Text(words)
        }
        Some(What::Audio(bytes)) => TermKind::Audio(content("audio", bytes)?),
        Some(What::Image(bytes)) => TermKind::Image(content("image", bytes)?),
        Some(What::Stored(stored)) => {
            TermKind::Stored { asset: asset_id("stored.asset_id", &stored.asset_id)?, ordinal: stored.segment }
        }
        Some(What::Vector(raw)) => vector(raw, limits.dimensions).map_err(|malformed| malformed.within("vector"))?,
        Some(What::Upload(wire)) => match kind("upload", wire)? {
            MediaKind::Audio => TermKind::Audio(Arc::from([])),
            MediaKind::Image => TermKind::Image(Arc::from([])),
        },
    };
    Ok(Term { weight, what })
}

fn vector(raw: proto::RawVector, dimensions: Option<usize>) -> Result<TermKind, Malformed> {
    let count = raw.values.len();
    if let Some(expected) = dimensions.filter(|&dimensions| dimensions != count) {
        return Err(Malformed::new("values", format!("{count} values, expected {expected}")));
    }
    if let Some(place) = raw.values.iter().position(|value| !value.is_finite()) {
        return Err(Malformed::new(format!("values[{place}]"), "is not finite"));
    }
    if raw.values.iter().all(|&value| value == 0.0) {
        return Err(Malformed::new("values", "are all 0, so the vector points nowhere"));
    }
    super::short("space_id", &raw.space_id)?;
    Ok(TermKind::Vector { values: raw.values, space: Some(raw.space_id).filter(|space| !space.is_empty()) })
}

#[cfg(test)]
mod tests;
