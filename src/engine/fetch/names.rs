//! What a file's name promises.
//!
//! The content decides what a file is; its name only, whether it is worth complaining about.

use std::fmt;
use std::path::Path;

use crate::media::MediaKind;

/// Extensions of sounds, and of containers that may have a sound track. `ts` and `dts` are left out: most such files
/// are source code.
const SOUNDS: [&str; 60] = [
    "3g2", "3gp", "aa3", "aac", "ac3", "adts", "aif", "aifc", "aiff", "alac", "amr", "ape", "au", "avi", "bw64", "bwf",
    "caf", "dff", "dsf", "eac3", "f4a", "f4v", "flac", "flv", "gsm", "m2ts", "m4a", "m4b", "m4r", "m4v", "mka", "mkv",
    "mov", "mp1", "mp2", "mp3", "mp4", "mpc", "mpeg", "mpg", "mts", "mxf", "oga", "ogg", "ogv", "opus", "ra", "rf64",
    "snd", "spx", "tta", "voc", "w64", "wav", "wave", "weba", "webm", "wma", "wmv", "wv",
];

/// Extensions of pictures.
const PICTURES: [&str; 25] = [
    "apng", "avif", "bmp", "dib", "gif", "heic", "heif", "hif", "j2k", "jfif", "jif", "jp2", "jpe", "jpeg", "jpg",
    "jpx", "jxl", "jxr", "pjp", "pjpeg", "png", "tga", "tif", "tiff", "webp",
];

/// An extension of media, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MediaName {
    extension: &'static str,
    kind: MediaKind,
}

impl MediaName {
    /// What a path promises, if anything.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        let found = |table: &[&'static str], kind| {
            let known = table.iter().find(|known| **known == extension);
            known.map(|&extension| Self { extension, kind })
        };
        found(&SOUNDS, MediaKind::Audio).or_else(|| found(&PICTURES, MediaKind::Image))
    }

    /// What it promises.
    pub(super) fn kind(&self) -> MediaKind {
        self.kind
    }
}

impl fmt::Display for MediaName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.extension)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_plain() {
        for extension in SOUNDS.iter().chain(&PICTURES) {
            assert!(extension.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()), "{extension}");
        }
        assert!(SOUNDS.is_sorted() && PICTURES.is_sorted());
        assert!(PICTURES.iter().all(|extension| !SOUNDS.contains(extension)));
    }

    #[test]
    fn names_promise_by_their_extension() {
        let check = |path: &str, expected| {
            assert_eq!(MediaName::of(Path::new(path)).map(|name| name.kind()), expected, "{path}");
        };
        check("a/b.WAV", Some(MediaKind::Audio));
        check("b.mov", Some(MediaKind::Audio));
        check("b.tar.JPEG", Some(MediaKind::Image));
        for path in ["wav", ".wav", "a.wav.bak", "a.wav/b", "a.", "a.txt", "a.zip"] {
            check(path, None);
        }
    }
}
