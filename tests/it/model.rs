//! The towers against the reference's golden vectors, with the golden checkpoint imported as anyone's would be.

use std::sync::LazyLock;

use earmark::model::{AudioClip, DeviceChoice, ModelError};
use earmark::model_store::{ImportOptions, ModelName, ModelStore};

use crate::golden::{self, Golden, Tolerance};
use crate::parity;

/// The imported checkpoint, for all tests of a process.
static TINY: LazyLock<AudioClip> = LazyLock::new(|| {
    let directory = tempfile::tempdir().unwrap();
    let name = ModelName::new("tiny").unwrap();
    let options = ImportOptions { name: Some(name), ..ImportOptions::default() };
    let installed =
        ModelStore::new(directory.path()).import(&golden::path("tiny/audioclip_tiny.pt"), &options).unwrap();
    AudioClip::load(installed.path().unwrap(), DeviceChoice::Cpu).unwrap()
});

fn embeddings() -> Golden {
    Golden::open("tiny", "embeddings")
}

#[test]
fn images_are_the_references() {
    parity::images(&TINY, &embeddings());
}

#[test]
fn prompts_are_the_references() {
    parity::text(&TINY, &embeddings());
}

#[test]
fn sounds_are_the_references() {
    parity::audio(&TINY, &embeddings(), &["synth_0p5s", "synth_1s", "synth_5s", "synth_12p3s"]);
}

#[test]
fn channels_are_summed_behind_the_pooling() {
    let stereo = [golden::audio("stereo_2s", 2)];
    parity::check_audio(&TINY, &stereo, "audio_stereo_2s", &embeddings(), Tolerance::ILL_CONDITIONED);
}

#[test]
fn any_length_from_one_sample_on_is_framed_as_the_reference_does() {
    let samples = golden::audio("synth_5s", 1).remove(0);
    for length in [1, 2, 560, 1653, 1654, 1655, 2215, 2216, 44_100] {
        let clip = [vec![samples[..length].to_vec()]];
        parity::check_audio(&TINY, &clip, &format!("len{length}"), &embeddings(), Tolerance::ORDINARY);
    }
}

#[test]
fn logits_are_the_references() {
    parity::logits(&TINY, &embeddings());
}

#[test]
fn the_first_of_two_end_markers_is_pooled_and_nothing_behind_it_matters() {
    let embed = |ids: &[u32]| TINY.embed_text(&[ids]).unwrap();
    let plain = embed(&[49406, 2368, 49407]);
    Tolerance::EXACT.check("second marker", &embed(&[49406, 2368, 49407, 1929, 49407]), &plain);
    let mut padded = vec![49406, 2368, 49407];
    padded.resize(77, 0);
    Tolerance::EXACT.check("padding", &embed(&padded), &plain);
}

#[test]
fn clips_of_different_shapes_share_a_call() {
    let short = golden::audio("synth_0p5s", 1);
    let stereo = golden::audio("stereo_2s", 2);
    let clips: [&[Vec<f32>]; 4] = [&short, &stereo, &short, &short];
    let together = TINY.embed_audio(&clips).unwrap();
    let singly: Vec<_> = clips.iter().flat_map(|clip| TINY.embed_audio(&[clip]).unwrap()).collect();
    Tolerance::EXACT.check("mixed shapes", &together, &singly);
}

#[test]
fn inputs_that_do_not_fit_are_refused_by_name() {
    let check = |result: Result<_, ModelError>, expected: &str| {
        let error = result.map(|_: Vec<Vec<f32>>| ()).unwrap_err().to_string();
        assert!(error.contains(expected), "{expected:?} in {error:?}");
    };
    check(TINY.embed_text(&[&[49406, 49407], &[]]), "prompt 1 has 0 ids");
    check(TINY.embed_text(&[&[0; 78]]), "prompt 0 has 78 ids, expected 1 to 77");
    check(TINY.embed_text(&[&[49408]]), "id 49408, expected ids below 49408");
    check(TINY.embed_images(&[&[0.0; 12]]), "a picture has 12 values, expected 150528");
    check(TINY.embed_audio(&[&[]]), "clip 0 needs at least one channel and one sample");
    check(TINY.embed_audio(&[&[vec![]]]), "clip 0 needs at least one channel and one sample");
    check(TINY.embed_audio(&[&[vec![0.0], vec![0.0, 1.0]]]), "channels of equal length");
    check(TINY.embed_audio(&[&[vec![0.0, f32::NAN]]]), "not finite, at 1");
    check(TINY.embed_audio(&[&[vec![1e25; 2000]]]), "overflows");
    assert!(TINY.embed_text(&[]).unwrap().is_empty() && TINY.embed_audio(&[]).unwrap().is_empty());
}
