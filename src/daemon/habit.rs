//! `model.json`: the model that a data directory was last used with, so that it need not be named again.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::model_store::{BUNDLED, ModelSource, ModelStore};

const FILE_NAME: &str = "model.json";

/// What the file says, e.g. `{"path":"/models/mine.safetensors"}`.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Habit {
    /// A file, by its canonical path.
    Path(PathBuf),
    /// A model that is part of the program, by its name.
    Bundled(String),
}

/// The model that the configuration names; if it names none, the one that the data directory was last used with, and
/// failing that, the only one that is installed, or the built-in one. If it says where models are kept, no file from
/// elsewhere.
pub(super) fn model_source(config: &Config) -> anyhow::Result<ModelSource> {
    let asked = &config.model.directory;
    let allowed = |source: &ModelSource| match source.path() {
        Some(path) => asked.as_os_str().is_empty() || asked.canonicalize().is_ok_and(|asked| path.starts_with(asked)),
        None => true,
    };
    if config.model.name.is_empty()
        && let Some(source) = last_used(&config.data_directory()?).filter(allowed)
    {
        return Ok(source);
    }
    Ok(ModelStore::new(config.model_directory()?).resolve(&config.model.name)?)
}

/// Remembers the model. That it could not is no reason to stop: then it has to be named.
pub(super) fn remember(directory: &Path, model: &ModelSource) {
    if let Err(error) = try_remember(directory, model) {
        tracing::warn!("{}: its model is not remembered: {error}", directory.display());
    }
}

fn try_remember(directory: &Path, model: &ModelSource) -> io::Result<()> {
    let habit = match model {
        ModelSource::File(path) => Habit::Path(path.canonicalize()?),
        ModelSource::Bundled => Habit::Bundled(BUNDLED.into()),
    };
    if read(directory).as_ref() == Some(&habit) {
        return Ok(());
    }
    let mut unfinished = tempfile::Builder::new().prefix(".earmark-").tempfile_in(directory)?;
    serde_json::to_writer(&mut unfinished, &habit)?;
    unfinished.write_all(b"\n")?;
    unfinished.persist(directory.join(FILE_NAME)).map(drop).map_err(|error| error.error)
}

/// What the data directory says, if that model is still there.
fn last_used(directory: &Path) -> Option<ModelSource> {
    match read(directory)? {
        Habit::Path(path) => path.is_file().then_some(ModelSource::File(path)),
        Habit::Bundled(name) => (name == BUNDLED).then_some(ModelSource::Bundled),
    }
}

fn read(directory: &Path) -> Option<Habit> {
    serde_json::from_slice(&std::fs::read(directory.join(FILE_NAME)).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A configuration that names no model, with its data in `data` and models in `models`.
    fn config(place: &Path) -> Config {
        let mut config = Config::load(None, []).unwrap();
        config.data.directory = place.join("data");
        config.model.name.clear();
        config.model.directory = place.join("models");
        std::fs::create_dir(place.join("data")).unwrap();
        config
    }

    #[test]
    fn the_last_model_is_used_unless_another_is_named_or_it_is_gone() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().canonicalize().unwrap();
        let mut config = config(&place);
        assert_eq!(model_source(&config).unwrap(), ModelSource::Bundled);

        let model = ModelSource::File(place.join("mine.safetensors"));
        std::fs::write(model.path().unwrap(), b"a model").unwrap();
        remember(&place.join("data"), &model);
        assert_eq!(model_source(&config).unwrap(), ModelSource::Bundled, "it is not where it should be");
        for directory in [Path::new(""), &place] {
            config.model.directory = directory.into();
            assert_eq!(model_source(&config).unwrap(), model);
        }
        config.model.name = "./other.safetensors".into();
        assert_eq!(model_source(&config).unwrap(), ModelSource::File("./other.safetensors".into()));
        config.model.name = "demo".into();
        assert_eq!(model_source(&config).unwrap(), ModelSource::Bundled);

        config.model.name.clear();
        std::fs::remove_file(model.path().unwrap()).unwrap();
        config.model.directory = place.join("models");
        assert_eq!(model_source(&config).unwrap(), ModelSource::Bundled);
    }

    #[test]
    fn the_built_in_model_is_remembered_like_any_other() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().canonicalize().unwrap();
        let config = config(&place);
        let data = place.join("data");
        let model = place.join("models/mine.safetensors");
        std::fs::create_dir(place.join("models")).unwrap();
        std::fs::write(&model, b"a model").unwrap();
        let mine = ModelSource::File(model);
        assert_eq!(model_source(&config).unwrap(), mine);
        remember(&data, &ModelSource::Bundled);
        assert_eq!(model_source(&config).unwrap(), ModelSource::Bundled);
        remember(&data, &mine);
        assert_eq!(model_source(&config).unwrap(), mine);
    }

    #[test]
    fn files_are_written_as_they_always_were_and_nonsense_is_no_model() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().canonicalize().unwrap();
        let model = place.join("mine.safetensors");
        std::fs::write(&model, b"a model").unwrap();
        remember(&place, &ModelSource::File(model.clone()));
        let written: serde_json::Value =
            serde_json::from_slice(&std::fs::read(place.join(FILE_NAME)).unwrap()).unwrap();
        assert_eq!(written, serde_json::json!({ "path": model }));
        for nonsense in ["", "{}", "{\"path\":3}", "{\"bundled\":\"another\"}", "{\"path\":\"/nonexistent\"}"] {
            std::fs::write(place.join(FILE_NAME), nonsense).unwrap();
            assert_eq!(last_used(&place), None, "{nonsense}");
        }
    }
}
