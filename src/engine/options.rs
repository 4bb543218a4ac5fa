//! How the engine works: the sections `ingest`, `watch`, `index` and `search` of the configuration.

use std::time::Duration;

use serde::Deserialize;

use super::content::ContentOptions;
use crate::decode::{AudioLimits, ImageLimits};
use crate::index::IndexOptions;

/// All of it.
#[derive(Debug, Clone, PartialEq)]
pub struct EngineOptions {
    /// How files are read and embedded.
    pub ingest: IngestOptions,
    /// How changes on disk are noticed.
    pub watch: WatchSettings,
    /// How neighbours are found.
    pub index: IndexOptions,
    /// How queries are answered.
    pub search: SearchOptions,
    /// What a sound file may cost.
    pub audio_limits: AudioLimits,
    /// What a picture file may cost.
    pub image_limits: ImageLimits,
    /// How often the graphs are written to disk, if they have changed.
    pub snapshot_interval: Duration,
    /// With a model of another space than the library's, switch the library to it, instead of refusing. Only where
    /// files are read, because everything is embedded again.
    pub switch_space: bool,
}

impl EngineOptions {
    /// How content is read.
    pub fn content(&self) -> ContentOptions {
        ContentOptions {
            audio_limits: self.audio_limits,
            image_limits: self.image_limits,
            hop_ms: self.ingest.hop_ms,
            silence_dbfs: self.ingest.silence_dbfs,
        }
    }
}

/// How much of the machine indexing takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// As any program.
    Normal,
    /// What nobody else wants.
    Idle,
}

/// How files are read and embedded.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IngestOptions {
    /// Threads that read and decode; 0 for one a core.
    pub decode_threads: usize,
    /// How much of the machine they take.
    pub priority: Priority,
    /// A file that was modified less than this ago is taken for unfinished.
    pub settle_ms: u64,
    /// From the start of a window of a long sound to the start of the next.
    pub hop_ms: u64,
    /// A window whose loudest sample is below this level is silent.
    pub silence_dbfs: f32,
    /// Sounds up to this size are read once and kept in memory; larger ones are read several times.
    pub whole_file_bytes: u64,
    /// Most inputs that the model gets at once; 0 for what suits the device.
    pub batch_inputs: usize,
    /// How long an input waits for others, to be embedded together.
    pub batch_wait_ms: u64,
    /// Decoded inputs that may wait for the model; 0 for what suits the device.
    pub queue_inputs: usize,
    /// Most files in one batch of the store.
    pub commit_files: usize,
    /// Longest time that a finished file waits for its batch.
    pub commit_wait_ms: u64,
    /// How long vectors are kept after the last file with their content is gone.
    pub keep_orphans_h: u64,
}

/// How changes on disk are noticed.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatchSettings {
    /// A path must have been quiet for this long.
    pub quiet_ms: u64,
    /// A path that never is quiet is looked at this often.
    pub patience_ms: u64,
    /// How often polled roots are looked at.
    pub poll_interval_s: u64,
    /// How often every root is compared with the disk, whatever was noticed; 0 for never.
    pub rescan_interval_s: u64,
    /// Hidden files and folders, too.
    pub hidden: bool,
    /// Globs that are excluded in every root.
    pub exclude: Vec<String>,
}

/// How queries are answered.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SearchOptions {
    /// Queries that are worked on at once.
    pub concurrent: usize,
    /// Queries that may wait for that.
    pub waiting: usize,
    /// Most hits of an answer, those passed over included.
    pub hits: usize,
    /// Most terms of a query.
    pub terms: usize,
    /// How much of a sound counts as a query.
    pub query_audio_s: u64,
    /// Vectors of the library that a hit is compared with for its confidence.
    pub background: usize,
    /// Prompts whose vectors are kept; 0 for none.
    pub remembered_prompts: usize,
}

impl IngestOptions {
    /// [`Self::settle_ms`].
    pub fn settle(&self) -> Duration {
        Duration::from_millis(self.settle_ms)
    }
}
