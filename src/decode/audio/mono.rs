//! A sound as a stream of mono samples at one rate, of which no more is held than one block.

use super::read::mix_down;
use super::{AudioFacts, AudioReader};
use crate::decode::DecodeError;
use crate::decode::resample::{ResampleError, Resampler};
use crate::media::Recording;

/// A recording in memory as [`read_mono`](super::read_mono) would give it.
///
/// # Errors
/// As [`Resampler::new`].
pub fn mono_at(recording: &Recording, target_rate_hz: u32) -> Result<Vec<f32>, ResampleError> {
    let mut resampler = Resampler::new(recording.sample_rate_hz, target_rate_hz)?;
    let (mut mix, mut samples) = (Vec::new(), Vec::new());
    mix_down(&recording.channels, &mut mix);
    resampler.push(&mix, &mut samples)?;
    resampler.finish(&mut samples)?;
    Ok(samples)
}

/// Reads a sound as [`read_mono`](super::read_mono) does, sample for sample, but block by block.
pub struct MonoReader {
    reader: AudioReader,
    /// `None` once the end has been read.
    resampler: Option<Resampler>,
    mix: Vec<f32>,
}

impl MonoReader {
    /// Takes a reader that has not been read from.
    ///
    /// # Errors
    /// [`DecodeError::Resample`] when the rates cannot be converted.
    pub fn new(reader: AudioReader, target_rate_hz: u32) -> Result<Self, DecodeError> {
        let resampler = Resampler::new(reader.facts().sample_rate_hz, target_rate_hz)?;
        Ok(Self { reader, resampler: Some(resampler), mix: Vec::new() })
    }

    /// Replaces `samples` by the next ones, which may be none before the end; `false` at the end.
    ///
    /// # Errors
    /// Those of [`AudioReader::next_block`]; after one the sound is at its end.
    pub fn next_block(&mut self, samples: &mut Vec<f32>) -> Result<bool, DecodeError> {
        samples.clear();
        let Some(mut resampler) = self.resampler.take() else { return Ok(false) };
        if let Some(planes) = self.reader.next_block()? {
            mix_down(planes, &mut self.mix);
            resampler.push(&self.mix, samples)?;
            self.resampler = Some(resampler);
        } else {
            resampler.finish(samples)?;
        }
        Ok(true)
    }

    /// The file as it was.
    pub fn facts(&self) -> &AudioFacts {
        self.reader.facts()
    }

    /// What was found wrong so far and could be worked around.
    pub fn damage(&self) -> Option<String> {
        self.reader.damage()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::AudioLimits;
    use crate::decode::audio::{RecordingRequest, read_mono, read_recording};

    #[test]
    fn a_recording_in_memory_is_what_its_file_would_be() {
        let path = "tests/data/audio/stereo.flac".as_ref();
        let limits = AudioLimits::default();
        let request = RecordingRequest { target_rate_hz: None, max_frames: None };
        let recording = read_recording(path, &request, &limits).unwrap().recording;
        for rate in [recording.sample_rate_hz, 44_100, 8_000] {
            assert_eq!(
                mono_at(&recording, rate).unwrap(),
                read_mono(path, rate, &limits).unwrap().samples,
                "{rate} Hz"
            );
        }
        assert!(mono_at(&recording, 1).is_err());
    }
}
