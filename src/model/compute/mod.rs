//! The towers' layers on processors: what candle would do one by one, with packed weights and activations that stay
//! where they are.
//!
//! Activations are `[batch, height, width, channels]` with a border of zeros, so that no convolution copies its input;
//! all that is linear is a convolution. Owns the order of layers and the memory between them. Invariants: results do
//! not depend on how many threads there are, nor on what else is in the batch. Does not know files: weights come with
//! norms folded in, or from a `VarBuilder`.
//!
//! `kernels` multiplies, `conv` packs and lays out, with `winograd` for what is computed in patches, `ops` has what is
//! between convolutions; `sounds`, `pictures`, `pooling`, `words` and `spectrum` are the towers' parts.

mod conv;
mod elementary;
mod kernels;
mod maps;
mod ops;
mod pictures;
mod pooling;
mod sounds;
mod spectrum;
#[cfg(test)]
mod tests;
mod winograd;
mod words;

use candle_core::{CpuStorage, CudaStorage, CustomOp1, DType, Device, Result};
use candle_nn::{Conv2d, VarBuilder};
use half::bf16;

use self::conv::{Conv, Shape};
use self::kernels::{HALF_PANEL, Kernels, Number};
use self::maps::{Layout, Map, Pool, Size};
use self::pictures::Pictures;
use self::pooling::Attended;
use self::sounds::Sounds;
use self::words::Words;
use super::Precision;
use super::config::{TextConfig, VisualConfig};
#[cfg(any(feature = "cuda", test))]
use super::cuda;
use super::layers::Bottleneck;

pub(super) use self::sounds::AttentionLayers;
pub(super) use self::spectrum::Spectrum;

/// What layers are computed by.
#[derive(Clone, Copy)]
pub(super) enum Arithmetic {
    /// candle, layer by layer; what goes between convolutions is of this type.
    Candle(DType),
    /// Activations and weights are f32.
    Single(&'static Kernels<f32>),
    /// Activations and weights are bfloat16, sums f32.
    Half(Pair<bf16>),
    /// The same for convolutions, which a GPU computes; candle computes all else. It makes an operation of a tower's
    /// layers.
    #[cfg(any(feature = "cuda", test))]
    Cuda(fn(cuda::Tower, &Device) -> Result<Packed>),
}

impl Arithmetic {
    /// The fastest that there is on a device for a model of this precision. One of half precision is computed in f32
    /// where a processor has nothing for less.
    pub(super) fn best(precision: Precision, device: &Device) -> Self {
        if !device.is_cpu() {
            return Self::best_beside(precision, device);
        }
        let (single, half) = (Kernels::<f32>::best(), Kernels::<bf16>::best());
        let arithmetic = match (single, half.filter(|_| precision == Precision::Half)) {
            (Some(stem), Some(body)) => Self::Half(Pair { stem, body }),
            (Some(kernels), None) => Self::Single(kernels),
            (None, _) => Self::Candle(DType::F32),
        };
        tracing::debug!("layers are computed by {}", arithmetic.name());
        arithmetic
    }

    /// The fastest on a device that is no processor.
    fn best_beside(precision: Precision, device: &Device) -> Self {
        #[cfg(feature = "cuda")]
        if precision == Precision::Half && cuda::card::is_able(device) {
            return Self::Cuda(cuda::card::packed);
        }
        tracing::debug!("layers are computed by candle on {:?}", device.location());
        Self::Candle(if precision == Precision::Half { DType::BF16 } else { DType::F32 })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Candle(_) => "candle",
            #[cfg(any(feature = "cuda", test))]
            Self::Cuda(_) => "CUDA",
            Self::Single(kernels) => kernels.name,
            Self::Half(kernels) => kernels.body.name,
        }
    }

    /// The transform of the audio front-end, `basis [2 · bins, window]`; none if candle computes it. It is always f32.
    pub(super) fn spectrum(self, basis: &[f32], bins: usize) -> Option<Spectrum> {
        match self {
            Self::Single(kernels) => Some(Spectrum::new(kernels, basis, bins)),
            Self::Half(kernels) => Some(Spectrum::new(kernels.stem, basis, bins)),
            _ => None,
        }
    }

