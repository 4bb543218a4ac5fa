//! Tiles in 256-bit registers: up to six pixels by two registers of channels, so that half a panel is done at a time.

#![allow(unsafe_code, unsafe_op_in_unsafe_fn, reason = "instructions that must be known to exist, on pointers")]

use std::arch::is_x86_feature_detected;
use std::arch::x86_64::*;

use super::{HALF_PANEL, Kernels, PANEL, Tile};

static KERNELS: Kernels = Kernels { name: "avx2", pixels: 6, whole, half };

/// The kernels, if this machine can run them.
pub(super) fn kernels() -> Option<&'static Kernels> {
    (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(&KERNELS)
}

/// A register of a pixel, finished and written.
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn finish(tile: &Tile<'_>, sum: __m256, at: usize) {
    let mut sum = sum;
    if !tile.residual.is_null() {
        sum = _mm256_add_ps(sum, _mm256_loadu_ps(tile.residual.add(at)));
    }
    if tile.rectified {
        sum = _mm256_max_ps(sum, _mm256_setzero_ps());
    }
    _mm256_storeu_ps(tile.output.add(at), sum);
}

macro_rules! tiles {
    ($($name:ident($($row:literal $low:ident $high:ident),+);)+) => { $(
        #[target_feature(enable = "avx2,fma")]
        unsafe fn $name(tile: &Tile<'_>, panel: usize) {
            let bias = (_mm256_loadu_ps(tile.bias), _mm256_loadu_ps(tile.bias.add(8)));
            $(let (mut $low, mut $high) = bias;)+
            let step = tile.input_step;
            let mut weights = tile.weights;
            for &tap in tile.taps {
                let mut input = tile.input.add(tap);
                for _ in 0..tile.run {
                    let (first, second) = (_mm256_loadu_ps(weights), _mm256_loadu_ps(weights.add(8)));
                    $(
                        let value = _mm256_set1_ps(*input.add($row * step));
                        $low = _mm256_fmadd_ps(value, first, $low);
                        $high = _mm256_fmadd_ps(value, second, $high);
                    )+
                    weights = weights.add(panel);
                    input = input.add(1);
                }
            }
            $(
                finish(tile, $low, $row * tile.output_step);
                finish(tile, $high, $row * tile.output_step + 8);
            )+
        }
    )+ };
}

tiles! {
    tile_1(0 a0 b0);
    tile_2(0 a0 b0, 1 a1 b1);
    tile_3(0 a0 b0, 1 a1 b1, 2 a2 b2);
    tile_4(0 a0 b0, 1 a1 b1, 2 a2 b2, 3 a3 b3);
    tile_5(0 a0 b0, 1 a1 b1, 2 a2 b2, 3 a3 b3, 4 a4 b4);
    tile_6(0 a0 b0, 1 a1 b1, 2 a2 b2, 3 a3 b3, 4 a4 b4, 5 a5 b5);
}

unsafe fn by_pixels(tile: &Tile<'_>, pixels: usize, panel: usize) {
    // SAFETY: the instructions were found to be there, and the caller has promised the rest.
    unsafe {
        match pixels {
            1 => tile_1(tile, panel),
            2 => tile_2(tile, panel),
            3 => tile_3(tile, panel),
            4 => tile_4(tile, panel),
            5 => tile_5(tile, panel),
            _ => tile_6(tile, panel),
        }
    }
}

unsafe fn whole(tile: &Tile<'_>, pixels: usize) {
    // SAFETY: the instructions were found to be there, and the caller has promised the rest.
    unsafe {
        by_pixels(tile, pixels, PANEL);
        let residual = if tile.residual.is_null() { tile.residual } else { tile.residual.add(HALF_PANEL) };
        let second = Tile {
            weights: tile.weights.add(HALF_PANEL),
            bias: tile.bias.add(HALF_PANEL),
            output: tile.output.add(HALF_PANEL),
            residual,
            ..*tile
        };
        by_pixels(&second, pixels, PANEL);
    }
}

unsafe fn half(tile: &Tile<'_>, pixels: usize) {
    // SAFETY: the instructions were found to be there, and the caller has promised the rest.
    unsafe { by_pixels(tile, pixels, HALF_PANEL) }
}
