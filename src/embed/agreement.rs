//! What half precision does to a model's vectors.

use std::path::Path;

use super::{Embedder, ModelInput};
use crate::media::RgbImage;
use crate::model::{Agreement, AudioClip, ModelError, RawEmbedding};
use crate::preprocess::tokens::Tokenizer;

/// Something that vectors are compared for.
#[derive(Debug, Clone)]
pub struct Probe {
    /// One channel at 44.1 kHz.
    pub sound: Vec<f32>,
    /// Of any size.
    pub picture: RgbImage,
    /// A prompt, cut if it is too long.
    pub words: String,
}

/// Computes the vectors of all probes in f32 and in half precision, on the processor.
pub fn agreement(model: &Path, probes: &[Probe]) -> Result<Agreement, ModelError> {
    let [single, half] =
        AudioClip::in_both_precisions(model)?.map(|model| Embedder { model, tokenizer: Tokenizer::new() });
    let inputs = |input: fn(&Embedder, &Probe) -> ModelInput| {
        let inputs: Vec<_> = probes.iter().map(|probe| input(&single, probe)).collect();
        Ok::<_, ModelError>(least_ppm(&single.embed(&inputs)?, &half.embed(&inputs)?))
    };
    let prompts: Vec<_> = probes.iter().map(|probe| single.tokenize_truncated(&probe.words).0).collect();
    let hears = single.model.metadata().config.audio.is_some();
    Ok(Agreement {
        audio_ppm: hears.then(|| inputs(|_, probe| ModelInput::esc50(&probe.sound))).transpose()?,
        image_ppm: inputs(|embedder, probe| embedder.image_input(&probe.picture))?,
        text_ppm: least_ppm(&single.embed_text(&prompts)?, &half.embed_text(&prompts)?),
    })
}

/// The least cosine of two vectors of the same input, in millionths, rounded down.
#[expect(clippy::cast_sign_loss, reason = "what is below 0 counts as 0")]
fn least_ppm(exact: &[RawEmbedding], rounded: &[RawEmbedding]) -> u32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    let cosine = |(a, b): (&RawEmbedding, &RawEmbedding)| dot(a, b) / (dot(a, a) * dot(b, b)).sqrt();
    let least = exact.iter().zip(rounded).map(cosine).fold(1.0, f64::min);
    (least.max(0.0) * 1e6) as u32
}
