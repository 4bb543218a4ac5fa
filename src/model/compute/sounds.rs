//! The ResNeXt with attention blocks, from decibels to the pooled vector (SPEC 4.5).

use candle_core::{CpuStorage, CustomOp1, Result, Shape as CandleShape, Tensor};
use candle_nn::Conv2d;

use super::conv::Conv;
use super::kernels::Kernels;
use super::maps::{Layout, Map, Memory, Pool, Size};
use super::ops::{self, Depthwise};
use super::{Block, convolved, incoming, packed, pixel, planes};
use crate::model::layers::Bottleneck;

/// The stem, the stages, and the gate of the pooled vector.
pub(in crate::model) struct Sounds {
    stem: Conv,
    stages: Vec<(Vec<Block>, Attention)>,
    gate: Attention,
    memory: Memory,
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
struct Attention {
    depth: Depthwise,
    point: Conv,
}

impl Attention {
    fn new(kernels: &'static Kernels, layers: &AttentionLayers<'_>) -> Result<Self> {
        let channels = layers.bias.elem_count();
        let padded = |tensor: &Tensor| {
            let mut values = tensor.flatten_all()?.to_vec1::<f32>()?;
            values.resize(pixel(channels), 0.0);
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
    fn forward(&self, x: &Map, height: usize, width: usize, pool: &mut Pool) -> Map {
        let size = Size { height, width, channels: x.layout.size.channels };
        let mut pooled = pool.take(Layout::new(size, 0), x.images);
        ops::adaptive_max(x, &mut pooled);
        let mut deep = pool.take(Layout::new(size, 0), x.images);
        self.depth.apply(&pooled, &mut deep);
        let gates = convolved(&self.point, &deep, 0, false, pool);
        pool.give_back(pooled);
        pool.give_back(deep);
        gates
    }
}

impl CustomOp1 for Sounds {
    fn name(&self) -> &'static str {
        "sounds"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &candle_core::Layout) -> Result<(CpuStorage, CandleShape)> {
        let (decibels, rows, frames) = planes(storage, layout)?;
        let batch = layout.dims()[0];
        let means = self.forward(decibels, rows, frames);
        let channels = means.len() / batch;
        Ok((CpuStorage::F32(means), (batch, channels).into()))
    }
}

impl Sounds {
    pub(in crate::model) fn new<'a>(
        kernels: &'static Kernels,
        stem: &Conv2d,
        stages: impl Iterator<Item = (&'a [Bottleneck], AttentionLayers<'a>)>,
        gate: &AttentionLayers<'_>,
    ) -> Result<Self> {
        let stages = stages.map(|(blocks, attention)| {
            let blocks = blocks.iter().map(|block| Block::new(kernels, block)).collect::<Result<_>>()?;
            Ok((blocks, Attention::new(kernels, &attention)?))
        });
        Ok(Self {
            stem: packed(kernels, stem, stem.weight().dim(1)?)?,
            stages: stages.collect::<Result<_>>()?,
            gate: Attention::new(kernels, gate)?,
            memory: Memory::default(),
        })
    }

    /// Decibels `[signals, 3, rows, frames]` → gated means `[signals, channels]`.
    pub(in crate::model) fn forward(&self, decibels: &[f32], rows: usize, frames: usize) -> Vec<f32> {
        self.memory.with(|pool| self.features(decibels, rows, frames, pool))
    }

    fn features(&self, decibels: &[f32], rows: usize, frames: usize, pool: &mut Pool) -> Vec<f32> {
        let image = incoming(decibels, rows, frames, STEM_BORDER, pool);
        let stem = convolved(&self.stem, &image, 0, true, pool);
        let Size { height, width, channels } = stem.layout.size;
        let size = Size { height: height.div_ceil(2), width: width.div_ceil(2), channels };
        let mut x = pool.take(Layout::new(size, 0), stem.images);
        ops::max_of_nine(&stem, &mut x);
        [image, stem].into_iter().for_each(|map| pool.give_back(map));
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
            ops::gate(&mut output, &gates);
            pool.give_back(gates);
            pool.give_back(begin);
            x = output;
        }
        let mut means = ops::mean(&x);
        let gates = self.gate.forward(&x, 1, 1, pool);
        let channels = x.layout.size.channels;
        for (image, means) in means.chunks_exact_mut(channels).enumerate() {
            means.iter_mut().zip(gates.row(image, 0)).for_each(|(mean, gate)| *mean *= ops::logistic(*gate));
        }
        [gates, x].into_iter().for_each(|map| pool.give_back(map));
        means
    }
}

/// Half of the stem's kernel.
const STEM_BORDER: usize = 3;
