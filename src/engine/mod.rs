//! The engine: files in, answers out.
//!
//! Owns the pipeline from disk to index, the library in memory, and searching. Invariants: what was acknowledged, by an
//! event or a return, is on disk; content is embedded once, however many files have it; a query never waits for a file.
//! Knows neither wires, nor terminals, nor where models are kept.

mod assembly;
pub mod catalog;
pub mod content;
mod difference;
pub mod encoder;
mod error;
pub mod events;
pub mod fallback;
pub mod fetch;
pub mod filter;
mod ingest;
mod keeper;
mod life;
mod listing;
pub mod model;
pub mod options;
mod planner;
mod priority;
pub mod query;
mod recorder;
pub mod search;
mod sync;
mod upkeep;
mod work;

use std::path::Path;
use std::sync::{Arc, RwLock};

use tokio::sync::broadcast;

use self::catalog::{Catalog, RootEntry};
use self::encoder::Encoder;
use self::events::{Numbered, Progress};
use self::keeper::Change;
use self::life::Shared;
use self::options::EngineOptions;
use self::search::Searcher;
use self::sync::{lock, read};
use self::work::Job;
use crate::library::{FileKey, FileState, Root, RootId, RootRules};
use crate::media::MediaKind;
use crate::store::{SetAside, Totals};

pub use error::EngineError;
pub use listing::{AssetInLibrary, FailedFile, Page};

/// A library that is open. Cheap to clone; [`Self::stop`] ends it for all clones.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

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
    /// Assets with at least one file, by [`MediaKind`].
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
    /// By [`MediaKind`].
    pub indexes: [crate::index::IndexStats; 2],
    /// What keeps the library from its best, a sentence each.
    pub warnings: Vec<String>,
    /// Vectors of models that the library was switched away from.
    pub set_aside: Vec<SetAside>,
}

impl Engine {
    /// What searching needs.
    pub fn searcher(&self) -> &Searcher {
        &self.shared.searcher
    }

    /// The model, if there is one.
    pub fn encoder(&self) -> Option<&Encoder> {
        self.shared.searcher.encoder.as_ref()
    }

    /// The library in memory.
    pub fn catalog(&self) -> &Arc<RwLock<Catalog>> {
        &self.shared.keeper.catalog
    }

    /// The data directory.
    pub fn directory(&self) -> &Path {
        &self.shared.directory
    }

    /// Its options.
    pub fn options(&self) -> &EngineOptions {
        &self.shared.options
    }

    /// Watches a folder from now on, and compares it with the disk.
    ///
    /// # Errors
    /// [`EngineError::Root`] if it is no folder, or overlaps one that is watched; [`EngineError::Glob`].
    pub fn add_root(&self, path: &Path, rules: RootRules) -> Result<RootEntry, EngineError> {
        let refuse = |reason: String, exists| EngineError::Root { path: path.into(), reason, exists };
        let canonical = path.canonicalize().map_err(|error| refuse(error.to_string(), false))?;
        if !canonical.is_dir() {
            return Err(refuse("not a folder; give the folder that it is in".into(), false));
        }
        // Held to the end: two of them at once must not both find that there is no overlap.
        let _adding = lock(&self.shared.adding);
        for entry in read(self.catalog()).roots() {
            let other = &entry.root.path;
            if *other == canonical {
                return Err(refuse(format!("is watched already, as root {}", entry.root.id.0), true));
            }
            if canonical.starts_with(other) {
                return Err(refuse(format!("lies in {}, which is watched already", other.display()), false));
            }
            if other.starts_with(&canonical) {
                let other = other.display();
                return Err(refuse(format!("contains {other}, which is watched already; remove that first"), false));
            }
        }
        let id = self.shared.keeper.store.next_root_id();
        let root = Root { id, path: canonical, rules, identity: None };
        let rules = Arc::new(self.shared.rules_of(&root)?);
        self.shared.keeper.commit(Change { roots: vec![root.clone()], ..Change::default() })?;
        self.shared.begin(&root, rules);
        let entry = read(self.catalog()).root(id).cloned();
        entry.ok_or(EngineError::NoSuchRoot(id.0))
    }

    /// Forgets a root and its files; returns how many.
    pub fn remove_root(&self, id: RootId) -> Result<u64, EngineError> {
        if read(self.catalog()).root(id).is_none() {
            return Err(EngineError::NoSuchRoot(id.0));
        }
        self.shared.end(id);
        Ok(self.shared.keeper.forget_root(id)?)
    }

    /// Compares a root, or all, with the disk. Returns at once.
    pub fn rescan(&self, root: Option<RootId>) -> Result<(), EngineError> {
        let planner = self.shared.planner()?;
        let roots: Vec<RootId> = match root {
            Some(id) if read(self.catalog()).root(id).is_none() => return Err(EngineError::NoSuchRoot(id.0)),
            Some(id) => vec![id],
            None => read(self.catalog()).roots().map(|entry| entry.root.id).collect(),
        };
        roots.into_iter().for_each(|root| planner.look_everywhere(root));
        Ok(())
    }

