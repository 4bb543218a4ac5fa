//! Tiles in 512-bit registers: up to 14 pixels by two registers of channels.

#![allow(unsafe_code, unsafe_op_in_unsafe_fn, reason = "instructions that must be known to exist, on pointers")]

use std::arch::is_x86_feature_detected;
use std::arch::x86_64::*;

use super::tiles::{grouped, single, tiles, up_to_14};
use super::transforms::{Patch, Square, Transforms, transforms};
use super::{Kernels, Number, Tile};

const TRANSFORMS: Transforms<f32> = Transforms { apart, together };

static KERNELS: Kernels<f32> =
    Kernels { name: "avx512", pixels: 14, tile, grouped: Some(grouped::tile), gate, transforms: Some(TRANSFORMS) };

/// The kernels, if this machine can run them.
pub(super) fn kernels() -> Option<&'static Kernels<f32>> {
    is_x86_feature_detected!("avx512f").then_some(&KERNELS)
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

/// What is not negative, and 0 for what is.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn positive(value: __m512) -> __m512 {
    _mm512_max_ps(value, _mm512_setzero_ps())
}

single! { "avx512f", __m512, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_add_ps, _mm512_sub_ps }

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
