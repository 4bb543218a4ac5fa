//! Files of vectors and of slots, as the Python side writes them: little-endian, nothing but the values.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use earmark::embedding::Embedding;
use earmark::library::Slot;

/// Values of a vector, everywhere in this comparison.
pub(super) const DIMENSION: usize = 1_024;
const BYTES_A_VECTOR: usize = DIMENSION * size_of::<f32>();
const BUFFER_BYTES: usize = 256 * BYTES_A_VECTOR;
/// Stands for a neighbour that was not found.
const NOBODY: u32 = u32::MAX;

/// `count` vectors of a file, without the first `skip`, one after the other so that they take no memory.
pub(super) fn vectors(path: &Path, skip: usize, count: usize) -> impl Iterator<Item = Embedding> {
    let mut file = File::open(path).expect("the vectors have been written");
    let begin = u64::try_from(skip * BYTES_A_VECTOR).expect("a file is that long");
    file.seek(SeekFrom::Start(begin)).expect("files can be sought in");
    let mut reader = BufReader::with_capacity(BUFFER_BYTES, file);
    let mut bytes = [0; BYTES_A_VECTOR];
    (0..count).map(move |_| {
        reader.read_exact(&mut bytes).expect("the file has so many vectors");
        let values: Vec<f32> = words(&bytes).map(f32::from_le_bytes).collect();
        Embedding::normalized(&values).expect("a made vector has a direction")
    })
}

/// All vectors of a file, in memory.
pub(super) fn all_vectors(path: &Path) -> Vec<Embedding> {
    let bytes = path.metadata().expect("the vectors have been written").len();
    let count = usize::try_from(bytes).expect("it fits into memory") / BYTES_A_VECTOR;
    vectors(path, 0, count).collect()
}

/// All slots of a file.
pub(super) fn slots(path: &Path) -> Vec<Slot> {
    let bytes = std::fs::read(path).expect("the slots have been written");
    words(&bytes).map(|word| Slot(u32::from_le_bytes(word))).collect()
}

/// Writes rows of `width` slots; shorter ones are filled up.
pub(super) fn write_slots(path: &Path, rows: &[Vec<Slot>], width: usize) {
    let mut writer = BufWriter::new(File::create(path).expect("there is room"));
    for row in rows {
        let numbers = row.iter().map(|slot| slot.0).chain(std::iter::repeat(NOBODY));
        for number in numbers.take(width) {
            writer.write_all(&number.to_le_bytes()).expect("there is room");
        }
    }
    writer.flush().expect("there is room");
}

fn words(bytes: &[u8]) -> impl Iterator<Item = [u8; 4]> + '_ {
    bytes.as_chunks::<4>().0.iter().copied()
}
