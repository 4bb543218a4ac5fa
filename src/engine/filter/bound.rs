//! A filter at work on a library.

use std::cell::Cell;
use std::collections::HashSet;

use globset::{Candidate, GlobSet};

use super::CompiledFilter;
use super::fold::{fold_into, folds_to};
use crate::describe::ucs;
use crate::engine::catalog::{AssetEntry, Catalog};
use crate::library::{Asset, FileKey, FileRecord, FileState, RelativePath, RootId};

/// What an asset's description leaves for its files to fulfil.
struct Rest<'a> {
    category: Option<&'a str>,
    subcategory: Option<&'a str>,
    words: Vec<&'a str>,
}

/// A filter together with the library that it is used on.
pub struct BoundFilter<'a> {
    filter: &'a CompiledFilter,
    catalog: &'a Catalog,
    scopes: Option<Vec<(RootId, RelativePath)>>,
    /// Holds folded texts, one after the other.
    scratch: Cell<String>,
}

impl<'a> BoundFilter<'a> {
    /// Files must lie in one of `scopes`, if there are any.
    pub(super) fn new(
        filter: &'a CompiledFilter,
        catalog: &'a Catalog,
        scopes: Option<Vec<(RootId, RelativePath)>>,
    ) -> Self {
        Self { filter, catalog, scopes, scratch: Cell::default() }
    }

    /// The assets that pass, in no particular order.
    pub fn assets(&self) -> Vec<&'a AssetEntry> {
        if let Some(scopes) = &self.scopes {
            let files = scopes.iter().flat_map(|(root, below)| self.catalog.files_below(*root, below));
            return self.assets_of(files);
        }
        if !self.filter.modified_ms.is_unbounded() {
            // To walk all files in order is faster than to look each of them up.
            return self.assets_of(self.catalog.files());
        }
        self.catalog.assets().filter(|entry| self.passes(entry)).collect()
    }

    /// The assets of those of `files` that pass; `files` are all that may lie where the filter says.
    fn assets_of(&self, files: impl Iterator<Item = (&'a FileKey, &'a FileRecord)>) -> Vec<&'a AssetEntry> {
        let mut assets = Vec::new();
        let mut copied = HashSet::new();
        for (key, record) in files {
            let FileState::Indexed(id) = &record.state else { continue };
            if !self.record_passes(record) || !self.path_passes(key) {
                continue;
            }
            let Some(entry) = self.catalog.asset(id).filter(|entry| self.filter.facts_pass(&entry.asset)) else {
                continue;
            };
            let passes = self.rest(&entry.asset).is_some_and(|rest| self.name_passes(key, &rest));
            if passes && (entry.files.len() == 1 || copied.insert(*id)) {
                assets.push(entry);
            }
        }
        assets
    }

    /// Whether the asset passes: at least one of its files does.
    pub fn passes(&self, entry: &AssetEntry) -> bool {
        self.passing(entry).next().is_some()
    }

    /// The files of an asset that pass, in order; empty if the asset does not.
    pub fn files<'e>(&self, entry: &'e AssetEntry) -> Vec<&'e FileKey> {
        self.passing(entry).collect()
    }

    fn passing<'e>(&self, entry: &'e AssetEntry) -> impl Iterator<Item = &'e FileKey> {
        let files = if self.filter.facts_pass(&entry.asset) { entry.files.as_slice() } else { &[] };
        let mut rest = None;
        files.iter().filter(move |key| {
            self.place_passes(key)
                && rest
                    .get_or_insert_with(|| self.rest(&entry.asset))
                    .as_ref()
                    .is_some_and(|it| self.name_passes(key, it))
        })
    }

    /// Conditions on a file that need not look at texts.
    fn place_passes(&self, key: &FileKey) -> bool {
        let inside = |(root, below): &(RootId, RelativePath)| key.root == *root && key.path.starts_with(below);
        self.scopes.as_ref().is_none_or(|scopes| scopes.iter().any(inside))
            && self.path_passes(key)
            && (self.filter.modified_ms.is_unbounded()
                || self.catalog.file(key).is_some_and(|record| self.record_passes(record)))
    }

    fn path_passes(&self, key: &FileKey) -> bool {
        self.filter.extension_passes(&key.path)
            && self.filter.glob.as_ref().is_none_or(|glob| self.glob_passes(glob, key))
    }

    fn record_passes(&self, record: &FileRecord) -> bool {
        self.filter.modified_ms.contains(Some(record.stat.modified_ns.div_euclid(1_000_000)))
    }

    fn glob_passes(&self, glob: &GlobSet, key: &FileKey) -> bool {
        self.folded_path(key, |path| glob.is_match_candidate(&Candidate::from_bytes(path)))
    }

    /// Conditions on the asset that look at texts: what they leave to the files, or `None` if it does not pass.
    fn rest(&self, asset: &Asset) -> Option<Rest<'_>> {
        let (filter, description) = (self.filter, &asset.description);
        let has = |keyword: &String| description.keywords.iter().any(|it| folds_to(it, keyword));
        if !filter.keywords.iter().all(has) {
            return None;
        }
        let mut words: Vec<&str> = filter.words.iter().map(String::as_str).collect();
        let mut scratch = self.scratch.take();
        for text in description.texts() {
            if words.is_empty() {
                break;
            }
            fold_into(text, &mut scratch);
            words.retain(|word| !scratch.contains(word));
        }
        self.scratch.set(scratch);
        Some(Rest {
            category: unfulfilled(filter.category.as_deref(), description.category.as_deref()),
            subcategory: unfulfilled(filter.subcategory.as_deref(), description.subcategory.as_deref()),
            words,
        })
    }

    /// Conditions on a file that look at its name.
    fn name_passes(&self, key: &FileKey, rest: &Rest<'_>) -> bool {
        (rest.category.is_none() && rest.subcategory.is_none() || category_passes(key, rest))
            && (rest.words.is_empty()
                || self.folded_path(key, |path| rest.words.iter().all(|word| path.contains(word))))
    }

    fn folded_path<T>(&self, key: &FileKey, look: impl FnOnce(&str) -> T) -> T {
        let mut scratch = self.scratch.take();
        fold_into(&String::from_utf8_lossy(key.path.as_bytes()), &mut scratch);
        let seen = look(&scratch);
        self.scratch.set(scratch);
        seen
    }
}

/// What is wanted, unless the description has it.
fn unfulfilled<'a>(wanted: Option<&'a str>, described: Option<&str>) -> Option<&'a str> {
    wanted.filter(|wanted| !described.is_some_and(|described| folds_to(described, wanted)))
}

fn category_passes(key: &FileKey, rest: &Rest<'_>) -> bool {
    ucs::parse(&key.path.file_name())
        .is_some_and(|name| is_wanted(rest.category, &name.category) && is_wanted(rest.subcategory, &name.subcategory))
}

fn is_wanted(wanted: Option<&str>, named: &impl AsRef<str>) -> bool {
    wanted.is_none_or(|wanted| folds_to(named.as_ref(), wanted))
}
