//! A library in memory to compare a store with, and the things to fill both with.

use std::collections::BTreeMap;
use std::path::Path;

use earmark::embedding::{Embedding, SpaceId};
use earmark::library::{
    Asset, AssetId, Description, FileKey, FileRecord, FileStat, FileState, RelativePath, Root, RootId, RootRules,
    SegmentId, Slot, Span, TechnicalFacts,
};
use earmark::media::MediaKind;
use earmark::store::{Batch, DirectoryLock, NewAsset, NewSegment, Recovery, Store, StoredAsset, StoredVector};

/// An open store with its lock.
pub struct Open {
    pub store: Store,
    pub recovery: Recovery,
    _lock: DirectoryLock,
}

/// Opens the store of a data directory.
pub fn open(directory: &Path) -> Open {
    let lock = DirectoryLock::acquire(directory).unwrap();
    let (store, recovery) = Store::open(&lock, directory).unwrap();
    Open { store, recovery, _lock: lock }
}

/// Opens a store in which nothing is wrong, of the one space.
pub fn open_well(directory: &Path) -> Open {
    let open = open(directory);
    assert_eq!(open.recovery, Recovery::default());
    open.store.bind_space(&space('a')).unwrap();
    open
}

pub fn space(digit: char) -> SpaceId {
    serde_json::from_value(digit.to_string().repeat(64).into()).unwrap()
}

pub fn asset_id(number: u32) -> AssetId {
    let mut hash = [0xa5; 32];
    hash[..4].copy_from_slice(&number.wrapping_mul(0x9e37_79b9).to_le_bytes());
    AssetId::from_hash(hash)
}

pub fn kind_of(number: u32) -> MediaKind {
    MediaKind::ALL[number as usize % 2]
}

pub fn vector(seed: u32) -> Embedding {
    let values: Vec<f32> = (0..32u32).map(|index| (seed as f32 * 1.7 + index as f32 * 0.3).sin()).collect();
    Embedding::normalized(&values).unwrap()
}

/// An asset with `segments` segments; its kind follows from its number.
pub fn new_asset(number: u32, segments: u32) -> NewAsset {
    let segment = |ordinal: u32| NewSegment {
        span: Span { start_ms: u64::from(ordinal) * 5000, end_ms: u64::from(ordinal) * 5000 + 5000 },
        silent: ordinal % 3 == 1,
        vector: vector(number * 100 + ordinal),
    };
    NewAsset {
        id: asset_id(number),
        kind: kind_of(number),
        facts: TechnicalFacts { bytes: u64::from(number), format: "wave".to_owned(), ..TechnicalFacts::default() },
        description: Description { title: Some(format!("asset {number}")), ..Description::default() },
        damage: number.is_multiple_of(5).then(|| "cut short".to_owned()),
        added_ms: 1_700_000_000_000 + u64::from(number),
        segments: (0..segments).map(segment).collect(),
    }
}

pub fn root(id: u32) -> Root {
    let rules = RootRules { exclude: vec![format!("{id}/**")], ..RootRules::default() };
    Root { id: RootId(id), path: format!("/media/{id}").into(), rules, identity: None }
}

pub fn file(root: u32, path: &str) -> FileKey {
    FileKey { root: RootId(root), path: RelativePath::from_bytes(path.as_bytes()).unwrap() }
}

pub fn record(size: u64, state: FileState) -> FileRecord {
    FileRecord { stat: FileStat { size, modified_ns: -3, inode: Some((1, size)) }, state }
}

pub fn indexed(number: u32) -> FileRecord {
    record(u64::from(number), FileState::Indexed(asset_id(number)))
}

/// One asset with one segment and its one file, below root 1.
pub fn one(number: u32) -> Batch {
    Batch {
        put_assets: vec![new_asset(number, 1)],
        put_files: vec![(file(1, &format!("{number}.wav")), indexed(number))],
        ..Batch::default()
    }
}

/// Everything in a store.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Library {
    pub roots: BTreeMap<RootId, Root>,
    pub files: BTreeMap<FileKey, FileRecord>,
    pub assets: BTreeMap<AssetId, Asset>,
    pub vectors: BTreeMap<(MediaKind, Slot), StoredVector>,
}

