//! From disk to index: what is there is found, once, and nothing else.

mod bad_media;
mod changes;
mod failures;
pub(crate) mod library;
mod offline;
mod storm;
mod tree;
