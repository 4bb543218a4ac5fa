//! What the benches share: where the material lies, and how a bench is set up.

#![allow(dead_code, reason = "no bench needs all of it")]

use std::path::{Path, PathBuf};

use criterion::Criterion;

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
