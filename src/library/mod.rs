//! The vocabulary of the library: roots, files, assets, segments, and what is known about them.
//!
//! A *root* is a watched folder. A *file* is a root and a path below it. An *asset* is content, named by its BLAKE3
//! hash: copies and renames of a file are the same asset, and are embedded once. A *segment* is a span of an asset,
//! with one vector. Owns plain data types and their meaning; knows neither disks, stores nor wires.
//!
//! Identity and position are different types: [`AssetId`] names content for ever and everywhere, [`Slot`] is a vector's
//! place in one data directory.

mod asset;
mod description;
mod file;
mod filter;
mod path;
mod root;

pub use asset::{Asset, AssetId, MalformedAssetId, Segment, SegmentId, Slot, Span, TechnicalFacts};
pub use description::Description;
pub use file::{Failure, FailureCode, FileKey, FileRecord, FileStat, FileState};
pub use filter::{Filter, Range};
pub use path::{NotRelative, RelativePath};
pub use root::{Root, RootId, RootRules, WatchMode};
