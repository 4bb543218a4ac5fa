//! The library over gRPC: the services of `proto/earmark/v1`, health and reflection.
//!
//! Owns the conversion between wire types and ours, in `convert`, and between our errors and gRPC's statuses, in
//! `status`. Invariant: nothing from the wire reaches the engine unchecked. Does not know stores, indexes or models.

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
