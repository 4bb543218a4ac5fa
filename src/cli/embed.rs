//! `earmark embed`: the vectors of files or words.

use std::path::PathBuf;

use anyhow::{Context, anyhow};
use clap::Args;

use super::media::{AudioProtocol, Embedded, embed_files};
use super::output::{Format, Row, Sink};
use super::{ModelArgs, Outcome, progress, report};
use crate::config::Config;
use crate::embed::Embedder;
use crate::embedding::Embedding;
use crate::model::RawEmbedding;

/// Prompts that are embedded together.
const PROMPTS_PER_CHUNK: usize = 64;

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("inputs").required(true))]
pub(super) struct Embed {
    /// Sounds and pictures
    #[arg(group = "inputs", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Prompts
    #[arg(long, group = "inputs", num_args = 1.., value_name = "STR")]
    text: Vec<String>,
    /// File of prompts, one a line; an empty line is an empty prompt
    #[arg(long, group = "inputs", value_name = "FILE")]
    text_file: Option<PathBuf>,
    #[command(flatten)]
    model: ModelArgs,
    /// The vectors as the model puts them out, not scaled to unit length
    #[arg(long)]
    raw: bool,
    /// How to write the vectors
    #[arg(long, value_enum, default_value = "jsonl")]
    format: Format,
    /// Where to write the vectors, instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Length and level of sounds
    #[arg(long, value_enum, default_value = "whole")]
    protocol: AudioProtocol,
    /// Leave out the rows of files that cannot be embedded (always so in JSON lines)
    #[arg(long)]
    skip_errors: bool,
}

pub(super) fn run(command: &Embed, config: &Config) -> anyhow::Result<Outcome> {
    let embedder = command.model.load(config)?;
    let sink = Sink::open(command.format, command.out.as_deref())?;
    let columns = embedder.model().metadata().config.embed_dim;
    let mut rows = Rows { command, sink, failures: 0 };
    match prompts(command)? {
        Some(prompts) => embed_prompts(&embedder, &prompts, &mut rows)?,
        None => {
            let bar = progress::files(command.files.len(), "embedding");
            embed_files(&embedder, &command.files, command.protocol, config, |path, embedded| {
                bar.inc(1);
                bar.suspend(|| rows.take(&path.to_string_lossy(), embedded))
            })?;
            bar.finish_and_clear();
        }
    }
    let outcome = Outcome::of_failures(rows.failures);
    rows.sink.finish(columns)?;
    Ok(outcome)
}

fn prompts(command: &Embed) -> anyhow::Result<Option<Vec<String>>> {
    match &command.text_file {
        Some(path) => {
            let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
            // Some editors start a file with a mark that is no part of its text.
            Ok(Some(text.trim_start_matches('\u{feff}').lines().map(str::to_owned).collect()))
        }
        None if command.text.is_empty() => Ok(None),
        None => Ok(Some(command.text.clone())),
    }
}

fn embed_prompts(embedder: &Embedder, prompts: &[String], rows: &mut Rows<'_>) -> anyhow::Result<()> {
    for chunk in prompts.chunks(PROMPTS_PER_CHUNK) {
        let ids: Vec<_> = chunk.iter().map(|prompt| super::tokenize(embedder, prompt)).collect();
        for (prompt, vector) in chunk.iter().zip(embedder.embed_text(&ids)?) {
            rows.push(prompt, "text", vector)?;
        }
    }
    Ok(())
}

struct Rows<'a> {
    command: &'a Embed,
    sink: Sink,
    failures: usize,
}

impl Rows<'_> {
    /// Writes a file's row, or reports why there is none; that ends a matrix, in which rows are told by their position.
    fn take(&mut self, input: &str, embedded: Embedded) -> anyhow::Result<()> {
        let pushed = embedded.and_then(|(kind, vector)| self.unit(vector).map(|vector| (kind, vector)));
        match pushed {
            Ok((kind, vector)) => self.sink.push(&Row { input, kind: &kind.to_string(), embedding: &vector }),
            Err(error) if self.command.format == Format::Npy && !self.command.skip_errors => {
                let reason = super::explain(&error);
                Err(anyhow!("{reason}\nnothing was written; give --skip-errors to leave out the rows of such files"))
            }
            Err(error) => {
                report(&error);
                self.failures += 1;
                Ok(())
            }
        }
    }

    fn push(&mut self, input: &str, kind: &str, vector: RawEmbedding) -> anyhow::Result<()> {
        let vector = self.unit(vector)?;
        self.sink.push(&Row { input, kind, embedding: &vector })
    }

    fn unit(&self, vector: RawEmbedding) -> anyhow::Result<Vec<f32>> {
        if self.command.raw { Ok(vector) } else { Ok(Embedding::normalized(&vector)?.as_slice().to_vec()) }
    }
}
