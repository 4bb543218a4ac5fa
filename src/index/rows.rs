//! Which slot each position of a graph is: what makes a graph on disk fit the vectors of the store again.
//!
//! One row a position, little-endian, without gaps: slot (u32), digest of the vector (u64), node (u32), nearest (u32).
//! The digest refuses a graph of other vectors; *nearest* lends a vector to a node whose own is gone, for the graph's
//! ways lead over it still.

use std::collections::HashMap;
use std::sync::Arc;

use super::arena::{Arena, NONE, Stored};
use super::generation::{Covering, Generation};
use crate::library::Slot;

/// Steps from one vector that is gone to the next, before any other will do.
const MOST_STEPS: usize = 8;

/// What is known about a position of the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    slot: Slot,
    digest: u64,
    /// The node that stands for it, or [`NONE`].
    node: u32,
    /// If it is a node, its nearest neighbour.
    nearest: u32,
}

impl Row {
    pub(super) const BYTES: usize = 20;

    fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..4].copy_from_slice(&self.slot.0.to_le_bytes());
        bytes[4..12].copy_from_slice(&self.digest.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.node.to_le_bytes());
        bytes[16..].copy_from_slice(&self.nearest.to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8; Self::BYTES]) -> Self {
        let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let digest = u64::from(word(4)) | u64::from(word(8)) << 32;
        Self { slot: Slot(word(0)), digest, node: word(12), nearest: word(16) }
    }
}

/// The rows of all positions that a graph has taken.
pub(super) fn rows_of(generation: &Generation, covering: &Covering) -> Result<Vec<Row>, String> {
    let row = |position| {
        let entry = generation.arena.entry(position).ok_or("a position is empty")?;
        Ok(Row { slot: entry.stored.slot, digest: entry.stored.digest, node: entry.node(), nearest: NONE })
    };
    let mut rows = (0..covering.covered()).map(row).collect::<Result<Vec<Row>, String>>()?;
    for (position, nearest) in covering.graph.nearest_links()? {
        rows.get_mut(position as usize).ok_or("a node has no position")?.nearest = nearest;
    }
    Ok(rows)
}

pub(super) fn encode(rows: &[Row]) -> Vec<u8> {
    rows.iter().flat_map(|row| row.to_bytes()).collect()
}

/// Rows from their bytes; what is left of an incomplete one is dropped, for lengths are verified elsewhere.
pub(super) fn decode(bytes: &[u8]) -> Vec<Row> {
    bytes.as_chunks().0.iter().map(Row::from_bytes).collect()
}

/// An arena of `vectors` whose positions are those of `rows`, then all others by slot. At most the share `most_gone` of
/// the rows may be of vectors that are gone.
pub(super) fn arrange(rows: &[Row], vectors: &[Stored], most_gone: f64) -> Result<Arena, String> {
    let by_slot: HashMap<Slot, &Stored> = vectors.iter().map(|stored| (stored.slot, stored)).collect();
    let placed = live_rows(rows, &by_slot);
    let live = placed.len();
    if (rows.len() - live) as f64 > most_gone * rows.len() as f64 {
        return Err(format!("of its {} vectors, {} are gone", rows.len(), rows.len() - live));
    }
    let known = known_vectors(rows, &by_slot)?;
    let any = known.iter().flatten().next().ok_or("none of its vectors is left")?;
    let arena = Arena::default();
    for (position, row) in rows.iter().enumerate() {
        match by_slot.get(&row.slot).filter(|_| placed.get(&row.slot) == Some(&position)) {
            Some(&stored) => {
                arena.add(stored.clone());
            }
            None => {
                let vector = stand_in(rows, &known, position).unwrap_or(any).clone();
                arena.add_removed(Stored { slot: row.slot, vector, digest: row.digest, silent: false });
            }
        }
    }
    if arena.len() as usize != rows.len() {
        return Err("not all of its vectors are of one size".into());
    }
    for (row, position) in rows.iter().zip(0..).filter(|(row, _)| row.node != NONE) {
        arena.stand_for(row.node, position);
    }
    for stored in vectors {
        arena.add(stored.clone());
    }
    Ok(arena)
}

/// The position at which each slot is live: the last, if it was removed and came back. Not those that the graph passed
/// over because they were removed just then.
fn live_rows(rows: &[Row], by_slot: &HashMap<Slot, &Stored>) -> HashMap<Slot, usize> {
    let found = |row: &Row| by_slot.get(&row.slot).is_some_and(|stored| stored.silent == (row.node == NONE));
    rows.iter().enumerate().filter(|(_, row)| found(row)).map(|(position, row)| (row.slot, position)).collect()
}

