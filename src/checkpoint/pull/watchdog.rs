//! Ends a wait for the network that takes too long, or that the user no longer wants.
//!
//! A thread looks at the clock and at the cancel flag while another one is inside the HTTP client, and closes the
//! client's connections when it is time: whatever the client was waiting for, a TLS record, a header, a redirect's
//! body or a byte of the file, it comes back with an error at once.
//! Does not interrupt name resolution and connecting; the client bounds those itself.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};
use std::{io, thread};

/// How often flag and clock are looked at: below what a person notices.
pub(super) const TICK: Duration = Duration::from_millis(50);

/// Stands in [`Waits::since_ms`] while nobody waits.
const NOT_WAITING: u64 = u64::MAX;

/// Tells the watchdog when its charge waits for the network. Time spent on the disk does not count as a stall.
pub(super) struct Waits {
    born: Instant,
    since_ms: AtomicU64,
    stalled: AtomicBool,
}

impl Waits {
    /// Runs `work`, which waits for the network.
    pub(super) fn wait<T>(&self, work: impl FnOnce() -> T) -> T {
        self.since_ms.store(self.now_ms(), Ordering::Relaxed);
        let result = work();
        self.since_ms.store(NOT_WAITING, Ordering::Relaxed);
        result
    }

    /// Whether the watchdog closed the connections because a wait took too long.
    pub(super) fn stalled(&self) -> bool {
        self.stalled.load(Ordering::Acquire)
    }

    fn overdue(&self, limit: Duration) -> bool {
        let since_ms = self.since_ms.load(Ordering::Relaxed);
        since_ms != NOT_WAITING && Duration::from_millis(self.now_ms().saturating_sub(since_ms)) >= limit
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.born.elapsed().as_millis()).expect("no process runs for 500 million years")
    }
}

/// Runs `work` under watch. `close` is called, once, when `cancel` is set or one wait lasts `limit`.
///
/// # Errors
/// When the system has no thread to give.
pub(super) fn watch<T>(
    cancel: &AtomicBool,
    limit: Duration,
    close: impl FnOnce() + Send,
    work: impl FnOnce(&Waits) -> T,
) -> io::Result<T> {
    let waits = Waits { born: Instant::now(), since_ms: NOT_WAITING.into(), stalled: false.into() };
    let (finished, until_finished) = mpsc::channel::<()>();
    let waits = &waits;
    let look = move || {
        while until_finished.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
            let overdue = waits.overdue(limit);
            if overdue || cancel.load(Ordering::Relaxed) {
                waits.stalled.store(overdue, Ordering::Release);
                close();
                return;
            }
        }
    };
    thread::scope(|scope| {
        thread::Builder::new().name("pull-watchdog".to_owned()).spawn_scoped(scope, look)?;
        let result = work(waits);
        drop(finished);
        Ok(result)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs one wait that only `close` can end, and returns whether it counts as a stall.
    fn stalled_when_closed(cancel: bool, limit: Duration) -> bool {
        let (closed, until_closed) = mpsc::channel();
        watch(
            &AtomicBool::new(cancel),
            limit,
            move || closed.send(()).unwrap(),
            |waits| {
                waits.wait(|| until_closed.recv().unwrap());
                waits.stalled()
            },
        )
        .unwrap()
    }

    #[test]
    fn a_long_wait_is_ended_and_called_a_stall() {
        assert!(stalled_when_closed(false, TICK));
    }

    #[test]
    fn a_cancelled_wait_is_ended_and_is_no_stall() {
        assert!(!stalled_when_closed(true, Duration::from_secs(3600)));
    }

    #[test]
    fn finished_work_is_left_alone() {
        let result = watch(&AtomicBool::new(false), Duration::from_secs(3600), || panic!("closed"), |_| 7);
        assert_eq!(result.unwrap(), 7);
    }

    #[test]
    fn time_outside_a_wait_is_no_stall() {
        let waits = Waits { born: Instant::now(), since_ms: NOT_WAITING.into(), stalled: false.into() };
        assert!(!waits.overdue(Duration::ZERO));
        waits.wait(|| assert!(waits.overdue(Duration::ZERO)));
        assert!(!waits.overdue(Duration::ZERO));
    }
}
