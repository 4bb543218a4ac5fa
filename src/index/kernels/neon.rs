//! Distance kernels for AArch64: NEON, and its dot product instructions (optional since Armv8.2, required from 8.4).
//!
//! Owns the sums in 128-bit registers. Invariant: nothing is read beyond the slices; what is left after the last whole
//! block is copied between zeros first. Does not know of other instruction sets.

#![allow(unsafe_code, reason = "vector loads take pointers, and the instructions must be known to exist")]

use std::arch::aarch64::*;
use std::arch::{asm, is_aarch64_feature_detected};

use half::f16;

use super::ways::padded;
use super::{Kernels, scalar};

/// Codes in a register.
const CODES: usize = 16;
/// Floats in a pair of registers: as many as there are halves in one.
const FLOATS: usize = 8;

/// Reachable through [`kernels`] only.
static NEON: Kernels = Kernels {
    name: "neon",
    // SAFETY: `kernels` hands these out only where all features that they are compiled for were detected.
    dot_codes: |a, b| unsafe { dot_codes(a, b) },
    // SAFETY: as above.
    dot_halves: |query, row| unsafe { dot_halves(query, row) },
    // SAFETY: as above.
    dot: |a, b| unsafe { dot(a, b) },
    differing_bits: scalar::differing_bits,
};

/// Reachable through [`kernels`] only.
static DOTPROD: Kernels = Kernels {
    name: "neon-dotprod",
    // SAFETY: `kernels` hands these out only where all features that they are compiled for were detected.
    dot_codes: |a, b| unsafe { dot_codes_dotprod(a, b) },
    dot_halves: NEON.dot_halves,
    dot: NEON.dot,
    differing_bits: scalar::differing_bits,
};

/// The kernels that this machine can run, slowest first.
pub(super) fn kernels() -> impl Iterator<Item = &'static Kernels> {
    let neon = is_aarch64_feature_detected!("neon");
    let dotprod = neon && is_aarch64_feature_detected!("dotprod");
    neon.then_some(&NEON).into_iter().chain(dotprod.then_some(&DOTPROD))
}

#[target_feature(enable = "neon")]
fn dot_codes(a: &[i8], b: &[i8]) -> i32 {
    sum_integers(sum_four_ways!(a, b; block CODES, zero vdupq_n_s32(0),
        whole add_code_products, rest add_last_code_products))
}

#[target_feature(enable = "neon,dotprod")]
fn dot_codes_dotprod(a: &[i8], b: &[i8]) -> i32 {
    sum_integers(sum_four_ways!(a, b; block CODES, zero vdupq_n_s32(0),
        whole add_code_dots, rest add_last_code_dots))
}

#[target_feature(enable = "neon")]
fn dot_halves(query: &[f32], row: &[f16]) -> f32 {
    sum_floats(sum_four_ways!(query, row; block FLOATS, zero zeros(),
        whole add_half_products, rest add_last_half_products))
}

#[target_feature(enable = "neon")]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    sum_floats(sum_four_ways!(a, b; block FLOATS, zero zeros(),
        whole add_products, rest add_last_products))
}

/// Each product has 16 bits of its own before it is added: two of (−128)² would not fit in one.
#[inline]
#[target_feature(enable = "neon")]
fn add_code_products(sum: int32x4_t, a: &[i8; CODES], b: &[i8; CODES]) -> int32x4_t {
    let (a, b) = (load_codes(a), load_codes(b));
    let sum = vpadalq_s16(sum, vmull_s8(vget_low_s8(a), vget_low_s8(b)));
    vpadalq_s16(sum, vmull_high_s8(a, b))
}

#[inline]
#[target_feature(enable = "neon")]
fn add_last_code_products(sum: int32x4_t, a: &[i8], b: &[i8]) -> int32x4_t {
    add_code_products(sum, &padded(a, 0), &padded(b, 0))
}

