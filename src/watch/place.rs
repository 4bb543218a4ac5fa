//! Placing watches on a folder and all below it.
//!
//! Each folder is watched before it is read: what appears in it later is notified, and what appeared before is read.
//! The tree may change all the while, so that every watch is checked after it was placed; whatever slips through is
//! in a folder whose own coming is notified.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Rules;
use super::folders::{Folders, Inode};
use super::inbox::Inbox;
use super::limits::{FolderLimit, InstanceLimit};
use super::live::{Notifications, Refusal};
use super::mounts::network_file_system;
use super::paths::child;
use super::scan::is_gone;
use crate::library::{FileStat, RelativePath};

/// How often a folder that becomes another one under our hands is tried. Its coming is notified, anyhow.
const ATTEMPTS: usize = 3;

/// Why a root cannot be watched, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unwatchable {
    /// No more folders can be watched.
    #[error("{0}")]
    Folders(FolderLimit),
    /// No more programs can watch.
    #[error("{0}")]
    Instances(InstanceLimit),
    /// A part of it is a network's.
    #[error("{}: on a network file system ({kind}), which does not notify of changes by others", path.display())]
    Network { path: PathBuf, kind: &'static str },
    /// The system would notify about one of them only.
    #[error(
        "{}: is the same folder as {}, and changes are notified at one of them only", path.display(), twin.display()
    )]
    Twin { path: PathBuf, twin: PathBuf },
    /// Anything else.
    #[error("{}: {reason}", path.display())]
    Other { path: PathBuf, reason: String },
}

/// What it takes to place watches in a root.
pub(super) struct Placing<'a> {
    pub(super) root: &'a Path,
    pub(super) rules: &'a Rules,
    pub(super) notifications: &'a mut dyn Notifications,
    pub(super) folders: &'a Mutex<Folders>,
    /// Tells when to give up.
    pub(super) inbox: &'a Inbox,
}

impl Placing<'_> {
    /// Watches the folder at `under` and all below it, and nothing there that is no folder any more.
    pub(super) fn place(&mut self, under: &RelativePath) -> Result<(), Unwatchable> {
        self.folders().begin_round();
        let mut waiting = vec![under.clone()];
        let mut devices = Vec::new();
        while let Some(folder) = waiting.pop() {
            if self.inbox.is_stopped() {
                return Ok(());
            }
            match self.watch(&folder, &mut devices) {
                Ok(false) => {}
                Ok(true) => self.subfolders(&folder, &mut waiting)?,
                Err(Unwatchable::Folders(_)) => {
                    waiting.push(folder);
                    return Err(Unwatchable::Folders(self.limit(waiting)));
                }
                Err(other) => return Err(other),
            }
        }
        let unseen = self.folders().unseen(under);
        self.unwatch(&unseen);
        Ok(())
    }

    /// Takes the watches from folders that are known to be gone. This can wait: the system ends most of them by itself,
    /// and may be too busy with that to answer.
    pub(super) fn sweep(&mut self) {
        while !self.inbox.is_stopped() {
            // Taken first, so that the lock is not held while the system is asked.
            let gone = self.folders().take_gone();
            let Some(folder) = gone else { return };
            self.notifications.unwatch(&folder.below(self.root));
        }
    }

    fn unwatch(&mut self, folders: &[RelativePath]) {
        for folder in folders {
            self.notifications.unwatch(&folder.below(self.root));
            self.folders().remove(folder);
        }
    }

    /// Places one watch; `false` where there is no folder, or none that may be read.
    fn watch(&mut self, folder: &RelativePath, devices: &mut Vec<u64>) -> Result<bool, Unwatchable> {
        let path = folder.below(self.root);
        let other = |reason| Unwatchable::Other { path: path.clone(), reason };
        for _ in 0..ATTEMPTS {
            let Some(inode) = folder_at(&path) else { break };
            check_device(&path, inode, devices)?;
            self.part_from_twin(folder, inode)?;
            match self.notifications.watch(&path) {
                Ok(()) if folder_at(&path) == Some(inode) => {
                    self.folders().insert(folder, inode);
                    return Ok(true);
                }
                // It became another folder, or a link, which the system would have followed.
                Ok(()) => self.notifications.unwatch(&path),
                Err(Refusal::Gone | Refusal::Forbidden) => break,
                Err(Refusal::Folders) => return Err(Unwatchable::Folders(FolderLimit::default())),
                Err(Refusal::Instances) => return Err(other("too many open files".to_owned())),
                Err(Refusal::Other(reason)) => return Err(other(reason)),
            }
        }
        self.unwatch(std::slice::from_ref(folder));
        Ok(false)
    }

    /// A folder that moved here still has its watch under its former path. It has to go first: the system has one watch
    /// for both paths, and would end it with the news that the folder left.
    fn part_from_twin(&mut self, folder: &RelativePath, inode: Inode) -> Result<(), Unwatchable> {
        let twin = self.folders().path_of(inode).filter(|&twin| twin != folder).cloned();
        let Some(twin) = twin else { return Ok(()) };
        let (path, other) = (folder.below(self.root), twin.below(self.root));
        // A mount can show a folder at two places. Asked alternately, so that moves to and fro are not taken for it.
        if [&other, &path, &other, &path, &other].into_iter().all(|it| folder_at(it) == Some(inode)) {
            return Err(Unwatchable::Twin { path, twin: other });
        }
        self.unwatch(&[twin]);
        Ok(())
    }

    fn subfolders(&self, folder: &RelativePath, into: &mut Vec<RelativePath>) -> Result<(), Unwatchable> {
        let path = folder.below(self.root);
        // What may not be read is not watched, either, until its permissions change, which is notified.
        let Ok(entries) = fs::read_dir(&path) else { return Ok(()) };
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) if is_gone(&error) => return Ok(()),
                Err(error) => return Err(Unwatchable::Other { path, reason: error.to_string() }),
            };
            if self.inbox.is_stopped() {
                return Ok(());
            }
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                let folder = child(folder, &entry.file_name());
                if self.rules.enters_within(&folder) {
                    into.push(folder);
                }
            }
        }
        Ok(())
    }

    /// What the limit would have to be: counts what is watched, what waits, and all below it.
    fn limit(&self, mut waiting: Vec<RelativePath>) -> FolderLimit {
        let mut folders = self.folders().len();
        while let Some(folder) = waiting.pop().filter(|_| !self.inbox.is_stopped()) {
            folders += 1;
            // A folder that cannot be read counts as one.
            let _ = self.subfolders(&folder, &mut waiting);
        }
        FolderLimit::read(folders)
    }

    fn folders(&self) -> MutexGuard<'_, Folders> {
        self.folders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Device and inode number of the folder at a path; `None` where there is none, or a link to one.
fn folder_at(path: &Path) -> Option<Inode> {
    let metadata = fs::symlink_metadata(path).ok().filter(fs::Metadata::is_dir)?;
    Some(FileStat::of(&metadata).inode)
}

/// Asks once for each device whether it is a network's.
fn check_device(path: &Path, inode: Inode, known: &mut Vec<u64>) -> Result<(), Unwatchable> {
    let Some((device, _)) = inode.filter(|(device, _)| !known.contains(device)) else { return Ok(()) };
    known.push(device);
    network_file_system(path).map_or(Ok(()), |kind| Err(Unwatchable::Network { path: path.into(), kind }))
}

#[cfg(test)]
mod tests;
