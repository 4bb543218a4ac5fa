//! A model together with its preprocessing: decoded media and words in, vectors out.
//!
//! Owns the path from media and prompts to the model. Invariant: nothing reaches the model that has not gone through
//! [`preprocess`](crate::preprocess). Does not know files, nor where models are kept.

mod agreement;

use std::path::Path;

use crate::media::{MediaKind, RgbImage};
use crate::model::file::ModelFile;
use crate::model::{AudioClip, DeviceChoice, ModelError, RawEmbedding};
use crate::preprocess::audio as protocol;
use crate::preprocess::image::normalised_planes;
use crate::preprocess::tokens::{Overflow, TokenError, TokenIds, Tokenizer};

pub use agreement::{Probe, agreement};

/// Media in the form that the model takes.
#[derive(Debug, Clone, PartialEq)]
pub enum ModelInput {
    /// `[channel][sample]` at 44.1 kHz in int16 units.
    Audio(Vec<Vec<f32>>),
    /// `[3, resolution, resolution]` of CLIP-normalised RGB.
    Image(Vec<f32>),
}

impl ModelInput {
    /// A whole mono sound at 44.1 kHz, at its own level.
    pub fn whole(mut mono: Vec<f32>) -> Self {
        protocol::to_model_units(&mut mono);
        Self::Audio(vec![mono])
    }

    /// A mono sound at 44.1 kHz as in the evaluation on ESC-50: padded or cropped to five seconds.
    pub fn esc50(mono: &[f32]) -> Self {
        Self::Audio(vec![protocol::esc50(mono)])
    }

    /// `[channel][sample]` at 44.1 kHz as in the evaluation on UrbanSound8K: two channels, four seconds, full scale.
    pub fn us8k(channels: &[Vec<f32>]) -> Self {
        Self::Audio(protocol::us8k(channels))
    }

    /// A picture for a model whose pictures have `resolution` rows and columns.
    pub fn image(image: &RgbImage, resolution: u32) -> Self {
        Self::Image(normalised_planes(image, resolution))
    }

    /// What it is.
    pub fn kind(&self) -> MediaKind {
        match self {
            Self::Audio(_) => MediaKind::Audio,
            Self::Image(_) => MediaKind::Image,
        }
    }
}

/// A loaded model that takes media and words as they are.
///
/// ```no_run
/// use earmark::embed::{Embedder, ModelInput};
/// use earmark::embedding::Embedding;
/// use earmark::model::DeviceChoice;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let embedder = Embedder::load("audioclip-full.safetensors".as_ref(), DeviceChoice::Auto)?;
/// let words = embedder.embed_text(&[embedder.tokenize("creaky wooden door")?])?;
/// let second_of_silence = embedder.embed(&[ModelInput::whole(vec![0.0; 44_100])])?;
/// let alike = Embedding::normalized(&words[0])?.cosine(&Embedding::normalized(&second_of_silence[0])?);
/// assert!((-1.0..=1.0).contains(&alike));
/// # Ok(())
/// # }
/// ```
pub struct Embedder {
    model: AudioClip,
    tokenizer: Tokenizer,
}

impl Embedder {
    /// Loads the model file at `path`.
    pub fn load(path: &Path, device: DeviceChoice) -> Result<Self, ModelError> {
        Self::from_file(ModelFile::open(path)?, device)
    }

    /// Loads a model file that has been opened.
    pub fn from_file(file: ModelFile, device: DeviceChoice) -> Result<Self, ModelError> {
        Ok(Self { model: AudioClip::from_file(file, device)?, tokenizer: Tokenizer::new() })
    }

    /// The model behind it.
    pub fn model(&self) -> &AudioClip {
        &self.model
    }

    /// A picture as the model takes it.
    pub fn image_input(&self, image: &RgbImage) -> ModelInput {
        ModelInput::image(image, self.resolution())
    }

    /// Rows and columns of a picture as the model takes it.
    pub fn resolution(&self) -> u32 {
        let resolution = u32::try_from(self.model.metadata().config.visual.resolution);
        resolution.expect("a configuration's dimensions are bounded")
    }

    /// One vector for each input, in order.
    pub fn embed(&self, inputs: &[ModelInput]) -> Result<Vec<RawEmbedding>, ModelError> {
        let mut vectors = Vec::with_capacity(inputs.len());
        for alike in inputs.chunk_by(|a, b| a.kind() == b.kind()) {
            vectors.extend(match alike[0].kind() {
                MediaKind::Audio => self.model.embed_audio(&collect(alike, |input| match input {
                    ModelInput::Audio(channels) => Some(channels.as_slice()),
                    ModelInput::Image(_) => None,
                }))?,
                MediaKind::Image => self.model.embed_images(&collect(alike, |input| match input {
                    ModelInput::Image(planes) => Some(planes.as_slice()),
                    ModelInput::Audio(_) => None,
                }))?,
            });
        }
        Ok(vectors)
    }

    /// The token ids of a prompt; an error if it is longer than the model's context.
    pub fn tokenize(&self, prompt: &str) -> Result<TokenIds, TokenError> {
        self.tokenizer.encode(prompt)
    }

    /// The token ids of a prompt, cut to the model's context, and what was cut off.
    pub fn tokenize_truncated(&self, prompt: &str) -> (TokenIds, Option<Overflow>) {
        self.tokenizer.encode_truncated(prompt)
    }

    /// One vector for each prompt, in order.
    pub fn embed_text(&self, prompts: &[TokenIds]) -> Result<Vec<RawEmbedding>, ModelError> {
        self.model.embed_text(&prompts.iter().map(TokenIds::as_slice).collect::<Vec<_>>())
    }
}

fn collect<'a, T: ?Sized>(inputs: &'a [ModelInput], pick: impl Fn(&'a ModelInput) -> Option<&'a T>) -> Vec<&'a T> {
    inputs.iter().filter_map(pick).collect()
}
