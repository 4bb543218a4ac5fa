//! `earmark eval world`: how well a model finds the things of the demo world by words, sounds and pictures.
//!
//! Nothing of it is trained on: seeds are beyond those of the training, paraphrases are in no caption, and recordings
//! are those that the caller names.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use rayon::prelude::*;
use serde_json::{Value, json};

use super::super::classify::embed_labels;
use super::super::media::{embed_each, read_sound};
use super::super::{ModelArgs, Outcome, note, plain_table, print, progress, report};
use super::{percent, right};
use crate::config::Config;
use crate::decode::audio::mono_at;
use crate::embed::{Embedder, ModelInput};
use crate::embedding::Embedding;
use crate::eval::{Dataset, NEAREST, Precision, RetrievalFigures, Retrievals};
use crate::preprocess::audio::{ESC50_FRAMES, SAMPLE_RATE_HZ};
use crate::world::{Concept, Dice};

/// Seeds below this belong to the training.
const FIRST_SEED: u64 = 1 << 32;
/// How far apart the seeds of two evaluations are: more than there are concepts.
const SEED_STEP: u64 = 1_000_003;
/// Rows and columns of a picture as it is drawn, before it is brought to what the model takes.
const PICTURE_SIDE: u32 = 256;
/// Inputs that are made, and then embedded, together.
const INPUTS_PER_CHUNK: usize = 16;

#[derive(Debug, Args)]
pub(in super::super) struct World {
    /// Of the sounds and pictures that are made; none is the training's
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u32,
    /// Sounds, and pictures, of each concept
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(5..))]
    per_concept: u16,
    /// Recordings instead of synthesised sounds: one directory a concept, named "Concept" or "NNN - Concept"; of the
    /// concepts, only these are asked for
    #[arg(long, value_name = "DIR")]
    sounds: Option<PathBuf>,
    /// Only these folds of the recordings, separated by commas; a file named F-… is of fold F
    #[arg(long, requires = "sounds", value_delimiter = ',', value_name = "N,N,…")]
    folds: Vec<u32>,
    /// Only these concepts, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "NAME,NAME,…")]
    concepts: Vec<String>,
    /// One JSON object instead of tables
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    model: ModelArgs,
}

/// Embedded things with the concepts they are of, as positions.
#[derive(Default)]
struct Gallery {
    concepts: Vec<usize>,
    vectors: Vec<Embedding>,
    failures: usize,
}

