//! Whether a file is a sound or a picture, by its first bytes.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::DecodeError;
use crate::media::MediaKind;

/// More than any signature of a picture format needs.
const PICTURE_SIGNATURE_BYTES: u64 = 64;

/// First bytes of a file that [`signature`] wants to see: more than the longest frame of an MPEG audio stream, 2,881
/// bytes, so that the next one's header is among them.
pub const SIGNATURE_BYTES: usize = 4096;

/// The kind of the file at `path`: a picture if it starts like one, otherwise a sound, which only its decoder can tell.
///
/// # Errors
/// [`DecodeError::Io`] if it is no regular file or cannot be read, [`DecodeError::Empty`] if there is nothing in it.
pub fn kind_of(path: &Path) -> Result<MediaKind, DecodeError> {
    // Asked before opening: opening a FIFO would wait for somebody to write to it.
    if !std::fs::metadata(path)?.is_file() {
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, "not a regular file").into());
    }
    let mut head = Vec::new();
    File::open(path)?.take(PICTURE_SIGNATURE_BYTES).read_to_end(&mut head)?;
    match (head.is_empty(), image::guess_format(&head)) {
        (true, _) => Err(DecodeError::Empty("data")),
        (false, Ok(_)) => Ok(MediaKind::Image),
        (false, Err(_)) => Ok(MediaKind::Audio),
    }
}

/// The kind of a file by its first [`SIGNATURE_BYTES`], or all of it if it is shorter: `None` if it starts like nothing
/// that is worth giving to a decoder without its name saying so. Containers of films count as sounds.
///
/// Stricter than [`kind_of`]: two letters or eleven bits alone, which any file may start with, are not enough.
pub fn signature(head: &[u8]) -> Option<MediaKind> {
    if is_picture(head) {
        Some(MediaKind::Image)
    } else if is_sound_container(head) || is_mpeg_stream(head) || is_adts_stream(head) {
        Some(MediaKind::Audio)
    } else {
        None
    }
}

