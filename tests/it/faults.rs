//! What the daemon must survive: damage to its own data, a second daemon, files that change under its hands.

mod data_directory;
mod rewriting;
