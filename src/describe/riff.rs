//! What RIFF, RF64, BW64 and AIFF files say in their chunks.
//!
//! Owns which chunk is read by whom, and the texts of RIFF `LIST INFO`, of markers and of AIFF (Audio IFF 1.3, section
//! 4). Does not know where chunks begin and end, see [`super::chunks`].

use std::io::{Cursor, Read, Seek, SeekFrom};

use super::chunks::{ByteOrder, Chunk, walk};
use super::draft::{Draft, Role, Source};
use super::text::decode;
use super::{bext, id3, ixml, tags};

const LONGEST_CHUNK_BYTES: u64 = 1024 * 1024;
const LONGEST_IXML_BYTES: u64 = 4 * 1024 * 1024;

/// `RIFF`, the size of the whole, `WAVE`.
const HEADER_BYTES: usize = 12;

/// Reads the chunks of the file if it is of this family; `false` if it is not.
pub(super) fn read<R: Read + Seek>(content: &mut R, draft: &mut Draft) -> bool {
    let mut header = [0; HEADER_BYTES];
    let is_read = content.seek(SeekFrom::Start(0)).and_then(|_| content.read_exact(&mut header)).is_ok();
    let order = match (&header[..4], &header[8..]) {
        (b"RIFF" | b"RF64" | b"BW64", b"WAVE") if is_read => ByteOrder::Little,
        (b"FORM", b"AIFF" | b"AIFC") if is_read => ByteOrder::Big,
        _ => return false,
    };
    // The walk ends where the chunks do, whether that is the end of the file or not.
    let _ = walk(content, HEADER_BYTES as u64, order, |content, chunk| {
        let _ = read_chunk(content, chunk, order, draft);
    });
    true
}

/// `None` if the chunk cannot be read.
fn read_chunk<R: Read + Seek>(content: &mut R, chunk: Chunk, order: ByteOrder, draft: &mut Draft) -> Option<()> {
    match (&chunk.id, order) {
        (b"bext", _) => bext::read(&chunk.read(content, LONGEST_CHUNK_BYTES)?, draft),
        // A document that is cut is no document.
        (b"iXML", _) if chunk.size <= LONGEST_IXML_BYTES => ixml::read(&chunk.read(content, chunk.size)?, draft),
        (b"id3 " | b"ID3 ", _) if chunk.size <= id3::LARGEST_BYTES => {
            tags::read_id3(&chunk.read(content, chunk.size)?, draft);
        }
        (b"LIST", ByteOrder::Little) => list(&chunk.read(content, LONGEST_CHUNK_BYTES)?, draft),
        (b"NAME", ByteOrder::Big) => aiff(content, chunk, "aiff.name", Some(Role::Title), draft)?,
        (b"AUTH", ByteOrder::Big) => aiff(content, chunk, "aiff.author", Some(Role::Creator), draft)?,
        (b"ANNO", ByteOrder::Big) => aiff(content, chunk, "aiff.annotation", Some(Role::Text), draft)?,
        (b"(c) ", ByteOrder::Big) => aiff(content, chunk, "aiff.copyright", None, draft)?,
        (b"COMT", ByteOrder::Big) => aiff_comments(&chunk.read(content, LONGEST_CHUNK_BYTES)?, draft)?,
        _ => {}
    }
    Some(())
}

/// A `LIST` chunk: its type, then chunks.
fn list(bytes: &[u8], draft: &mut Draft) {
    let Some((kind, _)) = bytes.split_first_chunk::<4>() else { return };
    let mut each = |id: [u8; 4], data: Vec<u8>| match (kind, &id) {
        (b"INFO", _) => {
            let (name, role) = info(id);
            draft.note(Source::Info, &format!("info.{name}"), role, &decode(&data));
        }
        // Labels and notes of markers, which follow the marker's number.
        (b"adtl", b"labl" | b"note") => {
            draft.note(Source::Info, "cue.labels", None, &decode(data.get(4..).unwrap_or_default()));
        }
        _ => {}
    };
    let _ = walk(&mut Cursor::new(bytes), kind.len() as u64, ByteOrder::Little, |bytes, chunk| {
        if let Some(data) = chunk.read(bytes, LONGEST_CHUNK_BYTES) {
            each(chunk.id, data);
        }
    });
}

/// Readable name and role of a text in `LIST INFO` (Multimedia Programming Interface and Data Specifications 1.0).
fn info(id: [u8; 4]) -> (String, Option<Role>) {
    let (name, role) = match &id {
        b"INAM" | b"TITL" => ("title", Some(Role::Title)),
        b"ICMT" => ("comment", Some(Role::Text)),
        b"ISBJ" => ("subject", Some(Role::Text)),
        b"IART" => ("artist", Some(Role::Creator)),
        b"IKEY" => ("keywords", Some(Role::Keywords)),
        b"IGNR" => ("genre", Some(Role::Keywords)),
        b"IARL" => ("archival_location", None),
        b"ICOP" => ("copyright", None),
        b"ICRD" => ("date", None),
        b"IENG" => ("engineer", None),
        b"ILNG" => ("language", None),
        b"IMED" => ("medium", None),
        b"IPRD" => ("product", None),
        b"ISFT" => ("software", None),
        b"ISRC" => ("source", None),
        b"ISRF" => ("source_form", None),
        b"ITCH" => ("technician", None),
        b"ITRK" | b"IPRT" => ("track", None),
        _ => return (decode(&id).to_ascii_lowercase(), None),
    };
    (name.to_owned(), role)
}

fn aiff<R: Read + Seek>(
    content: &mut R,
    chunk: Chunk,
    name: &str,
    role: Option<Role>,
    draft: &mut Draft,
) -> Option<()> {
    draft.note(Source::Info, name, role, &decode(&chunk.read(content, LONGEST_CHUNK_BYTES)?));
    Some(())
}

/// Their number, and for each its date, its marker, its length and text of even length.
fn aiff_comments(bytes: &[u8], draft: &mut Draft) -> Option<()> {
    let (count, mut rest) = bytes.split_first_chunk()?;
    for _ in 0..u16::from_be_bytes(*count) {
        let (head, tail) = rest.split_first_chunk::<8>()?;
        let length = usize::from(u16::from_be_bytes([head[6], head[7]]));
        let text = &tail[..length.min(tail.len())];
        draft.note(Source::Info, "aiff.comment", Some(Role::Text), &decode(text));
        rest = tail.get(length + length % 2..)?;
    }
    Some(())
}
