//! JPEG through libjpeg-turbo: accurate integer DCT and smooth chroma upsampling, the defaults of the library and of
//! the programs that the model's inputs were decoded with.
//!
//! Owns the judgement of the decoder's complaints. libjpeg-turbo tells errors, after which there is no picture, from
//! warnings, after which it went on and the picture is whole or grey in places; the binding returns both as errors and
//! keeps the message only, so they are told apart by [`WARNINGS`] here.
//! Invariant: a message that is not a known warning means that there is no picture.

use turbojpeg::{Colorspace, DecompressHeader, Decompressor, Image, PixelFormat};

use super::flatten::cmyk_to_rgb;
use super::{DecodeError, ImageLimits, check_dimensions, jpeg_header};
use crate::media::RgbImage;

const FORMAT: &str = "jpeg";

/// Scans that a file may have. Each costs a pass over the whole picture, however few bytes it takes in the file: 490
/// scans of 128 million pixels took a minute. So the limit falls from the most that any picture may have, as the area
/// grows, to the least that every picture may have. Encoders write about ten, and twenty when they optimise for size.
const SCANS: std::ops::RangeInclusive<u64> = 32..=500;
const SCANNED_PIXELS: u64 = 1 << 32;

/// How libjpeg-turbo's warnings begin. Some stand for damage, some for oddities that are read all the same.
const WARNINGS: [&str; 7] = [
    "Corrupt JPEG data",
    "Premature end of JPEG file",
    "Inconsistent progression sequence",
    "Invalid SOS parameters for sequential JPEG",
    "Unknown Adobe color transform code",
    "Warning: unknown JFIF revision number",
    "Application transferred too many scanlines",
];

/// Decodes a JPEG file: the picture as stored, and the first thing the decoder warned about.
pub(super) fn decode(bytes: &[u8], limits: &ImageLimits) -> Result<(RgbImage, Option<String>), DecodeError> {
    if let Some(bits) = jpeg_header::bits_per_sample(bytes)
        && bits != 8
    {
        let reason = format!("JPEG of {bits} bits a sample, only 8 are read");
        return Err(DecodeError::Unsupported { expected: "picture", reason });
    }
    let decoded = decode_stream(bytes, limits);
    if let Err(DecodeError::Damaged { .. }) = decoded
        && let Some(kept) = jpeg_header::before_cut_segment(bytes)
    {
        return decode_stream(kept, limits);
    }
    decoded
}

fn decode_stream(bytes: &[u8], limits: &ImageLimits) -> Result<(RgbImage, Option<String>), DecodeError> {
    let mut decompressor = Decompressor::new().map_err(damaged)?;
    let header = decompressor.read_header(bytes);
    if let Err(error) = &header
        && let Some(warning) = warning(error)
    {
        // The binding gives no size after a warning, so the parts of the header that can cause one are taken away.
        let essential = jpeg_header::essential(bytes).ok_or_else(|| no_picture(&warning))?;
        let header = decompressor.read_header(&essential).map_err(damaged)?;
        let (image, _) = decode_body(&mut decompressor, header, &essential, limits)?;
        return Ok((image, Some(warning)));
    }
    decode_body(&mut decompressor, header.map_err(damaged)?, bytes, limits)
}

fn decode_body(
    decompressor: &mut Decompressor,
    header: DecompressHeader,
    bytes: &[u8],
    limits: &ImageLimits,
) -> Result<(RgbImage, Option<String>), DecodeError> {
    let (width, height) = (header.width, header.height);
    check_dimensions(FORMAT, width as u64, height as u64, limits)?;
    decompressor.set_scan_limit(scan_limit(width as u64 * height as u64)).map_err(damaged)?;
    let inks = matches!(header.colorspace, Colorspace::CMYK | Colorspace::YCCK);
    let format = if inks { PixelFormat::CMYK } else { PixelFormat::RGB };
    let pitch = width * format.size();
    let mut pixels = vec![0; pitch * height];
    let output = Image { pixels: &mut pixels[..], width, pitch, height, format };
    let damage = match decompressor.decompress(bytes, output) {
        Ok(()) => None,
        Err(error) => Some(warning(&error).ok_or_else(|| damaged(error))?),
    };
    if let Some(warning) = &damage
        && warning.to_lowercase().contains("premature end")
        && pixels.chunks_exact(format.size()).all(|pixel| pixel == &pixels[..format.size()])
    {
        // Nothing was decoded: what is missing comes out in one flat colour.
        return Err(no_picture(warning));
    }
    if inks {
        pixels = cmyk_to_rgb(pixels, jpeg_header::has_adobe_marker(bytes));
    }
    let size = |side: usize| u32::try_from(side).expect("JPEG sizes have sixteen bits");
    Ok((RgbImage { width: size(width), height: size(height), pixels }, damage))
}

fn scan_limit(pixels: u64) -> u32 {
    let scans = (SCANNED_PIXELS / pixels).clamp(*SCANS.start(), *SCANS.end());
    u32::try_from(scans).expect("it is at most the end of the range")
}

/// The message, if it is one after which decoding went on.
fn warning(error: &turbojpeg::Error) -> Option<String> {
    match error {
        turbojpeg::Error::TurboJpegError(message) if WARNINGS.iter().any(|start| message.starts_with(start)) => {
            Some(message.clone())
        }
        _ => None,
    }
}

fn no_picture(warning: &str) -> DecodeError {
    DecodeError::Damaged { format: FORMAT, reason: format!("nothing of the picture is left: {warning}") }
}

fn damaged(error: turbojpeg::Error) -> DecodeError {
    let reason = match error {
        turbojpeg::Error::TurboJpegError(message) => message,
        // The binding's way to say that the size in the header is still unset.
        turbojpeg::Error::IntegerOverflow(_) => "it ends before its frame header".into(),
        other => other.to_string(),
    };
    DecodeError::Damaged { format: FORMAT, reason }
}

#[cfg(test)]
mod tests {
    use super::scan_limit;

    #[test]
    fn larger_pictures_may_have_fewer_scans() {
        assert_eq!(scan_limit(1), 500);
        assert_eq!(scan_limit(12_000_000), 357);
        assert_eq!(scan_limit(128_000_000), 33);
        assert_eq!(scan_limit(u64::MAX), 32);
    }
}
