//! The transform of the audio front-end, from samples to decibels, as one convolution over the signal (SPEC 4.2–4.4).

use std::f32::consts::LN_10;

use rayon::prelude::*;

use super::conv::{Conv, Shape};
use super::elementary::ln;
use super::kernels::Kernels;
use super::maps::{Layout, Map, Memory, Size};
use crate::model::fbsp::{Frames, POWER_OF_SILENCE};

/// Bins whose decibels are computed together: a cache line of each frame.
const BINS_AT_ONCE: usize = 16;

/// Filters that overlapping frames of a signal are multiplied by.
pub(in crate::model) struct Spectrum {
    filters: Conv<f32>,
    bins: usize,
    memory: Memory<f32>,
}

impl Spectrum {
    /// `basis [2 · bins, window]`: real parts of all bins, then imaginary parts.
    pub(super) fn new(kernels: &'static Kernels<f32>, basis: &[f32], bins: usize) -> Self {
        let (outputs, window) = (2 * bins, basis.len() / (2 * bins));
        let shape = Shape { inputs: window, outputs, kernel: 1, stride: 1, groups: 1 };
        let filters = Conv::new(kernels, shape, basis, &vec![0.0; outputs], window);
        Self { filters, bins, memory: Memory::default() }
    }

    /// `padded [signals, samples]` → decibels `[signals, bins, frames]`.
    pub(in crate::model) fn decibels(&self, padded: &[f32], frames: Frames) -> Vec<f32> {
        let Frames { signals, count, .. } = frames;
        let size = Size { height: 1, width: count, channels: 2 * self.bins };
        let mut decibels = vec![0.0; signals * self.bins * count];
        self.memory.with(|pools| {
            let mut spectrum = pools.body.take(Layout::new::<f32>(size, 0), signals);
            self.filters.slide(padded, frames, &mut spectrum);
            for (signal, decibels) in decibels.chunks_exact_mut(self.bins * count).enumerate() {
                let blocks = decibels.par_chunks_mut(BINS_AT_ONCE * count).enumerate();
                blocks.for_each(|(block, decibels)| self.block(&spectrum, signal, block * BINS_AT_ONCE, decibels));
            }
            pools.body.give_back(spectrum);
        });
        decibels
    }

    /// Decibels of some bins of all frames.
    fn block(&self, spectrum: &Map<f32>, signal: usize, first: usize, decibels: &mut [f32]) {
        let frames = spectrum.layout.size.width;
        let count = decibels.len() / frames;
        let row = spectrum.row(signal, 0);
        for (frame, values) in row.chunks_exact(spectrum.layout.pixel).enumerate() {
            let (real, imaginary) = (&values[first..][..count], &values[self.bins + first..][..count]);
            let mut column = [0.0; BINS_AT_ONCE];
            for (decibel, (re, im)) in column.iter_mut().zip(real.iter().zip(imaginary)) {
                let power = re * re + im * im;
                let power = if power > 0.0 { power } else { POWER_OF_SILENCE };
                *decibel = ln(power) * (10.0 / LN_10);
            }
            for (line, decibel) in decibels.chunks_exact_mut(frames).zip(column) {
                line[frame] = decibel;
            }
        }
    }
}
