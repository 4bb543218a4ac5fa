//! Why the store cannot do what it was asked.

use std::path::PathBuf;

use crate::embedding::SpaceId;

/// Why the store cannot do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process uses the data directory.
    #[error(
        "{}: in use by another earmark{}; stop it, or give another --data-dir", path.display(),
        holder.map(|pid| format!(" (process {pid})")).unwrap_or_default()
    )]
    Locked {
        /// The data directory.
        path: PathBuf,
        /// Who has it.
        holder: Option<u32>,
    },
    /// The system does not let us read or write.
    #[error("{}: {source}", path.display())]
    Io {
        /// What was to be read or written.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Written by a newer earmark.
    #[error(
        "{}: has format {found}, this earmark knows formats up to {known}; use the newer earmark that wrote it",
        path.display()
    )]
    NewerFormat {
        /// The data directory.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format known.
        known: u32,
    },
    /// Its vectors are of another model.
    #[error(
        "the data directory holds vectors of space {stored}, the model makes vectors of space {model}; use the model \
         that it was made with or another --data-dir, or switch to the other model with `earmark serve --model NAME`, \
         which keeps the old vectors"
    )]
    OtherSpace {
        /// What is stored.
        stored: SpaceId,
        /// What the model makes.
        model: SpaceId,
    },
    /// What says which space counts is of no use.
    #[error(
        "{}: {reason}; delete this file to go back to the data directory's first model, and switch again with \
         `earmark serve --model NAME`",
        path.display()
    )]
    NoSpace {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A record is not what was written.
    #[error("damaged record {key}: {reason}; stop earmark and run `earmark check`, which repairs what it can")]
    Damaged {
        /// The record's key, readable.
        key: String,
        /// What is wrong.
        reason: String,
    },
    /// A batch says what cannot be, given what is stored.
    #[error("the batch contradicts the store: {reason}")]
    Inconsistent {
        /// What cannot be.
        reason: String,
    },
    /// The database failed; nothing is accepted any more.
    #[error("the database failed: {0}; restart earmark to recover")]
    Database(String),
}
