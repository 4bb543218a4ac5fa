//! Waiting until a change is over before it is reported.
//!
//! A pure state machine: time is an argument. Invariants: nothing pending lies below something else that is pending; a
//! path is due once nothing happened at or below it for a while, and anyhow after a longer while.

use std::time::{Duration, Instant};

use super::paths::PathMap;
use crate::library::RelativePath;

/// From here on one look at the whole root is cheaper than many at its parts, and memory stays bounded.
const MOST_PENDING: usize = 4096;

/// What is due to be reported.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// These paths and all below them, sorted; none lies below another.
    Paths(Vec<RelativePath>),
    /// The whole root, and why.
    Everything(String),
}

/// Changes of one root that wait for quiet.
#[derive(Debug)]
pub(super) struct Debouncer {
    quiet: Duration,
    patience: Duration,
    pending: PathMap<Activity>,
    /// Why the root, which then is the one pending path, needs a full look.
    everything: Option<String>,
    /// Nothing is due before. What is pending is gone through only then, since events come by the ten thousand.
    earliest: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Activity {
    first: Instant,
    last: Instant,
}

impl Debouncer {
    pub(super) fn new(quiet: Duration, patience: Duration) -> Self {
        Self { quiet, patience, pending: PathMap::default(), everything: None, earliest: None }
    }

    /// Something happened at `path`.
    pub(super) fn add(&mut self, path: &RelativePath, now: Instant) {
        if let Some(covering) = self.pending.covering_mut(path) {
            covering.last = now;
            return;
        }
        let absorbed = self.pending.below(path, |_| true);
        let firsts = absorbed.iter().filter_map(|below| self.pending.remove(below)).map(|activity| activity.first);
        let first = firsts.min().unwrap_or(now);
        let activity = Activity { first, last: now };
        let deadline = activity.deadline(self.quiet, self.patience);
        self.earliest = Some(self.earliest.map_or(deadline, |earliest| earliest.min(deadline)));
        self.pending.insert(path, activity);
        if self.pending.len() > MOST_PENDING {
            self.add_everything(format!("more than {MOST_PENDING} paths changed at once"), now);
        }
    }

    /// Something happened, somewhere.
    pub(super) fn add_everything(&mut self, reason: String, now: Instant) {
        self.everything.get_or_insert(reason);
        self.add(&RelativePath::root(), now);
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        *self = Self::new(self.quiet, self.patience);
    }

    /// Takes out what is due.
    pub(super) fn due(&mut self, now: Instant) -> Option<Due> {
        if self.earliest.is_none_or(|earliest| now < earliest) {
            return None;
        }
        let (quiet, patience) = (self.quiet, self.patience);
        let paths = self.pending.below(&RelativePath::root(), |it| it.deadline(quiet, patience) <= now);
        for path in &paths {
            self.pending.remove(path);
        }
        self.earliest = self.pending.values().map(|activity| activity.deadline(quiet, patience)).min();
        if paths.is_empty() {
            return None;
        }
        match self.everything.take() {
            Some(reason) => Some(Due::Everything(reason)),
            None => Some(Due::Paths(paths)),
        }
    }

    /// Nothing is due before then, and [`Self::due`] is to be asked then.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.earliest
    }
}

