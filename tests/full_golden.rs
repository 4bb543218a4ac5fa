//! A check of its own, `cargo nextest run --test full_golden`: the published configuration, 134 million parameters,
//! regenerated from its closed form, imported, and compared with the reference's vectors.
//!
//! Takes about 1.1 GB of disk, 2 GB of memory and a minute, which is why `cargo test` alone leaves it out.

#![allow(clippy::unwrap_used, reason = "in a test's helpers, too, a failed unwrap is a failed test")]
#![allow(unreachable_pub, reason = "support modules are shared between test binaries")]

#[path = "support/closed_form.rs"]
#[allow(dead_code, reason = "shared with the integration binary")]
mod closed_form;
#[path = "support/golden.rs"]
mod golden;
#[path = "support/parity.rs"]
mod parity;

use closed_form::{Profile, write_safetensors};
use earmark::model::{AudioClip, DeviceChoice, ModelError};
use earmark::model_store::{ImportOptions, ModelName, ModelStore};
use golden::{Golden, Tolerance};

#[test]
fn the_published_configuration_is_the_references() {
    let directory = tempfile::tempdir().unwrap();
    let checkpoint = directory.path().join("full.safetensors");
    write_safetensors(Profile::Full, &golden::path("full/tensors.tsv"), &checkpoint).unwrap();
    let options = ImportOptions { name: Some(ModelName::new("full").unwrap()), ..ImportOptions::default() };
    let installed = ModelStore::new(directory.path().join("models")).import(&checkpoint, &options).unwrap();
    assert_eq!(installed.parameters, 134_111_910);
    std::fs::remove_file(&checkpoint).unwrap();

    let device: DeviceChoice = std::env::var("EARMARK_TEST_DEVICE").map_or(DeviceChoice::Cpu, |it| it.parse().unwrap());
    let model = AudioClip::load(installed.path().unwrap(), device).unwrap();
    let embeddings = Golden::open("full", "embeddings");
    parity::text(&model, &embeddings);
    parity::images(&model, &embeddings);
    parity::audio(&model, &embeddings, &["synth_0p5s", "synth_1s", "synth_5s"]);
    parity::logits(&model, &embeddings);
    match AudioClip::in_both_precisions(installed.path().unwrap()) {
        Ok([single, half]) => half_stays_near(&single, &half),
        Err(ModelError::NoHalfPrecision) => eprintln!("skipped: this processor has nothing for half precision"),
        Err(error) => panic!("{error}"),
    }
}

/// What may be computed in half precision, on the golden inputs.
fn half_stays_near(single: &AudioClip, half: &AudioClip) {
    let near = Tolerance { rel_l2: 0.05, cosine: 0.999 };
    let (images, tokens, sound) = (golden::images(), golden::tokens(), [golden::audio("synth_5s", 1).remove(0)]);
    let of_images = |model: &AudioClip| model.embed_images(&images.iter().map(Vec::as_slice).collect::<Vec<_>>());
    near.check("images", &of_images(half).unwrap(), &of_images(single).unwrap());
    let of_text = |model: &AudioClip| model.embed_text(&tokens.iter().map(Vec::as_slice).collect::<Vec<_>>());
    near.check("text", &of_text(half).unwrap(), &of_text(single).unwrap());
    let of_sound = |model: &AudioClip| model.embed_audio(&[&sound]);
    near.check("sound", &of_sound(half).unwrap(), &of_sound(single).unwrap());
}
