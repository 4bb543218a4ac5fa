//! Nearest neighbours: all vectors of one media kind, exactly or by a graph.
//!
//! Owns the vectors in memory, the graph, and the snapshot of both on disk. Invariants: a vector is found from the
//! moment [`Index::insert`] returns, whether or not the graph has it yet; what was removed is never found; all of it is
//! a cache of what the store has, and losing it costs time, never answers. Vectors are of unit length, so the dot
//! product is the cosine. Knows slots only: neither files, nor assets, nor the store.
//!
//! `kernels` compare two vectors. `memory` has the bytes, `rows` the vectors in them, an `arena` what each row is of.
//! `draft` builds a graph of new vectors with the HNSW library, `weave` makes of it the `links` that a `beam` searches;
//! `scan` looks at everything instead, `filtered` at what is allowed. A `generation` is one arena with its graph and
//! answers searches, with as many candidates as `calibrate` has found necessary. `maintain` makes the graph grow and
//! leaves behind what was removed. `snapshot` keeps rows and links on disk.

mod arena;
mod beam;
mod calibrate;
mod draft;
mod filtered;
mod generation;
mod kernels;
mod links;
mod maintain;
mod memory;
mod rows;
mod scan;
mod snapshot;
mod weave;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use roaring::RoaringBitmap;

use self::calibrate::{Asked, Trial};
use self::generation::{Generation, direction};
use self::kernels::Kernels;
use self::links::Links;
use self::maintain::{Maintenance, Writer};
use self::snapshot::Saved;
use crate::embedding::{Embedding, SpaceId};
use crate::library::Slot;

/// When to use the graph, and how to build it.
#[derive(Debug, Clone, Copy, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexOptions {
    /// Below this many vectors there is no graph: looking at all of them is as good.
    pub exact_below: usize,
    /// Links of a node to others; at most twice as many.
    pub links: usize,
    /// Candidates considered for the links of a new node.
    pub construction_candidates: usize,
    /// Share of the exact answer, 0 to 1, that a search of the graph is to find on average.
    pub target_recall: f64,
    /// Share of removed vectors, 0 to 1, from which rows and graph are made anew.
    pub compact_above: f64,
    /// Threads that work on the graph; 0 for one a core.
    pub threads: usize,
}

/// All vectors of one media kind. Shared between threads; searches never wait for insertions.
pub struct Index {
    options: IndexOptions,
    space: SpaceId,
    directory: PathBuf,
    /// What searches ask. Locked only to take it or to replace it.
    current: RwLock<Arc<Generation>>,
    /// Held by whoever adds or removes a vector, for as long as that takes.
    writer: Mutex<Writer>,
    /// Held by whoever works on a graph or writes it to disk; neither searches nor insertions need it.
    maintenance: Mutex<Maintenance>,
    compaction_requested: AtomicBool,
    asked: Mutex<Asked>,
    asked_so_far: AtomicUsize,
    /// Held by whoever maintains.
    trial: Mutex<Option<Trial>>,
    /// What the last snapshot has.
    saved: Mutex<Saved>,
}

/// How much a search does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// It looks at every vector.
    Exact,
    /// As much as finds the share [`IndexOptions::target_recall`] of what an exact search finds.
    Calibrated,
    /// It keeps so many candidates in view.
    Candidates(usize),
}

/// What a search wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// How many, best first.
    pub count: usize,
    /// Those of silence, too.
    pub silent: bool,
    /// How much to do for it.
    pub effort: Effort,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Best first; of equals the lowest slot first.
    pub neighbours: Vec<Neighbour>,
    /// Every vector that is allowed was looked at.
    pub exact: bool,
}

impl Default for Found {
    /// Nothing, because there is nothing that could be found.
    fn default() -> Self {
        Self { neighbours: Vec::new(), exact: true }
    }
}

/// A vector that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbour {
    /// Where it is.
    pub slot: Slot,
    /// Cosine of the angle to the query, in [−1, 1].
    pub cosine: f32,
}

/// Sizes and state of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IndexStats {
    /// Vectors that can be found.
    pub live: usize,
    /// Nodes of the graph; 0 without one.
    pub graph_nodes: usize,
    /// Nodes of the graph whose vectors were removed.
    pub graph_removed: usize,
    /// Estimated memory of vectors and graph in bytes, but for values that are mapped from a snapshot.
    pub memory_bytes: u64,
    /// Candidates that a search for ten neighbours needs, once that was found out; [`usize::MAX`] if it has to look at
    /// every vector.
    pub calibrated_candidates: Option<usize>,
}