impl Activity {
    fn deadline(self, quiet: Duration, patience: Duration) -> Instant {
        (self.last + quiet).min(self.first + patience)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn path(text: &str) -> RelativePath {
        RelativePath::new(Path::new(text)).unwrap()
    }

    /// Plays events `(ms, path)` to a debouncer with 100 ms of quiet and 1 s of patience, and compares what it reports,
    /// and when, if it is asked at each deadline of its own.
    fn check(events: &[(u64, &str)], expected: &[(u64, &[&str])]) {
        let start = Instant::now();
        let mut debouncer = Debouncer::new(Duration::from_millis(100), Duration::from_secs(1));
        let mut reports = Vec::new();
        let mut report = |debouncer: &mut Debouncer, until: Option<Instant>| {
            while let Some(at) = debouncer.next_deadline().filter(|&at| until.is_none_or(|until| at <= until)) {
                assert_eq!(debouncer.due(at - Duration::from_nanos(1)), None, "something was due before its deadline");
                match debouncer.due(at) {
                    Some(Due::Paths(paths)) => reports.push((at.duration_since(start).as_millis(), paths)),
                    Some(everything) => panic!("{everything:?}"),
                    None => assert!(debouncer.next_deadline().is_none_or(|next| next > at), "asked in vain for ever"),
                }
            }
        };
        for &(ms, text) in events {
            let now = start + Duration::from_millis(ms);
            report(&mut debouncer, Some(now));
            debouncer.add(&path(text), now);
        }
        report(&mut debouncer, None);
        let expected = expected.iter().map(|(ms, paths)| (u128::from(*ms), paths.iter().copied().map(path).collect()));
        assert_eq!(reports, expected.collect::<Vec<_>>(), "{events:?}");
    }

    #[test]
    fn a_path_is_due_once_it_is_quiet() {
        check(&[], &[]);
        check(&[(0, "a")], &[(100, &["a"])]);
        check(&[(0, "a"), (60, "a"), (120, "a")], &[(220, &["a"])]);
        check(&[(0, "a"), (100, "a")], &[(100, &["a"]), (200, &["a"])]);
        check(&[(0, "a"), (50, "b")], &[(100, &["a"]), (150, &["b"])]);
        check(&[(0, "b"), (0, "a")], &[(100, &["a", "b"])]);
    }

    #[test]
    fn a_path_that_never_is_quiet_is_due_now_and_then() {
        let writes: Vec<(u64, &str)> = (0..25).map(|step| (step * 90, "a")).collect();
        check(&writes, &[(1000, &["a"]), (2080, &["a"]), (2260, &["a"])]);
    }

    #[test]
    fn a_folder_stands_for_all_below() {
        check(&[(0, "a/b/c"), (50, "a")], &[(150, &["a"])]);
        check(&[(0, "a"), (50, "a/b/c")], &[(150, &["a"])]);
        check(&[(0, "a"), (0, "ab"), (0, "a/b")], &[(100, &["a", "ab"])]);
        check(&[(0, "a"), (50, "")], &[(150, &[""])]);
        let parts = (0..12).map(|step| (step * 90, "a/b")).chain([(1000, "")]).collect::<Vec<_>>();
        check(&parts, &[(1000, &["a/b"]), (1100, &[""])]);
    }

    #[test]
    fn what_a_folder_absorbs_does_not_wait_longer_for_it() {
        let mut events: Vec<(u64, &str)> = (0..11).map(|step| (step * 90, "a/b")).collect();
        events.push((950, "a"));
        events.push((990, "a/c"));
        check(&events, &[(1000, &["a"])]);
    }

    #[test]
    fn too_many_paths_are_the_whole_root() {
        let now = Instant::now();
        let mut debouncer = Debouncer::new(Duration::from_millis(100), Duration::from_secs(1));
        (0..MOST_PENDING).for_each(|index| debouncer.add(&path(&format!("f{index}")), now));
        assert_eq!(debouncer.pending.len(), MOST_PENDING);
        debouncer.add(&path("one more"), now);
        debouncer.add(&path("another"), now);
        assert_eq!(debouncer.pending.len(), 1);
        let Some(Due::Everything(reason)) = debouncer.due(now + Duration::from_millis(100)) else { panic!("not due") };
        assert!(reason.contains("4096"), "{reason}");
        assert_eq!((debouncer.next_deadline(), debouncer.due(now + Duration::from_secs(9))), (None, None));
    }

    #[test]
    fn the_first_reason_for_a_full_look_stays_until_it_is_due() {
        let now = Instant::now();
        let mut debouncer = Debouncer::new(Duration::from_millis(100), Duration::from_secs(1));
        debouncer.add(&path("a"), now);
        debouncer.add_everything("lost".into(), now);
        debouncer.add_everything("lost again".into(), now);
        assert_eq!(debouncer.due(now + Duration::from_millis(100)), Some(Due::Everything("lost".into())));
        debouncer.add(&RelativePath::root(), now);
        debouncer.clear();
        assert_eq!(debouncer.next_deadline(), None);
    }
}
