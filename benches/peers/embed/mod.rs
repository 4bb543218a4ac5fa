//! The embedding's part of the comparison: one model at a time, and inputs that come from files.

mod gemm;
mod hits;
mod ingest;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use earmark::config::Config;
use earmark::daemon::measure_half_precision;
use earmark::embed::{Embedder, ModelInput};
use earmark::embedding::Embedding;
use earmark::model::{DeviceChoice, RawEmbedding};
use earmark::model_store::{ImportOptions, Measure, ModelName, ModelStore};
use serde::Deserialize;
use serde_json::{Value, json};

/// What is asked for.
#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
enum Request {
    /// Installs a checkpoint, to be run in a precision.
    Import { checkpoint: PathBuf, store: PathBuf, precision: Precision },
    /// Loads a model, in place of the last.
    Open(Choice),
    /// The first inputs of a file, all together, as often as asked.
    Embed(Task),
    /// How fast matrices are multiplied.
    Gemm { size: usize, rounds: usize },
    /// From words to the nearest sounds of a library, by way of a server.
    Hits(hits::Hits),
    /// From files to a library.
    Ingest(ingest::Ingest),
}

/// A model, and where it runs.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Choice {
    model: PathBuf,
    device: DeviceChoice,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Precision {
    F32,
    Half,
}

impl Choice {
    fn load(&self) -> Result<Embedder, String> {
        Embedder::load(&self.model, self.device).map_err(|error| error.to_string())
    }

    /// A daemon's configuration, with its data in a directory.
    fn config(&self, directory: &Path) -> Config {
        let mut config = Config::load(None, []).expect("the shipped configuration is sound");
        config.model.name = self.model.to_string_lossy().into_owned();
        config.model.device = self.device;
        config.data.directory = directory.into();
        config
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Task {
    kind: Kind,
    input: PathBuf,
    /// Values of one input.
    width: usize,
    count: usize,
    rounds: usize,
    /// Where to write the vectors.
    vectors: Option<PathBuf>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Audio,
    Image,
    Text,
}

/// Inputs in the form that the model takes.
enum Inputs {
    Media(Vec<ModelInput>),
    Prompts(Vec<Vec<u32>>),
}

impl Inputs {
    fn read(kind: Kind, path: &Path, width: usize) -> Self {
        let bytes = fs::read(path).expect("the inputs have been written");
        let words = bytes.as_chunks::<4>().0.iter().copied();
        let values = || words.clone().map(f32::from_le_bytes).collect::<Vec<f32>>();
        match kind {
            Kind::Audio => {
                let clips = values();
                Self::Media(clips.chunks(width).map(|clip| ModelInput::Audio(vec![clip.to_vec()])).collect())
            }
            Kind::Image => {
                let pictures = values();
                Self::Media(pictures.chunks(width).map(|planes| ModelInput::Image(planes.to_vec())).collect())
            }
            Kind::Text => {
                let ids: Vec<u32> = words.map(u32::from_le_bytes).collect();
                Self::Prompts(ids.chunks(width).map(<[u32]>::to_vec).collect())
            }
        }
    }

    fn embed(&self, embedder: &Embedder, count: usize) -> Vec<RawEmbedding> {
        let embedded = match self {
            Self::Media(inputs) => embedder.embed(&inputs[..count]),
            Self::Prompts(prompts) => {
                let rows: Vec<&[u32]> = prompts[..count].iter().map(Vec::as_slice).collect();
                embedder.model().embed_text(&rows)
            }
        };
        embedded.expect("made inputs can be embedded")
    }
}

/// A model, once there is one, and the inputs that have been read.
#[derive(Default)]
pub(super) struct Session {
    embedder: Option<Embedder>,
    inputs: HashMap<PathBuf, Inputs>,
}

impl Session {
    /// Answers requests with this session. What cannot be done is answered by `{"error": …}`.
    pub(super) fn answering(mut self) -> impl FnMut(&str) -> Value {
        move |request| {
            let request = serde_json::from_str(request).expect("the other side knows the requests");
            self.answer(request).unwrap_or_else(|error| json!({ "error": error }))
        }
    }

    fn answer(&mut self, request: Request) -> Result<Value, String> {
        match request {
            Request::Import { checkpoint, store, precision } => import(&checkpoint, store, precision),
            Request::Open(choice) => {
                // The last one goes before there is another.
                self.embedder = None;
                let start = Instant::now();
                let embedder = choice.load()?;
                let seconds = start.elapsed().as_secs_f64();
                let device = earmark::model::device::name(embedder.model().device());
                self.embedder = Some(embedder);
                Ok(json!({ "seconds": seconds, "device": device }))
            }
            Request::Embed(task) => Ok(self.embed(&task)),
            Request::Gemm { size, rounds } => Ok(gemm::measure(size, rounds)),
            Request::Hits(hits) => hits.measure(),
            Request::Ingest(ingest) => ingest.measure(),
        }
    }

    fn embed(&mut self, task: &Task) -> Value {
        let read = || Inputs::read(task.kind, &task.input, task.width);
        let inputs = self.inputs.entry(task.input.clone()).or_insert_with(read);
        let embedder = self.embedder.as_ref().expect("it is opened first");
        let (mut seconds, mut vectors) = (Vec::new(), Vec::new());
        for _ in 0..task.rounds {
            let start = Instant::now();
            vectors = inputs.embed(embedder, task.count);
            seconds.push(start.elapsed().as_secs_f64());
        }
        if let Some(path) = &task.vectors {
            let unit = |raw: &RawEmbedding| Embedding::normalized(raw).expect("it has a direction").as_slice().to_vec();
            let bytes: Vec<u8> = vectors.iter().flat_map(unit).flat_map(f32::to_le_bytes).collect();
            fs::write(path, bytes).expect("there is room");
        }
        json!({ "seconds": seconds })
    }
}

fn import(checkpoint: &Path, store: PathBuf, precision: Precision) -> Result<Value, String> {
    let store = ModelStore::new(store);
    let start = Instant::now();
    let (name, half) = match precision {
        Precision::F32 => ("f32", None),
        Precision::Half => ("half", Some(measure_half_precision as Measure)),
    };
    let name = ModelName::new(name).map_err(|error| error.to_string())?;
    let options = ImportOptions { name: Some(name), replace: true, half, ..ImportOptions::default() };
    let installed = store.import(checkpoint, &options).map_err(|error| error.to_string())?;
    let seconds = start.elapsed().as_secs_f64();
    Ok(json!({ "model": store.path(&installed.name), "parameters": installed.parameters, "seconds": seconds }))
}
