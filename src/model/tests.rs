//! What only the inside can see: the schema against the published list of tensors, and the audio tower part by part.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use super::*;
use crate::model_store::{ImportOptions, ModelName, ModelStore};

fn golden_path(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/audioclip").join(relative)
}

/// Names and shapes of a profile's `tensors.tsv`.
fn published_shapes(profile: &str) -> Shapes {
    let table = std::fs::read_to_string(golden_path(&format!("{profile}/tensors.tsv"))).unwrap();
    let row = |line: &str| {
        let mut cells = line.split('\t');
        let (name, shape) = (cells.next().unwrap().to_owned(), cells.next().unwrap());
        let dims = shape.split('x').filter(|dim| *dim != "scalar").map(|dim| dim.parse().unwrap());
        (name, dims.collect())
    };
    table.lines().skip(1).map(row).collect()
}

#[test]
fn the_schema_is_the_published_list_of_tensors() {
    for (profile, config) in [("full", ModelConfig::published()), ("tiny", ModelConfig::golden_tiny())] {
        let ours: Shapes = schema::tensors(&config).into_iter().map(|spec| (spec.name, spec.shape)).collect();
        assert_eq!(ours, published_shapes(profile), "{profile}");
    }
}

#[test]
fn shapes_tell_the_configuration() {
    for (profile, config) in [("full", ModelConfig::published()), ("tiny", ModelConfig::golden_tiny())] {
        assert_eq!(ModelConfig::infer(&published_shapes(profile)), Some(config), "{profile}");
    }
    let mut clip = published_shapes("full");
    clip.retain(|name, _| !name.starts_with("audio.") && !name.ends_with("_ai") && !name.ends_with("_at"));
    assert_eq!(ModelConfig::infer(&clip), Some(ModelConfig { audio: None, ..ModelConfig::published() }));
    clip.remove("text_projection");
    assert_eq!(ModelConfig::infer(&clip), None);
}

#[test]
fn an_unknown_configuration_has_heads_of_64_channels() {
    let mut config = ModelConfig::published();
    (config.text.width, config.text.heads, config.text.layers) = (128, 2, 3);
    let shapes: Shapes = schema::tensors(&config).into_iter().map(|spec| (spec.name, spec.shape)).collect();
    assert_eq!(ModelConfig::infer(&shapes), Some(config));
}

#[test]
fn impossible_configurations_are_found_before_anything_is_built() {
    let check = |change: fn(&mut ModelConfig)| {
        let mut config = ModelConfig::published();
        assert_eq!(config.defect(), None);
        change(&mut config);
        assert!(config.defect().is_some(), "{config:?}");
    };
    check(|config| config.embed_dim = 0);
    check(|config| config.text.heads = 7);
    check(|config| config.text.vocab = usize::MAX);
    check(|config| config.text.layers = 100_000);
    check(|config| config.visual.resolution = 225);
    check(|config| config.visual.layers[2] = 0);
    check(|config| config.audio.as_mut().unwrap().groups = 0);
    check(|config| config.audio.as_mut().unwrap().window_samples = 4096);
}

static TINY: LazyLock<AudioClip> = LazyLock::new(|| tiny(Arithmetic::best(Precision::Single, &Device::Cpu)));

fn tiny(arithmetic: Arithmetic) -> AudioClip {
    let directory = tempfile::tempdir().unwrap();
    let options = ImportOptions { name: Some(ModelName::new("tiny").unwrap()), ..ImportOptions::default() };
    let store = ModelStore::new(directory.path());
    let installed = store.import(&golden_path("tiny/audioclip_tiny.pt"), &options).unwrap();
    let file = ModelFile::open(installed.path().unwrap()).unwrap();
    AudioClip::with_arithmetic(file, &Device::Cpu, arithmetic).unwrap()
}

fn intermediates() -> BTreeMap<String, Tensor> {
    let path = golden_path("tiny/intermediates.safetensors");
    candle_core::safetensors::load(path, &Device::Cpu).unwrap().into_iter().collect()
}

fn rel_l2(got: &Tensor, golden: &Tensor) -> f64 {
    assert_eq!(got.shape(), golden.shape());
    let norm = |x: &Tensor| f64::from(x.sqr().unwrap().sum_all().unwrap().sqrt().unwrap().to_scalar::<f32>().unwrap());
    norm(&(got - golden).unwrap()) / norm(golden)
}

