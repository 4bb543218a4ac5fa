//! Comparing roots with the disk: the threads that turn hints into scans, and scans into work.
//!
//! Invariant: whatever is reported while a scan runs is looked at after it. Scans of one root never overlap; those of
//! different roots do, so that a disk that hangs holds up nobody else.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use super::catalog::RootState;
use super::difference::{Difference, Disk, compare};
use super::events::Event;
use super::keeper::{Change, Keeper};
use super::sync::{lock, read, write};
use super::work::{Job, Work};
use crate::library::{FileKey, FileRecord, FileState, RelativePath, Root, RootId};
use crate::store::StoreError;
use crate::watch::{Rules, ScanError, ScanReport, WatchEvent, WatchState, scan};

/// Deletions and moves recorded in one batch of the store.
const CHANGES_PER_BATCH: usize = 2_000;
/// What is said of a root whose folder was replaced by one without any of its files.
const OTHER_FOLDER: &str = "another folder than before is there, with none of its files: not mounted, perhaps; if \
                            they are really gone, remove the root";
/// How long a scan that could not be recorded waits before it is tried again.
const TROUBLE_WAIT: Duration = Duration::from_secs(10);

/// What is to be looked at in a root.
#[derive(Debug, Default)]
struct Due {
    everything: bool,
    paths: BTreeSet<RelativePath>,
}

#[derive(Debug, Default)]
struct Agenda {
    due: BTreeMap<RootId, Due>,
    /// Being compared with the disk.
    busy: BTreeSet<RootId>,
    rules: BTreeMap<RootId, Arc<Rules>>,
    /// Waiting for the watcher.
    expected: BTreeSet<RootId>,
    /// When changes in a root were last reported that no look at all of it has followed yet.
    hinted: BTreeMap<RootId, Instant>,
    /// How each root is watched, as last reported.
    watched: BTreeMap<RootId, RootState>,
    stopped: bool,
}

/// The agenda, and who works it off.
pub(super) struct Planner {
    keeper: Arc<Keeper>,
    work: Arc<Work>,
    agenda: Mutex<Agenda>,
    changed: Condvar,
    stop: AtomicBool,
}

impl Planner {
    pub(super) fn new(keeper: Arc<Keeper>, work: Arc<Work>) -> Self {
        let (agenda, changed, stop) = (Mutex::default(), Condvar::new(), AtomicBool::new(false));
        Self { keeper, work, agenda, changed, stop }
    }

    /// The rules that a root is scanned by from now on.
    pub(super) fn set_rules(&self, root: RootId, rules: Arc<Rules>) {
        lock(&self.agenda).rules.insert(root, rules);
    }

    /// Forgets what is to be done in a root.
    pub(super) fn forget(&self, root: RootId) {
        self.met(root);
        let mut agenda = lock(&self.agenda);
        agenda.rules.remove(&root);
        agenda.watched.remove(&root);
        if agenda.due.remove(&root).is_some() {
            drop(agenda);
            self.work.end_scan();
        }
    }

    /// A watcher will say when a root can be compared: until then it counts as being compared.
    pub(super) fn expect(&self, root: RootId) {
        let mut agenda = lock(&self.agenda);
        if agenda.expected.insert(root) {
            self.work.begin_scan();
        }
    }

    /// Asks for a comparison of a whole root.
    pub(super) fn look_everywhere(&self, root: RootId) {
        self.look(root, |due| due.everything = true);
    }

    /// Asks for a comparison of what is at or below some paths of a root.
    pub(super) fn look_at(&self, root: RootId, paths: impl IntoIterator<Item = RelativePath>) {
        self.look(root, |due| due.paths.extend(paths));
    }

    fn look(&self, root: RootId, note: impl FnOnce(&mut Due)) {
        let mut agenda = lock(&self.agenda);
        if !agenda.rules.contains_key(&root) {
            return;
        }
        let due = agenda.due.entry(root).or_insert_with(|| {
            self.work.begin_scan();
            Due::default()
        });
        note(due);
        self.mark(root, true);
        drop(agenda);
        self.changed.notify_all();
    }

    /// Says in the catalog whether a root is being compared. Called with the agenda taken, so that the last word is
    /// true.
    fn mark(&self, root: RootId, scanning: bool) {
        if let Some(entry) = write(&self.keeper.catalog).root_mut(root) {
            entry.scanning = scanning;
        }
    }

    /// What a watcher reports.
    pub(super) fn take(&self, event: WatchEvent) {
        match event {
            WatchEvent::Changed { root, paths } => {
                lock(&self.agenda).hinted.insert(root, Instant::now());
                self.look_at(root, paths);
            }
            WatchEvent::Rescan { root, reason } => {
                tracing::info!("root {}: looked at as a whole: {reason}", root.0);
                self.look_everywhere(root);
            }
            WatchEvent::State { root, state } => {
                let state = match state {
                    WatchState::Notified => RootState::Watched,
                    WatchState::Polled { reason } => RootState::Polled(reason),
                    WatchState::Offline => RootState::Offline("the folder is not there".into()),
                };
                let online = !matches!(state, RootState::Offline(_));
                lock(&self.agenda).watched.insert(root, state.clone());
                self.set_state(root, state);
                if online {
                    self.look_everywhere(root);
                }
                self.met(root);
            }
        }
    }

