//! Reading files and having them embedded: the threads between the queue and the keeper.
//!
//! A worker takes a file, hashes and decodes it, and hands its windows to the encoder; when the last vector is there,
//! the file goes to the recorder, which commits several at a time. Invariant: content that is known, or on its way
//! through, is not embedded again.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::assembly::Assembly;
use super::content::ContentOptions;
use super::encoder::Encoder;
use super::fetch::{FetchOptions, FileFailure, Refusal, fetch};
use super::keeper::Keeper;
use super::options::{EngineOptions, Priority};
use super::priority::yield_to_others;
use super::sync::{lock, read};
use super::work::{Job, Work};
use crate::library::{AssetId, Failure, FailureCode, FileKey, FileStat, FileState};
use crate::store::NewAsset;

/// How long a file waits that could not be recorded or embedded through no fault of its own.
const TROUBLE_WAIT: Duration = Duration::from_secs(10);
/// A run that ends by itself puts a file off this often before it leaves it to the next one.
const MOST_DEFERRALS: u32 = 60;

/// A file that was read, for the recorder.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) job: Job,
    pub(super) stat: FileStat,
    pub(super) result: ReadResult,
}

/// What became of reading a file.
#[derive(Debug)]
pub(super) enum ReadResult {
    /// Content that was not known.
    New(Box<NewAsset>),
    /// Content that is in the library.
    Known(AssetId),
    /// No media.
    Ignored,
    /// Why it cannot be searched.
    Failed(Failure),
    /// This content was not embedded through no fault of its own.
    Interrupted(AssetId),
}

/// What all workers share.
pub(super) struct Ingest {
    pub(super) keeper: Arc<Keeper>,
    pub(super) work: Arc<Work>,
    pub(super) encoder: Encoder,
    pub(super) options: EngineOptions,
    pub(super) stopping: Arc<AtomicBool>,
    /// The run ends when nothing is left to do, so that nothing may be put off for ever.
    pub(super) ends: bool,
    /// Content on its way, with the other files that have it.
    on_the_way: Mutex<HashMap<AssetId, Vec<(Job, FileStat)>>>,
    /// Content that failed, and why.
    failures: Mutex<HashMap<AssetId, Failure>>,
    /// Tells that a file is not what it was when it was noticed.
    vanished: Box<dyn Fn(FileKey) + Send + Sync>,
}

/// Milliseconds since 1970.
pub(super) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

impl Ingest {
    pub(super) fn new(
        keeper: Arc<Keeper>,
        work: Arc<Work>,
        encoder: Encoder,
        options: EngineOptions,
        stopping: Arc<AtomicBool>,
        ends: bool,
        vanished: impl Fn(FileKey) + Send + Sync + 'static,
    ) -> Self {
        let failed = |state: &FileState| match state {
            FileState::Failed(failure) => Some((failure.content?, failure.clone())),
            FileState::Indexed(_) | FileState::Ignored => None,
        };
        let failures = read(&keeper.catalog).files().filter_map(|(_, record)| failed(&record.state)).collect();
        let (on_the_way, failures, vanished) = (Mutex::default(), Mutex::new(failures), Box::new(vanished));
        Self { keeper, work, encoder, options, stopping, ends, on_the_way, failures, vanished }
    }

    /// A worker's life: until the queue is closed.
    pub(super) fn run_worker(&self, recorder: &Sender<Finished>) {
        if self.options.ingest.priority == Priority::Idle
            && let Err(reason) = yield_to_others()
        {
            tracing::warn!("files are read at normal priority, whatever ingest.priority says: {reason}");
        }
        while let Some(job) = self.work.next() {
            self.read(job, recorder);
        }
    }

    fn read(&self, job: Job, recorder: &Sender<Finished>) {
        let path = read(&self.keeper.catalog).absolute(&job.file);
        let Some(path) = path else {
            self.work.finish(&job);
            return;
        };
        if let Some((stat, wait)) = self.unsettled(&path, &job) {
            self.put_off(Job { seen: Some((stat, Instant::now())), ..job }, wait);
            return;
        }
        let fetched = match fetch(&path, &self.fetch_options()) {
            Ok(fetched) => fetched,
            Err(refusal) => return self.refused(job, refusal, recorder),
        };
        let stat = fetched.stat;
        let wanted = read(&self.keeper.catalog).root(job.file.root).map(|entry| entry.root.rules.kinds.clone());
        if wanted.is_some_and(|kinds| !kinds.is_empty() && !kinds.contains(&fetched.kind)) {
            return deliver(recorder, Finished { job, stat, result: ReadResult::Ignored });
        }
        let Some(job) = self.claim(job, fetched.id, stat, recorder) else { return };
        tracing::debug!("{}: reading", path.display());
        let assembly = Assembly::new(job, stat, fetched.id, fetched.kind, recorder.clone(), self.work.clone());
        let read = fetched.read(&self.content_options(), &self.encoder.image_preparation(), &mut |window| {
            if self.stopping.load(Ordering::Relaxed) {
                assembly.interrupt();
            }
            assembly.submit(&self.encoder, window)
        });
        match read {
            Ok(facts) => assembly.complete(facts),
            Err(refusal) => {
                let Some(job) = assembly.abandon() else { return };
                if let Refusal::Failed { .. } = refusal {
                    return self.refused(job, refusal, recorder);
                }
                // The content is not what was hashed: files that wait for it are read again.
                for (job, _) in self.release(fetched.id) {
                    self.put_off(job, self.options.ingest.settle());
                }
                self.refused(job, refusal, recorder);
            }
        }
    }

