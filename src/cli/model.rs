//! `earmark model`: install, list, check and remove models.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Subcommand;
use serde_json::json;

use super::{ModelDirArgs, Outcome, progress, pull, report};
use crate::config::Config;
use crate::daemon::measure_half_precision;
use crate::model::{ModelConfig, Weights};
use crate::model_store::{ImportOptions, InstalledModel, Measure, ModelName, ModelStore};

/// Where the model is that has no file, and where it comes from.
const BUILT_IN: &str = "built in";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Install a checkpoint file: a PyTorch state dict (.pt), OpenAI's TorchScript CLIP, or safetensors
    Import {
        /// The checkpoint
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// What to call the model; by default after the file
        #[arg(long)]
        name: Option<String>,
        /// Replace a model of that name that came from another file
        #[arg(long)]
        force: bool,
        /// The model's dimensions, as JSON: what `model show --json` has as "config". Only needed for a checkpoint of
        /// unpublished dimensions whose attention heads do not have 64 channels each
        #[arg(long, value_name = "FILE")]
        dimensions: Option<PathBuf>,
        /// Store weights as f16: half the size, vectors change slightly, so it is another space
        #[arg(long)]
        half: bool,
        /// What to compute in: f32, or half for 16 bits where the processor is faster with them. Vectors change
        /// slightly, so it is another space; refused if their cosine to those of f32 would be below 0.999
        #[arg(long, value_name = "TYPE", default_value = "f32", value_parser = ["f32", "half"])]
        precision: String,
        #[command(flatten)]
        directory: ModelDirArgs,
    },
    /// Download a published checkpoint and install it
    Pull {
        /// audioclip-full or audioclip-partial
        #[arg(value_name = "NAME")]
        checkpoint: String,
        /// A mirror to download from; what it sends must have the published hash
        #[arg(long)]
        url: Option<String>,
        #[command(flatten)]
        directory: ModelDirArgs,
    },
    /// List the installed models and the built-in one
    List {
        /// One JSON object a line and model
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        directory: ModelDirArgs,
    },
    /// Show what a model is: dimensions, parameters, origin, identity
    Show {
        /// Name of the model
        name: String,
        /// As one JSON object
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        directory: ModelDirArgs,
    },
    /// Read a model whole and compare it with its digests
    Verify {
        /// Name of the model
        name: String,
        #[command(flatten)]
        directory: ModelDirArgs,
    },
    /// Delete a model
    Remove {
        /// Name of the model
        name: String,
        #[command(flatten)]
        directory: ModelDirArgs,
    },
}

pub(super) fn run(command: &Command, config: &Config) -> anyhow::Result<Outcome> {
    match command {
        Command::Import { file, name, force, dimensions, half, precision, directory } => {
            let name = name.as_deref().map(ModelName::new).transpose()?;
            let dimensions = dimensions.as_deref().map(read_dimensions).transpose()?;
            let limits = config.limits.checkpoint;
            let weights = if *half { Weights::F16 } else { Weights::F32 };
            let half = (precision == "half").then_some(measure_half_precision as Measure);
            let options = ImportOptions { name, replace: *force, config: dimensions, weights, half, limits };
            let spinner = progress::spinner("importing");
            let installed = directory.store(config)?.import(file, &options)?;
            spinner.finish_and_clear();
            print_summary("installed", &installed)?;
        }
        Command::Pull { checkpoint, url, directory } => {
            let installed = pull::pull(checkpoint, url.as_deref(), &directory.store(config)?, config)?;
            print_summary("installed", &installed)?;
        }
        Command::List { json, directory } => return list(&directory.store(config)?, *json),
        Command::Show { name, json, directory } => {
            let installed = directory.store(config)?.find(&ModelName::new(name)?)?;
            super::print(if *json { describe(&installed).to_string() } else { table_of(&installed) })?;
        }
        Command::Verify { name, directory } => {
            let spinner = progress::spinner("verifying");
            let installed = directory.store(config)?.verify(&ModelName::new(name)?)?;
            spinner.finish_and_clear();
            print_summary("verified", &installed)?;
        }
        Command::Remove { name, directory } => {
            let removed = directory.store(config)?.remove(&ModelName::new(name)?)?;
            super::print(format_args!("removed {}", removed.display()))?;
        }
    }
    Ok(Outcome::Complete)
}

