//! Writing a snapshot.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::{Arc, Weak};

use super::files::at;
use super::manifest::{FileSeal, GraphFacts, MANIFEST, Manifest, SEAL};
use super::{PREFIX, Saved, SnapshotError, UNFINISHED, generations, graph, rows};
use crate::embedding::SpaceId;
use crate::index::IndexOptions;
use crate::index::arena::Arena;
use crate::index::generation::Generation;
use crate::index::links::Links;
use crate::index::rows::{CHUNK_ROWS, RowStore, Rows};

/// Writes a generation, whose graph does not change meanwhile, as the newest snapshot, and removes the others. `before`
/// is the one that was written last, from which it takes what has not changed.
///
/// # Errors
/// The system does not let us write; nothing of it is left, and the snapshots that were there still are.
pub(in crate::index) fn write(
    directory: &Path,
    space: &SpaceId,
    options: &IndexOptions,
    generation: &Generation,
    before: &Saved,
) -> Result<Saved, SnapshotError> {
    fs::create_dir_all(directory).map_err(at(directory))?;
    let number = generations(directory)?.first().map_or(1, |(number, _)| number + 1);
    let unfinished = directory.join(format!("{PREFIX}{number}{UNFINISHED}"));
    let finished = directory.join(format!("{PREFIX}{number}"));
    let written = write_files(&unfinished, space, options, generation, before).and_then(|saved| {
        fs::rename(&unfinished, &finished).map_err(at(&finished))?;
        Ok(saved)
    });
    let saved = match written {
        Ok(saved) => Saved { directory: finished, ..saved },
        Err(error) => {
            // What is half written may be what fills the disk. If it cannot be removed, the next snapshot tries again.
            drop(fs::remove_dir_all(&unfinished));
            return Err(error);
        }
    };
    synchronise(directory)?;
    remove_older(directory, number);
    map_values(&generation.arena, &saved);
    Ok(saved)
}

fn write_files(
    unfinished: &Path,
    space: &SpaceId,
    options: &IndexOptions,
    generation: &Generation,
    before: &Saved,
) -> Result<Saved, SnapshotError> {
    fs::create_dir(unfinished).map_err(at(unfinished))?;
    let arena = &generation.arena;
    // The rows last: then those of all of these positions are among them.
    let (links, positions) = (generation.links(), arena.len());
    let all = arena.rows().filter(|_| positions > 0);
    let mut files = match &all {
        Some(rows) => write_rows(unfinished, arena, rows, positions, before)?,
        None => Vec::new(),
    };
    let chunks = files[..positions as usize / CHUNK_ROWS].to_vec();
    let facts = |links: &Links| GraphFacts {
        links: options.links,
        construction_candidates: options.construction_candidates,
        covered: links.covered(),
        nodes: links.nodes(),
        debt: generation.debt(),
    };
    let facts = links.as_deref().map(facts);
    let mut sealed = None;
    if let (Some(links), Some(facts)) = (&links, facts) {
        let known = before.links.as_ref().filter(|_| before.is_of_links(Some(links)));
        sealed = Some(match known {
            Some(known) if link(&before.directory, unfinished, known)? => known.clone(),
            _ => graph::write(unfinished, generation, links, facts)?,
        });
    }
    files.extend(sealed.clone());
    let calibration = crate::index::read(&generation.calibration).clone();
    // After the rows: it is never too small for them.
    let error = arena.store().map_or(0.0, RowStore::worst_error);
    let graph = facts.map(|facts| (facts, &*calibration));
    let manifest = Manifest::new(space, all.as_ref().map(Rows::layout), positions, error, graph, files);
    let (text, seal) = manifest.encode().map_err(at(unfinished))?;
    for (name, content) in [(MANIFEST, &text[..]), (SEAL, seal.as_bytes())] {
        let path = unfinished.join(name);
        fs::write(&path, content).and_then(|()| File::open(&path)?.sync_all()).map_err(at(&path))?;
    }
    synchronise(unfinished)?;
    Ok(Saved {
        arena: Arc::downgrade(arena),
        positions,
        graph: links.as_ref().map_or_else(Weak::new, Arc::downgrade),
        calibration: facts.map(|_| calibration),
        directory: unfinished.into(),
        chunks,
        links: sealed,
    })
}

/// Writes the rows of the first `positions` positions, those that the snapshot `before` has excepted.
fn write_rows(
    unfinished: &Path,
    arena: &Arc<Arena>,
    all: &Rows,
    positions: u32,
    before: &Saved,
) -> Result<Vec<FileSeal>, SnapshotError> {
    let known = if before.is_of_arena(arena) { &before.chunks[..] } else { &[] };
    let mut files = Vec::new();
    for (number, chunk) in all.chunks().iter().enumerate() {
        let count = (positions as usize).saturating_sub(number * CHUNK_ROWS).min(CHUNK_ROWS);
        if count == 0 {
            break;
        }
        let known = known.get(number);
        if let Some(seal) = known
            && link(&before.directory, unfinished, seal)?
        {
            files.push(seal.clone());
            continue;
        }
        let seal = rows::write(unfinished, arena, all.layout(), (number, chunk), count)?;
        if let Some(known) = known.filter(|known| known.blake3 != seal.blake3) {
            return Err(changed(&before.directory.join(&known.name)));
        }
        files.push(seal);
    }
    Ok(files)
}

/// Shares a file of one snapshot with another; `false` if it must be written again.
///
/// # Errors
/// It is not as long as it was: values are mapped, and looking at those that are gone would end the process.
fn link(from: &Path, to: &Path, seal: &FileSeal) -> Result<bool, SnapshotError> {
    let from = from.join(&seal.name);
    match fs::metadata(&from) {
        Ok(metadata) if metadata.len() != seal.bytes => Err(changed(&from)),
        // Not every file system can, and of one file not without end.
        Ok(_) => Ok(fs::hard_link(&from, to.join(&seal.name)).is_ok()),
        Err(_) => Ok(false),
    }
}

fn changed(path: &Path) -> SnapshotError {
    at(path)(io::Error::new(io::ErrorKind::InvalidData, "has changed since it was written"))
}

/// Makes names in a directory last, where the system can.
fn synchronise(directory: &Path) -> Result<(), SnapshotError> {
    if cfg!(unix) { File::open(directory).and_then(|it| it.sync_all()).map_err(at(directory)) } else { Ok(()) }
}

/// Removes the snapshots that another one has replaced, and what is left of unfinished ones.
fn remove_older(directory: &Path, number: u64) {
    let older = generations(directory).unwrap_or_default().into_iter().filter(|(other, _)| *other < number);
    for (_, path) in older {
        if let Err(error) = fs::remove_dir_all(&path) {
            tracing::warn!("{}: an older snapshot was not removed: {error}", path.display());
        }
    }
}

/// Lets go of the values in memory that are on disk.
fn map_values(arena: &Arena, saved: &Saved) {
    let (Some(store), Some(rows)) = (arena.store(), arena.rows()) else { return };
    let chunks = rows.chunks().iter().zip(&saved.chunks).enumerate();
    for (number, (chunk, seal)) in chunks.filter(|(_, (chunk, _))| !chunk.is_mapped()) {
        match rows::map(&saved.directory, &seal.name, rows.layout()) {
            Ok(file) => store.replace(number, chunk.moved_to(file, rows::values_at(rows.layout()))),
            Err(error) => {
                let path = saved.directory.join(&seal.name);
                tracing::warn!("{}: its vectors stay in memory: {error}", path.display());
            }
        }
    }
}
