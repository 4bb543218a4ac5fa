//! Tiles in 512-bit registers that multiply pairs of bfloat16 and add in f32.

#![allow(unsafe_code, unsafe_op_in_unsafe_fn, reason = "instructions that must be known to exist, on pointers")]

use std::arch::is_x86_feature_detected;
use std::arch::x86_64::*;

use half::bf16;

use super::tiles::{grouped, tiles, up_to_14};
use super::{Kernels, Number, Tile};

static KERNELS: Kernels<bf16> =
    Kernels { name: "avx512-bf16", pixels: 14, tile, grouped: Some(grouped::tile), gate, transforms: None };

/// The kernels, if this machine can run them.
pub(super) fn kernels() -> Option<&'static Kernels<bf16>> {
    let wide = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bf16");
    let narrow = is_x86_feature_detected!("avx512bw") && is_x86_feature_detected!("avx512vl");
    (wide && narrow).then_some(&KERNELS)
}

#[target_feature(enable = "avx512f,avx512bf16,avx512bw,avx512vl")]
unsafe fn gate(values: &mut [bf16], gates: &[bf16]) {
    super::gate(values, gates);
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

/// Eight neighbouring pairs, put into the lanes that need them.
#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
unsafe fn permuted(at: *const bf16, lanes: __m512i) -> __m512i {
    _mm512_permutexvar_epi32(lanes, _mm512_castsi256_si512(_mm256_loadu_si256(at.cast())))
}

#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
unsafe fn lanes(at: *const u32) -> __m512i {
    _mm512_loadu_si512(at.cast())
}

up_to_14! { tiles, "avx512f,avx512bf16", bf16, 16 }
up_to_14! { grouped, "avx512f,avx512bf16", bf16, 16 }
