//! Media files to model inputs, several at a time and in order.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::ValueEnum;
use rayon::prelude::*;

use crate::config::Config;
use crate::decode::audio::{RecordingRequest, read_mono, read_recording};
use crate::decode::{Rotation, kind_of, read_image};
use crate::embed::{Embedder, ModelInput};
use crate::media::MediaKind;
use crate::model::RawEmbedding;
use crate::preprocess::audio::{SAMPLE_RATE_HZ, US8K_FRAMES};

/// What is done to the length and level of a sound before it is embedded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum AudioProtocol {
    /// The whole sound as it is, mono
    Whole,
    /// Mono, padded or cropped to 5 s, as in the evaluation on ESC-50
    Esc50,
    /// Two channels, the first 4 s, full scale, as in the evaluation on UrbanSound8K
    Us8k,
}

/// Files that are decoded, and then embedded, together.
const FILES_PER_CHUNK: usize = 16;

/// The vector of a file, or why there is none.
pub(super) type Embedded = anyhow::Result<(MediaKind, RawEmbedding)>;

/// Decodes and embeds `files`, giving each result to `take`, in order.
pub(super) fn embed_files(
    embedder: &Embedder,
    files: &[PathBuf],
    protocol: AudioProtocol,
    config: &Config,
    mut take: impl FnMut(&Path, Embedded) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    for chunk in files.chunks(FILES_PER_CHUNK) {
        let prepared: Vec<_> = chunk.par_iter().map(|path| prepare(embedder, path, protocol, config)).collect();
        let (inputs, failures): (Vec<_>, Vec<_>) = prepared.into_iter().map(split).unzip();
        let sound: Vec<ModelInput> = inputs.into_iter().flatten().collect();
        let mut vectors = embed_each(embedder, &sound).into_iter();
        for (path, failure) in chunk.iter().zip(failures) {
            let embedded = match failure {
                Some(error) => Err(error),
                None => vectors.next().expect("every input without a failure was embedded"),
            };
            take(path, embedded.with_context(|| path.display().to_string()))?;
        }
    }
    Ok(())
}

fn split(prepared: anyhow::Result<ModelInput>) -> (Option<ModelInput>, Option<anyhow::Error>) {
    match prepared {
        Ok(input) => (Some(input), None),
        Err(error) => (None, Some(error)),
    }
}

/// All together; if that fails, each by itself, so that one bad input costs only its own vector.
pub(super) fn embed_each(embedder: &Embedder, inputs: &[ModelInput]) -> Vec<Embedded> {
    let alone = |input: &ModelInput| {
        let vector = embedder.embed(std::slice::from_ref(input))?.remove(0);
        Ok((input.kind(), vector))
    };
    match embedder.embed(inputs) {
        Ok(vectors) => inputs.iter().zip(vectors).map(|(input, vector)| Ok((input.kind(), vector))).collect(),
        Err(_) => inputs.iter().map(alone).collect(),
    }
}

fn prepare(embedder: &Embedder, path: &Path, protocol: AudioProtocol, config: &Config) -> anyhow::Result<ModelInput> {
    match kind_of(path)? {
        MediaKind::Image => {
            let decoded = read_image(path, &config.limits.image, Rotation::Upright)?;
            warn_of_damage(path, decoded.damage.as_deref());
            Ok(embedder.image_input(&decoded.image))
        }
        MediaKind::Audio => prepare_sound(path, protocol, config),
    }
}

/// The samples of a sound file as the model hears them, before its window is chosen.
pub(super) fn read_sound(path: &Path, config: &Config) -> anyhow::Result<Vec<f32>> {
    let decoded = read_mono(path, SAMPLE_RATE_HZ, &config.limits.audio)?;
    warn_of_damage(path, decoded.damage.as_deref());
    Ok(decoded.samples)
}

fn prepare_sound(path: &Path, protocol: AudioProtocol, config: &Config) -> anyhow::Result<ModelInput> {
    if protocol == AudioProtocol::Us8k {
        let request = RecordingRequest { target_rate_hz: Some(SAMPLE_RATE_HZ), max_frames: Some(US8K_FRAMES as u64) };
        let decoded = read_recording(path, &request, &config.limits.audio)?;
        warn_of_damage(path, decoded.damage.as_deref());
        return Ok(ModelInput::us8k(&decoded.recording.channels));
    }
    let samples = read_sound(path, config)?;
    if protocol == AudioProtocol::Esc50 {
        return Ok(ModelInput::esc50(&samples));
    }
    let seconds = samples.len() as u64 / u64::from(SAMPLE_RATE_HZ);
    if seconds > config.limits.whole_clip_s {
        bail!(
            "too long to embed in one piece: {seconds} s, the limit is {} s (raise limits.whole_clip_s in the \
             configuration; memory grows with it)",
            config.limits.whole_clip_s
        );
    }
    Ok(ModelInput::whole(samples))
}

fn warn_of_damage(path: &Path, damage: Option<&str>) {
    if let Some(damage) = damage {
        tracing::warn!("{}: {damage}", path.display());
    }
}
