//! Fetching a published checkpoint over HTTP, so that it arrives whole or not at all.
//!
//! Owns the catalogue of known checkpoints, the transfer into `<destination>.part` with its resume record beside it,
//! the retries, and the words that tell the user what went wrong.
//! Invariant: a file appears under its destination name only after its size and SHA-256 were found right and it was
//! synced to disk; until then the destination is as it was before.
//! Does not know what a checkpoint contains, where checkpoints are kept, or how progress is shown.
//!
//! ```text
//! catalog (what to fetch) → download (the loop) → client   (the one home of ureq)
//!                                               → answer   (what a response means: pure)
//!                                               → part     (the file being built) → record (its origin)
//!                                                                                 → disk   (locks, room, syncs)
//!                                               → retry    (whether and when to try again: pure)
//!                                               → watchdog (ends a wait that is too long, or was cancelled)
//! ```

mod answer;
mod catalog;
mod client;
mod digest;
mod disk;
mod download;
mod error;
mod part;
mod record;
mod retry;
mod watchdog;

pub use catalog::{Source, catalog};
pub use digest::Sha256Digest;
pub use download::{DownloadOptions, Outcome, Progress, download};
pub use error::DownloadError;
