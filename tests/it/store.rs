//! The store: batches, damage, recovery.
