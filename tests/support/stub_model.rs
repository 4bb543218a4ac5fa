//! A model that costs nothing: vectors are made of the hash of their input. It can be watched, held up and upset.

#![allow(dead_code, reason = "each test takes what it needs")]

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use earmark::embed::ModelInput;
use earmark::embedding::SpaceId;
use earmark::engine::encoder::{Encoder, EncoderOptions};
use earmark::engine::model::{EmbeddedText, EmbeddingModel, ModelFacts, ModelFailure};
use earmark::media::{MediaKind, RgbImage};
use earmark::model::{LogitScales, RawEmbedding};

/// Values of a vector.
pub const DIMENSIONS: usize = 1024;

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(30);

/// One call of the model.
#[derive(Debug, Clone, PartialEq)]
pub enum Call {
    /// Kind of the first input, and how many there were.
    Inputs(MediaKind, usize),
    /// The prompts.
    Prompts(Vec<String>),
}

/// What the model does instead of making a vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Refuses the batch.
    Refusal,
    /// Breaks down.
    Panic,
    /// Makes a vector that is not finite.
    NotFinite,
    /// Makes a vector of zeros.
    Zero,
    /// Makes a vector that is too short.
    Short,
}

/// A test's hold on the model, wherever that is.
#[derive(Clone, Default)]
pub struct Probe(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

/// Which inputs make trouble, and what trouble.
type TroubleMaker = Box<dyn Fn(&ModelInput) -> Option<Trouble> + Send>;

#[derive(Default)]
struct State {
    calls: Vec<Call>,
    embedded: u64,
    /// Calls that may go on; later ones wait.
    gate: Option<usize>,
    gone: bool,
    delay: Duration,
    trouble: Option<TroubleMaker>,
    bad_prompt: Option<String>,
    largest_batch: Option<usize>,
}

/// The model.
pub struct StubModel {
    probe: Probe,
    device: String,
    space: SpaceId,
}

impl Probe {
    /// Inputs of media that were given a vector.
    pub fn embedded(&self) -> u64 {
        self.lock().embedded
    }

    /// All calls so far, the one under way included.
    pub fn calls(&self) -> Vec<Call> {
        self.lock().calls.clone()
    }

    /// From now on calls wait, once they have begun.
    pub fn close_gate(&self) {
        self.open_gate_for(0);
    }

    /// Lets the first calls go on, and holds up those after them.
    pub fn open_gate_for(&self, calls: usize) {
        self.change(|state| state.gate = Some(calls));
    }

    /// Lets calls go on.
    pub fn open_gate(&self) {
        self.change(|state| state.gate = None);
    }

    /// Every call takes this long.
    pub fn slow_down(&self, delay: Duration) {
        self.change(|state| state.delay = delay);
    }

    /// Makes trouble for some inputs.
    pub fn upset(&self, trouble: impl Fn(&ModelInput) -> Option<Trouble> + Send + 'static) {
        self.change(|state| state.trouble = Some(Box::new(trouble)));
    }

    /// Refuses batches with this prompt.
    pub fn refuse_prompt(&self, prompt: &str) {
        self.change(|state| state.bad_prompt = Some(prompt.into()));
    }

    /// Refuses batches of more inputs.
    pub fn refuse_batches_above(&self, inputs: usize) {
        self.change(|state| state.largest_batch = Some(inputs));
    }

    /// Waits until so many calls have begun.
    pub fn wait_for_calls(&self, count: usize) {
        self.wait(|state| state.calls.len() >= count);
    }

    /// Waits until the model has been dropped.
    pub fn wait_until_gone(&self) {
        self.wait(|state| state.gone);
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.0.changed.notify_all();
    }

    fn wait(&self, until: impl Fn(&State) -> bool) {
        let (_state, result) = self.0.changed.wait_timeout_while(self.lock(), PATIENCE, |state| !until(state)).unwrap();
        assert!(!result.timed_out(), "the model was waited for in vain");
    }

    fn begin(&self, call: Call) {
        self.change(|state| state.calls.push(call));
        // Only one thread calls the model, so the last call is this one.
        self.wait(|state| state.gate.is_none_or(|open| state.calls.len() <= open));
        let delay = self.lock().delay;
        if !delay.is_zero() {
            std::thread::sleep(delay);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap()
    }
}

impl StubModel {
    /// A model under the eyes of `probe`, on the device "cpu".
    pub fn new(probe: &Probe) -> Self {
        Self { probe: probe.clone(), device: "cpu".into(), space: space() }
    }

    /// The same on another device.
    pub fn on(mut self, device: &str) -> Self {
        self.device = device.into();
        self
    }

    /// The same, as if its vectors were of another space.
    pub fn of(mut self, space: SpaceId) -> Self {
        self.space = space;
        self
    }
}

impl Drop for StubModel {
    fn drop(&mut self) {
        self.probe.change(|state| state.gone = true);
    }
}

/// The space of the stubs' vectors, unless another one is given.
pub fn space() -> SpaceId {
    SpaceId::from_hex(&"5b".repeat(32)).unwrap()
}

/// Options with which nothing waits longer than it must.
pub fn options() -> EncoderOptions {
    EncoderOptions {
        batch_inputs: 0,
        batch_wait: Duration::ZERO,
        queue_inputs: 32,
        queue_queries: 64,
        remembered_prompts: 0,
    }
}

/// An encoder of a new stub.
pub fn encoder(probe: &Probe, options: EncoderOptions) -> Encoder {
    encoder_of(space(), probe, options)
}

/// An encoder of a new stub with another space.
pub fn encoder_of(space: SpaceId, probe: &Probe, options: EncoderOptions) -> Encoder {
    let model = StubModel::new(probe).of(space);
    let started = Encoder::start(move || Ok::<_, String>(Box::new(model) as Box<dyn EmbeddingModel>), options);
    started.unwrap_or_else(|error| panic!("{error}"))
}

/// The vector of an input.
pub fn vector_of(input: &ModelInput) -> RawEmbedding {
    let mut hasher = DefaultHasher::new();
    let planes: &[Vec<f32>] = match input {
        ModelInput::Audio(channels) => channels,
        ModelInput::Image(planes) => std::slice::from_ref(planes),
    };
    input.kind().hash(&mut hasher);
    planes.iter().flatten().for_each(|value| value.to_bits().hash(&mut hasher));
    direction(hasher.finish())
}

/// The vector of a prompt.
pub fn vector_of_text(prompt: &str) -> RawEmbedding {
    let mut hasher = DefaultHasher::new();
    prompt.hash(&mut hasher);
    direction(hasher.finish())
}

/// A vector of about unit length in a direction of its own (splitmix64, Steele and others 2014).
fn direction(seed: u64) -> RawEmbedding {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    };
    // Uniform in [-1, 1), whose variance is a third.
    let scale = (3.0 / DIMENSIONS as f32).sqrt();
    (0..DIMENSIONS).map(|_| ((next() >> 40) as f32 / (1 << 23) as f32 - 1.0) * scale).collect()
}

impl EmbeddingModel for StubModel {
    fn facts(&self) -> ModelFacts {
        ModelFacts {
            name: "stub".into(),
            space: self.space.clone(),
            dimensions: DIMENSIONS,
            numeric_type: "f32".into(),
            device: self.device.clone(),
            parameters: 0,
            scales: LogitScales { audio_image: Some(20.0), audio_text: Some(20.0), image_text: 100.0 },
        }
    }

    fn image_preparation(&self) -> Box<dyn Fn(&RgbImage) -> ModelInput + Send + Sync> {
        Box::new(|image| {
            let size = [image.width as f32, image.height as f32];
            ModelInput::Image(size.into_iter().chain(image.pixels.iter().map(|&level| f32::from(level))).collect())
        })
    }

    fn embed(&self, inputs: &[ModelInput]) -> Result<Vec<RawEmbedding>, ModelFailure> {
        self.probe.begin(Call::Inputs(inputs[0].kind(), inputs.len()));
        let mut state = self.probe.lock();
        if state.largest_batch.is_some_and(|largest| inputs.len() > largest) {
            return Err(ModelFailure("out of memory".into()));
        }
        let mut vectors: Vec<RawEmbedding> = inputs.iter().map(vector_of).collect();
        for (input, vector) in inputs.iter().zip(&mut vectors) {
            match state.trouble.as_ref().and_then(|trouble| trouble(input)) {
                None => {}
                Some(Trouble::Refusal) => return Err(ModelFailure("refused".into())),
                Some(Trouble::Panic) => {
                    drop(state);
                    panic!("no such input");
                }
                Some(Trouble::NotFinite) => vector[7] = f32::NAN,
                Some(Trouble::Zero) => vector.fill(0.0),
                Some(Trouble::Short) => vector.truncate(3),
            }
        }
        state.embedded += inputs.len() as u64;
        Ok(vectors)
    }

    fn embed_text(&self, prompts: &[String]) -> Result<Vec<EmbeddedText>, ModelFailure> {
        self.probe.begin(Call::Prompts(prompts.to_vec()));
        if self.probe.lock().bad_prompt.as_ref().is_some_and(|bad| prompts.contains(bad)) {
            return Err(ModelFailure("refused".into()));
        }
        Ok(prompts.iter().map(|prompt| EmbeddedText { vector: vector_of_text(prompt), note: None }).collect())
    }
}
