//! Snapshots: a graph on disk, so that a start need not build it.
//!
//! `gen-N` is a directory with the graph's dump, the slots of its positions (`slots`), and `manifest.json`, which has
//! size and BLAKE3 of each, and whose own BLAKE3 is in `manifest.b3`. It is written as `gen-N.tmp`, synchronised, and
//! renamed; then older ones go. Invariant: nothing is read by the graph's library before every byte has been verified,
//! for it ends the process on damage. A snapshot that does not fit is no loss: the vectors are in the store.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::arena::Stored;
use super::generation::{Covering, Generation};
use super::graph::{DUMP_FILES, Graph, LIBRARY};
use super::rows::{arrange, decode, encode, rows_of};
use super::{IndexOptions, SnapshotError};
use crate::embedding::SpaceId;

/// Goes up with every change of what the files mean.
const FORMAT: u32 = 1;
const PREFIX: &str = "gen-";
const UNFINISHED: &str = ".tmp";
const SLOTS: &str = "slots";
const MANIFEST: &str = "manifest.json";
const SEAL: &str = "manifest.b3";
/// A manifest is a few hundred bytes.
const MOST_MANIFEST_BYTES: u64 = 65_536;

/// What a snapshot is of, and what its files are.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    format: u32,
    /// The graph's library and its version.
    library: String,
    /// The library writes numbers as this machine has them.
    machine: String,
    space: String,
    links: usize,
    construction_candidates: usize,
    /// Positions that the graph has taken.
    covered: u32,
    nodes: usize,
    files: Vec<FileSeal>,
}

/// What a file must be.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileSeal {
    name: String,
    bytes: u64,
    blake3: String,
}

fn machine() -> String {
    let order = if cfg!(target_endian = "little") { "little" } else { "big" };
    format!("{order} endian, {} bits", usize::BITS)
}

/// Writes a graph, to which nothing is added meanwhile, as the newest snapshot, and removes the others.
pub(super) fn write(
    directory: &Path,
    space: &SpaceId,
    options: &IndexOptions,
    generation: &Generation,
    covering: &Covering,
) -> Result<(), SnapshotError> {
    fs::create_dir_all(directory).map_err(at(directory))?;
    let number = generations(directory)?.first().map_or(1, |(number, _)| number + 1);
    let unfinished = directory.join(format!("{PREFIX}{number}{UNFINISHED}"));
    remove_if_there(&unfinished)?;
    fs::create_dir(&unfinished).map_err(at(&unfinished))?;
    covering.graph.dump(&unfinished).map_err(SnapshotError::Graph)?;
    let rows = rows_of(generation, covering).map_err(SnapshotError::Graph)?;
    let slots = unfinished.join(SLOTS);
    fs::write(&slots, encode(&rows)).map_err(at(&slots))?;
    let manifest = Manifest {
        format: FORMAT,
        library: LIBRARY.into(),
        machine: machine(),
        space: space.as_str().into(),
        links: options.links,
        construction_candidates: options.construction_candidates,
        covered: covering.covered(),
        nodes: covering.graph.nodes(),
        files: names().map(|name| seal(&unfinished, name)).collect::<Result<_, _>>()?,
    };
    let text = serde_json::to_vec_pretty(&manifest).map_err(|error| SnapshotError::Graph(error.to_string()))?;
    let seal = blake3::hash(&text).to_hex();
    for (name, content) in [(MANIFEST, &text[..]), (SEAL, seal.as_bytes())] {
        let path = unfinished.join(name);
        fs::write(&path, content).map_err(at(&path))?;
    }
    finish(directory, &unfinished, number)
}

fn names() -> impl Iterator<Item = &'static str> {
    DUMP_FILES.into_iter().chain([SLOTS])
}

/// Synchronises what was written, gives it its name, and removes what it replaces.
fn finish(directory: &Path, unfinished: &Path, number: u64) -> Result<(), SnapshotError> {
    for name in names().chain([MANIFEST, SEAL]) {
        let path = unfinished.join(name);
        File::open(&path).and_then(|file| file.sync_all()).map_err(at(&path))?;
    }
    synchronise(unfinished)?;
    let finished = directory.join(format!("{PREFIX}{number}"));
    fs::rename(unfinished, &finished).map_err(at(&finished))?;
    synchronise(directory)?;
    for (_, old) in generations(directory)?.into_iter().filter(|(other, _)| *other < number) {
        remove_if_there(&old)?;
    }
    Ok(())
}

/// Makes names in a directory last, where the system can.
fn synchronise(directory: &Path) -> Result<(), SnapshotError> {
    if cfg!(unix) { File::open(directory).and_then(|it| it.sync_all()).map_err(at(directory)) } else { Ok(()) }
}

