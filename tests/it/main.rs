//! The one integration binary: the library's public surface and the real `earmark` binary, on real files.
//!
//! Modules follow the subject they test. Nothing here needs a network, a GPU or downloaded weights.

#![allow(clippy::unwrap_used, reason = "in a test's helpers, too, a failed unwrap is a failed test")]
#![allow(unreachable_pub, reason = "support modules are shared between test binaries")]

mod audio_decode;
mod checkpoint;
mod cli;
mod demo;
mod demo_model;
mod describe;
mod encoder;
mod faults;
mod grpc;
mod half;
mod image_decode;
mod index;
mod ingest;
mod kill;
mod meaning;
mod model;
mod model_store;
mod pull;
mod query;
mod store;
mod switching;
mod text;
mod tidy;
mod watch;

#[path = "../support/closed_form.rs"]
mod closed_form;
#[path = "../support/golden.rs"]
mod golden;
#[path = "../support/parity.rs"]
mod parity;
#[path = "../support/stub_model.rs"]
mod stub_model;

use std::path::PathBuf;

/// The test material beside the repository: golden data and real recordings and photographs.
fn shared(relative: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared").join(relative)
}
