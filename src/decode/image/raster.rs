//! Every format but JPEG, through `image`.
//!
//! Owns how far that crate is trusted: it is told its limits, but its limits are advisory, so the sizes in the header
//! are judged here first and the output buffer is allocated here.
//! Invariant: what a decoder may allocate is bounded by what the header's size justifies, plus [`SLACK_BYTES`].
//! Does not know JPEG nor orientation.

use std::io::Cursor;

use image::{ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

use super::container::{Container, webp_bitstream_sizes};
use super::flatten::{Alpha, to_rgb};
use super::ifd::first_ifd_value;
use super::{DecodeError, ImageLimits, KEY_PIXELS, check_dimensions, check_limit};
use crate::media::RgbImage;

/// What decoders may allocate beside pixels: tables, metadata, compressed chunks.
const SLACK_BYTES: u64 = 64 << 20;

/// Decoded bytes per allowed pixel. 16-bit RGBA fits exactly; floating-point pictures may have fewer pixels.
const BYTES_PER_ALLOWED_PIXEL: u64 = 8;

/// TIFF 6.0, tag 338: what the channels beyond the colours mean; 1 is premultiplied alpha.
const EXTRA_SAMPLES_TAG: u16 = 338;
const PREMULTIPLIED_ALPHA: u32 = 1;

/// Decodes a file of the given format: the first picture, composed on its canvas.
pub(super) fn decode(bytes: &[u8], format: ImageFormat, limits: &ImageLimits) -> Result<RgbImage, DecodeError> {
    let name = Container::Other(format).name();
    let fail = |error: ImageError| to_decode_error(name, &error);
    if format == ImageFormat::WebP {
        for (width, height) in webp_bitstream_sizes(bytes) {
            check_dimensions(name, width, height, limits)?;
        }
    }
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(allocation_limit(SLACK_BYTES));
    let mut decoder = reader.into_decoder().map_err(fail)?;
    let (width, height) = decoder.dimensions();
    check_dimensions(name, width.into(), height.into(), limits)?;
    let decoded_bytes = decoder.total_bytes();
    let byte_limit = limits.pixels.saturating_mul(BYTES_PER_ALLOWED_PIXEL);
    check_limit("decoded size in bytes", decoded_bytes, byte_limit, KEY_PIXELS)?;
    // Once for the decoder's own copy, once for what it unpacks into that.
    let allowed = decoded_bytes.saturating_mul(2).saturating_add(SLACK_BYTES);
    decoder.set_limits(allocation_limit(allowed)).map_err(fail)?;

    let color = decoder.color_type();
    let unaddressable = || DecodeError::Damaged { format: name, reason: "its size exceeds the address space".into() };
    let mut samples = vec![0; usize::try_from(decoded_bytes).map_err(|_| unaddressable())?];
    decoder.read_image(&mut samples).map_err(fail)?;
    let pixels = to_rgb(samples, color, alpha_kind(bytes, format)).ok_or_else(|| DecodeError::Unsupported {
        expected: "picture",
        reason: format!("{color:?} samples in a {name} file are not read"),
    })?;
    Ok(RgbImage { width, height, pixels })
}

fn allocation_limit(bytes: u64) -> Limits {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(bytes);
    limits
}

/// Only TIFF can store premultiplied colours.
fn alpha_kind(bytes: &[u8], format: ImageFormat) -> Alpha {
    let premultiplied =
        format == ImageFormat::Tiff && first_ifd_value(bytes, EXTRA_SAMPLES_TAG) == Some(PREMULTIPLIED_ALPHA);
    if premultiplied { Alpha::Premultiplied } else { Alpha::Straight }
}

fn to_decode_error(format: &'static str, error: &ImageError) -> DecodeError {
    match error {
        ImageError::Unsupported(_) => DecodeError::Unsupported { expected: "picture", reason: error.to_string() },
        ImageError::Limits(_) => {
            let reason = "decoding it needs more memory than a picture of its size justifies".into();
            DecodeError::Damaged { format, reason }
        }
        // Reading from memory fails only where the data ends.
        ImageError::IoError(_) => DecodeError::Damaged { format, reason: "it ends early".into() },
        _ => DecodeError::Damaged { format, reason: error.to_string() },
    }
}
