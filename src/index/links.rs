//! The graph that is searched: who is linked to whom, in one block of memory, and where to enter.
//!
//! Made once and never changed; `weave` makes another one when there are more vectors. Nodes are positions of an arena;
//! positions without links are no nodes: silence, identical vectors, what was removed early. Invariant: every node is
//! an entrance or at most two links from one, so none is out of reach.

use super::memory::bytes_of;
use super::rows::{Code, Rows};

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
        let mut made =
            Self { offsets: offsets.into(), links: links.into(), nodes: nodes.len(), entrances: Entrances::default() };
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
#[derive(Default)]
pub(super) struct Entrances {
    positions: Vec<u32>,
    /// [`WORD`] bits a word, the words of one entrance after those of the other.
    sketches: Vec<u64>,
    mean: Vec<f32>,
    /// The mean as a code, and the square of its length.
    code: Option<(Code, f32)>,
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
        let square: f32 = mean.iter().map(|value| value * value).sum();
        let code = (square > 0.0).then(|| (Code::of(&mean, rows.layout()), square));
        let mut sketches = Vec::with_capacity(positions.len() * stride / WORD);
        for &position in &positions {
            push_sketch(&mut sketches, rows.codes(position), rows.scale(position), &mean, 1.0);
        }
        Self { positions, sketches, mean, code }
    }

    /// The `count` entrances that seem nearest to a query, nearest first, with the number of bits that differ.
    pub(super) fn nearest(&self, rows: &Rows, query: &Code, count: usize, found: &mut Vec<(u32, u32)>) {
        found.clear();
        let mut sketch = Vec::with_capacity(rows.layout().stride / WORD);
        push_sketch(&mut sketch, &query.codes, query.scale, &self.mean, self.share_of_mean(rows, query));
        let mut all_apart = Vec::with_capacity(self.positions.len());
        rows.kernels().differing_bits(&sketch, &self.sketches, &mut all_apart);
        let mut worst = u32::MAX;
        for (apart, &position) in all_apart.into_iter().zip(&self.positions) {
            if apart >= worst && found.len() == count {
                continue;
            }
            let place = found.partition_point(|&(other, _)| other <= apart);
            found.insert(place, (apart, position));
            found.truncate(count);
            worst = found.last().map_or(u32::MAX, |&(apart, _)| apart);
        }
    }

    /// How often the mean is contained in a query. What a query has in common with all vectors tells none from another,
    /// and those of another modality have less of it.
    fn share_of_mean(&self, rows: &Rows, query: &Code) -> f32 {
        let share = |(mean, square): &(Code, f32)| {
            rows.kernels().dot_codes(&mean.codes, &query.codes) as f32 * mean.scale * query.scale / square
        };
        self.code.as_ref().map_or(0.0, share)
    }
}

/// Appends the sketch of a code: which values are above so many times the mean.
fn push_sketch(sketches: &mut Vec<u64>, codes: &[i8], scale: f32, mean: &[f32], times: f32) {
    // A vector without a direction is above nothing.
    let times = if scale > 0.0 { times / scale } else { 0.0 };
    let (codes, mean) = (codes.as_chunks::<WORD>().0, mean.as_chunks::<WORD>().0);
    sketches.extend(codes.iter().zip(mean).map(|(codes, mean)| {
        let mut word = 0;
        for bit in 0..WORD {
            word |= u64::from(f32::from(codes[bit]) > mean[bit] * times) << bit;
        }
        word
    }));
}