#[test]
fn the_front_ends_decibels_are_the_references() {
    let samples = std::fs::read(golden_path("inputs/audio_synth_1s_i16.npy")).unwrap();
    let samples = &samples[samples.len() - 2 * 44_100..];
    let samples: Vec<f32> = samples.as_chunks().0.iter().map(|&it| f32::from(i16::from_le_bytes(it))).collect();
    for model in [&*TINY, &tiny(Arithmetic::Candle(DType::F32))] {
        let decibels = model.audio.as_ref().unwrap().front_end.forward(&[&samples, &samples]).unwrap();
        for signal in 0..2 {
            assert!(rel_l2(&decibels.get(signal).unwrap(), &intermediates()["ai1s.db"]) < 1e-5);
        }
    }
}

#[test]
fn the_body_takes_golden_decibels_to_the_golden_vector() {
    let golden = intermediates();
    let decibels = golden["ai1s.db"].unsqueeze(0).unwrap();
    let vector = TINY.audio.as_ref().unwrap().body.forward(&decibels, 1).unwrap().squeeze(0).unwrap();
    assert!(rel_l2(&vector, &golden["ai1s.emb"]) < 1e-5);
}

/// Decibels of two signals.
fn decibels() -> Tensor {
    let decibels = intermediates()["ai1s.db"].unsqueeze(0).unwrap();
    Tensor::cat(&[&decibels, &(&decibels * 0.5).unwrap()], 0).unwrap()
}

fn pictures(model: &AudioClip) -> Tensor {
    let side = model.metadata.config.visual.resolution;
    let pictures = Tensor::arange(0f32, (2 * 3 * side * side) as f32, &Device::Cpu).unwrap();
    (pictures * 0.37).unwrap().sin().unwrap().reshape((2, 3, side, side)).unwrap()
}

fn of_sounds(model: &AudioClip) -> Tensor {
    model.audio.as_ref().unwrap().body.forward(&decibels(), 1).unwrap()
}

fn of_pictures(model: &AudioClip) -> Tensor {
    model.visual.forward(&pictures(model)).unwrap()
}

#[test]
fn candles_layers_and_ours_give_the_same_vectors() {
    let candle = tiny(Arithmetic::Candle(DType::F32));
    assert!(rel_l2(&of_sounds(&TINY), &of_sounds(&candle)) < 1e-5);
    assert!(rel_l2(&of_pictures(&TINY), &of_pictures(&candle)) < 1e-5);
    let long = [&[49406], &[1237; 75][..], &[49407]].concat();
    let prompts: [&[u32]; 3] = [&[49406, 320, 1929, 49407], &[49406, 49407], &long];
    let of_prompts = |model: &AudioClip| model.text.forward(&prompts).unwrap();
    assert!(rel_l2(&of_prompts(&TINY), &of_prompts(&candle)) < 1e-5);
}

/// As a GPU computes them, but for the type: candle has no bfloat16 convolutions on processors.
#[test]
fn candles_layers_in_half_precision_stay_near() {
    let half = tiny(Arithmetic::Candle(DType::F16));
    assert!(rel_l2(&of_sounds(&half), &of_sounds(&TINY)) < 0.01);
    assert!(rel_l2(&of_pictures(&half), &of_pictures(&TINY)) < 0.01);
}

/// As a GPU computes them, whose kernels are emulated.
#[test]
fn towers_on_an_emulated_gpu_stay_near() {
    let gpu = tiny(Arithmetic::Cuda(cuda::emulated::packed));
    assert!(rel_l2(&of_sounds(&gpu), &of_sounds(&TINY)) < 0.01);
    assert!(rel_l2(&of_pictures(&gpu), &of_pictures(&TINY)) < 0.01);
}

#[test]
fn batches_have_all_inputs_in_order_and_the_first_is_small() {
    let check = |count: usize, size: usize, expected: &[usize]| {
        let inputs: Vec<usize> = (0..count).collect();
        let batches: Vec<&[usize]> = in_batches(&inputs, size).collect();
        assert_eq!(batches.iter().map(|batch| batch.len()).collect::<Vec<_>>(), expected);
        assert_eq!(batches.concat(), inputs);
    };
    check(0, 16, &[]);
    check(16, 16, &[16]);
    check(40, 16, &[4, 16, 16, 4]);
    check(3, 1, &[1, 1, 1]);
}
