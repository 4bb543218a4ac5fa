//! Convolution stacks on processors: what candle would do layer by layer, with packed weights and activations that stay
//! where they are.
//!
//! Activations are `[batch, height, width, channels]` with a border of zeros, so that no convolution copies its input.
//! Owns the order of layers and the memory between them. Invariants: results do not depend on how many threads there
//! are, nor on what else is in the batch. Knows neither checkpoints nor devices: towers hand over folded weights.
//!
//! `kernels` multiplies, `conv` packs and lays out, `ops` has what is between convolutions.

mod conv;
mod kernels;
mod maps;
mod ops;
mod pictures;
mod sounds;
#[cfg(test)]
mod tests;

use candle_core::{CpuStorage, Result};
use candle_nn::Conv2d;

use self::conv::{Conv, Shape};
pub(super) use self::kernels::Kernels;
use self::maps::{Layout, Map, Pool, Size};
use super::layers::Bottleneck;

pub(super) use self::pictures::Pictures;
pub(super) use self::sounds::{AttentionLayers, Sounds};

/// A residual block. Its stride is in the spatial convolution and the shortcut, or in an average pooling.
struct Block {
    reduce: Conv,
    spatial: Conv,
    expand: Conv,
    shortcut: Option<Conv>,
    pooling: usize,
}

impl Block {
    fn new(kernels: &'static Kernels, layers: &Bottleneck) -> Result<Self> {
        let inner = layers.reduce.weight().dim(0)?;
        Ok(Self {
            reduce: packed(kernels, &layers.reduce, layers.reduce.weight().dim(1)?)?,
            spatial: packed(kernels, &layers.spatial, inner)?,
            expand: packed(kernels, &layers.expand, inner)?,
            shortcut: layers.shortcut.as_ref().map(|conv| packed(kernels, conv, conv.weight().dim(1)?)).transpose()?,
            pooling: layers.pooling,
        })
    }

    fn forward(&self, x: &Map, pool: &mut Pool) -> Map {
        let reduced = convolved(&self.reduce, x, 1, true, pool);
        let mut inner = convolved(&self.spatial, &reduced, 0, true, pool);
        pool.give_back(reduced);
        let mut skip = None;
        if self.pooling > 1 {
            let next = averaged(&inner, self.pooling, pool);
            pool.give_back(std::mem::replace(&mut inner, next));
            skip = Some(averaged(x, self.pooling, pool));
        }
        if let Some(shortcut) = &self.shortcut {
            let next = convolved(shortcut, skip.as_ref().unwrap_or(x), 0, false, pool);
            skip.replace(next).into_iter().for_each(|map| pool.give_back(map));
        }
        let output = joined(&self.expand, &inner, skip.as_ref().unwrap_or(x), pool);
        [Some(inner), skip].into_iter().flatten().for_each(|map| pool.give_back(map));
        output
    }
}

/// Averages of squares of `side` by `side`.
fn averaged(x: &Map, side: usize, pool: &mut Pool) -> Map {
    let Size { height, width, channels } = x.layout.size;
    let size = Size { height: height / side, width: width / side, channels };
    let mut output = pool.take(Layout::new(size, 0), x.images);
    ops::average(x, &mut output, side);
    output
}

/// A convolution of candle, packed for inputs of so many channels.
fn packed(kernels: &'static Kernels, conv: &Conv2d, inputs: usize) -> Result<Conv> {
    let (outputs, per_group, kernel, _) = conv.weight().dims4()?;
    let (stride, groups) = (conv.config().stride, inputs / per_group);
    let weights = conv.weight().flatten_all()?.to_vec1::<f32>()?;
    let bias = match conv.bias() {
        Some(bias) => bias.to_vec1::<f32>()?,
        None => vec![0.0; outputs],
    };
    Ok(Conv::new(kernels, Shape { inputs, outputs, kernel, stride, groups }, &weights, &bias, pixel(inputs)))
}

/// How far apart pixels of so many channels are.
fn pixel(channels: usize) -> usize {
    if channels == PLANES { PLANES } else { Layout::new(Size { height: 1, width: 1, channels }, 0).pixel }
}

/// Channels of what comes in: colours, or bands.
const PLANES: usize = 3;

/// What comes in, `[batch, 3, height, width]`, as a map with a border.
fn incoming(planes: &[f32], height: usize, width: usize, border: usize, pool: &mut Pool) -> Map {
    let size = Size { height, width, channels: PLANES };
    let images = planes.len() / (PLANES * height * width);
    let mut map = pool.take(Layout::packed(size, border), images);
    for ((image, row), values) in map.rows_mut() {
        for (channel, plane) in planes.chunks_exact(height * width).skip(image * PLANES).take(PLANES).enumerate() {
            let line = &plane[row * width..][..width];
            values.iter_mut().skip(channel).step_by(PLANES).zip(line).for_each(|(value, &from)| *value = from);
        }
    }
    map
}

/// What comes out of a convolution, in a map with a border for the next one.
fn convolved(conv: &Conv, input: &Map, border: usize, rectified: bool, pool: &mut Pool) -> Map {
    let mut output = pool.take(Layout::new(conv.size(input.layout.size), border), input.images);
    conv.apply(input, &mut output, None, rectified);
    output
}

/// The end of a residual block.
fn joined(conv: &Conv, input: &Map, residual: &Map, pool: &mut Pool) -> Map {
    let mut output = pool.take(Layout::new(conv.size(input.layout.size), 0), input.images);
    conv.apply(input, &mut output, Some(residual), true);
    output
}

/// The channels of all pixels, without the room between them: `[batch, height · width, channels]`.
fn outgoing(map: &Map) -> Vec<f32> {
    let Layout { size: Size { height, channels, .. }, pixel, .. } = map.layout;
    let rows = (0..map.images).flat_map(|image| (0..height).map(move |row| (image, row)));
    let pixels = rows.flat_map(|(image, row)| map.row(image, row).chunks_exact(pixel));
    pixels.flat_map(|values| &values[..channels]).copied().collect()
}

/// The images that an operation is given, `[batch, 3, height, width]`, with height and width.
fn planes<'a>(storage: &'a CpuStorage, layout: &candle_core::Layout) -> Result<(&'a [f32], usize, usize)> {
    let (begin, end) = layout.contiguous_offsets().ok_or(candle_core::Error::RequiresContiguous { op: "features" })?;
    let (_, _, height, width) = layout.shape().dims4()?;
    Ok((&storage.as_slice::<f32>()?[begin..end], height, width))
}
