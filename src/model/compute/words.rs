//! CLIP's text transformer (SPEC 3), over prompts of equal length.
//!
//! A token is a row of a map. Layers are convolutions by points: the weights of a short prompt are read once, and that
//! is what it costs.

use candle_core::Result;
use candle_nn::VarBuilder;
use rayon::prelude::*;

use super::conv::{Conv, Shape};
use super::elementary::{logistic, softmax};
use super::kernels::{Kernels, Number};
use super::maps::{Layout, Map, Memory, Pool, Size};
use super::{Transformer, convolved, joined, pixel};
use crate::model::config::TextConfig;

/// Added to variances (SPEC 1).
const LAYER_NORM_EPS: f32 = 1e-5;
/// Of QuickGELU, `x · σ(1.702 x)`.
const GELU_SLOPE: f32 = 1.702;
/// Fewer values than this are not worth a second thread.
const DIVIDED: usize = 1 << 15;

/// The layers, which keep activations as `T`.
pub(super) struct Words<T: 'static> {
    layers: Vec<Layer<T>>,
    last: Norm,
    heads: usize,
    width: usize,
    memory: Memory<T>,
}

struct Layer<T: 'static> {
    first: Norm,
    /// Queries, keys and values.
    ask: Conv<T>,
    answer: Conv<T>,
    second: Norm,
    widen: Conv<T>,
    narrow: Conv<T>,
}

impl<T: Number> Transformer for Words<T> {
    fn forward(&self, tokens: &[f32], positions: usize) -> Vec<f32> {
        self.memory.with(|pools| self.layers(tokens, positions, &mut pools.body))
    }
}

/// Weights and biases of LayerNorm.
struct Norm {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

impl<T: Number> Words<T> {
    /// Tensors of `vb` have OpenAI's names.
    pub(super) fn new(kernels: &'static Kernels<T>, config: &TextConfig, vb: &VarBuilder<'_>) -> Result<Self> {
        let width = config.width;
        let linear = |vb: VarBuilder<'_>, names: [&str; 2], inputs: usize, outputs: usize| {
            let weights = vb.get((outputs, inputs), names[0])?.flatten_all()?.to_vec1::<f32>()?;
            let bias = vb.get(outputs, names[1])?.to_vec1::<f32>()?;
            let shape = Shape { inputs, outputs, kernel: 1, stride: 1, groups: 1 };
            Ok::<_, candle_core::Error>(Conv::new(kernels, shape, &weights, &bias, pixel::<T>(inputs)))
        };
        let layer = |vb: VarBuilder<'_>| {
            Ok(Layer {
                first: Norm::load(width, &vb.pp("ln_1"))?,
                ask: linear(vb.pp("attn"), ["in_proj_weight", "in_proj_bias"], width, 3 * width)?,
                answer: linear(vb.pp("attn.out_proj"), ["weight", "bias"], width, width)?,
                second: Norm::load(width, &vb.pp("ln_2"))?,
                widen: linear(vb.pp("mlp.c_fc"), ["weight", "bias"], width, 4 * width)?,
                narrow: linear(vb.pp("mlp.c_proj"), ["weight", "bias"], 4 * width, width)?,
            })
        };
        let layers = (0..config.layers).map(|index| layer(vb.pp(format!("transformer.resblocks.{index}"))));
        Ok(Self {
            layers: layers.collect::<Result<_>>()?,
            last: Norm::load(width, &vb.pp("ln_final"))?,
            heads: config.heads,
            width,
            memory: Memory::default(),
        })
    }

    fn layers(&self, tokens: &[f32], positions: usize, pool: &mut Pool<T>) -> Vec<f32> {
        let size = Size { height: tokens.len() / self.width, width: 1, channels: self.width };
        let plain = Layout::new::<T>(size, 0);
        let mut x = pool.take(plain, 1);
        each_token(&mut x, |token, values| {
            let from = &tokens[token * self.width..][..self.width];
            values.iter_mut().zip(from).for_each(|(value, from)| *value = T::rounded(*from));
        });
        for layer in &self.layers {
            let mut normed = pool.take(plain, 1);
            layer.first.apply(&x, &mut normed);
            let asked = convolved(&layer.ask, &normed, 0, pool);
            self.attend(&asked, positions, &mut normed);
            let attended = joined(&layer.answer, &normed, &x, pool);
            layer.second.apply(&attended, &mut normed);
            let mut wide = convolved(&layer.widen, &normed, 0, pool);
            each_token(&mut wide, |_, values| values.iter_mut().for_each(|value| *value = quick_gelu(*value)));
            let next = joined(&layer.narrow, &wide, &attended, pool);
            let done = [normed, asked, attended, wide, std::mem::replace(&mut x, next)];
            done.into_iter().for_each(|map| pool.give_back(map));
        }
        let mut hidden = vec![0.0; tokens.len()];
        for (token, values) in hidden.chunks_exact_mut(self.width).enumerate() {
            self.last.of(x.row(0, token), values);
        }
        pool.give_back(x);
        hidden
    }

    /// Causal attention of each head of each prompt; `asked` has queries, keys and values.
    fn attend(&self, asked: &Map<T>, positions: usize, output: &mut Map<T>) {
        let head = self.width / self.heads;
        let count = asked.layout.size.height / positions * self.heads;
        let of = |number: usize| {
            let first = number / self.heads * positions;
            let part = |part: usize| {
                let begin = part * self.width + number % self.heads * head;
                let mut values = Vec::with_capacity(positions * head);
                for token in first..first + positions {
                    let row = &asked.row(0, token)[begin..begin + head];
                    values.extend(row.iter().map(|value| value.widened()));
                }
                values
            };
            causal(&part(0), &part(1), &part(2), head)
        };
        let mixed: Vec<Vec<f32>> = match count * positions * head < DIVIDED {
            true => (0..count).map(of).collect(),
            false => (0..count).into_par_iter().map(of).collect(),
        };
        each_token(output, |token, values| {
            for (number, values) in values[..self.width].chunks_exact_mut(head).enumerate() {
                let from = &mixed[token / positions * self.heads + number][token % positions * head..][..head];
                values.iter_mut().zip(from).for_each(|(value, from)| *value = T::rounded(*from));
            }
        });
    }
}

