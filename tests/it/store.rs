//! The store: batches, damage, recovery.

mod batches;
mod library;
