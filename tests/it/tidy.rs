//! The rules of this codebase that a test can hold.
