//! ID3v2 tags made harmless before others parse them (ID3v2.2, 2.3 and 2.4: header and frame structure).
//!
//! Frames may be compressed a thousandfold, and the parser of tags believes them: an 0.8 MB file took 2.5 GB. Owns the
//! walk over frames. Invariant: a tag made here has texts and addresses only, none of them compressed, encrypted or
//! nested, and is no larger than the one it is made from.

use std::io::{Read, Seek, SeekFrom};

/// The largest tag that is read; pictures may take most of it.
pub(super) const LARGEST_BYTES: u64 = 16 * 1024 * 1024;
const HEADER_BYTES: usize = 10;
/// Files with more tags at their start, one behind the other, are made by nobody.
const MOST_TAGS: usize = 8;

/// The tags at the start, made harmless, and where they end.
pub(super) fn leading<R: Read + Seek>(content: &mut R) -> Option<(Vec<Vec<u8>>, u64)> {
    let (mut tags, mut end) = (Vec::new(), 0);
    while tags.len() < MOST_TAGS {
        let mut tag = vec![0; HEADER_BYTES];
        content.seek(SeekFrom::Start(end)).ok()?;
        let Some(size) = content.read_exact(&mut tag).ok().and_then(|()| size(&tag)) else { break };
        content.take(size.min(LARGEST_BYTES)).read_to_end(&mut tag).ok()?;
        tags.extend(harmless(&tag));
        let footer = if tag[3] == 4 && tag[5] & 0x10 != 0 { HEADER_BYTES } else { 0 };
        end += size + (HEADER_BYTES + footer) as u64;
    }
    Some((tags, end))
}

/// The size behind the header of a tag.
fn size(tag: &[u8]) -> Option<u64> {
    let size = tag.strip_prefix(b"ID3")?.get(3..7)?.first_chunk()?;
    Some(synchsafe(*size) as u64)
}

/// The tag without anything but plain texts; `None` if it is none or has none.
pub(super) fn harmless(tag: &[u8]) -> Option<Vec<u8>> {
    let length = usize::try_from(size(tag)?).ok()?;
    let (version, flags) = (tag[3], tag[5]);
    let body = &tag[HEADER_BYTES..];
    let body = &body[..length.min(body.len())];
    let is_unsynchronised = flags & 0x80 != 0;
    let body = if is_unsynchronised && version < 4 { synchronised(body) } else { body.to_vec() };
    let has_extended_header = version > 2 && flags & 0x40 != 0;
    let mut rest = if has_extended_header { behind_extended_header(&body, version)? } else { &body };
    // In 2.2 the same bit says that all of it is compressed, in a way that was never defined.
    if !(2..=4).contains(&version) || version == 2 && flags & 0x40 != 0 {
        return None;
    }
    let mut frames = Vec::new();
    while let Some((frame, tail)) = Frame::read(rest, version) {
        rest = tail;
        if let Some(data) = frame.plain(is_unsynchronised) {
            frames.extend(frame.header(data.len()));
            frames.extend(data);
        }
    }
    let header = [b"ID3", &[version, 0, 0][..], &to_synchsafe(frames.len())].concat();
    (!frames.is_empty()).then(|| [header, frames].concat())
}

fn behind_extended_header(body: &[u8], version: u8) -> Option<&[u8]> {
    let size = *body.first_chunk()?;
    // Only in 2.4 does the size count itself.
    let length = if version == 4 { synchsafe(size) } else { u32::from_be_bytes(size) as usize + 4 };
    body.get(length..)
}

struct Frame<'a> {
    version: u8,
    id: &'a [u8],
    flags: u8,
    data: &'a [u8],
}

impl<'a> Frame<'a> {
    /// The next frame, and what is behind it; `None` at padding or where there is no frame.
    fn read(bytes: &'a [u8], version: u8) -> Option<(Self, &'a [u8])> {
        let (id, size, flags, rest) = if version == 2 {
            let ([a, b, c], rest) = bytes.get(3..)?.split_first_chunk()?;
            (&bytes[..3], u32::from_be_bytes([0, *a, *b, *c]) as usize, 0, rest)
        } else {
            let (size, rest) = bytes.get(4..)?.split_first_chunk()?;
            let is_synchsafe = version == 4 && size.iter().all(|byte| *byte < 0x80);
            let length = if is_synchsafe { synchsafe(*size) } else { u32::from_be_bytes(*size) as usize };
            (&bytes[..4], length, *rest.get(1)?, &rest[2..])
        };
        let is_id = id.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        let (data, tail) = rest.split_at_checked(size)?;
        is_id.then_some((Self { version, id, flags, data }, tail))
    }

