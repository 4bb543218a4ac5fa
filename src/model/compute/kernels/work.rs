//! A whole convolution, in tiles that the process's threads share.

#![allow(unsafe_code, reason = "tiles are written through pointers that tasks share")]

use rayon::prelude::*;

use super::{HALF_PANEL, Kernels, Lanes, Number, PANEL, Tile};

/// Output channels that are computed together, and what of input and weights they need.
#[derive(Debug, Clone, Copy)]
pub(in crate::model::compute) struct Panel {
    /// The first output channel.
    pub(in crate::model::compute) output: usize,
    /// [`PANEL`] or [`HALF_PANEL`].
    pub(in crate::model::compute) width: usize,
    /// The first input channel.
    pub(in crate::model::compute) input: usize,
    /// Where in the packed weights it begins.
    pub(in crate::model::compute) weights: usize,
}

/// Where the pixels of a batch are.
#[derive(Debug, Clone, Copy)]
pub(in crate::model::compute) struct Steps {
    /// The first pixel of the first image.
    pub(in crate::model::compute) origin: usize,
    pub(in crate::model::compute) image: usize,
    pub(in crate::model::compute) row: usize,
    pub(in crate::model::compute) pixel: usize,
}

impl Steps {
    pub(super) fn at(&self, image: usize, row: usize, column: usize) -> usize {
        self.origin + image * self.image + row * self.row + column * self.pixel
    }
}

/// What is to be computed. Steps of the input are those between the inputs of neighbouring output pixels.
pub(in crate::model::compute) struct Work<'a, T> {
    pub(in crate::model::compute) images: usize,
    pub(in crate::model::compute) rows: usize,
    pub(in crate::model::compute) columns: usize,
    pub(in crate::model::compute) input: &'a [T],
    pub(in crate::model::compute) from: Steps,
    /// Where runs of values begin that are read for each pixel.
    pub(in crate::model::compute) taps: &'a [usize],
    /// Values read at each tap, a multiple of [`Number::TOGETHER`].
    pub(in crate::model::compute) run: usize,
    /// Of each panel, `[taps, run / TOGETHER, width, TOGETHER]`, or with lanes for `run / TOGETHER`.
    pub(in crate::model::compute) weights: &'a [T],
    /// See [`Tile::lanes`].
    pub(in crate::model::compute) lanes: &'a [Lanes],
    pub(in crate::model::compute) bias: &'a [f32],
    pub(in crate::model::compute) panels: &'a [Panel],
    pub(in crate::model::compute) output: &'a mut [T],
    /// Laid out like the output, and added to it.
    pub(in crate::model::compute) residual: Option<&'a [T]>,
    pub(in crate::model::compute) to: Steps,
    /// Negative sums become 0.
    pub(in crate::model::compute) rectified: bool,
}

/// Packed weights of more bytes than this are divided among threads; of fewer, each has all of them, if there are
/// pixels enough.
const DIVIDED: usize = 1 << 20;
/// Bytes of input that all panels of a task are computed of before the next are read.
const BLOCK: usize = 1 << 18;
/// Tasks for each thread, so that one that is held up is made up for by others.
const TASKS_A_THREAD: usize = 8;

/// How many tasks there should be: so many a thread, but one if there is one thread.
pub(super) fn tasks(a_thread: usize) -> usize {
    match rayon::current_num_threads() {
        1 => 1,
        threads => threads * a_thread,
    }
}

/// Pointers that tasks share.
#[derive(Clone, Copy)]
pub(super) struct Places<T> {
    pub(super) input: *const T,
    pub(super) residual: *const T,
    pub(super) output: *mut T,
}

// SAFETY: no two tasks write the same place, and none reads what another writes.
unsafe impl<T> Sync for Places<T> {}

