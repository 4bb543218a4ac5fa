//! The library over gRPC: the services of `proto/earmark/v1`, health and reflection.
//!
//! Owns the conversion between wire types and ours, in `convert`, and between our errors and gRPC's statuses, in
//! `status`. Invariants: nothing from the wire reaches the engine unchecked; everything is bounded, be it messages,
//! uploads, requests under way, or time; only this machine is served. Does not know stores, indexes or models.

mod admin;
mod convert;
mod edge;
mod embed;
mod guard;
mod health;
mod info;
mod library;
mod local;
mod page;
mod search;
mod serve;
mod status;
mod upload;

pub use edge::EngineSlot;
pub use health::Health;
pub use local::connect_in_process;
pub use serve::{ServeError, ServeOptions, loopback, serve};

/// Messages, clients and servers generated from `proto/`.
#[allow(
    missing_docs,
    clippy::all,
    clippy::pedantic,
    unreachable_pub,
    unused_qualifications,
    reason = "generated; documented in proto/"
)]
pub mod proto {
    tonic::include_proto!("earmark.v1");

    /// All of `proto/`, for reflection.
    pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/earmark_descriptor.bin"));
}
