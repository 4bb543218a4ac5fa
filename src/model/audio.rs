//! The audio tower: the fbsp front-end, then a ResNeXt with attention blocks (SPEC 4).

use candle_core::{DType, Result, Tensor};
use candle_nn::{Conv2d, Linear, Module, VarBuilder};

use super::compute::{Arithmetic, AttentionLayers, Packed, Stacked};
use super::config::AudioConfig;
use super::fbsp::FrontEnd;
use super::layers::{
    BatchNorm, BlockShape, Bottleneck, ConvShape, adaptive_max_pool, conv_norm, conv_relu, convolve, for_candle,
    global_mean, linear,
};
use super::schema::attention_kernel;

/// Sounds to embeddings.
pub(super) struct AudioTower {
    pub(super) front_end: FrontEnd,
    pub(super) body: Body,
}

impl AudioTower {
    pub(super) fn load(
        config: &AudioConfig,
        embed_dim: usize,
        vb: &VarBuilder<'_>,
        arithmetic: Arithmetic,
    ) -> Result<Self> {
        Ok(Self {
            front_end: FrontEnd::load(config, vb, arithmetic)?,
            body: Body::load(config, embed_dim, vb, arithmetic)?,
        })
    }

    /// Clips of equal length and channel count, in int16 units at 44.1 kHz → `[clips, embed_dim]`, not normalised.
    pub(super) fn forward(&self, clips: &[&[Vec<f32>]]) -> Result<Tensor> {
        let channels = clips.first().map_or(1, |clip| clip.len());
        let signals: Vec<&[f32]> = clips.iter().flat_map(|clip| clip.iter().map(Vec::as_slice)).collect();
        self.body.forward(&self.front_end.forward(&signals)?, channels)
    }

    /// Frames of the spectrogram of a clip, which its cost is proportional to.
    pub(super) fn frames(&self, samples: usize) -> usize {
        self.front_end.frames(samples)
    }
}

/// Everything behind the spectrogram.
pub(super) struct Body {
    features: Features,
    output: Linear,
}

/// Everything before the last layer.
enum Features {
    Packed(Packed),
    Candle(Layers),
}

/// The layers, as candle computes them.
struct Layers {
    stem: Conv2d,
    stages: Vec<Stage>,
    /// The fifth attention block, which gates the pooled vector.
    gate: Attention,
    /// Of what goes between them.
    dtype: DType,
}

impl Body {
    fn load(config: &AudioConfig, embed_dim: usize, vb: &VarBuilder<'_>, arithmetic: Arithmetic) -> Result<Self> {
        let stem = conv_norm(ConvShape::new(3, config.width, 7).stride(2), &vb.pp("conv1"), &vb.pp("bn1"))?;
        let mut stages = Vec::new();
        let mut channels = config.width;
        for (index, &count) in config.layers.iter().enumerate() {
            let inner = (2 * config.width) << index;
            let output = 2 * inner;
            let attention = Attention::load(index + 1, channels, output, vb)?;
            let blocks = (0..count).map(|block| {
                let input = if block == 0 { channels } else { output };
                let stride = if index > 0 && block == 0 { 2 } else { 1 };
                let vb = vb.pp(format!("layer{}.{block}", index + 1));
                Bottleneck::load(BlockShape { input, inner, output, stride, pooling: 1, groups: config.groups }, &vb)
            });
            stages.push(Stage { blocks: blocks.collect::<Result<_>>()?, attention });
            channels = output;
        }
        let gate = Attention::load(5, channels, channels, vb)?;
        let layers = Layers { stem, stages, gate, dtype: DType::F32 };
        let stages = layers.stages.iter().map(|stage| (&stage.blocks[..], stage.attention.layers()));
        let features = match arithmetic.sounds(&layers.stem, stages, &layers.gate.layers())? {
            Stacked::Packed(packed) => Features::Packed(packed),
            Stacked::Candle(dtype) => Features::Candle(layers.for_candle(dtype)?),
        };
        Ok(Self { features, output: linear(channels, embed_dim, &vb.pp("fc"))? })
    }

    /// Decibels `[clips · channels, 3, rows, frames]` → `[clips, embed_dim]`; channels are summed (SPEC Q6).
    pub(super) fn forward(&self, decibels: &Tensor, channels: usize) -> Result<Tensor> {
        let pooled = match &self.features {
            Features::Packed(features) => decibels.apply_op1_no_bwd(features)?.squeeze(1)?,
            Features::Candle(layers) => layers.forward(decibels)?,
        };
        let (signals, width) = pooled.dims2()?;
        self.output.forward(&pooled.reshape((signals / channels, channels, width))?.sum(1)?)
    }
}

