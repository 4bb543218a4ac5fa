//! Files to media: sounds to samples, pictures to [`RgbImage`](crate::media::RgbImage)s.
//!
//! Owns the third-party decoders and the limits that keep a hostile file from taking the machine with it.
//! Invariant: sizes are checked against [`AudioLimits`] and [`ImageLimits`] from headers, before memory is asked for.
//! Does not know the model, its sample rate or its picture size.

pub mod audio;
mod error;
mod image;
mod kind;
pub mod resample;

pub use self::image::{DecodedImage, Rotation, decode_image, read_image};
pub use error::DecodeError;
pub use kind::{SIGNATURE_BYTES, kind_of, signature};

/// What a sound file may cost. Exceeding any of them is [`DecodeError::TooLarge`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AudioLimits {
    /// Size of the file on disk.
    pub file_bytes: u64,
    /// Decoded length; a header that claims more is refused, and so is a stream that goes on past it.
    pub duration_s: u64,
    /// Decoded samples over all channels that a result may hold, at four bytes each.
    pub samples: u64,
    /// Channels of a recording.
    pub channels: u32,
}

impl Default for AudioLimits {
    fn default() -> Self {
        Self { file_bytes: 4 << 30, duration_s: 4 * 3600, samples: 1 << 29, channels: 64 }
    }
}

/// What a picture file may cost. Exceeding any of them is [`DecodeError::TooLarge`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageLimits {
    /// Size of the file on disk.
    pub file_bytes: u64,
    /// Width times height.
    pub pixels: u64,
}

impl Default for ImageLimits {
    fn default() -> Self {
        Self { file_bytes: 512 << 20, pixels: 128_000_000 }
    }
}
