//! The dimensions of a model: what its metadata says, or what the shapes of its tensors imply.
//!
//! Nothing here is hard-wired to the published AudioCLIP; [`ModelConfig::published`] is one value among others.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::ModelError;

/// Tensor names and shapes, as found in a checkpoint.
pub type Shapes = BTreeMap<String, Vec<usize>>;

/// Hop of the audio front-end in samples (SPEC 1). No tensor's shape shows it.
const PUBLISHED_HOP_SAMPLES: usize = 561;
/// CLIP's rule for attention heads: 64 channels each (SPEC 11). No tensor's shape shows it.
const HEAD_DIM: usize = 64;
/// Twenty times the published vocabulary, the largest dimension known; keeps products of dimensions from overflowing.
const MAX_DIMENSION: usize = 1 << 20;
/// Twenty times the blocks of the published model; keeps the list of tensors from being a burden.
const MAX_BLOCKS: usize = 1 << 10;
/// The visual tower halves its input five times before attention pooling.
const VISUAL_REDUCTION: usize = 32;

/// Dimensions of all towers. A model without an audio tower is an ordinary CLIP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// Dimension of the shared space.
    pub embed_dim: usize,
    /// The text tower.
    pub text: TextConfig,
    /// The image tower.
    pub visual: VisualConfig,
    /// The audio tower; absent in plain CLIP checkpoints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio: Option<AudioConfig>,
}

/// The causal transformer over token ids (SPEC 3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextConfig {
    /// Positions, start and end marker included.
    pub context: usize,
    /// Token ids.
    pub vocab: usize,
    /// Channels.
    pub width: usize,
    /// Attention heads.
    pub heads: usize,
    /// Residual blocks.
    pub layers: usize,
}

/// The ModifiedResNet with attention pooling (SPEC 2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VisualConfig {
    /// Side of the square input in pixels.
    pub resolution: usize,
    /// Channels after the stem; stage `i` has bottlenecks of `width · 2^i` and outputs of four times that.
    pub width: usize,
    /// Bottleneck blocks in each stage.
    pub layers: [usize; 4],
    /// Heads of the attention pooling.
    pub heads: usize,
}

/// The fbsp front-end and the ResNeXt body with attention blocks (SPEC 4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AudioConfig {
    /// Length of the learned transform; it has `n_fft / 2 + 1` filters.
    pub n_fft: usize,
    /// Distance of two frames in samples.
    pub hop_samples: usize,
    /// Length of a frame in samples.
    pub window_samples: usize,
    /// Channels after the stem; stage `i` has grouped convolutions of `2 · width · 2^i` and outputs of twice that.
    pub width: usize,
    /// Bottleneck blocks in each stage.
    pub layers: [usize; 4],
    /// Groups of the 3×3 convolutions.
    pub groups: usize,
}

impl ModelConfig {
    /// The published AudioCLIP (SPEC 1).
    pub fn published() -> Self {
        Self {
            embed_dim: 1024,
            text: TextConfig { context: 77, vocab: 49408, width: 512, heads: 8, layers: 12 },
            visual: VisualConfig { resolution: 224, width: 64, layers: [3, 4, 6, 3], heads: 32 },
            audio: Some(AudioConfig {
                n_fft: 2048,
                hop_samples: PUBLISHED_HOP_SAMPLES,
                window_samples: 1654,
                width: 64,
                layers: [3, 4, 6, 3],
                groups: 32,
            }),
        }
    }

    /// The small configuration of the golden data, whose text heads break the rule of 64 channels a head.
    pub fn golden_tiny() -> Self {
        Self {
            embed_dim: 1024,
            text: TextConfig { context: 77, vocab: 49408, width: 64, heads: 2, layers: 2 },
            visual: VisualConfig { resolution: 224, width: 8, layers: [1, 2, 2, 1], heads: 4 },
            audio: Some(AudioConfig {
                n_fft: 2048,
                hop_samples: PUBLISHED_HOP_SAMPLES,
                window_samples: 1654,
                width: 8,
                layers: [1, 2, 2, 1],
                groups: 8,
            }),
        }
    }

    /// The configurations that shapes alone are enough to recognise.
    pub fn known() -> [Self; 2] {
        [Self::published(), Self::golden_tiny()]
    }

    /// Derives the configuration from tensor shapes, for checkpoints that carry no metadata.
    ///
    /// Heads and hop leave no trace in the shapes. If all else matches a known configuration, that one is taken;
    /// otherwise heads have 64 channels and the hop is the published one. `None` if a defining tensor is absent or of
    /// the wrong rank; the strict check of all tensors then tells which.
    pub fn infer(shapes: &Shapes) -> Option<Self> {
        let inferred = Self {
            embed_dim: dim(shapes, "text_projection", 1)?,
            text: infer_text(shapes)?,
            visual: infer_visual(shapes)?,
            audio: if shapes.keys().any(|name| name.starts_with("audio.")) { Some(infer_audio(shapes)?) } else { None },
        };
        Some(Self::known().into_iter().find(|known| inferred.same_shapes(known)).unwrap_or(inferred))
    }

    /// Equal in everything that shapes can tell.
    fn same_shapes(&self, known: &Self) -> bool {
        let mut known = known.clone();
        known.text.heads = self.text.heads;
        known.visual.heads = self.visual.heads;
        if let (Some(known), Some(audio)) = (&mut known.audio, &self.audio) {
            known.hop_samples = audio.hop_samples;
        }
        *self == known
    }

    /// This configuration, if towers can be built from it.
    pub fn checked(self) -> Result<Self, ModelError> {
        match self.defect() {
            None => Ok(self),
            Some(defect) => Err(ModelError::Input(format!("impossible dimensions: {defect}"))),
        }
    }

