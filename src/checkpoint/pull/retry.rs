//! Whether and when to try again: a pure state machine, time only passes through it as durations.
//!
//! Invariant: the number of tries has a bound. The count starts afresh only when at least [`WORTHWHILE_BYTES`] more of
//! the file are on disk than ever before, which can happen at most `size / WORTHWHILE_BYTES` times.

use std::time::Duration;

use super::{DownloadError, DownloadOptions};

/// New bytes that prove a connection worth coming back to.
const WORTHWHILE_BYTES: u64 = 1 << 20;

/// What can still be done after an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Remedy {
    /// Asking again gives the same answer.
    GiveUp,
    /// Ask for the rest later.
    Resume,
    /// What is on disk does not fit what the server has: ask for everything.
    StartOver,
}

/// Sorts an error. `pieced` says that the part on disk came from more than one response to this call.
pub(super) fn remedy(error: &DownloadError, pieced: bool) -> Remedy {
    match error {
        DownloadError::HostNotFound { .. }
        | DownloadError::Refused { .. }
        | DownloadError::Stalled { .. }
        | DownloadError::Network { .. }
        | DownloadError::Truncated { .. } => Remedy::Resume,
        DownloadError::Status { status: 408 | 429 | 500..=599, .. } => Remedy::Resume,
        DownloadError::Range { .. } => Remedy::StartOver,
        // Pieces that do not make the right whole may have come from two versions, or from a disk that lost the tail
        // of the part in a power cut. One response that is wrong will be wrong again.
        DownloadError::WrongHash { .. } if pieced => Remedy::StartOver,
        _ => Remedy::GiveUp,
    }
}

/// How many tries are left, and how long to wait before the next.
pub(super) struct Budget {
    options: DownloadOptions,
    left: u32,
    delay: Duration,
    high_water: u64,
}

impl Budget {
    /// All tries unused, `done` bytes already on disk.
    pub(super) fn new(options: &DownloadOptions, done: u64) -> Self {
        Self { options: *options, left: options.retries, delay: options.backoff, high_water: done }
    }

    /// The wait before the next try, with `done` bytes on disk now; `None` when it is time to give up.
    pub(super) fn next_delay(&mut self, done: u64, error: &DownloadError) -> Option<Duration> {
        if done >= self.high_water.saturating_add(WORTHWHILE_BYTES) {
            *self = Self::new(&self.options, done);
        }
        self.left = self.left.checked_sub(1)?;
        let wished = match error {
            DownloadError::Status { retry_after, .. } => retry_after.unwrap_or_default(),
            _ => Duration::ZERO,
        };
        if wished > self.options.longest_retry_after {
            return None;
        }
        let delay = self.delay.max(wished);
        self.delay = (self.delay * 2).min(self.options.longest_backoff);
        Some(delay)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Sha256Digest;
    use super::*;

    fn status(status: u16, retry_after_s: Option<u64>) -> DownloadError {
        DownloadError::Status { url: String::new(), status, retry_after: retry_after_s.map(Duration::from_secs) }
    }

    fn truncated() -> DownloadError {
        DownloadError::Truncated { url: String::new(), got: 0, expected: 1 }
    }

    #[test]
    fn only_what_may_change_is_tried_again() {
        for (error, expected) in [
            (status(500, None), Remedy::Resume),
            (status(503, None), Remedy::Resume),
            (status(429, None), Remedy::Resume),
            (status(408, None), Remedy::Resume),
            (status(403, None), Remedy::GiveUp),
            (status(401, None), Remedy::GiveUp),
            (truncated(), Remedy::Resume),
            (DownloadError::NotFound { url: String::new(), status: 404 }, Remedy::GiveUp),
        ] {
            assert_eq!(remedy(&error, true), expected, "{error}");
        }
        let digest = Sha256Digest::from([0; 32]);
        let wrong = DownloadError::WrongHash { url: String::new(), got: digest, expected: digest };
        assert_eq!(remedy(&wrong, false), Remedy::GiveUp);
        assert_eq!(remedy(&wrong, true), Remedy::StartOver);
    }

    #[test]
    fn waits_double_up_to_the_limit_and_end() {
        let options = DownloadOptions {
            retries: 4,
            backoff: Duration::from_secs(1),
            longest_backoff: Duration::from_secs(3),
            ..DownloadOptions::default()
        };
        let mut budget = Budget::new(&options, 0);
        let waits: Vec<_> = (0..6).map(|_| budget.next_delay(0, &truncated()).map(|delay| delay.as_secs())).collect();
        assert_eq!(waits, [Some(1), Some(2), Some(3), Some(3), None, None]);
    }

    #[test]
    fn a_wished_wait_is_honoured_up_to_the_limit() {
        let options = DownloadOptions {
            backoff: Duration::from_secs(2),
            longest_retry_after: Duration::from_secs(60),
            ..DownloadOptions::default()
        };
        for (wished_s, expected_s) in [(None, Some(2)), (Some(1), Some(2)), (Some(60), Some(60)), (Some(61), None)] {
            let delay = Budget::new(&options, 0).next_delay(0, &status(429, wished_s));
            assert_eq!(delay, expected_s.map(Duration::from_secs), "{wished_s:?}");
        }
    }

    #[test]
    fn only_new_ground_refills_the_budget() {
        let options = DownloadOptions { retries: 1, ..DownloadOptions::default() };
        let mut budget = Budget::new(&options, 0);
        assert!(budget.next_delay(WORTHWHILE_BYTES, &truncated()).is_some());
        assert!(budget.next_delay(3 * WORTHWHILE_BYTES, &truncated()).is_some());
        // A server that cannot resume sends the same megabytes again and again: no new ground.
        assert!(budget.next_delay(2 * WORTHWHILE_BYTES, &truncated()).is_none());
        assert!(budget.next_delay(3 * WORTHWHILE_BYTES, &truncated()).is_none());
    }
}
