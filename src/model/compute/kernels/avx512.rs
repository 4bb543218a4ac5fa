//! Tiles in 512-bit registers: up to 14 pixels by two registers of channels.

#![allow(unsafe_code, unsafe_op_in_unsafe_fn, reason = "instructions that must be known to exist, on pointers")]

use std::arch::is_x86_feature_detected;
use std::arch::x86_64::*;

use super::tiles::tiles;
use super::{Kernels, Number, Tile};

static KERNELS: Kernels<f32> = Kernels { name: "avx512", pixels: 14, tile };

/// The kernels, if this machine can run them.
pub(super) fn kernels() -> Option<&'static Kernels<f32>> {
    is_x86_feature_detected!("avx512f").then_some(&KERNELS)
}

#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn bias(at: *const f32) -> __m512 {
    _mm512_loadu_ps(at)
}

#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn weights(at: *const f32) -> __m512 {
    _mm512_loadu_ps(at)
}

#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn spread(at: *const f32) -> __m512 {
    _mm512_set1_ps(*at)
}

#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn fused(value: __m512, weights: __m512, sum: __m512) -> __m512 {
    _mm512_fmadd_ps(value, weights, sum)
}

/// A register of a pixel, finished and written.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn finish(tile: &Tile<'_, f32>, sum: __m512, at: usize) {
    let mut sum = sum;
    if !tile.residual.is_null() {
        sum = _mm512_add_ps(sum, _mm512_loadu_ps(tile.residual.add(at)));
    }
    if tile.rectified {
        sum = _mm512_max_ps(sum, _mm512_setzero_ps());
    }
    _mm512_storeu_ps(tile.output.add(at), sum);
}

tiles! {
    "avx512f", f32, 16,
    1 => tile_1(0 a0 b0);
    2 => tile_2(0 a0 b0, 1 a1 b1);
    3 => tile_3(0 a0 b0, 1 a1 b1, 2 a2 b2);
    4 => tile_4(0 a0 b0, 1 a1 b1, 2 a2 b2, 3 a3 b3);
    5 => tile_5(0 a0 b0, 1 a1 b1, 2 a2 b2, 3 a3 b3, 4 a4 b4);
    6 => tile_6(0 a0 b0, 1 a1 b1, 2 a2 b2, 3 a3 b3, 4 a4 b4, 5 a5 b5);
    7 => tile_7(0 a0 b0, 1 a1 b1, 2 a2 b2, 3 a3 b3, 4 a4 b4, 5 a5 b5, 6 a6 b6);
    8 => tile_8(0 a0 b0, 1 a1 b1, 2 a2 b2, 3 a3 b3, 4 a4 b4, 5 a5 b5, 6 a6 b6, 7 a7 b7);
    9 => tile_9(0 a0 b0, 1 a1 b1, 2 a2 b2, 3 a3 b3, 4 a4 b4, 5 a5 b5, 6 a6 b6, 7 a7 b7, 8 a8 b8);
    10 => tile_10(0 a0 b0, 1 a1 b1, 2 a2 b2, 3 a3 b3, 4 a4 b4, 5 a5 b5, 6 a6 b6, 7 a7 b7, 8 a8 b8, 9 a9 b9);
    11 => tile_11(0 a0 b0, 1 a1 b1, 2 a2 b2, 3 a3 b3, 4 a4 b4, 5 a5 b5, 6 a6 b6, 7 a7 b7, 8 a8 b8, 9 a9 b9,
        10 a10 b10);
    12 => tile_12(0 a0 b0, 1 a1 b1, 2 a2 b2, 3 a3 b3, 4 a4 b4, 5 a5 b5, 6 a6 b6, 7 a7 b7, 8 a8 b8, 9 a9 b9,
        10 a10 b10, 11 a11 b11);
    13 => tile_13(0 a0 b0, 1 a1 b1, 2 a2 b2, 3 a3 b3, 4 a4 b4, 5 a5 b5, 6 a6 b6, 7 a7 b7, 8 a8 b8, 9 a9 b9,
        10 a10 b10, 11 a11 b11, 12 a12 b12);
    14 => tile_14(0 a0 b0, 1 a1 b1, 2 a2 b2, 3 a3 b3, 4 a4 b4, 5 a5 b5, 6 a6 b6, 7 a7 b7, 8 a8 b8, 9 a9 b9,
        10 a10 b10, 11 a11 b11, 12 a12 b12, 13 a13 b13);
}
