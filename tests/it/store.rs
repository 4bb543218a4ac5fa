//! The store: batches, damage, recovery.

mod batches;
mod damage;
mod formats;
mod kill;
mod library;
mod recovery;
mod switching;
