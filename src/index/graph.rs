//! The HNSW graph over positions of an arena; the only file that knows which library builds it.
//!
//! Nodes are positions, not vectors: the library's distance reads the arena. A query is a node that is no position, but
//! the bits of its own values. Invariant: the library panics where it could fail, and nothing of that leaves this file;
//! a graph that has failed once is to be dropped. Removed and identical vectors are not known here.
//!
//! What the library does that one should know (version 0.3.5): it ends the process on a damaged dump; a search among
//! insertions is safe, for every list of links has a lock of its own, but insertions that find no entry point yet are
//! lost, so the first node goes in alone; a panic is possible even in `drop`, when the clock is set back; a dump holds
//! the scale of levels where the loader expects a factor, so a loaded graph would grow flat.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use hnsw_rs::prelude::{AnnT as _, Distance, Hnsw, HnswIo};

use super::IndexOptions;
use super::arena::Arena;
use super::dot::{cosine, cosine_of_bits};
use crate::containment::contain;

/// The library and its version: only the same one reads a dump.
pub(super) const LIBRARY: &str = "hnsw_rs 0.3.5";
/// Base name of the dump, which consists of [`DUMP_FILES`].
const DUMP: &str = "graph";
/// The files of a dump.
pub(super) const DUMP_FILES: [&str; 2] = ["graph.hnsw.graph", "graph.hnsw.data"];
/// Layers of the graph: the most that the library has, and the only number that it dumps.
const LAYERS: usize = 16;
/// The library's limits: the logarithm of the links is a divisor, and a dump has one byte for them.
const LINKS: std::ops::RangeInclusive<usize> = 2..=128;
/// Where a dump has the scale of levels: after a magic number of four bytes, the mode, and the number of links.
const LEVEL_SCALE_OFFSET: u64 = 6;

/// See the module's documentation.
pub(super) struct Graph {
    /// Always there, but for the moment of its end.
    hnsw: Option<Hnsw<'static, u32, ArenaDistance>>,
    nodes: AtomicUsize,
}

/// The angle between vectors of an arena, as 1 − cos.
struct ArenaDistance(Arc<Arena>);

impl Distance<u32> for ArenaDistance {
    /// Each side is either a position or, being longer, the bits of a query.
    fn eval(&self, a: &[u32], b: &[u32]) -> f32 {
        let cosine = match (a, b) {
            (&[a], &[b]) => cosine(self.0.vector(a), self.0.vector(b)),
            (query, &[position]) | (&[position], query) => cosine_of_bits(query, self.0.vector(position)),
            _ => 0.0,
        };
        // Never negative, which the library would panic on, as the cosine is within its bounds.
        1.0 - cosine
    }
}

impl Graph {
    /// A graph without nodes.
    pub(super) fn new(arena: Arc<Arena>, options: &IndexOptions) -> Self {
        let links = options.links.clamp(*LINKS.start(), *LINKS.end());
        let candidates = options.construction_candidates.max(links);
        let expected = arena.live_audible();
        let mut hnsw = Hnsw::new(links, expected, LAYERS, candidates, ArenaDistance(arena));
        set_up(&mut hnsw);
        Self { hnsw: Some(hnsw), nodes: AtomicUsize::new(0) }
    }

    /// Nodes.
    pub(super) fn nodes(&self) -> usize {
        self.nodes.load(Ordering::Acquire)
    }

