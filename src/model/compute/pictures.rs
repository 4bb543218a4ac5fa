//! CLIP's ModifiedResNet up to its pooling (SPEC 2).

use candle_core::{CpuStorage, CustomOp1, Result, Shape as CandleShape};
use candle_nn::Conv2d;

use super::conv::Conv;
use super::kernels::Kernels;
use super::maps::{Memory, Pool};
use super::{Block, averaged, convolved, incoming, outgoing, packed, planes};
use crate::model::layers::Bottleneck;

/// The stem and the blocks.
pub(in crate::model) struct Pictures {
    stem: Vec<Conv>,
    blocks: Vec<Block>,
    memory: Memory,
}

impl CustomOp1 for Pictures {
    fn name(&self) -> &'static str {
        "pictures"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &candle_core::Layout) -> Result<(CpuStorage, CandleShape)> {
        let (planes, height, width) = planes(storage, layout)?;
        let batch = layout.dims()[0];
        let features = self.forward(planes, height, width);
        let channels = self.blocks.last().map_or(0, |block| block.expand.outputs());
        let pixels = features.len() / (batch * channels);
        Ok((CpuStorage::F32(features), (batch, pixels, channels).into()))
    }
}

impl Pictures {
    pub(in crate::model) fn new(kernels: &'static Kernels, stem: &[Conv2d], blocks: &[Bottleneck]) -> Result<Self> {
        Ok(Self {
            stem: stem.iter().map(|conv| packed(kernels, conv, conv.weight().dim(1)?)).collect::<Result<_>>()?,
            blocks: blocks.iter().map(|block| Block::new(kernels, block)).collect::<Result<_>>()?,
            memory: Memory::default(),
        })
    }

    /// `[batch, 3, side, side]` → `[batch, pixels, channels]`.
    pub(in crate::model) fn forward(&self, planes: &[f32], height: usize, width: usize) -> Vec<f32> {
        self.memory.with(|pool| self.features(planes, height, width, pool))
    }

    fn features(&self, planes: &[f32], height: usize, width: usize, pool: &mut Pool) -> Vec<f32> {
        let mut x = incoming(planes, height, width, 1, pool);
        for (index, conv) in self.stem.iter().enumerate() {
            let border = usize::from(index + 1 < self.stem.len());
            let next = convolved(conv, &x, border, true, pool);
            pool.give_back(std::mem::replace(&mut x, next));
        }
        let next = averaged(&x, 2, pool);
        pool.give_back(std::mem::replace(&mut x, next));
        for block in &self.blocks {
            let next = block.forward(&x, pool);
            pool.give_back(std::mem::replace(&mut x, next));
        }
        let features = outgoing(&x);
        pool.give_back(x);
        features
    }
}