    /// The text tower's transformer, with its last norm; none if candle computes it.
    pub(super) fn words(self, config: &TextConfig, vb: &VarBuilder<'_>) -> Result<Option<Box<dyn Transformer>>> {
        Ok(match self {
            Self::Single(kernels) => Some(Box::new(Words::new(kernels, config, vb)?)),
            Self::Half(kernels) => Some(Box::new(Words::new(kernels.body, config, vb)?)),
            _ => None,
        })
    }

    /// The stack of the image tower up to its pooling, `[batch, 3, height, width]` → `[batch, pixels, channels]`; or
    /// what candle is to compute it in.
    pub(super) fn pictures(self, stem: &[Conv2d], blocks: &[Bottleneck]) -> Result<Stacked> {
        Ok(match self {
            Self::Candle(dtype) => Stacked::Candle(dtype),
            Self::Single(kernels) => Stacked::new(Pictures::new(Pair::of(kernels), stem, blocks)?),
            Self::Half(kernels) => Stacked::new(Pictures::new(kernels, stem, blocks)?),
            #[cfg(any(feature = "cuda", test))]
            Self::Cuda(packed) => {
                let tower = cuda::Tower::Pictures(cuda::Pictures::new(stem, blocks)?);
                Stacked::Packed(packed(tower, stem[0].weight().device())?)
            }
        })
    }

    /// The pooling of the image tower; none if candle computes it.
    pub(super) fn pooling(
        self,
        config: &VisualConfig,
        embed_dim: usize,
        vb: &VarBuilder<'_>,
    ) -> Result<Option<Box<dyn Pooling>>> {
        // Heads are groups of a convolution, and those that share a panel would be computed with zeros between them.
        let fits = (config.pooled_channels() / config.heads).is_multiple_of(HALF_PANEL);
        Ok(match self {
            Self::Single(kernels) if fits => Some(Box::new(Attended::new(kernels, config, embed_dim, vb)?)),
            Self::Half(kernels) if fits => Some(Box::new(Attended::new(kernels.body, config, embed_dim, vb)?)),
            _ => None,
        })
    }

    /// The stack of the audio tower up to its last layer, decibels `[signals, 3, rows, frames]` → gated means
    /// `[signals, 1, channels]`; or what candle is to compute it in.
    pub(super) fn sounds<'a>(
        self,
        stem: &Conv2d,
        stages: impl Iterator<Item = (&'a [Bottleneck], AttentionLayers<'a>)>,
        gate: &AttentionLayers<'_>,
    ) -> Result<Stacked> {
        Ok(match self {
            Self::Candle(dtype) => Stacked::Candle(dtype),
            Self::Single(kernels) => Stacked::new(Sounds::new(Pair::of(kernels), stem, stages, gate)?),
            Self::Half(kernels) => Stacked::new(Sounds::new(kernels, stem, stages, gate)?),
            #[cfg(any(feature = "cuda", test))]
            Self::Cuda(packed) => {
                let tower = cuda::Tower::Sounds(cuda::Sounds::new(stem, stages, gate)?);
                Stacked::Packed(packed(tower, stem.weight().device())?)
            }
        })
    }
}

/// Kernels of a stack of convolutions. The first layers are computed in f32 whatever the others are: what comes in, and
/// decibels above all, needs more digits than activations do.
#[derive(Clone, Copy)]
pub(super) struct Pair<T: 'static> {
    stem: &'static Kernels<f32>,
    body: &'static Kernels<T>,
}

impl Pair<f32> {
    fn of(kernels: &'static Kernels<f32>) -> Self {
        Self { stem: kernels, body: kernels }
    }
}

/// Layers over the tokens of prompts.
pub(super) trait Transformer: Send + Sync {
    /// `[prompts, positions, width]`, as one row of values, and the same after all layers.
    fn forward(&self, tokens: &[f32], positions: usize) -> Vec<f32>;
}

