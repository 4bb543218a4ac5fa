//! Dense convolutions of three by three in patches: Winograd's F(2×2, 3×3), 16 products where sums take 36.
//!
//! A patch is four by four inputs, of which two by two outputs are made. Its transform has 16 values, and so has that
//! of the weights; of each value patches are the pixels of a convolution by points; and what comes out is transformed
//! into outputs. A block of patches goes through all of it before the next does, so that what is between stays in a
//! cache. No more is rounded than in sums, for transforms of inputs and products only add. Invariant: an output does
//! not depend on which patches, or panels, are computed together.

#![allow(unsafe_code, reason = "patches are read and written through pointers that tasks share")]

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::transforms::{MADE, Patch, SIDE, Square, Transforms, VALUES};
use super::work::{Places, tasks};
use super::{HALF_PANEL, Kernels, Number, PANEL, Panel, Tile, Work};

/// The value of the transform that every output has once: the bias is added to it.
const MIDDLE: usize = 5;
/// Most patches of a block: four tiles of the widest kernels. With many more, what is between leaves the cache; with
/// fewer, weights are read too often.
const BLOCK: usize = 56;
/// Tasks for each thread, so that one that is held up is made up for by others.
const TASKS_A_THREAD: usize = 4;
/// Bytes of a line of a cache.
const LINE: usize = 64;

/// A convolution in patches, and how it is divided.
struct Patchwork<'a, T: 'static> {
    kernels: &'a Kernels<T>,
    transforms: &'a Transforms<T>,
    work: &'a Work<'a, T>,
    places: Places<T>,
    patches_a_row: usize,
    patches_an_image: usize,
    patches: usize,
    patches_a_block: usize,
    panels_a_task: usize,
    tasks_a_block: usize,
}

impl<T: Number> Kernels<T> {
    /// Whether it computes in patches.
    pub(in crate::model::compute) fn has_patches(&self) -> bool {
        self.transforms.is_some()
    }

    /// Computes what has nine taps and, of each panel, transformed weights `[VALUES, run, width]`. What is between is
    /// kept in `memory`, which is made large enough.
    ///
    /// # Panics
    /// If something would be read or written that is not there: that would be a mistake in whoever laid it out.
    pub(in crate::model::compute) fn convolve_patches(&self, work: &mut Work<'_, T>, memory: &mut Vec<T>) {
        work.check();
        let last = 2 * (work.from.row + work.from.pixel);
        assert!(work.taps.len() == 9 && work.taps.contains(&last), "taps are not three by three");
        let transformed = |panel: &Panel| panel.weights + VALUES * work.run * panel.width <= work.weights.len();
        assert!(work.panels.iter().all(transformed), "weights are not transformed");
        assert!(work.run.is_multiple_of(HALF_PANEL) && work.run <= work.from.pixel, "channels are not whole panels");
        let places = work.places();
        let transforms = self.transforms.as_ref().expect("whoever packs weights asks first");
        Patchwork::new(self, transforms, work, places).compute(memory);
    }
}

impl<'a, T: Number> Patchwork<'a, T> {
    fn new(kernels: &'a Kernels<T>, transforms: &'a Transforms<T>, work: &'a Work<'_, T>, places: Places<T>) -> Self {
        let (patches_a_row, patches_a_column) = (work.columns.div_ceil(MADE), work.rows.div_ceil(MADE));
        let patches_an_image = patches_a_row * patches_a_column;
        let patches = work.images * patches_an_image;
        // Blocks are about equally large.
        let blocks = patches.div_ceil(BLOCK);
        let patches_a_block = patches.div_ceil(blocks);
        let panels = work.panels.len();
        let panels_a_task = panels.div_ceil(tasks(TASKS_A_THREAD).div_ceil(blocks).min(panels));
        Self {
            kernels,
            transforms,
            work,
            places,
            patches_a_row,
            patches_an_image,
            patches,
            patches_a_block,
            panels_a_task,
            tasks_a_block: panels.div_ceil(panels_a_task),
        }
    }

    /// From one value of the transform of inputs to the next, and the same of products. Lines that are written one
    /// after the other are kept from falling into the same set of a cache.
    fn steps(&self) -> (usize, usize) {
        let step = |pixel: usize| self.patches_a_block * pixel + HALF_PANEL;
        (step(self.work.from.pixel), step(PANEL))
    }

