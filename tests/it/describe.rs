//! Descriptive metadata of real and made-up files.
