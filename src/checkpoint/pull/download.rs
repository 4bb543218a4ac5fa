//! The loop that fetches one file: try, and while something can be done about the error, wait and try again.

use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::answer::{Asked, Placement, judge};
use super::client::{Client, check_address};
use super::part::{Part, is_complete};
use super::retry::{Budget, Remedy, remedy};
use super::watchdog::{TICK, Waits, watch};
use super::{DownloadError, Source};

const READ_BYTES: usize = 1 << 17;

/// How patient a download is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DownloadOptions {
    /// A try ends when nothing arrives for this long.
    pub stall: Duration,
    /// The most that looking up the server's name, and then connecting to it, may each take.
    pub connect: Duration,
    /// Tries after the first. The count starts afresh with each new mebibyte on disk.
    pub retries: u32,
    /// The wait before the first retry; each further one is twice as long.
    pub backoff: Duration,
    /// The longest wait between tries, unless the server asks for more.
    pub longest_backoff: Duration,
    /// The longest wait that is granted to a server that asks for it. If it asks for more, the download ends.
    pub longest_retry_after: Duration,
}

impl Default for DownloadOptions {
    fn default() -> Self {
        Self {
            stall: Duration::from_secs(30),
            connect: Duration::from_secs(15),
            retries: 4,
            backoff: Duration::from_secs(1),
            longest_backoff: Duration::from_secs(30),
            longest_retry_after: Duration::from_secs(120),
        }
    }
}

/// How far a download is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes on disk. Falls back to 0 when the server makes us start over.
    pub done: u64,
    /// Bytes of the whole file.
    pub total: u64,
    /// Bytes that were already here when the current try began: not to be counted as speed.
    pub resumed_from: u64,
}

/// How a file came to be complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was fetched, or its part file turned out to be complete.
    Downloaded,
    /// It was there, with the right size and digest; nobody was asked.
    AlreadyPresent,
}

/// Fetches `source` to `destination`, resuming what an earlier call left behind. Blocks until done.
///
/// `cancel` may be set from a signal handler or another thread at any time: the part file stays fit for a resume, as it
/// does when the process is killed. A file that is at `destination` but is not the right one is replaced at the end.
/// Retries are told to `tracing` as warnings.
///
/// # Errors
/// [`DownloadError`]; after any of them the destination is as it was before.
pub fn download(
    source: &Source,
    destination: &Path,
    options: &DownloadOptions,
    cancel: &AtomicBool,
    progress: &mut dyn FnMut(Progress),
) -> Result<Outcome, DownloadError> {
    let host = check_address(&source.url)?;
    if is_present(source, destination, cancel)? {
        return Ok(Outcome::AlreadyPresent);
    }
    let mut part = Part::open(source, destination, cancel)?;
    // Whoever held the lock until now may have finished the very same file.
    if is_present(source, destination, cancel)? {
        part.remove();
        return Ok(Outcome::AlreadyPresent);
    }
    match persist(&host, &mut part, options, cancel, progress) {
        Ok(()) => part.finish(destination).map(|()| Outcome::Downloaded),
        Err(error) => {
            // What is wrong for certain must not be resumed, and a part with nothing in it is litter.
            let worthless = matches!(error, DownloadError::WrongHash { .. } | DownloadError::TooLong { .. });
            if worthless || part.is_blank() {
                part.remove();
            }
            Err(error)
        }
    }
}

