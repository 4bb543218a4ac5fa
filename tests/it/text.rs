//! Tokens: identical to the reference's.
