//! Tiles in 512-bit registers: up to 14 pixels by two registers of channels.

#![allow(unsafe_code, unsafe_op_in_unsafe_fn, reason = "instructions that must be known to exist, on pointers")]

use std::arch::is_x86_feature_detected;
use std::arch::x86_64::*;

use super::tiles::{grouped, tiles, up_to_14};
use super::transforms::{Patch, Square, Transforms, transforms};
use super::{Kernels, Number, Tile};

const TRANSFORMS: Transforms<f32> = Transforms { apart, together };

static KERNELS: Kernels<f32> =
    Kernels { name: "avx512", pixels: 14, tile, grouped: Some(grouped::tile), gate, transforms: Some(TRANSFORMS) };

/// The kernels, if this machine can run them.
pub(super) fn kernels() -> Option<&'static Kernels<f32>> {
    is_x86_feature_detected!("avx512f").then_some(&KERNELS)
}

#[target_feature(enable = "avx512f")]
unsafe fn gate(values: &mut [f32], gates: &[f32]) {
    super::gate(values, gates);
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

#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn plus(a: __m512, b: __m512) -> __m512 {
    _mm512_add_ps(a, b)
}

#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn minus(a: __m512, b: __m512) -> __m512 {
    _mm512_sub_ps(a, b)
}

#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn store(at: *mut f32, value: __m512) {
    _mm512_storeu_ps(at, value);
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

/// Sixteen neighbouring values, put into the lanes that need them.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn permuted(at: *const f32, lanes: __m512i) -> __m512 {
    _mm512_permutexvar_ps(lanes, _mm512_loadu_ps(at))
}

#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn lanes(at: *const u32) -> __m512i {
    _mm512_loadu_si512(at.cast())
}

up_to_14! { tiles, "avx512f", f32, 16 }
up_to_14! { grouped, "avx512f", f32, 16 }

transforms! { "avx512f", __m512, 16 }
