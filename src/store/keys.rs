//! The keys of the database, all of them.
//!
//! | key                                         | record                                                  |
//! |---------------------------------------------|---------------------------------------------------------|
//! | `m` `format`                                | the format's number                                     |
//! | `m` `space`                                 | the space of the vectors, if there ever were any        |
//! | `m` `state`                                 | counts, next slots, next root id                        |
//! | `r` root id, u32 BE                         | a root: its path and rules                              |
//! | `a` asset id, 32 bytes                      | an asset with its segments                              |
//! | `v` kind, 1 byte; slot, u32 BE              | a vector: asset id, number of the segment, half floats  |
//! | `f` root id, u32 BE; path, as the system has it | a file: how it looked, and what became of it        |
//!
//! One tree holds them all, because a batch is atomic within a tree only. Integers are big-endian: keys sort as they
//! do.

use crate::library::{AssetId, FileKey, RelativePath, RootId, Slot};
use crate::media::MediaKind;

pub(super) const FORMAT: &[u8] = b"mformat";
pub(super) const SPACE: &[u8] = b"mspace";
pub(super) const STATE: &[u8] = b"mstate";

pub(super) const ROOTS: &[u8] = b"r";
pub(super) const ASSETS: &[u8] = b"a";
pub(super) const VECTORS: &[u8] = b"v";
pub(super) const FILES: &[u8] = b"f";

/// A key, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Key {
    Root(RootId),
    Asset(AssetId),
    Vector(MediaKind, Slot),
    File(FileKey),
}

impl Key {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Root(id) => [ROOTS, &id.0.to_be_bytes()].concat(),
            Self::Asset(id) => [ASSETS, id.as_bytes()].concat(),
            Self::Vector(kind, slot) => [VECTORS, &[kind_byte(*kind)], &slot.0.to_be_bytes()].concat(),
            Self::File(key) => [FILES, &key.root.0.to_be_bytes(), key.path.as_bytes()].concat(),
        }
    }

    /// `None` for what is no such key, the meta keys among it.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let (&first, rest) = bytes.split_first()?;
        match &[first][..] {
            ROOTS => Some(Self::Root(RootId(u32::from_be_bytes(rest.try_into().ok()?)))),
            ASSETS => Some(Self::Asset(AssetId::from_hash(rest.try_into().ok()?))),
            VECTORS => {
                let (&kind, slot) = rest.split_first()?;
                let kind = MediaKind::ALL.into_iter().find(|&it| kind_byte(it) == kind)?;
                Some(Self::Vector(kind, Slot(u32::from_be_bytes(slot.try_into().ok()?))))
            }
            FILES => {
                let (root, path) = rest.split_first_chunk()?;
                let path = RelativePath::from_bytes(path).ok()?;
                let key = Self::File(FileKey { root: RootId(u32::from_be_bytes(*root)), path });
                // A path that is not in its one form would never be found again.
                (key.to_bytes() == bytes).then_some(key)
            }
            _ => None,
        }
    }
}

/// A key for people.
pub(super) fn readable(bytes: &[u8]) -> String {
    match Key::parse(bytes) {
        Some(Key::Root(id)) => format!("root {}", id.0),
        Some(Key::Asset(id)) => format!("asset {id}"),
        Some(Key::Vector(kind, slot)) => format!("{kind} vector {}", slot.0),
        Some(Key::File(key)) => format!("file {} of root {}", key.path, key.root.0),
        None => format!("\"{}\"", bytes.escape_ascii()),
    }
}

/// Where a kind is in every array with a value for each.
pub(super) fn index(kind: MediaKind) -> usize {
    usize::from(kind_byte(kind))
}

fn kind_byte(kind: MediaKind) -> u8 {
    match kind {
        MediaKind::Audio => 0,
        MediaKind::Image => 1,
    }
}

/// Begins the keys of a kind's vectors.
pub(super) fn vectors_of(kind: MediaKind) -> Vec<u8> {
    [VECTORS, &[kind_byte(kind)]].concat()
}

/// Begins the keys of a root's files.
pub(super) fn files_of(root: RootId) -> Vec<u8> {
    [FILES, &root.0.to_be_bytes()].concat()
}

/// The first key after all that begin with `prefix`; `None` if there is none.
pub(super) fn end_of(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            return Some(end);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_survive_being_written_and_read_and_sort_by_number() {
        let file = |root, path: &[u8]| {
            Key::File(FileKey { root: RootId(root), path: RelativePath::from_bytes(path).unwrap() })
        };
        let mut ascending = vec![
            Key::Asset(AssetId::from_hash([7; 32])),
            file(1, b"b"),
            file(255, b"a/b.wav"),
            file(256, b"a"),
            Key::Root(RootId(255)),
            Key::Root(RootId(256)),
            Key::Vector(MediaKind::Audio, Slot(u32::MAX)),
            Key::Vector(MediaKind::Image, Slot(0)),
        ];
        if cfg!(unix) {
            ascending.insert(4, file(256, b"\xff\xfe"));
        }
        assert!(ascending.windows(2).all(|pair| pair[0].to_bytes() < pair[1].to_bytes()));
        for key in ascending {
            assert_eq!(Key::parse(&key.to_bytes()), Some(key));
        }
    }

    #[test]
    fn what_is_no_key_is_told_apart() {
        for wrong in [&b""[..], b"m", STATE, b"r", b"r12345", b"v", b"v\x02aaaa", b"f123", b"f1234a//b", b"f1234../b"] {
            assert_eq!(Key::parse(wrong), None, "{}", wrong.escape_ascii());
        }
    }

    #[test]
    fn ends_follow_everything_that_begins_alike() {
        let check = |prefix: &[u8], expected: Option<&[u8]>| assert_eq!(end_of(prefix).as_deref(), expected);
        check(b"a", Some(b"b"));
        check(b"f\x00\x00\x00\xff", Some(b"f\x00\x00\x01"));
        check(b"\xff\xff", None);
    }
}
