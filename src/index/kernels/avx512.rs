//! Distance kernels for x86-64 with AVX-512 and its neural-network instructions (Intel Ice Lake, AMD Zen 4).
//!
//! Owns the sums in 512-bit registers. Invariant: nothing is read beyond the slices; what is left after the last whole
//! register is loaded under a mask. Does not know of other instruction sets.

#![allow(unsafe_code, reason = "vector loads take pointers, and the instructions must be known to exist")]

use std::arch::is_x86_feature_detected;
use std::arch::x86_64::*;

use half::f16;

use super::Kernels;
use super::ways::padded;

/// Codes in a register.
const CODES: usize = 64;
/// Words of a sketch in a register.
const WORDS: usize = 8;
/// Floats in a register.
const FLOATS: usize = 16;

/// Reachable through [`kernels`] only.
static KERNELS: Kernels = Kernels {
    name: "avx512-vnni",
    // SAFETY: `kernels` hands these out only where all features that they are compiled for were detected.
    dot_codes: |a, b| unsafe { dot_codes(a, b) },
    // SAFETY: as above.
    dot_halves: |query, row| unsafe { dot_halves(query, row) },
    // SAFETY: as above.
    dot: |a, b| unsafe { dot(a, b) },
    // SAFETY: as above.
    differing_bits: |sketch, others, counts| unsafe { differing_bits(sketch, others, counts) },
};

/// The kernels, if this machine can run them.
pub(super) fn kernels() -> Option<&'static Kernels> {
    let able = is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512vnni")
        && is_x86_feature_detected!("avx512vpopcntdq");
    able.then_some(&KERNELS)
}

#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn dot_codes(a: &[i8], b: &[i8]) -> i32 {
    let zero = BiasedSum { biased: _mm512_setzero_si512(), bias: _mm512_setzero_si512() };
    let [first, second, third, fourth] =
        sum_four_ways!(a, b; block CODES, zero zero, whole add_code_products, rest add_last_code_products);
    let sum = plus(plus(first, second), plus(third, fourth));
    _mm512_reduce_add_epi32(_mm512_sub_epi32(sum.biased, sum.bias))
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn dot_halves(query: &[f32], row: &[f16]) -> f32 {
    sum_floats(sum_four_ways!(query, row; block FLOATS, zero _mm512_setzero_ps(),
        whole add_half_products, rest add_last_half_products))
}

#[target_feature(enable = "avx512f")]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    sum_floats(sum_four_ways!(a, b; block FLOATS, zero _mm512_setzero_ps(),
        whole add_products, rest add_last_products))
}

