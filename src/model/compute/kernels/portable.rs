//! Tiles in plain Rust, which the others are tested against: too slow for anything else.

#![allow(unsafe_code, reason = "tiles are written through pointers that tasks share")]

use super::{HALF_PANEL, Kernels, PANEL, Tile};

pub(in crate::model::compute) static KERNELS: Kernels =
    Kernels { name: "portable", pixels: 4, whole: tile::<PANEL>, half: tile::<HALF_PANEL> };

unsafe fn tile<const WIDTH: usize>(tile: &Tile<'_>, pixels: usize) {
    for pixel in 0..pixels {
        // SAFETY: all of it is there, as promised by the caller.
        unsafe {
            let mut sums = [0f32; WIDTH];
            sums.copy_from_slice(std::slice::from_raw_parts(tile.bias, WIDTH));
            let mut weights = tile.weights;
            for &tap in tile.taps {
                for place in 0..tile.run {
                    let value = *tile.input.add(pixel * tile.input_step + tap + place);
                    let row = std::slice::from_raw_parts(weights, WIDTH);
                    sums.iter_mut().zip(row).for_each(|(sum, weight)| *sum += value * weight);
                    weights = weights.add(WIDTH);
                }
            }
            for (channel, sum) in sums.into_iter().enumerate() {
                let at = pixel * tile.output_step + channel;
                let sum = if tile.residual.is_null() { sum } else { sum + *tile.residual.add(at) };
                *tile.output.add(at) = if tile.rectified { sum.max(0.0) } else { sum };
            }
        }
    }
}
