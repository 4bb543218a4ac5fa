//! From files on disk to a library that can be searched.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use earmark::daemon::{load_encoder, open_engine};
use earmark::engine::Activity;
use earmark::library::RootRules;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Choice;

const GRACE: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ingest {
    choice: Choice,
    /// With the files.
    folder: PathBuf,
}

impl Ingest {
    /// Loading the model is not measured.
    pub(super) fn measure(&self) -> Result<Value, String> {
        let data = tempfile::tempdir().expect("there is a place for temporary files");
        let mut config = self.choice.config(data.path());
        config.ingest.settle_ms = 0;
        let explain = |error: anyhow::Error| format!("{error:#}");
        let encoder = load_encoder(&config).map_err(explain)?;
        let engine = open_engine(&config, Some(encoder), Activity::OnRequest).map_err(explain)?;
        let start = Instant::now();
        engine.add_root(&self.folder, RootRules::default()).map_err(|error| error.to_string())?;
        engine.wait_until_idle();
        let seconds = start.elapsed().as_secs_f64();
        let assets: u64 = engine.stats().assets.iter().sum();
        engine.stop(GRACE);
        Ok(json!({ "seconds": seconds, "assets": assets }))
    }
}
