//! Steps between paths below a root, and a map that knows what lies below what.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;

use crate::library::RelativePath;

/// What is called `name` in `folder`.
pub(super) fn child(folder: &RelativePath, name: &OsStr) -> RelativePath {
    RelativePath::new(&folder.to_path().join(name)).expect("a folder's entries have plain names")
}

/// The folders that `path` lies in, outermost first, without the root.
pub(super) fn folders_of(path: &RelativePath) -> impl Iterator<Item = RelativePath> {
    let bytes = path.as_bytes();
    let ends = bytes.iter().enumerate().filter(|&(_, &byte)| byte == b'/').map(|(index, _)| index);
    ends.map(|end| RelativePath::from_bytes(&bytes[..end]).expect("the head of a relative path is one"))
}

/// Where `absolute` is below `root`, if it is.
pub(super) fn relative(root: &Path, absolute: &Path) -> Option<RelativePath> {
    RelativePath::new(absolute.strip_prefix(root).ok()?).ok()
}

/// A map from paths that finds everything at or below a path at once.
///
/// Invariant: every key but the root's ends with `/`, so that what lies below a path is one range of keys.
#[derive(Debug)]
pub(super) struct PathMap<V>(BTreeMap<Vec<u8>, V>);

impl<V> Default for PathMap<V> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

fn key_of(path: &RelativePath) -> Vec<u8> {
    let mut key = path.as_bytes().to_vec();
    if !key.is_empty() {
        key.push(b'/');
    }
    key
}

fn path_of(key: &[u8]) -> RelativePath {
    RelativePath::from_bytes(key).expect("keys are made of relative paths")
}

impl<V> PathMap<V> {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn insert(&mut self, path: &RelativePath, value: V) -> Option<V> {
        self.0.insert(key_of(path), value)
    }

    pub(super) fn get(&self, path: &RelativePath) -> Option<&V> {
        self.0.get(&key_of(path))
    }

    pub(super) fn remove(&mut self, path: &RelativePath) -> Option<V> {
        self.0.remove(&key_of(path))
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.0.values()
    }

    /// The value at `path`, or else at the folder nearest to it that has one.
    pub(super) fn covering_mut(&mut self, path: &RelativePath) -> Option<&mut V> {
        let mut key = key_of(path);
        while !self.0.contains_key(&key) {
            key.pop()?;
            key.truncate(key.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1));
        }
        self.0.get_mut(&key)
    }

    /// What is at `path` or below it and fulfils `condition`, by path.
    pub(super) fn below(&self, path: &RelativePath, condition: impl Fn(&V) -> bool) -> Vec<RelativePath> {
        let start = key_of(path);
        let within = self.0.range(start.clone()..).take_while(|(key, _)| key.starts_with(&start));
        within.filter(|(_, value)| condition(value)).map(|(key, _)| path_of(key)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RelativePath {
        RelativePath::new(Path::new(text)).unwrap()
    }

    fn map(paths: &[&str]) -> PathMap<usize> {
        let mut map = PathMap::default();
        for (index, text) in paths.iter().enumerate() {
            map.insert(&path(text), index);
        }
        map
    }

    #[test]
    fn below_a_path_is_what_has_all_its_names() {
        let map = map(&["", "a", "a/b", "a/b/c", "a!", "a-b", "ab", "b"]);
        assert_eq!(map.below(&path("a"), |_| true), ["a", "a/b", "a/b/c"].map(path));
        assert_eq!(map.below(&path("a/b"), |&value| value > 2), [path("a/b/c")]);
        assert_eq!(map.below(&path("x"), |_| true), []);
        assert_eq!(map.below(&RelativePath::root(), |_| true).len(), map.len());
    }

    #[test]
    fn the_nearest_folder_covers() {
        let check = |paths: &[&str], asked: &str, expected: Option<usize>| {
            assert_eq!(map(paths).covering_mut(&path(asked)).copied(), expected, "{asked} in {paths:?}");
        };
        check(&["a", "a/b"], "a/b/c/d", Some(1));
        check(&["a", "a/b"], "a/c", Some(0));
        check(&["a", "a/b"], "a", Some(0));
        check(&["a/b"], "a", None);
        check(&["a"], "ab", None);
        check(&["", "b"], "a/b", Some(0));
        check(&["a"], "", None);
    }

    #[test]
    fn folders_come_outermost_first() {
        assert_eq!(folders_of(&path("a/b/c")).collect::<Vec<_>>(), ["a", "a/b"].map(path));
        assert_eq!(folders_of(&path("a")).count(), 0);
        assert_eq!(folders_of(&RelativePath::root()).count(), 0);
        assert_eq!(child(&RelativePath::root(), OsStr::new("a")), path("a"));
        assert_eq!(relative(Path::new("/r"), Path::new("/r")), Some(RelativePath::root()));
        assert_eq!(relative(Path::new("/r"), Path::new("/rest/a")), None);
    }
}
