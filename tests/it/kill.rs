//! The daemon killed at random points loses nothing that it acknowledged.
