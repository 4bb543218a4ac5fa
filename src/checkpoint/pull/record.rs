//! Where the bytes of a part came from: `<destination>.part.json`.
//!
//! Invariant: a record that was not written for exactly this address, size and digest, by this version of the format,
//! is as good as none.

use std::path::Path;
use std::{fs, io};

use serde::{Deserialize, Serialize};

use super::Source;
use super::answer::Version;

/// Version of the record's format. A record of another one is not understood, and its part not continued.
const RECORD_FORMAT: u32 = 1;

/// The origin of a part.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    format: u32,
    url: String,
    bytes: u64,
    sha256: String,
    /// The server's version of the file.
    pub(super) version: Version,
}

impl Record {
    /// The record for bytes of this version.
    pub(super) fn new(source: &Source, version: Version) -> Self {
        let Source { url, bytes, sha256, .. } = source;
        Self { format: RECORD_FORMAT, url: url.clone(), bytes: *bytes, sha256: sha256.to_string(), version }
    }

    /// Reads the record; `None` if there is none, or none that concerns `source`.
    pub(super) fn load(path: &Path, source: &Source) -> Option<Self> {
        let record: Self = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
        (record == Self::new(source, record.version.clone())).then_some(record)
    }

    /// Writes the record.
    pub(super) fn save(&self, path: &Path) -> io::Result<()> {
        fs::write(path, serde_json::to_vec(self).expect("a struct of numbers and strings has a JSON form"))
    }
}
