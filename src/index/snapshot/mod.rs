//! Snapshots: rows and links on disk, so that a start needs neither the store's vectors nor a new graph.
//!
//! `gen-N` is a directory with `rows-K` for each chunk of rows, those behind the graph included, `links` if there is a
//! graph, and a `manifest`. It is written as `gen-N.tmp`, synchronised, and renamed; then older ones go. Full chunks
//! never change, so a new snapshot shares their files with the one before (as hard links), and its links if they are
//! the same. With 1,024 values a vector takes 3.1 kB for its row and about 150 bytes for its links; twice that for a
//! moment after compaction, which makes all rows anew.
//!
//! Invariants: nothing is used before every byte of it has been verified, and its numbers have been found to go
//! together; a full chunk that is on disk has its values there, and no longer in memory. A snapshot that does not fit
//! is no loss: the vectors are in the store. Removal is not in it: what is live is said by whoever opens it.

mod files;
mod graph;
mod load;
mod manifest;
mod rows;
mod write;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use self::files::at;
pub(super) use self::load::load;
use self::manifest::FileSeal;
pub(super) use self::write::write;
use super::arena::Arena;
use super::calibrate::Calibration;
use super::generation::Generation;
use super::links::Links;
use super::{SnapshotError, read};

const PREFIX: &str = "gen-";
const UNFINISHED: &str = ".tmp";

/// What the last snapshot has.
#[derive(Default)]
pub(super) struct Saved {
    /// The arena that it is of. Only its identity counts: compaction makes another, with other rows in its chunks.
    arena: Weak<Arena>,
    positions: u32,
    /// Its graph, if it has one. Only its identity counts.
    graph: Weak<Links>,
    calibration: Option<Arc<Calibration>>,
    directory: PathBuf,
    /// Its full chunks.
    chunks: Vec<FileSeal>,
    links: Option<FileSeal>,
}

impl Saved {
    /// Whether a snapshot has all that is in a generation: rows, links, and what was found out about them. What was
    /// removed is not asked for.
    pub(super) fn is_of(&self, generation: &Generation) -> bool {
        let arena = &generation.arena;
        let same_rows = self.positions == arena.len() && (self.positions == 0 || self.is_of_arena(arena));
        let same_links = self.is_of_links(generation.links().as_ref());
        let same_calibration = |known: &Arc<Calibration>| Arc::ptr_eq(known, &read(&generation.calibration));
        let same = same_rows && same_links && self.calibration.as_ref().is_none_or(same_calibration);
        // Elsewhere nothing is written.
        same || cfg!(target_endian = "big")
    }

    fn is_of_links(&self, links: Option<&Arc<Links>>) -> bool {
        self.graph.ptr_eq(&links.map_or_else(Weak::new, Arc::downgrade))
    }

    fn is_of_arena(&self, arena: &Arc<Arena>) -> bool {
        self.arena.ptr_eq(&Arc::downgrade(arena))
    }
}

/// Snapshots, finished or not, newest first.
fn generations(directory: &Path) -> Result<Vec<(u64, PathBuf)>, SnapshotError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).map_err(at(directory))? {
        let path = entry.map_err(at(directory))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_prefix(PREFIX));
        let number = name.and_then(|name| name.strip_suffix(UNFINISHED).unwrap_or(name).parse().ok());
        found.extend(number.map(|number| (number, path)));
    }
    found.sort_unstable_by(|a, b| b.cmp(a));
    Ok(found)
}
