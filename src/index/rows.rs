//! The rows of an arena: of each vector its int8 code, for comparing, and its values in half precision, for ranking.
//!
//! A code is `round(v / scale)` with `scale = max |v| / 127`, one scale a vector, so that the dot product of two codes
//! times both scales is about the cosine. Codes stay in memory; values may be mapped from a file instead, once they are
//! in one. Rows lie in chunks, whose rows are never moved. Invariant: codes, scale and values of a row belong together.

use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, RwLock};

use half::f16;
use half::slice::HalfFloatSliceExt as _;

use super::kernels::{Kernels, quantise};
use super::memory::{Column, MappedFile};
use super::{read, write};

/// Rows of a chunk: with 1,024 values, their codes are one huge page.
pub(super) const CHUNK_ROWS: usize = 2_048;
/// Codes are padded with zeros to whole cache lines.
const LINE: usize = 64;

/// How long rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    /// Values of a vector.
    pub(super) dimension: usize,
    /// Codes of a vector, those that pad it included.
    pub(super) stride: usize,
}

impl Layout {
    pub(super) fn of(dimension: usize) -> Self {
        Self { dimension, stride: dimension.next_multiple_of(LINE) }
    }
}

/// Up to [`CHUNK_ROWS`] rows. Clones share them.
#[derive(Clone)]
pub(super) struct Chunk {
    codes: Arc<Column<i8>>,
    scales: Arc<Column<f32>>,
    values: Values,
}

/// Where the values of a chunk are.
#[derive(Clone)]
enum Values {
    Memory(Arc<Column<f16>>),
    /// From this byte of the file on.
    File(Arc<MappedFile>, usize),
}

impl Chunk {
    fn new(layout: Layout) -> io::Result<Self> {
        Ok(Self {
            codes: Arc::new(Column::new(CHUNK_ROWS * layout.stride)?),
            scales: Arc::new(Column::new(CHUNK_ROWS)?),
            values: Values::Memory(Arc::new(Column::new(CHUNK_ROWS * layout.dimension)?)),
        })
    }

    /// A full chunk from a file that has its values from byte `start` on.
    pub(super) fn mapped(codes: Column<i8>, scales: Column<f32>, file: Arc<MappedFile>, start: usize) -> Self {
        Self { codes: Arc::new(codes), scales: Arc::new(scales), values: Values::File(file, start) }
    }

    /// A chunk from a file whose values are in memory, to which rows can be added as far as there is room.
    pub(super) fn loaded(codes: Column<i8>, scales: Column<f32>, values: Column<f16>) -> Self {
        Self { codes: Arc::new(codes), scales: Arc::new(scales), values: Values::Memory(Arc::new(values)) }
    }

    /// The same chunk with its values in a file, from byte `start` on.
    pub(super) fn moved_to(&self, file: Arc<MappedFile>, start: usize) -> Self {
        Self { codes: self.codes.clone(), scales: self.scales.clone(), values: Values::File(file, start) }
    }

    /// Its codes, row after row.
    pub(super) fn codes(&self) -> &[i8] {
        self.codes.values()
    }

    /// Its scales, one a row.
    pub(super) fn scales(&self) -> &[f32] {
        self.scales.values()
    }

    /// Whether its values are in a file.
    pub(super) fn is_mapped(&self) -> bool {
        matches!(self.values, Values::File(..))
    }

    /// Values of a row.
    #[inline]
    fn values(&self, row: usize, dimension: usize) -> &[f16] {
        self.values_of(row, 1, dimension)
    }

    /// Values of `rows` rows from one on, row after row.
    #[inline]
    pub(super) fn values_of(&self, first: usize, rows: usize, dimension: usize) -> &[f16] {
        match &self.values {
            Values::Memory(values) => &values.values()[first * dimension..][..rows * dimension],
            Values::File(file, start) => file
                .numbers(start + first * dimension * size_of::<f16>(), rows * dimension)
                .expect("the file's length was checked when it was opened"),
        }
    }

    /// Appends a row; `false` if it is full, or in a file.
    fn push(&self, codes: &[i8], scale: f32, values: &[f16]) -> bool {
        let Values::Memory(halves) = &self.values else { return false };
        // The last two fail only with the first: all have room for as many rows.
        self.codes.extend(codes) && halves.extend(values) && self.scales.extend(&[scale])
    }
}

