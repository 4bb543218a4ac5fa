//! The comparison of a model with the reference's golden vectors, the same for every profile.

use earmark::embedding::Embedding;
use earmark::model::{AudioClip, ModalityPair, RawEmbedding};

use super::golden::{self, Golden, Tolerance};

/// Prompts that the golden data has vectors for; the last row of tokens is one that is too long.
const PROMPTS: usize = 23;

pub fn images(model: &AudioClip, golden: &Golden) {
    let images = golden::images();
    let planes: Vec<&[f32]> = images.iter().map(Vec::as_slice).collect();
    let together = model.embed_images(&planes).unwrap();
    Tolerance::EXACT.check("images", &together, &golden.rows("image_demo.emb", 4));
    let singly: Vec<RawEmbedding> = planes.iter().flat_map(|plane| model.embed_images(&[plane]).unwrap()).collect();
    Tolerance::EXACT.check("images in a batch", &together, &singly);
}

pub fn text(model: &AudioClip, golden: &Golden) {
    let tokens = golden::tokens();
    let rows: Vec<&[u32]> = tokens.iter().take(PROMPTS).map(Vec::as_slice).collect();
    let together = model.embed_text(&rows).unwrap();
    Tolerance::EXACT.check("prompts", &together, &golden.rows("text.emb", PROMPTS));
    let singly: Vec<RawEmbedding> = rows.iter().flat_map(|row| model.embed_text(&[row]).unwrap()).collect();
    Tolerance::EXACT.check("prompts in a batch", &together, &singly);
}

/// Clips that the golden data has vectors for, with their tolerance; the second demo clip is 35 % digital silence.
pub fn audio(model: &AudioClip, golden: &Golden, mono: &[&str]) {
    let demo: Vec<Vec<Vec<f32>>> = golden::audio("demo", 2).into_iter().map(|clip| vec![clip]).collect();
    let unit = |clip: &Vec<Vec<f32>>| vec![clip[0].iter().map(|sample| sample / 32768.0).collect()];
    let unit: Vec<Vec<Vec<f32>>> = demo.iter().map(unit).collect();
    check_audio(model, &demo, "audio_demo", golden, Tolerance::ORDINARY);
    check_audio(model, &unit, "audio_demo_unit", golden, Tolerance::ILL_CONDITIONED);
    for name in mono {
        let clips = [golden::audio(name, 1)];
        check_audio(model, &clips, &format!("audio_{name}"), golden, Tolerance::ORDINARY);
    }
    for (seconds, name) in [(1, "audio_silence_1s"), (5, "audio_silence_5s")] {
        let silence = [vec![vec![0.0; seconds * 44_100]]];
        check_audio(model, &silence, name, golden, Tolerance::ILL_CONDITIONED);
    }
    let mixed: Vec<&[Vec<f32>]> = [&demo[0], &demo[1], &unit[0]].map(Vec::as_slice).to_vec();
    let singly: Vec<RawEmbedding> = mixed.iter().flat_map(|clip| model.embed_audio(&[clip]).unwrap()).collect();
    Tolerance::EXACT.check("sounds in a batch", &model.embed_audio(&mixed).unwrap(), &singly);
}

pub fn check_audio(model: &AudioClip, clips: &[Vec<Vec<f32>>], name: &str, golden: &Golden, tolerance: Tolerance) {
    let clips: Vec<&[Vec<f32>]> = clips.iter().map(Vec::as_slice).collect();
    let vectors = model.embed_audio(&clips).unwrap();
    tolerance.check(name, &vectors, &golden.rows(&format!("{name}.emb"), clips.len()));
}

/// Logits of golden vectors: the three scales and their clamp (SPEC 5).
pub fn logits(model: &AudioClip, golden: &Golden) {
    let unit = |name: &str, rows| -> Vec<Embedding> {
        golden.rows(name, rows).iter().map(|row| Embedding::normalized(row).unwrap()).collect()
    };
    let (audio, image, text) = (unit("audio_demo.emb", 2), unit("image_demo.emb", 4), unit("text.emb", PROMPTS));
    let check = |pair, from: &[Embedding], to: &[Embedding], name: &str| {
        let scale = model.scales().of(pair).unwrap();
        let logits: Vec<Vec<f32>> = from.iter().map(|a| to.iter().map(|b| scale * a.cosine(b)).collect()).collect();
        Tolerance::EXACT.check(name, &logits, &golden.rows(name, from.len()));
    };
    check(ModalityPair::AudioImage, &audio, &image, "logits.audio_image");
    check(ModalityPair::AudioText, &audio, &text, "logits.audio_text");
    check(ModalityPair::ImageText, &image, &text, "logits.image_text");
    check(ModalityPair::AudioText, &audio, &text[..5], "ref_forward.audio_text");
    let scales = model.scales();
    let effective = vec![vec![scales.audio_image.unwrap(), scales.audio_text.unwrap(), scales.image_text]];
    Tolerance::EXACT.check("scales", &effective, &golden.rows("scales", 1));
}
