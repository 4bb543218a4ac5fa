//! Paths below a root, as the file system has them.

use std::fmt;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

/// A path below a root: the file system's bytes, components separated by `/`, none of them `.` or `..`.
///
/// Ordered by bytes. Empty for the root itself. Need not be Unicode.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct RelativePath(Box<[u8]>);

/// A path that leads nowhere below a root.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: not a path below a root: expected plain names separated by /", .0.display())]
pub struct NotRelative(PathBuf);

impl RelativePath {
    /// The root itself.
    pub fn root() -> Self {
        Self::default()
    }

    /// Takes a path made of plain names only.
    pub fn new(path: &Path) -> Result<Self, NotRelative> {
        let mut bytes = Vec::new();
        for component in path.components() {
            let Component::Normal(name) = component else { return Err(NotRelative(path.into())) };
            if !bytes.is_empty() {
                bytes.push(b'/');
            }
            bytes.extend_from_slice(&name_bytes(name));
        }
        Ok(Self(bytes.into()))
    }

    /// The bytes, with `/`.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Takes the bytes of [`Self::as_bytes`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NotRelative> {
        Self::new(&path_of(bytes))
    }

    /// Whether it is the root itself.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it is `ancestor` or lies below it.
    pub fn starts_with(&self, ancestor: &Self) -> bool {
        let rest = self.0.strip_prefix(&*ancestor.0);
        rest.is_some_and(|rest| ancestor.is_root() || rest.is_empty() || rest[0] == b'/')
    }

    /// As a path relative to its root.
    pub fn to_path(&self) -> PathBuf {
        path_of(&self.0)
    }

    /// The file below `root`.
    pub fn below(&self, root: &Path) -> PathBuf {
        if self.is_root() { root.into() } else { root.join(self.to_path()) }
    }

    /// The last name, what is not Unicode replaced.
    pub fn file_name(&self) -> String {
        let name = self.0.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
        String::from_utf8_lossy(name).into_owned()
    }

    /// What follows the last dot of the last name, in lower case; empty if there is none.
    pub fn extension(&self) -> String {
        let extension = self.to_path().extension().map(|extension| extension.to_string_lossy().to_lowercase());
        extension.unwrap_or_default()
    }
}

#[cfg(unix)]
fn name_bytes(name: &std::ffi::OsStr) -> std::borrow::Cow<'_, [u8]> {
    std::os::unix::ffi::OsStrExt::as_bytes(name).into()
}

#[cfg(unix)]
fn path_of(bytes: &[u8]) -> PathBuf {
    <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(bytes).into()
}

#[cfg(not(unix))]
fn name_bytes(name: &std::ffi::OsStr) -> std::borrow::Cow<'_, [u8]> {
    name.to_string_lossy().into_owned().into_bytes().into()
}

#[cfg(not(unix))]
fn path_of(bytes: &[u8]) -> PathBuf {
    String::from_utf8_lossy(bytes).into_owned().into()
}

impl fmt::Display for RelativePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

impl fmt::Debug for RelativePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RelativePath {
        RelativePath::new(Path::new(text)).unwrap()
    }

    #[test]
    fn only_plain_names_lead_below_a_root() {
        assert_eq!(path("a/b.wav").as_bytes(), b"a/b.wav");
        assert_eq!(path("a//./b/"), path("a/b"));
        assert_eq!(path(""), RelativePath::root());
        for wrong in ["/etc/passwd", "..", "a/../b", "../a"] {
            assert!(RelativePath::new(Path::new(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn ancestors_are_told_by_whole_names() {
        assert!(path("a/b").starts_with(&path("a")));
        assert!(path("a").starts_with(&path("a")));
        assert!(path("a").starts_with(&RelativePath::root()));
        assert!(!path("ab").starts_with(&path("a")));
        assert!(!path("a").starts_with(&path("a/b")));
    }

    #[cfg(unix)]
    #[test]
    fn names_need_not_be_unicode() {
        let path = RelativePath::from_bytes(b"a/\xff.WAV").unwrap();
        assert_eq!(path.as_bytes(), b"a/\xff.WAV");
        assert_eq!((path.file_name().as_str(), path.extension().as_str()), ("\u{fffd}.WAV", "wav"));
    }
}
