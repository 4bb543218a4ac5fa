//! Tiles in 512-bit registers: up to 14 pixels by two registers of channels.

#![allow(unsafe_code, unsafe_op_in_unsafe_fn, reason = "instructions that must be known to exist, on pointers")]

use std::arch::is_x86_feature_detected;
use std::arch::x86_64::*;

use super::{Kernels, Tile};

static KERNELS: Kernels = Kernels { name: "avx512", pixels: 14, whole, half };

/// The kernels, if this machine can run them.
pub(super) fn kernels() -> Option<&'static Kernels> {
    is_x86_feature_detected!("avx512f").then_some(&KERNELS)
}

/// A register of a pixel, finished and written.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn finish(tile: &Tile<'_>, sum: __m512, at: usize) {
    let mut sum = sum;
    if !tile.residual.is_null() {
        sum = _mm512_add_ps(sum, _mm512_loadu_ps(tile.residual.add(at)));
    }
    if tile.rectified {
        sum = _mm512_max_ps(sum, _mm512_setzero_ps());
    }
    _mm512_storeu_ps(tile.output.add(at), sum);
}

// Rows are spelled out: in a loop over an array the sums go through memory.
macro_rules! tiles {
    ($($name:ident($($row:literal $low:ident $high:ident),+);)+) => { $(
        #[target_feature(enable = "avx512f")]
        unsafe fn $name<const WHOLE: bool>(tile: &Tile<'_>) {
            let panel = if WHOLE { 32 } else { 16 };
            let first = _mm512_loadu_ps(tile.bias);
            let second = if WHOLE { _mm512_loadu_ps(tile.bias.add(16)) } else { first };
            $(let (mut $low, mut $high) = (first, second);)+
            let step = tile.input_step;
            let mut weights = tile.weights;
            for &tap in tile.taps {
                let mut input = tile.input.add(tap);
                for _ in 0..tile.run {
                    let first = _mm512_loadu_ps(weights);
                    if WHOLE {
                        let second = _mm512_loadu_ps(weights.add(16));
                        $(
                            let value = _mm512_set1_ps(*input.add($row * step));
                            $low = _mm512_fmadd_ps(value, first, $low);
                            $high = _mm512_fmadd_ps(value, second, $high);
                        )+
                    } else {
                        $($low = _mm512_fmadd_ps(_mm512_set1_ps(*input.add($row * step)), first, $low);)+
                    }
                    weights = weights.add(panel);
                    input = input.add(1);
                }
            }
            $(
                finish(tile, $low, $row * tile.output_step);
                if WHOLE { finish(tile, $high, $row * tile.output_step + 16); }
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
    tile_7(0 a0 b0, 1 a1 b1, 2 a2 b2, 3 a3 b3, 4 a4 b4, 5 a5 b5, 6 a6 b6);
    tile_8(0 a0 b0, 1 a1 b1, 2 a2 b2, 3 a3 b3, 4 a4 b4, 5 a5 b5, 6 a6 b6, 7 a7 b7);
    tile_9(0 a0 b0, 1 a1 b1, 2 a2 b2, 3 a3 b3, 4 a4 b4, 5 a5 b5, 6 a6 b6, 7 a7 b7, 8 a8 b8);
    tile_10(0 a0 b0, 1 a1 b1, 2 a2 b2, 3 a3 b3, 4 a4 b4, 5 a5 b5, 6 a6 b6, 7 a7 b7, 8 a8 b8, 9 a9 b9);
    tile_11(0 a0 b0, 1 a1 b1, 2 a2 b2, 3 a3 b3, 4 a4 b4, 5 a5 b5, 6 a6 b6, 7 a7 b7, 8 a8 b8, 9 a9 b9, 10 a10 b10);
    tile_12(0 a0 b0, 1 a1 b1, 2 a2 b2, 3 a3 b3, 4 a4 b4, 5 a5 b5, 6 a6 b6, 7 a7 b7, 8 a8 b8, 9 a9 b9, 10 a10 b10,
        11 a11 b11);
    tile_13(0 a0 b0, 1 a1 b1, 2 a2 b2, 3 a3 b3, 4 a4 b4, 5 a5 b5, 6 a6 b6, 7 a7 b7, 8 a8 b8, 9 a9 b9, 10 a10 b10,
        11 a11 b11, 12 a12 b12);
    tile_14(0 a0 b0, 1 a1 b1, 2 a2 b2, 3 a3 b3, 4 a4 b4, 5 a5 b5, 6 a6 b6, 7 a7 b7, 8 a8 b8, 9 a9 b9, 10 a10 b10,
        11 a11 b11, 12 a12 b12, 13 a13 b13);
}

/// The kernel for so many pixels.
macro_rules! by_pixels {
    ($tile:expr, $pixels:expr, $whole:literal) => {
        match $pixels {
            1 => tile_1::<$whole>($tile),
            2 => tile_2::<$whole>($tile),
            3 => tile_3::<$whole>($tile),
            4 => tile_4::<$whole>($tile),
            5 => tile_5::<$whole>($tile),
            6 => tile_6::<$whole>($tile),
            7 => tile_7::<$whole>($tile),
            8 => tile_8::<$whole>($tile),
            9 => tile_9::<$whole>($tile),
            10 => tile_10::<$whole>($tile),
            11 => tile_11::<$whole>($tile),
            12 => tile_12::<$whole>($tile),
            13 => tile_13::<$whole>($tile),
            _ => tile_14::<$whole>($tile),
        }
    };
}

unsafe fn whole(tile: &Tile<'_>, pixels: usize) {
    // SAFETY: the instructions were found to be there, and the caller has promised the rest.
    unsafe { by_pixels!(tile, pixels, true) }
}

unsafe fn half(tile: &Tile<'_>, pixels: usize) {
    // SAFETY: as above.
    unsafe { by_pixels!(tile, pixels, false) }
}
