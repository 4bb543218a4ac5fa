//! Tiles in plain Rust, which the others are tested against: too slow for anything else.

#![allow(unsafe_code, reason = "tiles are written through pointers that tasks share")]

use half::bf16;

use super::{Kernels, Number, Tile};

pub(in crate::model::compute) static SINGLE: Kernels<f32> =
    Kernels { name: "portable", pixels: 4, tile, grouped: None, gate: super::gate, transforms: None };
pub(in crate::model::compute) static HALF: Kernels<bf16> =
    Kernels { name: "portable bf16", pixels: 4, tile, grouped: None, gate: super::gate, transforms: None };

unsafe fn tile<T: Number>(tile: &Tile<'_, T>, pixels: usize, panel: usize) {
    for (pixel, channel) in (0..pixels).flat_map(|pixel| (0..panel).map(move |channel| (pixel, channel))) {
        // SAFETY: all of it is there, as promised by the caller.
        unsafe {
            let mut sum = *tile.bias.add(channel);
            let mut weights = tile.weights;
            for &tap in tile.taps {
                for place in 0..tile.run {
                    let value = *tile.input.add(pixel * tile.input_step + tap + place);
                    let weight = *weights.add(channel * T::TOGETHER + place % T::TOGETHER);
                    sum += value.widened() * weight.widened();
                    if place % T::TOGETHER == T::TOGETHER - 1 {
                        weights = weights.add(panel * T::TOGETHER);
                    }
                }
            }
            let at = pixel * tile.output_step + channel;
            let sum = if tile.residual.is_null() { sum } else { sum + (*tile.residual.add(at)).widened() };
            *tile.output.add(at) = T::rounded(if tile.rectified { sum.max(0.0) } else { sum });
        }
    }
}
