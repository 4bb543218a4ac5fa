//! Picture files to 8-bit RGB: one still picture a file, upright, opaque.
//!
//! Owns the choice of decoder (by content, never by name) and what a picture file may cost. JPEG goes through
//! libjpeg-turbo, because the model's golden pixels are its pixels, bit for bit; everything else goes through `image`.
//! Of an animation the first frame counts. Transparency is composited over white. Colour profiles are ignored, as the
//! model's own preprocessing ignores them.
//! Invariant: [`ImageLimits`] are checked against sizes read from headers, before memory is asked for, and no panic
//! of a third-party decoder leaves this module.
//! Does not know the model, its picture size or its normalisation.

mod container;
mod flatten;
mod ifd;
mod jpeg;
mod jpeg_header;
mod orientation;
mod raster;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::error::contain_panics;
use super::{DecodeError, ImageLimits};
use crate::media::RgbImage;
use container::Container;
use orientation::Orientation;

/// Configuration keys of [`ImageLimits`], named in the errors that exceeding them gives.
const KEY_FILE_BYTES: &str = "limits.image.file_bytes";
const KEY_PIXELS: &str = "limits.image.pixels";

/// What becomes of the orientation that the camera wrote into the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rotation {
    /// Turn and mirror the picture as its EXIF or TIFF orientation tag says: what every viewer shows.
    #[default]
    Upright,
    /// Leave the pixels as they are stored: what the model's published preprocessing does.
    AsStored,
}

/// A picture and what was learned about its file on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodedImage {
    /// The picture.
    pub image: RgbImage,
    /// What the decoder complained about, where it could go on. Of a truncated JPEG the part that is there is kept, as
    /// every viewer does; the rest is grey.
    pub damage: Option<String>,
    /// Lower-case name of the format found in the content, e.g. "jpeg".
    pub format: &'static str,
}

/// Reads and decodes the picture file at `path`.
///
/// # Errors
/// [`DecodeError::Io`] if the path is no regular file or cannot be read, else those of [`decode_image`].
pub fn read_image(path: &Path, limits: &ImageLimits, rotation: Rotation) -> Result<DecodedImage, DecodeError> {
    let bytes = read_bounded(path, limits.file_bytes)?;
    decode_image(&bytes, limits, rotation)
}

/// Decodes the picture file whose content is `bytes`.
///
/// # Errors
/// [`DecodeError::Empty`] for no bytes, [`DecodeError::Unsupported`] for unknown formats and for variants that no
/// decoder here reads, [`DecodeError::TooLarge`] if the header exceeds `limits`, [`DecodeError::Damaged`] if no picture
/// could be made of the content.
pub fn decode_image(bytes: &[u8], limits: &ImageLimits, rotation: Rotation) -> Result<DecodedImage, DecodeError> {
    if bytes.is_empty() {
        return Err(DecodeError::Empty("data"));
    }
    check_limit("file size in bytes", bytes.len() as u64, limits.file_bytes, KEY_FILE_BYTES)?;
    let container = Container::of(bytes)?;
    let (stored, damage) = contain_panics(container.name(), || match container {
        Container::Jpeg => jpeg::decode(bytes, limits),
        Container::Other(format) => raster::decode(bytes, format, limits).map(|image| (image, None)),
    })?;
    let image = match rotation {
        Rotation::Upright => Orientation::of(container.exif(bytes)).apply(stored),
        Rotation::AsStored => stored,
    };
    Ok(DecodedImage { image, damage, format: container.name() })
}

/// The whole file, if it is a regular one of at most `limit` bytes. A device or pipe is refused without being opened,
/// and a file that grows while it is read is caught at the limit.
fn read_bounded(path: &Path, limit: u64) -> Result<Vec<u8>, DecodeError> {
    let metadata = std::fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, "not a regular file").into());
    }
    check_limit("file size in bytes", metadata.len(), limit, KEY_FILE_BYTES)?;
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
    File::open(path)?.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn check_limit(what: &'static str, actual: u64, limit: u64, key: &'static str) -> Result<(), DecodeError> {
    if actual > limit { Err(DecodeError::TooLarge { what, actual, limit, key }) } else { Ok(()) }
}

/// Refuses pictures of no area and of more than the allowed one.
fn check_dimensions(format: &'static str, width: u64, height: u64, limits: &ImageLimits) -> Result<(), DecodeError> {
    let pixels = width.saturating_mul(height);
    if pixels == 0 {
        return Err(DecodeError::Damaged { format, reason: format!("it says it is {width} by {height} pixels") });
    }
    check_limit("width times height", pixels, limits.pixels, KEY_PIXELS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_inclusive_and_do_not_overflow() {
        let limits = ImageLimits { file_bytes: 10, pixels: 12 };
        assert!(check_dimensions("bmp", 3, 4, &limits).is_ok());
        assert!(matches!(
            check_dimensions("bmp", 13, 1, &limits),
            Err(DecodeError::TooLarge { actual: 13, limit: 12, key: KEY_PIXELS, .. })
        ));
        assert!(matches!(
            check_dimensions("bmp", u64::MAX, u64::MAX, &limits),
            Err(DecodeError::TooLarge { actual: u64::MAX, .. })
        ));
        assert!(matches!(check_dimensions("bmp", 0, 4, &limits), Err(DecodeError::Damaged { .. })));
    }
}