    fn hnsw(&self) -> &Hnsw<'static, u32, ArenaDistance> {
        self.hnsw.as_ref().expect("it is taken only at the graph's end")
    }

    /// Adds nodes, on as many threads as there are cores. Those are threads of its own: a search that shares its work
    /// must not find all helpers busy here.
    pub(super) fn insert(&self, positions: &[u32]) -> Result<(), String> {
        let (alone, together) = positions.split_at(usize::from(self.nodes() == 0).min(positions.len()));
        let insert = |&position: &u32| self.hnsw().insert((&[position], position as usize));
        contain(|| alone.iter().for_each(insert))?;
        let next = AtomicUsize::new(0);
        let work = || {
            contain(|| {
                while let Some(it) = together.get(next.fetch_add(1, Ordering::Relaxed)) {
                    insert(it);
                }
            })
        };
        let helpers = thread::available_parallelism().map_or(1, usize::from).min(together.len());
        thread::scope(|scope| {
            let start = |_| thread::Builder::new().name("graph".into()).spawn_scoped(scope, work).ok();
            let started: Vec<_> = (1..helpers).map_while(start).collect();
            let join = |helper: thread::ScopedJoinHandle<'_, _>| helper.join().unwrap_or_else(|_| Err("lost".into()));
            started.into_iter().map(join).fold(work(), Result::and)
        })?;
        self.nodes.fetch_add(positions.len(), Ordering::AcqRel);
        Ok(())
    }

    /// Positions of about the `count` nodes nearest to a query of unit length.
    pub(super) fn search(&self, query: &[f32], count: usize) -> Result<Vec<u32>, String> {
        let bits: Vec<u32> = query.iter().map(|value| value.to_bits()).collect();
        let found = contain(|| self.hnsw().search(&bits, count, count))?;
        Ok(found.iter().filter_map(|hit| u32::try_from(hit.d_id).ok()).collect())
    }

    /// Every node's position with that of its nearest neighbour in the graph.
    pub(super) fn nearest_links(&self) -> Result<Vec<(u32, u32)>, String> {
        let position = |id: usize| u32::try_from(id).ok();
        let pair = |point: &hnsw_rs::prelude::Point<'_, u32>| {
            let layers = point.get_neighborhood_id();
            let nearest = layers.iter().find_map(|links| links.first()).map_or(point.get_origin_id(), |hit| hit.d_id);
            position(point.get_origin_id()).zip(position(nearest))
        };
        contain(|| {
            let points = self.hnsw().get_point_indexation();
            (0..LAYERS).flat_map(|layer| points.get_layer_iterator(layer)).filter_map(|point| pair(&point)).collect()
        })
    }

    /// Writes [`DUMP_FILES`] into a directory that has none. Nothing may be inserted meanwhile.
    pub(super) fn dump(&self, directory: &Path) -> Result<(), String> {
        let scale = self.hnsw().get_point_indexation().get_level_scale();
        let name = contain(|| self.hnsw().file_dump(directory, DUMP))?.map_err(|error| error.to_string())?;
        if name != DUMP {
            return Err(format!("it was named {name}, expected {DUMP}"));
        }
        make_factor(&directory.join(DUMP_FILES[0]), scale).map_err(|error| format!("its scale: {error}"))
    }

    /// Loads a dump over `arena`. Its files must have been verified: the library ends the process on damage.
    pub(super) fn load(directory: &Path, arena: Arc<Arena>) -> Result<Self, String> {
        // The library ties a graph to its loader, which is a path and a name.
        let loader: &'static HnswIo = Box::leak(Box::new(HnswIo::new(directory, DUMP)));
        let loaded = contain(|| loader.load_hnsw_with_dist(ArenaDistance(arena)))?;
        let mut hnsw = loaded.map_err(|error| error.to_string())?;
        set_up(&mut hnsw);
        let nodes = AtomicUsize::new(hnsw.get_nb_point());
        Ok(Self { hnsw: Some(hnsw), nodes })
    }

    /// Estimate of the memory in bytes.
    pub(super) fn memory_bytes(&self, options: &IndexOptions) -> u64 {
        self.nodes() as u64 * (NODE_BYTES + LINK_BYTES * options.links as u64 * 3 / 2)
    }
}

/// A node without its links: lists for sixteen layers, their lock, and its place in the table of its layer.
const NODE_BYTES: u64 = 640;
/// A link: a counted pointer to a counted pointer and a distance. Nodes have about one and a half times the links that
/// they are given, twice as many being allowed on the lowest layer.
const LINK_BYTES: u64 = 64;

