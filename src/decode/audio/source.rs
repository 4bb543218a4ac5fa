//! Where bytes come from: files and memory, measured before anything is read.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use symphonia::core::io::MediaSource;

use crate::decode::{AudioLimits, DecodeError};

/// Everything that decoders ask of an origin.
trait Bytes: Read + Seek + Send + Sync {}

impl<T: Read + Seek + Send + Sync> Bytes for T {}

/// A source of known length, within the limit on file size. Clones share one position.
#[derive(Clone)]
pub(super) struct Source {
    bytes: Arc<Mutex<dyn Bytes>>,
    len: u64,
    /// Whether to be read from start to end like a pipe.
    forward_only: bool,
}

impl Source {
    /// Opens a regular file; anything else (a pipe, a device) could block for ever.
    pub(super) fn open(path: &Path, limits: &AudioLimits) -> Result<Self, DecodeError> {
        if !std::fs::metadata(path)?.is_file() {
            return Err(DecodeError::Unsupported { expected: "sound", reason: "it is not a regular file".into() });
        }
        Self::new(File::open(path)?, limits)
    }

    /// Measures `bytes` and rewinds them.
    pub(super) fn new(
        mut bytes: impl Read + Seek + Send + Sync + 'static,
        limits: &AudioLimits,
    ) -> Result<Self, DecodeError> {
        let len = bytes.seek(SeekFrom::End(0))?;
        bytes.rewind()?;
        if len == 0 {
            return Err(DecodeError::Empty("bytes"));
        }
        if len > limits.file_bytes {
            let (limit, key) = (limits.file_bytes, "limits.audio.file_bytes");
            return Err(DecodeError::TooLarge { what: "the file size in bytes", actual: len, limit, key });
        }
        Ok(Self { bytes: Arc::new(Mutex::new(bytes)), len, forward_only: false })
    }

    /// Bytes in all.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Declares the bytes from `len` on to be no part of the format.
    pub(super) fn end_at(&mut self, len: u64) {
        self.len = len.min(self.len);
    }

    /// The same bytes from the start, for decoders that must not look at the end.
    pub(super) fn forward_only(mut self) -> io::Result<Self> {
        self.forward_only = true;
        self.rewind()?;
        Ok(self)
    }

    /// Reads as much of `buffer` as there is after `position`.
    pub(super) fn read_at(&mut self, position: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut bytes = self.lock();
        bytes.seek(SeekFrom::Start(position))?;
        let mut filled = 0;
        while filled < buffer.len() {
            match bytes.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    fn lock(&self) -> MutexGuard<'_, dyn Bytes + 'static> {
        // A panic while reading leaves at worst another position, and every use sets its own.
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The `N` bytes after `position`, or `None` when the source ends before.
    pub(super) fn array_at<const N: usize>(&mut self, position: u64) -> io::Result<Option<[u8; N]>> {
        let mut buffer = [0; N];
        Ok((self.read_at(position, &mut buffer)? == N).then_some(buffer))
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.lock().read(buffer)
    }
}

impl Seek for Source {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.lock().seek(position)
    }
}

impl MediaSource for Source {
    fn is_seekable(&self) -> bool {
        !self.forward_only
    }

    fn byte_len(&self) -> Option<u64> {
        (!self.forward_only).then_some(self.len)
    }
}