    /// Looks at all of the roots in which changes were reported, once they have been quiet for a while: folders that
    /// are moved about while they are being watched anew can escape any watcher.
    pub(super) fn confirm(&self, quiet: Duration) {
        let mut agenda = lock(&self.agenda);
        let ripe: Vec<RootId> =
            agenda.hinted.iter().filter(|(_, at)| at.elapsed() >= quiet).map(|(root, _)| *root).collect();
        for root in &ripe {
            agenda.hinted.remove(root);
        }
        drop(agenda);
        ripe.into_iter().for_each(|root| self.look_everywhere(root));
    }

    /// The watcher has said something about a root.
    fn met(&self, root: RootId) {
        if lock(&self.agenda).expected.remove(&root) {
            self.work.end_scan();
        }
    }

    /// The life of each of the planner's threads: until stopped.
    pub(super) fn run(&self) {
        while let Some((root, due, rules)) = self.next() {
            if let Err(error) = self.work_off(root, &due, &rules) {
                tracing::error!("root {}: what was found could not be recorded and is tried again: {error}", root.0);
                self.look(root, |again| {
                    again.everything |= due.everything;
                    again.paths.extend(due.paths);
                });
                self.pause(TROUBLE_WAIT);
            }
            let mut agenda = lock(&self.agenda);
            agenda.busy.remove(&root);
            self.mark(root, agenda.due.contains_key(&root));
            drop(agenda);
            self.changed.notify_all();
            self.work.end_scan();
        }
    }

