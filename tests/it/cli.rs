//! The command line: the real binary in a directory of its own.

pub(crate) mod checkpoints;
mod classify;
mod configuration;
mod daemon;
mod embed;
mod eval;
mod import;
mod index;
mod library;
mod models;
mod pull;
mod search;
mod serve;
mod switching;
mod usage;
pub(crate) mod workplace;
