//! Imports: whole or not at all.
