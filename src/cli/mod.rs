//! The command line: what was typed, what it means, and what is printed.
//!
//! Owns argument parsing, standard output and standard error, and exit codes: 0 when every input was processed, 1 when
//! something failed, 2 for wrong usage. Errors are printed here and nowhere else.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "printing is what a command line does")]

mod classify;
mod embed;
mod eval;
mod media;
mod model;
mod output;
mod progress;
mod pull;

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use comfy_table::{Table, TableStyle};
use tracing_subscriber::EnvFilter;

use crate::config::Config;
use crate::embed::Embedder;
use crate::model::DeviceChoice;
use crate::model_store::ModelStore;
use crate::preprocess::tokens::TokenIds;

/// Local media search: find sounds and pictures by words, pictures or sounds.
#[derive(Debug, Parser)]
#[command(name = "earmark", version, max_term_width = 110)]
struct Cli {
    /// Configuration file, instead of the user's own
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Install, list, check and remove models
    #[command(subcommand)]
    Model(model::Command),
    /// Compute the vectors of files or words
    Embed(embed::Embed),
    /// Say which of the given labels fits each file
    Classify(classify::Classify),
    /// Measure zero-shot accuracy on a dataset
    #[command(subcommand)]
    Eval(eval::Command),
}

/// Which model, and where it runs.
#[derive(Debug, Args)]
struct ModelArgs {
    /// Name of an installed model, or path of a model file; the only installed one if not given
    #[arg(long, value_name = "NAME|PATH")]
    model: Option<String>,
    #[command(flatten)]
    directory: ModelDirArgs,
    /// auto, cpu or cuda:N
    #[arg(long)]
    device: Option<DeviceChoice>,
}

/// Where models are kept.
#[derive(Debug, Args)]
struct ModelDirArgs {
    /// Directory of the models
    #[arg(long, value_name = "DIR")]
    model_dir: Option<PathBuf>,
}

impl ModelArgs {
    fn load(&self, config: &Config) -> anyhow::Result<Embedder> {
        let store = self.directory.store(config)?;
        let path = store.resolve(self.model.as_deref().unwrap_or(&config.model.name))?;
        let embedder = Embedder::load(&path, self.device.unwrap_or(config.model.device));
        embedder.map_err(|error| anyhow::Error::new(error).context(path.display().to_string()))
    }
}

impl ModelDirArgs {
    fn store(&self, config: &Config) -> anyhow::Result<ModelStore> {
        Ok(ModelStore::new(self.model_dir.clone().map_or_else(|| config.model_directory(), Ok)?))
    }
}

/// How a command that did not fail outright ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// Every input was processed.
    Complete,
    /// Some inputs failed, and were reported.
    Partial,
}

impl Outcome {
    fn of_failures(failures: usize) -> Self {
        if failures == 0 { Self::Complete } else { Self::Partial }
    }
}

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    start_log();
    match dispatch(&cli) {
        Ok(Outcome::Complete) => ExitCode::SUCCESS,
        Ok(Outcome::Partial) => ExitCode::FAILURE,
        Err(error) if is_broken_pipe(&error) => ExitCode::FAILURE,
        Err(error) => {
            report(&error);
            ExitCode::FAILURE
        }
    }
}

fn dispatch(cli: &Cli) -> anyhow::Result<Outcome> {
    let config = Config::load(cli.config.as_deref(), std::env::vars())?;
    match &cli.command {
        Command::Model(command) => model::run(command, &config),
        Command::Embed(command) => embed::run(command, &config),
        Command::Classify(command) => classify::run(command, &config),
        Command::Eval(command) => eval::run(command, &config),
    }
}

/// Warnings by default; `EARMARK_LOG` takes the usual filter syntax.
fn start_log() {
    let filter = EnvFilter::try_from_env("EARMARK_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    let ansi = io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(ansi).without_time().init();
}

/// Prints an error with its causes on one line.
fn report(error: &anyhow::Error) {
    eprintln!("error: {error:#}");
}

/// Whoever reads our output has seen enough, as `head` does: nothing to report.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let broken = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    };
    error.chain().any(broken)
}

/// A table without lines.
fn plain_table() -> Table {
    let mut table = Table::new();
    table.load_style(TableStyle::new());
    table
}

/// A file that takes its final name when it is complete, with the permissions of any new file.
fn unfinished_file(directory: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".earmark-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(directory)
}

/// The token ids of a prompt; what does not fit the model's context is cut off with a warning.
fn tokenize(embedder: &Embedder, prompt: &str) -> TokenIds {
    let (ids, overflow) = embedder.tokenize_truncated(prompt);
    if let Some(overflow) = overflow {
        let start: String = prompt.chars().take(40).collect();
        tracing::warn!("prompt {start:?}… has {} ids and was cut to {}", overflow.count, overflow.limit);
    }
    ids
}
