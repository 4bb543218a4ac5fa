//! Why a media file could not be decoded, in variants a caller can act on.

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
