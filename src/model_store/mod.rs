//! The models on this machine: a directory with one file `NAME.safetensors` each, and the one that is built in.
//!
//! Owns names, the directory and the built-in model. Invariant: a file under its final name is complete and was checked
//! when it was written; whatever an interrupted import leaves has a name that no model can have. Does not run models.

mod error;
mod import;
mod source;

use std::path::{Path, PathBuf};

use crate::model::ModelError;
use crate::model::file::Metadata;

pub use error::StoreError;
pub use import::{ImportOptions, Measure};
pub use source::{BUNDLED, ModelSource};

const EXTENSION: &str = "safetensors";
/// Longest name of a model; file systems allow 255 bytes with the extension.
const MAX_NAME_BYTES: usize = 100;

/// A directory of models, which need not exist yet.
#[derive(Debug, Clone)]
pub struct ModelStore {
    directory: PathBuf,
}

/// A model in the directory, or the one that is built in, whose header is sound.
#[derive(Debug, Clone)]
pub struct InstalledModel {
    /// What it is called by.
    pub name: ModelName,
    /// Where it is.
    pub source: ModelSource,
    /// Size of its file.
    pub bytes: u64,
    /// Learned numbers in it.
    pub parameters: usize,
    /// Configuration, identity and origin.
    pub metadata: Metadata,
}

impl InstalledModel {
    /// Its file; `None` if it is built in.
    pub fn path(&self) -> Option<&Path> {
        self.source.path()
    }
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

    /// The name of the model that is built in.
    pub fn bundled() -> Self {
        Self(BUNDLED.into())
    }

    /// Whether it is that.
    pub fn is_bundled(&self) -> bool {
        self.0 == BUNDLED
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

    /// The names of all models in the directory, sorted. A file that has the name of the built-in model is none.
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
        names.retain(|name| !name.is_bundled());
        names.sort();
        Ok(names)
    }

    /// A model by name; its header is checked, its data is not.
    pub fn find(&self, name: &ModelName) -> Result<InstalledModel, StoreError> {
        let source = if name.is_bundled() { ModelSource::Bundled } else { ModelSource::File(self.path(name)) };
        let model = |error| StoreError::Model { model: source.clone(), source: error };
        let file = match source.open() {
            Err(ModelError::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(StoreError::NotInstalled { name: name.to_string(), installed: self.names()? });
            }
            file => file.map_err(model)?,
        };
        let bytes = source.bytes().map_err(|error| model(error.into()))?;
        let (parameters, metadata) = (file.parameters(), file.metadata().clone());
        Ok(InstalledModel { name: name.clone(), source, bytes, parameters, metadata })
    }

    /// What `model` means: a path if it looks like one, a name otherwise. If empty, the only model in the directory,
    /// and the built-in one if there is none.
    pub fn resolve(&self, model: &str) -> Result<ModelSource, StoreError> {
        if model.is_empty() {
            let names = self.names()?;
            return match names.as_slice() {
                [] => Ok(ModelSource::Bundled),
                [only] => Ok(ModelSource::File(self.path(only))),
                [..] => Err(StoreError::Ambiguous { installed: names }),
            };
        }
        if ModelSource::is_path(model) {
            return Ok(ModelSource::File(model.into()));
        }
        Ok(self.find(&ModelName::new(model)?)?.source)
    }

    /// Reads a model whole and compares it with its digests.
    pub fn verify(&self, name: &ModelName) -> Result<InstalledModel, StoreError> {
        let installed = self.find(name)?;
        let check = || installed.source.open()?.read(|_, _| Ok(()));
        check().map_err(|source| StoreError::Model { model: installed.source.clone(), source })?;
        Ok(installed)
    }

    /// Deletes a model, sound or not.
    pub fn remove(&self, name: &ModelName) -> Result<PathBuf, StoreError> {
        if name.is_bundled() {
            return Err(StoreError::BuiltIn);
        }
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
    fn an_empty_or_absent_directory_has_no_models_but_the_built_in_one() {
        let store = ModelStore::new("/nonexistent/models");
        assert_eq!(store.names().unwrap(), []);
        assert_eq!(store.resolve("").unwrap(), ModelSource::Bundled);
        let error = store.resolve("x").unwrap_err().to_string();
        assert!(error.contains("no model x"), "{error}");
        assert_eq!(store.resolve("./x.safetensors").unwrap(), ModelSource::File("./x.safetensors".into()));
    }
}
