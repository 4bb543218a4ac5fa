//! The file of a chunk of rows, `rows-K`: codes, scales, slots, digests, whether silent, and values.
//!
//! One row takes `stride + 2 · dimension + 17` bytes. Invariant: a full chunk never changes, so that its file may
//! belong to several snapshots. Does not know which rows are removed: slots tell.

use std::path::Path;
use std::sync::Arc;

use half::f16;

use super::SnapshotError;
use super::files::{self, Reader, Writer};
use super::manifest::FileSeal;
use crate::index::arena::Arena;
use crate::index::memory::{Column, MappedFile};
use crate::index::rows::{CHUNK_ROWS, Chunk, Layout};

const KIND: [u8; 8] = *b"EMK-ROWS";

pub(super) fn name(number: usize) -> String {
    format!("rows-{number}")
}

/// Where the sections of a file of `rows` rows are, and where it ends.
fn places(layout: Layout, rows: usize) -> ([u64; 6], u64) {
    let bytes = |each: usize| rows as u64 * each as u64;
    let [number, digest, half] = [size_of::<u32>(), size_of::<u64>(), size_of::<f16>()];
    files::places([
        bytes(layout.stride),
        bytes(number),
        bytes(number),
        bytes(digest),
        bytes(1),
        bytes(layout.dimension) * half as u64,
    ])
}

/// The length of a file of `rows` rows.
pub(super) fn file_bytes(layout: Layout, rows: usize) -> u64 {
    places(layout, rows).1
}

fn header(layout: Layout, number: usize, rows: usize) -> [u8; files::ALIGNMENT] {
    let numbers = [layout.dimension, layout.stride, number, rows];
    files::header(KIND, &numbers.map(|number| u32::try_from(number).unwrap_or(u32::MAX)))
}

/// Writes the first `rows` rows of a chunk.
pub(super) fn write(
    directory: &Path,
    arena: &Arena,
    layout: Layout,
    (number, chunk): (usize, &Chunk),
    rows: usize,
) -> Result<FileSeal, SnapshotError> {
    let name = name(number);
    let first = (number * CHUNK_ROWS) as u32;
    let entries = || (first..).take(rows).filter_map(|position| arena.entry(position));
    let mut writer = Writer::create(directory.join(&name), header(layout, number, rows))?;
    writer.section(&chunk.codes()[..rows * layout.stride])?;
    writer.section(&chunk.scales()[..rows])?;
    writer.section(&entries().map(|entry| entry.slot.0).collect::<Vec<u32>>())?;
    writer.section(&entries().map(|entry| entry.digest).collect::<Vec<u64>>())?;
    writer.section(&entries().map(|entry| u8::from(entry.silent)).collect::<Vec<u8>>())?;
    writer.section(chunk.values_of(0, rows, layout.dimension))?;
    writer.finish(&name)
}

/// A chunk with what is known of its rows.
pub(super) struct Loaded {
    pub(super) chunk: Chunk,
    pub(super) slots: Vec<u32>,
    pub(super) digests: Vec<u64>,
    pub(super) silent: Vec<u8>,
}

/// Reads the file of a chunk. If that is full, its values stay there.
///
/// # Errors
/// The text says why it cannot be used.
pub(super) fn read(
    directory: &Path,
    seal: &FileSeal,
    layout: Layout,
    number: usize,
    rows: usize,
) -> Result<Loaded, String> {
    let told = |error: std::io::Error| format!("{}: {error}", seal.name);
    let nonsense = |what: &str| Err(format!("{}: {what}", seal.name));
    let mut codes = Column::<i8>::zeros(rows * layout.stride, CHUNK_ROWS * layout.stride).map_err(told)?;
    let mut scales = Column::<f32>::zeros(rows, CHUNK_ROWS).map_err(told)?;
    let (mut slots, mut digests, mut silent) = (vec![0u32; rows], vec![0u64; rows], vec![0u8; rows]);
    let mut reader = Reader::open(directory, seal)?;
    let mut got = [0u8; files::ALIGNMENT];
    reader.read(&mut got)?;
    reader.section(codes.values_mut())?;
    reader.section(scales.values_mut())?;
    reader.section(&mut slots)?;
    reader.section(&mut digests)?;
    reader.section(&mut silent)?;
    let (values, finite) = read_values(&mut reader, layout, rows).map_err(|error| match error {
        Failure::Memory(error) => told(error),
        Failure::File(reason) => reason,
    })?;
    reader.finish()?;
    if got != header(layout, number, rows) {
        return nonsense("its header is not that of these rows");
    }
    let scales_fit = scales.values().iter().all(|scale| scale.is_finite() && !scale.is_sign_negative());
    if !finite || !scales_fit || any(codes.values(), |code| code == i8::MIN) || any(&silent, |flag| flag > 1) {
        return nonsense("has what no vector has");
    }
    let chunk = match values {
        Some(values) => Chunk::loaded(codes, scales, values),
        None => Chunk::mapped(codes, scales, map(directory, &seal.name, layout).map_err(told)?, values_at(layout)),
    };
    Ok(Loaded { chunk, slots, digests, silent })
}

/// Maps the file of a full chunk.
pub(super) fn map(directory: &Path, name: &str, layout: Layout) -> std::io::Result<Arc<MappedFile>> {
    let file = MappedFile::open(&directory.join(name))?;
    // Whoever reads values relies on it.
    match file.numbers::<f16>(values_at(layout), CHUNK_ROWS * layout.dimension) {
        Some(_) => Ok(Arc::new(file)),
        None => Err(std::io::ErrorKind::UnexpectedEof.into()),
    }
}

/// Where values begin in the file of a full chunk.
pub(super) fn values_at(layout: Layout) -> usize {
    places(layout, CHUNK_ROWS).0[5] as usize
}

enum Failure {
    Memory(std::io::Error),
    File(String),
}

/// Reads the values of `rows` rows, and keeps them if they are not those of a full chunk. The second value says whether
/// all of them are finite.
fn read_values(reader: &mut Reader<'_>, layout: Layout, rows: usize) -> Result<(Option<Column<f16>>, bool), Failure> {
    let finite = |values: &[f16]| !any(values, |value| value.to_bits() & 0x7c00 == 0x7c00);
    if rows < CHUNK_ROWS {
        let values = Column::zeros(rows * layout.dimension, CHUNK_ROWS * layout.dimension);
        let mut values = values.map_err(Failure::Memory)?;
        reader.section(values.values_mut()).map_err(Failure::File)?;
        let finite = finite(values.values());
        return Ok((Some(values), finite));
    }
    let mut all_finite = true;
    let mut left = rows * layout.dimension;
    let mut values = vec![f16::ZERO; files::PIECE / size_of::<f16>()];
    // Nothing, but where the section begins.
    reader.section::<f16>(&mut []).map_err(Failure::File)?;
    while left > 0 {
        let piece = (reader.until_boundary() / size_of::<f16>()).min(left);
        reader.read(&mut values[..piece]).map_err(Failure::File)?;
        all_finite &= finite(&values[..piece]);
        left -= piece;
    }
    Ok((None, all_finite))
}

/// Whether any is `wrong`, without looking away at the first: many are compared at once.
fn any<T: Copy>(numbers: &[T], wrong: impl Fn(T) -> bool) -> bool {
    numbers.chunks(4_096).any(|numbers| numbers.iter().fold(false, |any, &number| any | wrong(number)))
}
