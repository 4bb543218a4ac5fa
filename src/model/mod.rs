//! AudioCLIP: words, pictures and sounds to vectors of one space, on candle.
//!
//! One file a tower. Owns the only use of candle; what comes in and goes out are plain slices and vectors.
//! Invariant: a model is loaded whole and checked, or not at all. Does not know media files, nor where models are kept.
//! `SPEC` in comments is the specification of AudioCLIP's inference that this module implements.

mod audio;
mod compute;
mod config;
#[cfg(any(feature = "cuda", test))]
mod cuda;
pub mod device;
mod error;
mod fbsp;
pub mod file;
mod layers;
mod precision;
pub mod scales;
pub mod schema;
mod storage;
mod text;
mod uploads;
mod visual;
pub mod weights;

use std::collections::HashMap;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use rayon::prelude::*;

pub use config::{AudioConfig, ModelConfig, Shapes, TextConfig, VisualConfig};
pub use device::DeviceChoice;
pub use error::{Defect, Defects, ModelError};
pub use precision::{Agreement, Precision};
pub use scales::{LogitScales, ModalityPair};
pub use storage::Weights;

use self::audio::AudioTower;
use self::compute::Arithmetic;
use self::file::{Metadata, ModelFile};
use self::text::TextTower;
use self::uploads::Uploads;
use self::visual::VisualTower;

/// Most spectrogram frames computed at once: sixteen clips of five seconds, 0.6 GB of activations in the published
/// model.
const FRAMES_PER_BATCH: usize = 16 * 392;
/// Most pictures computed at once: sixteen, and as many as keep all of a GPU busy there.
const IMAGES_PER_BATCH: usize = 16;
const IMAGES_PER_GPU_BATCH: usize = 32;
/// Memory of a GPU that a frame needs in the published model when candle computes it, which needs most.
const GPU_BYTES_PER_FRAME: usize = 1 << 19;
/// The same for a picture.
const GPU_BYTES_PER_IMAGE: usize = 1 << 26;
/// Prompts computed at once.
const TEXTS_PER_BATCH: usize = 64;

/// A vector as a tower puts it out: finite, not normalised.
pub type RawEmbedding = Vec<f32>;

/// A loaded model on its device.
pub struct AudioClip {
    metadata: Metadata,
    device: Device,
    text: TextTower,
    visual: VisualTower,
    audio: Option<AudioTower>,
    scales: LogitScales,
    uploads: Uploads,
    batches: Batches,
}

/// How much is computed at once.
struct Batches {
    frames: usize,
    images: usize,
}

impl Batches {
    /// Half of what a device has left may be taken: others use it too.
    fn on(device: &Device) -> Self {
        let Some(free) = device::free_bytes(device) else {
            return Self { frames: FRAMES_PER_BATCH, images: IMAGES_PER_BATCH };
        };
        Self {
            frames: (free / 2 / GPU_BYTES_PER_FRAME).clamp(1, FRAMES_PER_BATCH),
            images: (free / 2 / GPU_BYTES_PER_IMAGE).clamp(1, IMAGES_PER_GPU_BATCH),
        }
    }
}

impl AudioClip {
    /// Loads a model file that `earmark model import` wrote.
    pub fn load(path: &Path, device: DeviceChoice) -> Result<Self, ModelError> {
        Self::from_file(ModelFile::open(path)?, device)
    }

    /// Loads a model file that has been opened.
    pub fn from_file(file: ModelFile, device: DeviceChoice) -> Result<Self, ModelError> {
        let device = device::open(device)?;
        let arithmetic = Arithmetic::best(file.metadata().dtype, &device);
        Self::with_arithmetic(file, &device, arithmetic)
    }

