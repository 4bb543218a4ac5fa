//! Distance kernels for x86-64 with AVX2, FMA and F16C (Intel since Haswell, AMD since Zen).
//!
//! Owns the sums in 256-bit registers. Invariant: nothing is read beyond the slices; what is left after the last whole
//! register is copied between zeros first. Does not know of other instruction sets.

#![allow(unsafe_code, reason = "vector loads take pointers, and the instructions must be known to exist")]

use std::arch::is_x86_feature_detected;
use std::arch::x86_64::*;

use half::f16;

use super::ways::padded;
use super::{Kernels, scalar};

/// Codes in a register.
const CODES: usize = 32;
/// Floats in a register.
const FLOATS: usize = 8;

/// Reachable through [`kernels`] only.
static KERNELS: Kernels = Kernels {
    name: "avx2",
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
    let able = is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("fma")
        && is_x86_feature_detected!("f16c")
        && is_x86_feature_detected!("popcnt");
    able.then_some(&KERNELS)
}

#[target_feature(enable = "avx2")]
fn dot_codes(a: &[i8], b: &[i8]) -> i32 {
    sum_integers(sum_four_ways!(a, b; block CODES, zero _mm256_setzero_si256(),
        whole add_code_products, rest add_last_code_products))
}

#[target_feature(enable = "popcnt")]
fn differing_bits(sketch: &[u64], others: &[u64], counts: &mut Vec<u32>) {
    scalar::differing_bits(sketch, others, counts);
}

#[target_feature(enable = "avx2,fma,f16c")]
fn dot_halves(query: &[f32], row: &[f16]) -> f32 {
    sum_floats(sum_four_ways!(query, row; block FLOATS, zero _mm256_setzero_ps(),
        whole add_half_products, rest add_last_half_products))
}

#[target_feature(enable = "avx2,fma")]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    sum_floats(sum_four_ways!(a, b; block FLOATS, zero _mm256_setzero_ps(),
        whole add_products, rest add_last_products))
}

/// `vpmaddubsw` multiplies unsigned by signed bytes, sums two products, and saturates at 16 bits. It is exact here:
/// a = low − high, with low = a & 127 and high = a & 128, and two products of either with `b` stay within ±2 · 128².
/// So does their difference, −32,512..=32,768, of which only the negative fits; a factor of −1 turns it round.
#[inline]
#[target_feature(enable = "avx2")]
fn add_code_products(sum: __m256i, a: &[i8; CODES], b: &[i8; CODES]) -> __m256i {
    let (a, b) = (load_codes(a), load_codes(b));
    let low = _mm256_maddubs_epi16(_mm256_and_si256(a, _mm256_set1_epi8(i8::MAX)), b);
    let high = _mm256_maddubs_epi16(_mm256_and_si256(a, _mm256_set1_epi8(i8::MIN)), b);
    _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_sub_epi16(high, low), _mm256_set1_epi16(-1)))
}

#[inline]
#[target_feature(enable = "avx2")]
fn add_last_code_products(sum: __m256i, a: &[i8], b: &[i8]) -> __m256i {
    add_code_products(sum, &padded(a, 0), &padded(b, 0))
}

#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn add_half_products(sum: __m256, a: &[f32; FLOATS], b: &[f16; FLOATS]) -> __m256 {
    _mm256_fmadd_ps(load_floats(a), load_halves(b), sum)
}

#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn add_last_half_products(sum: __m256, a: &[f32], b: &[f16]) -> __m256 {
    add_half_products(sum, &padded(a, 0.0), &padded(b, f16::ZERO))
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn add_products(sum: __m256, a: &[f32; FLOATS], b: &[f32; FLOATS]) -> __m256 {
    _mm256_fmadd_ps(load_floats(a), load_floats(b), sum)
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn add_last_products(sum: __m256, a: &[f32], b: &[f32]) -> __m256 {
    add_products(sum, &padded(a, 0.0), &padded(b, 0.0))
}

#[inline]
#[target_feature(enable = "avx")]
fn load_codes(codes: &[i8; CODES]) -> __m256i {
    // SAFETY: the array has as many bytes as the register, and `loadu` asks for no alignment.
    unsafe { _mm256_loadu_si256(codes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx")]
fn load_floats(floats: &[f32; FLOATS]) -> __m256 {
    // SAFETY: the array has as many bytes as the register, and `loadu` asks for no alignment.
    unsafe { _mm256_loadu_ps(floats.as_ptr()) }
}

#[inline]
#[target_feature(enable = "avx,f16c")]
fn load_halves(halves: &[f16; FLOATS]) -> __m256 {
    // SAFETY: the array has as many bytes as half a register, `loadu` asks for no alignment, and `f16` is its bits.
    _mm256_cvtph_ps(unsafe { _mm_loadu_si128(halves.as_ptr().cast()) })
}

#[inline]
#[target_feature(enable = "avx2")]
fn sum_integers([first, second, third, fourth]: [__m256i; 4]) -> i32 {
    let lanes = _mm256_add_epi32(_mm256_add_epi32(first, second), _mm256_add_epi32(third, fourth));
    let four = _mm_add_epi32(_mm256_castsi256_si128(lanes), _mm256_extracti128_si256::<1>(lanes));
    let two = _mm_add_epi32(four, _mm_shuffle_epi32::<0b11_10>(four));
    _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32::<0b01>(two)))
}

#[inline]
#[target_feature(enable = "avx")]
fn sum_floats([first, second, third, fourth]: [__m256; 4]) -> f32 {
    let lanes = _mm256_add_ps(_mm256_add_ps(first, second), _mm256_add_ps(third, fourth));
    let four = _mm_add_ps(_mm256_castps256_ps128(lanes), _mm256_extractf128_ps::<1>(lanes));
    let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
}
