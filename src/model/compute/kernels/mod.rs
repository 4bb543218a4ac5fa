//! What multiplies: tiles of a convolution, on the instructions that this machine has.
//!
//! A tile is a few neighbouring output pixels by 16 or 32 output channels, kept in registers while all inputs pass by.
//! Owns the choice of the instruction set, made once at run time. Invariant: a tile reads and writes only what its
//! caller has promised. Knows neither layers nor images.

#![allow(unsafe_code, reason = "tiles are written through pointers that tasks share")]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(test)]
pub(super) mod portable;
mod work;

use std::sync::OnceLock;

pub(in crate::model::compute) use self::work::{Panel, Steps, Work};

/// Output channels that are computed together: weights are packed in panels of this many.
pub(in crate::model::compute) const PANEL: usize = 32;
/// A panel of half as many, for the last channels and for narrow groups.
pub(in crate::model::compute) const HALF_PANEL: usize = 16;

/// Where a tile's numbers are. Steps and offsets count values.
#[derive(Clone, Copy)]
pub(in crate::model::compute) struct Tile<'a> {
    /// The first tap of the first pixel.
    pub(in crate::model::compute) input: *const f32,
    /// From the input of a pixel to that of the next.
    pub(in crate::model::compute) input_step: usize,
    /// Where runs of values begin that are read for each pixel.
    pub(in crate::model::compute) taps: &'a [usize],
    /// Values read at each tap.
    pub(in crate::model::compute) run: usize,
    /// `[taps, run, panel]`.
    pub(in crate::model::compute) weights: *const f32,
    /// A panel of it.
    pub(in crate::model::compute) bias: *const f32,
    /// What is added to the output, laid out like it; or null.
    pub(in crate::model::compute) residual: *const f32,
    pub(in crate::model::compute) output: *mut f32,
    /// From a pixel of the output, and of the residual, to the next.
    pub(in crate::model::compute) output_step: usize,
    /// Negative sums become 0.
    pub(in crate::model::compute) rectified: bool,
}

/// Kernels of one instruction set.
pub(in crate::model) struct Kernels {
    pub(in crate::model::compute) name: &'static str,
    /// Most pixels of a tile.
    pub(in crate::model::compute) pixels: usize,
    whole: unsafe fn(&Tile<'_>, usize),
    half: unsafe fn(&Tile<'_>, usize),
}

impl Kernels {
    /// The fastest ones that this machine can run, if there are any that are worth while.
    pub(in crate::model) fn best() -> Option<&'static Self> {
        static BEST: OnceLock<Option<&Kernels>> = OnceLock::new();
        *BEST.get_or_init(|| {
            let best = Self::supported().pop();
            tracing::debug!("convolutions are computed by {}", best.map_or("candle", |kernels| kernels.name));
            best
        })
    }

    /// All that this machine can run, slowest first.
    pub(in crate::model::compute) fn supported() -> Vec<&'static Self> {
        #[cfg(target_arch = "x86_64")]
        return avx2::kernels().into_iter().chain(avx512::kernels()).collect();
        #[cfg(not(target_arch = "x86_64"))]
        Vec::new()
    }

    /// Computes `pixels` pixels of `panel` channels.
    ///
    /// # Safety
    /// For each of the pixels, all that the tile's pointers, steps and taps name is there, and nobody else writes it or
    /// reads what is written; there are at most [`Kernels::pixels`].
    pub(in crate::model::compute) unsafe fn run(&self, tile: &Tile<'_>, pixels: usize, panel: usize) {
        debug_assert!((1..=self.pixels).contains(&pixels) && (panel == PANEL || panel == HALF_PANEL));
        let kernel = if panel == PANEL { self.whole } else { self.half };
        // SAFETY: as promised by the caller.
        unsafe { kernel(tile, pixels) }
    }
}
