//! Configuration: the compiled-in defaults, overlaid by a file, overlaid by the environment.
//!
//! Invariant: `config/earmark.toml` is the only place where a default is written down, and it has every key; a key that
//! it does not have is an error. Command-line options are applied by whoever parses them.

mod bounds;

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;
use serde::Deserialize;
use toml::{Table, Value};

use crate::checkpoint::CheckpointLimits;
use crate::decode::{AudioLimits, ImageLimits};
use crate::engine::options::{IngestOptions, SearchOptions, WatchSettings};
use crate::index::IndexOptions;
use crate::model::DeviceChoice;

const DEFAULTS: &str = include_str!("../config/earmark.toml");
/// Start of the environment variables that override keys; `__` separates the parts.
const ENVIRONMENT_PREFIX: &str = "EARMARK__";
/// How alike (Jaro–Winkler, 0 to 1) a key must be to be suggested for an unknown one.
const SUGGESTION_THRESHOLD: f64 = 0.75;

/// All settings.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Which model, from where, and on what.
    pub model: ModelSettings,
    /// Where the library is kept.
    pub data: DataSettings,
    /// How files are read and embedded.
    pub ingest: IngestOptions,
    /// How changes on disk are noticed.
    pub watch: WatchSettings,
    /// How neighbours are found.
    pub index: IndexOptions,
    /// How queries are answered.
    pub search: SearchOptions,
    /// How the daemon serves.
    pub server: ServerSettings,
    /// What is logged.
    pub log: LogSettings,
    /// What files may cost.
    pub limits: Limits,
    /// How models are downloaded.
    pub download: DownloadSettings,
}

/// Which model, from where, and on what.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSettings {
    /// Name or path; empty for the only one installed.
    pub name: String,
    /// Where models are kept; empty for the user's data directory.
    pub directory: PathBuf,
    /// Where models run.
    pub device: DeviceChoice,
}

/// Where the library is kept.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataSettings {
    /// The data directory; empty for the user's own.
    pub directory: PathBuf,
}

/// How the daemon serves.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerSettings {
    /// Address of gRPC; a loopback one.
    pub listen: String,
    /// Largest message.
    pub message_bytes: usize,
    /// Largest upload of a query's media.
    pub upload_bytes: u64,
    /// Uploads taken at once.
    pub concurrent_uploads: usize,
    /// Seconds that an upload may stand still.
    pub upload_patience_s: u64,
    /// Requests under way on all connections.
    pub requests: usize,
    /// Requests under way on one connection.
    pub streams_per_connection: u32,
    /// Seconds of silence after which a connection is asked whether it is there.
    pub keepalive_s: u64,
    /// Seconds that it has to answer.
    pub keepalive_timeout_s: u64,
    /// Seconds that work under way may take when the daemon is stopped.
    pub grace_s: u64,
    /// Seconds between snapshots of the graphs.
    pub snapshot_interval_s: u64,
}

/// What is logged.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSettings {
    /// In the syntax of tracing's filters.
    pub filter: String,
    /// How it looks.
    pub format: LogFormat,
}

/// How the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// What files may cost.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Longest sound, in seconds, that is embedded in one piece.
    pub whole_clip_s: u64,
    /// Sound files.
    pub audio: AudioLimits,
    /// Picture files.
    pub image: ImageLimits,
    /// Checkpoint files.
    pub checkpoint: CheckpointLimits,
}

/// How models are downloaded.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DownloadSettings {
    /// Seconds without a byte after which a connection is given up.
    pub stall_timeout_s: u64,
    /// Tries after the first without any progress, after which the download is given up.
    pub retries: u32,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The text is not TOML, or a value has the wrong type.
    #[error("{origin}: {reason}")]
    Invalid {
        /// The file or environment variable.
        origin: String,
        /// What is wrong, and where.
        reason: String,
    },
    /// There is no such key.
    #[error("{origin}: unknown key {key}{}", or_rather(suggestion.as_deref()))]
    UnknownKey {
        /// The file or environment variable.
        origin: String,
        /// The key, with dots.
        key: String,
        /// The most similar key that there is, if any is similar.
        suggestion: Option<String>,
    },
    /// The user's directories are unknown.
    #[error("the home directory is unknown: set HOME, or give the path of {0} explicitly")]
    NoHome(&'static str),
}

