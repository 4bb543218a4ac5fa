//! The image tower: CLIP's ModifiedResNet with attention pooling (SPEC 2).

use candle_core::{D, DType, Result, Tensor};
use candle_nn::{Conv2d, Linear, Module, VarBuilder};

use super::compute::{Arithmetic, Packed, Pooling, Stacked};
use super::config::VisualConfig;
use super::layers::{BlockShape, Bottleneck, ConvShape, conv_norm, conv_relu, for_candle, linear};

/// Images to embeddings.
pub(super) struct VisualTower {
    features: Features,
    pool: Pool,
}

enum Pool {
    Packed(Box<dyn Pooling>),
    Candle(AttentionPool),
}

/// Everything before the pooling.
enum Features {
    Packed(Packed),
    Candle { stem: [Conv2d; 3], blocks: Vec<Bottleneck>, dtype: DType },
}

impl VisualTower {
    pub(super) fn load(
        config: &VisualConfig,
        embed_dim: usize,
        vb: &VarBuilder<'_>,
        arithmetic: Arithmetic,
    ) -> Result<Self> {
        let (width, half) = (config.width, config.width / 2);
        let stem = [
            conv_norm(ConvShape::new(3, half, 3).stride(2), &vb.pp("conv1"), &vb.pp("bn1"))?,
            conv_norm(ConvShape::new(half, half, 3), &vb.pp("conv2"), &vb.pp("bn2"))?,
            conv_norm(ConvShape::new(half, width, 3), &vb.pp("conv3"), &vb.pp("bn3"))?,
        ];
        let mut blocks = Vec::new();
        let mut channels = width;
        for (stage, &count) in config.layers.iter().enumerate() {
            for block in 0..count {
                let inner = width << stage;
                // Average pooling does all the striding.
                let pooling = if stage > 0 && block == 0 { 2 } else { 1 };
                let shape = BlockShape { input: channels, inner, output: 4 * inner, stride: 1, pooling, groups: 1 };
                blocks.push(Bottleneck::load(shape, &vb.pp(format!("layer{}.{block}", stage + 1)))?);
                channels = shape.output;
            }
        }
        let features = match arithmetic.pictures(&stem, &blocks)? {
            Stacked::Packed(packed) => Features::Packed(packed),
            Stacked::Candle(dtype) => {
                let [first, second, third] = &stem;
                let stem = [for_candle(first, dtype)?, for_candle(second, dtype)?, for_candle(third, dtype)?];
                let blocks = blocks.iter().map(|block| block.for_candle(dtype)).collect::<Result<_>>()?;
                Features::Candle { stem, blocks, dtype }
            }
        };
        let vb = vb.pp("attnpool");
        let pool = match arithmetic.pooling(config, embed_dim, &vb)? {
            Some(pooling) => Pool::Packed(pooling),
            None => Pool::Candle(AttentionPool::load(config, embed_dim, &vb)?),
        };
        Ok(Self { features, pool })
    }

    /// `[batch, 3, resolution, resolution]` of CLIP-normalised RGB → `[batch, embed_dim]`, not normalised.
    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let pixels = match &self.features {
            Features::Packed(features) => x.apply_op1_no_bwd(features)?,
            Features::Candle { stem, blocks, dtype } => {
                let stem = stem.iter().try_fold(x.to_dtype(*dtype)?, |x, conv| conv_relu(conv, &x))?;
                let features = blocks.iter().try_fold(stem.avg_pool2d(2)?, |x, block| block.forward(&x))?;
                features.to_dtype(DType::F32)?.flatten_from(2)?.transpose(1, 2)?
            }
        };
        match &self.pool {
            Pool::Packed(pooling) => {
                let batch = pixels.dim(0)?;
                let vectors = pooling.forward(&pixels.flatten_all()?.to_vec1::<f32>()?);
                Tensor::from_vec(vectors, (batch, ()), pixels.device())
            }
            Pool::Candle(pool) => pool.forward(&pixels),
        }
    }
}

/// Multi-head attention over the pixels of the last stage and their mean, which alone asks (token 0).
///
/// As there is one query, keys and values need not be formed: what a head asks is taken to where the tokens are, and
/// what it sees of them is taken to where values are. A key's bias adds the same to all scores of a head, and is left
/// out.
struct AttentionPool {
    positions: Tensor,
    query: Linear,
    /// `[heads, channels / heads, channels]`.
    key: Tensor,
    /// `[heads, channels, channels / heads]`.
    value: Tensor,
    value_bias: Tensor,
    output: Linear,
    heads: usize,
}

impl AttentionPool {
    fn load(config: &VisualConfig, embed_dim: usize, vb: &VarBuilder<'_>) -> Result<Self> {
        let (channels, heads) = (config.pooled_channels(), config.heads);
        let tokens = config.pooled_side().pow(2) + 1;
        let by_head = |name: &str| vb.get((channels, channels), name)?.reshape((heads, channels / heads, channels));
        Ok(Self {
            positions: vb.get((tokens, channels), "positional_embedding")?,
            query: linear(channels, channels, &vb.pp("q_proj"))?,
            key: by_head("k_proj.weight")?,
            value: by_head("v_proj.weight")?.transpose(1, 2)?.contiguous()?,
            value_bias: vb.get(channels, "v_proj.bias")?,
            output: linear(channels, embed_dim, &vb.pp("c_proj"))?,
            heads,
        })
    }

    /// `[batch, pixels, channels]` → `[batch, embed_dim]`.
    fn forward(&self, pixels: &Tensor) -> Result<Tensor> {
        let tokens = Tensor::cat(&[&pixels.mean_keepdim(1)?, pixels], 1)?.broadcast_add(&self.positions)?;
        let (batch, _, channels) = tokens.dims3()?;
        let head_dim = channels / self.heads;
        let query = (self.query.forward(&tokens.narrow(1, 0, 1)?.squeeze(1)?)? / (head_dim as f64).sqrt())?;
        let query = query.reshape((batch, self.heads, head_dim))?.transpose(0, 1)?.contiguous()?;
        let asked = query.matmul(&self.key)?.transpose(0, 1)?.contiguous()?;
        let scores = asked.matmul(&tokens.transpose(1, 2)?.contiguous()?)?;
        let seen = candle_nn::ops::softmax(&scores, D::Minus1)?.matmul(&tokens)?;
        let pooled = seen.transpose(0, 1)?.contiguous()?.matmul(&self.value)?.transpose(0, 1)?;
        self.output.forward(&pooled.reshape((batch, channels))?.broadcast_add(&self.value_bias)?)
    }
}
