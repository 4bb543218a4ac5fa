//! Files of a snapshot: sections of numbers, each aligned, under one checksum.
//!
//! All are written once, synchronised, and never changed. Numbers are little-endian, as this machine has them: on
//! another, snapshots are neither written nor read. Invariant: what was read counts only after [`Reader::finish`].

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::SnapshotError;
use super::manifest::{FORMAT, FileSeal};
use crate::index::memory::{Plain, bytes_of, bytes_of_mut};

/// Bytes of a header, and where sections may begin: at multiples of this.
pub(super) const ALIGNMENT: usize = 64;
/// Bytes that are moved at once, and hashed while they are still in the processor's cache. They begin at a multiple of
/// this: BLAKE3 is a tree, and what ends anywhere is hashed a quarter slower.
pub(super) const PIECE: usize = 128 << 10;

/// Bytes up to the next multiple of [`PIECE`].
fn until_boundary(hasher: &blake3::Hasher) -> usize {
    PIECE - hasher.count() as usize % PIECE
}

/// The first bytes of a file: its kind, the format, and up to twelve numbers.
pub(super) fn header(kind: [u8; 8], numbers: &[u32]) -> [u8; ALIGNMENT] {
    let mut header = [0; ALIGNMENT];
    header[..8].copy_from_slice(&kind);
    let places = header[8..].chunks_exact_mut(size_of::<u32>());
    places.zip([FORMAT].iter().chain(numbers)).for_each(|(place, number)| place.copy_from_slice(&number.to_le_bytes()));
    header
}

/// Where sections of these many bytes are in a file, and where the file ends.
pub(super) fn places<const N: usize>(sections: [u64; N]) -> ([u64; N], u64) {
    let mut end = ALIGNMENT as u64;
    let places = sections.map(|bytes| {
        let start = end.next_multiple_of(ALIGNMENT as u64);
        end = start + bytes;
        start
    });
    (places, end)
}

/// A file that is being written.
pub(super) struct Writer {
    path: PathBuf,
    file: File,
    hasher: blake3::Hasher,
}

impl Writer {
    pub(super) fn create(path: PathBuf, header: [u8; ALIGNMENT]) -> Result<Self, SnapshotError> {
        let file = File::create_new(&path).map_err(at(&path))?;
        let mut writer = Self { path, file, hasher: blake3::Hasher::new() };
        writer.section(&header)?;
        Ok(writer)
    }

    /// Begins a section with these numbers.
    pub(super) fn section<T: Plain>(&mut self, numbers: &[T]) -> Result<(), SnapshotError> {
        let padding = self.hasher.count().next_multiple_of(ALIGNMENT as u64) - self.hasher.count();
        self.add(&[0u8; ALIGNMENT][..padding as usize])?;
        self.add(numbers)
    }

    /// Adds numbers to the section.
    pub(super) fn add<T: Plain>(&mut self, numbers: &[T]) -> Result<(), SnapshotError> {
        let mut left = bytes_of(numbers);
        while !left.is_empty() {
            let (piece, rest) = left.split_at(until_boundary(&self.hasher).min(left.len()));
            self.file.write_all(piece).map_err(at(&self.path))?;
            self.hasher.update(piece);
            left = rest;
        }
        Ok(())
    }

    /// Waits until it is on the disk.
    pub(super) fn finish(self, name: &str) -> Result<FileSeal, SnapshotError> {
        self.file.sync_all().map_err(at(&self.path))?;
        let blake3 = self.hasher.finalize().to_hex().to_string();
        Ok(FileSeal { name: name.into(), bytes: self.hasher.count(), blake3 })
    }
}

pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> SnapshotError {
    move |source| SnapshotError::Io { path: path.into(), source }
}

/// A file that is being read and verified. It is read, not mapped: a disk that fails must be an error here, not the end
/// of the process, and what is looked at once need not count as this process's memory.
pub(super) struct Reader<'a> {
    seal: &'a FileSeal,
    file: File,
    hasher: blake3::Hasher,
}

impl<'a> Reader<'a> {
    /// Opens a file, which must have as many bytes as it should.
    pub(super) fn open(directory: &Path, seal: &'a FileSeal) -> Result<Self, String> {
        let told = |error: io::Error| format!("{}: {error}", seal.name);
        let path = directory.join(&seal.name);
        let metadata = fs::metadata(&path).map_err(told)?;
        if !metadata.is_file() || metadata.len() != seal.bytes {
            return Err(format!("{}: has {} bytes, expected {}", seal.name, metadata.len(), seal.bytes));
        }
        Ok(Self { seal, file: File::open(&path).map_err(told)?, hasher: blake3::Hasher::new() })
    }

    /// Reads the section that comes next.
    pub(super) fn section<T: Plain>(&mut self, numbers: &mut [T]) -> Result<(), String> {
        let padding = self.hasher.count().next_multiple_of(ALIGNMENT as u64) - self.hasher.count();
        self.read(&mut [0u8; ALIGNMENT][..padding as usize])?;
        self.read(numbers)
    }

    /// Reads what comes next.
    pub(super) fn read<T: Plain>(&mut self, numbers: &mut [T]) -> Result<(), String> {
        let mut left = bytes_of_mut(numbers);
        while !left.is_empty() {
            let (piece, rest) = left.split_at_mut(until_boundary(&self.hasher).min(left.len()));
            self.file.read_exact(piece).map_err(|error| format!("{}: {error}", self.seal.name))?;
            self.hasher.update(piece);
            left = rest;
        }
        Ok(())
    }

    /// Bytes that are best read next, at most [`PIECE`].
    pub(super) fn until_boundary(&self) -> usize {
        until_boundary(&self.hasher)
    }

    /// Everything has been read; answers whether it is what was written.
    pub(super) fn finish(self) -> Result<(), String> {
        if self.hasher.count() != self.seal.bytes {
            return Err(format!("{}: has {} bytes, expected {}", self.seal.name, self.seal.bytes, self.hasher.count()));
        }
        if self.hasher.finalize().to_hex().as_str() != self.seal.blake3 {
            return Err(format!("{}: its checksum is not that of the manifest", self.seal.name));
        }
        Ok(())
    }
}
