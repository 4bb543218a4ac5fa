//! What waits for the model: queries, then files.
//!
//! Invariants: both queues are bounded; whoever waits here sleeps. Does not know the model.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::{EncoderError, EncoderOptions};
use crate::embed::ModelInput;
use crate::engine::model::EmbeddedText;
use crate::media::MediaKind;
use crate::model::RawEmbedding;

/// Inputs of one kind that a processor gets at once: there a batch is hardly faster than its inputs one by one, and a
/// query may have to wait for it.
const CPU_BATCH: [usize; 2] = [4, 8];
/// Inputs that anything else gets at once, which is idle most of the time with fewer.
const GPU_BATCH: [usize; 2] = [64, 64];
/// Inputs of files that may wait for a processor.
const CPU_QUEUE: usize = 32;
/// For anything else: the next batch, and what is decoded while it is made.
const GPU_QUEUE: usize = 128;
/// Prompts that are embedded together.
pub(super) const PROMPTS_AT_ONCE: usize = 16;

/// One end of a query: where its answer goes.
pub(super) type Answer<T> = oneshot::Sender<Result<Vec<T>, EncoderError>>;

/// Inputs of one query, and what has been made of the first of them.
pub(super) struct Asked<I, O> {
    /// Those that are left.
    pub(super) inputs: VecDeque<I>,
    /// What was made of the others.
    pub(super) outputs: Vec<O>,
    /// Who waits.
    pub(super) answer: Answer<O>,
}

/// A query.
pub(super) enum Query {
    Text(Asked<String, EmbeddedText>),
    Media(Asked<ModelInput, RawEmbedding>),
}

/// An input of a file, and who takes its vector.
pub(super) struct FileInput {
    pub(super) input: ModelInput,
    pub(super) reply: Reply,
}

/// An input of a file in the queue.
struct Waiting {
    file: FileInput,
    since: Instant,
}

/// Who takes the vector of a file.
pub(super) type Reply = Box<dyn FnOnce(Result<RawEmbedding, EncoderError>) + Send>;

/// What the model is to do next.
pub(super) enum Work {
    /// Answer the query, or make its next few vectors.
    Query(Query),
    /// Answer all of these, of one prompt or few each.
    Prompts(Vec<Asked<String, EmbeddedText>>),
    /// Embed inputs of one kind.
    Files(Vec<FileInput>),
    /// Nothing that is new: go on with what is left over.
    Leftovers,
}

/// Both queues.
pub(super) struct Queue {
    state: Mutex<State>,
    /// Something was put in, or it is time to stop.
    arrived: Condvar,
    /// Files were taken out, or it is time to stop.
    taken: Condvar,
    limits: Limits,
    embedded: AtomicU64,
}

#[derive(Default)]
struct State {
    queries: VecDeque<Query>,
    files: VecDeque<Waiting>,
    stopped: bool,
}

struct Limits {
    /// By [`MediaKind`].
    batch: [usize; 2],
    wait: Duration,
    files: usize,
    queries: usize,
}

impl<I, O> Asked<I, O> {
    fn new(inputs: Vec<I>, answer: Answer<O>) -> Self {
        Self { outputs: Vec::with_capacity(inputs.len()), inputs: inputs.into(), answer }
    }
}

impl Query {
    pub(super) fn text(prompts: Vec<String>, answer: Answer<EmbeddedText>) -> Self {
        Self::Text(Asked::new(prompts, answer))
    }

    pub(super) fn media(inputs: Vec<ModelInput>, answer: Answer<RawEmbedding>) -> Self {
        Self::Media(Asked::new(inputs, answer))
    }

    fn is_text_of_at_most(&self, prompts: usize) -> bool {
        matches!(self, Self::Text(asked) if asked.inputs.len() <= prompts)
    }

    /// Nobody waits for it any more.
    fn is_abandoned(&self) -> bool {
        match self {
            Self::Text(asked) => asked.answer.is_closed(),
            Self::Media(asked) => asked.answer.is_closed(),
        }
    }
}

impl Waiting {
    fn kind(&self) -> MediaKind {
        self.file.input.kind()
    }
}

impl Queue {
    pub(super) fn new(options: EncoderOptions, device: &str) -> Self {
        let (batch, files) = if device == "cpu" { (CPU_BATCH, CPU_QUEUE) } else { (GPU_BATCH, GPU_QUEUE) };
        let limits = Limits {
            batch: if options.batch_inputs == 0 { batch } else { [options.batch_inputs; 2] },
            wait: options.batch_wait,
            files: if options.queue_inputs == 0 { files } else { options.queue_inputs },
            queries: options.queue_queries.max(1),
        };
        let (state, arrived, taken) = (Mutex::default(), Condvar::new(), Condvar::new());
        Self { state, arrived, taken, limits, embedded: AtomicU64::new(0) }
    }

