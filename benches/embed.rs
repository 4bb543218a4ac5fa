//! The model: loading it, and one item of each kind through its tower.
//!
//! Always with the tiny golden checkpoint; with real weights as well where `EARMARK_BENCH_MODEL` names an installed
//! model's file.

mod support;

use std::path::Path;

use criterion::Criterion;
use earmark::embed::{Embedder, ModelInput};
use earmark::media::RgbImage;
use earmark::model::DeviceChoice;
use earmark::preprocess::audio::SAMPLE_RATE_HZ;

/// Few, because an item takes tenths of a second on a processor.
const SAMPLES: usize = 20;

fn main() {
    support::run(&[|criterion| support::with_models(|name, model| embed(criterion, name, model))]);
}

fn embed(criterion: &mut Criterion, name: &str, model: &Path) {
    let load = || Embedder::load(model, DeviceChoice::Auto).expect("the model is sound");
    let mut group = criterion.benchmark_group(name);
    group.sample_size(SAMPLES);
    group.bench_function("load", |bench| bench.iter_with_large_drop(load));
    let embedder = load();
    for (prompt, name) in [("a dog barks at night", "text of 5 words"), (&"dog ".repeat(75), "text of 77 tokens")] {
        let ids = [embedder.tokenize(prompt).expect("it fits")];
        group.bench_function(name, |bench| bench.iter(|| embedder.embed_text(&ids).expect("the ids fit")));
    }
    let image = [embedder.image_input(&gradient())];
    group.bench_function("image", |bench| bench.iter(|| embedder.embed(&image).expect("the input fits")));
    if embedder.model().metadata().config.audio.is_some() {
        let audio = [ModelInput::esc50(&support::tone(5, SAMPLE_RATE_HZ))];
        group.bench_function("audio of 5 s", |bench| bench.iter(|| embedder.embed(&audio).expect("the input fits")));
    }
    group.finish();
}

/// A picture of 256 by 256.
fn gradient() -> RgbImage {
    let pixels = (0..=255_u8).flat_map(|y| (0..=255_u8).flat_map(move |x| [x, y, x ^ y])).collect();
    RgbImage { width: 256, height: 256, pixels }
}
