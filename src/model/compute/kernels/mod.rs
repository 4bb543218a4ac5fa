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
#[cfg(target_arch = "x86_64")]
mod avx512_bf16;
#[cfg(target_arch = "aarch64")]
mod neon;
mod number;
mod patches;
#[cfg(test)]
pub(super) mod portable;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod tiles;
mod transforms;
mod work;

use super::elementary::logistic;

pub(in crate::model) use self::number::Number;
use self::transforms::Transforms;
pub(in crate::model::compute) use self::transforms::VALUES;
pub(in crate::model::compute) use self::work::{Panel, Steps, Work};

/// Output channels that are computed together: weights are packed in panels of this many.
pub(in crate::model::compute) const PANEL: usize = 32;
/// A panel of half as many, for the last channels and for narrow groups.
pub(in crate::model::compute) const HALF_PANEL: usize = 16;

/// Places of the inputs of [`HALF_PANEL`] outputs.
pub(in crate::model::compute) type Lanes = [u32; HALF_PANEL];

/// Where a tile's numbers are. Steps and offsets count values.
#[derive(Clone, Copy)]
pub(in crate::model::compute) struct Tile<'a, T> {
    /// The first tap of the first pixel.
    pub(in crate::model::compute) input: *const T,
    /// From the input of a pixel to that of the next.
    pub(in crate::model::compute) input_step: usize,
    /// Where runs of values begin that are read for each pixel.
    pub(in crate::model::compute) taps: &'a [usize],
    /// Values read at each tap, a multiple of [`Number::TOGETHER`].
    pub(in crate::model::compute) run: usize,
    /// `[taps, run / TOGETHER, panel, TOGETHER]`; if there are lanes, `[taps, lanes, panel, TOGETHER]`.
    pub(in crate::model::compute) weights: *const T,
    /// Of groups: which of a tap's values, or pairs, each output is next to be multiplied with.
    pub(in crate::model::compute) lanes: &'a [Lanes],
    /// A panel of it.
    pub(in crate::model::compute) bias: *const f32,
    /// What is added to the output, laid out like it; or null.
    pub(in crate::model::compute) residual: *const T,
    pub(in crate::model::compute) output: *mut T,
    /// From a pixel of the output, and of the residual, to the next.
    pub(in crate::model::compute) output_step: usize,
    /// Negative sums become 0.
    pub(in crate::model::compute) rectified: bool,
}

impl<T: Number> Tile<'_, T> {
    /// What is left without the first channels of its panel.
    ///
    /// # Safety
    /// The panel has more channels.
    unsafe fn beyond(&self, channel: usize) -> Self {
        // SAFETY: the panel reaches beyond that channel, as promised by the caller.
        unsafe {
            Self {
                weights: self.weights.add(channel * T::TOGETHER),
                bias: self.bias.add(channel),
                residual: if self.residual.is_null() { self.residual } else { self.residual.add(channel) },
                output: self.output.add(channel),
                ..*self
            }
        }
    }
}

/// What every instruction set makes its own loop of.
#[inline(always)]
fn gate<T: Number>(values: &mut [T], gates: &[T]) {
    let gates = gates.iter().map(|gate| logistic(gate.widened()));
    values.iter_mut().zip(gates).for_each(|(value, gate)| *value = T::rounded(value.widened() * gate));
}

/// Kernels of one instruction set for activations and weights of one type.
pub(in crate::model) struct Kernels<T: 'static> {
    pub(in crate::model::compute) name: &'static str,
    /// Most pixels of a tile.
    pub(in crate::model::compute) pixels: usize,
    tile: unsafe fn(&Tile<'_, T>, usize, usize),
    /// Of half a panel in groups that are narrower, if there is something better than zeros between them.
    grouped: Option<unsafe fn(&Tile<'_, T>, usize)>,
    gate: unsafe fn(&mut [T], &[T]),
    /// To and from what is multiplied in patches, if that is done.
    transforms: Option<Transforms<T>>,
}

impl<T: Number> Kernels<T> {
    /// The fastest ones that this machine can run, if there are any that are worth while.
    pub(in crate::model) fn best() -> Option<&'static Self> {
        T::kernels().pop()
    }

    /// Multiplies values by the logistic function of others.
    pub(in crate::model::compute) fn gate(&self, values: &mut [T], gates: &[T]) {
        // SAFETY: kernels are only handed out where their instructions were found.
        unsafe { (self.gate)(values, gates) }
    }

    /// Whether it takes [`Tile::lanes`].
    pub(in crate::model::compute) fn has_lanes(&self) -> bool {
        self.grouped.is_some()
    }

    /// Computes `pixels` pixels of `panel` channels.
    ///
    /// # Safety
    /// For each of the pixels, all that the tile's pointers, steps and taps name is there, and nobody else writes it or
    /// reads what is written.
    unsafe fn run(&self, tile: &Tile<'_, T>, pixels: usize, panel: usize) {
        debug_assert!((1..=self.pixels).contains(&pixels) && (panel == PANEL || panel == HALF_PANEL));
        match self.grouped.filter(|_| !tile.lanes.is_empty()) {
            // SAFETY: as promised by the caller.
            Some(grouped) => unsafe { grouped(tile, pixels) },
            // SAFETY: as promised by the caller.
            None => unsafe { (self.tile)(tile, pixels, panel) },
        }
    }
}
