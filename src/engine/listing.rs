//! Listings of what is in the library, in pages.

use std::sync::Arc;

use super::Engine;
use super::filter::{CompiledFilter, MalformedFilter};
use super::query::FileInLibrary;
use super::sync::read;
use crate::library::{Asset, AssetId, Failure, FileKey, FileState, Filter, RelativePath, RootId};

/// A page of a listing.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// In order.
    pub items: Vec<T>,
    /// Where the next page starts; `None` after the last.
    pub next: Option<String>,
    /// All that there are, on this and all other pages.
    pub total: u64,
}

/// An asset with its files.
#[derive(Debug, Clone, PartialEq)]
pub struct AssetInLibrary {
    /// The asset.
    pub asset: Arc<Asset>,
    /// Where it lies, by key.
    pub files: Vec<FileInLibrary>,
}

/// A file that could not be indexed.
#[derive(Debug, Clone, PartialEq)]
pub struct FailedFile {
    /// The file.
    pub file: FileInLibrary,
    /// Why.
    pub failure: Failure,
}

impl Engine {
    /// One asset that has a file.
    pub fn asset(&self, id: AssetId) -> Option<AssetInLibrary> {
        let catalog = read(self.catalog());
        let entry = catalog.asset(&id).filter(|entry| !entry.files.is_empty())?;
        let files = entry.files.iter().filter_map(|key| catalog.file_in_library(key)).collect();
        Some(AssetInLibrary { asset: entry.asset.clone(), files })
    }

    /// Assets that pass, by id, from a page's `next` on.
    ///
    /// # Errors
    /// [`MalformedFilter`], for the filter or for `from`.
    pub fn assets(
        &self,
        filter: &Filter,
        from: Option<&str>,
        count: usize,
    ) -> Result<Page<AssetInLibrary>, MalformedFilter> {
        let filter = CompiledFilter::new(filter)?;
        let from: Option<AssetId> = from.map(|from| from.parse().map_err(|_| malformed_page())).transpose()?;
        let catalog = read(self.catalog());
        let mut passing: Vec<(AssetId, Vec<&FileKey>)> = catalog
            .assets()
            .map(|entry| (entry.asset.id, filter.files(&catalog, entry)))
            .filter(|(_, files)| !files.is_empty())
            .collect();
        passing.sort_unstable_by_key(|(id, _)| *id);
        let total = passing.len() as u64;
        let start = from.map_or(0, |from| passing.partition_point(|(id, _)| *id < from));
        let next = passing.get(start + count).map(|(id, _)| id.to_string());
        let items = passing[start..]
            .iter()
            .take(count)
            .filter_map(|(id, files)| {
                let files = files.iter().filter_map(|key| catalog.file_in_library(key)).collect();
                Some(AssetInLibrary { asset: catalog.asset(id)?.asset.clone(), files })
            })
            .collect();
        Ok(Page { items, next, total })
    }

    /// Failed files by path, from a page's `next` on.
    ///
    /// # Errors
    /// [`MalformedFilter`] for `from`.
    pub fn failures(&self, from: Option<&str>, count: usize) -> Result<Page<FailedFile>, MalformedFilter> {
        let from = from.map(|from| parse_key(from).ok_or_else(malformed_page)).transpose()?;
        let catalog = read(self.catalog());
        let mut page = Page { items: Vec::new(), next: None, total: 0 };
        for (key, record) in catalog.files() {
            let FileState::Failed(failure) = &record.state else { continue };
            page.total += 1;
            if from.as_ref().is_some_and(|from| key < from) || page.next.is_some() {
                continue;
            }
            if page.items.len() == count {
                page.next = Some(print_key(key));
            } else if let Some(file) = catalog.file_in_library(key) {
                page.items.push(FailedFile { file, failure: failure.clone() });
            }
        }
        Ok(page)
    }
}

fn malformed_page() -> MalformedFilter {
    let reason = "expected what the page before gave, or nothing".into();
    MalformedFilter { field: "page_token".into(), reason }
}

/// `ROOT-HEX`: any bytes may be in a path.
fn print_key(key: &FileKey) -> String {
    let hex: String = key.path.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{hex}", key.root.0)
}

fn parse_key(text: &str) -> Option<FileKey> {
    let (root, hex) = text.split_once('-')?;
    let digits = |at: usize| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok();
    let bytes: Option<Vec<u8>> = (0..hex.len()).step_by(2).map(digits).collect();
    Some(FileKey { root: RootId(root.parse().ok()?), path: RelativePath::from_bytes(&bytes?).ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_survive_being_a_page_token() {
        let key = FileKey { root: RootId(7), path: RelativePath::from_bytes("a/ü \u{1}.wav".as_bytes()).unwrap() };
        assert_eq!(parse_key(&print_key(&key)), Some(key));
        for wrong in ["", "7", "x-61", "7-6", "7-é", "7-2e2e"] {
            assert_eq!(parse_key(wrong), None, "{wrong}");
        }
    }
}
