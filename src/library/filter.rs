//! Filters: which assets a query is about.

use super::RootId;
use crate::media::MediaKind;

/// Bounds, both inclusive; one that is missing is no bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Range<T> {
    /// The least value.
    pub min: Option<T>,
    /// The greatest value.
    pub max: Option<T>,
}

impl<T: PartialOrd + Copy> Range<T> {
    /// Whether nothing is asked.
    pub fn is_unbounded(&self) -> bool {
        self.min.is_none() && self.max.is_none()
    }

    /// Whether `value` is within the bounds; an absent value only is if there are none.
    pub fn contains(&self, value: Option<T>) -> bool {
        let Some(value) = value else { return self.is_unbounded() };
        self.min.is_none_or(|min| value >= min) && self.max.is_none_or(|max| value <= max)
    }
}

/// Conditions, all of which must hold; an empty one always does.
///
/// Conditions on files (root, path, extension, modification) must hold for one and the same file of an asset, and only
/// such files are returned. Texts are compared without regard to case.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Filter {
    /// Any of these kinds.
    pub kinds: Vec<MediaKind>,
    /// In any of these roots.
    pub roots: Vec<RootId>,
    /// An absolute path that the file is, or lies below.
    pub path_prefix: Option<String>,
    /// A glob over the path below the root; `**` crosses folders.
    pub path_glob: Option<String>,
    /// Any of these extensions, without the dot.
    pub extensions: Vec<String>,
    /// Length of the sound in milliseconds.
    pub duration_ms: Range<u64>,
    /// Samples a second.
    pub sample_rate_hz: Range<u32>,
    /// Channels.
    pub channels: Range<u32>,
    /// Last modification of the file, in milliseconds since 1970.
    pub modified_ms: Range<i64>,
    /// UCS category, by the file's name or its metadata.
    pub category: Option<String>,
    /// UCS subcategory, by the file's name or its metadata.
    pub subcategory: Option<String>,
    /// Keywords, all of which it must have.
    pub keywords: Vec<String>,
    /// Words, each of which must occur in its metadata or file name.
    pub text: Option<String>,
}

impl Filter {
    /// Whether everything passes.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_include_their_bounds_and_exclude_the_unknown() {
        let range = Range { min: Some(2), max: Some(4) };
        assert!([2, 3, 4].into_iter().all(|value| range.contains(Some(value))));
        assert!([1, 5].into_iter().all(|value| !range.contains(Some(value))));
        assert!(!range.contains(None));
        assert!(Range::<u32>::default().contains(None));
    }
}
