//! Which folders of a root have a watch on them.
//!
//! Invariant: a folder of the disk, which its device and inode number tell, is here under one path only, since the
//! system knows one watch for it whatever the path.

use std::collections::HashMap;

use super::paths::PathMap;
use crate::library::RelativePath;

/// Device and inode number, where there are such things.
pub(super) type Inode = Option<(u64, u64)>;

/// The watched folders of a root.
#[derive(Debug, Default)]
pub(super) struct Folders {
    watched: PathMap<Watched>,
    by_inode: HashMap<(u64, u64), RelativePath>,
    round: u64,
    /// Folders that are gone, and whose watches may not be.
    gone: Vec<RelativePath>,
}

#[derive(Debug)]
struct Watched {
    inode: Inode,
    /// In which round it was last seen.
    round: u64,
    gone: bool,
}

impl Folders {
    /// How many they are.
    pub(super) fn len(&self) -> usize {
        self.watched.values().filter(|watched| !watched.gone).count()
    }

    /// Begins to look which folders are there; what [`Self::unseen`] returns afterwards is no longer.
    pub(super) fn begin_round(&mut self) {
        self.round += 1;
    }

    /// A watch is on this folder.
    pub(super) fn insert(&mut self, path: &RelativePath, inode: Inode) {
        self.remove(path);
        if let Some(inode) = inode {
            self.by_inode.insert(inode, path.clone());
        }
        self.watched.insert(path, Watched { inode, round: self.round, gone: false });
    }

    pub(super) fn remove(&mut self, path: &RelativePath) {
        let inode = self.watched.remove(path).and_then(|watched| watched.inode);
        if let Some(inode) = inode.filter(|inode| self.by_inode.get(inode) == Some(path)) {
            self.by_inode.remove(&inode);
        }
    }

    /// What is at `path` and below it is gone, for [`Self::take_gone`]; tells whether anything was there.
    pub(super) fn mark_gone(&mut self, path: &RelativePath) -> bool {
        let gone = self.below(path);
        for folder in &gone {
            // It has an entry of its own, which covers it.
            if let Some(watched) = self.watched.covering_mut(folder) {
                watched.gone = true;
            }
        }
        self.gone.extend_from_slice(&gone);
        !gone.is_empty()
    }

    /// Takes out a folder that is gone, unless there is one of that name again.
    pub(super) fn take_gone(&mut self) -> Option<RelativePath> {
        while let Some(path) = self.gone.pop() {
            if self.watched.get(&path).is_some_and(|watched| watched.gone) {
                self.remove(&path);
                return Some(path);
            }
        }
        None
    }

    /// Under which path a folder of the disk is watched, or was until it went.
    pub(super) fn path_of(&self, inode: Inode) -> Option<&RelativePath> {
        self.by_inode.get(&inode?)
    }

    /// What is watched at `path` and below it.
    pub(super) fn below(&self, path: &RelativePath) -> Vec<RelativePath> {
        self.watched.below(path, |watched| !watched.gone)
    }

    /// What is watched at `path` and below it, and was not inserted in this round.
    pub(super) fn unseen(&self, path: &RelativePath) -> Vec<RelativePath> {
        self.watched.below(path, |watched| watched.round != self.round)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn path(text: &str) -> RelativePath {
        RelativePath::new(Path::new(text)).unwrap()
    }

    #[test]
    fn a_folder_of_the_disk_is_known_by_its_last_path() {
        let mut folders = Folders::default();
        folders.insert(&path("a"), Some((1, 7)));
        assert_eq!(folders.path_of(Some((1, 7))), Some(&path("a")));
        folders.remove(&path("a"));
        folders.insert(&path("b"), Some((1, 7)));
        assert_eq!(folders.path_of(Some((1, 7))), Some(&path("b")));
        folders.insert(&path("b"), Some((1, 8)));
        assert_eq!(folders.path_of(Some((1, 7))), None, "another folder has that name now");
        assert_eq!((folders.path_of(Some((1, 8))), folders.path_of(None)), (Some(&path("b")), None));
    }

    #[test]
    fn what_a_round_did_not_see_is_told() {
        let mut folders = Folders::default();
        for (inode, text) in ["", "a", "a/b", "a/c", "d"].into_iter().enumerate() {
            folders.insert(&path(text), Some((1, inode as u64)));
        }
        folders.begin_round();
        folders.insert(&path("a"), Some((1, 1)));
        folders.insert(&path("a/c"), Some((1, 9)));
        assert_eq!(folders.unseen(&path("a")), [path("a/b")]);
        assert_eq!(folders.below(&path("a")), ["a", "a/b", "a/c"].map(path));
        assert_eq!(folders.len(), 5);
    }

    #[test]
    fn what_is_gone_is_taken_once_unless_it_is_back() {
        let mut folders = Folders::default();
        for (inode, text) in ["", "a", "a/b", "c"].into_iter().enumerate() {
            folders.insert(&path(text), Some((1, inode as u64)));
        }
        assert!(folders.mark_gone(&path("a")));
        assert!(!folders.mark_gone(&path("a")) && !folders.mark_gone(&path("x")));
        assert_eq!((folders.below(&RelativePath::root()), folders.len()), (vec![path(""), path("c")], 2));
        assert_eq!(folders.path_of(Some((1, 2))), Some(&path("a/b")), "its watch may still be there");
        folders.insert(&path("a"), Some((1, 9)));
        assert_eq!((folders.take_gone(), folders.take_gone()), (Some(path("a/b")), None));
        assert_eq!(folders.path_of(Some((1, 2))), None);
        assert_eq!(folders.below(&path("a")), [path("a")]);
    }
}
