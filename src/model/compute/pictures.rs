//! CLIP's ModifiedResNet up to its pooling (SPEC 2).

use candle_core::Result;
use candle_nn::Conv2d;

use super::conv::Conv;
use super::kernels::Number;
use super::maps::{Map, Memory, Pools};
use super::{Block, Pair, Stack, averaged, convolved, incoming, outgoing, packed};
use crate::model::layers::Bottleneck;

/// The stem and the blocks, which keep activations as `T`.
pub(super) struct Pictures<T: 'static> {
    stem: Vec<Conv<f32>>,
    blocks: Vec<Block<T>>,
    memory: Memory<T>,
}

impl<T: Number> Pictures<T> {
    pub(super) fn new(kernels: Pair<T>, stem: &[Conv2d], blocks: &[Bottleneck]) -> Result<Self> {
        let layer = |conv: &Conv2d| Ok(packed(kernels.stem, conv, conv.weight().dim(1)?)?.rectified());
        Ok(Self {
            stem: stem.iter().map(layer).collect::<Result<_>>()?,
            blocks: blocks.iter().map(|block| Block::new(kernels.body, block)).collect::<Result<_>>()?,
            memory: Memory::default(),
        })
    }

    fn features(&self, planes: &[f32], height: usize, width: usize, Pools { stem, body }: &mut Pools<T>) -> Vec<f32> {
        let mut x = incoming(planes, height, width, 1, stem);
        for (index, conv) in self.stem.iter().enumerate() {
            let border = usize::from(index + 1 < self.stem.len());
            let next = convolved(conv, &x, border, stem);
            stem.give_back(std::mem::replace(&mut x, next));
        }
        let mut y: Map<T> = averaged(&x, 2, body);
        stem.give_back(x);
        for block in &self.blocks {
            let next = block.forward(&y, body);
            body.give_back(std::mem::replace(&mut y, next));
        }
        let features = outgoing(&y);
        body.give_back(y);
        features
    }
}

impl<T: Number> Stack for Pictures<T> {
    fn forward(&self, planes: &[f32], height: usize, width: usize) -> Vec<f32> {
        self.memory.with(|pools| self.features(planes, height, width, pools))
    }

    fn channels(&self) -> usize {
        self.blocks.last().map_or(0, |block| block.expand.outputs())
    }
}
