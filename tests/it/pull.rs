//! Downloading a checkpoint from a server that misbehaves in every way we could think of.
//!
//! Each test scripts the server connection by connection, and judges by the error's variant, by the file byte for byte,
//! and by what the server was asked: bytes that are on disk are never asked for again.

mod interruption;
mod local;
mod redirect;
mod refusal;
mod resume;
mod server;
mod transfer;
mod trial;
