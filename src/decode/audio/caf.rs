//! Where the chunks of a CAF file end.
//!
//! The demuxer goes on until the last byte, but libsndfile appends a filler byte to data of odd length, which no chunk
//! accounts for.

use std::io;

use super::source::Source;

/// Chunks looked at; real files have about five.
const MAX_CHUNKS: usize = 4096;

/// The end of the last whole chunk, if `source` is a CAF file with less than a chunk header after it.
pub(super) fn read_end(source: &mut Source) -> io::Result<Option<u64>> {
    const FILE_HEADER_BYTES: u64 = 8;
    const CHUNK_HEADER_BYTES: u64 = 12;
    if source.array_at::<4>(0)? != Some(*b"caff") {
        return Ok(None);
    }
    let mut position = FILE_HEADER_BYTES;
    for _ in 0..MAX_CHUNKS {
        let Some(header) = source.array_at::<12>(position)? else { return Ok(Some(position)) };
        let (_, size) = header.split_at(4);
        let size = size.try_into().map(i64::from_be_bytes).expect("eight of twelve bytes are left");
        // Data of unknown size runs to the end of the file; a size beyond that is for the demuxer to complain about.
        let end = u64::try_from(size).ok().and_then(|size| size.checked_add(position + CHUNK_HEADER_BYTES));
        match end.filter(|&end| end <= source.len()) {
            Some(end) => position = end,
            None => return Ok(None),
        }
    }
    Ok(None)
}