    /// Loads a model file twice, to be run in f32 and in half precision, whatever it says of itself: on the processor,
    /// or in half precision on a GPU if only that is faster so.
    ///
    /// # Errors
    /// [`ModelError::NoHalfPrecision`] if neither is.
    pub fn in_both_precisions(path: &Path) -> Result<[Self; 2], ModelError> {
        let (mut half, mut device) = (Arithmetic::best(Precision::Half, &Device::Cpu), Device::Cpu);
        if !matches!(half, Arithmetic::Half(_)) {
            device = device::open(DeviceChoice::Auto)?;
            if device.is_cpu() {
                return Err(ModelError::NoHalfPrecision);
            }
            half = Arithmetic::best(Precision::Half, &device);
        }
        let load = |arithmetic, device: &Device| Self::with_arithmetic(ModelFile::open(path)?, device, arithmetic);
        let single = Arithmetic::best(Precision::Single, &Device::Cpu);
        Ok([load(single, &Device::Cpu)?, load(half, &device)?])
    }

    fn with_arithmetic(file: ModelFile, device: &Device, arithmetic: Arithmetic) -> Result<Self, ModelError> {
        let metadata = file.metadata().clone();
        let mut tensors = HashMap::new();
        file.read(|spec, values| {
            // An empty tensor carries nothing, and some devices cannot hold one.
            if !values.is_empty() {
                tensors.insert(spec.name, Tensor::from_vec(values, spec.shape, device)?);
            }
            Ok(())
        })?;
        Self::build(metadata, &VarBuilder::from_tensors(tensors, DType::F32, device), arithmetic)
    }

    fn build(metadata: Metadata, vb: &VarBuilder<'_>, arithmetic: Arithmetic) -> Result<Self, ModelError> {
        let config = &metadata.config;
        let scale = |name: &str| Ok::<_, ModelError>(scales::effective(vb.get((), name)?.to_scalar()?));
        let audio = config.audio.as_ref();
        Ok(Self {
            text: TextTower::load(&config.text, config.embed_dim, vb, arithmetic)?,
            visual: VisualTower::load(&config.visual, config.embed_dim, &vb.pp("visual"), arithmetic)?,
            audio: audio
                .map(|audio| AudioTower::load(audio, config.embed_dim, &vb.pp("audio"), arithmetic))
                .transpose()?,
            scales: LogitScales {
                audio_image: audio.map(|_| scale("logit_scale_ai")).transpose()?,
                audio_text: audio.map(|_| scale("logit_scale_at")).transpose()?,
                image_text: scale("logit_scale")?,
            },
            uploads: Uploads::new(vb.device())?,
            batches: Batches::on(vb.device()),
            device: vb.device().clone(),
            metadata,
        })
    }

    /// Configuration, identity and origin.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// How far apart the logits of each pair of modalities are.
    pub fn scales(&self) -> LogitScales {
        self.scales
    }

