//! The command line: the real binary in a directory of its own.

pub(crate) mod checkpoints;
mod classify;
mod configuration;
mod embed;
mod eval;
mod import;
mod models;
mod pull;
mod usage;
mod workplace;
