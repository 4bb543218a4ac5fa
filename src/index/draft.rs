//! Drafts: the HNSW graph that the library builds of new vectors; the only file that knows which library that is.
//!
//! A draft is built quickly, with few candidates, given up to whoever weaves it into the graph that is searched, and
//! dropped. Nodes are positions, not vectors: the library's distance reads the codes. Invariant: the library panics
//! where it could fail, and nothing of that leaves this file.
//!
//! What the library does that one should know (version 0.3.5): insertions that find no entry point yet are lost, so the
//! first node goes in alone; a panic is possible even in `drop`, when the clock is set back; a point may stay without
//! links. Its levels are drawn from a fixed seed: one thread builds the same graph of the same vectors.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use hnsw_rs::prelude::{Distance, Hnsw};

use super::rows::Rows;
use crate::containment::contain;

/// Candidates for the links of a new node. More make a draft slower, but not what is woven of it better.
const CANDIDATES: usize = 48;
/// Layers of the library's graph, of which only the lowest is used: the others are what its search enters by.
const LAYERS: usize = 16;
/// The library's limits: the logarithm of the links is a divisor, and it has one byte for them.
const LINKS: std::ops::RangeInclusive<usize> = 2..=128;

/// The links of each of `positions`, as places in that list, by an HNSW graph built on `threads` threads.
///
/// # Errors
/// The library has failed; the text says how.
pub(super) fn draft(rows: &Rows, positions: &[u32], links: usize, threads: usize) -> Result<Vec<Vec<u32>>, String> {
    let links = links.clamp(*LINKS.start(), *LINKS.end());
    let hnsw = contain(|| {
        let distance = CodeDistance { rows: rows.clone(), positions: positions.to_vec() };
        let mut hnsw = Hnsw::new(links, positions.len(), LAYERS, CANDIDATES.max(links), distance);
        // Filled up with near nodes, a node would lose its few far ones, which lead from cluster to cluster.
        hnsw.set_extend_candidates(false);
        hnsw.set_keeping_pruned(false);
        hnsw
    })?;
    let hnsw = Contained(Some(hnsw));
    insert(hnsw.get(), positions.len(), threads)?;
    contain(|| links_of(hnsw.get(), positions.len()))
}

/// About the angle between the vectors at two places of a list of positions, as 1 − cos.
struct CodeDistance {
    rows: Rows,
    positions: Vec<u32>,
}

impl Distance<u32> for CodeDistance {
    fn eval(&self, a: &[u32], b: &[u32]) -> f32 {
        let position = |place: &[u32]| self.positions[place[0] as usize];
        // The library panics on what is negative, which rounding makes of equal vectors.
        (1.0 - self.rows.similarity(position(a), position(b))).max(0.0)
    }
}

type Library = Hnsw<'static, u32, CodeDistance>;

fn insert(hnsw: &Library, count: usize, threads: usize) -> Result<(), String> {
    let next = AtomicUsize::new(0);
    let insert_next = || {
        let place = next.fetch_add(1, Ordering::Relaxed);
        let place = u32::try_from(place).ok().filter(|_| place < count)?;
        hnsw.insert((&[place], place as usize));
        Some(())
    };
    contain(insert_next)?;
    let work = || contain(|| while insert_next().is_some() {});
    thread::scope(|scope| {
        let start = |_| thread::Builder::new().name("graph".into()).spawn_scoped(scope, work).ok();
        let started: Vec<_> = (1..threads).map_while(start).collect();
        let join = |helper: thread::ScopedJoinHandle<'_, _>| helper.join().unwrap_or_else(|_| Err("lost".into()));
        let own = work();
        started.into_iter().map(join).fold(own, Result::and)
    })
}

/// The links of the lowest layer.
fn links_of(hnsw: &Library, count: usize) -> Vec<Vec<u32>> {
    let mut links = vec![Vec::new(); count];
    let points = hnsw.get_point_indexation();
    for point in (0..LAYERS).flat_map(|layer| points.get_layer_iterator(layer)) {
        let layers = point.get_neighborhood_id();
        let lowest = layers.first().into_iter().flatten();
        links[point.get_origin_id()] = lowest.filter_map(|link| u32::try_from(link.d_id).ok()).collect();
    }
    links
}

/// Ends the library's graph without letting a panic out.
struct Contained(Option<Library>);

impl Contained {
    fn get(&self) -> &Library {
        self.0.as_ref().expect("it is taken only at its end")
    }
}

impl Drop for Contained {
    fn drop(&mut self) {
        let hnsw = self.0.take();
        if let Err(reason) = contain(|| drop(hnsw)) {
            tracing::warn!("a graph was not dropped in order: {reason}");
        }
    }
}