/// All rows, to which more are appended.
pub(super) struct RowStore {
    layout: Layout,
    chunks: RwLock<Arc<[Chunk]>>,
    /// Bits of the largest distance of a vector from what its code says.
    worst_error: AtomicU32,
}

/// The rows that were there at some moment. A query takes them once, and then needs no lock.
#[derive(Clone)]
pub(super) struct Rows {
    chunks: Arc<[Chunk]>,
    layout: Layout,
    kernels: &'static Kernels,
}

impl RowStore {
    pub(super) fn new(dimension: usize) -> Self {
        Self { layout: Layout::of(dimension), chunks: RwLock::new(Arc::new([])), worst_error: AtomicU32::new(0) }
    }

    pub(super) fn layout(&self) -> Layout {
        self.layout
    }

    /// How far a vector is from what its code says, at most.
    pub(super) fn worst_error(&self) -> f32 {
        f32::from_bits(self.worst_error.load(Ordering::Acquire))
    }

    /// Notes the error of rows that were taken over.
    pub(super) fn note_error(&self, error: f32) {
        // Bits of floats that are not negative are in the order of the floats.
        self.worst_error.fetch_max(error.to_bits(), Ordering::AcqRel);
    }

    pub(super) fn rows(&self) -> Rows {
        Rows { chunks: read(&self.chunks).clone(), layout: self.layout, kernels: Kernels::best() }
    }

    /// Appends the row of a vector of half-precision values. Only one thread at a time may do this.
    ///
    /// # Errors
    /// The system has no memory for another chunk.
    pub(super) fn push(&self, values: &[f16]) -> io::Result<()> {
        let mut exact = vec![0f32; self.layout.stride];
        values.convert_to_f32_slice(&mut exact[..values.len()]);
        let mut codes = vec![0i8; self.layout.stride];
        let scale = quantise(&exact, &mut codes);
        self.note_error(code_error(&exact, &codes, scale));
        self.push_row(&codes, scale, values)
    }

    /// Appends a row of another store of the same layout.
    pub(super) fn copy(&self, from: &Rows, position: u32) -> io::Result<()> {
        self.push_row(from.codes(position), from.scale(position), from.values(position))
    }

    fn push_row(&self, codes: &[i8], scale: f32, values: &[f16]) -> io::Result<()> {
        let last = read(&self.chunks).last().cloned();
        if last.is_some_and(|last| last.push(codes, scale, values)) {
            return Ok(());
        }
        // Rows are found by their number, so that only full chunks may have others behind them.
        let fresh = Chunk::new(self.layout)?;
        fresh.push(codes, scale, values);
        self.adopt([fresh]);
        Ok(())
    }

    /// Takes chunks behind the others, all of which are full, as are these but for the last.
    pub(super) fn adopt(&self, fresh: impl IntoIterator<Item = Chunk>) {
        let mut chunks = write(&self.chunks);
        *chunks = chunks.iter().cloned().chain(fresh).collect();
    }

    /// Puts a chunk, whose rows are the same, in the place of another.
    pub(super) fn replace(&self, number: usize, chunk: Chunk) {
        let mut chunks = write(&self.chunks);
        let mut all = chunks.to_vec();
        all[number] = chunk;
        *chunks = all.into();
    }
}

impl Rows {
    pub(super) fn layout(&self) -> Layout {
        self.layout
    }

    pub(super) fn kernels(&self) -> &'static Kernels {
        self.kernels
    }

    pub(super) fn chunks(&self) -> &[Chunk] {
        &self.chunks
    }

    /// The code at a position.
    #[inline]
    pub(super) fn codes(&self, position: u32) -> &[i8] {
        let (chunk, row) = place(position);
        &self.chunks[chunk].codes.values()[row * self.layout.stride..][..self.layout.stride]
    }

    /// The scale of the code at a position.
    #[inline]
    pub(super) fn scale(&self, position: u32) -> f32 {
        let (chunk, row) = place(position);
        self.chunks[chunk].scales.values()[row]
    }

    /// The values at a position.
    #[inline]
    pub(super) fn values(&self, position: u32) -> &[f16] {
        let (chunk, row) = place(position);
        self.chunks[chunk].values(row, self.layout.dimension)
    }

    /// About the cosine of the angle between a code and the vector at a position, by the scale of the code.
    #[inline]
    pub(super) fn nearness(&self, codes: &[i8], position: u32) -> f32 {
        self.kernels.dot_codes(self.codes(position), codes) as f32 * self.scale(position)
    }

    /// About the cosine of the angle between two vectors.
    #[inline]
    pub(super) fn similarity(&self, a: u32, b: u32) -> f32 {
        self.nearness(self.codes(a), b) * self.scale(a)
    }

    /// The cosine of the angle between a query of unit length and the vector at a position, in [−1, 1]. The same two
    /// give the same bits, however they were found.
    #[inline]
    pub(super) fn cosine(&self, query: &[f32], position: u32) -> f32 {
        // Rounding takes dot products of unit vectors beyond 1; and −0 would be ranked apart from 0.
        (self.kernels.dot_halves(query, self.values(position)) + 0.0).clamp(-1.0, 1.0)
    }
}