/// What each position of a head makes of those up to it; all are `[positions, head]`.
fn causal(queries: &[f32], keys: &[f32], values: &[f32], head: usize) -> Vec<f32> {
    let positions = queries.len() / head;
    let scale = 1.0 / (head as f32).sqrt();
    // Channel by channel, so that loops run over positions.
    let mut turned = vec![0.0; keys.len()];
    for (position, key) in keys.chunks_exact(head).enumerate() {
        turned.iter_mut().skip(position).step_by(positions).zip(key).for_each(|(slot, value)| *slot = *value);
    }
    let mut mixed = vec![0.0; queries.len()];
    for (position, (query, mixed)) in queries.chunks_exact(head).zip(mixed.chunks_exact_mut(head)).enumerate() {
        let mut weights = vec![0.0; position + 1];
        for (channel, keys) in query.iter().zip(turned.chunks_exact(positions)) {
            weights.iter_mut().zip(keys).for_each(|(score, key)| *score += channel * scale * key);
        }
        softmax(&mut weights);
        for (weight, values) in weights.iter().zip(values.chunks_exact(head)) {
            mixed.iter_mut().zip(values).for_each(|(mixed, value)| *mixed += weight * value);
        }
    }
    mixed
}

/// Calls `work` with each token's values, those behind its channels included.
fn each_token<T: Number>(map: &mut Map<T>, work: impl Fn(usize, &mut [T]) + Sync) {
    let (pixel, len) = (map.layout.pixel, map.values.len());
    if len < DIVIDED {
        map.values.chunks_exact_mut(pixel).enumerate().for_each(|(token, values)| work(token, values));
    } else {
        map.values.par_chunks_exact_mut(pixel).enumerate().for_each(|(token, values)| work(token, values));
    }
}

impl Norm {
    fn load(width: usize, vb: &VarBuilder<'_>) -> Result<Self> {
        let vector = |name: &str| vb.get(width, name)?.to_vec1::<f32>();
        Ok(Self { weight: vector("weight")?, bias: vector("bias")? })
    }

    fn apply<T: Number>(&self, input: &Map<T>, output: &mut Map<T>) {
        each_token(output, |token, values| self.of(input.row(0, token), values));
    }

    fn of<A: Number, B: Number>(&self, values: &[A], output: &mut [B]) {
        let values = &values[..self.weight.len()];
        let count = values.len() as f32;
        let mean = sum(values, |value| value) / count;
        let variance = sum(values, |value| (value - mean) * (value - mean)) / count;
        let scale = 1.0 / (variance + LAYER_NORM_EPS).sqrt();
        let affine = self.weight.iter().zip(&self.bias);
        for (output, (value, (weight, bias))) in output.iter_mut().zip(values.iter().zip(affine)) {
            *output = B::rounded((value.widened() - mean) * scale * weight + bias);
        }
    }
}

/// The sum of what `of` makes of each value, in lanes that do not wait for each other.
fn sum<T: Number>(values: &[T], of: impl Fn(f32) -> f32) -> f32 {
    let mut sums = [0.0; 16];
    for values in values.chunks(sums.len()) {
        sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += of(value.widened()));
    }
    sums.iter().sum()
}

fn quick_gelu<T: Number>(x: T) -> T {
    let x = x.widened();
    T::rounded(x * logistic(GELU_SLOPE * x))
}
