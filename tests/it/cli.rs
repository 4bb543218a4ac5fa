//! The command line: the real binary in a directory of its own.