    /// Most inputs of a kind to be embedded at once.
    pub(super) fn batch(&self, kind: MediaKind) -> usize {
        self.limits.batch[kind as usize]
    }

    pub(super) fn put_query(&self, query: Query) -> Result<(), EncoderError> {
        let mut state = self.lock();
        if state.stopped {
            return Err(EncoderError::Gone);
        }
        if state.queries.len() >= self.limits.queries {
            // Those that nobody waits for keep no one out.
            state.queries.retain(|query| !query.is_abandoned());
        }
        if state.queries.len() >= self.limits.queries {
            return Err(EncoderError::Overloaded);
        }
        state.queries.push_back(query);
        self.arrived.notify_one();
        Ok(())
    }

    /// Waits for room.
    pub(super) fn put_file(&self, input: ModelInput, reply: Reply) -> Result<(), EncoderError> {
        let mut state = self.lock();
        while state.files.len() >= self.limits.files && !state.stopped {
            state = self.taken.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.stopped {
            return Err(EncoderError::Gone);
        }
        state.files.push_back(Waiting { file: FileInput { input, reply }, since: Instant::now() });
        self.arrived.notify_one();
        Ok(())
    }

    /// What to do next; waits for it, unless there are leftovers to go on with. `None` when it is time to stop.
    pub(super) fn next(&self, leftovers: bool) -> Option<Work> {
        let mut state = self.lock();
        loop {
            if state.stopped {
                return None;
            }
            if let Some(work) = state.take_query() {
                return Some(work);
            }
            if leftovers {
                return Some(Work::Leftovers);
            }
            let Some(oldest) = state.files.front() else {
                state = self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let patience = self.limits.wait.saturating_sub(oldest.since.elapsed());
            if let Some(kind) = state.ripe_kind(&self.limits, patience.is_zero()) {
                let files = state.take_files(kind, self.batch(kind));
                self.taken.notify_all();
                return Some(Work::Files(files));
            }
            state = self.arrived.wait_timeout(state, patience).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Puts a query back of which something is left to do: others get their turn.
    pub(super) fn put_back(&self, query: Query) {
        self.lock().queries.push_back(query);
    }

    /// Ends it all, now and for ever.
    pub(super) fn stop(&self) {
        self.lock().stopped = true;
        self.arrived.notify_all();
        self.taken.notify_all();
    }

    /// What was still waiting when it all ended.
    pub(super) fn drain(&self) -> (VecDeque<Query>, Vec<FileInput>) {
        let mut state = self.lock();
        let files = state.files.drain(..).map(|waiting| waiting.file).collect();
        (std::mem::take(&mut state.queries), files)
    }

    pub(super) fn count_embedded(&self) {
        self.embedded.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn embedded(&self) -> u64 {
        self.embedded.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is one push or pop: a panic leaves nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The first query that somebody waits for; if it has few prompts, with those behind it that have few as well.
    fn take_query(&mut self) -> Option<Work> {
        self.queries.retain(|query| !query.is_abandoned());
        let first = match self.queries.pop_front()? {
            Query::Text(asked) if asked.inputs.len() < PROMPTS_AT_ONCE => asked,
            query => return Some(Work::Query(query)),
        };
        let mut room = PROMPTS_AT_ONCE - first.inputs.len();
        let mut together = vec![first];
        while let Some(Query::Text(asked)) = self.queries.pop_front_if(|query| query.is_text_of_at_most(room)) {
            room -= asked.inputs.len();
            together.push(asked);
        }
        Some(Work::Prompts(together))
    }

    /// The kind of which a batch should be made now, if any: one of which there are enough, or the oldest input's if
    /// that has waited long enough or keeps others out.
    fn ripe_kind(&self, limits: &Limits, overdue: bool) -> Option<MediaKind> {
        let count = |kind| self.files.iter().filter(|waiting| waiting.kind() == kind).count();
        let oldest = self.files.front()?.kind();
        if overdue || self.files.len() >= limits.files {
            return Some(oldest);
        }
        MediaKind::ALL.into_iter().find(|&kind| count(kind) >= limits.batch[kind as usize])
    }

    /// The first `count` inputs of a kind.
    fn take_files(&mut self, kind: MediaKind, count: usize) -> Vec<FileInput> {
        let (mut taken, mut others) = (Vec::new(), VecDeque::with_capacity(self.files.len()));
        for waiting in self.files.drain(..) {
            if waiting.kind() == kind && taken.len() < count {
                taken.push(waiting.file);
            } else {
                others.push_back(waiting);
            }
        }
        self.files = others;
        taken
    }
}
