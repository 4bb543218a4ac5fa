//! Imports: whole or not at all, whatever the checkpoint is made of.

use std::fs::{self, File};

use earmark::checkpoint::{CheckpointFile, CheckpointLimits};
use earmark::embedding::Embedding;
use earmark::model::{AudioClip, DeviceChoice, ModelConfig, ModelError, Precision, Weights};
use earmark::model_store::{ImportOptions, InstalledModel, ModelName, ModelStore, StoreError};
use safetensors::Dtype;

use crate::cli::checkpoints::{Tensor, encode, tiny};
use crate::closed_form::{self, Profile};
use crate::golden;

fn named(name: &str) -> ImportOptions {
    ImportOptions { name: Some(ModelName::new(name).unwrap()), ..ImportOptions::default() }
}

fn import(store: &ModelStore, tensors: &[Tensor]) -> Result<InstalledModel, StoreError> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), encode(tensors)).unwrap();
    store.import(file.path(), &named("model"))
}

#[test]
fn a_clip_checkpoint_without_sounds_is_an_image_and_text_model() {
    let directory = tempfile::tempdir().unwrap();
    let mut tensors = tiny();
    tensors.retain(|it| !it.name.starts_with("audio.") && !it.name.ends_with("_ai") && !it.name.ends_with("_at"));
    let installed = import(&ModelStore::new(directory.path()), &tensors).unwrap();
    assert_eq!(installed.metadata.config.audio, None);
    let model = AudioClip::load(installed.path().unwrap(), DeviceChoice::Cpu).unwrap();
    assert_eq!(model.embed_text(&[&[49406, 2368, 49407]]).unwrap()[0].len(), 1024);
    assert_eq!(model.scales().audio_text, None);
    let refused = model.embed_audio(&[&[vec![0.0; 100]]]);
    assert!(matches!(refused, Err(ModelError::NoTower("audio"))));
}

#[test]
fn half_precision_is_widened_to_the_type_that_models_run_in() {
    let directory = tempfile::tempdir().unwrap();
    let mut tensors = tiny();
    for tensor in tensors.iter_mut().filter(|tensor| tensor.dtype == Dtype::F32) {
        let values = tensor.bytes.as_chunks().0.iter().map(|&value| half::f16::from_f32(f32::from_le_bytes(value)));
        tensor.bytes = values.flat_map(half::f16::to_le_bytes).collect();
        tensor.dtype = Dtype::F16;
    }
    let installed = import(&ModelStore::new(directory.path()), &tensors).unwrap();
    assert_eq!((installed.metadata.dtype, installed.parameters), (Precision::Single, 4_502_698));
    let mut written = CheckpointFile::open(installed.path().unwrap(), &CheckpointLimits::default()).unwrap();
    let projection = tensors.iter().find(|tensor| tensor.name == "text_projection").unwrap();
    let rounded: Vec<f32> =
        projection.bytes.as_chunks().0.iter().map(|&value| half::f16::from_le_bytes(value).to_f32()).collect();
    assert_eq!(written.read_f32("text_projection").unwrap(), rounded);
}

