//! The reader everything goes through: it picks the decoder, and holds every block against the limits.

use std::io::{Read, Seek};
use std::path::Path;

use super::packets::PacketDecoder;
use super::pcm::PcmDecoder;
use super::source::Source;
use super::wav::read_layout;
use super::{AudioFacts, BlockDecoder, Planes};
use crate::decode::error::contain_panics;
use crate::decode::resample::SAMPLE_RATES_HZ;
use crate::decode::{AudioLimits, DecodeError};

/// The largest believable sample: 32-bit integers stored as floats reach it. Beyond it sums and squares would soon
/// overflow, and the model turns what is not finite into silence without a word.
const MAX_MAGNITUDE: f32 = 2_147_483_648.0;

/// Decodes a sound block by block, so that an hour takes no more memory than a second.
pub struct AudioReader {
    decoder: Box<dyn BlockDecoder>,
    facts: AudioFacts,
    limits: AudioLimits,
    planes: Planes,
    frames: u64,
    finished: bool,
}

impl AudioReader {
    /// Opens a file and reads its headers.
    ///
    /// # Errors
    /// [`DecodeError`]: not a sound, damaged beyond use, beyond a limit, or empty.
    pub fn open(path: &Path, limits: &AudioLimits) -> Result<Self, DecodeError> {
        Self::new(Source::open(path, limits)?, limits)
    }

    /// As [`Self::open`], for bytes from anywhere, e.g. a `Cursor` over an upload.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn from_bytes(
        bytes: impl Read + Seek + Send + Sync + 'static,
        limits: &AudioLimits,
    ) -> Result<Self, DecodeError> {
        Self::new(Source::new(bytes, limits)?, limits)
    }

    fn new(source: Source, limits: &AudioLimits) -> Result<Self, DecodeError> {
        let decoder = contain_panics("sound file", move || open_decoder(source, limits))?;
        let facts = decoder.facts().clone();
        check_facts(&facts, limits)?;
        Ok(Self { decoder, facts, limits: *limits, planes: Vec::new(), frames: 0, finished: false })
    }

    /// What the headers say.
    pub fn facts(&self) -> &AudioFacts {
        &self.facts
    }

    /// What the reader was opened with.
    pub(super) fn limits(&self) -> &AudioLimits {
        &self.limits
    }

    /// The next frames, `[channels][frames]`, at least one; `None` at the end.
    ///
    /// # Errors
    /// [`DecodeError::Damaged`] for a sample that is no number, or when nothing at all can be decoded;
    /// [`DecodeError::Empty`] when there is nothing to decode; [`DecodeError::TooLarge`] past the limit on duration.
    pub fn next_block(&mut self) -> Result<Option<&[Vec<f32>]>, DecodeError> {
        if self.finished {
            return Ok(None);
        }
        // After an error the decoder's state is anybody's guess: it is not asked again.
        self.finished = true;
        if !contain_panics("sound file", || self.decoder.next_block(&mut self.planes))? {
            return if self.frames == 0 { Err(self.nothing_decoded()) } else { Ok(None) };
        }
        self.check_samples()?;
        self.frames += self.planes[0].len() as u64;
        check_duration(self.frames, &self.facts, &self.limits)?;
        self.finished = false;
        Ok(Some(&self.planes))
    }

    /// What was found wrong with the file so far and could be worked around; complete once the end is reached.
    pub fn damage(&self) -> Option<String> {
        self.decoder.damage()
    }

    fn nothing_decoded(&self) -> DecodeError {
        match self.damage() {
            Some(reason) => DecodeError::Damaged { format: self.facts.container, reason },
            None => DecodeError::Empty("sound"),
        }
    }

    fn check_samples(&self) -> Result<(), DecodeError> {
        for (channel, plane) in self.planes.iter().enumerate() {
            if let Some(index) = plane.iter().position(|x| x.is_nan() || x.abs() > MAX_MAGNITUDE) {
                let (value, frame) = (plane[index], self.frames + index as u64);
                let reason = format!("the sample of channel {channel} at frame {frame} is {value}, which is no sound");
                return Err(DecodeError::Damaged { format: self.facts.container, reason });
            }
        }
        Ok(())
    }
}

fn open_decoder(mut source: Source, limits: &AudioLimits) -> Result<Box<dyn BlockDecoder>, DecodeError> {
    Ok(match read_layout(&mut source)? {
        Some(layout) => Box::new(PcmDecoder::new(source, layout)),
        None => Box::new(PacketDecoder::open(source, limits)?),
    })
}

fn check_facts(facts: &AudioFacts, limits: &AudioLimits) -> Result<(), DecodeError> {
    if !SAMPLE_RATES_HZ.contains(&facts.sample_rate_hz) {
        let (low, high) = SAMPLE_RATES_HZ.into_inner();
        let reason = format!("its sample rate is {} Hz, possible are {low} to {high} Hz", facts.sample_rate_hz);
        return Err(DecodeError::Damaged { format: facts.container, reason });
    }
    check_channels(facts.channels, limits)?;
    check_duration(facts.declared_frames.unwrap_or(0), facts, limits)
}

/// Refuses more channels than allowed.
pub(super) fn check_channels(channels: u32, limits: &AudioLimits) -> Result<(), DecodeError> {
    if channels > limits.channels {
        let (actual, limit) = (u64::from(channels), u64::from(limits.channels));
        let (what, key) = ("the number of channels", "limits.audio.channels");
        return Err(DecodeError::TooLarge { what, actual, limit, key });
    }
    Ok(())
}

fn check_duration(frames: u64, facts: &AudioFacts, limits: &AudioLimits) -> Result<(), DecodeError> {
    let rate = u64::from(facts.sample_rate_hz);
    if frames > limits.duration_s.saturating_mul(rate) {
        let (actual, limit) = (frames.div_ceil(rate), limits.duration_s);
        let (what, key) = ("the duration in seconds", "limits.audio.duration_s");
        return Err(DecodeError::TooLarge { what, actual, limit, key });
    }
    Ok(())
}
