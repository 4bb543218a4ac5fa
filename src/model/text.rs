//! The text tower: a causal transformer, pooled at the first end marker (SPEC 3).
//!
//! The transformer itself is packed, or candle-transformers' CLIP text model, which is given OpenAI's tensors under the
//! names it knows. This file stops at the last position that can matter, and projects.

use std::collections::HashMap;

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::clip::text_model::{Activation, ClipTextConfig, ClipTextTransformer};

use super::compute::{self, Arithmetic};
use super::config::TextConfig;

/// Token ids to embeddings.
pub(super) struct TextTower {
    transformer: Transformer,
    /// `[width, embed_dim]`.
    projection: Tensor,
    device: Device,
}

enum Transformer {
    Packed {
        layers: Box<dyn compute::Transformer>,
        /// `[vocab, width]`.
        tokens: Tensor,
        /// `[context, width]`.
        positions: Tensor,
    },
    Candle(ClipTextTransformer),
}

impl TextTower {
    pub(super) fn load(
        config: &TextConfig,
        embed_dim: usize,
        vb: &VarBuilder<'_>,
        arithmetic: Arithmetic,
    ) -> Result<Self> {
        let transformer = match arithmetic.words(config, vb)? {
            Some(layers) => Transformer::Packed {
                layers,
                tokens: vb.get((config.vocab, config.width), "token_embedding.weight")?,
                positions: vb.get((config.context, config.width), "positional_embedding")?,
            },
            None => Transformer::Candle(candles(config, embed_dim, vb)?),
        };
        Ok(Self {
            transformer,
            projection: vb.get((config.width, embed_dim), "text_projection")?,
            device: vb.device().clone(),
        })
    }

    /// Rows of ids, each not empty and within the context → `[rows, embed_dim]`, not normalised.
    ///
    /// Only positions up to the last pooled one of the batch are computed: what follows cannot be seen from there.
    pub(super) fn forward(&self, rows: &[&[u32]]) -> Result<Tensor> {
        let pooled: Vec<usize> = rows.iter().map(|ids| first_maximum(ids)).collect();
        let positions = pooled.iter().max().map_or(0, |last| last + 1);
        let ids: Vec<u32> = rows
            .iter()
            .flat_map(|ids| (0..positions).map(|position| ids.get(position).copied().unwrap_or(0)))
            .collect();
        let ids = Tensor::from_vec(ids, (rows.len(), positions), &self.device)?;
        let hidden = match &self.transformer {
            Transformer::Packed { layers, tokens, positions: added } => {
                let embedded = tokens.index_select(&ids.flatten_all()?, 0)?.reshape((rows.len(), positions, ()))?;
                let embedded = embedded.broadcast_add(&added.narrow(0, 0, positions)?)?;
                let hidden = layers.forward(&embedded.flatten_all()?.to_vec1::<f32>()?, positions);
                Tensor::from_vec(hidden, embedded.shape(), &self.device)?
            }
            Transformer::Candle(transformer) => transformer.forward_with_mask(&ids, usize::MAX)?,
        };
        let at_end: Vec<u32> = pooled.iter().enumerate().map(|(row, end)| (row * positions + end) as u32).collect();
        let at_end = Tensor::new(at_end, &self.device)?;
        hidden.flatten_to(1)?.index_select(&at_end, 0)?.matmul(&self.projection)
    }
}

/// The transformer as candle-transformers has it.
fn candles(config: &TextConfig, embed_dim: usize, vb: &VarBuilder<'_>) -> Result<ClipTextTransformer> {
    let renamed = VarBuilder::from_tensors(rename(config, vb)?, DType::F32, vb.device());
    let clip = ClipTextConfig {
        vocab_size: config.vocab,
        embed_dim: config.width,
        activation: Activation::QuickGelu,
        intermediate_size: 4 * config.width,
        max_position_embeddings: config.context,
        pad_with: None,
        num_hidden_layers: config.layers,
        num_attention_heads: config.heads,
        projection_dim: embed_dim,
    };
    ClipTextTransformer::new(renamed, &clip)
}

/// Position of the first end marker, which is the largest id.
fn first_maximum(ids: &[u32]) -> usize {
    let largest = ids.iter().max();
    ids.iter().position(|id| Some(id) == largest).unwrap_or(0)
}

fn rename(config: &TextConfig, vb: &VarBuilder<'_>) -> Result<HashMap<String, Tensor>> {
    let width = config.width;
    let mut tensors = HashMap::from([
        ("embeddings.token_embedding.weight".into(), vb.get((config.vocab, width), "token_embedding.weight")?),
        ("embeddings.position_embedding.weight".into(), vb.get((config.context, width), "positional_embedding")?),
        ("final_layer_norm.weight".into(), vb.get(width, "ln_final.weight")?),
        ("final_layer_norm.bias".into(), vb.get(width, "ln_final.bias")?),
    ]);
    for layer in 0..config.layers {
        let from = vb.pp(format!("transformer.resblocks.{layer}"));
        let to = format!("encoder.layers.{layer}");
        let weight = from.get((3 * width, width), "attn.in_proj_weight")?;
        let bias = from.get(3 * width, "attn.in_proj_bias")?;
        for (third, name) in ["q_proj", "k_proj", "v_proj"].iter().enumerate() {
            let rows = |packed: &Tensor| packed.narrow(0, third * width, width)?.contiguous();
            tensors.insert(format!("{to}.self_attn.{name}.weight"), rows(&weight)?);
            tensors.insert(format!("{to}.self_attn.{name}.bias"), rows(&bias)?);
        }
        let affine = [
            ("attn.out_proj", "self_attn.out_proj", vec![width, width]),
            ("ln_1", "layer_norm1", vec![width]),
            ("ln_2", "layer_norm2", vec![width]),
            ("mlp.c_fc", "mlp.fc1", vec![4 * width, width]),
            ("mlp.c_proj", "mlp.fc2", vec![width, 4 * width]),
        ];
        for (ours, theirs, shape) in affine {
            let bias = from.get(shape[0], &format!("{ours}.bias"))?;
            tensors.insert(format!("{to}.{theirs}.bias"), bias);
            tensors.insert(format!("{to}.{theirs}.weight"), from.get(shape, &format!("{ours}.weight"))?);
        }
    }
    Ok(tensors)
}
