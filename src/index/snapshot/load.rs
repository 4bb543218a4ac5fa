//! Reading a snapshot.

use std::path::Path;
use std::sync::{Arc, Weak};

use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use super::manifest::{GraphFacts, Manifest};
use super::{Saved, generations, graph, rows};
use crate::embedding::SpaceId;
use crate::index::IndexOptions;
use crate::index::arena::{Arena, Known, NONE};
use crate::index::generation::Generation;
use crate::index::links::Links;
use crate::index::rows::{CHUNK_ROWS, RowStore};
use crate::index::write;
use crate::library::Slot;

/// What was loaded, and why something newer was not.
type Outcome = (Option<(Generation, Saved)>, Option<String>);

/// The newest snapshot that fits, with those of its rows live that are in `live`; and why a newer one, or its graph, or
/// the only one, does not.
pub(in crate::index) fn load(
    directory: &Path,
    space: &SpaceId,
    options: &IndexOptions,
    live: &[(Slot, bool)],
) -> Outcome {
    if !directory.exists() {
        return (None, None);
    }
    let found = match generations(directory) {
        Ok(found) => found,
        Err(error) => return (None, Some(error.to_string())),
    };
    let mut refused = None;
    for (_, path) in found.into_iter().filter(|(_, path)| path.extension().is_none()) {
        let told = |reason| Some(format!("{}: {reason}", path.display()));
        match load_one(&path, space, options, live) {
            Ok((generation, saved, without_graph)) => {
                return (Some((generation, saved)), refused.or_else(|| without_graph.and_then(told)));
            }
            Err(reason) => refused = refused.or_else(|| told(reason)),
        }
    }
    (None, refused)
}

/// The generation of one snapshot, and why it is without the graph, if there is one that does not fit.
fn load_one(
    path: &Path,
    space: &SpaceId,
    options: &IndexOptions,
    live: &[(Slot, bool)],
) -> Result<(Generation, Saved, Option<String>), String> {
    if cfg!(target_endian = "big") {
        return Err("snapshots are for little-endian machines".into());
    }
    let manifest = Manifest::read(path, space)?;
    let without_graph = manifest.graph.and_then(|graph| differs(graph, options));
    let facts = manifest.graph.filter(|_| without_graph.is_none());
    let (graph, chunks) = rayon::join(|| read_graph(path, &manifest, facts), || read_rows(path, &manifest));
    let (graph, chunks) = (graph?, chunks?);
    let known = known(&chunks, graph.as_ref(), live)?;
    let arena = Arena::default();
    if manifest.positions > 0 {
        let chunks = chunks.into_iter().map(|loaded| loaded.chunk).collect();
        arena.adopt(manifest.dimension, chunks, manifest.worst_error());
    }
    let rows = arena.store().map(RowStore::rows);
    let link = || graph.zip(rows).map(|(graph, rows)| Links::new(graph.offsets, graph.links, &graph.nodes, &rows));
    let (links, ()) = rayon::join(link, || arena.assign(known.into_iter()));
    let generation = Generation::new(Arc::new(arena), links);
    generation.owe(facts.map_or(0, |facts| facts.debt));
    if let Some(calibration) = manifest.calibration.filter(|_| facts.is_some()) {
        *write(&generation.calibration) = Arc::new(calibration);
    }
    let saved = Saved {
        arena: Arc::downgrade(&generation.arena),
        positions: manifest.positions,
        graph: generation.links().as_ref().map_or_else(Weak::new, Arc::downgrade),
        calibration: facts.map(|_| super::read(&generation.calibration).clone()),
        directory: path.into(),
        chunks: manifest.files[..manifest.positions as usize / CHUNK_ROWS].to_vec(),
        links: manifest.files.last().filter(|_| facts.is_some()).cloned(),
    };
    Ok((generation, saved, without_graph))
}

/// Why a graph is not one that these options make.
fn differs(graph: GraphFacts, options: &IndexOptions) -> Option<String> {
    let wanted = [
        ("links", graph.links, options.links),
        ("construction candidates", graph.construction_candidates, options.construction_candidates),
    ];
    let (what, got, expected) = wanted.into_iter().find(|(_, got, expected)| got != expected)?;
    Some(format!("its graph is made anew: its number of {what} is {got}, expected {expected}"))
}

fn read_graph(path: &Path, manifest: &Manifest, facts: Option<GraphFacts>) -> Result<Option<graph::Loaded>, String> {
    match (facts, manifest.files.last()) {
        (Some(facts), Some(seal)) => graph::read(path, seal, facts).map(Some),
        _ => Ok(None),
    }
}

/// All chunks, several at once.
fn read_rows(path: &Path, manifest: &Manifest) -> Result<Vec<rows::Loaded>, String> {
    let chunks: Vec<_> = manifest.rows_of_chunks().zip(&manifest.files).enumerate().collect();
    let read = |(number, (count, seal))| rows::read(path, seal, manifest.layout(), number, count);
    chunks.into_par_iter().map(read).collect()
}

/// What is known of each position.
fn known(chunks: &[rows::Loaded], graph: Option<&graph::Loaded>, live: &[(Slot, bool)]) -> Result<Vec<Known>, String> {
    let node_of = graph.map_or(&[][..], |graph| &graph.node_of);
    let mut known: Vec<Known> = Vec::with_capacity(chunks.iter().map(|chunk| chunk.slots.len()).sum());
    for chunk in chunks {
        for ((&slot, &digest), &silent) in chunk.slots.iter().zip(&chunk.digests).zip(&chunk.silent) {
            let node = node_of.get(known.len()).copied().unwrap_or(NONE);
            known.push(Known { slot: Slot(slot), digest, silent: silent != 0, live: false, node });
        }
    }
    let stands = |row: &Known| row.node == NONE || (!row.silent && known[row.node as usize].digest == row.digest);
    if !known.iter().all(stands) {
        return Err(format!("{}: a vector is left to the node of another", graph::NAME));
    }
    revive(&mut known, node_of.len(), live);
    Ok(known)
}

/// Marks what is live. Of several rows of a slot that came back, the last one counts. One that was removed when the
/// graph came by cannot be found in it: it is left out, and comes from the store again.
fn revive(known: &mut [Known], covered: usize, live: &[(Slot, bool)]) {
    let mut taken = vec![false; live.len()];
    let mut next = live.len();
    for (position, row) in known.iter_mut().enumerate().rev() {
        // Slots mostly descend in both.
        let expected = next.checked_sub(1).filter(|&place| live[place].0 == row.slot);
        let place = expected.or_else(|| live.binary_search_by_key(&row.slot, |&(slot, _)| slot).ok());
        let Some(place) = place.filter(|&place| !taken[place]) else { continue };
        taken[place] = true;
        next = place;
        let can_be_found = position >= covered || row.silent || row.node != NONE;
        row.live = can_be_found && row.silent == live[place].1;
    }
}
