//! The checkpoints that can be fetched by name, with the size and digest that identify each.
//!
//! The two files are the ones that AudioCLIP's authors publish. Sizes and digests are those of the release's Git LFS
//! pointers, so a mirror given with `--url` has to serve exactly the same bytes.

use super::Sha256Digest;

const RELEASE: &str = "https://github.com/AndreyGuzhov/AudioCLIP/releases/download/v0.1";
const FULL_SHA256: Sha256Digest =
    Sha256Digest::from_hex("2441d35b353352c8b1bbfb8f7c687f46314c3d2909e940eaf763b8c17f632c44").expect("64 hex digits");
const PARTIAL_SHA256: Sha256Digest =
    Sha256Digest::from_hex("1921885b6c3b5de0619f2ef4a9700ecbade758a398b34eb064230c30baef0c75").expect("64 hex digits");

/// A file to fetch: where it is, and how to know that it is the right one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The name under which the catalogue, and later the model store, knows it.
    pub name: String,
    /// The name of the file as published.
    pub file_name: String,
    /// An `http://` or `https://` address. Whatever it serves is judged by `bytes` and `sha256`.
    pub url: String,
    /// The exact size.
    pub bytes: u64,
    /// The digest of the whole file.
    pub sha256: Sha256Digest,
}

/// Every checkpoint that can be fetched by name.
pub fn catalog() -> [Source; 2] {
    [
        audioclip("audioclip-full", "AudioCLIP-Full-Training.pt", FULL_SHA256),
        audioclip("audioclip-partial", "AudioCLIP-Partial-Training.pt", PARTIAL_SHA256),
    ]
}

fn audioclip(name: &str, file_name: &str, sha256: Sha256Digest) -> Source {
    Source {
        name: name.to_owned(),
        file_name: file_name.to_owned(),
        url: format!("{RELEASE}/{file_name}"),
        bytes: 537_302_068,
        sha256,
    }
}

impl Source {
    /// The entry of the [`catalog`] with this name.
    pub fn named(name: &str) -> Option<Self> {
        catalog().into_iter().find(|source| source.name == name)
    }

    /// The same file from another address.
    #[must_use]
    pub fn with_url(self, url: impl Into<String>) -> Self {
        Self { url: url.into(), ..self }
    }

    /// How to do without this module: the commands that fetch, check and import the file.
    pub fn by_hand(&self) -> String {
        let Self { name, file_name, bytes, sha256, .. } = self;
        // Inside single quotes a shell expands nothing; the quote itself is the one character to escape.
        let url = self.url.replace('\'', "%27");
        format!(
            "to fetch it by hand, on this machine or another ({bytes} bytes):\n  \
             curl -fL -C - -o {file_name} '{url}'\n  \
             echo '{sha256}  {file_name}' | sha256sum -c\n\
             then: earmark model import {file_name} --name {name}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_names_are_found_and_unknown_ones_are_not() {
        for (name, file_name) in [
            ("audioclip-full", Some("AudioCLIP-Full-Training.pt")),
            ("audioclip-partial", Some("AudioCLIP-Partial-Training.pt")),
            ("audioclip", None),
            ("", None),
        ] {
            let found = Source::named(name);
            assert_eq!(found.as_ref().map(|source| source.file_name.as_str()), file_name, "{name}");
            if let Some(source) = found {
                assert_eq!(source.url, format!("{RELEASE}/{}", source.file_name));
            }
        }
    }

    #[test]
    fn the_manual_way_names_address_size_digest_and_import() {
        let text = Source::named("audioclip-full").unwrap().with_url("https://mirror.example/it's.pt").by_hand();
        for part in [
            "'https://mirror.example/it%27s.pt'",
            "537302068",
            "2441d35b353352c8b1bbfb8f7c687f46314c3d2909e940eaf763b8c17f632c44",
            "earmark model import AudioCLIP-Full-Training.pt --name audioclip-full",
        ] {
            assert!(text.contains(part), "{part} is missing from:\n{text}");
        }
    }
}
