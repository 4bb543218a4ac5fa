//! Nearest neighbours: all vectors of one media kind, exactly or by an HNSW graph.
//!
//! Owns the vectors in memory, the graph, and the snapshot of the graph on disk. Invariants: a vector is found from the
//! moment [`Index::insert`] returns, whether or not the graph has it yet; what was removed is never found; the graph is
//! a cache, and losing it costs time, never answers. Vectors are of unit length, so the dot product is the cosine.
//! Knows slots only: neither files, nor assets, nor the store.
//!
//! `arena` has the vectors, `scan` looks at all of them, `graph` at some; a `generation` is one arena with its graph
//! and answers searches. `maintain` brings vectors into the graph and makes new generations without what was removed.
//! `snapshot` keeps the graph on disk, `rows` says which of its nodes is which slot.

mod arena;
mod dot;
mod generation;
mod graph;
mod maintain;
mod rows;
mod scan;
mod snapshot;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak};

use self::arena::{Arena, Stored};
use self::generation::{Covering, Generation, direction};
use self::maintain::{Maintenance, Writer};
use self::scan::scan_positions;
use crate::embedding::{Embedding, SpaceId};
use crate::library::Slot;

/// When to use the graph, and how to build it.
#[derive(Debug, Clone, Copy, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexOptions {
    /// Below this many vectors there is no graph: looking at all of them is as fast.
    pub exact_below: usize,
    /// Links of a node to others; twice as many on the lowest layer.
    pub links: usize,
    /// Candidates considered for the links of a new node.
    pub construction_candidates: usize,
    /// Least number of candidates considered by a search.
    pub search_candidates: usize,
    /// Share of removed vectors in the graph, 0 to 1, from which it is built anew.
    pub compact_above: f64,
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
    /// The graph of the last snapshot, and how far it had come.
    saved: Mutex<Option<(Weak<Covering>, u32)>>,
}

/// What a search wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// How many, best first.
    pub count: usize,
    /// Those of silence, too.
    pub silent: bool,
    /// Look at every vector, whatever the size.
    pub exact: bool,
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
    /// Estimated memory of vectors and graph in bytes.
    pub memory_bytes: u64,
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
    /// The graph could not be dumped.
    #[error("the graph could not be written: {0}")]
    Graph(String),
}

impl Index {
    /// An index of `vectors` (slot, vector, silent) in ascending order of slots, with the graph of the snapshot in
    /// `directory` if there is one that fits: of this space, unharmed, and of slots that exist.
    ///
    /// The second value says why a snapshot that is there is not used.
    pub fn open(
        options: IndexOptions,
        space: &SpaceId,
        directory: &Path,
        vectors: impl Iterator<Item = (Slot, Embedding, bool)>,
    ) -> (Self, Option<String>) {
        let vectors: Vec<Stored> =
            vectors.map(|(slot, vector, silent)| Stored::new(slot, vector.as_slice(), silent)).collect();
        let (restored, refused) = snapshot::load(directory, space, &options, &vectors);
        let covering = restored.as_ref().and_then(Generation::covering);
        let generation = restored.unwrap_or_else(|| {
            let arena = Arena::default();
            for stored in vectors {
                arena.add(stored);
            }
            Generation::new(arena)
        });
        let index = Self {
            options,
            space: space.clone(),
            directory: directory.into(),
            current: RwLock::new(Arc::new(generation)),
            writer: Mutex::default(),
            maintenance: Mutex::default(),
            compaction_requested: AtomicBool::new(false),
            saved: Mutex::new(covering.map(|covering| (Arc::downgrade(&covering), covering.covered()))),
        };
        (index, refused)
    }

    fn current(&self) -> Arc<Generation> {
        read(&self.current).clone()
    }

    /// Adds a vector, which can be found at once. A slot that is there already keeps its vector.
    pub fn insert(&self, slot: Slot, vector: &Embedding, silent: bool) {
        let stored = Stored::new(slot, vector.as_slice(), silent);
        let writer = lock(&self.writer);
        if self.current().arena.add(stored.clone()) {
            writer.add(stored);
        }
    }

