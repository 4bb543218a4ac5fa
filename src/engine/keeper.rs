//! The one way to change the library: store first, then memory, then the index, then the news.
//!
//! Invariants: memory and index follow what is on disk, never the other way round; an asset is in the index exactly as
//! long as a file has it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, RwLock};

use super::catalog::Catalog;
use super::events::{Event, EventHub};
use super::sync::{lock, read, write};
use crate::embedding::Embedding;
use crate::index::Index;
use crate::library::{Asset, AssetId, FileKey, FileRecord, FileState, Root, RootId};
use crate::store::{Batch, NewAsset, Store, StoreError, StoredAsset};

/// Changes that happen together.
#[derive(Debug, Default)]
pub(super) struct Change {
    pub(super) roots: Vec<Root>,
    pub(super) assets: Vec<NewAsset>,
    /// Files, new or changed.
    pub(super) files: Vec<(FileKey, FileRecord)>,
    /// Files with another name: from, to, and what is remembered from now on.
    pub(super) moves: Vec<(FileKey, FileKey, FileRecord)>,
    pub(super) gone: Vec<FileKey>,
}

impl Change {
    pub(super) fn is_empty(&self) -> bool {
        let files = self.files.is_empty() && self.moves.is_empty() && self.gone.is_empty();
        files && self.roots.is_empty() && self.assets.is_empty()
    }
}

/// Owns the store, and keeps memory and index in step with it.
pub(super) struct Keeper {
    pub(super) store: Store,
    pub(super) catalog: Arc<RwLock<Catalog>>,
    pub(super) indexes: Arc<[Index; 2]>,
    pub(super) events: EventHub,
    /// Held while changing anything: changes reach memory and index in the order in which they reach the disk.
    turn: Mutex<()>,
}

impl Keeper {
    pub(super) fn new(store: Store, catalog: Catalog, indexes: [Index; 2]) -> Self {
        let (catalog, indexes) = (Arc::new(RwLock::new(catalog)), Arc::new(indexes));
        Self { store, catalog, indexes, events: EventHub::new(), turn: Mutex::new(()) }
    }

    /// Makes a change. When it returns, the change is on disk and can be found.
    pub(super) fn commit(&self, change: Change) -> Result<(), StoreError> {
        let _turn = lock(&self.turn);
        let fresh: BTreeSet<AssetId> = change.assets.iter().map(|asset| asset.id).collect();
        let mut batch = Batch {
            put_roots: change.roots.clone(),
            put_assets: change.assets,
            put_files: change.files.clone(),
            delete_files: change.gone.clone(),
            ..Batch::default()
        };
        for (from, to, record) in &change.moves {
            batch.delete_files.push(from.clone());
            batch.put_files.push((to.clone(), record.clone()));
        }
        // A name that is both left and taken, as when two files swap names, is taken.
        let taken: BTreeSet<&FileKey> = batch.put_files.iter().map(|(key, _)| key).collect();
        batch.delete_files.retain(|key| !taken.contains(key));
        let (puts, deletes) = (batch.put_files.clone(), batch.delete_files.clone());
        let stored = self.store.commit(batch)?;
        let replaced = self.apply(change.roots.clone(), &stored, puts, deletes)?;
        self.publish(&change.roots, change.files, change.moves, &replaced, &fresh);
        Ok(())
    }

    /// Forgets roots with all that is below them; returns how many files that were.
    pub(super) fn forget_root(&self, id: RootId) -> Result<u64, StoreError> {
        let _turn = lock(&self.turn);
        let files: Vec<FileKey> = {
            let catalog = read(&self.catalog);
            catalog.files_below(id, &crate::library::RelativePath::root()).map(|(key, _)| key.clone()).collect()
        };
        let count = files.len() as u64;
        let batch = Batch { delete_roots: vec![id], delete_files: files.clone(), ..Batch::default() };
        self.store.commit(batch)?;
        self.apply(Vec::new(), &[], Vec::new(), files)?;
        write(&self.catalog).remove_root(id);
        self.events.publish(Event::RootRemoved(id));
        Ok(count)
    }

    /// Forgets assets that no file has; those that one has by now stay.
    pub(super) fn forget_orphans(&self, orphans: &[AssetId]) -> Result<usize, StoreError> {
        let _turn = lock(&self.turn);
        let still: Vec<AssetId> = {
            let catalog = read(&self.catalog);
            let orphaned = |id: &&AssetId| catalog.asset(id).is_some_and(|entry| entry.files.is_empty());
            orphans.iter().filter(orphaned).copied().collect()
        };
        if still.is_empty() {
            return Ok(0);
        }
        self.store.commit(Batch { delete_assets: still.clone(), ..Batch::default() })?;
        let mut catalog = write(&self.catalog);
        for id in &still {
            catalog.remove_asset(*id);
        }
        Ok(still.len())
    }

