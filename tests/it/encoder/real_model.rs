//! Content through AudioCLIP itself, against the reference's vectors and the plain way of embedding.

use std::sync::{Arc, Mutex};

use earmark::decode::audio::read_mono;
use earmark::decode::{AudioLimits, ImageLimits, Rotation, read_image};
use earmark::embed::{Embedder, ModelInput};
use earmark::engine::content::{ContentFacts, ContentOptions, Source, Window, read_content};
use earmark::engine::encoder::Encoder;
use earmark::engine::model::{AudioClipModel, EmbeddingModel};
use earmark::media::MediaKind;
use earmark::model::{DeviceChoice, RawEmbedding};
use earmark::model_store::{ImportOptions, ModelName, ModelStore};
use earmark::preprocess::audio::SAMPLE_RATE_HZ;

use super::{runtime, submit, wav};
use crate::golden::{self, Golden, Tolerance};
use crate::stub_model;

/// The golden checkpoint twice: behind an encoder, and plain.
fn tiny() -> (Encoder, Arc<Mutex<Embedder>>) {
    let directory = tempfile::tempdir().unwrap();
    let options = ImportOptions { name: Some(ModelName::new("tiny").unwrap()), ..ImportOptions::default() };
    let checkpoint = golden::path("tiny/audioclip_tiny.pt");
    let installed = ModelStore::new(directory.path()).import(&checkpoint, &options).unwrap();
    let plain = Embedder::load(installed.path().unwrap(), DeviceChoice::Cpu).unwrap();
    let path = installed.path().unwrap().to_owned();
    let load = move || {
        let embedder = Embedder::load(&path, DeviceChoice::Cpu)?;
        Ok::<_, earmark::model::ModelError>(Box::new(AudioClipModel::new("tiny", embedder)) as Box<dyn EmbeddingModel>)
    };
    let encoder = Encoder::start(load, stub_model::options()).unwrap_or_else(|error| panic!("{error}"));
    let facts = encoder.facts();
    assert_eq!((facts.name.as_str(), facts.device.as_str(), facts.numeric_type.as_str()), ("tiny", "cpu", "f32"));
    assert_eq!((&facts.space, facts.dimensions), (&installed.metadata.space, 1024));
    assert_eq!(facts.parameters, installed.parameters as u64);
    assert_eq!(facts.scales, plain.model().scales());
    (encoder, Arc::new(Mutex::new(plain)))
}

fn windows(encoder: &Encoder, source: &Source<'_>, kind: MediaKind) -> (Vec<Window>, ContentFacts) {
    let (audio_limits, image_limits) = (AudioLimits::default(), ImageLimits::default());
    let options = ContentOptions { audio_limits, image_limits, hop_ms: 5000, silence_dbfs: -60.0 };
    let mut windows = Vec::new();
    let mut emit = |window| {
        windows.push(window);
        true
    };
    let facts = read_content(source, kind, &options, &encoder.image_preparation(), &mut emit).unwrap();
    (windows, facts)
}

fn embed(encoder: &Encoder, windows: Vec<Window>) -> Vec<RawEmbedding> {
    let pending: Vec<_> = windows.into_iter().map(|window| submit(encoder, window.input)).collect();
    pending.into_iter().map(|pending| pending.wait().unwrap()).collect()
}

#[test]
fn five_seconds_are_the_references() {
    let (encoder, _) = tiny();
    let samples = golden::audio("synth_5s", 1).remove(0);
    let (windows, facts) = windows(&encoder, &Source::Bytes(wav(&samples).into()), MediaKind::Audio);
    assert_eq!((windows.len(), facts.facts.duration_ms, windows[0].silent), (1, Some(5000), false));
    let expected = Golden::open("tiny", "embeddings").rows("audio_synth_5s.emb", 1);
    Tolerance::ORDINARY.check("five seconds", &embed(&encoder, windows), &expected);
}

#[test]
fn windows_of_files_are_embedded_as_by_hand() {
    let (encoder, plain) = tiny();
    let plain = plain.lock().unwrap();
    let horn = crate::shared("media/demo/car_horn_1-24074-A-43.wav");
    let mono = read_mono(&horn, SAMPLE_RATE_HZ, &AudioLimits::default()).unwrap().samples;
    let expected = plain.embed(&[ModelInput::esc50(&mono)]).unwrap();
    let (found, _) = windows(&encoder, &Source::File(&horn), MediaKind::Audio);
    Tolerance::EXACT.check("car horn", &embed(&encoder, found), &expected);

    let samples = golden::audio("synth_12p3s", 1).remove(0);
    let (found, facts) = windows(&encoder, &Source::Bytes(wav(&samples).into()), MediaKind::Audio);
    assert_eq!(facts.facts.duration_ms, Some(12_300));
    let spans: Vec<_> = found.iter().map(|window| (window.span.start_ms, window.span.end_ms)).collect();
    assert_eq!(spans, [(0, 5000), (5000, 10_000), (7300, 12_300)]);
    let cuts = [0, 220_500, samples.len() - 220_500];
    let by_hand = cuts.map(|start| ModelInput::Audio(vec![samples[start..start + 220_500].to_vec()]));
    Tolerance::EXACT.check("three windows", &embed(&encoder, found), &plain.embed(&by_hand).unwrap());

    let cat = crate::shared("media/demo/cat_1.jpg");
    let image = read_image(&cat, &ImageLimits::default(), Rotation::Upright).unwrap().image;
    let (found, facts) = windows(&encoder, &Source::File(&cat), MediaKind::Image);
    assert_eq!((facts.facts.width, facts.facts.height), (Some(image.width), Some(image.height)));
    let expected = plain.embed(&[plain.image_input(&image)]).unwrap();
    Tolerance::EXACT.check("cat", &embed(&encoder, found), &expected);
}

#[test]
fn prompts_are_cut_with_a_note() {
    let (encoder, plain) = tiny();
    let plain = plain.lock().unwrap();
    let prompts = vec!["a dog".to_owned(), "one two three ".repeat(40)];
    let texts = runtime().block_on(encoder.text(prompts.clone())).unwrap();
    let notes: Vec<_> = texts.iter().map(|text| text.note.as_deref()).collect();
    assert_eq!(notes, [None, Some("the prompt has 122 ids and was cut to 77")]);
    let ids: Vec<_> = prompts.iter().map(|prompt| plain.tokenize_truncated(prompt).0).collect();
    let vectors: Vec<_> = texts.into_iter().map(|text| text.vector).collect();
    Tolerance::EXACT.check("prompts", &vectors, &plain.embed_text(&ids).unwrap());
}
