//! The library in memory: what the store holds, arranged for questions.
//!
//! Invariant: it is what the store says, because nothing changes it but what was committed. Assets without files stay
//! until they are forgotten; they are never found.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::query::FileInLibrary;
use crate::library::{Asset, AssetId, FileKey, FileRecord, FileState, RelativePath, Root, RootId, SegmentId, Slot};
use crate::media::MediaKind;
use crate::watch::Skipped;

/// How a root fares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RootState {
    /// Known, and not watched by this process.
    Unwatched,
    /// The system reports changes.
    Watched,
    /// Looked at again at an interval, for this reason.
    Polled(String),
    /// Not there, for this reason.
    Offline(String),
}

/// A root with its state and counts.
#[derive(Debug, Clone)]
pub struct RootEntry {
    /// The root.
    pub root: Root,
    /// How it fares.
    pub state: RootState,
    /// It is being compared with the disk, or is to be.
    pub scanning: bool,
    /// Files by what became of them.
    pub counts: FileCounts,
    /// What the last scan passed over.
    pub skipped: Skipped,
    /// What the last scan could not read.
    pub unreadable: u64,
}

/// Files by what became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FileCounts {
    /// Searchable.
    pub indexed: u64,
    /// Failed.
    pub failed: u64,
    /// No media.
    pub ignored: u64,
}

/// An asset and where it lies.
#[derive(Debug, Clone)]
pub struct AssetEntry {
    /// The asset.
    pub asset: Arc<Asset>,
    /// Its files, sorted.
    pub files: Vec<FileKey>,
}

/// The library in memory.
#[derive(Debug, Default)]
pub struct Catalog {
    roots: BTreeMap<RootId, RootEntry>,
    files: BTreeMap<FileKey, FileRecord>,
    assets: HashMap<AssetId, AssetEntry>,
    segments: [HashMap<Slot, SegmentId>; 2],
}

impl Catalog {
    /// Takes a root, new or changed.
    pub fn put_root(&mut self, root: Root) {
        let known = self.roots.get_mut(&root.id);
        if let Some(entry) = known {
            entry.root = root;
        } else {
            let (state, counts, skipped) = (RootState::Unwatched, FileCounts::default(), Skipped::default());
            self.roots.insert(root.id, RootEntry { root, state, scanning: false, counts, skipped, unreadable: 0 });
        }
    }

    /// Forgets a root, whose files must be gone.
    pub fn remove_root(&mut self, id: RootId) {
        self.roots.remove(&id);
    }

    /// Takes an asset.
    pub fn put_asset(&mut self, asset: Arc<Asset>) {
        for (ordinal, segment) in (0..).zip(&asset.segments) {
            self.segments[asset.kind as usize].insert(segment.slot, SegmentId { asset: asset.id, ordinal });
        }
        self.assets.entry(asset.id).or_insert_with(|| AssetEntry { asset, files: Vec::new() });
    }

    /// Forgets an asset, which must have no files; returns it.
    pub fn remove_asset(&mut self, id: AssetId) -> Option<Arc<Asset>> {
        let entry = self.assets.remove(&id)?;
        for segment in &entry.asset.segments {
            self.segments[entry.asset.kind as usize].remove(&segment.slot);
        }
        Some(entry.asset)
    }

    /// Takes a file, new or changed, of a root and an asset that are there; returns what was remembered.
    pub fn put_file(&mut self, key: FileKey, record: FileRecord) -> Option<FileRecord> {
        let old = self.remove_file(&key);
        if let Some(entry) = self.roots.get_mut(&key.root) {
            *entry.counts.of_mut(&record.state) += 1;
        }
        if let FileState::Indexed(asset) = &record.state
            && let Some(entry) = self.assets.get_mut(asset)
            && let Err(place) = entry.files.binary_search(&key)
        {
            entry.files.insert(place, key.clone());
        }
        self.files.insert(key, record);
        old
    }

    /// Forgets a file; returns what was remembered.
    pub fn remove_file(&mut self, key: &FileKey) -> Option<FileRecord> {
        let record = self.files.remove(key)?;
        if let Some(entry) = self.roots.get_mut(&key.root) {
            *entry.counts.of_mut(&record.state) -= 1;
        }
        if let FileState::Indexed(asset) = &record.state
            && let Some(entry) = self.assets.get_mut(asset)
            && let Ok(place) = entry.files.binary_search(key)
        {
            entry.files.remove(place);
        }
        Some(record)
    }

    /// A root.
    pub fn root(&self, id: RootId) -> Option<&RootEntry> {
        self.roots.get(&id)
    }

    /// A root, to change how it fares.
    pub fn root_mut(&mut self, id: RootId) -> Option<&mut RootEntry> {
        self.roots.get_mut(&id)
    }

    /// All roots, by id.
    pub fn roots(&self) -> impl Iterator<Item = &RootEntry> {
        self.roots.values()
    }

    /// A file.
    pub fn file(&self, key: &FileKey) -> Option<&FileRecord> {
        self.files.get(key)
    }

    /// All files, by key.
    pub fn files(&self) -> impl Iterator<Item = (&FileKey, &FileRecord)> {
        self.files.iter()
    }

    /// Files at or below `under`, by key.
    pub fn files_below(&self, root: RootId, under: &RelativePath) -> impl Iterator<Item = (&FileKey, &FileRecord)> {
        let start = FileKey { root, path: under.clone() };
        let under = under.clone();
        // Names that merely begin alike may sort in between, as `a!` does between `a` and `a/b`.
        let alike = move |key: &FileKey| key.root == root && key.path.as_bytes().starts_with(under.as_bytes());
        let under = start.path.clone();
        self.files
            .range((Bound::Included(start), Bound::Unbounded))
            .take_while(move |(key, _)| alike(key))
            .filter(move |(key, _)| key.path.starts_with(&under))
    }

    /// An asset.
    pub fn asset(&self, id: &AssetId) -> Option<&AssetEntry> {
        self.assets.get(id)
    }

    /// All assets, in no particular order.
    pub fn assets(&self) -> impl Iterator<Item = &AssetEntry> {
        self.assets.values()
    }

    /// What the vector in a slot is of.
    pub fn segment(&self, kind: MediaKind, slot: Slot) -> Option<SegmentId> {
        self.segments[kind as usize].get(&slot).copied()
    }

    /// The absolute path of a file of a root that is there.
    pub fn absolute(&self, key: &FileKey) -> Option<PathBuf> {
        Some(key.path.below(&self.roots.get(&key.root)?.root.path))
    }

    /// The root that an absolute path lies in, and the rest of the path.
    pub fn locate(&self, path: &Path) -> Option<(RootId, RelativePath)> {
        self.roots.values().find_map(|entry| {
            let rest = path.strip_prefix(&entry.root.path).ok()?;
            Some((entry.root.id, RelativePath::new(rest).ok()?))
        })
    }

    /// A file with what an answer says about it.
    pub fn file_in_library(&self, key: &FileKey) -> Option<FileInLibrary> {
        let entry = self.roots.get(&key.root)?;
        Some(FileInLibrary {
            key: key.clone(),
            path: key.path.below(&entry.root.path),
            record: self.files.get(key)?.clone(),
            offline: matches!(entry.state, RootState::Offline(_)),
        })
    }
}

impl FileCounts {
    fn of_mut(&mut self, state: &FileState) -> &mut u64 {
        match state {
            FileState::Indexed(_) => &mut self.indexed,
            FileState::Failed(_) => &mut self.failed,
            FileState::Ignored => &mut self.ignored,
        }
    }
}
