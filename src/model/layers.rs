//! Building blocks that the towers share, all evaluation-only. Knows candle, and nothing of any tower.
//!
//! Tensors are `[batch, channels, height, width]`, and f32, unless said otherwise.

use candle_core::{D, DType, Result, Tensor};
use candle_nn::{Conv2d, Conv2dConfig, Linear, Module, VarBuilder};

/// Epsilon of BatchNorm (SPEC 1).
const BATCH_NORM_EPS: f64 = 1e-5;
/// Channels that groups are merged to: what a GPU multiplies at once.
const MERGED_CHANNELS: usize = 128;

/// BatchNorm in evaluation mode, reduced to `y = x · scale + shift` per channel.
pub(super) struct BatchNorm {
    /// `weight / sqrt(running_var + eps)`, shape `[channels]`.
    scale: Tensor,
    /// `bias − running_mean · scale`, shape `[channels]`.
    shift: Tensor,
}

impl BatchNorm {
    pub(super) fn load(channels: usize, vb: &VarBuilder<'_>) -> Result<Self> {
        let deviation = (vb.get(channels, "running_var")? + BATCH_NORM_EPS)?.sqrt()?;
        let scale = (vb.get(channels, "weight")? / deviation)?;
        let shift = (vb.get(channels, "bias")? - (vb.get(channels, "running_mean")? * &scale)?)?;
        Ok(Self { scale, shift })
    }

    /// The convolution `weight [out, …]`, `bias [out]` followed by this norm, as one convolution.
    pub(super) fn fold(&self, weight: &Tensor, bias: Option<&Tensor>) -> Result<(Tensor, Tensor)> {
        let mut per_filter = vec![1; weight.rank()];
        per_filter[0] = self.scale.dim(0)?;
        let weight = weight.broadcast_mul(&self.scale.reshape(per_filter)?)?;
        let bias = match bias {
            Some(bias) => ((bias * &self.scale)? + &self.shift)?,
            None => self.shift.clone(),
        };
        Ok((weight, bias))
    }
}

/// Dimensions of a convolution whose kernel is square.
#[derive(Clone, Copy)]
pub(super) struct ConvShape {
    pub(super) input: usize,
    pub(super) output: usize,
    pub(super) kernel: usize,
    pub(super) stride: usize,
    pub(super) groups: usize,
}

impl ConvShape {
    pub(super) fn new(input: usize, output: usize, kernel: usize) -> Self {
        Self { input, output, kernel, stride: 1, groups: 1 }
    }

    pub(super) fn stride(self, stride: usize) -> Self {
        Self { stride, ..self }
    }

    pub(super) fn groups(self, groups: usize) -> Self {
        Self { groups, ..self }
    }
}

/// A bias-free convolution with "same" padding, followed by BatchNorm, as one convolution.
pub(super) fn conv_norm(shape: ConvShape, conv: &VarBuilder<'_>, norm: &VarBuilder<'_>) -> Result<Conv2d> {
    let ConvShape { input, output, kernel, stride, groups } = shape;
    let weight = conv.get((output, input / groups, kernel, kernel), "weight")?;
    let (weight, bias) = BatchNorm::load(output, norm)?.fold(&weight, None)?;
    let config = Conv2dConfig { padding: kernel / 2, stride, groups, ..Conv2dConfig::default() };
    Ok(Conv2d::new(weight, Some(bias), config))
}

/// `y = x · Wᵀ + b` with `W [output, input]`.
pub(super) fn linear(input: usize, output: usize, vb: &VarBuilder<'_>) -> Result<Linear> {
    Ok(Linear::new(vb.get((output, input), "weight")?, Some(vb.get(output, "bias")?)))
}

/// A convolution in the form that candle is fastest with, of another type.
///
/// candle computes each group by itself, and puts the results together: 32 groups are 32 times as many kernels on a
/// GPU, each with next to nothing to do. Groups are merged, with zeros between them, to at most [`MERGED_CHANNELS`].
pub(super) fn for_candle(conv: &Conv2d, dtype: DType) -> Result<Conv2d> {
    let config = *conv.config();
    let (outputs, inputs, _, _) = conv.weight().dims4()?;
    let fits = |together: &usize| config.groups.is_multiple_of(*together) && together * inputs <= MERGED_CHANNELS;
    let together = (1..=config.groups).rev().find(fits).unwrap_or(1);
    let made = outputs / config.groups;
    let blocks = (0..config.groups).map(|group| {
        let before = group % together;
        let block = conv.weight().narrow(0, group * made, made)?;
        block.pad_with_zeros(1, before * inputs, (together - 1 - before) * inputs)
    });
    let weight = Tensor::cat(&blocks.collect::<Result<Vec<_>>>()?, 0)?.to_dtype(dtype)?;
    let bias = conv.bias().map(|bias| bias.to_dtype(dtype)).transpose()?;
    Ok(Conv2d::new(weight, bias, Conv2dConfig { groups: config.groups / together, ..config }))
}

