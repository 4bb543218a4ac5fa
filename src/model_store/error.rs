//! Why the model directory could not do what was asked.

use std::path::{Path, PathBuf};

use super::{BUNDLED, ModelName, ModelSource};
use crate::checkpoint::CheckpointError;
use crate::model::ModelError;

/// Why the model directory could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// What was touched.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A name cannot be a file name.
    #[error("{0:?} cannot name a model, expected up to 100 letters, digits, '.', '_' or '-' (give one with --name)")]
    Name(String),
    /// There is no such model.
    #[error("no model {name} is installed ({})", list(installed))]
    NotInstalled {
        /// What was asked for.
        name: String,
        /// What is there.
        installed: Vec<ModelName>,
    },
    /// The built-in model was to be removed.
    #[error("{BUNDLED} is built in: it is part of the program, and cannot be removed")]
    BuiltIn,
    /// A model was to be given the name of the built-in one.
    #[error("{BUNDLED} is what the built-in model is called (give this one another name with --name)")]
    Reserved,
    /// There are several models and none was named.
    #[error("several models are installed: choose one with --model ({})", list(installed))]
    Ambiguous {
        /// What is there.
        installed: Vec<ModelName>,
    },
    /// The name is taken by a model from another file.
    #[error(
        "a model {name} from another file, or of other dimensions or precision, is installed already \
         (give another --name, or --force to replace it)"
    )]
    Taken {
        /// The name.
        name: ModelName,
    },
    /// An installed model is unusable.
    #[error("{model}: {source}")]
    Model {
        /// Where it is.
        model: ModelSource,
        /// What is wrong with it.
        source: ModelError,
    },
    /// A file to import could not be read.
    #[error("{}: {source}", path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: CheckpointError,
    },
    /// A file to import is no model that earmark knows.
    #[error("{}: {source}", path.display())]
    Unfit {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        source: ModelError,
    },
}

impl StoreError {
    pub(super) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io { path: path.into(), source }
    }
}

fn list(installed: &[ModelName]) -> String {
    if installed.is_empty() {
        return format!("{BUNDLED} is built in; see `earmark model pull` and `earmark model import`");
    }
    let names: Vec<&str> = installed.iter().map(ModelName::as_str).collect();
    format!("installed: {}; built in: {BUNDLED}", names.join(", "))
}
