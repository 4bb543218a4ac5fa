//! The two stacks of convolutions as layers for GPUs, in the order of SPEC 2 and SPEC 4.5.

use candle_core::Result;
use candle_nn::Conv2d;

use super::layers::{Attention, Conv, Residual, Weights};
use super::plan::{Incoming, Plan, Planner, Window};
use super::tasks::Pooling;
use crate::model::compute::AttentionLayers;
use crate::model::layers::Bottleneck;

/// A stack of convolutions.
pub(in crate::model) enum Tower {
    Pictures(Pictures),
    Sounds(Sounds),
}

impl Tower {
    pub(super) fn plan(&self, incoming: Incoming) -> Plan {
        match self {
            Self::Pictures(pictures) => pictures.plan(incoming),
            Self::Sounds(sounds) => sounds.plan(incoming),
        }
    }

    /// The weights of all layers, which plans refer to. There is nothing left of them here.
    pub(super) fn take_weights(&mut self) -> Vec<u8> {
        let weights = match self {
            Self::Pictures(pictures) => &mut pictures.weights,
            Self::Sounds(sounds) => &mut sounds.weights,
        };
        std::mem::take(weights).into_bytes()
    }
}

/// CLIP's ModifiedResNet up to its pooling.
pub(in crate::model) struct Pictures {
    weights: Weights,
    stem: Vec<Conv>,
    blocks: Vec<Residual>,
}

impl Pictures {
    pub(in crate::model) fn new(stem: &[Conv2d], blocks: &[Bottleneck]) -> Result<Self> {
        let mut weights = Weights::default();
        let stem = stem.iter().enumerate().map(|(index, conv)| match index {
            0 => Conv::of_planes(conv, &mut weights),
            _ => Conv::new(conv, &mut weights),
        });
        let stem = stem.collect::<Result<_>>()?;
        let blocks = blocks.iter().map(|block| Residual::new(block, &mut weights)).collect::<Result<_>>()?;
        Ok(Self { weights, stem, blocks })
    }

    fn plan(&self, incoming: Incoming) -> Plan {
        let mut planner = Planner::new(incoming);
        let mut x = planner.split();
        for conv in &self.stem {
            x = planner.through(conv, x);
        }
        x = planner.pooled(x, Window { side: 2, stride: 2, padding: 0, pooling: Pooling::Mean });
        for block in &self.blocks {
            x = planner.residual(block, x);
        }
        planner.outgoing(x)
    }
}

/// The ResNeXt with attention blocks, from decibels to the pooled and gated vector.
pub(in crate::model) struct Sounds {
    weights: Weights,
    stem: Conv,
    stages: Vec<(Vec<Residual>, Attention)>,
    gate: Attention,
}

impl Sounds {
    pub(in crate::model) fn new<'a>(
        stem: &Conv2d,
        stages: impl Iterator<Item = (&'a [Bottleneck], AttentionLayers<'a>)>,
        gate: &AttentionLayers<'_>,
    ) -> Result<Self> {
        let mut weights = Weights::default();
        let stem = Conv::of_planes(stem, &mut weights)?;
        let stages = stages.map(|(blocks, attention)| {
            let blocks = blocks.iter().map(|block| Residual::new(block, &mut weights)).collect::<Result<_>>()?;
            Ok((blocks, Attention::new(&attention, &mut weights)?))
        });
        let stages = stages.collect::<Result<_>>()?;
        let gate = Attention::new(gate, &mut weights)?;
        Ok(Self { weights, stem, stages, gate })
    }

    fn plan(&self, incoming: Incoming) -> Plan {
        let mut planner = Planner::new(incoming);
        let planes = planner.split();
        let stem = planner.through(&self.stem, planes);
        let mut x = planner.pooled(stem, Window { side: 3, stride: 2, padding: 1, pooling: Pooling::Largest });
        for (blocks, attention) in &self.stages {
            let Some((first, others)) = blocks.split_first() else { continue };
            let begin = x;
            x = planner.residual_of(first, &begin);
            for block in others {
                x = planner.residual(block, x);
            }
            x = planner.gated(attention, &begin, x);
            planner.give_back(begin);
        }
        let means = planner.summary(&x, Pooling::Mean);
        let largest = planner.summary(&x, Pooling::Largest);
        let gated = planner.gated(&self.gate, &largest, means);
        planner.outgoing(gated)
    }
}
