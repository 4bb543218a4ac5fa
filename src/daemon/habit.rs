//! `model.json`: the model that a data directory was last used with, so that it need not be named again.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::model_store::ModelStore;

const FILE_NAME: &str = "model.json";

#[derive(Debug, Serialize, Deserialize)]
struct Habit {
    /// The model's file.
    path: PathBuf,
}

/// The file of the model that the configuration names; if it names none, of the one that the data directory was last
/// used with, and failing that, of the only one that is installed. If it says where models are kept, none from
/// elsewhere.
pub(super) fn model_path(config: &Config) -> anyhow::Result<PathBuf> {
    let asked = &config.model.directory;
    let allowed = |path: &PathBuf| {
        asked.as_os_str().is_empty() || asked.canonicalize().is_ok_and(|asked| path.starts_with(asked))
    };
    if config.model.name.is_empty()
        && let Some(path) = last_used(&config.data_directory()?).filter(allowed)
    {
        return Ok(path);
    }
    Ok(ModelStore::new(config.model_directory()?).resolve(&config.model.name)?)
}

/// Remembers the model. That it could not is no reason to stop: then it has to be named.
pub(super) fn remember(directory: &Path, model: &Path) {
    let remembered = || {
        let path = model.canonicalize()?;
        if last_used(directory).as_ref() == Some(&path) {
            return Ok(());
        }
        let mut unfinished = tempfile::Builder::new().prefix(".earmark-").tempfile_in(directory)?;
        serde_json::to_writer(&mut unfinished, &Habit { path })?;
        unfinished.write_all(b"\n")?;
        unfinished.persist(directory.join(FILE_NAME)).map(drop).map_err(|error| error.error)
    };
    if let Err(error) = remembered() {
        tracing::warn!("{}: its model is not remembered: {error}", directory.display());
    }
}

/// What the data directory says, if that model is still there.
fn last_used(directory: &Path) -> Option<PathBuf> {
    let habit: Habit = serde_json::from_slice(&std::fs::read(directory.join(FILE_NAME)).ok()?).ok()?;
    habit.path.is_file().then_some(habit.path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_model_is_used_unless_another_is_named_or_it_is_gone() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().canonicalize().unwrap();
        let mut config = Config::load(None, []).unwrap();
        config.data.directory = place.join("data");
        config.model.name.clear();
        config.model.directory = place.join("models");
        std::fs::create_dir(place.join("data")).unwrap();
        assert!(model_path(&config).unwrap_err().to_string().contains("no model"));

        let model = place.join("mine.safetensors");
        std::fs::write(&model, b"a model").unwrap();
        remember(&place.join("data"), &model);
        assert!(model_path(&config).unwrap_err().to_string().contains("no model"), "it is not where it should be");
        for directory in [Path::new(""), &place] {
            config.model.directory = directory.into();
            assert_eq!(model_path(&config).unwrap(), model);
        }
        config.model.name = "./other.safetensors".into();
        assert_eq!(model_path(&config).unwrap(), Path::new("./other.safetensors"));

        config.model.name.clear();
        config.model.directory = place.join("models");
        std::fs::remove_file(&model).unwrap();
        assert!(model_path(&config).is_err());
    }
}