    /// Whether the caller is to embed this content; otherwise somebody else is, or nobody needs to.
    fn claim(&self, job: Job, id: AssetId, stat: FileStat, recorder: &Sender<Finished>) -> Option<Job> {
        let mut on_the_way = lock(&self.on_the_way);
        if read(&self.keeper.catalog).asset(&id).is_some() {
            deliver(recorder, Finished { job, stat, result: ReadResult::Known(id) });
            return None;
        }
        if let Some(waiting) = on_the_way.get_mut(&id) {
            waiting.push((job, stat));
            return None;
        }
        if job.retry {
            lock(&self.failures).remove(&id);
        } else if let Some(failure) = lock(&self.failures).get(&id) {
            let failure = Failure { at_ms: now_ms(), ..failure.clone() };
            deliver(recorder, Finished { job, stat, result: ReadResult::Failed(failure) });
            return None;
        }
        on_the_way.insert(id, Vec::new());
        Some(job)
    }

    /// Content is on its way no more; returns the other files that have it.
    pub(super) fn release(&self, id: AssetId) -> Vec<(Job, FileStat)> {
        lock(&self.on_the_way).remove(&id).unwrap_or_default()
    }

    /// Remembers that content cannot be searched.
    pub(super) fn remember(&self, failure: &Failure) {
        if let Some(content) = failure.content {
            lock(&self.failures).insert(content, failure.clone());
        }
    }

    /// Why content cannot be searched, if it cannot.
    pub(super) fn failure(&self, id: AssetId) -> Option<Failure> {
        lock(&self.failures).get(&id).cloned()
    }

    /// If the file was modified so recently that it may be unfinished: how it looks, and how long to wait.
    fn unsettled(&self, path: &std::path::Path, job: &Job) -> Option<(FileStat, Duration)> {
        let settle = self.options.ingest.settle();
        let stat = FileStat::of(&std::fs::symlink_metadata(path).ok()?);
        if let Some((seen, since)) = &job.seen
            && *seen == stat
            && since.elapsed() >= settle
        {
            // It has not changed for long enough by our own clock, whatever the file system's says.
            return None;
        }
        let modified = i128::from(stat.modified_ns);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let age = i128::try_from(now).unwrap_or(i128::MAX) - modified;
        let settle_ns = i128::try_from(settle.as_nanos()).unwrap_or(i128::MAX);
        let left = u64::try_from((settle_ns - age).clamp(0, settle_ns)).unwrap_or(0);
        (left > 0).then(|| (stat, Duration::from_nanos(left)))
    }

    fn refused(&self, job: Job, refusal: Refusal, recorder: &Sender<Finished>) {
        match refusal {
            Refusal::Gone => {
                (self.vanished)(job.file.clone());
                self.work.finish(&job);
            }
            Refusal::Unsettled => self.put_off(job, self.options.ingest.settle()),
            Refusal::Ignored(stat) => deliver(recorder, Finished { job, stat, result: ReadResult::Ignored }),
            Refusal::Failed { stat, failure: FileFailure { code, reason }, content } => {
                let failure = Failure { content, code, reason, at_ms: now_ms() };
                deliver(recorder, Finished { job, stat, result: ReadResult::Failed(failure) });
            }
        }
    }

    /// Puts a file off, unless the run is to end.
    fn put_off(&self, job: Job, wait: Duration) {
        if self.ends && job.deferrals >= MOST_DEFERRALS {
            let path = read(&self.keeper.catalog).absolute(&job.file).unwrap_or_default();
            tracing::warn!("{}: still being written, left for the next run", path.display());
            self.work.finish(&job);
            return;
        }
        self.work.defer(job, wait);
    }

    /// Puts a file off that is not to blame.
    pub(super) fn postpone(&self, job: Job) {
        self.put_off(job, TROUBLE_WAIT);
    }

    fn fetch_options(&self) -> FetchOptions {
        FetchOptions {
            whole_file_bytes: self.options.ingest.whole_file_bytes,
            // Whether it has settled was asked before, with what is known from looking at it earlier.
            settle: Duration::ZERO,
            audio_limits: self.options.audio_limits,
            image_limits: self.options.image_limits,
        }
    }

    fn content_options(&self) -> ContentOptions {
        self.options.content()
    }
}

/// Hands a file to the recorder, which is there until the last worker has gone.
pub(super) fn deliver(recorder: &Sender<Finished>, finished: Finished) {
    let _ = recorder.send(finished);
}

/// The failure of content that the model could not embed.
pub(super) fn embedding_failure(content: AssetId, reason: String) -> Failure {
    Failure { content: Some(content), code: FailureCode::Embedding, reason, at_ms: now_ms() }
}
