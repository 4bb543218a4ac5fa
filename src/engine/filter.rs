//! Which files and assets pass a [`Filter`].

use super::catalog::{AssetEntry, Catalog};
use crate::library::{FileKey, Filter};

/// A filter that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct MalformedFilter {
    /// Which part, as in the protocol.
    pub field: String,
    /// What was got, what was expected.
    pub reason: String,
}

/// A filter, ready for use.
#[derive(Debug)]
pub struct CompiledFilter {}

impl CompiledFilter {
    /// Compiles globs and folds cases, once for all assets.
    pub fn new(_filter: &Filter) -> Result<Self, MalformedFilter> {
        todo!()
    }

    /// Whether every asset that has a file passes.
    pub fn passes_all(&self) -> bool {
        todo!()
    }

    /// The files of an asset that pass, in order; empty if the asset does not.
    pub fn files<'a>(&self, _catalog: &Catalog, _entry: &'a AssetEntry) -> Vec<&'a FileKey> {
        todo!()
    }
}
