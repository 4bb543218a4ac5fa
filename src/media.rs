//! The vocabulary of decoded media: what every decoder yields and every preprocessing step takes.
//!
//! Owns the plain data types only. Imports nothing of ours and knows neither files, codecs nor the model.

/// What a file shows or sounds like, as far as search is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MediaKind {
    /// Anything heard: effects, field recordings, the sound track of a clip.
    Audio,
    /// Anything seen: photographs, drawings, the first frame of an animation.
    Image,
}

impl MediaKind {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Audio, Self::Image];
}

impl std::fmt::Display for MediaKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Audio => "audio",
            Self::Image => "image",
        })
    }
}

/// A decoded sound: one vector of samples per channel, all of equal length.
///
/// Full scale is [−1, 1] as decoders give it; integer PCM of `b` bits is divided by 2^(b−1).
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// Samples a second, at least 1.
    pub sample_rate_hz: u32,
    /// `channels[c][t]`; at least one channel, all of equal length.
    pub channels: Vec<Vec<f32>>,
}

impl Recording {
    /// Samples per channel.
    pub fn frames(&self) -> usize {
        self.channels.first().map_or(0, Vec::len)
    }
}

/// A decoded picture: 8-bit RGB, row-major, top row first, three bytes a pixel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RgbImage {
    /// Pixels a row, at least 1.
    pub width: u32,
    /// Rows, at least 1.
    pub height: u32,
    /// `3 · width · height` bytes.
    pub pixels: Vec<u8>,
}
