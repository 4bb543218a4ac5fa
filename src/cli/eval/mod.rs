//! `earmark eval`: zero-shot accuracy on a dataset of labelled sounds (SPEC 9), and retrieval in the demo world.

mod world;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use comfy_table::{Cell, CellAlignment};
use serde_json::json;

use super::classify::embed_labels;
use super::media::{AudioProtocol, Embedded, embed_files};
use super::{ModelArgs, Outcome, progress, report};
use crate::config::Config;
use crate::embedding::Embedding;
use crate::eval::{Dataset, EvalProtocol, Report};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// ESC-50: meta/esc50.csv and audio/
    Esc50(Eval),
    /// UrbanSound8K: metadata/UrbanSound8K.csv and audio/foldN/
    Us8k(Eval),
    /// One directory a class, named "Class name" or "NNN - Class name"; a file named F-… is of fold F
    Folders(Eval),
    /// Retrieval by words, sounds and pictures in the world that the demo model is made for
    World(Box<world::World>),
}

#[derive(Debug, Args)]
pub(super) struct Eval {
    /// Top directory of the dataset
    #[arg(long, value_name = "DIR")]
    root: PathBuf,
    /// Only these folds, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "N,N,…")]
    folds: Vec<u32>,
    /// One JSON object instead of tables
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    model: ModelArgs,
}

type ReadDataset = fn(&Path) -> Result<Dataset, crate::eval::DatasetError>;

pub(super) fn run(command: &Command, config: &Config) -> anyhow::Result<Outcome> {
    let (eval, read): (_, ReadDataset) = match command {
        Command::Esc50(eval) => (eval, Dataset::esc50),
        Command::Us8k(eval) => (eval, Dataset::us8k),
        Command::Folders(eval) => (eval, Dataset::folders),
        Command::World(command) => return world::run(command, config),
    };
    let dataset = read(&eval.root)?.restricted_to(&eval.folds, &eval.root)?;
    let (predictions, failures) = predict(eval, &dataset, config)?;
    let figures = Report::new(&dataset.classes, &predictions);
    if eval.json {
        let mut object = serde_json::to_value(&figures)?;
        object["failed"] = json!(failures);
        object["published_top1"] = json!(dataset.published_top1);
        super::print(object)?;
    } else {
        print(&figures, &dataset, failures)?;
    }
    Ok(Outcome::of_failures(failures))
}

/// Pairs of true and predicted class, and the number of clips that could not be embedded.
fn predict(eval: &Eval, dataset: &Dataset, config: &Config) -> anyhow::Result<(Vec<(usize, usize)>, usize)> {
    let embedder = eval.model.load(config)?;
    let classes = embed_labels(&embedder, &dataset.classes)?;
    let protocol = match dataset.protocol {
        EvalProtocol::Esc50 => AudioProtocol::Esc50,
        EvalProtocol::Us8k => AudioProtocol::Us8k,
    };
    let files: Vec<PathBuf> = dataset.clips.iter().map(|clip| clip.path.clone()).collect();
    let mut truths = dataset.clips.iter().map(|clip| clip.class);
    let (mut predictions, mut failures) = (Vec::new(), 0);
    let bar = progress::files(files.len(), "evaluating");
    embed_files(&embedder, &files, protocol, config, |_, embedded| {
        bar.inc(1);
        let truth = truths.next().expect("each clip is embedded once");
        match most_alike(&classes, embedded) {
            Ok(prediction) => predictions.push((truth, prediction)),
            Err(error) => {
                bar.suspend(|| report(&error));
                failures += 1;
            }
        }
        Ok(())
    })?;
    bar.finish_and_clear();
    Ok((predictions, failures))
}

/// The class of the largest logit, which is that of the largest cosine: the scale is positive.
fn most_alike(classes: &[Embedding], embedded: Embedded) -> anyhow::Result<usize> {
    let sound = Embedding::normalized(&embedded?.1)?;
    let best = classes.iter().enumerate().max_by(|a, b| sound.cosine(a.1).total_cmp(&sound.cosine(b.1)));
    Ok(best.expect("a dataset with clips has classes").0)
}

fn print(figures: &Report, dataset: &Dataset, failures: usize) -> anyhow::Result<()> {
    let mut table = super::plain_table();
    table.set_header(["CLASS", "CLIPS", "TOP-1", "TAKEN FOR"]);
    for (truth, class) in figures.classes.iter().enumerate() {
        let Some(accuracy) = figures.per_class.get(class) else { continue };
        let (clips, top1) = (right(accuracy.n.to_string()), right(percent(accuracy.top1)));
        table.add_row([Cell::new(class), clips, top1, Cell::new(mistakes(figures, truth))]);
    }
    super::print(format_args!("{}\n", table.trim_fmt()))?;
    super::print(format_args!("top-1 {} of {} clips", percent(figures.top1), figures.n))?;
    if failures > 0 {
        super::print(format_args!("not counted, because they could not be embedded: {failures}"))?;
    }
    if let Some(published) = dataset.published_top1 {
        super::print(format_args!("published, zero-shot over all folds: {}", percent(published)))?;
    }
    Ok(())
}

/// The row of the confusion matrix without its zeros and its diagonal, largest first.
fn mistakes(figures: &Report, truth: usize) -> String {
    let row = figures.confusion[truth].iter().enumerate();
    let mut wrong: Vec<(usize, usize)> = row.map(|(class, &n)| (n, class)).collect();
    wrong.retain(|&(n, class)| n > 0 && class != truth);
    wrong.sort_by(|a, b| b.cmp(a));
    let named: Vec<String> = wrong.iter().map(|&(n, class)| format!("{} {n}", figures.classes[class])).collect();
    named.join(", ")
}

fn right(text: String) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

fn percent(fraction: f64) -> String {
    format!("{:.2} %", 100.0 * fraction)
}
