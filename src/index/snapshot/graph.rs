//! The file of a graph, `links`: where the links of each position begin, the node that stands for each position, and
//! the links.
//!
//! One position takes 8 bytes, each link 4. Invariant: what is read leads from nodes to nodes, whoever wrote it. Where
//! to enter is not in the file: it follows from links and codes, and is found as fast as it would be read.

use std::path::Path;

use super::SnapshotError;
use super::files::{self, Reader, Writer};
use super::manifest::{FileSeal, GraphFacts};
use crate::index::arena::{Entry, NONE};
use crate::index::generation::Generation;
use crate::index::links::Links;

pub(super) const NAME: &str = "links";
const KIND: [u8; 8] = *b"EMK-LINK";

/// Where the sections of a file are, of which the links come last.
fn places(covered: u32) -> [u64; 3] {
    let number = size_of::<u32>() as u64;
    files::places([(u64::from(covered) + 1) * number, u64::from(covered) * number, 0]).0
}

fn header(graph: GraphFacts, links: usize) -> [u8; files::ALIGNMENT] {
    let numbers = [graph.covered as usize, graph.nodes, links];
    files::header(KIND, &numbers.map(|number| u32::try_from(number).unwrap_or(u32::MAX)))
}

/// Writes the graph of a generation, in which nobody else changes what nodes stand for.
pub(super) fn write(
    directory: &Path,
    generation: &Generation,
    links: &Links,
    graph: GraphFacts,
) -> Result<FileSeal, SnapshotError> {
    let (offsets, all) = links.parts();
    let node = |position| generation.arena.entry(position).map_or(NONE, Entry::node);
    let mut writer = Writer::create(directory.join(NAME), header(graph, all.len()))?;
    writer.section(offsets)?;
    writer.section(&(0..graph.covered).map(node).collect::<Vec<u32>>())?;
    writer.section(all)?;
    writer.finish(NAME)
}

/// A graph as it was read.
pub(super) struct Loaded {
    pub(super) offsets: Vec<u32>,
    pub(super) links: Vec<u32>,
    /// The node that stands for each position, or [`NONE`].
    pub(super) node_of: Vec<u32>,
    /// Positions that are nodes, ascending.
    pub(super) nodes: Vec<u32>,
}

/// Reads the file of a graph.
///
/// # Errors
/// The text says why it cannot be used.
pub(super) fn read(directory: &Path, seal: &FileSeal, graph: GraphFacts) -> Result<Loaded, String> {
    let nonsense = |what: &str| Err(format!("{NAME}: {what}"));
    let number = size_of::<u32>() as u64;
    let begin = places(graph.covered)[2];
    let Some(count) = seal.bytes.checked_sub(begin).filter(|bytes| bytes % number == 0).map(|bytes| bytes / number)
    else {
        return nonsense("is too short for so many positions");
    };
    // Before memory is taken for what it should have.
    let mut reader = Reader::open(directory, seal)?;
    let covered = graph.covered as usize;
    let mut got = [0u8; files::ALIGNMENT];
    let (mut offsets, mut node_of) = (vec![0u32; covered + 1], vec![0u32; covered]);
    let mut links = vec![0u32; usize::try_from(count).map_err(|error| format!("{NAME}: {error}"))?];
    reader.read(&mut got)?;
    reader.section(&mut offsets)?;
    reader.section(&mut node_of)?;
    reader.section(&mut links)?;
    reader.finish()?;
    if got != header(graph, links.len()) {
        return nonsense("its header is not that of this graph");
    }
    let nodes: Vec<u32> = (0..graph.covered).filter(|&position| node_of[position as usize] == position).collect();
    let loaded = Loaded { offsets, links, node_of, nodes };
    match loaded.nonsense(graph) {
        Some(what) => nonsense(what),
        None => Ok(loaded),
    }
}

impl Loaded {
    /// What about it no graph has.
    fn nonsense(&self, graph: GraphFacts) -> Option<&'static str> {
        let Self { offsets, links, node_of, nodes } = self;
        let ends_fit = offsets.first() == Some(&0) && offsets.last().is_some_and(|&end| end as usize == links.len());
        if !ends_fit || !offsets.is_sorted() {
            return Some("its links do not follow each other");
        }
        // One byte a position, which a cache keeps: links lead everywhere.
        let is_node: Vec<bool> = (0..).zip(node_of).map(|(position, &node)| position == node).collect();
        if !links.iter().all(|&link| is_node.get(link as usize) == Some(&true)) {
            return Some("a link leads to what is no node");
        }
        let stands = |(position, &node): (u32, &u32)| {
            node == NONE || node == position || (node < position && is_node[node as usize])
        };
        if !(0..).zip(node_of).all(stands) {
            return Some("a vector is left to what is no node");
        }
        let unlinked = |position: usize| is_node[position] || offsets[position] == offsets[position + 1];
        if nodes.len() != graph.nodes || !(0..node_of.len()).all(unlinked) {
            return Some("it has other nodes");
        }
        None
    }
}
