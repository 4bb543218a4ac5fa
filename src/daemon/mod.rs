//! The life of a process that has a library open: configuration to model, model to engine, engine to server.
//!
//! Owns the order of starting and stopping, and `daemon.json`, by which other processes find the server. With the
//! command line, it is the one place that names concrete types. Invariant: nobody is told that the server is there
//! before it is, and nothing is half-written when it ends. Does not know arguments or terminals.

mod address;
mod assembly;
mod habit;
mod journal;
mod notice;
mod precision;
mod serve;
mod signals;

pub use address::{DaemonAddress, RunningDaemon};
pub use assembly::{engine_options, load_encoder, open_engine, serve_options, switch_engine};
pub use notice::introduce;
pub use precision::measure_half_precision;
pub use serve::{Daemon, InitialRoot};
pub use signals::{Interruption, interruption};