impl<T: Number> Kernels<T> {
    /// Computes it.
    ///
    /// # Panics
    /// If something would be read or written that is not there: that would be a mistake in whoever laid it out.
    pub(in crate::model::compute) fn convolve(&self, work: &mut Work<'_, T>) {
        work.check();
        let places = work.places();
        let tiles_a_row = work.columns.div_ceil(self.pixels);
        // Tiles of a row are about equally wide.
        let widest = work.columns.div_ceil(tiles_a_row);
        let tiles_an_image = work.rows * tiles_a_row;
        let tiles = work.images * tiles_an_image;
        let (tiles_a_task, panels_a_task) = work.shares(tiles);
        let parts = tiles.div_ceil(tiles_a_task);
        let tiles_a_block = (BLOCK / (widest * work.from.pixel * size_of::<T>())).max(1);
        let tasks = parts * work.panels.len().div_ceil(panels_a_task);
        let place = |number: usize| {
            let (image, within) = (number / tiles_an_image, number % tiles_an_image);
            (image, within / tiles_a_row, within % tiles_a_row * widest)
        };
        let do_task = |task: usize| {
            let panels = work.panels.chunks(panels_a_task).nth(task / parts).unwrap_or_default();
            let begin = task % parts * tiles_a_task;
            let end = (begin + tiles_a_task).min(tiles);
            for block in (begin..end).step_by(tiles_a_block) {
                for panel in panels {
                    for number in block..(block + tiles_a_block).min(end) {
                        let place @ (_, _, column) = place(number);
                        if column < work.columns {
                            let pixels = widest.min(work.columns - column);
                            // SAFETY: `check` has found all of it there, and tasks have tiles or panels of their own.
                            unsafe { self.run(&work.tile(&places, panel, place), pixels, panel.width) };
                        }
                    }
                }
            }
        };
        if tasks == 1 { do_task(0) } else { (0..tasks).into_par_iter().for_each(do_task) }
    }
}

impl<T: Number> Work<'_, T> {
    pub(super) fn places(&mut self) -> Places<T> {
        Places {
            input: self.input.as_ptr(),
            residual: self.residual.map_or(std::ptr::null(), <[T]>::as_ptr),
            output: self.output.as_mut_ptr(),
        }
    }

    pub(super) fn check(&self) {
        let last = |steps: &Steps| steps.at(self.images - 1, self.rows - 1, self.columns - 1);
        assert!(self.images * self.rows * self.columns > 0 && !self.panels.is_empty(), "nothing to compute");
        assert!(self.run.is_multiple_of(T::TOGETHER), "{} values are not multiplied together", self.run);
        let (from, to) = (&self.from, &self.to);
        assert!(to.row >= self.columns * to.pixel && to.image >= self.rows * to.row, "pixels of the output overlap");
        let farthest = self.taps.iter().max().map_or(0, |tap| tap + self.run);
        let deep = if self.lanes.is_empty() { self.run } else { self.lanes.len() * T::TOGETHER };
        let within = |lane: &u32| (*lane as usize) < HALF_PANEL / T::TOGETHER;
        let fits = self.run == HALF_PANEL && self.lanes.iter().flatten().all(within);
        assert!(self.lanes.is_empty() || fits, "lanes are of what is read at a tap");
        let mut end = 0;
        for panel in self.panels {
            assert!(panel.output >= end && (panel.width == PANEL || panel.width == HALF_PANEL), "{panel:?}");
            end = panel.output + panel.width;
            assert!(last(from) + panel.input + farthest <= self.input.len(), "{panel:?} reads beyond the input");
            let weights = self.taps.len() * deep * panel.width;
            assert!(self.lanes.is_empty() || panel.width == HALF_PANEL, "{panel:?} has groups");
            assert!(
                panel.weights + weights <= self.weights.len() && end <= self.bias.len(),
                "{panel:?} has no weights"
            );
        }
        assert!(end <= to.pixel && last(to) + end <= self.output.len(), "the output has no room");
        assert!(self.residual.is_none_or(|residual| last(to) + end <= residual.len()), "too little is to be added");
    }

    /// Tiles of pixels, and panels, that a task has.
    fn shares(&self, tiles: usize) -> (usize, usize) {
        let tasks = tasks(TASKS_A_THREAD);
        if size_of_val(self.weights) > DIVIDED || tiles < tasks {
            (tiles, (self.panels.len() / tasks).max(1))
        } else {
            ((tiles / tasks).max(1), self.panels.len())
        }
    }

    /// # Safety
    /// The place is one of the output, and `check` has passed.
    pub(super) unsafe fn tile(
        &self,
        places: &Places<T>,
        panel: &Panel,
        (image, row, column): (usize, usize, usize),
    ) -> Tile<'_, T> {
        let from = self.from.at(image, row, column) + panel.input;
        let to = self.to.at(image, row, column) + panel.output;
        let Places { input, residual, output } = *places;
        // SAFETY: all of these places are within what the pointers are of.
        unsafe {
            Tile {
                input: input.add(from),
                input_step: self.from.pixel,
                taps: self.taps,
                run: self.run,
                weights: self.weights.as_ptr().add(panel.weights),
                lanes: self.lanes,
                bias: self.bias.as_ptr().add(panel.output),
                residual: if residual.is_null() { residual } else { residual.add(to) },
                output: output.add(to),
                output_step: self.to.pixel,
                rectified: self.rectified,
            }
        }
    }
}
