//! One process for one data directory.

use std::path::Path;

use super::StoreError;

/// The right to use a data directory, until dropped or the process ends.
#[derive(Debug)]
pub struct DirectoryLock {}

impl DirectoryLock {
    /// Makes the directory if need be, and takes it.
    ///
    /// # Errors
    /// [`StoreError::Locked`] at once if somebody has it, [`StoreError::Io`] if it cannot be written to.
    pub fn acquire(_directory: &Path) -> Result<Self, StoreError> {
        todo!()
    }
}
