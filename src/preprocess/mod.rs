//! Decoded media and typed words to what the model takes, exactly as it was trained (SPEC 6, 7 and 8).
//!
//! Invariant: a change that moves a single value changes [`VERSION`], and with it every embedding space.
//! Does not know files, codecs or tensors.

pub mod audio;
pub mod image;
pub mod text;
pub mod tokens;

/// Version of everything in this module, part of the identity of an embedding space.
pub const VERSION: u32 = 1;
