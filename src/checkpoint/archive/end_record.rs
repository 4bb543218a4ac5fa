//! The record at the end of a zip file that says where its directory is.
//!
//! Checked here first because the `zip` crate reserves room for as many entries as the record claims, and looks for
//! another record when it dislikes one. Layout: PKWARE APPNOTE 6.3.10, sections 4.3.14 to 4.3.16. PyTorch writes no
//! archive comment, so the record is the last 22 bytes; beyond 4 GiB or 65,535 entries a 64-bit one precedes it.

use std::io::{Read, Seek, SeekFrom};

use super::super::{CheckpointError, CheckpointLimits};

const END_SIGNATURE: &[u8; 4] = b"PK\x05\x06";
const END_BYTES: u64 = 22;
const LOCATOR_SIGNATURE: &[u8; 4] = b"PK\x06\x07";
const LOCATOR_BYTES: u64 = 20;
const END64_SIGNATURE: &[u8; 4] = b"PK\x06\x06";
const END64_BYTES: u64 = 56;
const ENTRY_SIGNATURE: &[u8; 4] = b"PK\x01\x02";
const ENTRY_BYTES: u64 = 46;

struct Directory {
    entries: u64,
    bytes: u64,
    start: u64,
    /// Where it has to end: the record that describes it.
    end: u64,
}

/// Checks the end record against the file and the limits. Returns where the directory starts.
pub(super) fn check(
    source: &mut (impl Read + Seek + ?Sized),
    limits: &CheckpointLimits,
) -> Result<u64, CheckpointError> {
    let file_bytes = source.seek(SeekFrom::End(0))?;
    let directory = find(source, file_bytes)?;
    limits.check_entries(directory.entries)?;
    limits.check_index("zip directory size in bytes", directory.bytes)?;
    let fits = directory.start.checked_add(directory.bytes) == Some(directory.end)
        && directory.entries.checked_mul(ENTRY_BYTES).is_some_and(|least| least <= directory.bytes);
    if !fits {
        return Err(CheckpointError::archive("its directory is not where the end record says"));
    }
    if directory.entries == 0 {
        return Err(CheckpointError::layout("it is empty"));
    }
    if &bytes_at::<4>(source, directory.start)? != ENTRY_SIGNATURE {
        return Err(CheckpointError::archive("its directory is not where the end record says"));
    }
    Ok(directory.start)
}

fn find(source: &mut (impl Read + Seek + ?Sized), file_bytes: u64) -> Result<Directory, CheckpointError> {
    let cut_short = || CheckpointError::archive("it has no end record, so it is cut short or was added to");
    let end = file_bytes.checked_sub(END_BYTES).ok_or_else(cut_short)?;
    let record: [u8; END_BYTES as usize] = bytes_at(source, end)?;
    if record.first_chunk() != Some(END_SIGNATURE) || record[20..] != [0, 0] {
        return Err(cut_short());
    }
    if let Some(locator_start) = end.checked_sub(LOCATOR_BYTES) {
        let locator: [u8; LOCATOR_BYTES as usize] = bytes_at(source, locator_start)?;
        if locator.first_chunk() == Some(LOCATOR_SIGNATURE) {
            return find64(source, locator_start, number(&locator[8..16]));
        }
    }
    Ok(Directory {
        entries: number(&record[10..12]),
        bytes: number(&record[12..16]),
        start: number(&record[16..20]),
        end,
    })
}

/// The 64-bit record, which has to sit right before its locator.
fn find64(
    source: &mut (impl Read + Seek + ?Sized),
    locator_start: u64,
    claimed_start: u64,
) -> Result<Directory, CheckpointError> {
    let misplaced = || CheckpointError::archive("its 64-bit end record is not where the locator says");
    let end = locator_start.checked_sub(END64_BYTES).filter(|end| *end == claimed_start).ok_or_else(misplaced)?;
    let record: [u8; END64_BYTES as usize] = bytes_at(source, end)?;
    if record.first_chunk() != Some(END64_SIGNATURE) || number(&record[4..12]) != END64_BYTES - 12 {
        return Err(misplaced());
    }
    Ok(Directory {
        entries: number(&record[32..40]),
        bytes: number(&record[40..48]),
        start: number(&record[48..56]),
        end,
    })
}

fn bytes_at<const N: usize>(source: &mut (impl Read + Seek + ?Sized), at: u64) -> Result<[u8; N], CheckpointError> {
    let mut bytes = [0; N];
    source.seek(SeekFrom::Start(at))?;
    source.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// An unsigned little-endian number of up to 8 bytes.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}
