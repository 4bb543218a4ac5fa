//! Indexing: files a second from disk to searchable, through the whole pipeline.
//!
//! With the tiny golden checkpoint, whose cost is small beside decoding and recording; with real weights as well where
//! `EARMARK_BENCH_MODEL` names an installed model's file.

mod support;

use std::path::{Path, PathBuf};
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput};
use earmark::config::Config;
use earmark::daemon::{load_encoder, open_engine};
use earmark::engine::Activity;
use earmark::engine::encoder::Encoder;
use earmark::library::RootRules;
use earmark::model_store::{ImportOptions, ModelStore};

const MODEL_VARIABLE: &str = "EARMARK_BENCH_MODEL";
const TINY_CHECKPOINT: &str = "audioclip/tiny/audioclip_tiny.pt";
const RECORDINGS: &str = "media/esc10/001 - Dog bark";
/// A run takes seconds.
const SAMPLES: usize = 10;

fn main() {
    support::run(&[tiny, installed]);
}

fn tiny(criterion: &mut Criterion) {
    let Some(checkpoint) = support::shared(TINY_CHECKPOINT) else { return };
    let directory = tempfile::tempdir().expect("there is a place for temporary files");
    let store = ModelStore::new(directory.path());
    let model = store.import(&checkpoint, &ImportOptions::default()).expect("the golden checkpoint is sound");
    ingest(criterion, "tiny", &model.path);
}

fn installed(criterion: &mut Criterion) {
    let Some(path) = std::env::var_os(MODEL_VARIABLE) else { return };
    ingest(criterion, "installed", Path::new(&path));
}

fn ingest(criterion: &mut Criterion, name: &str, model: &Path) {
    let Some(recordings) = support::shared(RECORDINGS) else { return };
    let mut config = Config::load(None, []).expect("the shipped configuration is sound");
    config.model.name = model.to_string_lossy().into_owned();
    config.ingest.settle_ms = 0;
    let encoder = load_encoder(&config).expect("the model is sound");
    let files = std::fs::read_dir(&recordings).expect("the folder is there").count() as u64;
    let mut group = criterion.benchmark_group(name);
    group.sample_size(SAMPLES).throughput(Throughput::Elements(files));
    group.bench_function("index recordings of 5 s", |bench| {
        let setup = || tempfile::tempdir().expect("there is a place for temporary files");
        bench.iter_batched(setup, |data| index(&mut config, &encoder, &recordings, data), BatchSize::PerIteration);
    });
    group.finish();
}

/// Indexes a folder into a fresh data directory.
fn index(
    config: &mut Config,
    encoder: &Encoder,
    folder: &Path,
    data: tempfile::TempDir,
) -> (PathBuf, tempfile::TempDir) {
    config.data.directory = data.path().into();
    let engine = open_engine(config, Some(encoder.clone()), Activity::OnRequest).expect("the library opens");
    engine.add_root(folder, RootRules::default()).expect("it is a folder");
    engine.wait_until_idle();
    engine.stop(Duration::from_secs(10));
    (folder.into(), data)
}
