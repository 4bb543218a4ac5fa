//! Nearest neighbours against an exact oracle, and snapshots against damage.
