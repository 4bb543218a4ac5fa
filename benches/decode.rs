//! What comes before the model: files to samples and pixels, those to model inputs, prompts to token ids.

mod support;

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use earmark::decode::audio::read_mono;
use earmark::decode::resample::Resampler;
use earmark::decode::{AudioLimits, ImageLimits, Rotation, read_image};
use earmark::preprocess::audio::SAMPLE_RATE_HZ;
use earmark::preprocess::image::{RESOLUTION, normalised_planes};
use earmark::preprocess::tokens::Tokenizer;

/// Five seconds each.
const SOUNDS: [(&str, &str); 2] =
    [("wav", "media/demo/car_horn_1-24074-A-43.wav"), ("ogg", "media/esc10/001 - Dog bark/1-100032-A.ogg")];
const PICTURE: &str = "media/demo/cat_1.jpg";
const SHORT_PROMPT: &str = "a dog barks at night";
/// Garbled, escaped and longer than the model reads, so that every step of the cleaning has work.
const LONG_SENTENCE: &str = "Rain falls on the cafÃ©â€™s tin roof &amp; a dog barks twice, while cars pass by. ";

fn main() {
    support::run(&[sounds, resampling, pictures, prompts]);
}

fn sounds(criterion: &mut Criterion) {
    for (name, file) in SOUNDS {
        let Some(path) = support::shared(file) else { continue };
        let read = || read_mono(&path, SAMPLE_RATE_HZ, &AudioLimits::default()).expect("the material is sound");
        criterion.bench_function(&format!("decode/{name} of 5 s"), |bench| bench.iter(read));
    }
}

fn resampling(criterion: &mut Criterion) {
    let from_hz = 48_000;
    let input = support::tone(10, from_hz);
    let mut group = criterion.benchmark_group("resample");
    group.throughput(Throughput::Elements(input.len() as u64));
    group.bench_function("10 s from 48 to 44.1 kHz", |bench| {
        bench.iter(|| {
            let mut output = Vec::new();
            let mut resampler = Resampler::new(from_hz, SAMPLE_RATE_HZ).expect("both rates are in range");
            resampler.push(&input, &mut output).expect("memory suffices");
            resampler.finish(&mut output).expect("memory suffices");
            output
        });
    });
    group.finish();
}

fn pictures(criterion: &mut Criterion) {
    let Some(path) = support::shared(PICTURE) else { return };
    let read = || read_image(&path, &ImageLimits::default(), Rotation::Upright).expect("the material is sound");
    let image = read().image;
    criterion.bench_function(&format!("decode/jpeg of {} by {}", image.width, image.height), |bench| bench.iter(read));
    criterion.bench_function("image planes", |bench| bench.iter(|| normalised_planes(black_box(&image), RESOLUTION)));
}

fn prompts(criterion: &mut Criterion) {
    let tokenizer = Tokenizer::new();
    let long = LONG_SENTENCE.repeat(20);
    for (name, prompt) in [("5 words", SHORT_PROMPT), ("320 words", &long)] {
        criterion.bench_function(&format!("clean and tokenize/{name}"), |bench| {
            bench.iter(|| tokenizer.encode_truncated(black_box(prompt)));
        });
    }
}