#[test]
fn weights_can_be_stored_at_half_the_size() {
    let directory = tempfile::tempdir().unwrap();
    let store = ModelStore::new(directory.path());
    let path = golden::path("tiny/audioclip_tiny.pt");
    let halved = |name: &str| ImportOptions { weights: Weights::F16, ..named(name) };
    let full = store.import(&path, &named("full")).unwrap();
    assert!(matches!(store.import(&path, &halved("full")), Err(StoreError::Taken { .. })));
    let half = store.import(&path, &halved("half")).unwrap();
    assert_eq!(store.import(&path, &halved("half")).unwrap().metadata, half.metadata);
    assert!(half.bytes * 100 < full.bytes * 51, "{} and {}", half.bytes, full.bytes);
    assert_ne!(half.metadata.space, full.metadata.space);
    assert_eq!((half.metadata.dtype, half.parameters), (Precision::Single, full.parameters));
    store.verify(&half.name).unwrap();

    let limits = CheckpointLimits::default();
    let (mut exact, mut rounded) = (
        CheckpointFile::open(full.path().unwrap(), &limits).unwrap(),
        CheckpointFile::open(half.path().unwrap(), &limits).unwrap(),
    );
    let names: Vec<_> = exact.tensors().iter().map(|info| (info.name.clone(), info.shape.len(), info.dtype)).collect();
    for (name, dimensions, dtype) in names.into_iter().filter(|(_, _, dtype)| dtype.is_floating()) {
        let stored = rounded.tensor(&name).unwrap().dtype;
        let values = exact.read_f32(&name).unwrap();
        let expected = if dimensions >= 2 {
            assert_eq!(stored.to_string(), "F16", "{name}");
            values.iter().map(|&value| half::f16::from_f32(value).to_f32()).collect()
        } else {
            assert_eq!(stored, dtype, "{name}");
            values
        };
        assert_eq!(rounded.read_f32(&name).unwrap(), expected, "{name}");
    }

    // Vectors change slightly.
    let embed = |model: &InstalledModel| {
        let model = AudioClip::load(model.path().unwrap(), DeviceChoice::Cpu).unwrap();
        Embedding::normalized(&model.embed_text(&[&[49406, 2368, 49407]]).unwrap()[0]).unwrap()
    };
    let alike = embed(&full).cosine(&embed(&half));
    assert!((0.999..1.0).contains(&alike), "{alike}");
    // Whoever imports the file gets the same model.
    let again = store.import(half.path().unwrap(), &named("again")).unwrap();
    assert_eq!(again.metadata.space, half.metadata.space);
}

#[test]
fn what_a_half_cannot_hold_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let store = ModelStore::new(directory.path());
    let mut tensors = tiny();
    for (name, value) in [("visual.conv1.weight", 70_000.0f32), ("visual.bn1.running_var", 1e30)] {
        let tensor = tensors.iter_mut().find(|tensor| tensor.name == name).unwrap();
        tensor.bytes[4..8].copy_from_slice(&value.to_le_bytes());
    }
    let file = directory.path().join("large.safetensors.import");
    fs::write(&file, encode(&tensors)).unwrap();
    let error = store.import(&file, &ImportOptions { weights: Weights::F16, ..named("half") }).unwrap_err().to_string();
    assert!(error.contains("1 tensor does not fit"), "{error}");
    assert!(error.contains("visual.conv1.weight: value 1 is too large for f16 (import it without --half)"), "{error}");
    assert_eq!(store.names().unwrap(), []);
    store.import(&file, &named("full")).unwrap();
}

/// Identities of before there was a choice; data directories hold them.
#[test]
fn a_model_in_full_precision_is_the_space_that_it_always_was() {
    let directory = tempfile::tempdir().unwrap();
    let store = ModelStore::new(directory.path());
    let model = store.import(&golden::path("tiny/audioclip_tiny.pt"), &named("tiny")).unwrap();
    assert_eq!(&model.metadata.space.as_str()[..16], "ff3f443f7db52171");
    let bytes = fs::read(model.path().unwrap()).unwrap();
    let length = usize::try_from(u64::from_le_bytes(bytes[..8].try_into().unwrap())).unwrap();
    let header = std::str::from_utf8(&bytes[8..8 + length]).unwrap();
    assert!(header.contains("data_sha256") && !header.contains("weights"), "old versions refuse what they do not know");
}

