//! Convolutions and towers on an emulated GPU, against the same by candle on the processor.

use candle_core::{DType, Device, Tensor};
use candle_nn::{Conv2d, Conv2dConfig, Module};
use half::bf16;

use super::emulated::{self, Blocks};
use super::layers::{Conv, Weights};
use super::plan::{Incoming, Planner};
use super::probe;
use super::tasks::{After, Kernel, Tile};

/// A convolution, and what it is given.
#[derive(Debug, Clone, Copy)]
struct Case {
    channels: [usize; 2],
    kernel: usize,
    stride: usize,
    groups: usize,
    images: usize,
    height: usize,
    width: usize,
    processors: usize,
}

const DENSE: Case =
    Case { channels: [64, 64], kernel: 1, stride: 1, groups: 1, images: 1, height: 9, width: 7, processors: 1 };

/// Numbers between −1 and 1 that look as if they were drawn at random, and that bfloat16 has.
fn numbers(shape: &[usize], seed: u64) -> Tensor {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1);
    let drawn: Vec<f32> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        bf16::from_f32((state >> 40) as f32 / (1 << 23) as f32 - 1.0).to_f32()
    })
    .take(shape.iter().product())
    .collect();
    Tensor::from_vec(drawn, shape, &Device::Cpu).unwrap()
}

/// `[images, channels, height, width]` as the bytes of a map, and back.
fn bytes(tensor: &Tensor) -> Vec<u8> {
    let channels = tensor.dim(1).unwrap();
    let tensor = tensor.pad_with_zeros(1, 0, channels.next_multiple_of(8) - channels).unwrap();
    let values = tensor.permute((0, 2, 3, 1)).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let mut bytes: Vec<u8> = values.iter().flat_map(|value| bf16::from_f32(*value).to_le_bytes()).collect();
    bytes.resize(bytes.len().next_multiple_of(256), 0xff);
    bytes
}

fn tensor(bytes: &[u8], [images, channels, height, width]: [usize; 4]) -> Tensor {
    let pixel = channels.next_multiple_of(8);
    let values: Vec<bf16> = bytes.chunks_exact(2).map(|pair| bf16::from_le_bytes([pair[0], pair[1]])).collect();
    let values = values[..images * height * width * pixel].to_vec();
    assert!(values.chunks_exact(pixel).all(|pixel| pixel[channels..].iter().all(|value| *value == bf16::ZERO)));
    let map = Tensor::from_vec(values, (images, height, width, pixel), &Device::Cpu).unwrap();
    map.narrow(3, 0, channels).unwrap().permute((0, 3, 1, 2)).unwrap().to_dtype(DType::F32).unwrap()
}

fn check(case: Case, after: After, tile: Tile) {
    let Case { channels: [inputs, outputs], kernel, stride, groups, images, height, width, processors } = case;
    let config = Conv2dConfig { padding: kernel / 2, stride, groups, ..Conv2dConfig::default() };
    let scale = 1.0 / ((inputs / groups * kernel * kernel) as f64).sqrt();
    let weight = (numbers(&[outputs, inputs / groups, kernel, kernel], 1) * scale).unwrap();
    let weight = weight.to_dtype(DType::BF16).unwrap().to_dtype(DType::F32).unwrap();
    let layer = Conv2d::new(weight, Some(numbers(&[outputs], 2)), config);
    let input = numbers(&[images, inputs, height, width], 3);
    let sum = layer.forward(&input).unwrap();
    let (_, _, to_height, to_width) = sum.dims4().unwrap();
    let other = numbers(sum.dims(), 4);
    let expected = match after {
        After::Nothing => sum,
        After::Rectified => sum.relu().unwrap(),
        After::Joined => (sum + &other).unwrap().relu().unwrap(),
        After::Gated => (candle_nn::ops::sigmoid(&sum).unwrap() * &other).unwrap(),
    };

    let mut weights = Weights::default();
    let conv = Conv::new(&layer, &mut weights).unwrap();
    let mut planner = Planner::new(Incoming { images, height, width, processors });
    let from = planner.take(height, width, inputs);
    let others = planner.take(to_height, to_width, outputs);
    let to = planner.convolve(&conv, &from, (after as i32 >= After::Joined as i32).then_some(&others), after);
    let plan = planner.outgoing(to);
    assert_eq!(plan.launches[0].kernel, Kernel::Convolve(tile), "{case:?}");
    let mut activations = [bytes(&input), bytes(&other)].concat();
    let begin = activations.len();
    activations.resize(plan.activation_bytes, 0xff);
    let blocks = Blocks { weights: weights.into_bytes(), activations, input: Vec::new(), output: Vec::new() };
    let made = tensor(&blocks.after(&plan.launches[..1]).activations[begin..], [images, outputs, to_height, to_width]);
    let difference = (made - &expected).unwrap().abs().unwrap().flatten_all().unwrap().max(0).unwrap();
    let bound = expected.abs().unwrap().flatten_all().unwrap().max(0).unwrap().to_scalar::<f32>().unwrap() / 256.0;
    let difference = difference.to_scalar::<f32>().unwrap();
    assert!(difference <= bound, "{case:?}, {after:?}: {difference} > {bound}");
}

#[test]
fn dense_convolutions_are_candles() {
    check(DENSE, After::Nothing, Tile::By128x64);
    check(Case { channels: [20, 12], height: 5, ..DENSE }, After::Rectified, Tile::By128x32);
    check(Case { channels: [72, 136], images: 3, ..DENSE }, After::Joined, Tile::By128x128);
    check(Case { channels: [128, 192], kernel: 3, ..DENSE }, After::Gated, Tile::By128x128);
    check(Case { channels: [8, 64], kernel: 3, stride: 2, ..DENSE }, After::Joined, Tile::By128x64);
    check(Case { channels: [256, 128], images: 2, stride: 2, processors: 9, ..DENSE }, After::Rectified, Tile::By64x64);
    check(
        Case { channels: [16, 64], kernel: 7, height: 20, width: 33, processors: 99, ..DENSE },
        After::Rectified,
        Tile::By64x64,
    );
}

#[test]
fn grouped_convolutions_are_candles() {
    let grouped = Case { kernel: 3, groups: 32, ..DENSE };
    check(Case { channels: [128, 128], ..grouped }, After::Rectified, Tile::By128x32);
    check(Case { channels: [256, 256], stride: 2, images: 2, ..grouped }, After::Joined, Tile::By128x32);
    check(Case { channels: [1024, 1024], height: 4, ..grouped }, After::Nothing, Tile::By128x32);
    check(Case { channels: [256, 256], groups: 4, ..grouped }, After::Gated, Tile::By128x64);
    // Groups that fill no tile are computed as if there were none.
    check(Case { channels: [16, 16], groups: 4, ..grouped }, After::Rectified, Tile::By128x32);
    check(Case { channels: [24, 40], groups: 8, kernel: 1, ..grouped }, After::Rectified, Tile::By128x64);
}

#[test]
fn an_emulated_gpu_is_able() {
    assert!(probe::agrees(emulated::packed, &Device::Cpu).unwrap());
}
