//! Memory that vectors live in: columns that only grow, in huge pages, and files that are mapped.
//!
//! The only place of the index with raw memory. Invariants: what a column hands out was written before, and is never
//! written again; a mapped file is never changed by this program, which holds the lock of its directory. Knows nothing
//! of vectors.
#![allow(unsafe_code, reason = "columns are written once and then shared without locks; files are mapped")]

use std::fs::File;
use std::io;
use std::marker::PhantomData;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use half::f16;
use memmap2::{Mmap, MmapMut, MmapRaw};

/// Numbers of which any bits are a value, and that have no padding.
pub(super) trait Plain: Copy + sealed::Sealed {}

mod sealed {
    pub(in crate::index) trait Sealed {}
}

macro_rules! plain {
    ($($number:ty),*) => { $(impl sealed::Sealed for $number {} impl Plain for $number {})* };
}
plain!(i8, u8, f16, u32, u64, f32);

/// Values that are appended, up to a capacity, while others read those that are there.
pub(super) struct Column<T> {
    memory: MmapRaw,
    capacity: usize,
    /// Values that are there.
    len: AtomicUsize,
    /// Held while values are written.
    writer: Mutex<()>,
    values: PhantomData<T>,
}

impl<T: Plain> Column<T> {
    /// An empty column. Memory is taken only as it fills; its start is aligned to a page.
    ///
    /// # Errors
    /// The system has no room for it.
    pub(super) fn new(capacity: usize) -> io::Result<Self> {
        let memory = MmapMut::map_anon(capacity.max(1) * size_of::<T>())?;
        // One entry of the processor's table of pages for 512 rows instead of four. Systems without do as well.
        #[cfg(target_os = "linux")]
        let _ = memory.advise(memmap2::Advice::HugePage);
        Ok(Self {
            memory: memory.into(),
            capacity,
            len: AtomicUsize::new(0),
            writer: Mutex::new(()),
            values: PhantomData,
        })
    }

    /// A column that has `len` zeros, which may be overwritten as long as it is nobody else's. It has room for as many
    /// values as `capacity` says, or for `len`.
    ///
    /// # Errors
    /// The system has no room for it.
    pub(super) fn zeros(len: usize, capacity: usize) -> io::Result<Self> {
        let column = Self::new(capacity.max(len))?;
        // The system hands out memory filled with zeros.
        column.len.store(len, Ordering::Release);
        Ok(column)
    }

    /// The values that are there, to be overwritten.
    pub(super) fn values_mut(&mut self) -> &mut [T] {
        let len = *self.len.get_mut();
        // SAFETY: as for `values`; nobody else has a reference, for this one is exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.memory.as_mut_ptr().cast::<T>(), len) }
    }

    /// Appends values; nothing is written and `false` answered if there is no room for all of them.
    pub(super) fn extend(&self, values: &[T]) -> bool {
        let _writing = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let len = self.len.load(Ordering::Relaxed);
        if values.len() > self.capacity - len {
            return false;
        }
        // SAFETY: the map has room for `capacity` values, of which those from `len` on are handed out to nobody, and
        // the lock keeps other writers away; the source is another memory, as nobody has a reference beyond `len`.
        unsafe {
            let end = self.memory.as_mut_ptr().cast::<T>().add(len);
            std::ptr::copy_nonoverlapping(values.as_ptr(), end, values.len());
        }
        self.len.store(len + values.len(), Ordering::Release);
        true
    }

    /// The values that are there.
    #[inline]
    pub(super) fn values(&self) -> &[T] {
        let len = self.len.load(Ordering::Acquire);
        // SAFETY: the first `len` values were written before `len` was stored, and are never written again; the map's
        // start is aligned to a page, and it lives as long as `self`; any bits are a value of a plain number.
        unsafe { std::slice::from_raw_parts(self.memory.as_ptr().cast::<T>(), len) }
    }
}

/// A file of ours in memory, as far as it is looked at.
pub(super) struct MappedFile(Mmap);

