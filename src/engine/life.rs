//! The life of an engine: opening, its threads, and stopping.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::catalog::{Catalog, RootState};
use super::encoder::Encoder;
use super::ingest::Ingest;
use super::keeper::Keeper;
use super::options::EngineOptions;
use super::planner::Planner;
use super::search::Searcher;
use super::sync::{lock, read};
use super::upkeep::Upkeep;
use super::work::Work;
use super::{Activity, Engine, EngineError};
use crate::embedding::SpaceId;
use crate::index::Index;
use crate::library::{Root, RootId, Slot};
use crate::media::MediaKind;
use crate::store::{DirectoryLock, Recovery, Store, StoreError};
use crate::watch::{MalformedGlob, Rules, WatchOptions, Watcher};

/// Files that may be between being taken and being recorded, for each that fits into a batch of the store.
const READING_PER_COMMIT: usize = 4;
/// Scans of different roots that run at once.
const SCANS: usize = 3;
/// How often a thread that ends is looked at.
const JOIN_INTERVAL: Duration = Duration::from_millis(5);

/// What all handles of an engine share.
pub(super) struct Shared {
    pub(super) directory: PathBuf,
    pub(super) options: EngineOptions,
    pub(super) keeper: Arc<Keeper>,
    pub(super) searcher: Searcher,
    pub(super) work: Arc<Work>,
    /// Held while a root is added.
    pub(super) adding: Mutex<()>,
    planner: Option<Arc<Planner>>,
    upkeep: Option<Arc<Upkeep>>,
    watcher: Mutex<Option<Watcher>>,
    activity: Activity,
    /// What was found when the library was opened.
    notes: Vec<String>,
    stopping: Arc<AtomicBool>,
    wake: Arc<(Mutex<()>, Condvar)>,
    threads: Mutex<Threads>,
    lock: Mutex<Option<DirectoryLock>>,
}

#[derive(Default)]
struct Threads {
    workers: Vec<JoinHandle<()>>,
    recorder: Option<JoinHandle<()>>,
    others: Vec<JoinHandle<()>>,
}

impl Engine {
    /// Opens the library in a data directory, or makes one; when it returns, it can be searched.
    ///
    /// Without a model nothing is indexed, whatever the activity. A library with vectors of another model is switched
    /// to this one if [`EngineOptions::switch_space`] says so: its roots stay, its vectors are set aside, and
    /// everything is embedded again in the background.
    ///
    /// # Errors
    /// [`EngineError::Store`] if the directory is in use, cannot be written to, or has vectors of another model.
    pub fn open(
        directory: &Path,
        options: EngineOptions,
        encoder: Option<Encoder>,
        activity: Activity,
    ) -> Result<Self, EngineError> {
        let directory_lock = DirectoryLock::acquire(directory)?;
        let (mut store, Recovery { mut notes, .. }) = Store::open(&directory_lock, directory)?;
        let active = encoder.is_some() && activity != Activity::Still;
        let mut switched = false;
        match encoder.as_ref().map_or(Ok(()), |encoder| store.bind_space(&encoder.facts().space)) {
            Err(StoreError::OtherSpace { model, .. }) if active && options.switch_space => {
                let recovery;
                (store, recovery) = store.switch(&directory_lock, &model)?;
                notes.extend(recovery.notes);
                switched = true;
            }
            bound => bound?,
        }
        let catalog = load_catalog(&store)?;
        let indexes = open_indexes(&options, &store, &catalog, &mut notes)?;
        for note in &notes {
            tracing::warn!("{}: {note}", directory.display());
        }
        let space = store.space();
        let keeper = Arc::new(Keeper::new(store, catalog, indexes));
        let mut searcher = Searcher::new(
            keeper.catalog.clone(),
            keeper.indexes.clone(),
            encoder.clone(),
            options.search.clone(),
            options.content(),
        );
        searcher.space = space;
        let work = Arc::new(Work::new(options.ingest.commit_files.max(1) * READING_PER_COMMIT));
        let planner = active.then(|| Arc::new(Planner::new(keeper.clone(), work.clone())));
        let (stopping, wake) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let upkeep = active.then(|| {
            let (keeper, work, planner) = (keeper.clone(), work.clone(), planner.clone());
            let (options, stopping, wake) = (options.clone(), Arc::clone(&stopping), Arc::clone(&wake));
            Arc::new(Upkeep { keeper, work, planner, options, stopping, wake, graphs: Mutex::new(()) })
        });
        let shared = Arc::new(Shared {
            directory: directory.canonicalize().unwrap_or_else(|_| directory.into()),
            options,
            keeper,
            searcher,
            work,
            adding: Mutex::new(()),
            planner,
            upkeep,
            watcher: Mutex::new(None),
            activity,
            notes,
            stopping,
            wake,
            threads: Mutex::default(),
            lock: Mutex::new(Some(directory_lock)),
        });
        if let Some(encoder) = encoder.filter(|_| active) {
            shared.start(encoder, switched);
        }
        Ok(Self { shared })
    }