fn remove_if_there(path: &Path) -> Result<(), SnapshotError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(path)(error)),
        _ => Ok(()),
    }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> SnapshotError {
    move |source| SnapshotError::Io { path: path.into(), source }
}

fn seal(directory: &Path, name: &str) -> Result<FileSeal, SnapshotError> {
    let path = directory.join(name);
    let (bytes, blake3) = measure(&path).map_err(at(&path))?;
    Ok(FileSeal { name: name.into(), bytes, blake3 })
}

fn measure(path: &Path) -> io::Result<(u64, String)> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(path)?)?;
    Ok((hasher.count(), hasher.finalize().to_hex().to_string()))
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

/// The newest snapshot that fits, over `vectors`; and why a newer one, or the only one, does not.
pub(super) fn load(
    directory: &Path,
    space: &SpaceId,
    options: &IndexOptions,
    vectors: &[Stored],
) -> (Option<Generation>, Option<String>) {
    if !directory.exists() {
        return (None, None);
    }
    let found = match generations(directory) {
        Ok(found) => found,
        Err(error) => return (None, Some(error.to_string())),
    };
    let mut refused = None;
    for (_, path) in found.into_iter().filter(|(_, path)| path.extension().is_none()) {
        match load_one(&path, space, options, vectors) {
            Ok(generation) => return (Some(generation), refused),
            Err(reason) => refused = refused.or(Some(format!("{}: {reason}", path.display()))),
        }
    }
    (None, refused)
}

fn load_one(path: &Path, space: &SpaceId, options: &IndexOptions, vectors: &[Stored]) -> Result<Generation, String> {
    let manifest = verified(path)?;
    let expected = |what: &str, got: &str, expected: &str| {
        if got == expected { Ok(()) } else { Err(format!("its {what} is {got}, expected {expected}")) }
    };
    expected("space", &manifest.space, space.as_str())?;
    expected("library", &manifest.library, LIBRARY)?;
    expected("machine", &manifest.machine, &machine())?;
    expected("number of links", &manifest.links.to_string(), &options.links.to_string())?;
    let candidates = [manifest.construction_candidates, options.construction_candidates].map(|it| it.to_string());
    expected("number of construction candidates", &candidates[0], &candidates[1])?;
    let rows = decode(&fs::read(path.join(SLOTS)).map_err(|error| error.to_string())?);
    expected("number of positions", &rows.len().to_string(), &manifest.covered.to_string())?;
    let arena = Arc::new(arrange(&rows, vectors, options.compact_above)?);
    let graph = Graph::load(path, arena.clone())?;
    expected("number of nodes", &graph.nodes().to_string(), &manifest.nodes.to_string())?;
    Ok(Generation::with_graph(arena, graph, manifest.covered))
}

/// The manifest of a snapshot, every byte of which is as it was written.
fn verified(path: &Path) -> Result<Manifest, String> {
    let small = |name: &str| {
        let file = path.join(name);
        let told = |error: io::Error| format!("{name}: {error}");
        if fs::metadata(&file).map_err(told)?.len() > MOST_MANIFEST_BYTES {
            return Err(format!("{name}: larger than {MOST_MANIFEST_BYTES} bytes"));
        }
        fs::read(&file).map_err(told)
    };
    let text = small(MANIFEST)?;
    if small(SEAL)? != blake3::hash(&text).to_hex().as_bytes() {
        return Err(format!("{MANIFEST}: its checksum is not that of {SEAL}"));
    }
    // Before all else: what another format means by its fields is not known here.
    #[derive(Deserialize)]
    struct Format {
        format: u32,
    }
    let Format { format } = serde_json::from_slice(&text).map_err(|error| format!("{MANIFEST}: {error}"))?;
    if format != FORMAT {
        return Err(format!("its format is {format}, expected {FORMAT}"));
    }
    let manifest: Manifest = serde_json::from_slice(&text).map_err(|error| format!("{MANIFEST}: {error}"))?;
    if !manifest.files.iter().map(|file| file.name.as_str()).eq(names()) {
        return Err(format!("{MANIFEST}: lists other files than a snapshot has"));
    }
    for FileSeal { name, bytes, blake3 } in &manifest.files {
        let (got_bytes, got) = measure(&path.join(name)).map_err(|error| format!("{name}: {error}"))?;
        if got_bytes != *bytes {
            return Err(format!("{name}: has {got_bytes} bytes, expected {bytes}"));
        }
        if got != *blake3 {
            return Err(format!("{name}: its checksum is not that of {MANIFEST}"));
        }
    }
    Ok(manifest)
}
