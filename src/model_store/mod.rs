//! The models on this machine: a directory with one file `NAME.safetensors` each.
//!
//! Owns names and the directory. Invariant: a file under its final name is complete and was checked when it was
//! written; whatever an interrupted import leaves has a name that no model can have. Does not run models.

mod error;
mod import;

use std::path::{Path, PathBuf};

use crate::model::ModelError;
use crate::model::file::{Metadata, ModelFile};

pub use error::StoreError;
pub use import::ImportOptions;

const EXTENSION: &str = "safetensors";
/// Longest name of a model; file systems allow 255 bytes with the extension.
const MAX_NAME_BYTES: usize = 100;

/// A directory of models, which need not exist yet.
#[derive(Debug, Clone)]
pub struct ModelStore {
    directory: PathBuf,
}

/// A model in the directory, whose header is sound.
#[derive(Debug, Clone)]
pub struct InstalledModel {
    /// What it is called by.
    pub name: ModelName,
    /// Its file.
    pub path: PathBuf,
    /// Size of the file.
    pub bytes: u64,
    /// Learned numbers in it.
    pub parameters: usize,
    /// Configuration, identity and origin.
    pub metadata: Metadata,
}

/// A name that is a plain file name on every system: letters, digits, `.`, `_` and `-`, not starting with `.` or `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ModelName(String);

impl ModelName {
    /// Takes a name, or says what is wrong with it.
    pub fn new(name: &str) -> Result<Self, StoreError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let sound = !name.is_empty() && name.len() <= MAX_NAME_BYTES && !name.starts_with(['.', '-']);
        if sound && name.chars().all(allowed) { Ok(Self(name.into())) } else { Err(StoreError::Name(name.into())) }
    }

    /// The name for a checkpoint file that is given none: its stem in lower case, other characters as `-`.
    pub fn for_file(path: &Path) -> Result<Self, StoreError> {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
        let plain = stem.replace(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '_'), "-");
        Self::new(plain.trim_start_matches(['.', '-']))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for ModelName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl ModelStore {
    /// The models in `directory`.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    /// Where the models are.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The file of a model, whether or not it is there.
    pub fn path(&self, name: &ModelName) -> PathBuf {
        self.directory.join(format!("{name}.{EXTENSION}"))
    }

    /// All names that are taken, sorted.
    pub fn names(&self) -> Result<Vec<ModelName>, StoreError> {
        let entries = match std::fs::read_dir(&self.directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(StoreError::io(&self.directory, error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let path = entry.map_err(|error| StoreError::io(&self.directory, error))?.path();
            if path.extension().is_some_and(|extension| extension == EXTENSION) {
                names.extend(path.file_stem().and_then(|stem| ModelName::new(stem.to_str()?).ok()));
            }
        }
        names.sort();
        Ok(names)
    }

    /// A model by name; its header is checked, its data is not.
    pub fn find(&self, name: &ModelName) -> Result<InstalledModel, StoreError> {
        let path = self.path(name);
        let model = |source| StoreError::Model { path: path.clone(), source };
        let file = match ModelFile::open(&path) {
            Err(ModelError::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(StoreError::NotInstalled { name: name.to_string(), installed: self.names()? });
            }
            file => file.map_err(model)?,
        };
        let bytes = std::fs::metadata(&path).map_err(|error| StoreError::io(&path, error))?.len();
        let (parameters, metadata) = (file.parameters(), file.metadata().clone());
        Ok(InstalledModel { name: name.clone(), path, bytes, parameters, metadata })
    }

    /// The file that `model` means: a path if it looks like one, a name otherwise; if empty, the only model there is.
    pub fn resolve(&self, model: &str) -> Result<PathBuf, StoreError> {
        if model.is_empty() {
            let mut names = self.names()?;
            return match (names.pop(), names.is_empty()) {
                (Some(only), true) => Ok(self.path(&only)),
                (None, _) => Err(StoreError::NoneInstalled { directory: self.directory.clone() }),
                (Some(last), false) => {
                    names.push(last);
                    Err(StoreError::Ambiguous { installed: names })
                }
            };
        }
        if model.contains(std::path::is_separator) || Path::new(model).extension().is_some_and(|it| it == EXTENSION) {
            return Ok(model.into());
        }
        Ok(self.find(&ModelName::new(model)?)?.path)
    }

    /// Reads a model whole and compares it with its digests.
    pub fn verify(&self, name: &ModelName) -> Result<InstalledModel, StoreError> {
        let installed = self.find(name)?;
        let check = || ModelFile::open(&installed.path)?.read(|_, _| Ok(()));
        check().map_err(|source| StoreError::Model { path: installed.path.clone(), source })?;
        Ok(installed)
    }

    /// Deletes a model, sound or not.
    pub fn remove(&self, name: &ModelName) -> Result<PathBuf, StoreError> {
        let path = self.path(name);
        match std::fs::remove_file(&path) {
            Ok(()) => Ok(path),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(StoreError::NotInstalled { name: name.to_string(), installed: self.names()? })
            }
            Err(error) => Err(StoreError::io(&path, error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_file_names() {
        for good in ["a", "audioclip-full", "v1.2_x"] {
            assert!(ModelName::new(good).is_ok(), "{good}");
        }
        for bad in ["", ".hidden", "-flag", "a/b", "a\\b", "..", "a b", "ä", &"x".repeat(101)] {
            assert!(ModelName::new(bad).is_err(), "{bad}");
        }
        let derived = |path: &str| ModelName::for_file(Path::new(path)).unwrap().to_string();
        assert_eq!(derived("/tmp/AudioCLIP-Full-Training.pt"), "audioclip-full-training");
        assert_eq!(derived("my model (2).safetensors"), "my-model--2-");
        assert!(ModelName::for_file(Path::new("…")).is_err());
    }

    #[test]
    fn an_empty_or_absent_directory_has_no_models() {
        let store = ModelStore::new("/nonexistent/models");
        assert_eq!(store.names().unwrap(), []);
        assert!(matches!(store.resolve(""), Err(StoreError::NoneInstalled { .. })));
        let error = store.resolve("x").unwrap_err().to_string();
        assert!(error.contains("no model x"), "{error}");
        assert_eq!(store.resolve("./x.safetensors").unwrap(), Path::new("./x.safetensors"));
    }
}