    /// Removes a vector; one that is not there is left alone.
    pub fn remove(&self, slot: Slot) {
        let writer = lock(&self.writer);
        self.current().arena.remove(slot);
        writer.remove(slot);
    }

    /// The nearest to `query`, best first; of equals the lowest slot. Fewer than asked for only if there are no more.
    /// Nothing is near a query that has not the vectors' size, or is no direction.
    pub fn search(&self, query: &[f32], wanted: Wanted) -> Vec<Neighbour> {
        let generation = self.current();
        let Some(query) = direction(query, &generation.arena) else { return Vec::new() };
        generation.search(&query, wanted, self.options.search_candidates)
    }

    /// The nearest among `slots`, silent ones included, exactly. Slots that are not there are passed over.
    pub fn search_among(&self, query: &[f32], slots: &[Slot], count: usize) -> Vec<Neighbour> {
        let arena = &self.current().arena;
        let Some(query) = direction(query, arena) else { return Vec::new() };
        scan_positions(arena, &query, count, &arena.positions(slots)).into_neighbours()
    }

    /// The vector in a slot, if it is there.
    pub fn vector(&self, slot: Slot) -> Option<Embedding> {
        let arena = &self.current().arena;
        Embedding::normalized(arena.vector(arena.position(slot)?)).ok()
    }

    /// Cosines to up to `count` vectors spread evenly over the index, by slot, always the same ones for the same
    /// content: what any result is to be compared with. Silence is left out.
    pub fn background(&self, query: &[f32], count: usize) -> Vec<Neighbour> {
        let generation = self.current();
        let Some(query) = direction(query, &generation.arena) else { return Vec::new() };
        let entries = generation.spread(count).into_iter().filter_map(|position| generation.arena.entry(position));
        let cosine = |stored: &Stored| dot::cosine(&query, &stored.vector);
        entries.map(|it| Neighbour { slot: it.stored.slot, cosine: cosine(&it.stored) }).collect()
    }

    /// Makes the next [`Self::maintain`] build the graph anew, whatever the share of removed vectors.
    pub fn request_compaction(&self) {
        self.compaction_requested.store(true, Ordering::Release);
    }

    /// Whether anything has changed in the graph since the last snapshot.
    pub fn snapshot_due(&self) -> bool {
        let Some(covering) = self.current().covering().filter(|covering| covering.graph.nodes() > 0) else {
            return false;
        };
        let saved = lock(&self.saved);
        let same = |(graph, covered): &(Weak<Covering>, u32)| {
            graph.as_ptr() == Arc::as_ptr(&covering) && *covered == covering.covered()
        };
        !saved.as_ref().is_some_and(same)
    }

    /// Writes the graph as a new snapshot and removes the old one. Without a graph there is nothing to do.
    pub fn snapshot(&self) -> Result<(), SnapshotError> {
        let _maintenance = lock(&self.maintenance);
        let generation = self.current();
        let Some(covering) = generation.covering().filter(|covering| covering.graph.nodes() > 0) else {
            return Ok(());
        };
        snapshot::write(&self.directory, &self.space, &self.options, &generation, &covering)?;
        *lock(&self.saved) = Some((Arc::downgrade(&covering), covering.covered()));
        Ok(())
    }

    /// Sizes and state.
    pub fn stats(&self) -> IndexStats {
        let generation = self.current();
        let covering = generation.covering();
        let covering = covering.as_deref();
        IndexStats {
            live: generation.arena.live(),
            graph_nodes: covering.map_or(0, |covering| covering.graph.nodes()),
            graph_removed: covering.map_or(0, |covering| generation.removed_nodes(covering)),
            memory_bytes: generation.arena.memory_bytes()
                + covering.map_or(0, |covering| covering.graph.memory_bytes(&self.options)),
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