fn is_picture(head: &[u8]) -> bool {
    use image::ImageFormat as Format;
    const HEIF_BRANDS: [&[u8]; 6] = [b"avif", b"avis", b"heic", b"heix", b"mif1", b"msf1"];
    const JPEG_XL: [&[u8]; 2] = [b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n"];
    let heif = head.get(4..8) == Some(b"ftyp") && head.get(8..12).is_some_and(|brand| HEIF_BRANDS.contains(&brand));
    match image::guess_format(head) {
        Ok(Format::Bmp) => is_bitmap(head),
        Ok(Format::Jpeg | Format::Png | Format::Gif | Format::Tiff | Format::WebP | Format::Avif) => true,
        _ => heif || JPEG_XL.iter().any(|start| head.starts_with(start)),
    }
}

/// `BM`, the size of the file, four bytes that are zero, the start of the pixels, and the size of one of the headers.
fn is_bitmap(head: &[u8]) -> bool {
    const HEADER_BYTES: [u8; 7] = [12, 40, 52, 56, 64, 108, 124];
    head.get(6..10) == Some(&[0; 4]) && matches!(head.get(14..18), Some([size, 0, 0, 0]) if HEADER_BYTES.contains(size))
}

fn is_sound_container(head: &[u8]) -> bool {
    const STARTS: [&[u8]; 5] = [b"caff", b"fLaC", b"OggS", b"ID3", b"\x1a\x45\xdf\xa3"];
    const ATOMS: [&[u8]; 4] = [b"ftyp", b"moov", b"mdat", b"wide"];
    let (group, form) = (head.get(..4).unwrap_or_default(), head.get(8..12).unwrap_or_default());
    STARTS.iter().any(|start| head.starts_with(start))
        || matches!(group, b"RIFF" | b"RF64" | b"BW64") && form == b"WAVE"
        || group == b"FORM" && matches!(form, b"AIFF" | b"AIFC")
        || head.get(4..8).is_some_and(|atom| ATOMS.contains(&atom))
}

/// Two frames of MPEG audio in a row.
fn is_mpeg_stream(head: &[u8]) -> bool {
    let next = mpeg_frame_bytes(head).and_then(|length| head.get(length..));
    next.is_some_and(|next| mpeg_frame_bytes(next).is_some())
}

/// The length of the frame that starts here, by its header (ISO 11172-3 and 13818-3, section 2.4.2.3); layers 2 and 3.
fn mpeg_frame_bytes(bytes: &[u8]) -> Option<usize> {
    const LAYER_2: [usize; 15] = [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384];
    const LAYER_3: [usize; 15] = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
    const LOW_RATE: [usize; 15] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
    let header = u32::from_be_bytes(*bytes.first_chunk()?);
    let bits = |shift: u32, count: u32| (header >> shift) as usize & ((1 << count) - 1);
    let (sync, version, layer) = (bits(21, 11), bits(19, 2), bits(17, 2));
    let rate_hz = [44_100, 48_000, 32_000].get(bits(10, 2))?;
    let (kilobits, frame_samples, rate_hz) = match (sync, version, layer) {
        (0x7ff, 3, 2) => (LAYER_2, 1152, *rate_hz),
        (0x7ff, 3, 1) => (LAYER_3, 1152, *rate_hz),
        (0x7ff, 2, 2) => (LOW_RATE, 1152, rate_hz / 2),
        (0x7ff, 2, 1) => (LOW_RATE, 576, rate_hz / 2),
        (0x7ff, 0, 1) => (LOW_RATE, 576, rate_hz / 4),
        _ => return None,
    };
    let bits_a_second = 1000 * kilobits.get(bits(12, 4)).filter(|&&rate| rate > 0)?;
    Some(frame_samples / 8 * bits_a_second / rate_hz + bits(9, 1))
}

/// Two frames of AAC in a row, each with a header of its own (ISO 13818-7, section 6.2).
fn is_adts_stream(head: &[u8]) -> bool {
    let frame_bytes = |bytes: &[u8]| {
        let [sync, flags, _, high, middle, low, _] = *bytes.first_chunk()?;
        let length = usize::from(high & 3) << 11 | usize::from(middle) << 3 | usize::from(low >> 5);
        (sync == 0xff && flags & 0xf6 == 0xf0 && length > 7).then_some(length)
    };
    let next = frame_bytes(head).and_then(|length| head.get(length..));
    next.is_some_and(|next| frame_bytes(next).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_decides_and_not_the_name() {
        let directory = tempfile::tempdir().unwrap();
        let check = |name: &str, content: &[u8], expected: Result<MediaKind, &str>| {
            let path = directory.path().join(name);
            std::fs::write(&path, content).unwrap();
            assert_eq!(kind_of(&path).map_err(|error| error.to_string()), expected.map_err(str::to_owned));
        };
        check("a.wav", b"\x89PNG\r\n\x1a\n", Ok(MediaKind::Image));
        check("a.jpg", b"RIFF\x24\0\0\0WAVEfmt ", Ok(MediaKind::Audio));
        check("a.webp", b"RIFF\x24\0\0\0WEBPVP8 ", Ok(MediaKind::Image));
        check("a.png", b"", Err("empty: it holds no data"));
        assert!(matches!(kind_of(directory.path()), Err(DecodeError::Io(_))));
        assert!(matches!(kind_of(&directory.path().join("none")), Err(DecodeError::Io(_))));
    }

    #[test]
    fn signatures_are_not_seen_where_there_are_none() {
        let check = |head: &[u8], expected| assert_eq!(signature(head), expected, "{:?}", head.escape_ascii());
        let (sound, picture) = (Some(MediaKind::Audio), Some(MediaKind::Image));
        for head in [&b"RIFF\x24\0\0\0WAVEfmt "[..], b"RF64\xff\xff\xff\xffWAVE", b"FORM\0\0\0\0AIFC", b"caff\0\x01"] {
            check(head, sound);
        }
        for head in [&b"fLaC"[..], b"OggS", b"ID3\x04", b"\x1a\x45\xdf\xa3", b"\0\0\0\x20ftypM4A ", b"\0\0\0\x08wide"] {
            check(head, sound);
        }
        for head in [&b"\xff\xd8\xff\xe0"[..], b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBP", b"\0\0\0\x1cftypheic"] {
            check(head, picture);
        }
        check(b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", picture);
        for head in [
            &b""[..],
            b"x",
            b"plain text of some length",
            b"BM",
            b"BMW 320d, red, as good as new",
            b"\xff\xfb",
            b"PK\x03\x04",
        ] {
            check(head, None);
        }
        check(b"RIFF\0\0\0\0ACONanih", None);
        check(&[0xff; SIGNATURE_BYTES], None);
        check(&[0; SIGNATURE_BYTES], None);
    }

    #[test]
    fn real_files_have_signatures() {
        for folder in ["audio", "images"] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(folder);
            let mut known = 0;
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let mut head = std::fs::read(&path).unwrap();
                head.truncate(SIGNATURE_BYTES);
                match path.extension().and_then(|it| it.to_str()) {
                    Some("md" | "py" | "f32" | "sha256") => {
                        assert_eq!(signature(&head), None, "{}", path.display());
                    }
                    _ => {
                        assert_eq!(signature(&head), Some(kind_of(&path).unwrap()), "{}", path.display());
                        known += 1;
                    }
                }
            }
            assert!(known > 10);
        }
    }
}
