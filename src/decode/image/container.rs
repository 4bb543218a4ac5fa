//! Which picture format some bytes are, and where that format keeps its EXIF block.
//!
//! Owns the outermost layer of each format only: signatures and chunk headers, never pixels. The chunks are walked here
//! rather than asked of the decoders, because those allocate what a chunk header claims before they read it.
//! Invariant: every slice handed out lies within the file, whatever its headers claim.

use image::ImageFormat;

use super::{DecodeError, jpeg_header};

/// The formats that are read, as recognised by their first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Container {
    /// Decoded by libjpeg-turbo.
    Jpeg,
    /// Decoded by `image`.
    Other(ImageFormat),
}

impl Container {
    /// Recognises the format from the content.
    pub(super) fn of(bytes: &[u8]) -> Result<Self, DecodeError> {
        match image::guess_format(bytes) {
            Ok(ImageFormat::Jpeg) => Ok(Self::Jpeg),
            Ok(format) if format.reading_enabled() => Ok(Self::Other(format)),
            Ok(format) => Err(unsupported(format!("{format:?} files are not read"))),
            Err(_) => Err(unsupported("its first bytes are no known signature".into())),
        }
    }

    /// Lower-case name of the format.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg",
            Self::Other(format) => format.extensions_str().first().copied().unwrap_or("picture"),
        }
    }

    /// The file's EXIF block: a TIFF structure from its byte order mark on.
    pub(super) fn exif(self, bytes: &[u8]) -> Option<&[u8]> {
        let block = match self {
            Self::Jpeg => jpeg_header::exif(bytes),
            Self::Other(ImageFormat::Png) => png_chunks(bytes).find(|(kind, _)| *kind == b"eXIf").map(|(_, data)| data),
            Self::Other(ImageFormat::WebP) => webp_exif(bytes),
            Self::Other(ImageFormat::Tiff) => Some(bytes),
            Self::Other(_) => None,
        }?;
        // The prefix belongs to JPEG; some writers put it into the other formats' chunks too.
        Some(block.strip_prefix(b"Exif\0\0").unwrap_or(block))
    }
}

fn unsupported(reason: String) -> DecodeError {
    DecodeError::Unsupported { expected: "picture", reason }
}

type Chunk<'a> = (&'a [u8; 4], &'a [u8]);

/// The chunks of a PNG file (PNG specification, section 5.3): big-endian length, type, data, checksum.
fn png_chunks(bytes: &[u8]) -> impl Iterator<Item = Chunk<'_>> {
    let mut rest = bytes.get(8..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (length, tail) = rest.split_first_chunk::<4>()?;
        let (kind, tail) = tail.split_first_chunk::<4>()?;
        let (data, tail) = tail.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        rest = tail.get(4..).unwrap_or_default();
        Some((kind, data))
    })
}

/// RIFF chunks: type, little-endian length, data padded to even length. The last one may be cut short.
fn riff_chunks(bytes: &[u8]) -> impl Iterator<Item = Chunk<'_>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (kind, tail) = rest.split_first_chunk::<4>()?;
        let (length, tail) = tail.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length) as usize;
        let data = &tail[..length.min(tail.len())];
        rest = tail.get(length.saturating_add(length % 2)..).unwrap_or_default();
        Some((kind, data))
    })
}

/// The chunks of a WebP file, which follow `RIFF`, the file's length and `WEBP`.
fn webp_chunks(bytes: &[u8]) -> impl Iterator<Item = Chunk<'_>> {
    riff_chunks(bytes.get(12..).unwrap_or_default())
}

fn webp_exif(bytes: &[u8]) -> Option<&[u8]> {
    webp_chunks(bytes).find(|(kind, _)| *kind == b"EXIF").map(|(_, data)| data)
}

/// Width and height of the lossy bitstreams that decoding the first picture of a WebP file touches.
///
/// The canvas in the file's header may be small while the bitstream inside is not, and the decoder finds out only after
/// it has decoded the latter.
pub(super) fn webp_bitstream_sizes(bytes: &[u8]) -> impl Iterator<Item = (u64, u64)> {
    const FRAME_HEADER_BYTES: usize = 16;
    let first_frame = webp_chunks(bytes).find(|(kind, _)| *kind == b"ANMF").map_or(&[][..], |(_, data)| data);
    webp_chunks(bytes)
        .chain(riff_chunks(first_frame.get(FRAME_HEADER_BYTES..).unwrap_or_default()))
        .filter(|(kind, _)| *kind == b"VP8 ")
        .filter_map(|(_, data)| {
            // RFC 6386, section 9.1: three bytes of frame tag, three of start code, then 14 bits of each size.
            let (width, height) = (data.get(6..8)?, data.get(8..10)?);
            let size = |field: &[u8]| u64::from(u16::from_le_bytes([field[0], field[1]]) & 0x3fff);
            Some((size(width), size(height)))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_their_content() {
        #[track_caller]
        fn check(bytes: &[u8], expected: Result<&str, &str>) {
            let found = Container::of(bytes).map(Container::name).map_err(|error| error.to_string());
            assert_eq!(found, expected.map_err(str::to_owned));
        }
        check(b"\xff\xd8\xff\xe0", Ok("jpeg"));
        check(b"\x89PNG\r\n\x1a\n", Ok("png"));
        check(b"GIF89a", Ok("gif"));
        check(b"RIFF\0\0\0\0WEBP", Ok("webp"));
        check(b"MM\0*", Ok("tiff"));
        check(b"BM\0\0", Ok("bmp"));
        check(b"v/1\x01", Err("not a known picture format: OpenExr files are not read"));
        check(b"plain text", Err("not a known picture format: its first bytes are no known signature"));
        check(b"x", Err("not a known picture format: its first bytes are no known signature"));
    }

    #[test]
    fn chunks_end_where_the_file_ends() {
        let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
        png.extend(b"\0\0\0\x02abcdXYcrc!\xff\xff\xff\xffeXIfgone");
        assert_eq!(png_chunks(&png).collect::<Vec<_>>(), [(b"abcd", &b"XY"[..])]);

        let riff = b"abcd\x01\0\0\0X\0efgh\xff\xff\xff\xffcut";
        assert_eq!(riff_chunks(riff).collect::<Vec<_>>(), [(b"abcd", &b"X"[..]), (b"efgh", &b"cut"[..])]);
    }

    #[test]
    fn the_exif_prefix_is_optional() {
        for block in [&b"Exif\0\0MM\0*"[..], b"MM\0*"] {
            let mut webp = b"RIFF\0\0\0\0WEBPEXIF".to_vec();
            webp.extend(u32::try_from(block.len()).unwrap().to_le_bytes());
            webp.extend(block);
            assert_eq!(Container::Other(ImageFormat::WebP).exif(&webp), Some(&b"MM\0*"[..]));
        }
    }

    #[test]
    fn the_bitstream_inside_an_animation_frame_is_measured() {
        let mut frame = [0_u8; 16].to_vec();
        frame.extend(b"VP8 \x0a\0\0\0\0\0\0\x9d\x01\x2a\xff\x3f\x02\x00");
        let mut webp = b"RIFF\0\0\0\0WEBPANMF".to_vec();
        webp.extend(u32::try_from(frame.len()).unwrap().to_le_bytes());
        webp.extend(frame);
        assert_eq!(webp_bitstream_sizes(&webp).collect::<Vec<_>>(), [(16383, 2)]);
    }
}
