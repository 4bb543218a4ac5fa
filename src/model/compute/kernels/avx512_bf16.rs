//! Tiles in 512-bit registers that multiply pairs of bfloat16 and add in f32.

#![allow(unsafe_code, unsafe_op_in_unsafe_fn, reason = "instructions that must be known to exist, on pointers")]

use std::arch::is_x86_feature_detected;
use std::arch::x86_64::*;

use half::bf16;

use super::tiles::tiles;
use super::{Kernels, Number, Tile};

static KERNELS: Kernels<bf16> = Kernels { name: "avx512-bf16", pixels: 14, tile };

/// The kernels, if this machine can run them.
pub(super) fn kernels() -> Option<&'static Kernels<bf16>> {
    let there = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bf16");
    there.then_some(&KERNELS)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
unsafe fn bias(at: *const f32) -> __m512 {
    _mm512_loadu_ps(at)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
unsafe fn weights(at: *const bf16) -> __m512i {
    _mm512_loadu_si512(at.cast())
}

/// Two neighbouring values, as often as there is room.
#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
unsafe fn spread(at: *const bf16) -> __m512i {
    _mm512_set1_epi32(at.cast::<i32>().read_unaligned())
}

#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
unsafe fn fused(value: __m512i, weights: __m512i, sum: __m512) -> __m512 {
    // Only the type changes, not a bit.
    let [value, weights] = [value, weights].map(|it| std::mem::transmute::<__m512i, __m512bh>(it));
    _mm512_dpbf16_ps(sum, weights, value)
}

/// A register of a pixel, finished, rounded to the nearest and written.
#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
unsafe fn finish(tile: &Tile<'_, bf16>, sum: __m512, at: usize) {
    let mut sum = sum;
    if !tile.residual.is_null() {
        let residual = _mm512_cvtepu16_epi32(_mm256_loadu_si256(tile.residual.add(at).cast()));
        sum = _mm512_add_ps(sum, _mm512_castsi512_ps(_mm512_slli_epi32::<16>(residual)));
    }
    if tile.rectified {
        sum = _mm512_max_ps(sum, _mm512_setzero_ps());
    }
    let rounded = std::mem::transmute::<__m256bh, __m256i>(_mm512_cvtneps_pbh(sum));
    _mm256_storeu_si256(tile.output.add(at).cast(), rounded);
}

tiles! {
    "avx512f,avx512bf16", bf16, 16,
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
