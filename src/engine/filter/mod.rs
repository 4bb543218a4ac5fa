//! Which files and assets pass a [`Filter`].
//!
//! Invariant: conditions on files hold for one and the same file. Conditions are looked at in the order of what they
//! cost, and what does not depend on the asset is worked out once.

mod bound;
mod fold;

use std::path::{Component, Path, PathBuf};

use globset::{GlobBuilder, GlobSet};

use self::fold::fold;
use super::catalog::{AssetEntry, Catalog};
use crate::library::{Asset, FileKey, Filter, Range, RelativePath, RootId};
use crate::media::MediaKind;

pub use self::bound::BoundFilter;

/// As long as a path can be on most systems; what is longer is an attempt to keep the parser busy.
const LONGEST_GLOB_BYTES: usize = 4_096;

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
pub struct CompiledFilter {
    /// By [`MediaKind`].
    kinds: [bool; 2],
    roots: Vec<RootId>,
    below: Option<PathBuf>,
    glob: Option<GlobSet>,
    extensions: Vec<String>,
    duration_ms: Range<u64>,
    sample_rate_hz: Range<u32>,
    channels: Range<u32>,
    modified_ms: Range<i64>,
    category: Option<String>,
    subcategory: Option<String>,
    keywords: Vec<String>,
    words: Vec<String>,
}

impl CompiledFilter {
    /// Compiles globs and folds cases, once for all assets.
    ///
    /// A path prefix is compared byte by byte, because folders whose names differ in case are different folders. In a
    /// glob, `?` and `[…]` stand for one byte, as everywhere with this crate.
    pub fn new(filter: &Filter) -> Result<Self, MalformedFilter> {
        let extension = |text: &String| fold(text.strip_prefix('.').unwrap_or(text));
        let words = filter.text.as_deref().unwrap_or_default().split_whitespace();
        Ok(Self {
            kinds: MediaKind::ALL.map(|kind| filter.kinds.is_empty() || filter.kinds.contains(&kind)),
            roots: filter.roots.clone(),
            below: filter.path_prefix.as_deref().map(absolute).transpose()?,
            glob: filter.path_glob.as_deref().map(compile_glob).transpose()?,
            extensions: filter.extensions.iter().map(extension).collect(),
            duration_ms: filter.duration_ms,
            sample_rate_hz: filter.sample_rate_hz,
            channels: filter.channels,
            modified_ms: filter.modified_ms,
            category: filter.category.as_deref().map(fold),
            subcategory: filter.subcategory.as_deref().map(fold),
            keywords: filter.keywords.iter().map(|keyword| fold(keyword)).collect(),
            words: words.map(fold).collect(),
        })
    }

    /// Whether every asset that has a file passes.
    pub fn passes_all(&self) -> bool {
        self.kinds == [true; 2] && self.passes_kinds()
    }

    /// Whether every asset that has a file passes, as long as it is of [`Self::kinds`].
    pub fn passes_kinds(&self) -> bool {
        let ranges = self.duration_ms.is_unbounded()
            && self.sample_rate_hz.is_unbounded()
            && self.channels.is_unbounded()
            && self.modified_ms.is_unbounded();
        let paths = self.roots.is_empty() && self.below.is_none() && self.glob.is_none() && self.extensions.is_empty();
        let texts = self.category.is_none() && self.subcategory.is_none();
        ranges && paths && texts && self.keywords.is_empty() && self.words.is_empty()
    }

    /// The kinds that pass.
    pub fn kinds(&self) -> impl Iterator<Item = MediaKind> {
        MediaKind::ALL.into_iter().filter(|&kind| self.kinds[kind as usize])
    }

    /// The files of an asset that pass, in order; empty if the asset does not.
    ///
    /// For many assets, [`Self::bind`] once.
    pub fn files<'a>(&self, catalog: &Catalog, entry: &'a AssetEntry) -> Vec<&'a FileKey> {
        self.bind(catalog).files(entry)
    }

    /// The filter together with the library that it is used on.
    pub fn bind<'a>(&'a self, catalog: &'a Catalog) -> BoundFilter<'a> {
        BoundFilter::new(self, catalog, self.scopes(catalog))
    }

    /// Where files may lie; `None` for anywhere.
    fn scopes(&self, catalog: &Catalog) -> Option<Vec<(RootId, RelativePath)>> {
        if self.roots.is_empty() && self.below.is_none() {
            return None;
        }
        let roots = catalog.roots().map(|entry| &entry.root);
        let roots = roots.filter(|root| self.roots.is_empty() || self.roots.contains(&root.id));
        let scope = |prefix: Option<&PathBuf>, root: &Path| match prefix {
            Some(prefix) if !root.starts_with(prefix) => RelativePath::new(prefix.strip_prefix(root).ok()?).ok(),
            _ => Some(RelativePath::root()),
        };
        Some(roots.filter_map(|root| Some((root.id, scope(self.below.as_ref(), &root.path)?))).collect())
    }

    /// Conditions on the asset that cost nothing.
    fn facts_pass(&self, asset: &Asset) -> bool {
        self.kinds[asset.kind as usize]
            && self.duration_ms.contains(asset.facts.duration_ms)
            && self.sample_rate_hz.contains(asset.facts.sample_rate_hz)
            && self.channels.contains(asset.facts.channels)
    }

    fn extension_passes(&self, path: &RelativePath) -> bool {
        if self.extensions.is_empty() {
            return true;
        }
        let name = path.as_bytes().rsplit(|&byte| byte == b'/').next().unwrap_or_default();
        let dot = name.iter().rposition(|&byte| byte == b'.');
        // A name that merely begins with a dot has no extension.
        let extension = dot.filter(|&dot| dot > 0).map_or(&[][..], |dot| &name[dot + 1..]);
        if extension.is_ascii() {
            return self.extensions.iter().any(|wanted| extension.eq_ignore_ascii_case(wanted.as_bytes()));
        }
        let extension = fold(&String::from_utf8_lossy(extension));
        self.extensions.contains(&extension)
    }
}

fn absolute(prefix: &str) -> Result<PathBuf, MalformedFilter> {
    let path = Path::new(prefix);
    if !path.is_absolute() || path.components().any(|component| component == Component::ParentDir) {
        let reason = format!("got {prefix:?}, expected an absolute path without ..");
        return Err(MalformedFilter { field: "filter.path_prefix".into(), reason });
    }
    Ok(path.into())
}

/// Compiles the folded pattern, which folded paths are held against: the crate itself folds ASCII only.
fn compile_glob(pattern: &str) -> Result<GlobSet, MalformedFilter> {
    let malformed = |reason: String| MalformedFilter { field: "filter.path_glob".into(), reason };
    if pattern.len() > LONGEST_GLOB_BYTES {
        return Err(malformed(format!("got {} bytes, expected at most {LONGEST_GLOB_BYTES}", pattern.len())));
    }
    // First as it was given, so that an error shows what the caller wrote. The set, unlike a single matcher, tells
    // instead of panicking when a pattern makes too large a machine.
    let build = |pattern: &str| {
        let glob = GlobBuilder::new(pattern).literal_separator(true).build()?;
        GlobSet::builder().add(glob).build()
    };
    build(pattern).and_then(|_| build(&fold(pattern))).map_err(|error| malformed(error.to_string()))
}