/// The vectors of the rows, as far as the store has them or ones that are identical.
fn known_vectors(rows: &[Row], by_slot: &HashMap<Slot, &Stored>) -> Result<Vec<Option<Arc<[f32]>>>, String> {
    let known = |row: &Row| match by_slot.get(&row.slot) {
        Some(stored) if stored.digest != row.digest => Err(format!("slot {} has another vector", row.slot.0)),
        Some(stored) => Ok(Some(stored.vector.clone())),
        None => Ok(None),
    };
    let mut vectors = rows.iter().map(known).collect::<Result<Vec<_>, String>>()?;
    for (position, row) in rows.iter().enumerate().filter(|(_, row)| row.node != NONE) {
        let node = row.node as usize;
        if vectors.get(node).ok_or("a node is beyond the last position")?.is_none() {
            vectors[node] = vectors[position].clone();
        }
    }
    Ok(vectors)
}

/// The vector of a position, or of a near node.
fn stand_in<'a>(rows: &[Row], known: &'a [Option<Arc<[f32]>>], position: usize) -> Option<&'a Arc<[f32]>> {
    let nearest = |&position: &usize| rows.get(position).map(|row| row.nearest as usize);
    let ways = std::iter::successors(Some(position), nearest).take(MOST_STEPS);
    ways.filter_map(|position| known.get(position)?.as_ref()).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(slot: u32, value: f32) -> Stored {
        Stored::new(Slot(slot), &[value, 1.0], false)
    }

    fn row(of: &Stored, node: u32, nearest: u32) -> Row {
        Row { slot: of.slot, digest: of.digest, node, nearest }
    }

    #[test]
    fn rows_survive_being_written_and_read() {
        let row = Row { slot: Slot(0x0102_0304), digest: 0x0506_0708_090a_0b0c, node: 0x0d0e_0f10, nearest: NONE };
        let bytes = encode(&[row, row]);
        assert_eq!(bytes[..8], [4, 3, 2, 1, 12, 11, 10, 9]);
        assert_eq!(decode(&bytes), [row, row]);
    }

    #[test]
    fn what_is_gone_is_lent_the_vector_of_its_neighbour() {
        let [gone, near, new] = [stored(1, 0.5), stored(2, 0.25), stored(0, 0.75)];
        let rows = [row(&gone, 0, 1), row(&near, 1, 0)];
        let arena = arrange(&rows, &[new, near.clone()], 0.5).unwrap();
        assert_eq!((arena.len(), arena.live()), (3, 2));
        assert_eq!(arena.vector(0), &*near.vector);
        assert_eq!(["1", "2", "0"].map(|slot| arena.position(Slot(slot.parse().unwrap()))), [None, Some(1), Some(2)]);
    }

    #[test]
    fn a_node_that_is_gone_keeps_the_vector_of_its_twin() {
        let [gone, near, twin] = [stored(1, 0.5), stored(2, 0.25), stored(3, 0.5)];
        let rows = [row(&gone, 0, 1), row(&near, 1, 0), row(&twin, 0, NONE)];
        let arena = arrange(&rows, &[near, twin.clone()], 0.5).unwrap();
        assert_eq!(arena.vector(0), &*twin.vector);
        assert_eq!(arena.twins(0).collect::<Vec<_>>(), [0, 2]);
    }

    #[test]
    fn what_the_graph_passed_over_gets_a_position_behind_it() {
        let [taken, passed_over] = [stored(1, 0.5), stored(2, 0.25)];
        let rows = [row(&taken, 0, 0), row(&passed_over, NONE, NONE)];
        let arena = arrange(&rows, &[taken, passed_over], 0.5).unwrap();
        assert_eq!((arena.position(Slot(2)), arena.entry(2).unwrap().node()), (Some(2), NONE));
    }

    #[test]
    fn a_slot_that_came_back_is_live_where_it_came_last() {
        let it = stored(1, 0.5);
        let arena = arrange(&[row(&it, 0, 0), row(&it, 0, NONE)], &[it], 0.5).unwrap();
        assert_eq!((arena.position(Slot(1)), arena.live()), (Some(1), 1));
    }

    #[test]
    fn rows_of_other_vectors_are_refused() {
        let check = |rows: &[Row], vectors: &[Stored], expected: &str| {
            assert_eq!(arrange(rows, vectors, 0.4).err().unwrap(), expected);
        };
        let [one, other] = [stored(1, 0.5), stored(1, 0.25)];
        check(&[row(&one, 0, 0)], &[other], "slot 1 has another vector");
        check(&[row(&one, 0, 0)], &[stored(2, 0.5)], "of its 1 vectors, 1 are gone");
        check(&[row(&one, 7, 0)], &[one], "a node is beyond the last position");
    }
}
