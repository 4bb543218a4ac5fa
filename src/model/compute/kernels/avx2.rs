//! Tiles in 256-bit registers: up to six pixels by two registers of channels.

#![allow(unsafe_code, unsafe_op_in_unsafe_fn, reason = "instructions that must be known to exist, on pointers")]

use std::arch::is_x86_feature_detected;
use std::arch::x86_64::*;

use super::tiles::{single, tiles};
use super::transforms::{Patch, Square, Transforms, transforms};
use super::{Kernels, Number, Tile};

const TRANSFORMS: Transforms<f32> = Transforms { apart, together };

static KERNELS: Kernels<f32> =
    Kernels { name: "avx2", pixels: 6, tile, grouped: None, gate, transforms: Some(TRANSFORMS) };

/// The kernels, if this machine can run them.
pub(super) fn kernels() -> Option<&'static Kernels<f32>> {
    (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(&KERNELS)
}

#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn spread(at: *const f32) -> __m256 {
    _mm256_set1_ps(*at)
}

#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn fused(value: __m256, weights: __m256, sum: __m256) -> __m256 {
    _mm256_fmadd_ps(value, weights, sum)
}

/// What is not negative, and 0 for what is.
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn positive(value: __m256) -> __m256 {
    _mm256_max_ps(value, _mm256_setzero_ps())
}

single! { "avx2,fma", __m256, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_add_ps, _mm256_sub_ps }

tiles! {
    "avx2,fma", f32, 8,
    1 => tile_1(0 a0 b0);
    2 => tile_2(0 a0 b0, 1 a1 b1);
    3 => tile_3(0 a0 b0, 1 a1 b1, 2 a2 b2);
    4 => tile_4(0 a0 b0, 1 a1 b1, 2 a2 b2, 3 a3 b3);
    5 => tile_5(0 a0 b0, 1 a1 b1, 2 a2 b2, 3 a3 b3, 4 a4 b4);
    6 => tile_6(0 a0 b0, 1 a1 b1, 2 a2 b2, 3 a3 b3, 4 a4 b4, 5 a5 b5);
}

transforms! { "avx2,fma", __m256, 8 }