    /// Ends the threads after what they are doing.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
        lock(&self.agenda).stopped = true;
        self.changed.notify_all();
    }

    fn next(&self) -> Option<(RootId, Due, Arc<Rules>)> {
        let mut agenda = lock(&self.agenda);
        loop {
            if agenda.stopped {
                return None;
            }
            let free = agenda.due.keys().find(|root| !agenda.busy.contains(root)).copied();
            if let Some((root, due)) = free.and_then(|root| agenda.due.remove_entry(&root)) {
                if let Some(rules) = agenda.rules.get(&root).cloned() {
                    agenda.busy.insert(root);
                    return Some((root, due, rules));
                }
                self.work.end_scan();
                continue;
            }
            agenda = self.changed.wait(agenda).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
    }

    /// Waits, unless stopped.
    fn pause(&self, wait: Duration) {
        let agenda = lock(&self.agenda);
        let waited = self.changed.wait_timeout_while(agenda, wait, |agenda| !agenda.stopped);
        drop(waited);
    }

    fn work_off(&self, root: RootId, due: &Due, rules: &Rules) -> Result<(), StoreError> {
        let whole = [RelativePath::root()];
        let mut covered: Option<&RelativePath> = None;
        let paths: Vec<&RelativePath> =
            if due.everything { whole.iter().collect() } else { due.paths.iter().collect() };
        for path in paths {
            // Sorted by bytes, an ancestor comes before what lies below it.
            if covered.is_some_and(|covered| path.starts_with(covered)) {
                continue;
            }
            covered = Some(path);
            self.compare_with_disk(root, path, rules, due.everything)?;
        }
        Ok(())
    }

    fn compare_with_disk(
        &self,
        id: RootId,
        under: &RelativePath,
        rules: &Rules,
        everything: bool,
    ) -> Result<(), StoreError> {
        let Some(root) = read(&self.keeper.catalog).root(id).map(|entry| entry.root.clone()) else { return Ok(()) };
        let report = match scan(&root.path, rules, under, &self.stop) {
            Ok(report) => report,
            Err(ScanError::Stopped) => return Ok(()),
            Err(error) => {
                self.set_state(id, RootState::Offline(error.to_string()));
                return Ok(());
            }
        };
        let other = root.identity.is_some() && report.identity.is_some() && root.identity != report.identity;
        if other && !everything {
            // Whether it is another disk shows when all of it is looked at.
            self.look_everywhere(id);
            return Ok(());
        }
        for (path, reason) in &report.unreadable {
            tracing::warn!("{}: passed over: {reason}", path.below(&root.path).display());
        }
        let difference = self.difference(&root, under, &report);
        if other && difference.present == 0 && difference.gone.len() + difference.withheld > 0 {
            self.set_state(id, RootState::Offline(OTHER_FOLDER.into()));
            return Ok(());
        }
        if difference.withheld > 0 {
            let path = under.below(&root.path);
            tracing::warn!("{}: {} files cannot be seen and are kept", path.display(), difference.withheld);
        }
        if everything {
            self.note_scan(id, &report);
        }
        let identity = report.identity;
        let roots = (root.identity != identity).then_some(Root { identity, ..root }).into_iter().collect();
        self.record(difference, roots, everything)
    }

    fn difference(&self, root: &Root, under: &RelativePath, report: &ScanReport) -> Difference {
        let catalog = read(&self.keeper.catalog);
        let remembered: BTreeMap<RelativePath, FileRecord> =
            catalog.files_below(root.id, under).map(|(key, record)| (key.path.clone(), record.clone())).collect();
        let unknown: std::collections::HashSet<(u64, u64)> = report
            .files
            .iter()
            .filter(|(path, _)| !remembered.contains_key(path))
            .filter_map(|(_, stat)| stat.inode)
            .collect();
        let mut by_inode: HashMap<(u64, u64), Vec<(FileKey, FileRecord)>> = HashMap::new();
        if !unknown.is_empty() {
            for (key, record) in catalog.files().filter(|(_, record)| matches!(record.state, FileState::Indexed(_))) {
                if let Some(inode) = record.stat.inode.filter(|inode| unknown.contains(inode)) {
                    by_inode.entry(inode).or_default().push((key.clone(), record.clone()));
                }
            }
        }
        let roots = catalog.roots().map(|entry| (entry.root.id, entry.root.path.clone())).collect();
        drop(catalog);
        let mut disk = RealDisk { root: root.path.clone(), roots, devices: HashMap::new() };
        compare(root.id, report, &remembered, &by_inode, &mut disk)
    }

    fn record(&self, difference: Difference, roots: Vec<Root>, everything: bool) -> Result<(), StoreError> {
        let Difference { read, moved, linked, gone, .. } = difference;
        let mut change = Change { roots, ..Change::default() };
        for renamed in moved {
            change.moves.push(renamed);
            self.flush(&mut change, CHANGES_PER_BATCH)?;
        }
        for link in linked {
            change.files.push(link);
            self.flush(&mut change, CHANGES_PER_BATCH)?;
        }
        for key in gone {
            change.gone.push(key);
            self.flush(&mut change, CHANGES_PER_BATCH)?;
        }
        self.flush(&mut change, 0)?;
        self.work.add(read.into_iter().map(|(key, stat)| Job::new(key, stat.size)), !everything);
        Ok(())
    }

    /// Commits what has come together, if that is at least so many files.
    fn flush(&self, change: &mut Change, least: usize) -> Result<(), StoreError> {
        if change.is_empty() || change.moves.len() + change.files.len() + change.gone.len() < least {
            return Ok(());
        }
        self.keeper.commit(std::mem::take(change))
    }

    /// Notes what a scan of a whole root passed over, and that the root is there.
    fn note_scan(&self, id: RootId, report: &ScanReport) {
        let mut catalog = write(&self.keeper.catalog);
        let Some(entry) = catalog.root_mut(id) else { return };
        (entry.skipped, entry.unreadable) = (report.skipped, report.unreadable.len() as u64);
        let offline = matches!(entry.state, RootState::Offline(_));
        drop(catalog);
        if offline {
            let watched = lock(&self.agenda).watched.get(&id).cloned();
            let watched = watched.filter(|state| !matches!(state, RootState::Offline(_)));
            self.set_state(id, watched.unwrap_or(RootState::Unwatched));
        }
    }

    fn set_state(&self, id: RootId, state: RootState) {
        let mut catalog = write(&self.keeper.catalog);
        let Some(entry) = catalog.root_mut(id).filter(|entry| entry.state != state) else { return };
        if let RootState::Offline(reason) = &state {
            tracing::warn!("{}: its files are kept: {reason}", entry.root.path.display());
        }
        entry.state = state;
        drop(catalog);
        self.keeper.events.publish(Event::Root(id));
    }
}

struct RealDisk {
    root: PathBuf,
    roots: HashMap<RootId, PathBuf>,
    devices: HashMap<PathBuf, Option<u64>>,
}

impl Disk for RealDisk {
    fn device_above(&mut self, path: &RelativePath) -> Option<u64> {
        let path = path.below(&self.root);
        // Most missing files have missing neighbours: what was learned about a folder is kept.
        for folder in path.ancestors().skip(1).take_while(|folder| folder.starts_with(&self.root)) {
            let there = *self.devices.entry(folder.into()).or_insert_with(|| device(folder));
            if there.is_some() {
                return there;
            }
        }
        None
    }

    fn exists(&mut self, key: &FileKey) -> bool {
        let root = self.roots.get(&key.root);
        root.is_some_and(|root| key.path.below(root).symlink_metadata().is_ok())
    }
}

#[cfg(unix)]
fn device(folder: &std::path::Path) -> Option<u64> {
    Some(std::os::unix::fs::MetadataExt::dev(&folder.metadata().ok()?))
}

#[cfg(not(unix))]
fn device(folder: &std::path::Path) -> Option<u64> {
    folder.metadata().ok().map(|_| 0)
}