impl Library {
    /// Reads all of a store.
    pub fn of(store: &Store) -> Self {
        let vectors = MediaKind::ALL.into_iter().flat_map(|kind| {
            store
                .vectors_from(kind, Slot(0))
                .map(move |vector| vector.map(|vector| ((kind, vector.slot), vector)).unwrap())
        });
        Self {
            roots: store.roots().unwrap().into_iter().map(|root| (root.id, root)).collect(),
            files: store.files().collect::<Result<_, _>>().unwrap(),
            assets: store.assets().map(|asset| asset.map(|asset| (asset.id, asset)).unwrap()).collect(),
            vectors: vectors.collect(),
        }
    }

    /// Commits a batch that is all right, and does the same here.
    pub fn commit(&mut self, store: &Store, batch: &dyn Fn() -> Batch) -> Vec<StoredAsset> {
        let stored = store.commit(batch()).unwrap();
        self.apply(batch(), &stored);
        stored
    }

    pub fn apply(&mut self, batch: Batch, stored: &[StoredAsset]) {
        self.roots.extend(batch.put_roots.into_iter().map(|root| (root.id, root)));
        batch.delete_roots.iter().for_each(|id| drop(self.roots.remove(id)));
        for StoredAsset { asset, vectors } in stored {
            assert_eq!(asset.segments.len(), vectors.len());
            for (ordinal, (segment, vector)) in (0u32..).zip(asset.segments.iter().zip(vectors)) {
                let id = SegmentId { asset: asset.id, ordinal };
                let vector = StoredVector { slot: segment.slot, segment: id, vector: vector.clone() };
                self.vectors.insert((asset.kind, segment.slot), vector);
            }
            self.assets.insert(asset.id, Asset::clone(asset));
        }
        for id in batch.delete_assets {
            let Some(asset) = self.assets.remove(&id) else { continue };
            asset.segments.iter().for_each(|segment| drop(self.vectors.remove(&(asset.kind, segment.slot))));
        }
        self.files.extend(batch.put_files);
        batch.delete_files.iter().for_each(|key| drop(self.files.remove(key)));
    }

    /// Whether everything here is in the other one, too.
    pub fn is_within(&self, other: &Self) -> bool {
        self.files.iter().all(|(key, file)| other.files.get(key) == Some(file))
            && self.assets.iter().all(|(id, asset)| other.assets.get(id) == Some(asset))
            && self.vectors.iter().all(|(slot, vector)| other.vectors.get(slot) == Some(vector))
    }

    /// Holds a store against it: the same records, and counts that are theirs.
    pub fn hold_against(&self, store: &Store) {
        assert_eq!(&Self::of(store), self);
        assert_eq!(store.check().unwrap(), Vec::<String>::new());
        let totals = store.totals();
        let vectors = |kind| self.vectors.keys().filter(|(it, _)| *it == kind).count() as u64;
        let counted = (totals.roots, totals.files, totals.assets, totals.vectors);
        let expected =
            (self.roots.len() as u64, self.files.len() as u64, self.assets.len() as u64, MediaKind::ALL.map(vectors));
        assert_eq!(counted, expected);
    }
}

/// A store with root 1 and the assets 0 to `assets`, and what is in it.
pub fn filled(directory: &Path, assets: u32) -> Library {
    let open = open_well(directory);
    let mut library = Library::default();
    library.commit(&open.store, &|| Batch { put_roots: vec![root(1)], ..Batch::default() });
    for number in 0..assets {
        library.commit(&open.store, &|| one(number));
    }
    library.hold_against(&open.store);
    library
}

/// Copies a directory with all that is in it.
pub fn copy_directory(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_directory(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// How often a random test tries: `short` times EARMARK_TEST_ROUNDS.
pub fn rounds(short: u32) -> u32 {
    let factor = std::env::var("EARMARK_TEST_ROUNDS").ok().map_or(1, |text| text.parse().unwrap());
    short * factor
}

/// Numbers that look random and are the same every time (splitmix64).
pub struct Numbers(pub u64);

impl Numbers {
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}
