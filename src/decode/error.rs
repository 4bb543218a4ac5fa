//! Why a media file could not be decoded, in variants a caller can act on.

use crate::containment::contain;

/// Why a media file could not be decoded. The path is added by whoever knows it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The file could not be opened or read.
    #[error("cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// No decoder recognises the content.
    #[error("not a known {expected} format: {reason}")]
    Unsupported {
        /// What was looked for, e.g. "sound" or "picture".
        expected: &'static str,
        /// What the decoder said.
        reason: String,
    },
    /// The content is of a known format, and broken.
    #[error("damaged {format}: {reason}")]
    Damaged {
        /// The format or codec.
        format: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A limit would be exceeded; found before memory was asked for.
    #[error("too large: {what} is {actual}, the limit is {limit} (raise {key} in the configuration)")]
    TooLarge {
        /// The quantity, e.g. "width times height".
        what: &'static str,
        /// What the file says.
        actual: u64,
        /// What is allowed.
        limit: u64,
        /// The configuration key of the limit.
        key: &'static str,
    },
    /// The sample rate cannot be converted.
    #[error(transparent)]
    Resample(#[from] super::resample::ResampleError),
    /// The file decodes to nothing at all.
    #[error("empty: it holds no {0}")]
    Empty(&'static str),
}

/// Runs decoder code on a file of the given format. A panic in it costs the file, not the process.
///
/// What `work` leaves half done must be dropped or never used again.
pub(super) fn contain_panics<T>(
    format: &'static str,
    work: impl FnOnce() -> Result<T, DecodeError>,
) -> Result<T, DecodeError> {
    contain(work).unwrap_or_else(|panic| {
        Err(DecodeError::Damaged { format, reason: format!("the decoder broke down on it: {panic}") })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_a_decoder_is_damage() {
        let error = contain_panics::<()>("gif", || panic!("index {} out of range", 7)).unwrap_err();
        assert_eq!(error.to_string(), "damaged gif: the decoder broke down on it: index 7 out of range");
        let error = contain_panics::<()>("gif", || Err(DecodeError::Empty("data"))).unwrap_err();
        assert_eq!(error.to_string(), "empty: it holds no data");
    }
}
