//! Whole sounds in memory: mono for the model, or with all channels.

use std::path::Path;

use super::{AudioFacts, AudioReader, Planes};
use crate::decode::resample::{Resampler, resampled_len};
use crate::decode::{AudioLimits, DecodeError};
use crate::media::Recording;

/// A sound, down-mixed and resampled.
#[derive(Debug, Clone, PartialEq)]
pub struct MonoAudio {
    /// Full scale is [−1, 1]; at least one sample.
    pub samples: Vec<f32>,
    /// Samples a second.
    pub sample_rate_hz: u32,
    /// The file as it was.
    pub facts: AudioFacts,
    /// What was wrong with the file and could be worked around.
    pub damage: Option<String>,
}

/// A sound with its channels.
#[derive(Debug, Clone, PartialEq)]
pub struct DecodedRecording {
    /// At least one frame.
    pub recording: Recording,
    /// The file as it was.
    pub facts: AudioFacts,
    /// What was wrong with the part that was decoded and could be worked around.
    pub damage: Option<String>,
}

/// What [`read_recording`] is to return.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RecordingRequest {
    /// Samples a second of the result; the file's own rate if `None`.
    pub target_rate_hz: Option<u32>,
    /// Stop after this many frames of the result; 0 counts as 1.
    pub max_frames: Option<u64>,
}

/// Reads a file as mono at `target_rate_hz`: the mean over channels, then resampled, as librosa does.
///
/// # Errors
/// Those of [`AudioReader::open`] and [`AudioReader::next_block`]; [`DecodeError::TooLarge`] when the result would
/// exceed the limit on samples, told from the headers where they say so.
pub fn read_mono(path: &Path, target_rate_hz: u32, limits: &AudioLimits) -> Result<MonoAudio, DecodeError> {
    AudioReader::open(path, limits)?.into_mono(target_rate_hz)
}

/// Reads a file with its channels.
///
/// # Errors
/// As [`read_mono`].
pub fn read_recording(
    path: &Path,
    request: &RecordingRequest,
    limits: &AudioLimits,
) -> Result<DecodedRecording, DecodeError> {
    AudioReader::open(path, limits)?.into_recording(request)
}

impl AudioReader {
    /// The rest of the sound, as [`read_mono`]. Holds one channel at a time, whatever the file has.
    ///
    /// # Errors
    /// As [`read_mono`].
    pub fn into_mono(mut self, target_rate_hz: u32) -> Result<MonoAudio, DecodeError> {
        let mut collector = Collector::new(&self, 1, target_rate_hz, None)?;
        let mut mix = vec![Vec::new()];
        while let Some(planes) = self.next_block()? {
            mix_down(planes, &mut mix[0]);
            collector.push(&mix)?;
        }
        let samples = collector.finish()?.swap_remove(0);
        let damage = self.damage();
        Ok(MonoAudio { samples, sample_rate_hz: target_rate_hz, facts: self.facts().clone(), damage })
    }

    /// The rest of the sound, as [`read_recording`].
    ///
    /// # Errors
    /// As [`read_mono`].
    pub fn into_recording(mut self, request: &RecordingRequest) -> Result<DecodedRecording, DecodeError> {
        let sample_rate_hz = request.target_rate_hz.unwrap_or(self.facts().sample_rate_hz);
        let channels = self.facts().channels;
        let mut collector = Collector::new(&self, channels, sample_rate_hz, request.max_frames)?;
        while !collector.full()
            && let Some(planes) = self.next_block()?
        {
            collector.push(planes)?;
        }
        let recording = Recording { sample_rate_hz, channels: collector.finish()? };
        Ok(DecodedRecording { recording, facts: self.facts().clone(), damage: self.damage() })
    }
}

/// The mean over channels, summed in order and in f32 as numpy does.
pub(super) fn mix_down(planes: &[Vec<f32>], mix: &mut Vec<f32>) {
    mix.clear();
    mix.extend_from_slice(&planes[0]);
    if planes.len() == 1 {
        return;
    }
    for plane in &planes[1..] {
        mix.iter_mut().zip(plane).for_each(|(sum, sample)| *sum += sample);
    }
    mix.iter_mut().for_each(|sum| *sum /= planes.len() as f32);
}

/// Resamples blocks into memory, within the limit on samples.
struct Collector {
    resamplers: Vec<Resampler>,
    planes: Planes,
    max_frames: u64,
    /// Frames that the limit on samples leaves room for.
    room: u64,
    limit: u64,
}

impl Collector {
    fn new(reader: &AudioReader, channels: u32, to_hz: u32, max_frames: Option<u64>) -> Result<Self, DecodeError> {
        let (facts, limit) = (reader.facts(), reader.limits().samples);
        let from_hz = facts.sample_rate_hz;
        let resamplers = (0..channels).map(|_| Resampler::new(from_hz, to_hz)).collect::<Result<Vec<_>, _>>()?;
        let max_frames = max_frames.map_or(u64::MAX, |frames| frames.max(1));
        let planes = vec![Vec::new(); resamplers.len()];
        let collector = Self { resamplers, planes, max_frames, room: limit / u64::from(channels), limit };
        let declared = facts.declared_frames.map_or(0, |frames| resampled_len(frames, from_hz, to_hz));
        collector.check(declared.min(max_frames))?;
        Ok(collector)
    }

    fn check(&self, frames: u64) -> Result<(), DecodeError> {
        if frames <= self.room {
            return Ok(());
        }
        let actual = frames.saturating_mul(self.planes.len() as u64);
        let (what, key) = ("the number of decoded samples", "limits.audio.samples");
        Err(DecodeError::TooLarge { what, actual, limit: self.limit, key })
    }

    fn frames(&self) -> u64 {
        self.planes[0].len() as u64
    }

    fn full(&self) -> bool {
        self.frames() >= self.max_frames
    }

    fn push(&mut self, block: &[Vec<f32>]) -> Result<(), DecodeError> {
        for ((resampler, input), output) in self.resamplers.iter_mut().zip(block).zip(&mut self.planes) {
            resampler.push(input, output)?;
        }
        self.check(self.frames().min(self.max_frames))
    }

    fn finish(mut self) -> Result<Planes, DecodeError> {
        let keep = usize::try_from(self.max_frames).unwrap_or(usize::MAX);
        if !self.full() {
            for (resampler, output) in self.resamplers.drain(..).zip(&mut self.planes) {
                resampler.finish(output)?;
            }
        }
        self.planes.iter_mut().for_each(|plane| plane.truncate(keep));
        self.check(self.frames())?;
        Ok(self.planes)
    }
}
