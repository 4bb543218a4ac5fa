//! Indexing: files a second from disk to searchable, through the whole pipeline.
//!
//! With the tiny golden checkpoint, whose cost is small beside decoding and recording; with real weights as well where
//! `EARMARK_BENCH_MODEL` names an installed model's file.

mod support;

use std::path::Path;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput};
use earmark::config::Config;
use earmark::daemon::{load_encoder, open_engine};
use earmark::engine::{Activity, Engine};
use earmark::library::RootRules;
use tempfile::TempDir;

const RECORDINGS: &str = "media/esc10/001 - Dog bark";
/// A run takes seconds.
const SAMPLES: usize = 10;

fn main() {
    support::run(&[|criterion| support::with_models(|name, model| ingest(criterion, name, model))]);
}

fn ingest(criterion: &mut Criterion, name: &str, model: &Path) {
    let Some(recordings) = support::shared(RECORDINGS) else { return };
    let mut config = Config::load(None, []).expect("the shipped configuration is sound");
    config.model.name = model.to_string_lossy().into_owned();
    config.ingest.settle_ms = 0;
    let files = std::fs::read_dir(&recordings).expect("the folder is there").count() as u64;
    let mut group = criterion.benchmark_group(name);
    group.sample_size(SAMPLES).throughput(Throughput::Elements(files));
    group.bench_function("index recordings of 5 s", |bench| {
        bench.iter_batched(|| prepare(&config), |prepared| index(prepared, &recordings), BatchSize::PerIteration);
    });
    group.finish();
}

/// An empty library, its model, and its data directory. Loading is not measured.
fn prepare(config: &Config) -> (Engine, TempDir) {
    let data = tempfile::tempdir().expect("there is a place for temporary files");
    let mut config = config.clone();
    config.data.directory = data.path().into();
    let encoder = load_encoder(&config).expect("the model is sound");
    (open_engine(&config, Some(encoder), Activity::OnRequest).expect("the library opens"), data)
}

fn index((engine, data): (Engine, TempDir), folder: &Path) -> TempDir {
    engine.add_root(folder, RootRules::default()).expect("it is a folder");
    engine.wait_until_idle();
    engine.stop(Duration::from_secs(10));
    data
}
