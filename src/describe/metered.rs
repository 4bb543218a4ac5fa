//! A reader that ends after a while, for parsers that know no bounds.

use std::io::{Error, ErrorKind, Read, Result, Seek, SeekFrom};

/// Reads what it is made from, up to a number of bytes and of seeks in all.
pub(super) struct Metered<R> {
    content: R,
    bytes_left: u64,
    seeks_left: u64,
}

impl<R> Metered<R> {
    pub(super) fn new(content: R, most_bytes: u64, most_seeks: u64) -> Self {
        Self { content, bytes_left: most_bytes, seeks_left: most_seeks }
    }
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let most = usize::try_from(self.bytes_left).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.content.read(&mut buffer[..most])?;
        self.bytes_left -= count as u64;
        Ok(count)
    }
}

impl<R: Seek> Seek for Metered<R> {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        // An end would be taken for one of the file; an error stops those too who wait for something to come.
        let left =
            self.seeks_left.checked_sub(1).ok_or_else(|| Error::new(ErrorKind::QuotaExceeded, "too many seeks"))?;
        self.seeks_left = left;
        self.content.seek(to)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn bytes_and_seeks_run_out() {
        let mut metered = Metered::new(Cursor::new([7; 100]), 10, 2);
        let mut all = Vec::new();
        metered.read_to_end(&mut all).unwrap();
        assert_eq!(all, [7; 10]);
        assert_eq!(metered.rewind().ok(), Some(()));
        assert_eq!(metered.read(&mut [0; 4]).unwrap(), 0);
        assert_eq!(metered.stream_position().unwrap(), 0);
        assert_eq!(metered.rewind().unwrap_err().kind(), ErrorKind::QuotaExceeded);
    }
}
