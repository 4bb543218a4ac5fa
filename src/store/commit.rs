//! What a batch means: checks it against what is stored, and puts together what is to be written.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::changes::Changes;
use super::codec::{self, Flaw};
use super::keys::{self, Key};
use super::survey::slots;
use super::{Batch, NewAsset, StoreError, StoredAsset};
use crate::library::{Asset, AssetId, FileKey, FileRecord, FileState, Root, RootId, Segment, SegmentId, Slot};

/// What is known of the store without reading it.
#[derive(Default)]
pub(super) struct Known {
    /// Roots, by id.
    pub(super) roots: BTreeMap<RootId, Root>,
    /// Assets, with the number of files that name them.
    pub(super) references: HashMap<AssetId, u32>,
}

/// What becomes known once the changes are on disk.
#[derive(Default)]
pub(super) struct Outcome {
    /// Of the batch's assets, in its order.
    pub(super) stored: Vec<StoredAsset>,
    /// Roots after the batch, if it is about any.
    pub(super) roots: Option<BTreeMap<RootId, Root>>,
    /// Assets that came.
    added: BTreeSet<AssetId>,
    /// Assets that go.
    deleted: BTreeSet<AssetId>,
    /// Files that came to name an asset, less those that ceased to.
    named: HashMap<AssetId, i64>,
}

impl Known {
    /// Takes note of a batch that is on disk.
    pub(super) fn learn(&mut self, outcome: &mut Outcome) {
        self.references.extend(outcome.added.iter().map(|&id| (id, 0)));
        for (id, change) in &outcome.named {
            if let Some(count) = self.references.get_mut(id) {
                *count = after(*count, *change);
            }
        }
        for id in &outcome.deleted {
            self.references.remove(id);
        }
        if let Some(roots) = outcome.roots.take() {
            self.roots = roots;
        }
    }
}

fn after(count: u32, change: i64) -> u32 {
    u32::try_from(i64::from(count) + change).expect("counts are those of the records, whose changes were read")
}

fn contradiction(reason: String) -> StoreError {
    StoreError::Inconsistent { reason }
}

/// Puts the changes of a batch together. An error leaves them of no use; nothing was written.
pub(super) fn plan(changes: &mut Changes<'_>, known: &Known, batch: Batch) -> Result<Outcome, StoreError> {
    let mut outcome = Outcome::default();
    outcome.plan_assets(changes, known, batch.put_assets, &batch.delete_assets)?;
    outcome.plan_roots(changes, known, batch.put_roots, &batch.delete_roots)?;
    let roots = outcome.roots.as_ref().unwrap_or(&known.roots);
    if let Some((key, _)) = batch.put_files.iter().find(|(key, _)| !roots.contains_key(&key.root)) {
        return Err(contradiction(format!("file {} is of root {}, which is not there", key.path, key.root.0)));
    }
    for (key, record) in batch.put_files {
        outcome.put_file(changes, &key, Some(&record))?;
    }
    for key in batch.delete_files {
        outcome.put_file(changes, &key, None)?;
    }
    for &id in &batch.delete_roots {
        let mut left = None;
        changes.keys(&keys::files_of(id), |key| {
            left = Some(keys::readable(key));
            false
        })?;
        if let Some(left) = left {
            return Err(contradiction(format!("root {} is to be deleted, but {left} is not", id.0)));
        }
    }
    outcome.check_names(known)?;
    Ok(outcome)
}

impl Outcome {
    fn plan_assets(
        &mut self,
        changes: &mut Changes<'_>,
        known: &Known,
        put: Vec<NewAsset>,
        delete: &[AssetId],
    ) -> Result<(), StoreError> {
        let mut places: HashMap<AssetId, usize> = HashMap::new();
        for asset in put {
            let id = asset.id;
            if delete.contains(&id) {
                return Err(contradiction(format!("asset {id} is to be stored and to be deleted")));
            }
            let stored = match places.get(&id) {
                Some(&place) => self.stored[place].clone(),
                None if known.references.contains_key(&id) => read_asset(changes, id)?,
                None => {
                    self.added.insert(id);
                    put_asset(changes, asset)?
                }
            };
            places.insert(id, self.stored.len());
            self.stored.push(stored);
        }
        for &id in delete.iter().filter(|id| known.references.contains_key(id)) {
            if self.deleted.insert(id) {
                let asset = asset_in(changes, id)?;
                for (kind, slot) in slots(&asset) {
                    changes.delete(Key::Vector(kind, slot).to_bytes())?;
                }
                changes.delete(Key::Asset(id).to_bytes())?;
            }
        }
        Ok(())
    }