    /// Tells whether the device that it runs on is lost; `None` on a processor, which never is.
    pub fn loss_of_device(&self) -> Option<impl Fn() -> bool + Send + 'static> {
        let device = self.device.clone();
        (!device.is_cpu()).then_some(move || device::is_lost(&device))
    }

    /// Where it runs.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Learned numbers in it.
    pub fn parameters(&self) -> usize {
        schema::parameters(&schema::tensors(&self.metadata.config))
    }

    /// Rows of token ids, start and end marker included, to one vector each.
    pub fn embed_text(&self, rows: &[&[u32]]) -> Result<Vec<RawEmbedding>, ModelError> {
        let text = &self.metadata.config.text;
        for (index, ids) in rows.iter().enumerate() {
            if ids.is_empty() || ids.len() > text.context {
                let (got, context) = (ids.len(), text.context);
                return Err(ModelError::Input(format!("prompt {index} has {got} ids, expected 1 to {context}")));
            }
            if let Some(id) = ids.iter().find(|&&id| id as usize >= text.vocab) {
                return Err(ModelError::Input(format!(
                    "prompt {index} has id {id}, expected ids below {}",
                    text.vocab
                )));
            }
        }
        vectors_of(rows.chunks(TEXTS_PER_BATCH).map(|batch| Ok(self.text.forward(batch)?)))
    }

    /// Pictures, each `[3, resolution, resolution]` of CLIP-normalised RGB, to one vector each.
    pub fn embed_images(&self, planes: &[&[f32]]) -> Result<Vec<RawEmbedding>, ModelError> {
        let side = self.metadata.config.visual.resolution;
        if let Some(wrong) = planes.iter().find(|planes| planes.len() != 3 * side * side) {
            let (got, expected) = (wrong.len(), 3 * side * side);
            return Err(ModelError::Input(format!(
                "a picture has {got} values, expected {expected} (3·{side}·{side})"
            )));
        }
        vectors_of(in_batches(planes, self.batches.images).map(|batch| {
            let x = self.uploads.tensor((batch.len(), 3, side, side), |values| {
                values.par_chunks_exact_mut(3 * side * side).zip(batch).for_each(|(to, from)| to.copy_from_slice(from));
            })?;
            Ok(self.visual.forward(&x)?)
        }))
    }

    /// Clips at 44.1 kHz in int16 units, `clip[channel][sample]`, of any lengths, to one vector each.
    ///
    /// Consecutive clips of equal shape are computed together. Every sample must be finite: the tower would silently
    /// take anything else for digital silence (SPEC 12).
    pub fn embed_audio(&self, clips: &[&[Vec<f32>]]) -> Result<Vec<RawEmbedding>, ModelError> {
        let tower = self.audio.as_ref().ok_or(ModelError::NoTower("audio"))?;
        clips.iter().enumerate().try_for_each(|(index, clip)| check_clip(index, clip))?;
        let alike = clips.chunk_by(|a, b| shape(a) == shape(b));
        vectors_of(alike.flat_map(|alike| {
            let (channels, samples) = shape(alike[0]);
            let size = (self.batches.frames / (channels * tower.frames(samples))).max(1);
            in_batches(alike, size).map(|batch| Ok(tower.forward(batch)?))
        }))
    }
}

fn shape(clip: &[Vec<f32>]) -> (usize, usize) {
    (clip.len(), clip.first().map_or(0, Vec::len))
}

fn check_clip(index: usize, clip: &[Vec<f32>]) -> Result<(), ModelError> {
    let (channels, samples) = shape(clip);
    if channels == 0 || samples == 0 || clip.iter().any(|channel| channel.len() != samples) {
        let problem = format!("clip {index} needs at least one channel and one sample, and channels of equal length");
        return Err(ModelError::Input(problem));
    }
    match clip.iter().flatten().position(|sample| !sample.is_finite()) {
        Some(at) => {
            Err(ModelError::Input(format!("clip {index} has a sample that is not finite, at {}", at % samples)))
        }
        None => Ok(()),
    }
}

fn rows_of(vectors: &Tensor) -> Result<Vec<RawEmbedding>, ModelError> {
    let rows: Vec<RawEmbedding> = vectors.to_vec2()?;
    match rows.iter().flatten().all(|value| value.is_finite()) {
        true => Ok(rows),
        false => Err(ModelError::Input("the input's values are so large that its vector overflows".into())),
    }
}

/// Inputs in batches of a size. Of several the first is a small one: a GPU has nothing to do until it is there.
fn in_batches<T>(inputs: &[T], size: usize) -> impl Iterator<Item = &[T]> {
    let first = if inputs.len() > size { size.div_ceil(4) } else { inputs.len() };
    let (first, others) = inputs.split_at(first);
    std::iter::once(first).chain(others.chunks(size)).filter(|batch| !batch.is_empty())
}

/// The vectors of all batches. All are begun before the first is waited for: a GPU computes one while the next is on
/// its way.
fn vectors_of(batches: impl Iterator<Item = Result<Tensor, ModelError>>) -> Result<Vec<RawEmbedding>, ModelError> {
    let begun = batches.collect::<Result<Vec<_>, _>>()?;
    let ended = begun.iter().map(rows_of).collect::<Result<Vec<_>, _>>()?;
    Ok(ended.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests;
