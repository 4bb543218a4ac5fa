//! Opening regular files and nothing else, and what it means when that fails.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::{FileFailure, Refusal};
use crate::library::{FailureCode, FileStat};

/// What an error of the system means for a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// It is not there, or no regular file.
    Gone,
    /// It may be had later: the system is short of something, or the disk is away.
    Passing,
    /// It stays so until somebody does something about it.
    Lasting,
}

/// Opens a regular file.
pub(super) fn open(path: &Path) -> Result<(Arc<File>, FileStat), Refusal> {
    // Looked at before it is opened, because opening a device may already do something.
    let named = std::fs::symlink_metadata(path).map_err(|error| refuse(&error, None))?;
    if !named.is_file() {
        return Err(Refusal::Gone);
    }
    let opened = open_as_it_is(path).and_then(|file| Ok((file.metadata()?, file)));
    let (metadata, file) = opened.map_err(|error| refuse(&error, Some(&named)))?;
    if !metadata.is_file() {
        return Err(Refusal::Gone);
    }
    Ok((Arc::new(file), FileStat::of(&metadata)))
}

/// Whether the file is still of this size and time.
pub(super) fn has_stat(file: &File, stat: &FileStat) -> io::Result<bool> {
    Ok(FileStat::of(&file.metadata()?).same_content(stat))
}

/// Opens what lies at a path: if that has become a symbolic link, an error, and if a pipe, without waiting for it.
fn open_as_it_is(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, flags.bits().cast_signed());
    }
    options.open(path)
}

fn refuse(error: &io::Error, named: Option<&Metadata>) -> Refusal {
    match meaning(error) {
        Meaning::Gone => Refusal::Gone,
        Meaning::Passing => Refusal::Unsettled,
        Meaning::Lasting => {
            let stat = named.map_or(FileStat { size: 0, modified_ns: 0, inode: None }, FileStat::of);
            let failure = FileFailure { code: FailureCode::Unreadable, reason: format!("cannot be read: {error}") };
            Refusal::Failed { stat, failure, content: None }
        }
    }
}

/// What an error means.
pub(super) fn meaning(error: &io::Error) -> Meaning {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::NotFound | Kind::NotADirectory | Kind::IsADirectory => Meaning::Gone,
        Kind::OutOfMemory
        | Kind::WouldBlock
        | Kind::TimedOut
        | Kind::Interrupted
        | Kind::NotConnected
        | Kind::HostUnreachable
        | Kind::NetworkUnreachable
        | Kind::NetworkDown
        | Kind::StaleNetworkFileHandle
        | Kind::ResourceBusy => Meaning::Passing,
        _ => meaning_of_code(error),
    }
}

/// The meaning of errors that have no kind of their own.
#[cfg(unix)]
fn meaning_of_code(error: &io::Error) -> Meaning {
    use rustix::io::Errno;
    match Errno::from_io_error(error) {
        Some(Errno::LOOP | Errno::NXIO | Errno::NODEV) => Meaning::Gone,
        Some(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::HOSTDOWN) => Meaning::Passing,
        _ => Meaning::Lasting,
    }
}

#[cfg(not(unix))]
fn meaning_of_code(_: &io::Error) -> Meaning {
    Meaning::Lasting
}

#[cfg(all(test, unix))]
mod tests {
    use rustix::io::Errno;

    use super::*;

    #[test]
    fn errors_are_told_apart_by_what_can_be_done() {
        let check = |errno: Errno, expected| assert_eq!(meaning(&errno.into()), expected, "{errno:?}");
        for errno in [Errno::NOENT, Errno::NOTDIR, Errno::LOOP, Errno::NXIO, Errno::ISDIR] {
            check(errno, Meaning::Gone);
        }
        for errno in [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::STALE, Errno::NOTCONN, Errno::AGAIN] {
            check(errno, Meaning::Passing);
        }
        for errno in [Errno::ACCESS, Errno::PERM, Errno::IO, Errno::NAMETOOLONG] {
            check(errno, Meaning::Lasting);
        }
    }

    #[test]
    fn what_cannot_be_read_is_a_failure_with_a_reason() {
        let named = std::fs::symlink_metadata(std::env::current_exe().unwrap()).unwrap();
        let Refusal::Failed { stat, failure, content } = refuse(&Errno::ACCESS.into(), Some(&named)) else {
            panic!("not a failure");
        };
        assert_eq!((stat, failure.code, content), (FileStat::of(&named), FailureCode::Unreadable, None));
        assert!(failure.reason.starts_with("cannot be read: Permission denied"), "{}", failure.reason);
        assert!(matches!(refuse(&Errno::IO.into(), None), Refusal::Failed { stat, .. } if stat.size == 0));
    }
}
