//! Where a root's thread finds what the system told.
//!
//! The system drops notifications when they are not taken fast, so that leaving one here never waits for anything.
//! Repetitions are one hint, and too many different ones become a single "something was lost".

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// More different paths than this are not worth remembering.
const MOST_HINTS: usize = 65_536;

/// What may have happened at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Hint {
    /// The content of a file changed, or a file came or went.
    File,
    /// Anything: a folder may have come, gone or become another one.
    Anything,
}

/// Hints since they were last taken.
#[derive(Debug, Default)]
pub(super) struct Hints {
    /// By absolute path.
    pub(super) paths: HashMap<PathBuf, Hint>,
    /// Something else happened that nobody knows of, and why.
    pub(super) lost: Option<String>,
}

impl Hints {
    fn is_empty(&self) -> bool {
        self.paths.is_empty() && self.lost.is_none()
    }
}

/// Hints on their way to a root's thread, and the request to end.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    hints: Mutex<Hints>,
    arrived: Condvar,
    stopped: AtomicBool,
}

impl Inbox {
    pub(super) fn hint(&self, path: PathBuf, hint: Hint) {
        let mut hints = self.hints();
        let known = hints.paths.entry(path).or_insert(hint);
        *known = hint.max(*known);
        if hints.paths.len() > MOST_HINTS {
            hints.paths.clear();
            hints.lost = Some(format!("more than {MOST_HINTS} paths changed while there was no time to look"));
        }
        self.arrived.notify_one();
    }

    pub(super) fn lose(&self, reason: String) {
        self.hints().lost.get_or_insert(reason);
        self.arrived.notify_one();
    }

    /// Asks the thread to end.
    pub(super) fn stop(&self) {
        // Under the lock, so that a thread that is about to wait does not miss it.
        let _hints = self.hints();
        self.stopped.store(true, Ordering::Relaxed);
        self.arrived.notify_all();
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Takes what there is, as soon as there is something, it is `until`, or the thread shall end.
    pub(super) fn take(&self, until: Instant) -> Hints {
        std::mem::take(&mut *self.wait(until, |hints| !hints.is_empty()))
    }

    /// Waits until then, or until the thread shall end.
    pub(super) fn pause(&self, until: Instant) {
        drop(self.wait(until, |_| false));
    }

    fn wait(&self, until: Instant, enough: impl Fn(&Hints) -> bool) -> MutexGuard<'_, Hints> {
        let mut hints = self.hints();
        while !self.is_stopped() && !enough(&hints) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            hints = self.arrived.wait_timeout(hints, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        hints
    }

    fn hints(&self) -> MutexGuard<'_, Hints> {
        self.hints.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn repetitions_are_one_hint_and_the_strongest_one_counts() {
        let inbox = Inbox::default();
        inbox.hint("/a".into(), Hint::File);
        inbox.hint("/a".into(), Hint::Anything);
        inbox.hint("/a".into(), Hint::File);
        let hints = inbox.take(Instant::now());
        assert_eq!(hints.paths, HashMap::from([("/a".into(), Hint::Anything)]));
        assert!(hints.lost.is_none());
        assert!(inbox.take(Instant::now()).is_empty(), "hints are taken once");
    }

    #[test]
    fn too_many_hints_are_a_loss_and_never_silence() {
        let inbox = Inbox::default();
        (0..=MOST_HINTS).for_each(|index| inbox.hint(format!("/{index}").into(), Hint::File));
        inbox.hint("/later".into(), Hint::File);
        let hints = inbox.take(Instant::now());
        assert_eq!(hints.paths.len(), 1);
        assert!(hints.lost.is_some());
    }

    #[test]
    fn whoever_waits_is_woken_by_a_hint_and_by_the_end() {
        let inbox = Inbox::default();
        let far = Instant::now() + Duration::from_secs(60);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| inbox.take(far));
            inbox.lose("test".into());
            assert_eq!(waiting.join().unwrap().lost.as_deref(), Some("test"));
            let waiting = scope.spawn(|| inbox.pause(far));
            inbox.stop();
            waiting.join().unwrap();
        });
        assert!(Instant::now() < far);
    }
}
