//! Files that are there whole or not at all, whenever the power goes.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use super::StoreError;

/// Puts a path before what the system said.
pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_path_buf();
    move |source| StoreError::Io { path, source }
}

/// Replaces a file, or makes it: readers find the old bytes or the new ones. On disk when it returns.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let fresh = path.with_extension("new");
    let write = || {
        let mut file = File::create(&fresh)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(at(&fresh))?;
    fs::rename(&fresh, path).map_err(at(path))?;
    sync_directory(path.parent().unwrap_or(Path::new(".")))
}

/// Makes the names in a directory last.
pub(super) fn sync_directory(path: &Path) -> Result<(), StoreError> {
    // Other systems neither need it nor open directories.
    if cfg!(unix) {
        File::open(path).and_then(|directory| directory.sync_all()).map_err(at(path))?;
    }
    Ok(())
}

/// The bytes of a file; `None` if it is not there.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(at(path)(error)),
    }
}

/// Bytes of a file, or of all files below a directory; 0 if it is not there, or goes while we look.
pub(super) fn size(path: &Path) -> Result<u64, StoreError> {
    let gone = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if gone(&error) => return Ok(0),
        Err(error) => return Err(at(path)(error)),
    };
    if !metadata.is_dir() {
        return Ok(metadata.len());
    }
    let mut bytes = 0;
    for entry in fs::read_dir(path).map_err(at(path))? {
        bytes += size(&entry.map_err(at(path))?.path())?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_file_has_the_new_bytes_only() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        assert_eq!(read(&path).unwrap(), None);
        for bytes in ["something long", "short"] {
            replace(&path, bytes.as_bytes()).unwrap();
            assert_eq!(read(&path).unwrap().unwrap(), bytes.as_bytes());
        }
        assert_eq!(size(directory.path()).unwrap(), 5);
        assert_eq!(size(&directory.path().join("absent")).unwrap(), 0);
    }
}