/// A query, coded like a row.
pub(super) struct Code {
    pub(super) codes: Vec<i8>,
    pub(super) scale: f32,
}

impl Code {
    pub(super) fn of(query: &[f32], layout: Layout) -> Self {
        let mut padded = vec![0f32; layout.stride];
        padded[..query.len()].copy_from_slice(query);
        let mut codes = vec![0i8; layout.stride];
        let scale = quantise(&padded, &mut codes);
        Self { codes, scale }
    }

    /// How far the query is from what its code says.
    pub(super) fn error(&self, query: &[f32]) -> f32 {
        code_error(query, &self.codes, self.scale)
    }
}

fn code_error(values: &[f32], codes: &[i8], scale: f32) -> f32 {
    let difference = |(&value, &code): (&f32, &i8)| (value - f32::from(code) * scale).powi(2);
    values.iter().zip(codes).map(difference).sum::<f32>().sqrt()
}

fn place(position: u32) -> (usize, usize) {
    let position = position as usize;
    (position / CHUNK_ROWS, position % CHUNK_ROWS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn halves(seed: usize, dimension: usize) -> Vec<f16> {
        let value = |index: usize| ((seed * 31 + index) as f32 * 0.7).sin() / (dimension as f32 / 2.0).sqrt();
        (0..dimension).map(|index| f16::from_f32(value(index))).collect()
    }

    #[test]
    fn rows_are_found_by_their_number_across_chunks() {
        let store = RowStore::new(3);
        for seed in 0..CHUNK_ROWS + 2 {
            store.push(&halves(seed, 3)).unwrap();
        }
        let rows = store.rows();
        assert_eq!(rows.chunks().len(), 2);
        for seed in [0, 1, CHUNK_ROWS - 1, CHUNK_ROWS, CHUNK_ROWS + 1] {
            let position = u32::try_from(seed).unwrap();
            assert_eq!(rows.values(position), halves(seed, 3));
            assert_eq!((rows.codes(position).len(), &rows.codes(position)[3..6]), (64, &[0; 3][..]));
        }
    }

    #[test]
    fn codes_stand_for_values_within_the_error_that_is_told() {
        let (store, dimension) = (RowStore::new(100), 100);
        (0..50).for_each(|seed| store.push(&halves(seed, dimension)).unwrap());
        let (rows, error) = (store.rows(), store.worst_error());
        assert!(error > 0.0 && error < 0.02, "{error}");
        let query: Vec<f32> = halves(77, dimension).iter().map(|value| value.to_f32()).collect();
        let code = Code::of(&query, rows.layout());
        let most = error * 1.01 + code.error(&query) * 1.01 + 1e-4;
        for position in 0..50 {
            let exact = rows.cosine(&query, position);
            let near = rows.nearness(&code.codes, position) * code.scale;
            assert!((exact - near).abs() <= most, "{exact} {near}");
        }
        assert!((rows.similarity(3, 3) - 1.0).abs() < 0.02);
    }

    #[test]
    fn rows_taken_before_a_row_came_do_not_change() {
        let store = RowStore::new(8);
        store.push(&halves(1, 8)).unwrap();
        let before = store.rows();
        (0..CHUNK_ROWS).for_each(|seed| store.push(&halves(seed, 8)).unwrap());
        assert_eq!((before.chunks().len(), store.rows().chunks().len()), (1, 2));
        assert_eq!(before.values(0), store.rows().values(0));
    }
}
