//! The image tower's attention pooling (SPEC 2), whose only query is the mean pixel.
//!
//! With a single query neither keys nor values are needed of every token. The score of a token `t` is `q · (K t + b)`,
//! which is `(Kᵀ q) · t` but for a constant that softmax takes no notice of; and as weights add up to 1, the mean of
//! values `V t + b` is the value of the mean token.

use candle_core::Result;
use candle_nn::VarBuilder;
use rayon::prelude::*;

use super::conv::{Conv, Shape};
use super::elementary::softmax;
use super::kernels::{Kernels, Number};
use super::maps::{Layout, Memory, Pool, Size};
use super::{Pooling, convolved, pixel};
use crate::model::config::VisualConfig;

pub(super) struct Attended<T: 'static> {
    /// `[tokens, channels]`.
    positions: Vec<f32>,
    /// Divided by the root of a head's channels.
    query: Conv<T>,
    /// `Kᵀ` of each head.
    key: Conv<T>,
    value: Conv<T>,
    output: Conv<T>,
    heads: usize,
    channels: usize,
    memory: Memory<T>,
}

impl<T: Number> Attended<T> {
    pub(super) fn new(
        kernels: &'static Kernels<T>,
        config: &VisualConfig,
        embed_dim: usize,
        vb: &VarBuilder<'_>,
    ) -> Result<Self> {
        let (channels, heads) = (config.pooled_channels(), config.heads);
        let tokens = config.pooled_side().pow(2) + 1;
        let head = channels / heads;
        let values = |name: &str, shape: &[usize]| vb.get(shape, name)?.flatten_all()?.to_vec1::<f32>();
        let shape = |inputs, outputs, groups| Shape { inputs, outputs, kernel: 1, stride: 1, groups };
        let conv = |shape: Shape, weights: &[f32], bias: &[f32]| {
            Conv::new(kernels, shape, weights, bias, pixel::<T>(shape.inputs))
        };
        let scaled = |name: &str, shape: &[usize]| {
            let scale = 1.0 / (head as f32).sqrt();
            Ok::<_, candle_core::Error>(values(name, shape)?.into_iter().map(|it| it * scale).collect::<Vec<f32>>())
        };
        let key = vb.get((channels, channels), "k_proj.weight")?.reshape((heads, head, channels))?;
        let key = key.transpose(1, 2)?.flatten_all()?.to_vec1::<f32>()?;
        let all = heads * channels;
        Ok(Self {
            positions: values("positional_embedding", &[tokens, channels])?,
            query: conv(
                shape(channels, channels, 1),
                &scaled("q_proj.weight", &[channels, channels])?,
                &scaled("q_proj.bias", &[channels])?,
            ),
            key: conv(shape(channels, all, heads), &key, &vec![0.0; all]),
            value: conv(
                shape(all, channels, heads),
                &values("v_proj.weight", &[channels, channels])?,
                &values("v_proj.bias", &[channels])?,
            ),
            output: conv(
                shape(channels, embed_dim, 1),
                &values("c_proj.weight", &[embed_dim, channels])?,
                &values("c_proj.bias", &[embed_dim])?,
            ),
            heads,
            channels,
            memory: Memory::default(),
        })
    }

    fn pooled(&self, pixels: &[f32], pool: &mut Pool<T>) -> Vec<f32> {
        let image = self.positions.len() - self.channels;
        let tokens: Vec<f32> = pixels.par_chunks_exact(image).flat_map_iter(|pixels| self.tokens(pixels)).collect();
        let tokens_of = |image: usize| tokens.chunks_exact(self.positions.len()).nth(image).unwrap_or_default();
        let map = |channels: usize, pool: &mut Pool<T>| {
            let size = Size { height: pixels.len() / image, width: 1, channels };
            pool.take(Layout::new::<T>(size, 0), 1)
        };
        let mut asking = map(self.channels, pool);
        for ((_, row), values) in asking.rows_mut() {
            let rounded = tokens_of(row)[..self.channels].iter().map(|value| T::rounded(*value));
            values.iter_mut().zip(rounded).for_each(|(slot, value)| *slot = value);
        }
        let query = convolved(&self.query, &asking, 0, pool);
        let asked = convolved(&self.key, &query, 0, pool);
        let mut means = map(self.heads * self.channels, pool);
        for ((_, row), values) in means.rows_mut() {
            let queries = asked.row(0, row).chunks_exact(self.channels);
            let heads = values.par_chunks_exact_mut(self.channels).zip(queries.collect::<Vec<_>>());
            heads.for_each(|(mean, query)| attend(query, tokens_of(row), mean));
        }
        let values = convolved(&self.value, &means, 0, pool);
        let output = convolved(&self.output, &values, 0, pool);
        let vectors = super::outgoing(&output);
        [asking, query, asked, means, values, output].into_iter().for_each(|map| pool.give_back(map));
        vectors
    }

    /// The mean pixel and all pixels of an image, with their positions added.
    fn tokens(&self, pixels: &[f32]) -> Vec<f32> {
        let mut tokens = vec![0.0; self.channels];
        for pixel in pixels.chunks_exact(self.channels) {
            tokens.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += value);
        }
        let count = (pixels.len() / self.channels) as f32;
        tokens.iter_mut().for_each(|sum| *sum /= count);
        tokens.extend(pixels);
        tokens.iter_mut().zip(&self.positions).for_each(|(token, position)| *token += position);
        tokens
    }
}

impl<T: Number> Pooling for Attended<T> {
    fn forward(&self, pixels: &[f32]) -> Vec<f32> {
        self.memory.with(|pools| self.pooled(pixels, &mut pools.body))
    }
}

/// The mean of tokens, weighted by the softmax of their products with a query.
fn attend<T: Number>(query: &[T], tokens: &[f32], mean: &mut [T]) {
    let query: Vec<f32> = query.iter().map(|value| value.widened()).collect();
    let tokens = || tokens.chunks_exact(query.len());
    let mut weights: Vec<f32> = tokens().map(|token| dot(token, &query)).collect();
    softmax(&mut weights);
    let mut sums = vec![0.0; query.len()];
    for (token, weight) in tokens().zip(weights) {
        sums.iter_mut().zip(token).for_each(|(sum, value)| *sum += value * weight);
    }
    mean.iter_mut().zip(sums).for_each(|(mean, sum)| *mean = T::rounded(sum));
}

/// In lanes that do not wait for each other.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0; 16];
    for (a, b) in a.chunks(sums.len()).zip(b.chunks(sums.len())) {
        sums.iter_mut().zip(a.iter().zip(b)).for_each(|(sum, (a, b))| *sum += a * b);
    }
    sums.iter().sum()
}
