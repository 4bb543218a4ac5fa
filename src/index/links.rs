//! The graph that is searched: who is linked to whom, in one block of memory, and where to enter.
//!
//! Made once and never changed; `weave` makes another one when there are more vectors. Nodes are positions of an arena;
//! positions without links are no nodes: silence, identical vectors, what was removed early. Invariant: every node is an
//! entrance or at most two links from one, so none is out of reach.

use super::memory::bytes_of;
use super::rows::{Code, Layout, Rows};

/// See the module's documentation.
pub(super) struct Links {
    /// Where the links of each position begin; one more than positions.
    offsets: Box<[u32]>,
    links: Box<[u32]>,
    /// Positions with links.
    nodes: usize,
    entrances: Entrances,
}

impl Links {
    /// Of the links of each position. Entrances are `nodes` in ascending order, chosen so that they cover all.
    ///
    /// # Panics
    /// If a link leads beyond the last position: that would be a mistake in the code that made them.
    pub(super) fn new(offsets: Vec<u32>, links: Vec<u32>, nodes: &[u32], rows: &Rows) -> Self {
        let positions = offsets.len().saturating_sub(1);
        assert!(links.iter().all(|&link| (link as usize) < positions), "a link leads beyond the last position");
        let mut made = Self {
            offsets: offsets.into(),
            links: links.into(),
            nodes: nodes.len(),
            entrances: Entrances { positions: Vec::new(), sketches: Vec::new(), mean: Vec::new() },
        };
        made.entrances = Entrances::new(made.cover(nodes), rows);
        made
    }

    /// Positions that it has taken, with links or without.
    pub(super) fn covered(&self) -> u32 {
        (self.offsets.len() - 1) as u32
    }

    pub(super) fn nodes(&self) -> usize {
        self.nodes
    }

    /// Where the links of `position` lead.
    #[inline]
    pub(super) fn of(&self, position: u32) -> &[u32] {
        let position = position as usize;
        &self.links[self.offsets[position] as usize..self.offsets[position + 1] as usize]
    }

    pub(super) fn entrances(&self) -> &Entrances {
        &self.entrances
    }

    /// Offsets and links, as numbers.
    pub(super) fn parts(&self) -> (&[u32], &[u32]) {
        (&self.offsets, &self.links)
    }

    /// Nodes such that every node is one of them or at most two links from one.
    fn cover(&self, nodes: &[u32]) -> Vec<u32> {
        let mut reached = vec![false; self.covered() as usize];
        let mut chosen = Vec::new();
        for &node in nodes {
            if reached[node as usize] {
                continue;
            }
            chosen.push(node);
            reached[node as usize] = true;
            for &near in self.of(node) {
                reached[near as usize] = true;
                self.of(near).iter().for_each(|&next| reached[next as usize] = true);
            }
        }
        chosen
    }

    /// Memory in bytes.
    pub(super) fn memory_bytes(&self) -> u64 {
        let entrances = &self.entrances;
        let sketches = size_of_val(&entrances.sketches[..]) + entrances.positions.len() * size_of::<u32>();
        (bytes_of(&self.offsets).len() + bytes_of(&self.links).len() + sketches) as u64
    }
}

/// Where a search may enter: nodes, with one bit a value that says on which side of their mean it is. Vectors of which
/// most bits agree are near each other; comparing two takes a few nanoseconds, so all of them are compared.
pub(super) struct Entrances {
    positions: Vec<u32>,
    /// [`WORD`] bits a word, the words of one entrance after those of the other.
    sketches: Vec<u64>,
    mean: Vec<f32>,
}

const WORD: usize = u64::BITS as usize;

impl Entrances {
    fn new(positions: Vec<u32>, rows: &Rows) -> Self {
        let stride = rows.layout().stride;
        let mut mean = vec![0f32; stride];
        for &position in &positions {
            let weight = rows.scale(position) / positions.len() as f32;
            mean.iter_mut().zip(rows.codes(position)).for_each(|(mean, &code)| *mean += f32::from(code) * weight);
        }
        let mut made = Self { sketches: Vec::with_capacity(positions.len() * stride / WORD), positions, mean };
        for &position in &made.positions {
            push_sketch(&mut made.sketches, rows.codes(position), rows.scale(position), &made.mean, 1.0);
        }
        made
    }

    pub(super) fn len(&self) -> usize {
        self.positions.len()
    }

    /// The `count` entrances that seem nearest to a query, nearest first.
    pub(super) fn nearest(&self, query: &Code, layout: Layout, count: usize, found: &mut Vec<(u32, u32)>) {
        found.clear();
        let words = layout.stride / WORD;
        let mut sketch = Vec::with_capacity(words);
        push_sketch(&mut sketch, &query.codes, query.scale, &self.mean, self.share_of_mean(query));
        let mut worst = u32::MAX;
        for (other, &position) in self.sketches.chunks_exact(words).zip(&self.positions) {
            let apart: u32 = other.iter().zip(&sketch).map(|(a, b)| (a ^ b).count_ones()).sum();
            if apart >= worst && found.len() == count {
                continue;
            }
            let place = found.partition_point(|&(other, _)| other <= apart);
            found.insert(place, (apart, position));
            found.truncate(count);
            worst = found.last().map_or(u32::MAX, |&(apart, _)| apart);
        }
    }

    /// How often the mean is contained in a query: those of another modality are elsewhere, but what they have in common
    /// with all vectors tells none from another.
    fn share_of_mean(&self, query: &Code) -> f32 {
        let square: f32 = self.mean.iter().map(|value| value * value).sum();
        let dot: f32 = self.mean.iter().zip(&query.codes).map(|(mean, &code)| mean * f32::from(code)).sum();
        if square > 0.0 { dot * query.scale / square } else { 0.0 }
    }
}

fn push_sketch(sketches: &mut Vec<u64>, codes: &[i8], scale: f32, mean: &[f32], share: f32) {
    for (codes, mean) in codes.chunks(WORD).zip(mean.chunks(WORD)) {
        let bit = |(code, mean): (&i8, &f32)| u64::from(f32::from(*code) * scale > mean * share);
        sketches.push(codes.iter().zip(mean).enumerate().fold(0, |word, (at, pair)| word | bit(pair) << at));
    }
}
