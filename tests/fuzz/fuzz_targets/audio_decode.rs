//! Sound files of any format, down to the samples that the model takes.
#![no_main]

#[path = "../panics.rs"]
mod panics;

use std::io::Cursor;

use earmark::decode::AudioLimits;
use earmark::decode::audio::AudioReader;
use libfuzzer_sys::fuzz_target;

/// Small enough that thousands of inputs a second stay within a few megabytes.
const LIMITS: AudioLimits = AudioLimits { file_bytes: 1 << 20, duration_s: 60, samples: 1 << 20, channels: 8 };

fuzz_target!(init: panics::end_the_run_on_ours(), |input: &[u8]| {
    let Ok(reader) = AudioReader::from_bytes(Cursor::new(input.to_vec()), &LIMITS) else { return };
    assert!(reader.facts().channels <= LIMITS.channels);
    let Ok(mono) = reader.into_mono(44_100) else { return };
    assert!((1..=LIMITS.samples).contains(&(mono.samples.len() as u64)));
    assert!(mono.samples.iter().all(|sample| sample.is_finite()));
});