fn read_dimensions(path: &Path) -> anyhow::Result<ModelConfig> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    serde_json::from_str(&text).with_context(|| format!("{}: not the dimensions of a model", path.display()))
}

fn print_summary(what: &str, model: &InstalledModel) -> anyhow::Result<()> {
    let InstalledModel { name, parameters, source, metadata, .. } = model;
    let space = short(metadata.space.as_str());
    super::print(format_args!("{what} {name}: {parameters} parameters, space {space}\n  {source}"))?;
    match metadata.half {
        Some(agreement) => super::print(format_args!("  in half precision; least cosines to f32: {agreement}")),
        None => Ok(()),
    }
}

/// Enough of a digest to tell models apart by eye.
fn short(digest: &str) -> &str {
    &digest[..digest.len().min(16)]
}

fn list(store: &ModelStore, json: bool) -> anyhow::Result<Outcome> {
    let mut table = super::plain_table();
    table.set_header(["NAME", "TOWERS", "PARAMETERS", "DTYPE", "SPACE", "FROM"]);
    let mut failures = 0;
    let installed = store.names()?;
    for name in installed.iter().chain([&ModelName::bundled()]) {
        match store.find(name) {
            Ok(model) if json => super::print(describe(&model))?,
            Ok(model) => {
                let space = short(model.metadata.space.as_str()).to_owned();
                let dtype = model.metadata.dtype.to_string();
                let source = model.path().map_or(BUILT_IN, |_| &model.metadata.source_name).to_owned();
                let parameters = model.parameters.to_string();
                table.add_row([name.to_string(), towers(&model).into(), parameters, dtype, space, source]);
            }
            Err(error) => {
                report(&error.into());
                failures += 1;
            }
        }
    }
    if installed.is_empty() {
        let directory = store.directory().display();
        super::note(format_args!("no other model is installed in {directory}; see `earmark model pull --help`"));
    }
    if !json {
        super::print(table.trim_fmt())?;
    }
    Ok(Outcome::of_failures(failures))
}

fn towers(model: &InstalledModel) -> &'static str {
    if model.metadata.config.audio.is_some() { "text, image, audio" } else { "text, image" }
}

fn describe(model: &InstalledModel) -> serde_json::Value {
    let metadata = &model.metadata;
    json!({
        "name": model.name.as_str(),
        "path": model.path(),
        "built_in": model.path().is_none(),
        "bytes": model.bytes,
        "parameters": model.parameters,
        "dtype": metadata.dtype,
        "weights": metadata.weights,
        "half": metadata.half,
        "sha256": metadata.data_sha256,
        "space": metadata.space,
        "preprocessing": metadata.preprocessing,
        "source": { "name": metadata.source_name, "sha256": metadata.source_sha256 },
        "config": metadata.config,
    })
}

fn table_of(model: &InstalledModel) -> String {
    let metadata = &model.metadata;
    let mut table = super::plain_table();
    let rows = [
        ("name", model.name.to_string()),
        ("file", model.path().map_or_else(|| BUILT_IN.into(), |path| path.display().to_string())),
        ("bytes", model.bytes.to_string()),
        ("towers", towers(model).into()),
        ("parameters", model.parameters.to_string()),
        ("dimensions", metadata.config.embed_dim.to_string()),
        ("dtype", metadata.dtype.to_string()),
        ("half precision", metadata.half.map_or_else(|| "no".into(), |half| format!("least cosines to f32: {half}"))),
        ("weights", metadata.weights.to_string()),
        ("weights sha256", metadata.data_sha256.clone()),
        ("space", metadata.space.to_string()),
        ("preprocessing", format!("version {}", metadata.preprocessing)),
        ("imported from", metadata.source_name.clone()),
        ("import sha256", metadata.source_sha256.clone()),
        ("configuration", serde_json::to_string(&metadata.config).expect("a configuration is plain data")),
    ];
    for (key, value) in rows {
        table.add_row([key.to_owned(), value]);
    }
    table.trim_fmt()
}