    /// Waits until nothing is left to do, the graphs included.
    pub fn wait_until_idle(&self) {
        self.shared.work.wait_until_idle();
        if let Some(upkeep) = &self.shared.upkeep {
            upkeep.finish_graphs();
        }
    }

    /// Folders with a watch of the system's on them.
    pub fn watched_folders(&self) -> Vec<PathBuf> {
        lock(&self.shared.watcher).as_ref().map(Watcher::watched_folders).unwrap_or_default()
    }

    /// Stops taking files, finishes what is under way within `grace`, writes the graphs, and lets go of the directory.
    pub fn stop(&self, grace: Duration) {
        self.shared.stop(grace);
    }
}

impl Shared {
    /// The planner, if this process indexes.
    pub(super) fn planner(&self) -> Result<&Arc<Planner>, EngineError> {
        self.planner.as_ref().ok_or_else(|| EngineError::Inactive("it only searches".into()))
    }

    /// The rules of a root; the data directory, if it lies in the root, is none of its business.
    pub(super) fn rules_of(&self, root: &Root) -> Result<Rules, MalformedGlob> {
        let mut rules = root.rules.clone();
        if let Ok(inside) = self.directory.strip_prefix(&root.path) {
            rules.exclude.push(globset::escape(&format!("/{}", inside.display())).split_off(1));
        }
        Rules::new(&rules, &self.options.watch.exclude, self.options.watch.hidden)
    }

    /// Starts to look after a root.
    pub(super) fn begin(&self, root: &Root, rules: Arc<Rules>) {
        let Some(planner) = &self.planner else { return };
        planner.set_rules(root.id, rules.clone());
        match lock(&self.watcher).as_ref() {
            // The watcher says when it is ready: a scan after that misses nothing.
            Some(watcher) => {
                planner.expect(root.id);
                watcher.watch(root, rules);
            }
            None => planner.look_everywhere(root.id),
        }
    }

    /// Stops looking after a root.
    pub(super) fn end(&self, id: RootId) {
        if let Some(watcher) = lock(&self.watcher).as_ref() {
            watcher.forget(id);
        }
        if let Some(planner) = &self.planner {
            planner.forget(id);
        }
        self.work.forget_root(id);
    }

    /// What keeps the library from its best.
    pub(super) fn warnings(&self) -> Vec<String> {
        let mut warnings = self.notes.clone();
        for entry in read(&self.keeper.catalog).roots() {
            if let RootState::Polled(reason) | RootState::Offline(reason) = &entry.state {
                warnings.push(format!("{}: {reason}", entry.root.path.display()));
            }
        }
        warnings
    }

    /// Starts the threads. All roots are compared with the disk if that is asked for, or if they are watched.
    fn start(self: &Arc<Self>, encoder: Encoder, everything: bool) {
        let (Some(planner), Some(upkeep)) = (self.planner.clone(), self.upkeep.clone()) else { return };
        let mut threads = lock(&self.threads);
        let again = planner.clone();
        let vanished = move |file: crate::library::FileKey| again.look_at(file.root, [file.path]);
        let (keeper, work, options) = (self.keeper.clone(), self.work.clone(), self.options.clone());
        let ends = self.activity == Activity::OnRequest;
        let ingest = Ingest::new(keeper, work, encoder, options, self.stopping.clone(), ends, vanished);
        let ingest = Arc::new(ingest);
        let (sender, receiver) = mpsc::channel();
        let recorder = ingest.clone();
        threads.recorder = Some(spawn("recorder", move || recorder.run_recorder(&receiver)));
        for _ in 0..self.decode_threads() {
            let (ingest, sender) = (ingest.clone(), sender.clone());
            threads.workers.push(spawn("reader", move || ingest.run_worker(&sender)));
        }
        for _ in 0..SCANS {
            let planner = planner.clone();
            threads.others.push(spawn("planner", move || planner.run()));
        }
        let (told, graphs) = (upkeep.clone(), upkeep);
        threads.others.push(spawn("upkeep", move || told.run()));
        threads.others.push(spawn("graphs", move || graphs.run_index()));
        drop(threads);
        if self.activity == Activity::Watching {
            let watch = &self.options.watch;
            let options = WatchOptions {
                quiet: Duration::from_millis(watch.quiet_ms),
                patience: Duration::from_millis(watch.patience_ms),
                poll_interval: Duration::from_secs(watch.poll_interval_s),
            };
            let taker = planner.clone();
            *lock(&self.watcher) = Some(Watcher::start(options, move |event| taker.take(event)));
        }
        let roots: Vec<Root> = read(&self.keeper.catalog).roots().map(|entry| entry.root.clone()).collect();
        for root in roots {
            match self.rules_of(&root) {
                Ok(rules) if self.activity == Activity::Watching => self.begin(&root, Arc::new(rules)),
                Ok(rules) => {
                    planner.set_rules(root.id, Arc::new(rules));
                    if everything {
                        planner.look_everywhere(root.id);
                    }
                }
                Err(error) => tracing::error!("{}: not watched: {error}", root.path.display()),
            }
        }
    }