/// From the pixels of pictures to their vectors.
pub(super) trait Pooling: Send + Sync {
    /// `[batch, pixels, channels]` → `[batch, embed_dim]`.
    fn forward(&self, pixels: &[f32]) -> Vec<f32>;
}

/// A stack of convolutions that has been packed, or what candle is to compute it in.
pub(super) enum Stacked {
    Packed(Packed),
    Candle(DType),
}

impl Stacked {
    fn new(stack: impl Stack + 'static) -> Self {
        Self::Packed(Packed::new(Passes(Box::new(stack))))
    }
}

/// A stack of convolutions as one operation of candle: `[batch, 3, height, width]` → `[batch, pixels, channels]`.
pub(super) struct Packed(Box<dyn CustomOp1 + Send + Sync>);

impl Packed {
    pub(super) fn new(operation: impl CustomOp1 + Send + Sync + 'static) -> Self {
        Self(Box::new(operation))
    }
}

impl CustomOp1 for Packed {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &candle_core::Layout) -> Result<(CpuStorage, candle_core::Shape)> {
        self.0.cpu_fwd(storage, layout)
    }

    fn cuda_fwd(
        &self,
        storage: &CudaStorage,
        layout: &candle_core::Layout,
    ) -> Result<(CudaStorage, candle_core::Shape)> {
        self.0.cuda_fwd(storage, layout)
    }
}

/// Values that go through all layers before the next ones do: those of five seconds of sound, or of three pictures.
/// What is between layers then stays in caches, and in memory that is there already.
const VALUES_A_PASS: usize = 3 * 384 * 392;

/// A stack of convolutions on the processor, a pass after the other.
struct Passes(Box<dyn Stack>);

trait Stack: Send + Sync {
    /// `[batch, 3, height, width]` → `[batch, pixels, channels]`.
    fn forward(&self, planes: &[f32], height: usize, width: usize) -> Vec<f32>;

    /// Channels of what comes out.
    fn channels(&self) -> usize;
}

impl CustomOp1 for Passes {
    fn name(&self) -> &'static str {
        "packed convolutions"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &candle_core::Layout) -> Result<(CpuStorage, candle_core::Shape)> {
        let (begin, end) =
            layout.contiguous_offsets().ok_or(candle_core::Error::RequiresContiguous { op: "packed" })?;
        let (batch, _, height, width) = layout.shape().dims4()?;
        let image = 3 * height * width;
        let passes = storage.as_slice::<f32>()?[begin..end].chunks((VALUES_A_PASS / image).max(1) * image);
        let features: Vec<f32> = passes.flat_map(|planes| self.0.forward(planes, height, width)).collect();
        let channels = self.0.channels();
        let pixels = features.len() / (batch * channels);
        Ok((CpuStorage::F32(features), (batch, pixels, channels).into()))
    }
}

/// A residual block. Its stride is in the spatial convolution and the shortcut, or in an average pooling.
struct Block<T: 'static> {
    reduce: Conv<T>,
    spatial: Conv<T>,
    expand: Conv<T>,
    shortcut: Option<Conv<T>>,
    pooling: usize,
}

impl<T: Number> Block<T> {
    fn new(kernels: &'static Kernels<T>, layers: &Bottleneck) -> Result<Self> {
        let inner = layers.reduce.weight().dim(0)?;
        Ok(Self {
            reduce: packed(kernels, &layers.reduce, layers.reduce.weight().dim(1)?)?.rectified(),
            spatial: packed(kernels, &layers.spatial, inner)?.rectified(),
            expand: packed(kernels, &layers.expand, inner)?.rectified(),
            shortcut: layers.shortcut.as_ref().map(|conv| packed(kernels, conv, conv.weight().dim(1)?)).transpose()?,
            pooling: layers.pooling,
        })
    }

