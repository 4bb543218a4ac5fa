//! The one integration binary: the library's public surface and the real `earmark` binary, on real files.
//!
//! Modules follow the subject they test. Nothing here needs a network, a GPU or downloaded weights.

mod audio_decode;
mod checkpoint;
mod image_decode;
mod pull;
mod text;

use std::path::PathBuf;

/// The test material beside the repository: golden data and real recordings and photographs.
fn shared(relative: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared").join(relative)
}
