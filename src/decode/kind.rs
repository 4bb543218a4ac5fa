//! Whether a file is a sound or a picture, by its first bytes.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::DecodeError;
use crate::media::MediaKind;

/// More than any picture format's signature needs.
const SIGNATURE_BYTES: u64 = 64;

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
    File::open(path)?.take(SIGNATURE_BYTES).read_to_end(&mut head)?;
    match (head.is_empty(), image::guess_format(&head)) {
        (true, _) => Err(DecodeError::Empty("data")),
        (false, Ok(_)) => Ok(MediaKind::Image),
        (false, Err(_)) => Ok(MediaKind::Audio),
    }
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
}
