//! `earmark classify`: which of the given labels fits each file.

use std::path::PathBuf;

use clap::Args;
use comfy_table::{Cell, CellAlignment};
use serde_json::json;

use super::media::{AudioProtocol, Embedded, embed_files};
use super::{ModelArgs, Outcome, progress, report};
use crate::config::Config;
use crate::embed::Embedder;
use crate::embedding::Embedding;
use crate::media::MediaKind;
use crate::model::ModalityPair;
use crate::model::scales::confidences;

#[derive(Debug, Args)]
pub(super) struct Classify {
    /// Labels, separated by commas
    #[arg(long, required = true, value_delimiter = ',', value_name = "LABEL,LABEL,…", value_parser = label)]
    labels: Vec<String>,
    /// Sounds and pictures
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    model: ModelArgs,
    /// One JSON object a line and file
    #[arg(long)]
    json: bool,
}

fn label(text: &str) -> Result<String, &'static str> {
    let label = text.trim();
    if label.is_empty() { Err("a label is empty") } else { Ok(label.into()) }
}

pub(super) fn run(command: &Classify, config: &Config) -> anyhow::Result<Outcome> {
    let embedder = command.model.load(config)?;
    let labels = embed_labels(&embedder, &command.labels)?;
    let mut table = super::plain_table();
    let mut failures = 0;
    let bar = progress::files(command.files.len(), "classifying");
    embed_files(&embedder, &command.files, AudioProtocol::Whole, config, |path, embedded| {
        bar.inc(1);
        let file = path.to_string_lossy();
        match judge(&embedder, &labels, embedded) {
            Ok(ranked) if command.json => bar.suspend(|| {
                let all: serde_json::Map<_, _> =
                    ranked.iter().map(|&(index, share)| (command.labels[index].clone(), json!(share))).collect();
                super::print(json!({ "file": file, "label": command.labels[ranked[0].0], "confidences": all }))
            })?,
            Ok(ranked) => {
                let mut row = vec![Cell::new(file)];
                for &(index, share) in &ranked {
                    row.push(Cell::new(&command.labels[index]));
                    row.push(Cell::new(format!("{:.2} %", 100.0 * share)).set_alignment(CellAlignment::Right));
                }
                table.add_row(row);
            }
            Err(error) => {
                bar.suspend(|| report(&error));
                failures += 1;
            }
        }
        Ok(())
    })?;
    bar.finish_and_clear();
    if !command.json {
        super::print(table.trim_fmt())?;
    }
    Ok(Outcome::of_failures(failures))
}

/// The directions of prompts, one each.
pub(super) fn embed_labels(embedder: &Embedder, labels: &[String]) -> anyhow::Result<Vec<Embedding>> {
    let ids: Vec<_> = labels.iter().map(|label| super::tokenize(embedder, label)).collect();
    embedder.embed_text(&ids)?.iter().map(|vector| Ok(Embedding::normalized(vector)?)).collect()
}

/// The labels by their position, most likely first, with their confidences.
fn judge(embedder: &Embedder, labels: &[Embedding], embedded: Embedded) -> anyhow::Result<Vec<(usize, f32)>> {
    let (kind, vector) = embedded?;
    let pair = match kind {
        MediaKind::Audio => ModalityPair::AudioText,
        MediaKind::Image => ModalityPair::ImageText,
    };
    let scale = embedder.model().scales().of(pair).expect("a model that embedded the file has its scale");
    let shares = confidences(&Embedding::normalized(&vector)?, labels, scale);
    let mut ranked: Vec<(usize, f32)> = shares.into_iter().enumerate().collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    Ok(ranked)
}
