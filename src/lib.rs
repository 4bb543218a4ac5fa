//! earmark: local media search on AudioCLIP embeddings.
//!
//! Text, images and sounds are embedded into one 1024-dimensional space, so that any of them finds any other. This
//! crate is the library behind the `earmark` binary. See `ARCHITECTURE.md` for the map and the invariants.

pub mod checkpoint;
pub mod cli;
pub mod config;
pub mod containment;
pub mod daemon;
pub mod decode;
pub mod demo;
pub mod describe;
pub mod embed;
pub mod embedding;
pub mod engine;
pub mod eval;
pub mod grpc;
pub mod index;
pub mod library;
pub mod media;
pub mod model;
pub mod model_store;
pub mod preprocess;
pub mod store;
pub mod watch;
pub mod world;
