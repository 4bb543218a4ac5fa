//! `daemon.json`: where the process that has a data directory open can be asked.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

const FILE_NAME: &str = "daemon.json";

/// Who has a data directory open, and where it serves. Believed only while the directory's lock is taken: a process
/// that was killed leaves its file behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunningDaemon {
    /// Its process.
    pub pid: u32,
    /// Its address, e.g. `127.0.0.1:50651`.
    pub grpc: String,
}

/// The file of this process, removed when dropped.
#[derive(Debug)]
pub struct DaemonAddress {
    path: PathBuf,
}

impl RunningDaemon {
    /// What the file in a data directory says; `None` if there is none, or no sense in it.
    pub fn find(directory: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(directory.join(FILE_NAME)).ok()?).ok()
    }

    /// Writes the file into a data directory, whose lock this process must have.
    ///
    /// # Errors
    /// What the system says, if it does not let us write.
    pub fn announce(&self, directory: &Path) -> io::Result<DaemonAddress> {
        let path = directory.join(FILE_NAME);
        let mut unfinished = tempfile::Builder::new().prefix(".earmark-").tempfile_in(directory)?;
        serde_json::to_writer(&mut unfinished, self)?;
        unfinished.write_all(b"\n")?;
        unfinished.persist(&path)?;
        Ok(DaemonAddress { path })
    }
}

impl Drop for DaemonAddress {
    fn drop(&mut self) {
        // A file that stays is recognised as left over, because the lock is free.
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_while_it_is_announced() {
        let directory = tempfile::tempdir().unwrap();
        let daemon = RunningDaemon { pid: 7, grpc: "127.0.0.1:1".into() };
        assert_eq!(RunningDaemon::find(directory.path()), None);
        let announced = daemon.announce(directory.path()).unwrap();
        assert_eq!(RunningDaemon::find(directory.path()), Some(daemon.clone()));
        drop(announced);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);

        // What somebody killed left behind is replaced.
        std::fs::write(directory.path().join(FILE_NAME), "{\"pid\":").unwrap();
        assert_eq!(RunningDaemon::find(directory.path()), None);
        let _announced = daemon.announce(directory.path()).unwrap();
        assert_eq!(RunningDaemon::find(directory.path()), Some(daemon));
    }
}
