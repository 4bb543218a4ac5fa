//! One process for one data directory.
//!
//! The lock is the system's, on the file `lock`: it ends with the process, however that ends. The process id in the
//! file is only there to be told to whoever comes second.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::path::Path;

use super::StoreError;
use super::durable::at;

const NAME: &str = "lock";

/// The right to use a data directory, until dropped or the process ends.
#[derive(Debug)]
pub struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    /// Makes the directory if need be, and takes it.
    ///
    /// # Errors
    /// [`StoreError::Locked`] at once if somebody has it, [`StoreError::Io`] if it cannot be written to.
    pub fn acquire(directory: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(directory).map_err(at(directory))?;
        let path = directory.join(NAME);
        let mut options = OpenOptions::new();
        let mut file = options.read(true).write(true).create(true).truncate(false).open(&path).map_err(at(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::Locked { path: directory.into(), holder: holder(&mut file) });
            }
            Err(TryLockError::Error(source)) => return Err(StoreError::Io { path, source }),
        }
        // A disk that is full takes no process id; the lock holds all the same.
        let _ = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
        Ok(Self { _file: file })
    }
}

fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(20).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_has_it_until_it_is_let_go() {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("new/data");
        let first = DirectoryLock::acquire(&data).unwrap();
        let refused = DirectoryLock::acquire(&data).unwrap_err().to_string();
        let expected = format!("in use by another earmark (process {})", std::process::id());
        assert!(refused.starts_with(&data.display().to_string()) && refused.contains(&expected), "{refused}");
        drop(first);
        DirectoryLock::acquire(&data).unwrap();
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        fs::write(&file, "").unwrap();
        let refused = DirectoryLock::acquire(&file.join("data")).unwrap_err();
        assert!(matches!(&refused, StoreError::Io { path, .. } if path.starts_with(&file)), "{refused}");
    }
}
