//! Where JPEG, PNG, WebP and TIFF files keep what is written about them.
//!
//! Owns segments and chunks up to the pixels; what is in them is read by others. Invariant: bounded in number and size.

use std::io::{Read, Seek, SeekFrom};

use super::chunks::{ByteOrder, walk};
use super::draft::{Draft, Role, Source};
use super::text::{decode, latin1};
use super::{iptc, photograph, tiff, xmp};

const SIGNATURE_BYTES: u64 = 12;
const LARGEST_BLOCK_BYTES: u64 = 1024 * 1024;
const MOST_SEGMENTS: usize = 1024;
/// A picture of a gigabyte in pieces of 8 KiB.
const MOST_PNG_CHUNKS: usize = 131_072;

const EXIF_PREFIX: &[u8] = b"Exif\0\0";
const XMP_PREFIX: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
const PHOTOSHOP_PREFIX: &[u8] = b"Photoshop 3.0\0";

/// Notes what is written in the picture.
pub(super) fn read<R: Read + Seek>(content: &mut R, draft: &mut Draft) {
    let mut signature = Vec::new();
    let is_read =
        content.rewind().and_then(|()| content.by_ref().take(SIGNATURE_BYTES).read_to_end(&mut signature)).is_ok();
    // Each of them ends where the file stops making sense.
    let _ = match signature.as_slice() {
        _ if !is_read => None,
        [0xff, 0xd8, 0xff, ..] => jpeg(content, draft),
        [0x89, b'P', b'N', b'G', ..] => png(content, draft),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P'] => webp(content, draft),
        [b'I', b'I', b'*', 0, ..] | [b'M', b'M', 0, b'*', ..] => tiff::read(content).map(|metadata| {
            iptc::read(&metadata.iptc, draft);
            xmp::read(&metadata.xmp, draft);
            photograph::read(metadata.exif, draft);
        }),
        _ => None,
    };
}

fn exif(block: &[u8], draft: &mut Draft) {
    photograph::read(block.strip_prefix(EXIF_PREFIX).unwrap_or(block).to_vec(), draft);
}

fn webp<R: Read + Seek>(content: &mut R, draft: &mut Draft) -> Option<()> {
    walk(content, SIGNATURE_BYTES, ByteOrder::Little, |content, chunk| {
        let mut block = || chunk.read(content, LARGEST_BLOCK_BYTES).unwrap_or_default();
        match &chunk.id {
            b"EXIF" => exif(&block(), draft),
            b"XMP " => xmp::read(&block(), draft),
            _ => {}
        }
    })
}

/// The marker segments before the first scan (ITU-T T.81, annex B).
fn jpeg<R: Read + Seek>(content: &mut R, draft: &mut Draft) -> Option<()> {
    const APP1: u8 = 0xe1;
    const APP13: u8 = 0xed;
    const COMMENT: u8 = 0xfe;
    let mut photoshop = Vec::new();
    content.seek(SeekFrom::Start(2)).ok()?;
    for _ in 0..MOST_SEGMENTS {
        let Some((marker, segment)) = jpeg_segment(content, |marker| matches!(marker, APP1 | APP13 | COMMENT)) else {
            break;
        };
        match marker {
            APP1 if segment.starts_with(EXIF_PREFIX) => exif(&segment, draft),
            APP1 => {
                if let Some(packet) = segment.strip_prefix(XMP_PREFIX) {
                    xmp::read(packet, draft);
                }
            }
            // Resources may go on in the next segment.
            APP13 if photoshop.len() as u64 <= LARGEST_BLOCK_BYTES => {
                photoshop.extend(segment.strip_prefix(PHOTOSHOP_PREFIX).unwrap_or_default());
            }
            COMMENT => draft.note(Source::Picture, "jpeg.comment", Some(Role::Text), &decode(&segment)),
            _ => {}
        }
    }
    iptc::read_resources(&photoshop, draft);
    Some(())
}

