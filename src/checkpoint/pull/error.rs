//! Why a checkpoint could not be fetched, in variants a caller can act on, and what to do about each.
//!
//! Addresses in messages are the ones the user gave or the catalogue holds, never those of a redirect: these can carry
//! a signature that is as good as a password.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Sha256Digest, Source};

/// Why a checkpoint could not be fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DownloadError {
    /// The address cannot be fetched at all; nothing was tried.
    #[error(
        "not a usable address: {reason}; give an http:// or https:// one (a file already here: earmark model import)"
    )]
    Address {
        /// What is wrong with it. The address itself is left out: it may hold a password.
        reason: &'static str,
    },
    /// The name of the server is unknown: offline, DNS broken, or a typing error.
    #[error("{url}: the server's name was not found; check the network connection and the address")]
    HostNotFound {
        /// The address asked for.
        url: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// Nobody listens there, or a firewall refuses.
    #[error("{url}: connection refused; check the address, the firewall and the proxy settings")]
    Refused {
        /// The address asked for.
        url: String,
        /// What the system said.
        source: io::Error,
    },
    /// The proxy from the environment would not connect us.
    #[error("{url}: the proxy failed: {reason}; check HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY")]
    Proxy {
        /// The address asked for.
        url: String,
        /// What the proxy said.
        reason: String,
    },
    /// No secure connection could be made.
    #[error(
        "{url}: no secure connection: {reason}; check the clock, and behind a proxy that inspects traffic \
         let SSL_CERT_FILE name a bundle that holds its certificate"
    )]
    Tls {
        /// The address asked for.
        url: String,
        /// What the TLS library said.
        reason: String,
    },
    /// The server was silent for too long.
    #[error("{url}: nothing arrived for {} s; server or network are stuck, try again later", .after.as_secs_f32())]
    Stalled {
        /// The address asked for.
        url: String,
        /// How long nothing came.
        after: Duration,
    },
    /// The connection broke.
    #[error("{url}: connection lost: {source}; try again")]
    Network {
        /// The address asked for.
        url: String,
        /// What the system said.
        source: io::Error,
    },
    /// The server does not have the file (404), or no longer (410).
    #[error("{url}: not found (status {status}); check the address, or give another with --url")]
    NotFound {
        /// The address asked for.
        url: String,
        /// 404 or 410.
        status: u16,
    },
    /// Any other status that is not the file.
    #[error("{url}: the server answered with status {status}{}", Wait(.retry_after))]
    Status {
        /// The address asked for.
        url: String,
        /// The HTTP status.
        status: u16,
        /// How long the server wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// The redirects go round in circles, or nowhere.
    #[error("{url}: the server redirects without end or to nowhere: {reason}; give another address with --url")]
    Redirect {
        /// The address asked for.
        url: String,
        /// What is wrong with them.
        reason: String,
    },
    /// The answer is not the HTTP that was asked for.
    #[error("{url}: not understood: {reason}; give another address with --url")]
    Protocol {
        /// The address asked for.
        url: String,
        /// What is wrong with the answer.
        reason: String,
    },
    /// The server sent the file compressed although it was asked not to.
    #[error("{url}: sent as {encoding}, asked for as it is; give another address with --url")]
    Encoded {
        /// The address asked for.
        url: String,
        /// The content coding.
        encoding: String,
    },
    /// The server sent another part of the file than the one asked for.
    #[error("{url}: got {got}, asked for {asked}; the server cannot resume, delete the part file and try again")]
    Range {
        /// The address asked for.
        url: String,
        /// What the answer says it is.
        got: String,
        /// The range asked for.
        asked: String,
    },
    /// The connection ended early, without an error.
    #[error("{url}: ended after {got} bytes, expected {expected}; try again")]
    Truncated {
        /// The address asked for.
        url: String,
        /// Bytes there are.
        got: u64,
        /// Bytes of the whole file.
        expected: u64,
    },
    /// What the server offers has another size: another file, an error page, a login page.
    #[error(
        "{url}: {got} bytes, expected {expected}; this is another file or a login page, check the address in a browser"
    )]
    WrongSize {
        /// The address asked for.
        url: String,
        /// Bytes the server announced or sent.
        got: u64,
        /// Bytes of the right file.
        expected: u64,
    },
    /// The server kept sending after the last byte of the file.
    #[error("{url}: more than the expected {expected} bytes; this is another file, check the address")]
    TooLong {
        /// The address asked for.
        url: String,
        /// Bytes of the right file.
        expected: u64,
    },
    /// The size is right and the content is not. The bytes were thrown away.
    #[error(
        "{url}: sha256 {got}, expected {expected}; the file was changed or damaged on its way and has been deleted"
    )]
    WrongHash {
        /// The address asked for.
        url: String,
        /// Digest of what arrived.
        got: Sha256Digest,
        /// Digest of the right file.
        expected: Sha256Digest,
    },
    /// The disk is full, or a quota is.
    #[error("{}: no room for the {missing} bytes still to come; free some, or choose another disk", .path.display())]
    DiskFull {
        /// The file being written.
        path: PathBuf,
        /// Bytes still to come.
        missing: u64,
        /// What the system said.
        source: io::Error,
    },
    /// The file may not be written.
    #[error("{}: may not be written: {source}; check the owner and the mode of the folder", .path.display())]
    Permission {
        /// The file concerned.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Any other trouble with a local file.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file concerned.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process is fetching the same file.
    #[error("{}: in use by another download; wait for it, or stop it", .path.display())]
    Busy {
        /// The part file that is locked.
        path: PathBuf,
    },
    /// The caller asked to stop.
    #[error("{}: cancelled at {got} of {expected} bytes", .path.display())]
    Cancelled {
        /// The part file, fit for a resume.
        path: PathBuf,
        /// Bytes there are.
        got: u64,
        /// Bytes of the whole file.
        expected: u64,
    },
}