impl Drop for Graph {
    fn drop(&mut self) {
        let hnsw = self.hnsw.take();
        if let Err(reason) = contain(|| drop(hnsw)) {
            tracing::warn!("a graph was not dropped in order: {reason}");
        }
    }
}

/// What a loaded graph does not have from its dump. Links that were pruned stay away: filled up with near nodes, a node
/// would drop its few far ones, which lead from cluster to cluster. Recall@10 of shifted queries at 10,000 vectors in
/// 50 clusters and 128 candidates: 1.00 so, 0.85 filled up.
fn set_up(hnsw: &mut Hnsw<'static, u32, ArenaDistance>) {
    hnsw.set_extend_candidates(false);
    hnsw.set_keeping_pruned(false);
}

/// Replaces the scale of levels in a dump by the factor that the loader expects.
fn make_factor(path: &Path, scale: f64) -> io::Result<()> {
    let mut file: File = OpenOptions::new().read(true).write(true).open(path)?;
    let mut found = [0; size_of::<f64>()];
    file.seek(SeekFrom::Start(LEVEL_SCALE_OFFSET))?;
    file.read_exact(&mut found)?;
    if found != scale.to_ne_bytes() {
        return Err(io::Error::other(format!("is not where it is expected, at byte {LEVEL_SCALE_OFFSET}")));
    }
    file.seek(SeekFrom::Start(LEVEL_SCALE_OFFSET))?;
    file.write_all(&1f64.to_ne_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::arena::Stored;
    use crate::library::Slot;

    const OPTIONS: IndexOptions = IndexOptions {
        exact_below: 0,
        links: 8,
        construction_candidates: 40,
        search_candidates: 20,
        compact_above: 0.2,
    };

    fn waves(count: u32) -> Arc<Arena> {
        let arena = Arena::default();
        for slot in 0..count {
            let values: Vec<f32> = (1..17).map(|index| ((slot + 1) as f32 * 0.37 * index as f32).sin()).collect();
            let norm = values.iter().map(|value| value * value).sum::<f32>().sqrt();
            let unit: Vec<f32> = values.iter().map(|value| value / norm).collect();
            assert!(arena.add(Stored::new(Slot(slot), &unit, false)));
        }
        Arc::new(arena)
    }

    #[test]
    fn the_named_version_is_the_one_that_is_built() {
        let manifest = include_str!("../../Cargo.toml");
        let (name, version) = LIBRARY.split_once(' ').unwrap();
        assert!(manifest.contains(&format!("{name} = \"={version}\"")), "{LIBRARY}");
    }

    #[test]
    fn finds_what_was_inserted_before_and_after_loading() {
        let arena = waves(400);
        let graph = Graph::new(arena.clone(), &OPTIONS);
        graph.insert(&(0..200).collect::<Vec<_>>()).unwrap();
        let directory = tempfile::tempdir().unwrap();
        graph.dump(directory.path()).unwrap();
        let loaded = Graph::load(directory.path(), arena.clone()).unwrap();
        let scale = |graph: &Graph| graph.hnsw().get_point_indexation().get_level_scale();
        assert_eq!(scale(&graph), scale(&loaded));
        for graph in [graph, loaded] {
            assert_eq!(graph.nodes(), 200);
            graph.insert(&(200..400).collect::<Vec<_>>()).unwrap();
            let found = |position| graph.search(arena.vector(position), 20).unwrap().contains(&position);
            // The library leaves a point without links now and then.
            assert!((0..400).filter(|&position| found(position)).count() >= 396);
            assert_eq!(graph.nearest_links().unwrap().len(), 400);
        }
    }

    #[test]
    fn what_cannot_be_written_is_an_error() {
        let graph = Graph::new(waves(10), &OPTIONS);
        let directory = tempfile::tempdir().unwrap();
        assert!(graph.dump(directory.path()).is_err(), "a graph without nodes has no dump");
        graph.insert(&[0, 1, 2]).unwrap();
        assert!(graph.dump(&directory.path().join("absent")).is_err());
    }
}
