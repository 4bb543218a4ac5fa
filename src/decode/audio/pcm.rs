//! Raw samples of WAVE files.
//!
//! Own code, because WAVE is what recorders write: more channels, longer files and worse headers than the general
//! decoder takes. Integers of `b` bits are divided by 2^(b−1), exactly up to 24 bits.

use super::source::Source;
use super::wav::{Encoding, WavLayout};
use super::{AudioFacts, BlockDecoder, Planes};
use crate::decode::DecodeError;

/// Bytes read at a time, at most: 4,096 frames of 32 channels of 64 bits.
const BLOCK_BYTES: usize = 1 << 20;

/// Frames handed out at a time, at most.
const BLOCK_FRAMES: usize = 4096;

/// Decodes the data chunk of a WAVE file.
pub(super) struct PcmDecoder {
    source: Source,
    facts: AudioFacts,
    layout: WavLayout,
    convert: fn(&[u8]) -> f32,
    /// Bytes of one sample of every channel.
    frame_bytes: usize,
    position: u64,
    end: u64,
    buffer: Vec<u8>,
    damage: Option<String>,
}

impl PcmDecoder {
    pub(super) fn new(source: Source, layout: WavLayout) -> Self {
        let (codec, convert) = sample_format(layout.encoding, layout.sample_bytes);
        let frame_bytes = usize::from(layout.sample_bytes) * usize::from(layout.channels);
        let facts = AudioFacts {
            container: layout.container,
            codec,
            sample_rate_hz: layout.sample_rate_hz,
            channels: u32::from(layout.channels),
            bits_per_sample: Some(u32::from(layout.bits_per_sample)),
            declared_frames: Some(layout.data_bytes / frame_bytes as u64),
        };
        let (position, end) = (layout.data_start, layout.data_start + layout.data_bytes);
        let damage = layout.damage.clone();
        Self { source, facts, layout, convert, frame_bytes, position, end, buffer: Vec::new(), damage }
    }
}

impl BlockDecoder for PcmDecoder {
    fn facts(&self) -> &AudioFacts {
        &self.facts
    }

    fn next_block(&mut self, planes: &mut Planes) -> Result<bool, DecodeError> {
        let frames_left = usize::try_from((self.end - self.position) / self.frame_bytes as u64).unwrap_or(usize::MAX);
        let frames = frames_left.min(BLOCK_FRAMES).min((BLOCK_BYTES / self.frame_bytes).max(1));
        self.buffer.resize(frames * self.frame_bytes, 0);
        let filled = self.source.read_at(self.position, &mut self.buffer)?;
        if filled < self.buffer.len() {
            self.end = self.position + filled as u64;
            self.damage = Some("the file became shorter while it was read".into());
        }
        let whole = &self.buffer[..filled - filled % self.frame_bytes];
        self.position += whole.len() as u64;
        let sample_bytes = usize::from(self.layout.sample_bytes);
        planes.resize_with(usize::from(self.layout.channels), Vec::new);
        for (channel, plane) in planes.iter_mut().enumerate() {
            let first = channel * sample_bytes;
            plane.clear();
            plane.extend(
                whole.chunks_exact(self.frame_bytes).map(|frame| (self.convert)(&frame[first..first + sample_bytes])),
            );
        }
        Ok(!whole.is_empty())
    }

    fn damage(&self) -> Option<String> {
        self.damage.clone()
    }
}

/// The name of a format, and the function that turns the bytes of one sample into a number.
fn sample_format(encoding: Encoding, sample_bytes: u16) -> (&'static str, fn(&[u8]) -> f32) {
    match (encoding, sample_bytes) {
        (Encoding::Integer, 1) => ("pcm_u8", |b| (f32::from(b[0]) - 128.0) / 128.0),
        (Encoding::Integer, 2) => ("pcm_s16le", |b| f32::from(i16::from_le_bytes([b[0], b[1]])) / 32_768.0),
        (Encoding::Integer, 3) => ("pcm_s24le", |b| i32::from_le_bytes([0, b[0], b[1], b[2]]) as f32 / 2_147_483_648.0),
        (Encoding::Integer, _) => {
            ("pcm_s32le", |b| i32::from_le_bytes([b[0], b[1], b[2], b[3]]) as f32 / 2_147_483_648.0)
        }
        (Encoding::Float, 4) => ("pcm_f32le", |b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])),
        #[expect(clippy::cast_possible_truncation, reason = "f32 is the precision of everything that follows")]
        (Encoding::Float, _) => {
            ("pcm_f64le", |b| f64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]) as f32)
        }
    }
}