impl Config {
    /// The defaults, overlaid by `file` (or the user's file, if there is one), overlaid by `environment`.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let defaults = defaults();
        let mut settings = defaults.clone();
        let users = user_file().filter(|path| path.exists());
        if let Some(path) = file.or(users.as_deref()) {
            let text =
                std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.into(), source })?;
            let origin = path.display().to_string();
            let table = text.parse::<Table>().map_err(|error| invalid(&origin, error.to_string().trim()))?;
            overlay(&mut settings, table, &defaults, &origin)?;
        }
        for (variable, value) in environment {
            if let Some(key) = variable.strip_prefix(ENVIRONMENT_PREFIX) {
                overlay(&mut settings, variable_table(key, &value, &defaults), &defaults, &variable)?;
            }
        }
        let config: Self =
            settings.try_into().map_err(|error: toml::de::Error| invalid("configuration", error.to_string().trim()))?;
        bounds::check(&config)?;
        Ok(config)
    }

    /// Where models are kept.
    pub fn model_directory(&self) -> Result<PathBuf, ConfigError> {
        if !self.model.directory.as_os_str().is_empty() {
            return Ok(self.model.directory.clone());
        }
        let base = etcetera::choose_base_strategy().map_err(|_| ConfigError::NoHome("--model-dir"))?;
        Ok(base.data_dir().join("earmark").join("models"))
    }

    /// Where the library is kept.
    pub fn data_directory(&self) -> Result<PathBuf, ConfigError> {
        if !self.data.directory.as_os_str().is_empty() {
            return Ok(self.data.directory.clone());
        }
        let base = etcetera::choose_base_strategy().map_err(|_| ConfigError::NoHome("--data-dir"))?;
        Ok(base.data_dir().join("earmark").join("library"))
    }
}

fn or_rather(suggestion: Option<&str>) -> String {
    suggestion.map(|key| format!(", did you mean {key}?")).unwrap_or_default()
}

fn user_file() -> Option<PathBuf> {
    let base = etcetera::choose_base_strategy().ok()?;
    Some(base.config_dir().join("earmark").join("earmark.toml"))
}

fn defaults() -> Table {
    DEFAULTS.parse().expect("the shipped configuration is TOML, as a test proves")
}

fn invalid(origin: &str, reason: &str) -> ConfigError {
    ConfigError::Invalid { origin: origin.into(), reason: reason.into() }
}

/// `MODEL__DEVICE` = `cpu` as `[model] device = "cpu"`. A value that is no TOML literal, or meant for a string, is one.
fn variable_table(key: &str, value: &str, defaults: &Table) -> Table {
    let mut parts: Vec<String> = key.split("__").map(str::to_lowercase).collect();
    let (table, last) = parts.split_at(parts.len() - 1);
    let table = table.iter().try_fold(defaults, |table, part| table.get(part)?.as_table());
    let wants_string = table.and_then(|table| table.get(&last[0])).is_some_and(Value::is_str);
    let literal = |text: &str| format!("value = {text}").parse::<Table>().ok()?.remove("value");
    let literal = if wants_string { None } else { literal(value) };
    let mut value = literal.unwrap_or_else(|| Value::String(value.into()));
    let first = parts.remove(0);
    for part in parts.into_iter().rev() {
        value = Value::Table(Table::from_iter([(part, value)]));
    }
    Table::from_iter([(first, value)])
}

/// Puts `over` on `base`, both rooted where `defaults` is; a key that `defaults` lacks, or of another type, is refused.
fn overlay(base: &mut Table, over: Table, defaults: &Table, origin: &str) -> Result<(), ConfigError> {
    overlay_at(base, over, defaults, &mut Vec::new(), origin)
}

fn overlay_at(
    base: &mut Table,
    over: Table,
    defaults: &Table,
    path: &mut Vec<String>,
    origin: &str,
) -> Result<(), ConfigError> {
    for (key, value) in over {
        path.push(key.clone());
        let Some(default) = defaults.get(&key) else {
            return Err(unknown_key(path, defaults, origin));
        };
        match (default, value, base.get_mut(&key)) {
            (Value::Table(defaults), Value::Table(over), Some(Value::Table(base))) => {
                overlay_at(base, over, defaults, path, origin)?;
            }
            (default, value, _) if default.same_type(&value) => {
                base.insert(key, value);
            }
            (default, value, _) => {
                let (got, expected) = (value.type_str(), default.type_str());
                return Err(invalid(origin, &format!("{} is of type {got}, expected {expected}", path.join("."))));
            }
        }
        path.pop();
    }
    Ok(())
}

