//! Byte-pair encoding with CLIP's vocabulary.
//!
//! Owns the merge table and the merging. `merges.bin` holds the 48,894 merges of CLIP's `bpe_simple_vocab_16e6.txt`
//! (OpenAI, MIT licence) in their order: for each the ids of its two parts, 16 bits each, little endian. The k-th merge
//! makes id 512 + k, so that ids grow with rank. A test holds the table against the hash of the published file.
//!
//! Invariant: time grows as n·log n with the length of a piece, so that a megabyte without a space is no trouble.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

static MERGES: &[u8; 4 * 48_894] = include_bytes!("merges.bin");

/// Ids 0..256 are single bytes, the next 256 the same bytes at the end of a piece.
const BYTES: u16 = 256;

/// Which pairs of ids merge, and into what.
pub(super) struct Merges {
    merged: HashMap<(u16, u16), u16>,
}

impl Merges {
    /// CLIP's table.
    pub(super) fn clip() -> Self {
        let pairs =
            MERGES.chunks_exact(4).map(|m| (u16::from_le_bytes([m[0], m[1]]), u16::from_le_bytes([m[2], m[3]])));
        Self { merged: pairs.zip(2 * BYTES..).collect() }
    }

    /// The ids of one piece: its bytes, merged by rank, and by position within a rank, until nothing merges.
    pub(super) fn encode(&self, piece: &[u8]) -> Vec<u16> {
        let mut chain = Chain::new(piece);
        let mut candidates: BinaryHeap<Reverse<Candidate>> =
            (0..piece.len()).filter_map(|at| self.candidate(&chain, at)).map(Reverse).collect();
        while let Some(Reverse(candidate)) = candidates.pop() {
            // Either part may have gone into another merge since.
            if chain.pair(candidate.at) == Some(candidate.parts) {
                chain.merge(candidate.at, candidate.merged);
                let touched = [chain.links[candidate.at].before, Some(candidate.at)];
                candidates
                    .extend(touched.into_iter().flatten().filter_map(|at| self.candidate(&chain, at)).map(Reverse));
            }
        }
        chain.ids()
    }

    fn candidate(&self, chain: &Chain, at: usize) -> Option<Candidate> {
        let parts = chain.pair(at)?;
        let merged = *self.merged.get(&parts)?;
        Some(Candidate { merged, at, parts })
    }
}

/// A merge that could be made; ordered by rank, then by position.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    merged: u16,
    at: usize,
    parts: (u16, u16),
}

/// The symbols of a piece as a linked list over the places of its bytes.
struct Chain {
    links: Vec<Link>,
}

struct Link {
    /// `None` once the symbol has become part of the one before it.
    id: Option<u16>,
    before: Option<usize>,
    after: Option<usize>,
}

impl Chain {
    fn new(piece: &[u8]) -> Self {
        let last = piece.len().saturating_sub(1);
        let link = |(at, &byte): (usize, &u8)| Link {
            id: Some(byte_id(byte) + if at == last { BYTES } else { 0 }),
            before: at.checked_sub(1),
            after: (at < last).then_some(at + 1),
        };
        Self { links: piece.iter().enumerate().map(link).collect() }
    }

    /// The ids at `at` and after it, if both are there.
    fn pair(&self, at: usize) -> Option<(u16, u16)> {
        let link = &self.links[at];
        Some((link.id?, self.links[link.after?].id?))
    }

    /// Makes one symbol of the one at `at` and the one after it.
    fn merge(&mut self, at: usize, merged: u16) {
        let Some(gone) = self.links[at].after else { return };
        let after = self.links[gone].after;
        self.links[gone].id = None;
        self.links[at].id = Some(merged);
        self.links[at].after = after;
        if let Some(after) = after {
            self.links[after].before = Some(at);
        }
    }

    fn ids(self) -> Vec<u16> {
        self.links.into_iter().filter_map(|link| link.id).collect()
    }
}

/// The id of a byte: printable characters of Latin-1 come first, then the other 68 bytes, both in increasing order.
fn byte_id(byte: u8) -> u16 {
    let id = match byte {
        0x21..=0x7e => byte - 0x21,
        0xa1..=0xac => byte - 0xa1 + 94,
        0xae..=0xff => byte - 0xae + 106,
        0x00..=0x20 => byte + 188,
        0x7f..=0xa0 => byte - 0x7f + 221,
        0xad => 255,
    };
    u16::from(id)
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::*;

    /// What the published file writes for a byte.
    fn letter(byte: u8) -> char {
        let remapped = byte_id(byte).checked_sub(188);
        remapped.map_or(char::from(byte), |n| char::from_u32(0x100 + u32::from(n)).unwrap())
    }

    #[test]
    fn the_table_is_the_published_one() {
        let mut names = vec![String::new(); 512];
        for byte in 0..=255 {
            names[usize::from(byte_id(byte))] = letter(byte).to_string();
            names[usize::from(byte_id(byte) + BYTES)] = format!("{}</w>", letter(byte));
        }
        let mut hash = Sha256::new();
        for merge in MERGES.chunks_exact(4) {
            let part = |low: usize| &names[usize::from(u16::from_le_bytes([merge[low], merge[low + 1]]))];
            hash.update(format!("{} {}\n", part(0), part(2)));
            names.push(format!("{}{}", part(0), part(2)));
        }
        // Lines 2 to 48,895 of bpe_simple_vocab_16e6.txt.
        let published = "d308b7377a8ceaa9707a21614fe8c831b9196e197b7aeb69833359362907af02";
        let hex: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, published);
    }

    /// The definition, word for word: merge the lowest-ranked pair everywhere, left to right, and start over.
    fn encode_slowly(merges: &Merges, piece: &[u8]) -> Vec<u16> {
        let mut ids = Chain::new(piece).ids();
        while let Some(merged) = ids.windows(2).filter_map(|pair| merges.merged.get(&(pair[0], pair[1]))).min().copied()
        {
            let mut next = Vec::new();
            let mut rest = ids.as_slice();
            while let Some((&first, tail)) = rest.split_first() {
                let merges_here =
                    tail.first().is_some_and(|&second| merges.merged.get(&(first, second)) == Some(&merged));
                next.push(if merges_here { merged } else { first });
                rest = &tail[usize::from(merges_here)..];
            }
            ids = next;
        }
        ids
    }

    #[test]
    fn merging_by_heap_is_merging_by_definition() {
        let merges = Merges::clip();
        proptest::proptest!(|(piece in "[a-e]{0,40}|[a-zé]{0,30}|\\PC{0,8}")| {
            proptest::prop_assert_eq!(merges.encode(piece.as_bytes()), encode_slowly(&merges, piece.as_bytes()));
        });
    }
}
