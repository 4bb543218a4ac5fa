//! Single values of the first directory of a TIFF structure, which is also what an EXIF block is (TIFF 6.0, section 2).
//!
//! Owns just enough of the format to look up one small number. Unlike a full EXIF reader it does not care about damage
//! elsewhere in the block, nor whether a writer chose bytes, shorts or longs.
//! Invariant: never reads outside the block and never loops longer than the block has entries.

/// Bytes of one directory entry: tag, type, count, value.
const ENTRY_BYTES: usize = 12;

/// The first value of `tag` in the first directory of `block`, where that is an unsigned number within its entry.
pub(super) fn first_ifd_value(block: &[u8], tag: u16) -> Option<u32> {
    let order = ByteOrder::of(block)?;
    let directory = block.get(order.u32(block, 4)? as usize..)?;
    let count = usize::from(order.u16(directory, 0)?);
    let entries = directory.get(2..)?.chunks_exact(ENTRY_BYTES).take(count);
    for entry in entries {
        if order.u16(entry, 0)? != tag {
            continue;
        }
        let count = order.u32(entry, 4)?;
        return match order.u16(entry, 2)? {
            1 if (1..=4).contains(&count) => Some(u32::from(entry[8])),
            3 if (1..=2).contains(&count) => order.u16(entry, 8).map(u32::from),
            4 if count == 1 => order.u32(entry, 8),
            _ => None,
        };
    }
    None
}

#[derive(Clone, Copy)]
enum ByteOrder {
    Little,
    Big,
}

impl ByteOrder {
    fn of(block: &[u8]) -> Option<Self> {
        match block.get(..4)? {
            b"II*\0" => Some(Self::Little),
            b"MM\0*" => Some(Self::Big),
            _ => None,
        }
    }

    fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let field = *bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Little => u16::from_le_bytes(field),
            Self::Big => u16::from_be_bytes(field),
        })
    }

    fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let field = *bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Little => u32::from_le_bytes(field),
            Self::Big => u32::from_be_bytes(field),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAG: u16 = 0x0112;

    /// A big-endian block with one foreign entry and one of `TAG`.
    fn block(kind: u16, count: u32, value: [u8; 4]) -> Vec<u8> {
        let mut block = b"MM\0*\0\0\0\x08\0\x02\x01\0\0\x03\0\0\0\x01\0\x10\0\0".to_vec();
        block.extend(TAG.to_be_bytes());
        block.extend(kind.to_be_bytes());
        block.extend(count.to_be_bytes());
        block.extend(value);
        block
    }

    #[track_caller]
    fn check(block: &[u8], expected: Option<u32>) {
        assert_eq!(first_ifd_value(block, TAG), expected);
    }

    #[test]
    fn numbers_of_any_width_are_read() {
        check(&block(3, 1, [0, 6, 0, 0]), Some(6));
        check(&block(1, 1, [6, 0, 0, 0]), Some(6));
        check(&block(4, 1, [0, 0, 0, 6]), Some(6));
        check(&block(3, 2, [0, 2, 0, 1]), Some(2));
        check(b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0", Some(6));
    }

    #[test]
    fn what_is_not_there_is_not_read() {
        check(&block(3, 3, [0, 0, 0, 8]), None);
        check(&block(3, 0, [0, 6, 0, 0]), None);
        check(&block(2, 1, [6, 0, 0, 0]), None);
        check(b"", None);
        check(b"MM\0*", None);
        check(b"XX\0*\0\0\0\x08\0\0", None);
        check(b"MM\0*\xff\xff\xff\xff\0\x01", None);
        let whole = block(3, 1, [0, 6, 0, 0]);
        for length in 0..whole.len() {
            check(&whole[..length], None);
        }
    }
}
