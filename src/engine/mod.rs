//! The engine: files in, answers out.
//!
//! Owns the pipeline from disk to index, the library in memory, and searching. Invariants: what was acknowledged, by an
//! event or a return, is on disk; content is embedded once, however many files have it; a query never waits for a file.
//! Knows neither wires, nor terminals, nor where models are kept.

pub mod catalog;
pub mod content;
pub mod encoder;
mod error;
pub mod events;
pub mod filter;
pub mod model;
pub mod options;
pub mod query;
pub mod search;

use std::path::Path;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use tokio::sync::broadcast;

use self::catalog::{Catalog, RootEntry};
use self::encoder::Encoder;
use self::events::{Numbered, Progress};
use self::filter::MalformedFilter;
use self::options::EngineOptions;
use self::query::FileInLibrary;
use self::search::Searcher;
use crate::index::IndexStats;
use crate::library::{Asset, AssetId, Failure, Filter, RootId, RootRules};
use crate::store::Totals;

pub use error::EngineError;

/// A library that is open. Cheap to clone.
#[derive(Clone)]
pub struct Engine {}

/// How much is done by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// Nothing: what was indexed can be searched.
    Still,
    /// Roots are compared with the disk when that is asked for.
    OnRequest,
    /// Roots are compared with the disk at start, and watched from then on.
    Watching,
}

/// Counts and sizes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Stats {
    /// Files by what became of them.
    pub files: catalog::FileCounts,
    /// Assets with at least one file, by [`MediaKind`](crate::media::MediaKind).
    pub assets: [u64; 2],
    /// Assets whose last file is gone.
    pub orphans: u64,
    /// Vectors that can be found.
    pub segments: u64,
    /// Of these, silent ones.
    pub segments_silent: u64,
    /// What the store counts.
    pub totals: Totals,
    /// Bytes of the store on disk.
    pub store_bytes: u64,
    /// By [`MediaKind`](crate::media::MediaKind).
    pub indexes: [IndexStats; 2],
    /// What keeps the library from its best, a sentence each.
    pub warnings: Vec<String>,
}

/// A page of a listing.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// In order.
    pub items: Vec<T>,
    /// Where the next page starts; `None` after the last.
    pub next: Option<String>,
    /// All that there are, where that is counted.
    pub total: u64,
}

/// An asset with its files.
#[derive(Debug, Clone, PartialEq)]
pub struct AssetInLibrary {
    /// The asset.
    pub asset: Arc<Asset>,
    /// Where it lies, by key.
    pub files: Vec<FileInLibrary>,
}

/// A file that could not be indexed.
#[derive(Debug, Clone, PartialEq)]
pub struct FailedFile {
    /// The file.
    pub file: FileInLibrary,
    /// Why.
    pub failure: Failure,
}

impl Engine {
    /// Opens the library in a data directory, or makes one; when it returns, it can be searched.
    ///
    /// # Errors
    /// [`EngineError::Store`] if the directory is in use, cannot be written to, or has vectors of another model.
    pub fn open(
        _directory: &Path,
        _options: EngineOptions,
        _encoder: Option<Encoder>,
        _activity: Activity,
    ) -> Result<Self, EngineError> {
        todo!()
    }

    /// What searching needs.
    pub fn searcher(&self) -> &Searcher {
        todo!()
    }

    /// The model, if there is one.
    pub fn encoder(&self) -> Option<&Encoder> {
        todo!()
    }

    /// The library in memory.
    pub fn catalog(&self) -> &Arc<RwLock<Catalog>> {
        todo!()
    }

    /// The data directory.
    pub fn directory(&self) -> &Path {
        todo!()
    }

    /// Its options.
    pub fn options(&self) -> &EngineOptions {
        todo!()
    }

    /// Watches a folder from now on, and compares it with the disk.
    ///
    /// # Errors
    /// [`EngineError::Root`] if it is no folder, or overlaps one that is watched; [`EngineError::Glob`].
    pub fn add_root(&self, _path: &Path, _rules: RootRules) -> Result<RootEntry, EngineError> {
        todo!()
    }

    /// Forgets a root and its files; returns how many.
    pub fn remove_root(&self, _id: RootId) -> Result<u64, EngineError> {
        todo!()
    }

    /// Compares a root, or all, with the disk. Returns at once.
    pub fn rescan(&self, _root: Option<RootId>) -> Result<(), EngineError> {
        todo!()
    }

    /// How far indexing is.
    pub fn progress(&self) -> Progress {
        todo!()
    }

    /// What happens from now on. A slow receiver loses the oldest.
    pub fn subscribe(&self) -> broadcast::Receiver<Numbered> {
        todo!()
    }

    /// One asset that has a file.
    pub fn asset(&self, _id: AssetId) -> Option<AssetInLibrary> {
        todo!()
    }

    /// Assets that pass, by id, from a page's `next` on.
    pub fn assets(
        &self,
        _filter: &Filter,
        _from: Option<&str>,
        _count: usize,
    ) -> Result<Page<AssetInLibrary>, MalformedFilter> {
        todo!()
    }

    /// Failed files by path, from a page's `next` on.
    pub fn failures(&self, _from: Option<&str>, _count: usize) -> Result<Page<FailedFile>, MalformedFilter> {
        todo!()
    }

    /// Tries failed files again: one, those below a folder, or all; returns how many.
    pub fn retry(&self, _path: Option<&Path>) -> Result<u64, EngineError> {
        todo!()
    }

    /// Counts and sizes.
    pub fn stats(&self) -> Stats {
        todo!()
    }

    /// Writes the graphs to disk.
    pub fn snapshot(&self) -> Result<(), EngineError> {
        todo!()
    }

    /// Gives back what is not used any more, on disk and in memory; returns the store's size before and after.
    pub fn compact(&self) -> Result<(u64, u64), EngineError> {
        todo!()
    }

    /// Reads everything and says what is wrong; empty if all is well.
    pub fn check(&self) -> Result<Vec<String>, EngineError> {
        todo!()
    }

    /// Waits until nothing is left to do.
    pub fn wait_until_idle(&self) {
        todo!()
    }

    /// Stops taking files, finishes what is under way within `grace`, writes the graphs, and lets go of the directory.
    pub fn stop(&self, _grace: Duration) {
        todo!()
    }
}