    fn compute(&self, memory: &mut Vec<T>) {
        let tasks = self.patches.div_ceil(self.patches_a_block) * self.tasks_a_block;
        let workers = rayon::current_num_threads().min(tasks);
        let (inputs, products) = self.steps();
        let size = VALUES * (inputs + products);
        let spare = LINE / size_of::<T>();
        if memory.len() < workers * size + spare {
            memory.resize(workers * size + spare, T::default());
        }
        let begin = memory.as_ptr().align_offset(LINE).min(spare);
        let next = AtomicUsize::new(0);
        memory[begin..][..workers * size].par_chunks_exact_mut(size).for_each(|memory| {
            let (inputs, products) = memory.split_at_mut(VALUES * inputs);
            let mut transformed = None;
            let tasks =
                std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed)).take_while(|&task| task < tasks);
            for task in tasks {
                let block = task / self.tasks_a_block;
                let begin = block * self.patches_a_block;
                let patches = begin..(begin + self.patches_a_block).min(self.patches);
                if transformed.replace(block) != Some(block) {
                    self.take_apart(patches.clone(), inputs);
                }
                let panels = self.work.panels.chunks(self.panels_a_task).nth(task % self.tasks_a_block);
                for panel in panels.unwrap_or_default() {
                    self.multiply(panel, patches.len(), inputs, products);
                    self.put_together(panel, patches.clone(), products);
                }
            }
        });
    }

    /// The image of a patch, and the first row and column of its outputs.
    fn place(&self, number: usize) -> (usize, usize, usize) {
        let (image, within) = (number / self.patches_an_image, number % self.patches_an_image);
        (image, within / self.patches_a_row * MADE, within % self.patches_a_row * MADE)
    }

    /// Transforms the inputs of patches.
    fn take_apart(&self, patches: Range<usize>, inputs: &mut [T]) {
        let from = &self.work.from;
        let (step, _) = self.steps();
        for (index, number) in patches.enumerate() {
            let (image, row, column) = self.place(number);
            // Beyond the last row of the border there is nothing, and no output is made of it.
            let within = |at: usize, of: usize| std::array::from_fn::<_, SIDE, _>(|side| (at + side).min(of + 1));
            // SAFETY: `check` has found the taps of all pixels, and these places are among them; of a transform's value
            // there are as many pixels as a block has patches.
            unsafe {
                (self.transforms.apart)(&Patch {
                    input: self.places.input.add(from.at(image, 0, 0)),
                    rows: within(row, self.work.rows).map(|row| row * from.row),
                    columns: within(column, self.work.columns).map(|column| column * from.pixel),
                    channels: self.work.run,
                    output: inputs[index * from.pixel..].as_mut_ptr(),
                    step,
                });
            }
        }
    }

    /// Multiplies the inputs of so many patches with the weights of a panel.
    fn multiply(&self, panel: &Panel, patches: usize, inputs: &[T], products: &mut [T]) {
        static ZEROS: [f32; PANEL] = [0.0; PANEL];
        let Work { run, from, bias, weights, .. } = self.work;
        let (input_step, product_step) = self.steps();
        // Tiles are about equally wide.
        let widest = patches.div_ceil(patches.div_ceil(self.kernels.pixels));
        for value in 0..VALUES {
            let bias = if value == MIDDLE { &bias[panel.output..] } else { &ZEROS };
            for first in (0..patches).step_by(widest) {
                let tile = Tile {
                    input: inputs[value * input_step + first * from.pixel..].as_ptr(),
                    input_step: from.pixel,
                    taps: &[0],
                    run: *run,
                    weights: weights[panel.weights + value * run * panel.width..].as_ptr(),
                    lanes: &[],
                    bias: bias.as_ptr(),
                    residual: std::ptr::null(),
                    output: products[value * product_step + first * PANEL..].as_mut_ptr(),
                    output_step: PANEL,
                    rectified: false,
                };
                // SAFETY: weights and bias were found to be there, and of a transform's value there are as many pixels
                // as a block has patches.
                unsafe { self.kernels.run(&tile, widest.min(patches - first), panel.width) };
            }
        }
    }

    /// Transforms the products of patches with a panel, and finishes and writes their outputs.
    fn put_together(&self, panel: &Panel, patches: Range<usize>, products: &[T]) {
        let (_, step) = self.steps();
        for (index, number) in patches.enumerate() {
            let place @ (_, row, column) = self.place(number);
            // SAFETY: `check` has found all of the output there, and tasks have patches or panels of their own; of a
            // transform's value there are as many pixels as a block has patches.
            unsafe {
                let input = products[index * PANEL..].as_ptr();
                (self.transforms.together)(&Square {
                    tile: Tile { input, input_step: step, ..self.work.tile(&self.places, panel, place) },
                    channels: panel.width,
                    row_step: self.work.to.row,
                    lower: row + 1 < self.work.rows,
                    right: column + 1 < self.work.columns,
                });
            }
        }
    }
}
