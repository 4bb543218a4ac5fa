//! Whether a GPU gives what it should: a small tower on it and on the processor, before a model relies on it.

use candle_core::{Device, Result, Tensor};
use candle_nn::{Conv2d, Conv2dConfig};

use super::towers::{Pictures, Tower};
use crate::model::compute::Packed;
use crate::model::layers::{Bottleneck, conv_relu};

/// The largest difference that rounding to bfloat16 explains, of the length of all values.
const BOUND: f32 = 0.02;
/// The first is launched one by one, the second recorded, and the third repeated.
const BATCHES: usize = 3;

/// Whether what `packed` makes of a tower is near what candle computes on the processor.
pub(super) fn agrees(packed: fn(Tower, &Device) -> Result<Packed>, device: &Device) -> Result<bool> {
    let stem = [conv([3, 16], 3, 2, 1)?, conv([16, 16], 3, 1, 1)?, conv([16, 64], 3, 1, 1)?];
    let block = Bottleneck {
        reduce: conv([64, 64], 1, 1, 1)?,
        spatial: conv([64, 64], 3, 1, 16)?,
        expand: conv([64, 136], 1, 1, 1)?,
        shortcut: Some(conv([64, 136], 1, 1, 1)?),
        pooling: 2,
    };
    let pictures = values(&[2, 3, 44, 36], 0.37)?;
    let seen = stem.iter().try_fold(pictures.clone(), |x, conv| conv_relu(conv, &x))?.avg_pool2d(2)?;
    let expected = block.forward(&seen)?.flatten_from(2)?.transpose(1, 2)?;

    let tower = packed(Tower::Pictures(Pictures::new(&stem, &[block])?), device)?;
    let pictures = pictures.to_device(device)?;
    for _ in 0..BATCHES {
        let made = pictures.apply_op1_no_bwd(&tower)?.to_device(&Device::Cpu)?;
        let length = |x: &Tensor| x.sqr()?.sum_all()?.sqrt()?.to_scalar::<f32>();
        let difference = length(&(made - &expected)?)? / length(&expected)?;
        if difference.is_nan() || difference > BOUND {
            return Ok(false);
        }
    }
    Ok(true)
}

fn conv([inputs, outputs]: [usize; 2], kernel: usize, stride: usize, groups: usize) -> Result<Conv2d> {
    let read = inputs / groups * kernel * kernel;
    let weight = (values(&[outputs, inputs / groups, kernel, kernel], 0.73)? * (1.0 / (read as f64).sqrt()))?;
    let config = Conv2dConfig { padding: kernel / 2, stride, groups, ..Conv2dConfig::default() };
    Ok(Conv2d::new(weight, Some(values(&[outputs], 1.3)?), config))
}

/// Values between −1 and 1, no two of which are alike.
fn values(shape: &[usize], step: f64) -> Result<Tensor> {
    let count = shape.iter().product::<usize>() as f32;
    (Tensor::arange(0f32, count, &Device::Cpu)? * step)?.sin()?.reshape(shape)
}