    fn plan_roots(
        &mut self,
        changes: &mut Changes<'_>,
        known: &Known,
        put: Vec<Root>,
        delete: &[RootId],
    ) -> Result<(), StoreError> {
        if put.is_empty() && delete.is_empty() {
            return Ok(());
        }
        let mut roots = known.roots.clone();
        for root in put {
            let RootId(number) = root.id;
            if !roots.contains_key(&root.id) {
                if number < changes.state.next_root {
                    return Err(contradiction(format!("root {number} is new, but its id is not")));
                }
                let next = number.checked_add(1);
                changes.state.next_root = next.ok_or_else(|| contradiction("no root id is left".to_owned()))?;
            }
            let key = Key::Root(root.id).to_bytes();
            let record = codec::encode_root(&key, &root);
            changes.put(key, record)?;
            roots.insert(root.id, root);
        }
        for id in delete {
            changes.delete(Key::Root(*id).to_bytes())?;
            roots.remove(id);
        }
        self.roots = Some(roots);
        Ok(())
    }

    fn put_file(
        &mut self,
        changes: &mut Changes<'_>,
        file: &FileKey,
        record: Option<&FileRecord>,
    ) -> Result<(), StoreError> {
        let key = Key::File(file.clone()).to_bytes();
        if let Some(old) = changes.get(&key)? {
            let old = codec::decode_file(file, &key, &old).map_err(|flaw| flaw.at(&key))?;
            self.count_name(&old, -1);
        }
        match record {
            Some(record) => {
                self.count_name(record, 1);
                let record = codec::encode_file(&key, record);
                changes.put(key, record)?;
            }
            None => changes.delete(key)?,
        }
        Ok(())
    }

    fn count_name(&mut self, record: &FileRecord, change: i64) {
        if let FileState::Indexed(id) = record.state {
            *self.named.entry(id).or_default() += change;
        }
    }

    /// Every asset that a file names is there, and none that a file names goes.
    fn check_names(&self, known: &Known) -> Result<(), StoreError> {
        for id in self.named.iter().filter(|(_, change)| **change > 0).map(|(id, _)| id) {
            if !self.added.contains(id) && !known.references.contains_key(id) {
                return Err(contradiction(format!("a file names asset {id}, which is not there")));
            }
        }
        for id in &self.deleted {
            let before = known.references.get(id).copied().unwrap_or_default();
            let left = after(before, self.named.get(id).copied().unwrap_or_default());
            if left > 0 {
                return Err(contradiction(format!("asset {id} is to be deleted, but {left} files name it")));
            }
        }
        Ok(())
    }
}

fn put_asset(changes: &mut Changes<'_>, new: NewAsset) -> Result<StoredAsset, StoreError> {
    let NewAsset { id, kind, facts, description, damage, added_ms, segments: new_segments } = new;
    if new_segments.is_empty() {
        return Err(contradiction(format!("asset {id} has no segments")));
    }
    let (mut segments, mut vectors) = (Vec::new(), Vec::new());
    for (ordinal, segment) in (0u32..).zip(new_segments) {
        let next = &mut changes.state.next_slots[keys::index(kind)];
        let slot = Slot(*next);
        *next = next.checked_add(1).ok_or_else(|| contradiction(format!("no {kind} slot is left")))?;
        let key = Key::Vector(kind, slot).to_bytes();
        let (record, kept) = codec::encode_vector(&key, SegmentId { asset: id, ordinal }, &segment.vector)
            .map_err(|flaw| contradiction(format!("a vector of asset {id}: {flaw}")))?;
        changes.put_fresh(key, record);
        segments.push(Segment { span: segment.span, silent: segment.silent, slot });
        vectors.push(kept);
    }
    changes.state.totals.embedded_total += segments.len() as u64;
    let asset = Asset { id, kind, facts, description, damage, added_ms, segments };
    let key = Key::Asset(id).to_bytes();
    let record = codec::encode_asset(&key, &asset);
    changes.put(key, record)?;
    Ok(StoredAsset { asset: Arc::new(asset), vectors })
}

fn asset_in(changes: &Changes<'_>, id: AssetId) -> Result<Asset, StoreError> {
    let key = Key::Asset(id).to_bytes();
    let record = changes.get(&key)?.ok_or_else(|| Flaw::Missing.at(&key))?;
    codec::decode_asset(id, &key, &record).map_err(|flaw| flaw.at(&key))
}

fn read_asset(changes: &Changes<'_>, id: AssetId) -> Result<StoredAsset, StoreError> {
    let asset = asset_in(changes, id)?;
    let vector = |(kind, slot)| {
        let key = Key::Vector(kind, slot).to_bytes();
        let record: Cow<'_, [u8]> = changes.get(&key)?.ok_or_else(|| Flaw::Missing.at(&key))?;
        Ok(codec::decode_vector(&key, &record).map_err(|flaw| flaw.at(&key))?.1)
    };
    let vectors = slots(&asset).map(vector).collect::<Result<_, StoreError>>()?;
    Ok(StoredAsset { asset: Arc::new(asset), vectors })
}
