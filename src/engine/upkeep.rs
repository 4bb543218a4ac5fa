//! What is done by itself beside reading files: bringing vectors into the graphs, snapshots, forgetting, looking again.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use super::events::Event;
use super::keeper::Keeper;
use super::options::EngineOptions;
use super::planner::Planner;
use super::priority::{PER_THREAD, yield_to_others};
use super::sync::{lock, read};
use super::work::Work;
use crate::index::Index;
use crate::library::{AssetId, RootId};

/// How often progress is told while there is any.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(500);
/// How long a root must have been quiet before what was reported of it is held against all of it.
const CONFIRM_AFTER: Duration = Duration::from_secs(10);
/// How often assets without files are looked for.
const ORPHAN_INTERVAL: Duration = Duration::from_secs(600);
/// Assets forgotten in one batch.
const ORPHANS_PER_BATCH: usize = 1_000;

/// The thread of everything that is due from time to time.
pub(super) struct Upkeep {
    pub(super) keeper: Arc<Keeper>,
    pub(super) work: Arc<Work>,
    pub(super) planner: Option<Arc<Planner>>,
    pub(super) options: EngineOptions,
    pub(super) stopping: Arc<AtomicBool>,
    /// Notified when stopping.
    pub(super) wake: Arc<(Mutex<()>, Condvar)>,
    /// Held while a graph is worked on.
    pub(super) graphs: Mutex<()>,
}

impl Upkeep {
    /// Tells progress, forgets orphans, looks again; until stopped.
    pub(super) fn run(&self) {
        let (mut rescanned, mut looked) = (Instant::now(), Instant::now());
        let mut orphans: HashMap<AssetId, Instant> = HashMap::new();
        let mut busy = false;
        while !self.stopping.load(Ordering::Relaxed) {
            let progress = self.work.progress();
            // The last one says that nothing is left.
            if busy || !progress.is_idle() {
                self.keeper.events.publish(Event::Progress(progress));
            }
            busy = !progress.is_idle();
            if let Some(planner) = &self.planner {
                planner.confirm(CONFIRM_AFTER);
            }
            let interval = Duration::from_secs(self.options.watch.rescan_interval_s);
            if let Some(planner) =
                self.planner.as_ref().filter(|_| !interval.is_zero() && rescanned.elapsed() > interval)
            {
                rescanned = Instant::now();
                let roots: Vec<RootId> = read(&self.keeper.catalog).roots().map(|entry| entry.root.id).collect();
                roots.into_iter().for_each(|root| planner.look_everywhere(root));
            }
            if looked.elapsed() > ORPHAN_INTERVAL {
                looked = Instant::now();
                self.forget_orphans(&mut orphans);
            }
            self.pause(PROGRESS_INTERVAL);
        }
    }

    /// Brings vectors into the graphs and writes snapshots; until stopped. Nobody waits for that, so searches go first.
    pub(super) fn run_index(&self) {
        if PER_THREAD && let Err(reason) = yield_to_others() {
            tracing::debug!("graphs are woven at normal priority: {reason}");
        }
        let mut written = Instant::now();
        while !self.stopping.load(Ordering::Relaxed) {
            let mut busy = false;
            for index in self.keeper.indexes.iter() {
                busy |= self.maintain(index);
                if written.elapsed() > self.options.snapshot_interval
                    && index.snapshot_due()
                    && let Err(error) = index.snapshot()
                {
                    tracing::warn!("the graph was not written, the next start will build it again: {error}");
                }
            }
            if written.elapsed() > self.options.snapshot_interval {
                written = Instant::now();
            }
            if !busy {
                self.pause(PROGRESS_INTERVAL);
            }
        }
    }

    /// Brings everything into the graphs now.
    pub(super) fn finish_graphs(&self) {
        for index in self.keeper.indexes.iter() {
            while !self.stopping.load(Ordering::Relaxed) && self.maintain(index) {}
        }
    }

    fn maintain(&self, index: &Index) -> bool {
        let _turn = lock(&self.graphs);
        index.maintain()
    }

    /// Forgets assets that have had no file for long enough, as far as this process has seen.
    fn forget_orphans(&self, since: &mut HashMap<AssetId, Instant>) {
        let orphans: Vec<AssetId> = {
            let catalog = read(&self.keeper.catalog);
            catalog.assets().filter(|entry| entry.files.is_empty()).map(|entry| entry.asset.id).collect()
        };
        let now = Instant::now();
        let kept = Duration::from_secs(self.options.ingest.keep_orphans_h.saturating_mul(3600));
        let known: HashMap<AssetId, Instant> =
            orphans.into_iter().map(|id| (id, since.get(&id).copied().unwrap_or(now))).collect();
        *since = known;
        let old: Vec<AssetId> = since.iter().filter(|(_, at)| at.elapsed() >= kept).map(|(id, _)| *id).collect();
        for batch in old.chunks(ORPHANS_PER_BATCH) {
            match self.keeper.forget_orphans(batch) {
                Ok(count) => tracing::info!("{count} assets forgotten whose files have long been gone"),
                Err(error) => tracing::error!("assets without files were not forgotten: {error}"),
            }
        }
    }

    fn pause(&self, wait: Duration) {
        let (mutex, condvar) = &*self.wake;
        let guard = lock(mutex);
        if !self.stopping.load(Ordering::Relaxed) {
            drop(condvar.wait_timeout(guard, wait));
        }
    }
}
