//! Sounds: every container and codec decoded, and broken ones refused.

mod damaged;
mod formats;
mod golden;
mod limits;
pub(crate) mod wav_file;

use std::io::Cursor;
use std::path::PathBuf;

use earmark::decode::audio::{AudioReader, DecodedRecording, RecordingRequest};
use earmark::decode::{AudioLimits, DecodeError};

/// A committed sound; how they were made is told in the folder's README.
fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/audio").join(name)
}

/// What all fixtures hold: running sums of eight pseudo-random numbers, in 16-bit units, within ±16,384.
fn noise(seed: u32, frames: usize) -> Vec<i32> {
    let mut state = seed;
    let mut recent = [0; 8];
    let mut next = |t: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        recent[t % 8] = i32::try_from(state >> 16).unwrap() - 32_768;
        recent.iter().sum::<i32>() / 16
    };
    (0..frames).map(&mut next).collect()
}

/// [`noise`] as decoders give it.
fn noise_f32(seed: u32, frames: usize) -> Vec<f32> {
    noise(seed, frames).into_iter().map(|x| x as f32 / 32_768.0).collect()
}

/// Decodes bytes in memory, all channels at their own rate.
fn decode(bytes: Vec<u8>) -> Result<DecodedRecording, DecodeError> {
    decode_within(bytes, &AudioLimits::default())
}

fn decode_within(bytes: Vec<u8>, limits: &AudioLimits) -> Result<DecodedRecording, DecodeError> {
    AudioReader::from_bytes(Cursor::new(bytes), limits)?.into_recording(&RecordingRequest::default())
}
