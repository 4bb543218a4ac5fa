//! Walking and watching real folders.