    fn forward(&self, x: &Map<T>, pool: &mut Pool<T>) -> Map<T> {
        let reduced = convolved(&self.reduce, x, 1, pool);
        let mut inner = convolved(&self.spatial, &reduced, 0, pool);
        pool.give_back(reduced);
        let mut skip = None;
        if self.pooling > 1 {
            let next = averaged(&inner, self.pooling, pool);
            pool.give_back(std::mem::replace(&mut inner, next));
            skip = Some(averaged(x, self.pooling, pool));
        }
        if let Some(shortcut) = &self.shortcut {
            let next = convolved(shortcut, skip.as_ref().unwrap_or(x), 0, pool);
            skip.replace(next).into_iter().for_each(|map| pool.give_back(map));
        }
        let output = joined(&self.expand, &inner, skip.as_ref().unwrap_or(x), pool);
        [Some(inner), skip].into_iter().flatten().for_each(|map| pool.give_back(map));
        output
    }
}

/// Averages of squares of `side` by `side`.
fn averaged<A: Number, B: Number>(x: &Map<A>, side: usize, pool: &mut Pool<B>) -> Map<B> {
    let Size { height, width, channels } = x.layout.size;
    let size = Size { height: height / side, width: width / side, channels };
    let mut output = pool.take(Layout::new::<B>(size, 0), x.images);
    ops::average(x, &mut output, side);
    output
}

/// A convolution of candle, packed for inputs of so many channels.
fn packed<T: Number>(kernels: &'static Kernels<T>, conv: &Conv2d, inputs: usize) -> Result<Conv<T>> {
    let (outputs, per_group, kernel, _) = conv.weight().dims4()?;
    let (stride, groups) = (conv.config().stride, inputs / per_group);
    let weights = conv.weight().flatten_all()?.to_vec1::<f32>()?;
    let bias = match conv.bias() {
        Some(bias) => bias.to_vec1::<f32>()?,
        None => vec![0.0; outputs],
    };
    Ok(Conv::new(kernels, Shape { inputs, outputs, kernel, stride, groups }, &weights, &bias, pixel::<T>(inputs)))
}

/// How far apart pixels of so many channels are.
fn pixel<T>(channels: usize) -> usize {
    if channels == PLANES { PLANES } else { Layout::new::<T>(Size { height: 1, width: 1, channels }, 0).pixel }
}

/// Channels of what comes in: colours, or bands.
const PLANES: usize = 3;

/// What comes in, `[batch, 3, height, width]`, as a map with a border.
fn incoming(planes: &[f32], height: usize, width: usize, border: usize, pool: &mut Pool<f32>) -> Map<f32> {
    let size = Size { height, width, channels: PLANES };
    let images = planes.len() / (PLANES * height * width);
    let mut map = pool.take(Layout::packed(size, border), images);
    ops::rows(&mut map, |image, row, values| {
        for (channel, plane) in planes.chunks_exact(height * width).skip(image * PLANES).take(PLANES).enumerate() {
            let line = &plane[row * width..][..width];
            values.iter_mut().skip(channel).step_by(PLANES).zip(line).for_each(|(value, &from)| *value = from);
        }
    });
    map
}

/// What comes out of a convolution, in a map with a border for the next one.
fn convolved<T: Number>(conv: &Conv<T>, input: &Map<T>, border: usize, pool: &mut Pool<T>) -> Map<T> {
    let mut output = pool.take(Layout::new::<T>(conv.size(input.layout.size), border), input.images);
    conv.apply(input, &mut output, None, pool);
    output
}

/// What comes out of a convolution, and `residual`.
fn joined<T: Number>(conv: &Conv<T>, input: &Map<T>, residual: &Map<T>, pool: &mut Pool<T>) -> Map<T> {
    let mut output = pool.take(Layout::new::<T>(conv.size(input.layout.size), 0), input.images);
    conv.apply(input, &mut output, Some(residual), pool);
    output
}

/// The channels of all pixels, without the room between them: `[batch, height · width, channels]`.
fn outgoing<T: Number>(map: &Map<T>) -> Vec<f32> {
    let Layout { size: Size { height, channels, .. }, pixel, .. } = map.layout;
    let rows = (0..map.images).flat_map(|image| (0..height).map(move |row| (image, row)));
    let pixels = rows.flat_map(|(image, row)| map.row(image, row).chunks_exact(pixel));
    pixels.flat_map(|values| &values[..channels]).map(|value| value.widened()).collect()
}
