//! Sound files to samples: any container and codec, any rate, any channel count, of any length.
//!
//! Owns the choice of decoder, the trimming of what codecs add, and the limits. The content alone decides the format:
//! file names are not looked at. Invariant: every block handed out has as many planes as the file has channels, all
//! equally long and finite, and nothing is allocated on the word of a header. Does not know the model or its rate.
//!
//! Damaged files give what can be decoded, and a note: see [`AudioReader::damage`].

mod caf;
mod edit_list;
mod faults;
mod mono;
mod packets;
mod pcm;
mod priming;
mod read;
mod reader;
mod source;
mod track;
mod wav;

pub use mono::{MonoReader, mono_at};
pub use read::{DecodedRecording, MonoAudio, RecordingRequest, read_mono, read_recording};
pub use reader::AudioReader;

/// Planar samples: `planes[channel][frame]`.
type Planes = Vec<Vec<f32>>;

/// Technical facts about a sound file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudioFacts {
    /// Short name of the container, e.g. "wave" or "ogg".
    pub container: &'static str,
    /// Short name of the codec, e.g. "pcm_s16le" or "vorbis".
    pub codec: &'static str,
    /// Frames a second, before any resampling.
    pub sample_rate_hz: u32,
    /// Channels, before any down-mix.
    pub channels: u32,
    /// Bits of one sample, where the codec has such a thing.
    pub bits_per_sample: Option<u32>,
    /// Frames that the headers promise, where they do.
    pub declared_frames: Option<u64>,
}

/// One way of decoding: raw samples, or packets of a codec.
trait BlockDecoder: Send {
    /// What is known about the file.
    fn facts(&self) -> &AudioFacts;

    /// Replaces `planes` by the next frames, at least one, of all channels. `false` at the end of the sound.
    fn next_block(&mut self, planes: &mut Planes) -> Result<bool, crate::decode::DecodeError>;

    /// What has been found wrong so far and could be worked around.
    fn damage(&self) -> Option<String>;
}
