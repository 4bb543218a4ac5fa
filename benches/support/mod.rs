//! What the benches share: where the material lies, and how a bench is set up.

#![allow(dead_code, reason = "no bench needs all of it")]

pub(crate) mod library;
#[allow(unreachable_pub, reason = "shared with the tests")]
#[path = "../../tests/support/vectors.rs"]
pub(crate) mod vectors;

use std::path::{Path, PathBuf};

use criterion::Criterion;
use earmark::model_store::{ImportOptions, ModelStore};

/// Values of a made vector: as many as AudioCLIP gives.
pub(crate) const DIMENSION: usize = 1_024;
/// Made vectors that sound alike.
pub(crate) const VECTORS_A_CLUSTER: usize = 200;
/// How far they are from the middle of their cluster.
pub(crate) const SPREAD: f32 = 0.8;

const SIZE_VARIABLE: &str = "EARMARK_BENCH_VECTORS";
const MOST_BY_DEFAULT: usize = 20_000;
const MODEL_VARIABLE: &str = "EARMARK_BENCH_MODEL";
const TINY_CHECKPOINT: &str = "audioclip/tiny/audioclip_tiny.pt";

/// Test material beside the repository; where it is absent, says so and gives `None`.
#[expect(clippy::print_stderr, reason = "a skipped bench must be seen")]
pub(crate) fn shared(relative: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared").join(relative);
    let there = path.exists();
    if !there {
        eprintln!("skipped: {} is absent", path.display());
    }
    there.then_some(path)
}

/// Measures with the tiny golden checkpoint, and with real weights as well where `EARMARK_BENCH_MODEL` names an
/// installed model's file.
pub(crate) fn with_models(mut measure: impl FnMut(&str, &Path)) {
    if let Some(checkpoint) = shared(TINY_CHECKPOINT) {
        let directory = tempfile::tempdir().expect("there is a place for temporary files");
        let store = ModelStore::new(directory.path());
        let model = store.import(&checkpoint, &ImportOptions::default()).expect("the golden checkpoint is sound");
        measure("tiny", &store.path(&model.name));
    }
    if let Some(path) = std::env::var_os(MODEL_VARIABLE) {
        let path = Path::new(&path);
        measure(&path.file_stem().unwrap_or_default().to_string_lossy(), path);
    }
}

/// How many vectors to make at most: what `EARMARK_BENCH_VECTORS` names, or few enough for a minute.
pub(crate) fn most_vectors() -> usize {
    std::env::var(SIZE_VARIABLE).ok().and_then(|text| text.parse().ok()).unwrap_or(MOST_BY_DEFAULT)
}

/// Memory of this process in bytes; 0 where the system does not tell.
pub(crate) fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().map_or(0, |kibibytes: u64| kibibytes * 1_024)
}

/// Runs `benches` with the options of the command line.
pub(crate) fn run(benches: &[fn(&mut Criterion)]) {
    let mut criterion = Criterion::default().configure_from_args();
    benches.iter().for_each(|bench| bench(&mut criterion));
    criterion.final_summary();
}

/// Seconds of a tone, at full scale.
pub(crate) fn tone(seconds: u32, sample_rate_hz: u32) -> Vec<f32> {
    let radians_a_sample = 440.0 * std::f32::consts::TAU / sample_rate_hz as f32;
    (0..seconds * sample_rate_hz).map(|t| (t as f32 * radians_a_sample).sin()).collect()
}