    fn decode_threads(&self) -> usize {
        match self.options.ingest.decode_threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        }
    }

    fn stop(&self, grace: Duration) {
        let deadline = Instant::now() + grace;
        self.stopping.store(true, Ordering::Relaxed);
        drop(lock(&self.watcher).take());
        if let Some(planner) = &self.planner {
            planner.stop();
        }
        self.work.close();
        {
            let (mutex, condvar) = &*self.wake;
            let _guard = lock(mutex);
            condvar.notify_all();
        }
        let threads = std::mem::take(&mut *lock(&self.threads));
        let idle = threads.recorder.is_none();
        // What waits for the model is left to the next start: it is read again, and nobody has to wait.
        if let Some(encoder) = &self.searcher.encoder {
            encoder.stop();
        }
        let all = threads.workers.into_iter().chain(threads.recorder).chain(threads.others);
        for thread in join_until(all, deadline) {
            tracing::warn!("thread {} did not end in time", thread.thread().name().unwrap_or("unnamed"));
        }
        for index in self.keeper.indexes.iter().filter(|index| !idle && index.snapshot_due()) {
            if let Err(error) = index.snapshot() {
                tracing::warn!("the graph was not written, the next start will build it again: {error}");
            }
        }
        drop(lock(&self.lock).take());
    }
}

/// Waits for threads to end, and returns those that do not in time, because a disk hangs for instance.
fn join_until(threads: impl IntoIterator<Item = JoinHandle<()>>, deadline: Instant) -> Vec<JoinHandle<()>> {
    let mut left = Vec::new();
    for thread in threads {
        while !thread.is_finished() && Instant::now() < deadline {
            std::thread::sleep(JOIN_INTERVAL);
        }
        if thread.is_finished() {
            // Its panic, if it ended by one, was reported when it happened.
            let _ = thread.join();
        } else {
            left.push(thread);
        }
    }
    left
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    std::thread::Builder::new().name(name.into()).spawn(work).expect("the system can start a few threads")
}

fn load_catalog(store: &Store) -> Result<Catalog, StoreError> {
    let mut catalog = Catalog::default();
    for root in store.roots()? {
        catalog.put_root(root);
    }
    for asset in store.assets() {
        catalog.put_asset(Arc::new(asset?));
    }
    for file in store.files() {
        let (key, record) = file?;
        catalog.put_file(key, record);
    }
    Ok(catalog)
}

fn open_indexes(
    options: &EngineOptions,
    store: &Store,
    catalog: &Catalog,
    notes: &mut Vec<String>,
) -> Result<[Index; 2], StoreError> {
    // A store without a space has no vectors.
    let space = store.space().unwrap_or_else(|| SpaceId::from_digest("0".repeat(64)));
    let mut open = |kind: MediaKind| {
        let place = store.directory().join("index").join(kind.to_string());
        let (index, refused) =
            Index::open(options.index, &space, &place, &live_slots(catalog, kind), |first, take| {
                for stored in store.vectors_from(kind, first) {
                    let stored = stored?;
                    take(stored.slot, &stored.vector);
                }
                Ok::<(), StoreError>(())
            })?;
        notes.extend(refused.map(|reason| format!("the {kind} graph is built again: {reason}")));
        Ok::<Index, StoreError>(index)
    };
    let [first, second] = MediaKind::ALL.map(&mut open);
    Ok([first?, second?])
}

/// Slots of the assets that have files, ascending, each with whether it is silent.
fn live_slots(catalog: &Catalog, kind: MediaKind) -> Vec<(Slot, bool)> {
    let entries = catalog.assets().filter(|entry| entry.asset.kind == kind && !entry.files.is_empty());
    let segments = entries.flat_map(|entry| entry.asset.segments.iter());
    let mut slots: Vec<(Slot, bool)> = segments.map(|segment| (segment.slot, segment.silent)).collect();
    slots.sort_unstable();
    slots
}