/// A recording, with the name of the concept that it is of.
type Recorded = (&'static str, PathBuf);

/// Where a sound comes from.
enum Sound {
    /// Out of a seed.
    Made(Box<Dice>),
    /// From a file.
    Recorded(PathBuf),
}

pub(super) fn run(command: &World, config: &Config) -> anyhow::Result<Outcome> {
    let (mut concepts, recordings) = match &command.sounds {
        Some(_) => recorded(command)?,
        None => (Concept::all(), Vec::new()),
    };
    if !command.concepts.is_empty() {
        concepts = chosen(&command.concepts, &concepts)?;
    }
    let embedder = command.model.load(config)?;
    let mut sounds = Vec::new();
    let mut pictures = Vec::new();
    for (position, concept) in concepts.iter().enumerate() {
        let (mut heard, mut seen) = dice_of(command.seed, concept);
        let each = 0..command.per_concept;
        pictures.extend(each.clone().map(|_| (position, seen.fork())));
        if command.sounds.is_none() {
            sounds.extend(each.map(|_| (position, Sound::Made(Box::new(heard.fork())))));
        }
    }
    let of_concept = |name: &str| concepts.iter().position(|concept| concept.name() == name);
    let recordings = recordings.into_iter().filter_map(|(name, path)| Some((of_concept(name)?, Sound::Recorded(path))));
    sounds.extend(recordings);

    let sounds = embed_all(&embedder, &sounds, "listening", |concept, sound| match sound {
        Sound::Made(dice) => {
            let recording = concepts[concept].sound(&mut dice.clone());
            Ok(first_window(mono_at(&recording, SAMPLE_RATE_HZ)?))
        }
        Sound::Recorded(path) => {
            let samples = read_sound(path, config).with_context(|| path.display().to_string())?;
            Ok(first_window(samples))
        }
    });
    let pictures = embed_all(&embedder, &pictures, "looking", |concept, dice| {
        Ok(embedder.image_input(&concepts[concept].picture(PICTURE_SIDE, &mut dice.clone())))
    });
    let retrievals = measure(&embedder, &concepts, &sounds, &pictures)?;
    let failures = sounds.failures + pictures.failures;
    if command.json {
        print(describe(&retrievals, &concepts, &sounds, &pictures, command.seed)?)?;
    } else {
        show(&retrievals, &concepts, &sounds, &pictures)?;
    }
    Ok(Outcome::of_failures(failures))
}

/// The concepts of a folder of recordings, and the recordings with the names of theirs.
fn recorded(command: &World) -> anyhow::Result<(Vec<Concept>, Vec<Recorded>)> {
    let root = command.sounds.as_deref().context("recordings were asked for")?;
    let dataset = Dataset::folders(root)?.restricted_to(&command.folds, root)?;
    let of_class: Vec<_> = dataset.classes.iter().map(|class| Concept::named(&class.to_lowercase())).collect();
    for (class, _) in dataset.classes.iter().zip(&of_class).filter(|(_, concept)| concept.is_none()) {
        note(format_args!("{}: left out, because the world has no {class:?}", root.display()));
    }
    let recordings: Vec<_> =
        dataset.clips.into_iter().filter_map(|clip| Some((of_class[clip.class]?.name(), clip.path))).collect();
    if recordings.is_empty() {
        bail!("{}: no recordings of anything that the world has", root.display());
    }
    let heard = |concept: &Concept| recordings.iter().any(|(name, _)| *name == concept.name());
    Ok((Concept::all().into_iter().filter(heard).collect(), recordings))
}

/// The concepts of these names.
fn chosen(names: &[String], among: &[Concept]) -> anyhow::Result<Vec<Concept>> {
    let find = |name: &String| among.iter().find(|concept| concept.name() == name.trim()).copied();
    let known = || among.iter().map(Concept::name).collect::<Vec<_>>().join(", ");
    let found =
        names.iter().map(|name| find(name).with_context(|| format!("no concept {name:?}, expected {}", known())));
    let mut found = found.collect::<anyhow::Result<Vec<_>>>()?;
    found.sort_by_key(Concept::name);
    found.dedup_by_key(|concept| concept.name());
    Ok(found)
}

/// For the sounds and for the pictures of a concept. They stay the same whichever other concepts are asked for.
fn dice_of(seed: u32, concept: &Concept) -> (Dice, Dice) {
    let position = Concept::all().iter().position(|it| it.name() == concept.name());
    let position = position.expect("a concept is one of all") as u64;
    let mut dice = Dice::new(FIRST_SEED + u64::from(seed) * SEED_STEP + position);
    (dice.fork(), dice.fork())
}

/// What a search index has of a sound first: its whole, or five seconds.
fn first_window(mut samples: Vec<f32>) -> ModelInput {
    samples.truncate(ESC50_FRAMES);
    ModelInput::whole(samples)
}

/// Makes and embeds things, a few at a time; what cannot be is reported and counted.
fn embed_all<T: Sync>(
    embedder: &Embedder,
    things: &[(usize, T)],
    what: &'static str,
    make: impl Fn(usize, &T) -> anyhow::Result<ModelInput> + Sync,
) -> Gallery {
    let mut gallery = Gallery::default();
    let bar = progress::files(things.len(), what);
    for chunk in things.chunks(INPUTS_PER_CHUNK) {
        let made: Vec<_> = chunk.par_iter().map(|(concept, thing)| (*concept, make(*concept, thing))).collect();
        let (mut concepts, mut inputs) = (Vec::new(), Vec::new());
        let mut fail = |error: &anyhow::Error| {
            bar.suspend(|| report(error));
            gallery.failures += 1;
        };
        for (concept, input) in made {
            match input {
                Ok(input) => {
                    concepts.push(concept);
                    inputs.push(input);
                }
                Err(error) => fail(&error),
            }
        }
        for (concept, embedded) in concepts.into_iter().zip(embed_each(embedder, &inputs)) {
            match embedded.and_then(|(_, vector)| Ok(Embedding::normalized(&vector)?)) {
                Ok(vector) => {
                    gallery.concepts.push(concept);
                    gallery.vectors.push(vector);
                }
                Err(error) => fail(&error),
            }
        }
        bar.inc(chunk.len() as u64);
    }
    bar.finish_and_clear();
    gallery
}

fn embed_prompts(embedder: &Embedder, prompts: Vec<(usize, String)>) -> anyhow::Result<Gallery> {
    let (concepts, prompts): (Vec<_>, Vec<_>) = prompts.into_iter().unzip();
    Ok(Gallery { concepts, vectors: embed_labels(embedder, &prompts)?, failures: 0 })
}

fn measure(
    embedder: &Embedder,
    concepts: &[Concept],
    sounds: &Gallery,
    pictures: &Gallery,
) -> anyhow::Result<Retrievals> {
    let numbered = || concepts.iter().enumerate();
    let names = embed_prompts(embedder, numbered().map(|(at, it)| (at, it.name().to_owned())).collect())?;
    let other_words = numbered().flat_map(|(at, it)| it.paraphrases().iter().map(move |words| (at, words.clone())));
    let paraphrases = embed_prompts(embedder, other_words.collect())?;
    let precision = |nearest, from: &Gallery, to: &Gallery| {
        Precision::measure(nearest, &from.concepts, &to.concepts, |query, item| {
            from.vectors[query].cosine(&to.vectors[item])
        })
    };
    Ok(Retrievals {
        text_to_audio: precision(NEAREST, &names, sounds),
        audio_to_text: precision(1, sounds, &names),
        audio_to_image: precision(NEAREST, sounds, pictures),
        image_to_audio: precision(NEAREST, pictures, sounds),
        paraphrase_to_audio: precision(NEAREST, &paraphrases, sounds),
    })
}

fn describe(
    retrievals: &Retrievals,
    concepts: &[Concept],
    sounds: &Gallery,
    pictures: &Gallery,
    seed: u32,
) -> anyhow::Result<Value> {
    let mut object = serde_json::to_value(retrievals.overall())?;
    let each = concepts
        .iter()
        .enumerate()
        .map(|(position, concept)| Ok((concept.name().to_owned(), serde_json::to_value(retrievals.of(position))?)));
    object["per_concept"] = Value::Object(each.collect::<anyhow::Result<_>>()?);
    object["concepts"] = json!(concepts.len());
    object["sounds"] = json!(sounds.vectors.len());
    object["pictures"] = json!(pictures.vectors.len());
    object["failed"] = json!(sounds.failures + pictures.failures);
    object["seed"] = json!(seed);
    Ok(object)
}

fn show(retrievals: &Retrievals, concepts: &[Concept], sounds: &Gallery, pictures: &Gallery) -> anyhow::Result<()> {
    let mut table = plain_table();
    let header = ["CONCEPT", "TEXT→AUDIO", "AUDIO→TEXT", "AUDIO→IMAGE", "IMAGE→AUDIO", "PARAPHRASE→AUDIO"];
    table.set_header(header);
    let row = |name: &str, figures: RetrievalFigures| {
        let figures = [
            figures.text_to_audio_p5,
            figures.audio_to_text_top1,
            figures.audio_to_image_p5,
            figures.image_to_audio_p5,
            figures.paraphrase_to_audio_p5,
        ];
        let cells = figures.map(|figure| right(figure.map_or_else(|| "-".into(), percent)));
        std::iter::once(name.into()).chain(cells).collect::<Vec<_>>()
    };
    for (position, concept) in concepts.iter().enumerate() {
        table.add_row(row(concept.name(), retrievals.of(position)));
    }
    table.add_row(row("all", retrievals.overall()));
    print(format_args!("{}\n", table.trim_fmt()))?;
    let (heard, seen) = (sounds.vectors.len(), pictures.vectors.len());
    print(format_args!(
        "{heard} sounds and {seen} pictures of {} concepts; audio→text is top-1, all others are P@{NEAREST}",
        concepts.len()
    ))
}