/// Why a snapshot was not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The system does not let us write.
    #[error("{}: {source}", path.display())]
    Io {
        /// What was to be written.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl Index {
    /// An index of the vectors in the slots that are `live`, ascending, each with whether it is silent. Rows and graph
    /// come from the snapshot in `directory` if there is one that fits: of this space, of these vectors, and unharmed.
    /// `read` gives all vectors from a slot on, of which those that the snapshot lacks are taken, and a few others are
    /// compared. It is called again for all of them if the snapshot is found to have others.
    ///
    /// The second value says why a snapshot that is there, or its graph, is not used.
    ///
    /// # Errors
    /// What `read` could not read.
    pub fn open<E>(
        options: IndexOptions,
        space: &SpaceId,
        directory: &Path,
        live: &[(Slot, bool)],
        read: impl Fn(Slot, &mut dyn FnMut(Slot, &Embedding)) -> Result<(), E>,
    ) -> Result<(Self, Option<String>), E> {
        tracing::debug!("vectors are compared by the kernels for {}", Kernels::best().name());
        let (restored, mut refused) = snapshot::load(directory, space, &options, live);
        let (mut generation, mut saved) = restored.unwrap_or_default();
        if let Some(Slot(slot)) = generation.arena.complete(live, &read)? {
            refused = Some(format!("{}: has another vector in slot {slot} than the store", directory.display()));
            (generation, saved) = Default::default();
            generation.arena.complete(live, &read)?;
        }
        let index = Self {
            options,
            space: space.clone(),
            directory: directory.into(),
            current: RwLock::new(Arc::new(generation)),
            writer: Mutex::default(),
            maintenance: Mutex::default(),
            compaction_requested: AtomicBool::new(false),
            asked: Mutex::default(),
            asked_so_far: AtomicUsize::new(0),
            trial: Mutex::default(),
            saved: Mutex::new(saved),
        };
        Ok((index, refused))
    }

    fn current(&self) -> Arc<Generation> {
        read(&self.current).clone()
    }

    /// Adds a vector, which can be found at once. A slot that is there already keeps its vector.
    ///
    /// Whoever adds faster than the graph grows helps it to.
    pub fn insert(&self, slot: Slot, vector: &Embedding, silent: bool) {
        {
            let mut writer = lock(&self.writer);
            if self.current().arena.add(slot, vector.as_slice(), silent) {
                writer.add(slot, vector.as_slice(), silent);
            }
        }
        self.help();
    }

    /// Removes a vector; one that is not there is left alone.
    pub fn remove(&self, slot: Slot) {
        let writer = lock(&self.writer);
        self.current().arena.remove(slot);
        writer.remove(slot);
    }

    /// The nearest to `query`. Fewer than asked for only if there are no more. Nothing is near a query that has not the
    /// vectors' size, or is no direction.
    pub fn search(&self, query: &[f32], wanted: Wanted) -> Found {
        let generation = self.current();
        match direction(query, &generation.arena) {
            Some(query) => {
                self.remember(&query);
                generation.search(&query, wanted)
            }
            None => Found::default(),
        }
    }

    /// The nearest among `slots`, silent ones included. Slots that are not there are passed over.
    pub fn search_among(&self, query: &[f32], slots: &RoaringBitmap, wanted: Wanted) -> Found {
        let generation = self.current();
        match direction(query, &generation.arena) {
            Some(query) => {
                self.remember(&query);
                generation.search_among(&query, slots, wanted)
            }
            None => Found::default(),
        }
    }

    /// The vector in a slot, if it is there.
    pub fn vector(&self, slot: Slot) -> Option<Embedding> {
        let arena = &self.current().arena;
        let position = arena.position(slot)?;
        let values: Vec<f32> = arena.rows()?.values(position).iter().map(|value| value.to_f32()).collect();
        Embedding::normalized(&values).ok()
    }

    /// Cosines to up to `count` vectors spread evenly over the index, by slot, the same ones as long as little changes:
    /// what any result is to be compared with. Silence is left out.
    pub fn background(&self, query: &[f32], count: usize) -> Vec<Neighbour> {
        let generation = self.current();
        let Some((query, rows)) = direction(query, &generation.arena).zip(generation.arena.rows()) else {
            return Vec::new();
        };
        let neighbour = |position| {
            let entry = generation.arena.entry(position).filter(|entry| entry.is_live())?;
            Some(Neighbour { slot: entry.slot, cosine: rows.cosine(&query, position) })
        };
        generation.spread(count).into_iter().filter_map(neighbour).collect()
    }

    /// Makes the next [`Self::maintain`] build the graph anew, whatever the share of removed vectors.
    pub fn request_compaction(&self) {
        self.compaction_requested.store(true, Ordering::Release);
    }

    /// Whether anything has changed since the last snapshot that the next start would have to do again.
    pub fn snapshot_due(&self) -> bool {
        !lock(&self.saved).is_of(&self.current())
    }

    /// Writes rows and graph as a new snapshot and removes the old one. Values of rows that are on disk then leave the
    /// memory.
    pub fn snapshot(&self) -> Result<(), SnapshotError> {
        let _maintenance = lock(&self.maintenance);
        let generation = self.current();
        let mut saved = lock(&self.saved);
        if !saved.is_of(&generation) {
            *saved = snapshot::write(&self.directory, &self.space, &self.options, &generation, &saved)?;
        }
        Ok(())
    }

    /// Sizes and state.
    pub fn stats(&self) -> IndexStats {
        let generation = self.current();
        let links = generation.links();
        let links = links.as_deref();
        IndexStats {
            live: generation.arena.live(),
            graph_nodes: links.map_or(0, Links::nodes),
            graph_removed: links.map_or(0, |links| generation.removed_nodes(links)),
            memory_bytes: generation.arena.memory_bytes()
                + links.map_or(0, Links::memory_bytes)
                + generation.places().map_or(0, |places| places.memory_bytes()),
            calibrated_candidates: read(&generation.calibration).measured(),
        }
    }
}

// What is locked here is whole at any moment, so a panic elsewhere while it was locked does no harm.

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