impl Layers {
    /// All but the first layer in another type: decibels need more digits than activations do.
    fn for_candle(self, dtype: DType) -> Result<Self> {
        let stages = self.stages.iter().map(|stage| {
            let blocks = stage.blocks.iter().map(|block| block.for_candle(dtype)).collect::<Result<_>>()?;
            Ok(Stage { blocks, attention: stage.attention.for_candle(dtype)? })
        });
        Ok(Self { stages: stages.collect::<Result<_>>()?, gate: self.gate.for_candle(dtype)?, stem: self.stem, dtype })
    }

    /// `[signals, 3, rows, frames]` → gated means `[signals, channels]`.
    fn forward(&self, decibels: &Tensor) -> Result<Tensor> {
        // Zeros stand in for the −inf padding of the max-pooling: after ReLU nothing is below them.
        let padded = conv_relu(&self.stem, decibels)?.pad_with_zeros(2, 1, 1)?.pad_with_zeros(3, 1, 1)?;
        let stem = padded.max_pool2d_with_stride(3, 2)?.to_dtype(self.dtype)?;
        let features = self.stages.iter().try_fold(stem, |x, stage| stage.forward(&x))?;
        let gate = self.gate.forward(&features, 1, 1)?.flatten_from(1)?;
        global_mean(&features.to_dtype(DType::F32)?)? * gate.to_dtype(DType::F32)?
    }
}

/// Residual blocks, and the attention that looks at what goes into them and gates what comes out.
struct Stage {
    blocks: Vec<Bottleneck>,
    attention: Attention,
}

impl Stage {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let output = self.blocks.iter().try_fold(x.clone(), |x, block| block.forward(&x))?;
        let (_, _, height, width) = output.dims4()?;
        output * self.attention.forward(x, height, width)?
    }
}

/// Max-pooling to a given size, a depthwise and a pointwise convolution, BatchNorm, and a sigmoid.
struct Attention {
    /// Kernel taps in row-major order, each `[1, channels, 1, 1]`.
    taps: Vec<Tensor>,
    /// `[1, channels, 1, 1]`.
    depth_bias: Tensor,
    kernel: [usize; 2],
    point: Conv2d,
}

impl Attention {
    /// Block `index` of the tower `vb`; the kernel follows from the index.
    fn load(index: usize, input: usize, output: usize, vb: &VarBuilder<'_>) -> Result<Self> {
        let vb = vb.pp(format!("att{index}"));
        let kernel @ [rows, columns] = attention_kernel(index);
        let depth = vb.get((input, 1, rows, columns), "conv_depth.weight")?.reshape((1, input, rows * columns))?;
        let taps = (0..rows * columns).map(|tap| depth.narrow(2, tap, 1)?.reshape((1, input, 1, 1)));
        let weight = vb.get((output, input, 1, 1), "conv_point.weight")?;
        let bias = vb.get(output, "conv_point.bias")?;
        let (weight, bias) = BatchNorm::load(output, &vb.pp("bn"))?.fold(&weight, Some(&bias))?;
        Ok(Self {
            taps: taps.collect::<Result<_>>()?,
            depth_bias: vb.get(input, "conv_depth.bias")?.reshape((1, input, 1, 1))?,
            kernel,
            point: Conv2d::new(weight, Some(bias), candle_nn::Conv2dConfig::default()),
        })
    }

    fn for_candle(&self, dtype: DType) -> Result<Self> {
        Ok(Self {
            taps: self.taps.iter().map(|tap| tap.to_dtype(dtype)).collect::<Result<_>>()?,
            depth_bias: self.depth_bias.to_dtype(dtype)?,
            kernel: self.kernel,
            point: for_candle(&self.point, dtype)?,
        })
    }

    fn layers(&self) -> AttentionLayers<'_> {
        AttentionLayers { taps: &self.taps, bias: &self.depth_bias, kernel: self.kernel, point: &self.point }
    }

    /// `[batch, input, H, W]` → gates in (0, 1), `[batch, output, height, width]`.
    fn forward(&self, x: &Tensor, height: usize, width: usize) -> Result<Tensor> {
        let pooled = adaptive_max_pool(x, height, width)?;
        candle_nn::ops::sigmoid(&convolve(&self.point, &self.depthwise(&pooled)?)?)
    }

    /// Convolves each channel by itself, as a sum of shifted products: candle would run one convolution a channel.
    fn depthwise(&self, x: &Tensor) -> Result<Tensor> {
        let [rows, columns] = self.kernel;
        let (_, _, height, width) = x.dims4()?;
        let padded = x.pad_with_zeros(2, rows / 2, rows / 2)?.pad_with_zeros(3, columns / 2, columns / 2)?;
        let mut sum = self.depth_bias.broadcast_as(x.shape())?;
        for (index, tap) in self.taps.iter().enumerate() {
            let shifted = padded.narrow(2, index / columns, height)?.narrow(3, index % columns, width)?;
            sum = (sum + shifted.broadcast_mul(tap)?)?;
        }
        Ok(sum)
    }
}
