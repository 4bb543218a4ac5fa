//! Where a model is read from: a file, or the program itself.
//!
//! Invariant: both go through the same reader, with the same checks.

use std::fmt;
use std::path::{Path, PathBuf};

use super::EXTENSION;
use crate::model::ModelError;
use crate::model::file::ModelFile;

/// What the model is called that is part of the program. No other can have the name.
pub const BUNDLED: &str = "demo";

/// A small model of our own, so that there is one at once. See `models/demo/`.
static BUNDLED_BYTES: &[u8] = include_bytes!("../../models/demo/demo.safetensors");

/// Where a model is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelSource {
    /// In a file.
    File(PathBuf),
    /// In the program itself, as [`BUNDLED`].
    Bundled,
}

impl ModelSource {
    /// Opens it and checks its header.
    ///
    /// # Errors
    /// As [`ModelFile::open`].
    pub fn open(&self) -> Result<ModelFile, ModelError> {
        match self {
            Self::File(path) => ModelFile::open(path),
            Self::Bundled => ModelFile::from_reader(BUNDLED_BYTES, BUNDLED_BYTES.len() as u64),
        }
    }

    /// Its size.
    pub(super) fn bytes(&self) -> std::io::Result<u64> {
        match self {
            Self::File(path) => Ok(std::fs::metadata(path)?.len()),
            Self::Bundled => Ok(BUNDLED_BYTES.len() as u64),
        }
    }

    /// Its file; `None` if it has none.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Bundled => None,
        }
    }

    /// What it is called: after its file.
    pub fn name(&self) -> String {
        match self {
            Self::File(path) => path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
            Self::Bundled => BUNDLED.into(),
        }
    }

    /// Whether what was typed is meant as the path of a file, and not as a name.
    pub(super) fn is_path(model: &str) -> bool {
        model.contains(std::path::is_separator) || Path::new(model).extension().is_some_and(|it| it == EXTENSION)
    }
}

impl fmt::Display for ModelSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Bundled => write!(f, "{BUNDLED} (built in)"),
        }
    }
}
