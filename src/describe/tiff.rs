//! The metadata of a TIFF file, without the file (TIFF 6.0, section 2).
//!
//! Directories lie anywhere, also behind gigabytes of pixels. Owns finding them and making a small TIFF structure of
//! what is wanted of them. Invariant: reads and keeps bounded amounts, whatever offsets and counts claim.

use std::io::{Read, Seek, SeekFrom};

const MOST_ENTRIES: u16 = 1024;
const ENTRY_BYTES: usize = 12;
const LARGEST_VALUE_BYTES: u64 = 64 * 1024;
const LARGEST_BLOCK_BYTES: u64 = 1024 * 1024;

const XMP: u16 = 0x02bc;
const IPTC: u16 = 0x83bb;
const EXIF_DIRECTORY: u16 = 0x8769;
const GPS_DIRECTORY: u16 = 0x8825;
/// `MakerNote` is large and read by nobody.
const MAKER_NOTE: u16 = 0x927c;

/// What a TIFF file says about itself.
pub(super) struct Metadata {
    /// A TIFF structure of the small values in the first directory and those of EXIF and GPS.
    pub(super) exif: Vec<u8>,
    /// A document of XMP.
    pub(super) xmp: Vec<u8>,
    /// Data sets of IPTC.
    pub(super) iptc: Vec<u8>,
}

/// Reads the directories; `None` if it is no TIFF file or the first one cannot be read.
pub(super) fn read<R: Read + Seek>(content: &mut R) -> Option<Metadata> {
    let mut header = [0; 8];
    content.rewind().ok()?;
    content.read_exact(&mut header).ok()?;
    let is_little_endian = match &header[..4] {
        b"II*\0" => true,
        b"MM\0*" => false,
        _ => return None,
    };
    let mut file = File { content, is_little_endian };
    let mut first = file.directory(file.u32(header[4..].first_chunk()?))?;
    let mut small = Small { bytes: header.to_vec(), is_little_endian };
    for tag in [EXIF_DIRECTORY, GPS_DIRECTORY] {
        let pointer = first.iter().position(|entry| entry.tag == tag).map(|index| first.remove(index));
        let offset = pointer.and_then(|pointer| Some(file.u32(pointer.value.first_chunk()?)));
        if let Some(entries) = offset.and_then(|offset| file.directory(offset)) {
            let start = small.append(&entries)?;
            let value = small.number(start).to_vec();
            first.push(Entry { tag, kind: 4, count: 1, value });
        }
    }
    let mut block = |tag: u16| {
        let index = first.iter().position(|entry| entry.tag == tag);
        index.map(|index| first.remove(index).value).unwrap_or_default()
    };
    let (xmp, iptc) = (block(XMP), block(IPTC));
    let start = small.append(&first)?;
    let start = small.number(start);
    small.bytes[4..8].copy_from_slice(&start);
    Some(Metadata { exif: small.bytes, xmp, iptc })
}

struct Entry {
    tag: u16,
    kind: u16,
    count: u32,
    value: Vec<u8>,
}

struct File<'a, R> {
    content: &'a mut R,
    is_little_endian: bool,
}

impl<R: Read + Seek> File<'_, R> {
    fn u16(&self, bytes: &[u8; 2]) -> u16 {
        if self.is_little_endian { u16::from_le_bytes(*bytes) } else { u16::from_be_bytes(*bytes) }
    }

    fn u32(&self, bytes: &[u8; 4]) -> u32 {
        if self.is_little_endian { u32::from_le_bytes(*bytes) } else { u32::from_be_bytes(*bytes) }
    }

    fn read(&mut self, offset: u32, length: u64) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        self.content.seek(SeekFrom::Start(offset.into())).ok()?;
        self.content.take(length).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    /// The entries that are there and have values of bearable size.
    fn directory(&mut self, offset: u32) -> Option<Vec<Entry>> {
        let count = self.read(offset, 2)?;
        let count = self.u16(count.first_chunk()?).min(MOST_ENTRIES);
        let entries = self.read(offset.checked_add(2)?, u64::from(count) * ENTRY_BYTES as u64)?;
        Some(entries.as_chunks::<ENTRY_BYTES>().0.iter().filter_map(|entry| self.entry(entry)).collect())
    }

    fn entry(&mut self, entry: &[u8; ENTRY_BYTES]) -> Option<Entry> {
        let (tag, kind) = (self.u16(entry[..2].first_chunk()?), self.u16(entry[2..4].first_chunk()?));
        let count = self.u32(entry[4..8].first_chunk()?);
        let unit = match kind {
            1 | 2 | 6 | 7 => 1,
            3 | 8 => 2,
            4 | 9 | 11 | 13 => 4,
            5 | 10 | 12 => 8,
            _ => return None,
        };
        let length = u64::from(count) * unit;
        let most = if matches!(tag, XMP | IPTC) { LARGEST_BLOCK_BYTES } else { LARGEST_VALUE_BYTES };
        if length > most || tag == MAKER_NOTE {
            return None;
        }
        let value =
            if length <= 4 { entry[8..].to_vec() } else { self.read(self.u32(entry[8..].first_chunk()?), length)? };
        (value.len() as u64 >= length).then_some(Entry { tag, kind, count, value })
    }
}

/// A TIFF structure that grows.
struct Small {
    bytes: Vec<u8>,
    is_little_endian: bool,
}

impl Small {
    fn number(&self, number: u32) -> [u8; 4] {
        if self.is_little_endian { number.to_le_bytes() } else { number.to_be_bytes() }
    }

    fn short(&self, number: u16) -> [u8; 2] {
        if self.is_little_endian { number.to_le_bytes() } else { number.to_be_bytes() }
    }

    fn end(&self) -> Option<u32> {
        u32::try_from(self.bytes.len()).ok()
    }

    /// Appends values and a directory of them, as long as there is room; the result is where the directory starts.
    fn append(&mut self, entries: &[Entry]) -> Option<u32> {
        let mut directory = Vec::new();
        let mut count = 0_u16;
        for entry in entries {
            let is_inside = entry.value.len() <= 4;
            if !is_inside && (self.bytes.len() + entry.value.len()) as u64 > LARGEST_BLOCK_BYTES {
                continue;
            }
            let mut value = [0; 4];
            if is_inside {
                value[..entry.value.len()].copy_from_slice(&entry.value);
            } else {
                value = self.number(self.end()?);
                self.bytes.extend(&entry.value);
            }
            directory.extend(self.short(entry.tag));
            directory.extend(self.short(entry.kind));
            directory.extend(self.number(entry.count));
            directory.extend(value);
            count += 1;
        }
        let start = self.end()?;
        self.bytes.extend(self.short(count));
        self.bytes.extend(directory);
        // There is no next directory.
        self.bytes.extend([0; 4]);
        Some(start)
    }
}