#[target_feature(enable = "avx512f,avx512vpopcntdq")]
fn differing_bits(sketch: &[u64], others: &[u64], counts: &mut Vec<u32>) {
    counts.reserve(others.len() / sketch.len());
    for other in others.chunks_exact(sketch.len()) {
        counts.push(bits_apart(sketch, other));
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512vpopcntdq")]
fn bits_apart(a: &[u64], b: &[u64]) -> u32 {
    let [first, second, third, fourth] = sum_four_ways!(a, b; block WORDS, zero _mm512_setzero_si512(),
        whole add_differing_bits, rest add_last_differing_bits);
    let sum = _mm512_add_epi64(_mm512_add_epi64(first, second), _mm512_add_epi64(third, fourth));
    // Fits: a sketch has fewer bits than four thousand million.
    _mm512_reduce_add_epi64(sum).cast_unsigned() as u32
}

#[inline]
#[target_feature(enable = "avx512f,avx512vpopcntdq")]
fn add_differing_bits(sum: __m512i, a: &[u64; WORDS], b: &[u64; WORDS]) -> __m512i {
    // SAFETY: both have as many words as a register.
    let (a, b) = unsafe { (_mm512_loadu_si512(a.as_ptr().cast()), _mm512_loadu_si512(b.as_ptr().cast())) };
    _mm512_add_epi64(sum, _mm512_popcnt_epi64(_mm512_xor_si512(a, b)))
}

#[inline]
#[target_feature(enable = "avx512f,avx512vpopcntdq")]
fn add_last_differing_bits(sum: __m512i, a: &[u64], b: &[u64]) -> __m512i {
    add_differing_bits(sum, &padded(a, 0), &padded(b, 0))
}

/// What `vpdpbusd` can sum, and what is too much in it: it multiplies unsigned by signed bytes.
#[derive(Clone, Copy)]
struct BiasedSum {
    /// Σ (a + 128) · b.
    biased: __m512i,
    /// Σ 128 · b.
    bias: __m512i,
}

/// Flipping the highest bit of `a` adds 128. Nothing saturates; should a sum wrap around, the difference wraps back.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn add_biased(sum: BiasedSum, a: __m512i, b: __m512i) -> BiasedSum {
    let offset = _mm512_set1_epi8(i8::MIN);
    BiasedSum {
        biased: _mm512_dpbusd_epi32(sum.biased, _mm512_xor_si512(a, offset), b),
        bias: _mm512_dpbusd_epi32(sum.bias, offset, b),
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn plus(a: BiasedSum, b: BiasedSum) -> BiasedSum {
    BiasedSum { biased: _mm512_add_epi32(a.biased, b.biased), bias: _mm512_add_epi32(a.bias, b.bias) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn sum_floats([first, second, third, fourth]: [__m512; 4]) -> f32 {
    _mm512_reduce_add_ps(_mm512_add_ps(_mm512_add_ps(first, second), _mm512_add_ps(third, fourth)))
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn add_code_products(sum: BiasedSum, a: &[i8; CODES], b: &[i8; CODES]) -> BiasedSum {
    add_biased(sum, load_codes(a), load_codes(b))
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn add_last_code_products(sum: BiasedSum, a: &[i8], b: &[i8]) -> BiasedSum {
    add_biased(sum, load_last_codes(a), load_last_codes(b))
}

#[inline]
#[target_feature(enable = "avx512f")]
fn add_half_products(sum: __m512, a: &[f32; FLOATS], b: &[f16; FLOATS]) -> __m512 {
    _mm512_fmadd_ps(load_floats(a), load_halves(b), sum)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn add_last_half_products(sum: __m512, a: &[f32], b: &[f16]) -> __m512 {
    _mm512_fmadd_ps(load_last_floats(a), load_last_halves(b), sum)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn add_products(sum: __m512, a: &[f32; FLOATS], b: &[f32; FLOATS]) -> __m512 {
    _mm512_fmadd_ps(load_floats(a), load_floats(b), sum)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn add_last_products(sum: __m512, a: &[f32], b: &[f32]) -> __m512 {
    _mm512_fmadd_ps(load_last_floats(a), load_last_floats(b), sum)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load_codes(codes: &[i8; CODES]) -> __m512i {
    // SAFETY: the array has as many bytes as the register, and `loadu` asks for no alignment.
    unsafe { _mm512_loadu_si512(codes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load_floats(floats: &[f32; FLOATS]) -> __m512 {
    // SAFETY: the array has as many bytes as the register, and `loadu` asks for no alignment.
    unsafe { _mm512_loadu_ps(floats.as_ptr()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load_halves(halves: &[f16; FLOATS]) -> __m512 {
    // SAFETY: the array has as many bytes as half a register, `loadu` asks for no alignment, and `f16` is its bits.
    _mm512_cvtph_ps(unsafe { _mm256_loadu_si256(halves.as_ptr().cast()) })
}

/// Fewer codes than a register has; the others are 0.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn load_last_codes(codes: &[i8]) -> __m512i {
    let mask = (1 << codes.len()) - 1;
    // SAFETY: memory that the mask leaves out is not read, and the mask has one bit for each code in the slice.
    unsafe { _mm512_maskz_loadu_epi8(mask, codes.as_ptr()) }
}

/// Fewer floats than a register has; the others are 0.
#[inline]
#[target_feature(enable = "avx512f")]
fn load_last_floats(floats: &[f32]) -> __m512 {
    let mask = (1 << floats.len()) - 1;
    // SAFETY: memory that the mask leaves out is not read, and the mask has one bit for each float in the slice.
    unsafe { _mm512_maskz_loadu_ps(mask, floats.as_ptr()) }
}

/// Fewer halves than a register has floats; the others are 0.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn load_last_halves(halves: &[f16]) -> __m512 {
    let mask = (1 << halves.len()) - 1;
    // SAFETY: memory that the mask leaves out is not read, the mask has one bit for each half in the slice, and `f16`
    // is its bits.
    _mm512_cvtph_ps(unsafe { _mm256_maskz_loadu_epi16(mask, halves.as_ptr().cast()) })
}