/// Applies a convolution. One by points is a plain product: candle would copy its whole input first.
pub(super) fn convolve(conv: &Conv2d, x: &Tensor) -> Result<Tensor> {
    let (outputs, inputs, kernel, _) = conv.weight().dims4()?;
    if kernel != 1 || conv.config().stride != 1 || conv.config().groups != 1 {
        return conv.forward(x);
    }
    let (batch, _, height, width) = x.dims4()?;
    let weight = conv.weight().reshape((1, outputs, inputs))?.broadcast_as((batch, outputs, inputs))?;
    let output = weight.matmul(&x.flatten_from(2)?)?.reshape((batch, outputs, height, width))?;
    match conv.bias() {
        Some(bias) => output.broadcast_add(&bias.reshape((1, outputs, 1, 1))?),
        None => Ok(output),
    }
}

/// A convolution followed by ReLU.
pub(super) fn conv_relu(conv: &Conv2d, x: &Tensor) -> Result<Tensor> {
    convolve(conv, x)?.relu()
}

/// Dimensions of a residual block.
#[derive(Clone, Copy)]
pub(super) struct BlockShape {
    pub(super) input: usize,
    pub(super) inner: usize,
    pub(super) output: usize,
    /// Of the spatial convolution and of the shortcut.
    pub(super) stride: usize,
    /// Side of the squares that are averaged in front of the last convolution and of the shortcut; 1 if none are.
    pub(super) pooling: usize,
    /// Of the spatial convolution.
    pub(super) groups: usize,
}

/// A residual block: convolutions by points, by neighbours, by points, and a shortcut where dimensions change.
pub(super) struct Bottleneck {
    pub(super) reduce: Conv2d,
    pub(super) spatial: Conv2d,
    pub(super) expand: Conv2d,
    pub(super) shortcut: Option<Conv2d>,
    pub(super) pooling: usize,
}

impl Bottleneck {
    pub(super) fn load(shape: BlockShape, vb: &VarBuilder<'_>) -> Result<Self> {
        let BlockShape { input, inner, output, stride, pooling, groups } = shape;
        let shortcut = vb.contains_tensor("downsample.0.weight").then(|| {
            let shape = ConvShape::new(input, output, 1).stride(stride);
            conv_norm(shape, &vb.pp("downsample.0"), &vb.pp("downsample.1"))
        });
        let spatial = ConvShape::new(inner, inner, 3).stride(stride).groups(groups);
        Ok(Self {
            reduce: conv_norm(ConvShape::new(input, inner, 1), &vb.pp("conv1"), &vb.pp("bn1"))?,
            spatial: conv_norm(spatial, &vb.pp("conv2"), &vb.pp("bn2"))?,
            expand: conv_norm(ConvShape::new(inner, output, 1), &vb.pp("conv3"), &vb.pp("bn3"))?,
            shortcut: shortcut.transpose()?,
            pooling,
        })
    }

    /// As [`for_candle`] has it.
    pub(super) fn for_candle(&self, dtype: DType) -> Result<Self> {
        Ok(Self {
            reduce: for_candle(&self.reduce, dtype)?,
            spatial: for_candle(&self.spatial, dtype)?,
            expand: for_candle(&self.expand, dtype)?,
            shortcut: self.shortcut.as_ref().map(|conv| for_candle(conv, dtype)).transpose()?,
            pooling: self.pooling,
        })
    }

    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let inner = conv_relu(&self.spatial, &conv_relu(&self.reduce, x)?)?;
        let residual = convolve(&self.expand, &self.downsample(&inner)?)?;
        let skip = match &self.shortcut {
            Some(shortcut) => convolve(shortcut, &self.downsample(x)?)?,
            None => x.clone(),
        };
        (residual + skip)?.relu()
    }

    fn downsample(&self, x: &Tensor) -> Result<Tensor> {
        if self.pooling == 1 { Ok(x.clone()) } else { x.avg_pool2d(self.pooling) }
    }
}

