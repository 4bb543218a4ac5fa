//! The command line: what was typed, what it means, and what is printed.
//!
//! Owns argument parsing, standard output and standard error, and exit codes: 0 when every input was processed, 1 when
//! something failed, 2 for wrong usage. Errors are printed here and nowhere else.

mod classify;
mod completions;
mod connection;
mod demo;
mod embed;
mod eval;
mod failures;
mod index;
mod log;
mod media;
mod model;
mod output;
mod progress;
mod pull;
mod roots;
mod runtime;
mod search;
mod serve;
mod show;
mod status;
mod upkeep;
mod values;

use std::fmt::Display;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use comfy_table::{Table, TableStyle};

use self::connection::DataArgs;
use self::runtime::block_on;
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
    /// See what it does: a library made for you, indexed and searched, in a minute
    Demo(demo::Demo),
    /// Watch folders, index what is in them, and answer searches
    Serve(serve::Serve),
    /// Index folders once
    Index(index::Index),
    /// Find sounds and pictures by words, sounds or pictures
    Search(Box<search::Search>),
    /// Show what is in the library, and how far indexing is
    Status(status::Status),
    /// List, add and remove the folders of the library
    Roots(roots::Roots),
    /// List the files that could not be indexed
    Failures(failures::Failures),
    /// Try files again that could not be indexed
    Retry(failures::Retry),
    /// Check the data directory
    Check(upkeep::Check),
    /// Give back disk space that is no longer used
    Compact(upkeep::Compact),
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
    /// Print the command line's completions for a shell
    Completions(completions::Completions),
}

/// Which model, and where it runs.
#[derive(Debug, Args)]
struct ModelArgs {
    /// Name of an installed model, `demo` for the built-in one, or path of a model file; the only installed one if not
    /// given, and `demo` if there is none
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
        let model = store.resolve(self.model.as_deref().unwrap_or(&config.model.name))?;
        crate::daemon::introduce(&model, &store);
        let device = self.device.unwrap_or(config.model.device);
        model.open().and_then(|file| Embedder::from_file(file, device)).with_context(|| model.to_string())
    }

    /// Puts what was given into the configuration.
    fn apply(&self, config: &mut Config) {
        if let Some(model) = &self.model {
            config.model.name.clone_from(model);
        }
        if let Some(directory) = &self.directory.model_dir {
            config.model.directory.clone_from(directory);
        }
        if let Some(device) = self.device {
            config.model.device = device;
        }
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
    silence_contained_panics();
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
    let config = Config::load(cli.config.as_deref(), environment())?;
    if !matches!(cli.command, Command::Serve(_)) {
        log::for_people();
    }
    match &cli.command {
        Command::Demo(command) => demo::run(command, &config),
        Command::Serve(command) => serve::run(command, &config),
        Command::Index(command) => index::run(command, &config),
        Command::Search(command) => search::run(command, &config),
        Command::Status(command) => status::run(command, &config),
        Command::Roots(command) => roots::run(command, &config),
        Command::Failures(command) => failures::run(command, &config),
        Command::Retry(command) => failures::retry(command, &config),
        Command::Check(command) => upkeep::check(command, &config),
        Command::Compact(command) => upkeep::compact(command, &config),
        Command::Model(command) => model::run(command, &config),
        Command::Embed(command) => embed::run(command, &config),
        Command::Classify(command) => classify::run(command, &config),
        Command::Eval(command) => eval::run(command, &config),
        Command::Completions(command) => completions::run(command),
    }
}

/// The environment, without what is not Unicode: no variable of ours is that.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// A decoder that breaks down on a file is reported as an error of that file, and not as a panic as well.
fn silence_contained_panics() {
    let print_panic = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !crate::containment::is_contained() {
            print_panic(panic);
        }
    }));
}

/// Prints a line on standard output; an error, and no panic, if nobody reads it any more.
fn print(line: impl Display) -> anyhow::Result<()> {
    writeln!(io::stdout(), "{line}").context("standard output")
}

/// Prints an error with its causes on standard error. If that is closed there is nobody to tell.
fn report(error: &anyhow::Error) {
    note(format_args!("error: {}", explain(error)));
}

/// Prints a line on standard error.
fn note(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// An error with its causes, except those that the text before them has already.
fn explain(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
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