/// Tries until the part is complete and verified, or nothing more can be done.
fn persist(
    host: &str,
    part: &mut Part<'_>,
    options: &DownloadOptions,
    cancel: &AtomicBool,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), DownloadError> {
    part.check_room()?;
    let mut budget = Budget::new(options, part.length());
    loop {
        let client = Client::new(host, options);
        let error = match (Try { options, cancel, progress: &mut *progress, client: &client }).run(part) {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        let remedy = remedy(&error, part.is_pieced());
        let delay = if remedy == Remedy::GiveUp { None } else { budget.next_delay(part.length(), &error) };
        let Some(delay) = delay else { return Err(error) };
        match (remedy, &error) {
            // These bytes are wrong for certain; had a range not fitted, a later call might still use what is here.
            (Remedy::StartOver, DownloadError::WrongHash { .. }) => part.wipe()?,
            (Remedy::StartOver, _) => part.forget(),
            _ => {}
        }
        tracing::warn!("{error}; next try in {} s", delay.as_secs_f32());
        if sleep(delay, cancel) {
            return Err(part.cancelled());
        }
    }
}

fn is_present(source: &Source, destination: &Path, cancel: &AtomicBool) -> Result<bool, DownloadError> {
    is_complete(destination, source, cancel)
        .map_err(|error| DownloadError::storage(destination, source.bytes, error))?
        .ok_or_else(|| DownloadError::Cancelled { path: destination.to_owned(), got: 0, expected: source.bytes })
}

/// Sleeps in short naps; true if cancelled.
fn sleep(delay: Duration, cancel: &AtomicBool) -> bool {
    let end = Instant::now() + delay;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if cancel.load(Ordering::Relaxed) || left.is_zero() {
            return cancel.load(Ordering::Relaxed);
        }
        thread::sleep(left.min(TICK));
    }
}

/// One try.
struct Try<'a> {
    options: &'a DownloadOptions,
    cancel: &'a AtomicBool,
    progress: &'a mut dyn FnMut(Progress),
    client: &'a Client,
}

impl Try<'_> {
    /// Completes and verifies the part.
    fn run(&mut self, part: &mut Part<'_>) -> Result<(), DownloadError> {
        if part.length() < part.source().bytes {
            let (cancel, limit, client) = (self.cancel, self.options.stall, self.client);
            watch(
                cancel,
                limit,
                || client.close(),
                |waits| self.transfer(part, waits).map_err(|error| self.interruption(part, waits).unwrap_or(error)),
            )
            .map_err(|error| part.trouble(error))??;
        }
        part.verify()
    }

    fn transfer(&mut self, part: &mut Part<'_>, waits: &Waits) -> Result<(), DownloadError> {
        let (source, version) = (part.source(), part.version().clone());
        let asked = Asked { url: &source.url, start: part.length(), total: source.bytes, version: &version };
        let (head, mut body) = waits.wait(|| self.client.ask(&asked))?;
        match judge(&head, &asked)? {
            Placement::FromStart => part.restart(head.version)?,
            Placement::Append => part.resume(),
        }
        self.receive(part, &mut body, waits)?;
        if part.length() == source.bytes {
            return Ok(());
        }
        let (url, got, expected) = (source.url.clone(), part.length(), source.bytes);
        if head.chunked && !waits.stalled() {
            // Chunks have an end mark: the server has sent all it has.
            part.wipe()?;
            return Err(DownloadError::WrongSize { url, got, expected });
        }
        Err(DownloadError::Truncated { url, got, expected })
    }

    /// Writes the body to the part until it ends.
    fn receive(&mut self, part: &mut Part<'_>, body: &mut impl Read, waits: &Waits) -> Result<(), DownloadError> {
        let (source, resumed_from) = (part.source(), part.length());
        let mut buffer = vec![0; READ_BYTES];
        loop {
            let missing = source.bytes - part.length();
            (self.progress)(Progress { done: part.length(), total: source.bytes, resumed_from });
            let read = waits.wait(|| body.read(&mut buffer));
            if self.cancel.load(Ordering::Relaxed) {
                return Err(part.cancelled());
            }
            match read {
                Ok(0) => return Ok(()),
                Ok(count) if count as u64 > missing => {
                    return Err(DownloadError::TooLong { url: source.url.clone(), expected: source.bytes });
                }
                Ok(count) => part.append(&buffer[..count])?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // How a connection ends does not matter once everything is here.
                Err(_) if missing == 0 => return Ok(()),
                Err(error) => return Err(DownloadError::Network { url: source.url.clone(), source: error }),
            }
        }
    }

    /// The true reason of an error, if it is that the watchdog closed the connection.
    fn interruption(&self, part: &Part<'_>, waits: &Waits) -> Option<DownloadError> {
        if self.cancel.load(Ordering::Relaxed) {
            return Some(part.cancelled());
        }
        let url = || part.source().url.clone();
        waits.stalled().then(|| DownloadError::Stalled { url: url(), after: self.options.stall })
    }
}