/// " and asks to be left alone for 30 s", or nothing.
struct Wait<'a>(&'a Option<Duration>);

impl std::fmt::Display for Wait<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(wait) => write!(f, " and asks to be left alone for {} s", wait.as_secs()),
            None => Ok(()),
        }
    }
}

impl DownloadError {
    /// Sorts trouble with the file at `path`, of which `missing` bytes are still to come.
    pub(super) fn storage(path: &Path, missing: u64, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                Self::DiskFull { path, missing, source }
            }
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Self::Permission { path, source },
            _ => Self::Io { path, source },
        }
    }

    /// What to do next, in a few lines for the terminal; `None` where the message already says it all.
    pub fn hint(&self, source: &Source) -> Option<String> {
        const RESUME: &str = "what has arrived is kept: the same command resumes there";
        match self {
            Self::Cancelled { .. } | Self::DiskFull { .. } => Some(RESUME.to_owned()),
            Self::Stalled { .. } | Self::Network { .. } | Self::Truncated { .. } => {
                Some(format!("{RESUME}\n{}", source.by_hand()))
            }
            Self::Permission { .. } | Self::Io { .. } | Self::Busy { .. } => None,
            _ => Some(source.by_hand()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn storage_trouble_is_sorted_by_what_helps() {
        fn check(kind: io::ErrorKind, expected: &str) {
            let error = DownloadError::storage(Path::new("m.pt.part"), 7, kind.into()).to_string();
            assert!(error.starts_with(expected), "{kind:?}: {error}");
        }
        check(io::ErrorKind::StorageFull, "m.pt.part: no room for the 7 bytes");
        check(io::ErrorKind::QuotaExceeded, "m.pt.part: no room for the 7 bytes");
        check(io::ErrorKind::PermissionDenied, "m.pt.part: may not be written");
        check(io::ErrorKind::ReadOnlyFilesystem, "m.pt.part: may not be written");
        check(io::ErrorKind::NotADirectory, "m.pt.part: not a directory");
    }

    #[test]
    fn hints_speak_of_resuming_only_where_something_was_kept() {
        let source = Source::named("audioclip-full").unwrap();
        let url = source.url.clone();
        let path = PathBuf::from("m.pt.part");
        let by_hand = source.by_hand();
        let check = |error: DownloadError, resumes: bool, manual: bool| {
            let hint = error.hint(&source).unwrap_or_default();
            assert_eq!(hint.contains("resumes there"), resumes, "{error}");
            assert_eq!(hint.contains(&by_hand), manual, "{error}");
        };
        check(DownloadError::Cancelled { path: path.clone(), got: 1, expected: 2 }, true, false);
        check(DownloadError::Busy { path }, false, false);
        check(DownloadError::Truncated { url: url.clone(), got: 1, expected: 2 }, true, true);
        check(DownloadError::NotFound { url, status: 404 }, false, true);
    }
}
