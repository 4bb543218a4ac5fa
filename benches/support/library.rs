//! A library of sounds that nobody has recorded: what a store holds of them, with made vectors.

use std::path::Path;

use earmark::embedding::{Embedding, SpaceId};
use earmark::library::{
    AssetId, Description, FileKey, FileRecord, FileStat, FileState, RelativePath, Root, RootId, RootRules, Span,
    TechnicalFacts,
};
use earmark::media::MediaKind;
use earmark::store::{Batch, DirectoryLock, NewAsset, NewSegment, Store};

use super::vectors::Clusters;
use super::{DIMENSION, SPREAD, VECTORS_A_CLUSTER};

const ASSETS_A_BATCH: usize = 500;
const FOLDERS: usize = 1_000;

/// Makes a library of sounds of one vector each.
pub(crate) fn fill(directory: &Path, space: &SpaceId, size: usize) {
    let lock = DirectoryLock::acquire(directory).expect("nobody else has it");
    let (store, _) = Store::open(&lock, directory).expect("it is empty");
    store.bind_space(space).expect("it has no other");
    let root = store.next_root_id();
    let rules = RootRules::default();
    let put_roots = vec![Root { id: root, path: "/bench".into(), rules, identity: None }];
    store.commit(Batch { put_roots, ..Batch::default() }).expect("there is room");
    let mut clusters = Clusters::new(1, size.div_ceil(VECTORS_A_CLUSTER), DIMENSION);
    let mut number = 0;
    while number < size {
        let mut batch = Batch::default();
        for _ in 0..ASSETS_A_BATCH.min(size - number) {
            let (asset, file) = sound(root, number, clusters.vector(SPREAD));
            batch.put_assets.push(asset);
            batch.put_files.push(file);
            number += 1;
        }
        store.commit(batch).expect("there is room");
    }
}

fn sound(root: RootId, number: usize, vector: Embedding) -> (NewAsset, (FileKey, FileRecord)) {
    let id = AssetId::from_hash(*blake3::hash(&number.to_le_bytes()).as_bytes());
    let asset = NewAsset {
        id,
        kind: MediaKind::Audio,
        facts: TechnicalFacts { duration_ms: Some(5_000), ..TechnicalFacts::default() },
        description: Description::default(),
        damage: None,
        added_ms: 0,
        segments: vec![NewSegment { span: Span { start_ms: 0, end_ms: 5_000 }, silent: false, vector }],
    };
    let path = format!("{}/sound number {number}.wav", number % FOLDERS);
    let path = RelativePath::new(Path::new(&path)).expect("plain names");
    let stat = FileStat { size: 1, modified_ns: 0, inode: None };
    (asset, (FileKey { root, path }, FileRecord { stat, state: FileState::Indexed(id) }))
}
