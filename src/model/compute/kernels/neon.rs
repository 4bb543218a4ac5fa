//! Tiles in 128-bit registers of AArch64: up to 12 pixels by two registers of channels.

#![allow(unsafe_code, unsafe_op_in_unsafe_fn, reason = "instructions that must be known to exist, on pointers")]

use std::arch::aarch64::*;
use std::arch::is_aarch64_feature_detected;

use super::tiles::{single, tiles};
use super::transforms::{Patch, Square, Transforms, transforms};
use super::{Kernels, Number, Tile};

const TRANSFORMS: Transforms<f32> = Transforms { apart, together };

static KERNELS: Kernels<f32> =
    Kernels { name: "neon", pixels: 12, tile, grouped: None, gate, transforms: Some(TRANSFORMS) };

/// The kernels, if this machine can run them.
pub(super) fn kernels() -> Option<&'static Kernels<f32>> {
    is_aarch64_feature_detected!("neon").then_some(&KERNELS)
}

#[inline]
#[target_feature(enable = "neon")]
unsafe fn spread(at: *const f32) -> float32x4_t {
    vld1q_dup_f32(at)
}

#[inline]
#[target_feature(enable = "neon")]
unsafe fn fused(value: float32x4_t, weights: float32x4_t, sum: float32x4_t) -> float32x4_t {
    vfmaq_f32(sum, value, weights)
}

/// What is not negative, and 0 for what is.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn positive(value: float32x4_t) -> float32x4_t {
    // Of a number and what is none, the number, as on x86-64.
    vmaxnmq_f32(value, vdupq_n_f32(0.0))
}

single! { "neon", float32x4_t, vld1q_f32, vst1q_f32, vaddq_f32, vsubq_f32 }

tiles! {
    "neon", f32, 4,
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
}

transforms! { "neon", float32x4_t, 4 }
