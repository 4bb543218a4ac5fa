//! What a snapshot says of itself: of what it is, and what its files are.
//!
//! `manifest.json` has size and BLAKE3 of each file; its own BLAKE3 is in `manifest.b3`. Invariant: a manifest that is
//! given out is as it was written, is of this format, and its numbers go together, so that sizes may be derived from
//! them. Knows nothing of what is in the files.

use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{graph, rows};
use crate::embedding::SpaceId;
use crate::index::arena::NONE;
use crate::index::calibrate::Calibration;
use crate::index::rows::{CHUNK_ROWS, Layout};

/// Goes up with every change of what the files mean. 1 was the dump of the graph's library, without vectors.
pub(super) const FORMAT: u32 = 2;
pub(super) const MANIFEST: &str = "manifest.json";
pub(super) const SEAL: &str = "manifest.b3";
/// A file takes about 150 bytes of a manifest; a million vectors are in 489 files.
const MOST_MANIFEST_BYTES: u64 = 16 << 20;
/// Far more than any model has. Bounds what is reserved for a chunk.
const MOST_VALUES: usize = 65_536;

/// What a snapshot is of, and what its files are.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    format: u32,
    space: String,
    /// Values of a vector; 0 if there is none.
    pub(super) dimension: usize,
    /// Rows, those of removed vectors included.
    pub(super) positions: u32,
    /// Bits of an f32: how far a vector is from what its code says, at most.
    worst_error_bits: u32,
    pub(super) graph: Option<GraphFacts>,
    /// What had been found out about searches of the graph.
    #[serde(default)]
    pub(super) calibration: Option<Calibration>,
    pub(super) files: Vec<FileSeal>,
}

/// How a graph was made, and its size.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GraphFacts {
    pub(super) links: usize,
    pub(super) construction_candidates: usize,
    /// Positions that it has taken.
    pub(super) covered: u32,
    pub(super) nodes: usize,
    /// About how many nodes might have better links.
    #[serde(default)]
    pub(super) debt: usize,
}

/// What a file must be.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileSeal {
    pub(super) name: String,
    pub(super) bytes: u64,
    pub(super) blake3: String,
}

impl Manifest {
    pub(super) fn new(
        space: &SpaceId,
        layout: Option<Layout>,
        positions: u32,
        worst_error: f32,
        graph: Option<(GraphFacts, &Calibration)>,
        files: Vec<FileSeal>,
    ) -> Self {
        let (graph, calibration) = graph.map(|(graph, calibration)| (graph, calibration.clone())).unzip();
        let dimension = layout.map_or(0, |layout| layout.dimension);
        let (format, space, worst_error_bits) = (FORMAT, space.as_str().into(), worst_error.to_bits());
        Self { format, space, dimension, positions, worst_error_bits, graph, calibration, files }
    }

    /// How far a vector is from what its code says, at most.
    pub(super) fn worst_error(&self) -> f32 {
        f32::from_bits(self.worst_error_bits)
    }

    pub(super) fn layout(&self) -> Layout {
        Layout::of(self.dimension)
    }

    /// Rows of each chunk, in order.
    pub(super) fn rows_of_chunks(&self) -> impl Iterator<Item = usize> {
        let positions = self.positions as usize;
        (0..positions).step_by(CHUNK_ROWS).map(move |first| CHUNK_ROWS.min(positions - first))
    }

    /// The manifest's text and that of its seal.
    pub(super) fn encode(&self) -> io::Result<(Vec<u8>, String)> {
        let text = serde_json::to_vec_pretty(self)?;
        let seal = blake3::hash(&text).to_hex().to_string();
        Ok((text, seal))
    }

    /// Reads the manifest of the snapshot at `path`, which is one of `space`.
    ///
    /// # Errors
    /// The text says why it cannot be used.
    pub(super) fn read(path: &Path, space: &SpaceId) -> Result<Self, String> {
        let text = small(path, MANIFEST)?;
        if small(path, SEAL)? != blake3::hash(&text).to_hex().as_bytes() {
            return Err(format!("{MANIFEST}: its checksum is not that of {SEAL}"));
        }
        // Before all else: what another format means by its fields is not known here.
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let told = |error: serde_json::Error| format!("{MANIFEST}: {error}");
        let Format { format } = serde_json::from_slice(&text).map_err(told)?;
        if format != FORMAT {
            return Err(format!("its format is {format}, expected {FORMAT}"));
        }
        let manifest: Self = serde_json::from_slice(&text).map_err(told)?;
        if manifest.space != space.as_str() {
            return Err(format!("its space is {}, expected {}", manifest.space, space.as_str()));
        }
        match manifest.nonsense() {
            Some(nonsense) => Err(format!("{MANIFEST}: {nonsense}")),
            None => Ok(manifest),
        }
    }

    /// What about its numbers cannot be.
    fn nonsense(&self) -> Option<&'static str> {
        let Self { dimension, positions, .. } = *self;
        if (positions == 0) != (dimension == 0) || dimension > MOST_VALUES || positions == NONE {
            return Some("no vectors have so many values");
        }
        if !self.worst_error().is_finite() || self.worst_error().is_sign_negative() {
            return Some("no code has such an error");
        }
        let graph_fits =
            |graph: GraphFacts| (1..=positions).contains(&graph.covered) && graph.nodes <= graph.covered as usize;
        if !self.graph.is_none_or(graph_fits) {
            return Some("its graph is larger than it is");
        }
        let chunks = (0..).zip(self.rows_of_chunks());
        let rows = chunks.map(|(number, count)| (rows::name(number), Some(rows::file_bytes(self.layout(), count))));
        let expected = rows.chain(self.graph.map(|_| (graph::NAME.into(), None)));
        let fits = |(file, (name, bytes)): (&FileSeal, (String, Option<u64>))| {
            file.name == name && bytes.is_none_or(|bytes| bytes == file.bytes)
        };
        let count = self.rows_of_chunks().count() + usize::from(self.graph.is_some());
        let all_fit = self.files.len() == count && self.files.iter().zip(expected).all(fits);
        (!all_fit).then_some("lists other files than a snapshot has")
    }
}

/// The content of a small file.
fn small(path: &Path, name: &str) -> Result<Vec<u8>, String> {
    let file = path.join(name);
    let told = |error: io::Error| format!("{name}: {error}");
    let metadata = fs::metadata(&file).map_err(told)?;
    if !metadata.is_file() || metadata.len() > MOST_MANIFEST_BYTES {
        return Err(format!("{name}: no file, or larger than {MOST_MANIFEST_BYTES} bytes"));
    }
    fs::read(&file).map_err(told)
}