    /// What in this configuration no tower can be built from, if anything.
    pub fn defect(&self) -> Option<&'static str> {
        let Self { embed_dim, text, visual, audio } = self;
        if self.largest_dimension() > MAX_DIMENSION {
            return Some("a dimension is beyond anything that could be a model");
        }
        if self.blocks() > MAX_BLOCKS {
            return Some("the layers are more than any model could have");
        }
        let text_ok = text.context >= 2 && text.vocab > 1 && divides(text.heads, text.width) && text.layers > 0;
        let visual_ok = visual.resolution > 0
            && visual.resolution.is_multiple_of(VISUAL_REDUCTION)
            && visual.width >= 2
            && visual.width.is_multiple_of(2)
            && divides(visual.heads, visual.pooled_channels())
            && !visual.layers.contains(&0);
        let audio_ok = audio.as_ref().is_none_or(|audio| {
            (audio.n_fft / 2 + 1) >= 3
                && audio.hop_samples > 0
                && (1..=audio.n_fft).contains(&audio.window_samples)
                && audio.width > 0
                && divides(audio.groups, 2 * audio.width)
                && !audio.layers.contains(&0)
        });
        match (*embed_dim > 0, text_ok, visual_ok, audio_ok) {
            (false, ..) => Some("embed_dim must not be 0"),
            (_, false, ..) => Some("text: needs at least one layer, two positions, and heads that divide the width"),
            (_, _, false, _) => {
                Some("visual: needs blocks in each stage, a resolution of 32·n, and heads that divide the channels")
            }
            (.., false) => Some("audio: needs blocks in each stage, a window within n_fft, and groups that divide"),
            _ => None,
        }
    }
}

impl ModelConfig {
    /// Blocks of all towers; each has a dozen tensors.
    fn blocks(&self) -> usize {
        let audio = self.audio.iter().flat_map(|audio| audio.layers);
        audio.chain(self.visual.layers).chain([self.text.layers]).fold(0, usize::saturating_add)
    }

    fn largest_dimension(&self) -> usize {
        let Self { embed_dim, text, visual, audio } = self;
        let mut all = vec![*embed_dim, text.context, text.vocab, text.width, text.layers, text.heads];
        all.extend([visual.resolution, visual.width, visual.heads]);
        all.extend(visual.layers);
        if let Some(audio) = audio {
            all.extend([audio.n_fft, audio.hop_samples, audio.window_samples, audio.width, audio.groups]);
            all.extend(audio.layers);
        }
        all.into_iter().max().unwrap_or(0)
    }
}

impl VisualConfig {
    /// Channels of the last stage, which the attention pooling takes.
    pub fn pooled_channels(&self) -> usize {
        32 * self.width
    }

    /// Side of the last stage's output.
    pub fn pooled_side(&self) -> usize {
        self.resolution / VISUAL_REDUCTION
    }
}

impl AudioConfig {
    /// Filters of the learned transform.
    pub fn filters(&self) -> usize {
        self.n_fft / 2 + 1
    }

    /// Rows of each of the three bands of the spectrogram (SPEC 4.4).
    pub fn band_rows(&self) -> usize {
        self.filters() / 3
    }

    /// Channels of the last stage.
    pub fn pooled_channels(&self) -> usize {
        32 * self.width
    }
}

fn divides(part: usize, whole: usize) -> bool {
    part > 0 && whole.is_multiple_of(part)
}

fn dim(shapes: &Shapes, name: &str, axis: usize) -> Option<usize> {
    shapes.get(name)?.get(axis).copied()
}

/// Counts `prefix0suffix`, `prefix1suffix`, … without a gap.
fn count(shapes: &Shapes, prefix: &str, suffix: &str) -> usize {
    (0..shapes.len()).take_while(|index| shapes.contains_key(&format!("{prefix}{index}{suffix}"))).count()
}

fn stages(shapes: &Shapes, tower: &str) -> [usize; 4] {
    [1, 2, 3, 4].map(|stage| count(shapes, &format!("{tower}.layer{stage}."), ".conv1.weight"))
}

fn infer_text(shapes: &Shapes) -> Option<TextConfig> {
    let width = dim(shapes, "positional_embedding", 1)?;
    Some(TextConfig {
        context: dim(shapes, "positional_embedding", 0)?,
        vocab: dim(shapes, "token_embedding.weight", 0)?,
        width,
        heads: (width / HEAD_DIM).max(1),
        layers: count(shapes, "transformer.resblocks.", ".ln_1.weight"),
    })
}

fn infer_visual(shapes: &Shapes) -> Option<VisualConfig> {
    let tokens = dim(shapes, "visual.attnpool.positional_embedding", 0)?;
    let width = dim(shapes, "visual.conv3.weight", 0)?;
    Some(VisualConfig {
        resolution: tokens.saturating_sub(1).isqrt() * VISUAL_REDUCTION,
        width,
        layers: stages(shapes, "visual"),
        heads: (32 * width / HEAD_DIM).max(1),
    })
}

fn infer_audio(shapes: &Shapes) -> Option<AudioConfig> {
    let grouped = shapes.get("audio.layer1.0.conv2.weight")?;
    Some(AudioConfig {
        n_fft: dim(shapes, "audio.fbsp.m", 0)?.saturating_sub(1) * 2,
        hop_samples: PUBLISHED_HOP_SAMPLES,
        window_samples: dim(shapes, "audio.window", 0)?,
        width: dim(shapes, "audio.conv1.weight", 0)?,
        layers: stages(shapes, "audio"),
        groups: grouped.first()? / grouped.get(1).filter(|&&per_group| per_group > 0)?,
    })
}
