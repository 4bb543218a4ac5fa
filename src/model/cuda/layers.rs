//! Layers with their weights in the form and the order in which GPUs read them.

use candle_core::{Result, Tensor};
use candle_nn::Conv2d;
use half::bf16;

use super::tasks::{Block, CHUNK, Place, STEP};
use crate::model::compute::AttentionLayers;
use crate::model::layers::Bottleneck;

/// Where the weights of a layer may begin.
const ALIGNED_BYTES: usize = 256;
/// Channels that the weights of a convolution are rounded up to: those of the widest tile.
const WIDEST: usize = 128;
/// Channels that groups are merged to, with zeros between them: those of the narrowest tile.
const NARROWEST: usize = 32;
/// Colours or bands of what comes in.
const PLANES: usize = 3;
/// Channels of what comes in after it was split, rounded up: see `split` in `kernels.cu`.
pub(super) const SPLIT: usize = 2 * CHUNK;

/// The weights of all layers, one after the other.
#[derive(Default)]
pub(super) struct Weights(Vec<u8>);

impl Weights {
    fn push(&mut self, values: impl Iterator<Item = u8>) -> Place {
        self.0.resize(self.0.len().next_multiple_of(ALIGNED_BYTES), 0);
        let place = Place { block: Block::Weights, bytes: self.0.len() };
        self.0.extend(values);
        place
    }

    fn push_f32(&mut self, values: &[f32]) -> Place {
        self.push(values.iter().flat_map(|value| value.to_le_bytes()))
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// A convolution with a square kernel and "same" padding.
pub(super) struct Conv {
    pub(super) outputs: usize,
    pub(super) kernel: usize,
    pub(super) stride: usize,
    /// Channels read at each place.
    pub(super) inputs: usize,
    /// Weights of a channel: all places and inputs, rounded up to whole steps.
    pub(super) depth: usize,
    /// Channels that read the same inputs; none if all do.
    pub(super) group: Option<usize>,
    pub(super) weights: Place,
    pub(super) bias: Place,
}

impl Conv {
    pub(super) fn new(layer: &Conv2d, weights: &mut Weights) -> Result<Self> {
        let (outputs, per_group, _, _) = layer.weight().dims4()?;
        let groups = layer.config().groups;
        let made = outputs / groups;
        let merged = merged(made, per_group, groups);
        let (group, inputs) = match merged {
            Some(together) => (Some(together * made), together * per_group),
            None => (None, (groups * per_group).next_multiple_of(CHUNK)),
        };
        let together = merged.unwrap_or(groups);
        Self::packed(layer, weights, inputs, group, |values, output, place| {
            let before = output / made % together * per_group;
            let mut read = vec![bf16::ZERO; inputs];
            for input in 0..per_group {
                read[before + input] = bf16::from_f32(values(output, input, place));
            }
            read
        })
    }

    /// A convolution of what comes in, after it was split.
    pub(super) fn of_planes(layer: &Conv2d, weights: &mut Weights) -> Result<Self> {
        Self::packed(layer, weights, SPLIT, None, |values, output, place| {
            let mut read = vec![bf16::ZERO; SPLIT];
            for plane in 0..PLANES {
                let weight = values(output, plane, place);
                let most = bf16::from_f32(weight);
                read[plane] = most;
                read[PLANES + plane] = most;
                read[2 * PLANES + plane] = bf16::from_f32(weight - most.to_f32());
            }
            read
        })
    }

    /// `read` makes the weights of an output at a place of the kernel, from those of the layer by output, input, place.
    fn packed(
        layer: &Conv2d,
        weights: &mut Weights,
        inputs: usize,
        group: Option<usize>,
        read: impl Fn(&dyn Fn(usize, usize, usize) -> f32, usize, usize) -> Vec<bf16>,
    ) -> Result<Self> {
        let (outputs, per_group, kernel, _) = layer.weight().dims4()?;
        let values = layer.weight().flatten_all()?.to_vec1::<f32>()?;
        let value =
            |output: usize, input: usize, place: usize| values[(output * per_group + input) * kernel * kernel + place];
        let padded = outputs.next_multiple_of(WIDEST);
        let depth = (kernel * kernel * inputs).next_multiple_of(STEP);
        let mut packed = vec![bf16::ZERO; padded * depth];
        for (output, channel) in packed.chunks_exact_mut(depth).take(outputs).enumerate() {
            for (place, at) in channel.chunks_exact_mut(inputs).take(kernel * kernel).enumerate() {
                at.copy_from_slice(&read(&value, output, place));
            }
        }
        let mut bias = layer.bias().map_or(Ok(Vec::new()), Tensor::to_vec1::<f32>)?;
        bias.resize(padded, 0.0);
        Ok(Self {
            outputs,
            kernel,
            stride: layer.config().stride,
            inputs,
            depth,
            group,
            weights: weights.push(packed.iter().flat_map(|value| value.to_bits().to_le_bytes())),
            bias: weights.push_f32(&bias),
        })
    }
}

/// How many groups are computed together so that tiles are full; none if all have to be.
fn merged(made: usize, per_group: usize, groups: usize) -> Option<usize> {
    let together = NARROWEST.div_ceil(made);
    let even = (together * made).is_multiple_of(NARROWEST) && groups.is_multiple_of(together);
    (groups > together && even && (together * per_group).is_multiple_of(CHUNK)).then_some(together)
}

/// A residual block. Its stride is in the spatial convolution and the shortcut, or in an average pooling.
pub(super) struct Residual {
    pub(super) reduce: Conv,
    pub(super) spatial: Conv,
    pub(super) expand: Conv,
    pub(super) shortcut: Option<Conv>,
    pub(super) pooling: usize,
}

impl Residual {
    pub(super) fn new(layers: &Bottleneck, weights: &mut Weights) -> Result<Self> {
        Ok(Self {
            reduce: Conv::new(&layers.reduce, weights)?,
            spatial: Conv::new(&layers.spatial, weights)?,
            expand: Conv::new(&layers.expand, weights)?,
            shortcut: layers.shortcut.as_ref().map(|conv| Conv::new(conv, weights)).transpose()?,
            pooling: layers.pooling,
        })
    }
}

/// An attention block: max-pooling to a given size, each channel convolved by itself, and a convolution by points.
pub(super) struct Attention {
    /// Rows and columns of the kernel.
    pub(super) kernel: [usize; 2],
    /// f32 `[places, pixel]`.
    pub(super) taps: Place,
    pub(super) bias: Place,
    pub(super) point: Conv,
}

impl Attention {
    pub(super) fn new(layers: &AttentionLayers<'_>, weights: &mut Weights) -> Result<Self> {
        let padded = |tensor: &Tensor| {
            let mut values = tensor.flatten_all()?.to_vec1::<f32>()?;
            values.resize(values.len().next_multiple_of(CHUNK), 0.0);
            Ok::<_, candle_core::Error>(values)
        };
        let taps = layers.taps.iter().map(padded).collect::<Result<Vec<_>>>()?.concat();
        Ok(Self {
            kernel: layers.kernel,
            taps: weights.push_f32(&taps),
            bias: weights.push_f32(&padded(layers.bias)?),
            point: Conv::new(layers.point, weights)?,
        })
    }
}
