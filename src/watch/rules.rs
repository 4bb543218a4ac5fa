//! Which paths of a root count.
//!
//! Globs are read as in `.gitignore`: one without a slash names something at any depth, one with a slash is meant from
//! the root on, one that ends in a slash means folders only, `*` stays within a name and `**` crosses folders. Upper
//! and lower case are one (of ASCII letters). Owns their meaning; knows nothing of the disk.

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};

use super::paths::folders_of;
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
pub struct Rules {
    /// Any of these a file or one of its folders must match; `None` for no condition.
    include: Option<Globs>,
    exclude: Globs,
    hidden: bool,
}

/// Globs for anything, and globs for folders only.
#[derive(Debug)]
struct Globs {
    any: GlobSet,
    folders: GlobSet,
}

impl Rules {
    /// The root's own rules on top of the globs that are excluded everywhere.
    ///
    /// # Errors
    /// [`MalformedGlob`] for the first glob that has no meaning.
    pub fn new(root: &RootRules, excluded_everywhere: &[String], hidden: bool) -> Result<Self, MalformedGlob> {
        let include = if root.include.is_empty() { None } else { Some(Globs::new(&root.include)?) };
        let exclude = Globs::new(root.exclude.iter().chain(excluded_everywhere))?;
        Ok(Self { include, exclude, hidden })
    }

    /// Whether a folder is walked and watched. Asks for each of its folders, too; the root itself always is.
    pub fn enters(&self, folder: &RelativePath) -> bool {
        folders_of(folder).all(|outer| self.enters_within(&outer)) && self.enters_within(folder)
    }

    /// Whether a file counts. Asks for each of its folders, too.
    pub fn counts(&self, file: &RelativePath) -> bool {
        folders_of(file).all(|folder| self.enters_within(&folder)) && self.counts_within(file)
    }

    /// [`Self::enters`] for a folder in one that is known to be entered.
    pub(super) fn enters_within(&self, folder: &RelativePath) -> bool {
        folder.is_root() || !(self.hides(folder) || self.exclude.match_folder(folder))
    }

    /// [`Self::counts`] for a file in a folder that is known to be entered.
    pub(super) fn counts_within(&self, file: &RelativePath) -> bool {
        let included = |globs: &Globs| globs.match_file(file) || folders_of(file).any(|it| globs.match_folder(&it));
        !self.hides(file) && !self.exclude.match_file(file) && self.include.as_ref().is_none_or(included)
    }

    fn hides(&self, path: &RelativePath) -> bool {
        let name = path.as_bytes().rsplit(|&byte| byte == b'/').next();
        !self.hidden && name.is_some_and(|name| name.starts_with(b"."))
    }
}

impl Globs {
    fn new<'a>(globs: impl IntoIterator<Item = &'a String>) -> Result<Self, MalformedGlob> {
        let (mut any, mut folders) = (GlobSetBuilder::new(), GlobSetBuilder::new());
        let mut given = Vec::new();
        for text in globs {
            given.push(text.as_str());
            match text.strip_suffix('/') {
                Some(folder) => folders.add(compile(text, folder)?),
                None => any.add(compile(text, text)?),
            };
            // All that is below a folder is the folder, too: otherwise an excluded one would be walked in vain.
            if let Some(folder) = text.strip_suffix("/**").filter(|folder| !folder.is_empty() && *folder != "**") {
                folders.add(compile(text, folder)?);
            }
        }
        let set = |builder: GlobSetBuilder| {
            builder.build().map_err(|error| malformed(&given.join(" "), &format!("too large together: {error}")))
        };
        Ok(Self { any: set(any)?, folders: set(folders)? })
    }

    fn match_file(&self, path: &RelativePath) -> bool {
        self.any.is_match(path.to_path())
    }

    fn match_folder(&self, path: &RelativePath) -> bool {
        let path = path.to_path();
        self.any.is_match(&path) || self.folders.is_match(&path)
    }
}

/// `pattern` is `given` without what tells folders from files.
fn compile(given: &str, pattern: &str) -> Result<Glob, MalformedGlob> {
    if given.starts_with('!') {
        return Err(malformed(given, "exceptions are not supported; for a name that starts with ! write \\!"));
    }
    let pattern = if pattern.contains('/') {
        pattern.strip_prefix('/').unwrap_or(pattern).to_owned()
    } else {
        format!("**/{pattern}")
    };
    if pattern.is_empty() || pattern == "**/" || pattern.starts_with('/') || pattern.ends_with('/') {
        return Err(malformed(given, "expected names, separated by single slashes"));
    }
    if pattern.split('/').any(|name| name == "." || name == "..") {
        return Err(malformed(given, "expected a path below the root, without . and .."));
    }
    let mut builder = GlobBuilder::new(&pattern);
    builder.literal_separator(true).case_insensitive(true).backslash_escape(true);
    builder.build().map_err(|error| malformed(given, &error.kind().to_string()))
}

fn malformed(glob: &str, reason: &str) -> MalformedGlob {
    MalformedGlob { glob: glob.to_owned(), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests;
