//! What goes into the store together, and what comes back.

use std::sync::Arc;

use crate::embedding::Embedding;
use crate::library::{
    Asset, AssetId, Description, FileKey, FileRecord, Root, RootId, SegmentId, Slot, Span, TechnicalFacts,
};
use crate::media::MediaKind;

/// What was found when a store was opened, beyond that all is well.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recovery {
    /// What was wrong and what was done about it, a sentence each, for the log and the health report.
    pub notes: Vec<String>,
    /// Records may be missing: every root has to be compared with its disk before the store is believed.
    pub rescan: bool,
}

/// Counts that are part of the truth: written in every batch, and compared with what is there when a store is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Batches ever committed.
    pub sequence: u64,
    /// Roots.
    pub roots: u64,
    /// File records, whatever became of the files.
    pub files: u64,
    /// Assets.
    pub assets: u64,
    /// Vectors of sounds and of pictures.
    pub vectors: [u64; 2],
    /// Embeddings computed since the data directory was made.
    pub embedded_total: u64,
}

/// Changes that happen together.
#[derive(Debug, Default)]
pub struct Batch {
    /// Roots, new or changed. The id of a new one comes from
    /// [`Store::next_root_id`](crate::store::Store::next_root_id).
    pub put_roots: Vec<Root>,
    /// Roots to forget. Their files must be deleted in the same batch.
    pub delete_roots: Vec<RootId>,
    /// Assets that are not there yet.
    pub put_assets: Vec<NewAsset>,
    /// Assets to forget, with their vectors.
    pub delete_assets: Vec<AssetId>,
    /// Files, new or changed. An asset that one names must be there, or in the same batch.
    pub put_files: Vec<(FileKey, FileRecord)>,
    /// Files to forget.
    pub delete_files: Vec<FileKey>,
}

/// An asset before it has slots.
#[derive(Debug, Clone, PartialEq)]
pub struct NewAsset {
    /// As in [`Asset`], and so are the next fields.
    pub id: AssetId,
    /// See [`Asset::kind`].
    pub kind: MediaKind,
    /// See [`Asset::facts`].
    pub facts: TechnicalFacts,
    /// See [`Asset::description`].
    pub description: Description,
    /// See [`Asset::damage`].
    pub damage: Option<String>,
    /// See [`Asset::added_ms`].
    pub added_ms: u64,
    /// At least one.
    pub segments: Vec<NewSegment>,
}

/// A segment before it has a slot.
#[derive(Debug, Clone, PartialEq)]
pub struct NewSegment {
    /// Where in the asset.
    pub span: Span,
    /// Nothing is to be heard in it.
    pub silent: bool,
    /// Its vector, of the store's space.
    pub vector: Embedding,
}

/// An asset as it was stored: `vectors` has one for each segment, as they will be read from now on.
#[derive(Debug, Clone)]
pub struct StoredAsset {
    /// With its slots.
    pub asset: Arc<Asset>,
    /// In half precision, back in single, of unit length.
    pub vectors: Vec<Embedding>,
}

/// A vector with what it belongs to.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredVector {
    /// Where it is.
    pub slot: Slot,
    /// What it is of.
    pub segment: SegmentId,
    /// The vector, of unit length.
    pub vector: Embedding,
}
