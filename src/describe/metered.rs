//! A view of a file that ends after a while, for parsers that know no bounds.

use std::io::{Error, ErrorKind, Read, Result, Seek, SeekFrom};

/// The start of an ID3v2 tag, before its version.
const ID3: [u8; 3] = *b"ID3";

/// Reads what it is made from, from a position on, up to a number of bytes and of seeks in all.
///
/// Invariant: no ID3v2 tag is seen in it, see [`super::id3`]: their version reads as one that does not exist. Texts are
/// not touched, as no version is a printable character.
pub(super) struct Metered<R> {
    content: R,
    start: u64,
    bytes_left: u64,
    seeks_left: u64,
    /// The bytes before the position, as far as they are known.
    behind: [u8; 3],
}

impl<R: Read + Seek> Metered<R> {
    pub(super) fn new(mut content: R, start: u64, most_bytes: u64, most_seeks: u64) -> Result<Self> {
        content.seek(SeekFrom::Start(start))?;
        Ok(Self { content, start, bytes_left: most_bytes, seeks_left: most_seeks, behind: [0; 3] })
    }
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let most = usize::try_from(self.bytes_left).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.content.read(&mut buffer[..most])?;
        self.bytes_left -= count as u64;
        for byte in &mut buffer[..count] {
            let [_, b, c] = self.behind;
            let original = *byte;
            if self.behind == ID3 && original < b' ' {
                *byte = 0xff;
            }
            self.behind = [b, c, original];
        }
        Ok(count)
    }
}

impl<R: Read + Seek> Seek for Metered<R> {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        // An end would be taken for one of the file; an error stops those too who wait for something to come.
        let left =
            self.seeks_left.checked_sub(1).ok_or_else(|| Error::new(ErrorKind::QuotaExceeded, "too many seeks"))?;
        self.seeks_left = left;
        let to = match to {
            SeekFrom::Start(position) => SeekFrom::Start(position.saturating_add(self.start)),
            other => other,
        };
        let position = self.content.seek(to)?;
        let inside = position.checked_sub(self.start).ok_or(ErrorKind::InvalidInput)?;
        let known = position.min(self.behind.len() as u64);
        self.behind = [0; 3];
        self.content.seek(SeekFrom::Start(position - known))?;
        let mut back = Vec::new();
        self.content.by_ref().take(known).read_to_end(&mut back)?;
        self.behind[3 - back.len()..].copy_from_slice(&back);
        // Also where the file ends before the position.
        self.content.seek(SeekFrom::Start(position))?;
        Ok(inside)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn bytes_and_seeks_run_out() {
        let mut metered = Metered::new(Cursor::new([7; 100]), 5, 10, 2).unwrap();
        let mut all = Vec::new();
        metered.read_to_end(&mut all).unwrap();
        assert_eq!(all, [7; 10]);
        assert_eq!(metered.rewind().ok(), Some(()));
        assert_eq!(metered.read(&mut [0; 4]).unwrap(), 0);
        assert_eq!(metered.stream_position().unwrap(), 0);
        assert_eq!(metered.rewind().unwrap_err().kind(), ErrorKind::QuotaExceeded);
    }

    #[test]
    fn tags_are_not_seen_however_they_are_read() {
        let content = b"..ID3\x04\0 ID3 text";
        let expected = b"ID3\xff\0 ID3 text";
        for start in 0..expected.len() {
            for step in 1..6 {
                let mut metered = Metered::new(Cursor::new(content), 2, 1000, 1000).unwrap();
                assert_eq!(metered.seek(SeekFrom::Start(start as u64)).unwrap(), start as u64);
                let mut all = Vec::<u8>::new();
                let mut buffer = [0; 6];
                while let count @ 1.. = metered.read(&mut buffer[..step]).unwrap() {
                    all.extend(&buffer[..count]);
                }
                assert_eq!(all, expected[start..]);
            }
        }
        let mut metered = Metered::new(Cursor::new(content), 2, 1000, 1000).unwrap();
        assert!(metered.seek(SeekFrom::End(-18)).is_err());
    }
}
