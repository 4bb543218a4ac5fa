//! Which paths of a root count.

use crate::library::{RelativePath, RootRules};

/// A glob that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("glob {glob:?}: {reason}")]
pub struct MalformedGlob {
    /// As it was given.
    pub glob: String,
    /// What is wrong with it.
    pub reason: String,
}

/// The rules of a root, ready for use.
#[derive(Debug)]
pub struct Rules {}

impl Rules {
    /// The root's own rules on top of the globs that are excluded everywhere.
    pub fn new(_root: &RootRules, _excluded_everywhere: &[String], _hidden: bool) -> Result<Self, MalformedGlob> {
        todo!()
    }

    /// Whether a folder is walked and watched.
    pub fn enters(&self, _folder: &RelativePath) -> bool {
        todo!()
    }

    /// Whether a file counts. Asks for each of its folders, too.
    pub fn counts(&self, _file: &RelativePath) -> bool {
        todo!()
    }
}
