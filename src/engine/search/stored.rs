//! Vectors that need no model: those of the library, and those that the caller gives.

use super::direction::mean;
use super::{Searcher, invalid};
use crate::embedding::Embedding;
use crate::engine::query::QueryError;
use crate::library::AssetId;
use crate::media::MediaKind;

impl Searcher {
    /// The vector of an asset or of one of its segments.
    pub(super) fn stored(
        &self,
        field: &str,
        id: AssetId,
        ordinal: Option<u32>,
    ) -> Result<(Embedding, MediaKind), QueryError> {
        let no_asset = || QueryError::NotFound { what: format!("asset {id}") };
        let asset = {
            let catalog = self.read();
            let entry = catalog.asset(&id).filter(|entry| !entry.files.is_empty());
            entry.ok_or_else(no_asset)?.asset.clone()
        };
        let index = &self.indexes[asset.kind as usize];
        if let Some(ordinal) = ordinal {
            let segment = usize::try_from(ordinal).ok().and_then(|ordinal| asset.segments.get(ordinal));
            let vector = segment.and_then(|segment| index.vector(segment.slot));
            let no_segment = || QueryError::NotFound { what: format!("segment {ordinal} of asset {id}") };
            return Ok((vector.ok_or_else(no_segment)?, asset.kind));
        }
        let silence_only = asset.segments.iter().all(|segment| segment.silent);
        let counts = asset.segments.iter().filter(|segment| silence_only || !segment.silent);
        let vectors: Vec<Embedding> = counts.filter_map(|segment| index.vector(segment.slot)).collect();
        if vectors.is_empty() {
            return Err(no_asset());
        }
        let vector = mean(&vectors).map_err(|error| QueryError::not_an_embedding(field, error))?;
        Ok((vector, asset.kind))
    }

    /// A vector that the caller gave.
    pub(super) fn given(&self, field: &str, values: &[f32], space: Option<&str>) -> Result<Embedding, QueryError> {
        if let (Some(got), Some(expected)) = (space, &self.space)
            && !got.eq_ignore_ascii_case(expected.as_str())
        {
            return Err(invalid(field, format!("it is of space {got:.80}, the library is of space {expected}")));
        }
        if let Some(expected) = self.dimensions()
            && values.len() != expected
        {
            return Err(invalid(field, format!("got {} values, expected {expected}", values.len())));
        }
        Embedding::normalized(values).map_err(|error| QueryError::not_an_embedding(field, error))
    }

    /// Values of a vector: the model's, or else those of any vector of the library.
    fn dimensions(&self) -> Option<usize> {
        if let Some(encoder) = &self.encoder {
            return Some(encoder.facts().dimensions);
        }
        let catalog = self.read();
        let slots = catalog
            .assets()
            .flat_map(|entry| entry.asset.segments.iter().map(|segment| (entry.asset.kind, segment.slot)));
        let mut vectors = slots.filter_map(|(kind, slot)| self.indexes[kind as usize].vector(slot));
        vectors.next().map(|vector| vector.as_slice().len())
    }
}
