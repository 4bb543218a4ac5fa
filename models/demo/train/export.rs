//! Writes what the demo model is trained on: sounds, pictures and captions, as the model's preprocessing leaves them.
//!
//!     cargo run --release --example demo_training_data -- OUT [--per-concept N] [--recordings DIR] [--captions N]
//!
//! OUT receives `sounds.f32` (mono, 44.1 kHz, full scale 1, one after another), `pictures.u8` (`[n, 3, 224, 224]`) and
//! `index.json`, which says what is what. Seeds stay below 2³²; measuring uses those above.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use earmark::decode::AudioLimits;
use earmark::decode::audio::{mono_at, read_mono};
use earmark::eval::Dataset;
use earmark::preprocess::audio::SAMPLE_RATE_HZ;
use earmark::preprocess::image::normalised_planes;
use earmark::preprocess::tokens::Tokenizer;
use earmark::world::{Concept, Dice};
use rayon::prelude::*;
use serde_json::{Value, json};

/// Side of the pictures that the model takes.
const RESOLUTION: u32 = 224;
/// Pictures are drawn at sizes that people have, and scaled as any picture is.
const SIDES: (usize, usize) = (160, 640);
/// Mean and deviation of the model's normalisation (SPEC 7), to undo it: bytes take a quarter of the space.
const MEAN: [f32; 3] = [0.481_454_66, 0.457_827_5, 0.408_210_73];
const DEVIATION: [f32; 3] = [0.268_629_54, 0.261_302_6, 0.275_777_1];
/// Made in parallel, then written in order.
const CHUNK: usize = 64;

/// A sound for the file: its concept, its fold if it is a recording, its samples.
type Sound = (usize, Option<u32>, Vec<f32>);

struct Options {
    out: PathBuf,
    per_concept: usize,
    captions: usize,
    recordings: Option<PathBuf>,
}

fn main() -> Result<()> {
    let options = options()?;
    std::fs::create_dir_all(&options.out)?;
    let concepts = Concept::all();
    let index = json!({
        "concepts": concepts.iter().map(Concept::name).collect::<Vec<_>>(),
        "sounds": sounds(&options, &concepts)?,
        "pictures": pictures(&options, &concepts)?,
        "captions": captions(&options, &concepts)?,
    });
    serde_json::to_writer(BufWriter::new(File::create(options.out.join("index.json"))?), &index)?;
    Ok(())
}

fn options() -> Result<Options> {
    let mut arguments = std::env::args().skip(1);
    let out = arguments.next().context("usage: OUT [--per-concept N] [--recordings DIR] [--captions N]")?.into();
    let mut options = Options { out, per_concept: 120, captions: 600, recordings: None };
    while let Some(option) = arguments.next() {
        let value = arguments.next().with_context(|| format!("{option} needs a value"))?;
        match option.as_str() {
            "--per-concept" => options.per_concept = value.parse()?,
            "--captions" => options.captions = value.parse()?,
            "--recordings" => options.recordings = Some(value.into()),
            _ => bail!("no option {option}"),
        }
    }
    Ok(options)
}

/// The seed of item `index` of concept `concept` in one of the three series.
fn dice(series: u64, concept: usize, index: usize) -> Dice {
    Dice::new((series << 28) + ((concept as u64) << 18) + index as u64)
}

/// Concept and length of each sound in the file, and the fold of those that are recordings.
fn sounds(options: &Options, concepts: &[Concept]) -> Result<Vec<Value>> {
    let mut file = BufWriter::new(File::create(options.out.join("sounds.f32"))?);
    let mut rows = Vec::new();
    let mut write = |made: Vec<Result<Sound>>| -> Result<()> {
        for sound in made {
            let (concept, fold, samples) = sound?;
            rows.push(json!({ "concept": concept, "fold": fold, "samples": samples.len() }));
            samples.iter().try_for_each(|sample| file.write_all(&sample.to_le_bytes()))?;
        }
        Ok(())
    };
    let wanted: Vec<_> = (0..concepts.len()).flat_map(|c| (0..options.per_concept).map(move |i| (c, i))).collect();
    for chunk in wanted.chunks(CHUNK) {
        let make = |&(concept, index): &(usize, usize)| {
            let recording = concepts[concept].sound(&mut dice(1, concept, index));
            Ok((concept, None, mono_at(&recording, SAMPLE_RATE_HZ)?))
        };
        write(chunk.par_iter().map(make).collect())?;
    }
    if let Some(directory) = &options.recordings {
        let limits = AudioLimits::default();
        let dataset = Dataset::folders(directory)?;
        for chunk in dataset.clips.chunks(CHUNK) {
            let read = |clip: &earmark::eval::Clip| {
                let name = dataset.classes[clip.class].to_lowercase();
                let concept = concepts.iter().position(|it| it.name() == name);
                let concept = concept.with_context(|| format!("no concept {name:?}"))?;
                let sound = read_mono(&clip.path, SAMPLE_RATE_HZ, &limits)?;
                Ok((concept, clip.fold, sound.samples))
            };
            write(chunk.par_iter().map(read).collect())?;
        }
    }
    file.flush()?;
    Ok(rows)
}

/// The concept of each picture in the file.
fn pictures(options: &Options, concepts: &[Concept]) -> Result<Vec<usize>> {
    let mut file = BufWriter::new(File::create(options.out.join("pictures.u8"))?);
    let mut rows = Vec::new();
    for (concept, thing) in concepts.iter().enumerate() {
        let make = |index: usize| {
            let mut dice = dice(2, concept, index);
            let side = u32::try_from(dice.count(SIDES.0, SIDES.1)).expect("small");
            let planes = normalised_planes(&thing.picture(side, &mut dice), RESOLUTION);
            let plane = planes.len() / 3;
            #[allow(clippy::cast_sign_loss, reason = "clamped just before")]
            let byte = |(at, value): (usize, &f32)| {
                ((value * DEVIATION[at / plane] + MEAN[at / plane]) * 255.0).round().clamp(0.0, 255.0) as u8
            };
            planes.iter().enumerate().map(byte).collect::<Vec<u8>>()
        };
        let made: Vec<Vec<u8>> = (0..options.per_concept).into_par_iter().map(make).collect();
        for picture in made {
            file.write_all(&picture)?;
            rows.push(concept);
        }
    }
    file.flush()?;
    Ok(rows)
}

/// Token ids of captions, and of the names and paraphrases that the model is measured with.
fn captions(options: &Options, concepts: &[Concept]) -> Result<Vec<Value>> {
    let tokenizer = Tokenizer::new();
    let ids = |text: &str| -> Result<Vec<u32>> {
        let ids = tokenizer.encode(text)?;
        Ok(ids.as_slice()[..=ids.eot_position()].to_vec())
    };
    let mut rows = Vec::new();
    for (concept, thing) in concepts.iter().enumerate() {
        let taught = (0..options.captions).map(|index| ids(&thing.caption(&mut dice(3, concept, index))));
        let asked = thing.paraphrases().iter().map(|text| ids(text));
        rows.push(json!({
            "name": ids(thing.name())?,
            "captions": taught.collect::<Result<Vec<_>>>()?,
            "paraphrases": asked.collect::<Result<Vec<_>>>()?,
        }));
    }
    Ok(rows)
}