fn unknown_key(path: &[String], siblings: &Table, origin: &str) -> ConfigError {
    let (key, parents) = path.split_last().expect("the path holds the key that was not found");
    let full = |key: &str| parents.iter().map(String::as_str).chain([key]).collect::<Vec<_>>().join(".");
    let similarity = |candidate: &&String| strsim::jaro_winkler(candidate, key);
    let best = siblings.keys().max_by(|a, b| similarity(a).total_cmp(&similarity(b)));
    let suggestion = best.filter(|best| similarity(best) >= SUGGESTION_THRESHOLD).map(|best| full(best));
    ConfigError::UnknownKey { origin: origin.into(), key: full(key), suggestion }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn load(file: &str, environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("earmark.toml");
        std::fs::write(&path, file).unwrap();
        Config::load(Some(&path), environment.iter().map(|&(key, value)| (key.into(), value.into())))
    }

    #[test]
    fn the_shipped_file_is_what_the_code_has_as_defaults() {
        let config = load("", &[]).unwrap();
        assert_eq!(config.limits.audio, AudioLimits::default());
        assert_eq!(config.limits.image, ImageLimits::default());
        assert_eq!(config.limits.checkpoint, CheckpointLimits::default());
        assert_eq!(config.model.device, DeviceChoice::Auto);
    }

    #[test]
    fn the_shipped_file_has_the_defaults_that_are_documented_elsewhere() {
        let config = load("", &[]).unwrap();
        assert_eq!((config.ingest.hop_ms, config.ingest.silence_dbfs), (5_000, -60.0));
        assert_eq!(config.watch.exclude.first().map(String::as_str), Some("**/@eaDir"));
        assert!(!config.watch.hidden);
        assert_eq!(config.server.listen, "127.0.0.1:50651");
        assert!(config.server.upload_bytes > config.server.message_bytes as u64);
        assert_eq!((config.log.filter.as_str(), config.log.format), ("info", LogFormat::Text));
        assert_eq!(config.search.background, 255);
        let index = config.index;
        assert_eq!((index.exact_below, index.target_recall, index.threads), (10_000, 0.99, 0));
    }

    #[test]
    fn sections_can_be_overridden_in_part() {
        let file = "[ingest]\npriority = 'idle'\n[watch]\nexclude = ['**/old']\n[log]\nformat = 'json'";
        let config = load(file, &[("EARMARK__DATA__DIRECTORY", "/d"), ("EARMARK__SERVER__GRACE_S", "3")]).unwrap();
        assert_eq!(config.ingest.priority, crate::engine::options::Priority::Idle);
        assert_eq!(config.watch.exclude, ["**/old"]);
        assert_eq!((config.log.format, config.server.grace_s), (LogFormat::Json, 3));
        assert_eq!(config.data_directory().unwrap(), Path::new("/d"));
        assert_eq!(config.ingest.hop_ms, load("", &[]).unwrap().ingest.hop_ms);
    }

    #[test]
    fn the_environment_overrides_the_file_which_overrides_the_defaults() {
        let file = "[model]\nname = 'mine'\ndevice = 'cuda:1'\n[limits.image]\npixels = 9";
        let config = load(
            file,
            &[
                ("EARMARK__MODEL__DEVICE", "cpu"),
                ("EARMARK__MODEL__NAME", "2024"),
                ("EARMARK__LIMITS__IMAGE__PIXELS", "7"),
            ],
        )
        .unwrap();
        assert_eq!(config.model.name, "2024");
        assert_eq!(config.model.device, DeviceChoice::Cpu);
        assert_eq!(config.limits.image.pixels, 7);
        assert_eq!(config.limits.image.file_bytes, ImageLimits::default().file_bytes);
    }

    #[test]
    fn mistakes_are_named_with_a_suggestion() {
        let check = |file: &str, environment: &[(&str, &str)], expected: &str| {
            let error = load(file, environment).unwrap_err().to_string();
            assert!(error.contains(expected), "{expected:?} in {error:?}");
        };
        check("[model]\ndevise = 'cpu'", &[], "unknown key model.devise, did you mean model.device?");
        check("[zebra]\nx = 1", &[], "unknown key zebra");
        check("[model]\nname = 3", &[], "model.name is of type integer, expected string");
        check("[model", &[], "earmark.toml");
        check("[model]\ndevice = 'gpu'", &[], "expected auto, cpu or cuda:N");
        check("[limits.audio]\nduration_s = -1", &[], "duration_s");
        check("[server]\nlisten_on = 'x'", &[], "unknown key server.listen_on, did you mean server.listen?");
        check("[ingest]\npriority = 'low'", &[], "unknown variant `low`");
        check("[log]\nformat = 'xml'", &[], "unknown variant `xml`");
        check("[watch]\nexclude = 'a'", &[], "watch.exclude is of type string, expected array");
        check(
            "",
            &[("EARMARK__MODEL__DEVISE", "cpu")],
            "EARMARK__MODEL__DEVISE: unknown key model.devise, did you mean",
        );
        check("", &[("EARMARK__LIMITS__AUDIO", "3")], "limits.audio is of type integer, expected table");
    }
}
