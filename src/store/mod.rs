//! The truth: what is known about every root, file, asset and vector, in sled.
//!
//! Owns the data directory's `store`, its record format, its keys, the ledger beside it, and the directory's lock.
//! Invariants: a batch is in the store whole or not at all; when [`Store::commit`] returns, it is on disk; an asset and
//! its vectors come and go together; a slot is never given out twice. Everything is checked when it is read: a byte that
//! is wrong is an error, never a wrong answer. Knows no model, no graph and no watched disk.

mod error;
mod lock;

use std::path::Path;
use std::sync::Arc;

pub use error::StoreError;
pub use lock::DirectoryLock;

use crate::embedding::{Embedding, SpaceId};
use crate::library::{
    Asset, AssetId, Description, FileKey, FileRecord, Root, RootId, SegmentId, Slot, Span, TechnicalFacts,
};
use crate::media::MediaKind;

/// An open store. Cheap to share; commits are taken one after the other.
pub struct Store {}

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
    /// Roots, new or changed. The id of a new one comes from [`Store::next_root_id`].
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

impl Store {
    /// Opens the store in `directory/store`, or makes one.
    ///
    /// A store that cannot be opened is set aside as `store.damaged-N` and an empty one with the same roots takes its
    /// place; one that opens but lacks something is repaired by forgetting what is incomplete. Either is told in
    /// [`Recovery`].
    ///
    /// # Errors
    /// [`StoreError`]: a newer format, or the system does not let us write.
    pub fn open(_lock: &DirectoryLock, _directory: &Path) -> Result<(Self, Recovery), StoreError> {
        todo!()
    }

    /// The space of its vectors; `None` as long as no model was ever used with it.
    pub fn space(&self) -> Option<SpaceId> {
        todo!()
    }

    /// Names the space of the vectors to come.
    ///
    /// # Errors
    /// [`StoreError::OtherSpace`] if it has vectors of another one.
    pub fn bind_space(&self, _space: &SpaceId) -> Result<(), StoreError> {
        todo!()
    }

    /// The counts as of the last batch.
    pub fn totals(&self) -> Totals {
        todo!()
    }

    /// An id that no root ever had.
    pub fn next_root_id(&self) -> RootId {
        todo!()
    }

    /// All roots, by id.
    pub fn roots(&self) -> Result<Vec<Root>, StoreError> {
        todo!()
    }

    /// All files, by key.
    pub fn files(&self) -> impl Iterator<Item = Result<(FileKey, FileRecord), StoreError>> + use<> {
        std::iter::empty()
    }

    /// All assets, by id.
    pub fn assets(&self) -> impl Iterator<Item = Result<Asset, StoreError>> + use<> {
        std::iter::empty()
    }

    /// All vectors of a kind, by slot.
    pub fn vectors(&self, _kind: MediaKind) -> impl Iterator<Item = Result<StoredVector, StoreError>> + use<> {
        std::iter::empty()
    }

    /// One vector; `None` if nothing is there.
    pub fn vector(&self, _kind: MediaKind, _slot: Slot) -> Result<Option<StoredVector>, StoreError> {
        todo!()
    }

    /// Writes a batch; when it returns, the batch is on disk.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing of the batch is in the store, and after a failure of the disk nothing is accepted
    /// any more until the store is opened again.
    pub fn commit(&self, _batch: Batch) -> Result<Vec<StoredAsset>, StoreError> {
        todo!()
    }

    /// Reads everything and says what is wrong: an asset without its vectors, a vector without its asset, a file whose
    /// asset is missing, counts that do not match. Empty if all is well.
    pub fn check(&self) -> Result<Vec<String>, StoreError> {
        todo!()
    }

    /// Bytes on disk.
    pub fn disk_bytes(&self) -> Result<u64, StoreError> {
        todo!()
    }

    /// Copies everything that is alive into a fresh database and takes that: the old one keeps the space of what was
    /// overwritten and deleted. Nothing can be committed meanwhile.
    pub fn compact(&self) -> Result<(), StoreError> {
        todo!()
    }
}