    /// Its data, if they are a text or an address and written plainly.
    fn plain(&self, is_unsynchronised: bool) -> Option<Vec<u8>> {
        let (opaque, group, length, unsynchronised) = match self.version {
            2 => (0, 0, 0, 0),
            3 => (0x80 | 0x40, 0x20, 0, 0),
            _ => (0x08 | 0x04, 0x40, 0x01, 0x02),
        };
        let is_text = matches!(self.id, [b'T' | b'W', ..] | b"COMM" | b"COM" | b"USLT" | b"ULT" | b"GRP1");
        if !is_text || self.flags & opaque != 0 {
            return None;
        }
        let before = usize::from(self.flags & group != 0) + 4 * usize::from(self.flags & length != 0);
        let data = self.data.get(before..).filter(|data| !data.is_empty())?;
        let is_unsynchronised = self.version == 4 && (is_unsynchronised || self.flags & unsynchronised != 0);
        Some(if is_unsynchronised { synchronised(data) } else { data.to_vec() })
    }

    /// A header without flags.
    fn header(&self, length: usize) -> Vec<u8> {
        let size = if self.version == 4 { to_synchsafe(length) } else { (length as u32).to_be_bytes() };
        match self.version {
            2 => [self.id, &size[1..]].concat(),
            _ => [self.id, &size, &[0, 0]].concat(),
        }
    }
}

/// Without the zeros that keep 0xff from looking like the start of sound.
fn synchronised(bytes: &[u8]) -> Vec<u8> {
    let is_kept = |at: &usize| bytes[*at] != 0 || *at == 0 || bytes[at - 1] != 0xff;
    (0..bytes.len()).filter(is_kept).map(|at| bytes[at]).collect()
}

/// Seven bits a byte.
fn synchsafe(bytes: [u8; 4]) -> usize {
    bytes.iter().fold(0, |number, byte| number << 7 | usize::from(byte & 0x7f))
}

fn to_synchsafe(number: usize) -> [u8; 4] {
    // Masked to seven bits.
    [21, 14, 7, 0].map(|shift| (number >> shift & 0x7f) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(version: u8, flags: u8, frames: &[u8], expected: Option<&[u8]>) {
        let tag =
            |flags, frames: &[u8]| [b"ID3", &[version, 0, flags][..], &to_synchsafe(frames.len()), frames].concat();
        assert_eq!(harmless(&tag(flags, frames)), expected.map(|frames| tag(0, frames)));
    }

    #[test]
    fn plain_texts_stay_and_all_else_goes() {
        let text = b"TIT2\0\0\0\x02\0\0\0a";
        for version in [3, 4] {
            check(version, 0, text, Some(text));
            check(version, 0, &[&text[..], b"APIC\0\0\0\x02\0\0\0a", &[0; 20]].concat(), Some(text));
        }
        check(2, 0, b"TT2\0\0\x02\0a", Some(b"TT2\0\0\x02\0a"));
        check(2, 0x40, b"TT2\0\0\x02\0a", None);
        check(5, 0, text, None);
        // Compressed, encrypted.
        check(3, 0, b"TIT2\0\0\0\x02\0\x80\0a", None);
        check(3, 0, b"TIT2\0\0\0\x02\0\x40\0a", None);
        check(4, 0, b"TIT2\0\0\0\x02\0\x08\0a", None);
        check(4, 0, b"TIT2\0\0\0\x02\0\x04\0a", None);
        // Group and length before the text; zeros to keep out of the decoder's way.
        check(3, 0, b"TIT2\0\0\0\x03\0\x20g\0a", Some(text));
        check(4, 0, b"TIT2\0\0\0\x07\0\x41g\0\0\0\x02\0a", Some(text));
        check(4, 0, b"TIT2\0\0\0\x03\0\x02\0\xff\0", Some(b"TIT2\0\0\0\x02\0\0\0\xff"));
        check(3, 0x80, b"TIT2\0\0\0\x02\0\0\0\xff\0", Some(b"TIT2\0\0\0\x02\0\0\0\xff"));
        // Behind an extended header.
        check(3, 0x40, &[&b"\0\0\0\x06\0\0\0\0\0\0"[..], text].concat(), Some(text));
        check(4, 0x40, &[&b"\0\0\0\x06\x01\0"[..], text].concat(), Some(text));
        check(4, 0x40, b"\x7f\0\0\0", None);
        check(4, 0, b"TIT2\x7f\0\0\0\0\0\0a", None);
    }
}