impl MappedFile {
    /// Maps a whole file, which nobody may change or shorten while it is mapped.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        // SAFETY: snapshots are written under another name and never changed afterwards, and the directory is locked
        // against other processes of ours. Whoever damages them meanwhile damages this process: that is the price of
        // every map.
        unsafe { Mmap::map(&file) }.map(Self)
    }

    /// `len` numbers from byte `start` on, which must be aligned; `None` beyond the end.
    #[inline]
    pub(super) fn numbers<T: Plain>(&self, start: usize, len: usize) -> Option<&[T]> {
        numbers(self.0.get(start..start.checked_add(len.checked_mul(size_of::<T>())?)?)?)
    }
}

/// Bytes as numbers of this machine; `None` if they are not aligned, or end within one.
pub(super) fn numbers<T: Plain>(bytes: &[u8]) -> Option<&[T]> {
    // SAFETY: any bits are a value of a plain number.
    let (before, numbers, after) = unsafe { bytes.align_to::<T>() };
    (before.is_empty() && after.is_empty()).then_some(numbers)
}

/// Numbers as the bytes of this machine.
pub(super) fn bytes_of<T: Plain>(numbers: &[T]) -> &[u8] {
    // SAFETY: plain numbers have no padding, so that all of their bytes are initialised.
    unsafe { std::slice::from_raw_parts(numbers.as_ptr().cast(), size_of_val(numbers)) }
}

/// Numbers as the bytes of this machine, to be overwritten.
pub(super) fn bytes_of_mut<T: Plain>(numbers: &mut [T]) -> &mut [u8] {
    // SAFETY: plain numbers have no padding, and any bytes are a value of one.
    unsafe { std::slice::from_raw_parts_mut(numbers.as_mut_ptr().cast(), size_of_val(numbers)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_keeps_what_was_appended_up_to_its_capacity() {
        let column = Column::<f32>::new(5).unwrap();
        assert!(column.values().is_empty());
        assert!(column.extend(&[1.0, 2.0]) && column.extend(&[3.0]));
        assert!(!column.extend(&[4.0, 5.0, 6.0]), "there is room for two");
        assert!(column.extend(&[4.0, 5.0]) && column.extend(&[]) && !column.extend(&[6.0]));
        assert_eq!(column.values(), [1.0, 2.0, 3.0, 4.0, 5.0]);
        assert!(!Column::<i8>::new(0).unwrap().extend(&[1]));
    }

    #[test]
    fn a_column_of_zeros_is_overwritten_and_then_appended_to() {
        let mut column = Column::<u32>::zeros(2, 3).unwrap();
        assert_eq!(column.values(), [0, 0]);
        bytes_of_mut(column.values_mut()).copy_from_slice(bytes_of(&[7u32, 8]));
        assert!(column.extend(&[9]) && !column.extend(&[10]));
        assert_eq!(column.values(), [7, 8, 9]);
        assert_eq!(Column::<i8>::zeros(2, 0).unwrap().values(), [0, 0], "there is room for what is there");
    }

    #[test]
    fn readers_see_whole_rows_while_one_is_appended() {
        let column = Column::<u32>::new(64_000).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| (0..1_000).for_each(|row| assert!(column.extend(&[row; 64]))));
            scope.spawn(|| {
                while column.values().len() < 64_000 {
                    let rows = column.values().chunks(64);
                    assert!((0..).zip(rows).all(|(row, values)| *values == [row; 64]));
                }
            });
        });
    }

    #[test]
    fn files_are_read_as_numbers_where_they_are_aligned() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("numbers");
        std::fs::write(&path, bytes_of(&[1.0f32, 2.0, 3.0])).unwrap();
        let file = MappedFile::open(&path).unwrap();
        assert_eq!(file.numbers::<f32>(0, 3), Some(&[1.0, 2.0, 3.0][..]));
        assert_eq!(file.numbers::<f32>(4, 2), Some(&[2.0, 3.0][..]));
        assert_eq!(file.numbers::<f32>(4, 3), None, "beyond the end");
        assert_eq!(file.numbers::<f32>(2, 2), None, "not aligned");
        assert_eq!(file.numbers::<f32>(4, usize::MAX), None);
        assert!(MappedFile::open(&directory.path().join("absent")).is_err());
    }
}