/// `sdot`, whose intrinsic (`vdotq_s32`) is not stable yet. Sums four products into each lane, exactly.
#[inline]
#[target_feature(enable = "neon,dotprod")]
fn add_code_dots(mut sum: int32x4_t, a: &[i8; CODES], b: &[i8; CODES]) -> int32x4_t {
    let (a, b) = (load_codes(a), load_codes(b));
    // SAFETY: the instruction exists where this function may be called; it reads and writes the named registers only.
    unsafe {
        asm!(
            "sdot {sum:v}.4s, {a:v}.16b, {b:v}.16b",
            sum = inout(vreg) sum,
            a = in(vreg) a,
            b = in(vreg) b,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sum
}

#[inline]
#[target_feature(enable = "neon,dotprod")]
fn add_last_code_dots(sum: int32x4_t, a: &[i8], b: &[i8]) -> int32x4_t {
    add_code_dots(sum, &padded(a, 0), &padded(b, 0))
}

#[inline]
#[target_feature(enable = "neon")]
fn add_half_products(sum: Floats, a: &[f32; FLOATS], b: &[f16; FLOATS]) -> Floats {
    fma(sum, load_floats(a), load_halves(b))
}

#[inline]
#[target_feature(enable = "neon")]
fn add_last_half_products(sum: Floats, a: &[f32], b: &[f16]) -> Floats {
    add_half_products(sum, &padded(a, 0.0), &padded(b, f16::ZERO))
}

#[inline]
#[target_feature(enable = "neon")]
fn add_products(sum: Floats, a: &[f32; FLOATS], b: &[f32; FLOATS]) -> Floats {
    fma(sum, load_floats(a), load_floats(b))
}

#[inline]
#[target_feature(enable = "neon")]
fn add_last_products(sum: Floats, a: &[f32], b: &[f32]) -> Floats {
    add_products(sum, &padded(a, 0.0), &padded(b, 0.0))
}

/// Eight floats.
type Floats = float32x4x2_t;

#[inline]
#[target_feature(enable = "neon")]
fn zeros() -> Floats {
    float32x4x2_t(vdupq_n_f32(0.0), vdupq_n_f32(0.0))
}

#[inline]
#[target_feature(enable = "neon")]
fn fma(sum: Floats, a: Floats, b: Floats) -> Floats {
    float32x4x2_t(vfmaq_f32(sum.0, a.0, b.0), vfmaq_f32(sum.1, a.1, b.1))
}

#[inline]
#[target_feature(enable = "neon")]
fn sum_floats(sums: [Floats; 4]) -> f32 {
    let [first, second, third, fourth] = sums.map(|sum| vaddq_f32(sum.0, sum.1));
    vaddvq_f32(vaddq_f32(vaddq_f32(first, second), vaddq_f32(third, fourth)))
}

#[inline]
#[target_feature(enable = "neon")]
fn sum_integers([first, second, third, fourth]: [int32x4_t; 4]) -> i32 {
    vaddvq_s32(vaddq_s32(vaddq_s32(first, second), vaddq_s32(third, fourth)))
}

#[inline]
#[target_feature(enable = "neon")]
fn load_codes(codes: &[i8; CODES]) -> int8x16_t {
    // SAFETY: the array has as many bytes as the register.
    unsafe { vld1q_s8(codes.as_ptr()) }
}

#[inline]
#[target_feature(enable = "neon")]
fn load_floats(floats: &[f32; FLOATS]) -> Floats {
    // SAFETY: the array has as many bytes as the two registers, the second of which begins at its middle.
    unsafe { float32x4x2_t(vld1q_f32(floats.as_ptr()), vld1q_f32(floats.as_ptr().add(FLOATS / 2))) }
}

#[inline]
#[target_feature(enable = "neon")]
fn load_halves(halves: &[f16; FLOATS]) -> Floats {
    // SAFETY: the array has as many bytes as the register, and `f16` is its bits.
    let halves = vreinterpretq_f16_u16(unsafe { vld1q_u16(halves.as_ptr().cast()) });
    float32x4x2_t(vcvt_f32_f16(vget_low_f16(halves)), vcvt_high_f32_f16(halves))
}