/// The next segment, empty unless wanted; `None` at the first scan or where there is no segment.
fn jpeg_segment<R: Read + Seek>(content: &mut R, is_wanted: impl Fn(u8) -> bool) -> Option<(u8, Vec<u8>)> {
    const END: u8 = 0xd9;
    const SCAN: u8 = 0xda;
    let mut head = [0; 2];
    content.read_exact(&mut head).ok()?;
    // Any number of fill bytes may stand before a marker; more than a few would be a burden.
    for _ in 0..64 {
        if head != [0xff, 0xff] {
            break;
        }
        content.read_exact(&mut head[1..]).ok()?;
    }
    let [0xff, marker] = head else { return None };
    if matches!(marker, 0 | END | SCAN | 0xff) {
        return None;
    }
    // Restart markers and TEM stand alone.
    if matches!(marker, 0x01 | 0xd0..=0xd7) {
        return Some((marker, Vec::new()));
    }
    content.read_exact(&mut head).ok()?;
    let length = u16::from_be_bytes(head).checked_sub(2)?;
    let mut segment = Vec::new();
    if is_wanted(marker) {
        content.by_ref().take(length.into()).read_to_end(&mut segment).ok()?;
    } else {
        content.seek_relative(length.into()).ok()?;
    }
    Some((marker, segment))
}

/// The chunks of a PNG file, which may have text before and after the pixels (PNG specification, section 11.3.3).
fn png<R: Read + Seek>(content: &mut R, draft: &mut Draft) -> Option<()> {
    content.seek(SeekFrom::Start(8)).ok()?;
    for _ in 0..MOST_PNG_CHUNKS {
        let mut head = [0; 8];
        content.read_exact(&mut head).ok()?;
        let [a, b, c, d, kind @ ..] = head;
        let length = u32::from_be_bytes([a, b, c, d]);
        let is_wanted = matches!(&kind, b"eXIf" | b"tEXt" | b"iTXt") && u64::from(length) <= LARGEST_BLOCK_BYTES;
        let mut chunk = Vec::new();
        if is_wanted {
            content.by_ref().take(length.into()).read_to_end(&mut chunk).ok()?;
        } else {
            content.seek_relative(length.into()).ok()?;
        }
        match &kind {
            b"eXIf" => exif(&chunk, draft),
            b"tEXt" => png_text(&chunk, draft),
            b"iTXt" => png_international_text(&chunk, draft),
            b"IEND" => return Some(()),
            _ => {}
        }
        // The checksum.
        content.seek_relative(4).ok()?;
    }
    None
}

/// Keyword, NUL, text in Latin-1.
fn png_text(chunk: &[u8], draft: &mut Draft) {
    let end = chunk.iter().position(|byte| *byte == 0).unwrap_or(chunk.len());
    note_png(&latin1(&chunk[..end]), &latin1(chunk.get(end + 1..).unwrap_or_default()), draft);
}

/// Keyword, NUL, whether it is compressed and how, language, NUL, keyword in it, NUL, text in UTF-8.
fn png_international_text(chunk: &[u8], draft: &mut Draft) {
    let mut parts = chunk.splitn(2, |byte| *byte == 0);
    let (Some(keyword), Some([0, _, rest @ ..])) = (parts.next(), parts.next()) else { return };
    let Some(text) = rest.splitn(3, |byte| *byte == 0).nth(2) else { return };
    if keyword == b"XML:com.adobe.xmp" {
        xmp::read(text, draft);
    } else {
        note_png(&latin1(keyword), &decode(text), draft);
    }
}

fn note_png(keyword: &str, text: &str, draft: &mut Draft) {
    let keyword = keyword.to_lowercase();
    let role = match keyword.as_str() {
        "title" => Some(Role::Title),
        "description" | "comment" => Some(Role::Text),
        "author" => Some(Role::Creator),
        _ => None,
    };
    draft.note(Source::Picture, &format!("png.{keyword}"), role, text);
}
