//! The chunks of RIFF, RF64, BW64 and IFF files, before and after the sound.
//!
//! Owns ids, sizes and padding. Invariant: sizes are only believed as far as there are bytes, nothing is allocated that
//! is not read, and a walk ends after a bounded number of chunks.

use std::io::{Read, Seek, SeekFrom};

/// Files of editors have dozens, those with many markers hundreds.
const MOST_CHUNKS: usize = 4096;
/// In RF64, the size of a chunk that is given in `ds64`.
const SIZE_IS_ELSEWHERE: u64 = 0xffff_ffff;

/// How numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ByteOrder {
    Little,
    Big,
}

/// One chunk's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chunk {
    pub(super) id: [u8; 4],
    /// Position of its content.
    start: u64,
    /// As far as there are bytes.
    pub(super) size: u64,
}

impl Chunk {
    /// Its content, but not more than `most` bytes of it; `None` if it cannot be read.
    pub(super) fn read<R: Read + Seek>(&self, content: &mut R, most: u64) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        content.seek(SeekFrom::Start(self.start)).ok()?;
        content.take(self.size.min(most)).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }
}

/// Visits the chunks from `start` on, until the content ends or makes no sense.
///
/// The size of the whole, which stands before the first chunk, is often wrong and is not asked for.
pub(super) fn walk<R: Read + Seek>(
    content: &mut R,
    start: u64,
    order: ByteOrder,
    mut visit: impl FnMut(&mut R, Chunk),
) -> Option<()> {
    let end = content.seek(SeekFrom::End(0)).ok()?;
    let mut position = start;
    let mut size_of_data = None;
    for _ in 0..MOST_CHUNKS {
        let (id, mut size) = header(content, position, order)?;
        let start = position + 8;
        if id == *b"data" && size == SIZE_IS_ELSEWHERE {
            size = size_of_data.unwrap_or(size);
        }
        let chunk = Chunk { id, start, size: size.min(end.saturating_sub(start)) };
        if id == *b"ds64" {
            // EBU Tech 3306: the size of the whole, then that of `data`.
            let sizes = chunk.read(content, 16)?;
            size_of_data = sizes.get(8..).and_then(<[u8]>::first_chunk).map(|size| u64::from_le_bytes(*size));
        }
        visit(content, chunk);
        position = start.checked_add(size)?;
        if size % 2 == 1 && !starts_chunk(content, position, order) {
            position += 1;
        }
    }
    None
}

fn header<R: Read + Seek>(content: &mut R, position: u64, order: ByteOrder) -> Option<([u8; 4], u64)> {
    let mut header = [0; 8];
    content.seek(SeekFrom::Start(position)).ok()?;
    content.read_exact(&mut header).ok()?;
    let [i, d, e, x, size @ ..] = header;
    let id = [i, d, e, x];
    let size = match order {
        ByteOrder::Little => u32::from_le_bytes(size),
        ByteOrder::Big => u32::from_be_bytes(size),
    };
    id.iter().all(|byte| (0x20..0x7f).contains(byte)).then_some((id, size.into()))
}

/// Whether a chunk that is known starts here: some writers forget to pad the one before to an even size.
fn starts_chunk<R: Read + Seek>(content: &mut R, position: u64, order: ByteOrder) -> bool {
    const KNOWN: [[u8; 4]; 12] = [
        *b"data", *b"bext", *b"iXML", *b"LIST", *b"fmt ", *b"fact", *b"id3 ", *b"ID3 ", *b"cue ", *b"smpl", *b"SSND",
        *b"COMM",
    ];
    header(content, position, order).is_some_and(|(id, _)| KNOWN.contains(&id))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], order: ByteOrder, expected: &[(&[u8; 4], &[u8])]) {
        let mut found = Vec::new();
        walk(&mut Cursor::new(bytes), 0, order, |content, chunk| {
            found.push((chunk.id, chunk.read(content, 100).unwrap()));
        });
        let expected: Vec<([u8; 4], Vec<u8>)> = expected.iter().map(|(id, data)| (**id, data.to_vec())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn chunks_are_found_whatever_their_sizes_claim() {
        check(b"abcd\x01\0\0\0X\0efgh\x02\0\0\0YZ", ByteOrder::Little, &[(b"abcd", b"X"), (b"efgh", b"YZ")]);
        check(b"abcd\0\0\0\x01X\0efgh\0\0\0\x02YZ", ByteOrder::Big, &[(b"abcd", b"X"), (b"efgh", b"YZ")]);
        check(b"abcd\x01\0\0\0Xbext\x01\0\0\0Y", ByteOrder::Little, &[(b"abcd", b"X"), (b"bext", b"Y")]);
        check(b"abcd\xff\xff\xff\xffXY", ByteOrder::Little, &[(b"abcd", b"XY")]);
        check(b"abcd\x00\0\0\0\0\0\0\0\0\0\0\0", ByteOrder::Little, &[(b"abcd", b"")]);
        check(b"abcd\x00\0\0", ByteOrder::Little, &[]);
    }

    #[test]
    fn rf64_gives_the_size_of_the_sound_elsewhere() {
        let mut file = b"ds64\x10\0\0\0".to_vec();
        file.extend(99_u64.to_le_bytes());
        file.extend(3_u64.to_le_bytes());
        let ds64 = file[8..].to_vec();
        file.extend(b"data\xff\xff\xff\xffXYZ\0bext\x01\0\0\0B");
        check(&file, ByteOrder::Little, &[(b"ds64", &ds64), (b"data", b"XYZ"), (b"bext", b"B")]);
    }

    #[test]
    fn there_is_an_end_to_it() {
        let many = b"abcd\0\0\0\0".repeat(MOST_CHUNKS + 10);
        let mut count = 0;
        walk(&mut Cursor::new(many), 0, ByteOrder::Little, |_, _| count += 1);
        assert_eq!(count, MOST_CHUNKS);
    }
}