    /// Does something with the store while nothing is changed.
    pub(super) fn undisturbed<T>(&self, work: impl FnOnce(&Store) -> T) -> T {
        let _turn = lock(&self.turn);
        work(&self.store)
    }

    /// Brings memory and index up to date with a batch; returns the replaced and deleted records.
    fn apply(
        &self,
        roots: Vec<Root>,
        stored: &[StoredAsset],
        puts: Vec<(FileKey, FileRecord)>,
        deletes: Vec<FileKey>,
    ) -> Result<Vec<(FileKey, FileRecord)>, StoreError> {
        let mut catalog = write(&self.catalog);
        roots.into_iter().for_each(|root| catalog.put_root(root));
        let mut touched: BTreeMap<AssetId, bool> = BTreeMap::new();
        for StoredAsset { asset, .. } in stored {
            touched.insert(asset.id, catalog.asset(&asset.id).is_some_and(|entry| !entry.files.is_empty()));
            catalog.put_asset(asset.clone());
        }
        let had_files = |catalog: &Catalog, state: &FileState, touched: &mut BTreeMap<AssetId, bool>| {
            if let FileState::Indexed(id) = state {
                let had = catalog.asset(id).is_some_and(|entry| !entry.files.is_empty());
                touched.entry(*id).or_insert(had);
            }
        };
        let mut replaced = Vec::new();
        for key in deletes {
            if let Some(record) = catalog.file(&key).cloned() {
                had_files(&catalog, &record.state, &mut touched);
                catalog.remove_file(&key);
                replaced.push((key, record));
            }
        }
        for (key, record) in puts {
            if let Some(old) = catalog.file(&key).cloned() {
                had_files(&catalog, &old.state, &mut touched);
                replaced.push((key.clone(), old));
            }
            had_files(&catalog, &record.state, &mut touched);
            catalog.put_file(key, record);
        }
        let changed: Vec<(Arc<Asset>, bool)> = touched
            .into_iter()
            .filter_map(|(id, had)| {
                let entry = catalog.asset(&id)?;
                let has = !entry.files.is_empty();
                (had != has).then(|| (entry.asset.clone(), has))
            })
            .collect();
        drop(catalog);
        for (asset, has) in changed {
            if has { self.reveal(&asset, stored)? } else { self.hide(&asset) }
        }
        Ok(replaced)
    }

    /// Puts an asset's vectors into the index: those just stored, or those of an asset whose file came back.
    fn reveal(&self, asset: &Asset, stored: &[StoredAsset]) -> Result<(), StoreError> {
        let index = &self.indexes[asset.kind as usize];
        let just_stored = stored.iter().find(|stored| stored.asset.id == asset.id);
        for (ordinal, segment) in asset.segments.iter().enumerate() {
            let vector: Embedding = match just_stored {
                Some(stored) => stored.vectors[ordinal].clone(),
                None => match self.store.vector(asset.kind, segment.slot)? {
                    Some(stored) => stored.vector,
                    None => {
                        let (key, reason) = (asset.id.to_string(), format!("has no vector for segment {ordinal}"));
                        return Err(StoreError::Damaged { key, reason });
                    }
                },
            };
            index.insert(segment.slot, &vector, segment.silent);
        }
        Ok(())
    }

    fn hide(&self, asset: &Asset) {
        let index = &self.indexes[asset.kind as usize];
        asset.segments.iter().for_each(|segment| index.remove(segment.slot));
    }

    fn publish(
        &self,
        roots: &[Root],
        files: Vec<(FileKey, FileRecord)>,
        moves: Vec<(FileKey, FileKey, FileRecord)>,
        replaced: &[(FileKey, FileRecord)],
        fresh: &BTreeSet<AssetId>,
    ) {
        let moved: BTreeSet<&FileKey> = moves.iter().map(|(from, ..)| from).collect();
        let now: BTreeMap<&FileKey, &FileState> = files.iter().map(|(key, record)| (key, &record.state)).collect();
        for (file, record) in replaced.iter().filter(|(key, _)| !moved.contains(key)) {
            // A file that was touched, and has the content that it had, was never away.
            if let FileState::Indexed(asset) = record.state
                && now.get(file) != Some(&&record.state)
            {
                self.events.publish(Event::Removed { file: file.clone(), asset });
            }
        }
        let mut told = BTreeSet::new();
        for (file, record) in files {
            match record.state {
                FileState::Indexed(asset) => {
                    let embedded = fresh.contains(&asset) && told.insert(asset);
                    self.events.publish(Event::Indexed { file, asset, embedded });
                }
                FileState::Failed(failure) => self.events.publish(Event::Failed { file, failure }),
                FileState::Ignored => {}
            }
        }
        for (from, to, record) in moves {
            if let FileState::Indexed(asset) = record.state {
                self.events.publish(Event::Moved { from, to, asset });
            }
        }
        roots.iter().for_each(|root| self.events.publish(Event::Root(root.id)));
    }
}
