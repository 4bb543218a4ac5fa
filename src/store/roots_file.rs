//! Roots and the space, in a small file beside the database: they are what a rescan cannot find again.
//!
//! Layout: magic, format, content, CRC-32 over all before it. Replaced whenever one of them changes, after the batch.

use std::path::Path;

use super::codec::{decode_surroundings, encode_surroundings};
use super::{FORMAT, StoreError, durable};
use crate::embedding::SpaceId;
use crate::library::Root;

const NAME: &str = "roots";
const MAGIC: &[u8; 8] = b"EARMROOT";

/// What is in the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct RootsFile {
    /// Of the batch after which it was written.
    pub(super) sequence: u64,
    pub(super) space: Option<SpaceId>,
    /// By id.
    pub(super) roots: Vec<Root>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    Whole(RootsFile),
    Damaged,
    Nothing,
}

impl RootsFile {
    /// Reads the file of a data directory.
    pub(super) fn read(directory: &Path) -> Result<Found, StoreError> {
        let Some(bytes) = durable::read(&directory.join(NAME))? else { return Ok(Found::Nothing) };
        let Some((format, content)) = unsealed(&bytes) else { return Ok(Found::Damaged) };
        if format > FORMAT {
            return Err(StoreError::NewerFormat { path: directory.into(), found: format, known: FORMAT });
        }
        Ok(decode_surroundings(content)
            .map_or(Found::Damaged, |(sequence, space, roots)| Found::Whole(Self { sequence, space, roots })))
    }

    /// Replaces it; on disk when it returns.
    pub(super) fn write(&self, directory: &Path) -> Result<(), StoreError> {
        let content = encode_surroundings(self.sequence, self.space.as_ref(), &self.roots);
        let mut bytes = [&MAGIC[..], &FORMAT.to_le_bytes(), &content].concat();
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
        durable::replace(&directory.join(NAME), &bytes)
    }
}

/// Bytes of a data directory's file.
pub(super) fn size(directory: &Path) -> Result<u64, StoreError> {
    durable::size(&directory.join(NAME))
}

fn unsealed(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (body, stored) = bytes.split_last_chunk::<4>()?;
    if crc32fast::hash(body).to_le_bytes() != *stored {
        return None;
    }
    let (format, content) = body.strip_prefix(MAGIC)?.split_first_chunk::<4>()?;
    Some((u32::from_le_bytes(*format), content))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::library::{RootId, RootRules};

    #[test]
    fn every_byte_counts() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(RootsFile::read(directory.path()).unwrap(), Found::Nothing);
        let roots =
            vec![Root { id: RootId(3), path: "/media/sounds".into(), rules: RootRules::default(), identity: None }];
        let written = RootsFile { sequence: 7, space: Some(SpaceId::from_digest("0f".repeat(32))), roots };
        written.write(directory.path()).unwrap();
        assert_eq!(RootsFile::read(directory.path()).unwrap(), Found::Whole(written));
        let path = directory.path().join(NAME);
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 16;
            for damaged in [&flipped[..], &whole[..at]] {
                fs::write(&path, damaged).unwrap();
                assert_eq!(RootsFile::read(directory.path()).unwrap(), Found::Damaged, "{at}");
            }
        }
    }
}