    /// How far indexing is.
    pub fn progress(&self) -> Progress {
        self.shared.work.progress()
    }

    /// What happens from now on. A slow receiver loses the oldest.
    pub fn subscribe(&self) -> broadcast::Receiver<Numbered> {
        self.shared.keeper.events.subscribe()
    }

    /// Tries failed files again: one, those below a folder, or all; returns how many.
    pub fn retry(&self, path: Option<&Path>) -> Result<u64, EngineError> {
        self.shared.planner()?;
        let catalog = read(self.catalog());
        let failed = |(key, record): (&FileKey, &crate::library::FileRecord)| {
            let retry = matches!(record.state, FileState::Failed(_));
            retry.then(|| Job { retry: true, ..Job::new(key.clone(), record.stat.size) })
        };
        let jobs: Vec<Job> = match path {
            None => catalog.files().filter_map(failed).collect(),
            Some(path) => {
                let place = catalog.locate(path).ok_or_else(|| {
                    let reason = "lies in no watched folder".into();
                    EngineError::Root { path: path.into(), reason, exists: false }
                })?;
                catalog.files_below(place.0, &place.1).filter_map(failed).collect()
            }
        };
        drop(catalog);
        let count = jobs.len() as u64;
        self.shared.work.add(jobs, true);
        Ok(count)
    }

    /// Counts and sizes.
    pub fn stats(&self) -> Stats {
        let keeper = &self.shared.keeper;
        let mut stats = Stats {
            totals: keeper.store.totals(),
            store_bytes: keeper.store.disk_bytes().unwrap_or_default(),
            indexes: MediaKind::ALL.map(|kind| keeper.indexes[kind as usize].stats()),
            warnings: self.shared.warnings(),
            set_aside: keeper.store.set_aside().unwrap_or_default(),
            ..Stats::default()
        };
        let catalog = read(&keeper.catalog);
        for entry in catalog.roots() {
            stats.files.indexed += entry.counts.indexed;
            stats.files.failed += entry.counts.failed;
            stats.files.ignored += entry.counts.ignored;
        }
        for entry in catalog.assets() {
            if entry.files.is_empty() {
                stats.orphans += 1;
                continue;
            }
            stats.assets[entry.asset.kind as usize] += 1;
            stats.segments += entry.asset.segments.len() as u64;
            stats.segments_silent += entry.asset.segments.iter().filter(|segment| segment.silent).count() as u64;
        }
        stats
    }

    /// Writes the graphs to disk.
    pub fn snapshot(&self) -> Result<(), EngineError> {
        for index in self.shared.keeper.indexes.iter() {
            index.snapshot()?;
        }
        Ok(())
    }

    /// Gives back what is not used any more, on disk and in memory, the vectors of deleted files among it; returns the
    /// store's size before and after.
    pub fn compact(&self) -> Result<(u64, u64), EngineError> {
        let keeper = &self.shared.keeper;
        let before = keeper.store.disk_bytes()?;
        let orphans: Vec<_> = {
            let catalog = read(&keeper.catalog);
            catalog.assets().filter(|entry| entry.files.is_empty()).map(|entry| entry.asset.id).collect()
        };
        keeper.forget_orphans(&orphans)?;
        keeper.undisturbed(crate::store::Store::compact)?;
        keeper.indexes.iter().for_each(crate::index::Index::request_compaction);
        Ok((before, keeper.store.disk_bytes()?))
    }

    /// Reads everything and says what is wrong; empty if all is well.
    pub fn check(&self) -> Result<Vec<String>, EngineError> {
        let keeper = &self.shared.keeper;
        keeper.undisturbed(|store| {
            let mut problems = store.check()?;
            let catalog = read(&keeper.catalog);
            let mut live = [0; 2];
            for entry in catalog.assets().filter(|entry| !entry.files.is_empty()) {
                let index = &keeper.indexes[entry.asset.kind as usize];
                live[entry.asset.kind as usize] += entry.asset.segments.len();
                if entry.asset.segments.iter().any(|segment| index.vector(segment.slot).is_none()) {
                    problems.push(format!("asset {}: a vector of it cannot be found by searching", entry.asset.id));
                }
            }
            for kind in MediaKind::ALL {
                let found = keeper.indexes[kind as usize].stats().live;
                if found != live[kind as usize] {
                    problems.push(format!(
                        "{kind}: {found} vectors can be found by searching, expected {}",
                        live[kind as usize]
                    ));
                }
            }
            Ok(problems)
        })
    }
}
