//! Nearest neighbours: all vectors of one media kind, exactly or by an HNSW graph.
//!
//! Owns the vectors in memory, the graph, and the snapshot of the graph on disk. Invariants: a vector is found from the
//! moment [`Index::insert`] returns, whether or not the graph has it yet; what was removed is never found; the graph is
//! a cache, and losing it costs time, never answers. Vectors are of unit length, so the dot product is the cosine.
//! Knows slots only: neither files, nor assets, nor the store.

use std::path::Path;

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
pub struct Index {}

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
        path: std::path::PathBuf,
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
        _options: IndexOptions,
        _space: &SpaceId,
        _directory: &Path,
        _vectors: impl Iterator<Item = (Slot, Embedding, bool)>,
    ) -> (Self, Option<String>) {
        todo!()
    }

    /// Adds a vector, which can be found at once. A slot that is there already keeps its vector.
    pub fn insert(&self, _slot: Slot, _vector: &Embedding, _silent: bool) {
        todo!()
    }

    /// Removes a vector; one that is not there is left alone.
    pub fn remove(&self, _slot: Slot) {
        todo!()
    }

    /// The nearest to `query`, best first; of equals the lowest slot. Fewer than asked for only if there are no more.
    pub fn search(&self, _query: &[f32], _wanted: Wanted) -> Vec<Neighbour> {
        todo!()
    }

    /// The nearest among `slots`, exactly. Slots that are not there are passed over.
    pub fn search_among(&self, _query: &[f32], _slots: &[Slot], _count: usize) -> Vec<Neighbour> {
        todo!()
    }

    /// The vector in a slot, if it is there.
    pub fn vector(&self, _slot: Slot) -> Option<Embedding> {
        todo!()
    }

    /// Cosines to up to `count` vectors spread evenly over the index, always the same ones for the same content: what
    /// any result is to be compared with. Silence is left out.
    pub fn background(&self, _query: &[f32], _count: usize) -> Vec<Neighbour> {
        todo!()
    }

    /// Does one bounded piece of what is due: bringing vectors into the graph, or building it anew. `false` if nothing
    /// is. Meant to be called again and again by a thread of its own; searches and insertions go on meanwhile.
    pub fn maintain(&self) -> bool {
        todo!()
    }

    /// Makes the next [`Self::maintain`] build the graph anew, whatever the share of removed vectors.
    pub fn request_compaction(&self) {
        todo!()
    }

    /// Whether anything has changed in the graph since the last snapshot.
    pub fn snapshot_due(&self) -> bool {
        todo!()
    }

    /// Writes the graph as a new snapshot and removes the old one.
    pub fn snapshot(&self) -> Result<(), SnapshotError> {
        todo!()
    }

    /// Sizes and state.
    pub fn stats(&self) -> IndexStats {
        todo!()
    }
}
