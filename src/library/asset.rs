//! Assets: content with its facts and segments.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Description;
use crate::media::MediaKind;

/// Names content: its BLAKE3 hash. Written as 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AssetId([u8; 32]);

impl AssetId {
    /// Bytes of a hash.
    pub const BYTES: usize = 32;

    /// The id of content with this hash.
    pub fn from_hash(hash: [u8; Self::BYTES]) -> Self {
        Self(hash)
    }

    /// The hash.
    pub fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

impl fmt::Display for AssetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for AssetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AssetId({self})")
    }
}

/// A text that is no asset id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no asset id, expected 64 hex digits")]
pub struct MalformedAssetId(String);

impl FromStr for AssetId {
    type Err = MalformedAssetId;

    fn from_str(text: &str) -> Result<Self, MalformedAssetId> {
        let malformed = || MalformedAssetId(text.chars().take(80).collect());
        let mut hash = [0; Self::BYTES];
        if text.len() != 2 * Self::BYTES || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(malformed());
        }
        for (byte, digits) in hash.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(digits).map_err(|_| malformed())?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| malformed())?;
        }
        Ok(Self(hash))
    }
}

/// The place of a vector among those of its media kind, in one data directory. Ascending, and never given out twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Slot(pub u32);

/// Where in an asset: milliseconds from its start. Both are 0 for a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Span {
    /// Start, inclusive.
    pub start_ms: u64,
    /// End, exclusive.
    pub end_ms: u64,
}

/// A span with a vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// Where in the asset.
    pub span: Span,
    /// Nothing is to be heard in it; left out of results unless asked for.
    pub silent: bool,
    /// Where its vector is.
    pub slot: Slot,
}

/// Names a segment: the asset, and the segment's number in it, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SegmentId {
    /// The asset.
    pub asset: AssetId,
    /// Index into [`Asset::segments`].
    pub ordinal: u32,
}

/// What decoding tells about content.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TechnicalFacts {
    /// Size of the content in bytes.
    pub bytes: u64,
    /// Container or picture format, e.g. "wave", "ogg" or "jpeg".
    pub format: String,
    /// Codec of a sound, e.g. "pcm_s16le".
    pub codec: Option<String>,
    /// Length of a sound as decoded, in milliseconds, rounded.
    pub duration_ms: Option<u64>,
    /// Samples a second of a sound.
    pub sample_rate_hz: Option<u32>,
    /// Channels of a sound.
    pub channels: Option<u32>,
    /// Bits of one sample, where the codec has such a thing.
    pub bits_per_sample: Option<u32>,
    /// Pixels a row of an upright picture.
    pub width: Option<u32>,
    /// Rows of an upright picture.
    pub height: Option<u32>,
}

/// Content that was embedded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asset {
    /// Its name.
    pub id: AssetId,
    /// What it is.
    pub kind: MediaKind,
    /// What decoding tells.
    pub facts: TechnicalFacts,
    /// What its makers wrote into it.
    pub description: Description,
    /// What was wrong with it and could be worked around.
    pub damage: Option<String>,
    /// When it was embedded, in milliseconds since 1970.
    pub added_ms: u64,
    /// Ascending spans; at least one.
    pub segments: Vec<Segment>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_survive_being_written_and_read() {
        let id = AssetId::from_hash(std::array::from_fn(|index| index as u8 * 7));
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.to_string().to_uppercase().parse(), Ok(id));
        for wrong in ["", "00", &"g".repeat(64), &"0".repeat(65), &"é".repeat(32)] {
            assert!(wrong.parse::<AssetId>().unwrap_err().to_string().contains("expected 64 hex digits"));
        }
    }
}
