//! The ResNeXt with attention blocks, from decibels to the pooled vector (SPEC 4.5).

use candle_core::{Result, Tensor};
use candle_nn::Conv2d;

use super::conv::Conv;
use super::elementary::logistic;
use super::kernels::{Kernels, Number};
use super::maps::{Layout, Map, Memory, Pool, Pools, Size};
use super::ops::{self, Depthwise};
use super::{Block, Pair, Stack, convolved, incoming, packed, pixel};
use crate::model::layers::Bottleneck;

/// The stem, the stages, and the gate of the pooled vector. Activations are kept as `T`.
pub(super) struct Sounds<T: 'static> {
    stem: Conv<f32>,
    stages: Vec<(Vec<Block<T>>, Attention<T>)>,
    gate: Attention<T>,
    kernels: &'static Kernels<T>,
    memory: Memory<T>,
}

/// An attention block's layers, with the norm folded in.
pub(in crate::model) struct AttentionLayers<'a> {
    /// The kernel's places, of all channels each.
    pub(in crate::model) taps: &'a [Tensor],
    pub(in crate::model) bias: &'a Tensor,
    pub(in crate::model) kernel: [usize; 2],
    pub(in crate::model) point: &'a Conv2d,
}

/// Max-pooling to a given size, a depthwise and a pointwise convolution: what a logistic function makes gates of.
struct Attention<T: 'static> {
    depth: Depthwise,
    point: Conv<T>,
}

impl<T: Number> Attention<T> {
    fn new(kernels: &'static Kernels<T>, layers: &AttentionLayers<'_>) -> Result<Self> {
        let channels = layers.bias.elem_count();
        let padded = |tensor: &Tensor| {
            let mut values = tensor.flatten_all()?.to_vec1::<f32>()?;
            values.resize(pixel::<T>(channels), 0.0);
            Ok::<_, candle_core::Error>(values)
        };
        let taps = layers.taps.iter().map(padded).collect::<Result<Vec<_>>>()?.concat();
        let bias = padded(layers.bias)?;
        Ok(Self {
            depth: Depthwise { kernel: layers.kernel, taps, bias },
            point: packed(kernels, layers.point, channels)?,
        })
    }

    /// What gates an output of this size are made of.
    fn forward(&self, x: &Map<T>, height: usize, width: usize, pool: &mut Pool<T>) -> Map<T> {
        let size = Size { height, width, channels: x.layout.size.channels };
        let mut pooled = pool.take(Layout::new::<T>(size, 0), x.images);
        ops::adaptive_max(x, &mut pooled);
        let mut deep = pool.take(Layout::new::<T>(size, 0), x.images);
        self.depth.apply(&pooled, &mut deep);
        let gates = convolved(&self.point, &deep, 0, pool);
        pool.give_back(pooled);
        pool.give_back(deep);
        gates
    }
}

impl<T: Number> Sounds<T> {
    pub(super) fn new<'a>(
        kernels: Pair<T>,
        stem: &Conv2d,
        stages: impl Iterator<Item = (&'a [Bottleneck], AttentionLayers<'a>)>,
        gate: &AttentionLayers<'_>,
    ) -> Result<Self> {
        let stages = stages.map(|(blocks, attention)| {
            let blocks = blocks.iter().map(|block| Block::new(kernels.body, block)).collect::<Result<_>>()?;
            Ok((blocks, Attention::new(kernels.body, &attention)?))
        });
        Ok(Self {
            stem: packed(kernels.stem, stem, stem.weight().dim(1)?)?.rectified(),
            stages: stages.collect::<Result<_>>()?,
            gate: Attention::new(kernels.body, gate)?,
            kernels: kernels.body,
            memory: Memory::default(),
        })
    }

    fn features(&self, decibels: &[f32], rows: usize, frames: usize, pools: &mut Pools<T>) -> Vec<f32> {
        let image = incoming(decibels, rows, frames, STEM_BORDER, &mut pools.stem);
        let stem = convolved(&self.stem, &image, 0, &mut pools.stem);
        let Size { height, width, channels } = stem.layout.size;
        let size = Size { height: height.div_ceil(2), width: width.div_ceil(2), channels };
        let mut x = pools.body.take(Layout::new::<T>(size, 0), stem.images);
        ops::max_of_nine(&stem, &mut x);
        [image, stem].into_iter().for_each(|map| pools.stem.give_back(map));
        let pool = &mut pools.body;
        for (blocks, attention) in &self.stages {
            let begin = x;
            let mut blocks = blocks.iter();
            let Some(first) = blocks.next() else {
                x = begin;
                continue;
            };
            let mut output = first.forward(&begin, pool);
            for block in blocks {
                let next = block.forward(&output, pool);
                pool.give_back(std::mem::replace(&mut output, next));
            }
            let Size { height, width, .. } = output.layout.size;
            let gates = attention.forward(&begin, height, width, pool);
            ops::gate(self.kernels, &mut output, &gates);
            pool.give_back(gates);
            pool.give_back(begin);
            x = output;
        }
        let mut means = ops::mean(&x);
        let gates = self.gate.forward(&x, 1, 1, pool);
        let channels = x.layout.size.channels;
        for (image, means) in means.chunks_exact_mut(channels).enumerate() {
            means.iter_mut().zip(gates.row(image, 0)).for_each(|(mean, gate)| *mean *= logistic(gate.widened()));
        }
        [gates, x].into_iter().for_each(|map| pool.give_back(map));
        means
    }
}

impl<T: Number> Stack for Sounds<T> {
    fn forward(&self, decibels: &[f32], rows: usize, frames: usize) -> Vec<f32> {
        self.memory.with(|pools| self.features(decibels, rows, frames, pools))
    }

    fn channels(&self) -> usize {
        self.gate.point.outputs()
    }
}

/// Half of the stem's kernel.
const STEM_BORDER: usize = 3;