/// Maximum over each of `height × width` bins of `x [.., H, W]`; bin `o` of `O` over `N` inputs covers
/// `floor(o·N/O) .. ceil((o+1)·N/O)`, so that bins overlap where `O` does not divide `N` (SPEC 4.5).
pub(super) fn adaptive_max_pool(x: &Tensor, height: usize, width: usize) -> Result<Tensor> {
    let rank = x.rank();
    pool_axis(&pool_axis(x, rank - 2, height)?, rank - 1, width)
}

fn pool_axis(x: &Tensor, axis: usize, bins: usize) -> Result<Tensor> {
    let inputs = x.dim(axis)?;
    if inputs == bins {
        return Ok(x.clone());
    }
    if bins == 1 {
        return x.max_keepdim(axis);
    }
    let starts: Vec<usize> = (0..bins).map(|bin| bin * inputs / bins).collect();
    let ends: Vec<usize> = (0..bins).map(|bin| ((bin + 1) * inputs).div_ceil(bins)).collect();
    let widest = starts.iter().zip(&ends).map(|(start, end)| end - start).max().unwrap_or(1);
    // The maximum is idempotent, so a narrow bin may read its last input several times.
    let taps = (0..widest).map(|tap| {
        let indices: Vec<u32> =
            starts.iter().zip(&ends).map(|(start, end)| (start + tap).min(end - 1) as u32).collect();
        x.index_select(&Tensor::new(indices, x.device())?, axis)
    });
    taps.reduce(|pooled, tap| pooled?.maximum(&tap?)).expect("every bin has an input")
}

/// The mean over height and width: `[batch, channels, H, W]` → `[batch, channels]`.
pub(super) fn global_mean(x: &Tensor) -> Result<Tensor> {
    x.flatten_from(2)?.mean(D::Minus1)
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn the_form_for_candle_gives_the_same() {
        let check = |shape: ConvShape, groups_left: usize| {
            let ConvShape { input, output, kernel, stride, groups } = shape;
            let values = |count: usize, step: f32| (0..count).map(|at| (at as f32 * step).sin()).collect::<Vec<_>>();
            let tensor = |values: Vec<f32>, shape: [usize; 4]| Tensor::from_vec(values, &shape, &Device::Cpu).unwrap();
            let per_group = input / groups;
            let weight = tensor(values(output * per_group * kernel * kernel, 0.7), [output, per_group, kernel, kernel]);
            let bias = Tensor::from_vec(values(output, 1.3), output, &Device::Cpu).unwrap();
            let config = Conv2dConfig { padding: kernel / 2, stride, groups, ..Conv2dConfig::default() };
            let conv = Conv2d::new(weight, Some(bias), config);
            let x = tensor(values(2 * input * 6 * 5, 0.3), [2, input, 6, 5]);
            let ours = for_candle(&conv, DType::F32).unwrap();
            assert_eq!(ours.config().groups, groups_left);
            let difference = (convolve(&ours, &x).unwrap() - conv.forward(&x).unwrap()).unwrap().abs().unwrap();
            assert!(difference.flatten_all().unwrap().max(0).unwrap().to_scalar::<f32>().unwrap() < 1e-4);
        };
        check(ConvShape::new(8, 12, 1), 1);
        check(ConvShape::new(8, 12, 1).stride(2), 1);
        check(ConvShape::new(64, 64, 3).groups(32), 1);
        check(ConvShape::new(256, 256, 3).groups(32).stride(2), 2);
        check(ConvShape::new(384, 192, 3).groups(2), 2);
    }

    #[test]
    fn adaptive_bins_overlap_where_they_do_not_divide() {
        let check = |inputs: &[f32], bins: usize, expected: &[f32]| {
            let x = Tensor::new(inputs, &Device::Cpu).unwrap().reshape((1, inputs.len())).unwrap();
            let pooled = adaptive_max_pool(&x, 1, bins).unwrap();
            assert_eq!(pooled.flatten_all().unwrap().to_vec1::<f32>().unwrap(), expected);
        };
        check(&[1.0, 5.0, 2.0, 3.0], 2, &[5.0, 3.0]);
        check(&[1.0, 0.0, 5.0, 0.0, 2.0], 3, &[1.0, 5.0, 2.0]);
        check(&[-3.0, -1.0, -2.0], 2, &[-1.0, -1.0]);
        check(&[4.0, 7.0], 2, &[4.0, 7.0]);
        check(&[4.0, 7.0, 1.0], 1, &[7.0]);
    }
}