#[test]
fn every_way_to_the_same_weights_is_the_same_space() {
    let directory = tempfile::tempdir().unwrap();
    let store = ModelStore::new(directory.path());
    let from_pytorch = store.import(&golden::path("tiny/audioclip_tiny.pt"), &named("pytorch")).unwrap();
    let from_safetensors = import(&store, &tiny()).unwrap();
    assert_eq!(from_pytorch.metadata.space, from_safetensors.metadata.space);
    assert_ne!(from_pytorch.metadata.source_sha256, from_safetensors.metadata.source_sha256);
    let closed_form = directory.path().join("closed_form.safetensors.import");
    closed_form::write_safetensors(Profile::Tiny, &golden::path("tiny/tensors.tsv"), &closed_form).unwrap();
    let regenerated = store.import(&closed_form, &named("regenerated")).unwrap();
    assert_eq!(from_pytorch.metadata.space, regenerated.metadata.space);
    assert_eq!(regenerated.metadata.config, ModelConfig::golden_tiny());
}

#[test]
fn a_changed_weight_is_another_space() {
    let directory = tempfile::tempdir().unwrap();
    let store = ModelStore::new(directory.path());
    let before = import(&store, &tiny()).unwrap().metadata.space;
    let mut tensors = tiny();
    let scale = tensors.iter_mut().find(|tensor| tensor.name == "logit_scale").unwrap();
    scale.bytes = 1.0f32.to_le_bytes().to_vec();
    let other = ModelStore::new(directory.path().join("other"));
    assert_ne!(import(&other, &tensors).unwrap().metadata.space, before);
}

#[test]
fn what_a_killed_import_left_is_swept_and_what_a_running_one_writes_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let (abandoned, running) = (directory.path().join(".import-killed"), directory.path().join(".import-running"));
    fs::write(&abandoned, "half a model").unwrap();
    let held = File::create(&running).unwrap();
    held.lock().unwrap();
    let store = ModelStore::new(directory.path());
    import(&store, &tiny()).unwrap();
    assert!(!abandoned.exists() && running.exists());
    assert_eq!(store.names().unwrap(), [ModelName::new("model").unwrap()]);
}

#[test]
fn dimensions_that_shapes_cannot_tell_can_be_given() {
    let directory = tempfile::tempdir().unwrap();
    let store = ModelStore::new(directory.path());
    let path = golden::path("tiny/audioclip_tiny.pt");
    let mut config = ModelConfig::golden_tiny();
    config.text.heads = 4;
    let given = |config: &ModelConfig| ImportOptions { config: Some(config.clone()), ..named("model") };
    let usual = store.import(&path, &named("model")).unwrap();
    assert!(matches!(store.import(&path, &given(&config)), Err(StoreError::Taken { .. })));
    let other = store.import(&path, &ImportOptions { replace: true, ..given(&config) }).unwrap();
    assert_eq!(other.metadata.config.text.heads, 4);
    assert_ne!(other.metadata.space, usual.metadata.space);
    config.text.heads = 5;
    let error = store.import(&path, &given(&config)).unwrap_err().to_string();
    assert!(error.contains("impossible dimensions") && error.contains("heads that divide"), "{error}");
}

#[test]
fn a_missing_tensor_is_all_that_is_named_even_if_dimensions_are_read_off_it() {
    let directory = tempfile::tempdir().unwrap();
    for missing in ["text_projection", "audio.layer1.0.conv1.weight", "transformer.resblocks.1.ln_1.weight"] {
        let mut tensors = tiny();
        tensors.retain(|tensor| tensor.name != missing);
        let error = import(&ModelStore::new(directory.path()), &tensors).unwrap_err().to_string();
        assert!(error.ends_with(&format!("nothing of it is used:\n  {missing}: missing")), "{error}");
    }
}

#[test]
fn a_failed_import_leaves_the_directory_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let store = ModelStore::new(directory.path());
    let mut tensors = tiny();
    let weight = tensors.iter_mut().find(|tensor| tensor.name == "visual.conv1.weight").unwrap();
    weight.bytes[..4].copy_from_slice(&f32::NAN.to_le_bytes());
    let error = import(&store, &tensors).unwrap_err().to_string();
    assert!(error.contains("visual.conv1.weight: value 0 is not finite"), "{error}");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}
