//! What is between convolutions: pooling, gates, means. Rows are shared by the process's threads.

use rayon::prelude::*;

use super::kernels::{Kernels, Number};
use super::maps::{Layout, Map, Size};

/// Calls `work` with each row of an output, by image and row.
pub(super) fn rows<T: Number>(output: &mut Map<T>, work: impl Fn(usize, usize, &mut [T]) + Sync) {
    let all: Vec<_> = output.rows_mut().collect();
    all.into_par_iter().for_each(|((image, row), values)| work(image, row, values));
}

/// Means of squares of `side` by `side`, which do not overlap.
pub(super) fn average<A: Number, B: Number>(input: &Map<A>, output: &mut Map<B>, side: usize) {
    let (from, to) = (input.layout.pixel, output.layout.pixel);
    let channels = output.layout.size.channels;
    let weight = 1.0 / (side * side) as f32;
    rows(output, |image, row, values| {
        let mut sums = vec![0.0; channels];
        for (column, pixel) in values.chunks_exact_mut(to).enumerate() {
            sums.fill(0.0);
            for y in 0..side {
                let line = input.row(image, row * side + y);
                for x in 0..side {
                    let near = &line[(column * side + x) * from..][..channels];
                    sums.iter_mut().zip(near).for_each(|(sum, value)| *sum += value.widened());
                }
            }
            pixel.iter_mut().zip(&sums).for_each(|(mean, sum)| *mean = B::rounded(sum * weight));
        }
    });
}

/// The largest of bins that cover the input: bin `o` of `O` over `N` covers `floor(o·N/O) .. ceil((o+1)·N/O)` (SPEC
/// 4.5).
pub(super) fn adaptive_max<T: Number>(input: &Map<T>, output: &mut Map<T>) {
    let (from, to) = (input.layout.size, output.layout.size);
    let bin = |at: usize, bins: usize, of: usize| at * of / bins..((at + 1) * of).div_ceil(bins);
    largest(input, output, |row| bin(row, to.height, from.height), |column| bin(column, to.width, from.width));
}

/// The largest of three by three, at every other pixel, of what is nowhere below zero.
pub(super) fn max_of_nine<A: Number, B: Number>(input: &Map<A>, output: &mut Map<B>) {
    let Size { height, width, .. } = input.layout.size;
    let near = |at: usize, of: usize| (2 * at).saturating_sub(1)..(2 * at + 2).min(of);
    largest(input, output, |row| near(row, height), |column| near(column, width));
}

fn largest<A: Number, B: Number>(
    input: &Map<A>,
    output: &mut Map<B>,
    rows_of: impl Fn(usize) -> std::ops::Range<usize> + Sync,
    columns_of: impl Fn(usize) -> std::ops::Range<usize> + Sync,
) {
    let (from, to) = (input.layout.pixel, output.layout.pixel);
    let channels = output.layout.size.channels;
    rows(output, |image, row, values| {
        let mut most = vec![0.0; channels];
        for (column, pixel) in values.chunks_exact_mut(to).enumerate() {
            most.fill(f32::NEG_INFINITY);
            for y in rows_of(row) {
                let line = input.row(image, y);
                for x in columns_of(column) {
                    let near = &line[x * from..][..channels];
                    most.iter_mut().zip(near).for_each(|(most, value)| {
                        let value = value.widened();
                        *most = if value > *most { value } else { *most };
                    });
                }
            }
            pixel.iter_mut().zip(&most).for_each(|(largest, most)| *largest = B::rounded(*most));
        }
    });
}

/// Each channel convolved by itself: `taps [rows · columns, pixel]`, "same" padding.
pub(super) struct Depthwise {
    pub(super) kernel: [usize; 2],
    pub(super) taps: Vec<f32>,
    pub(super) bias: Vec<f32>,
}

impl Depthwise {
    pub(super) fn apply<T: Number>(&self, input: &Map<T>, output: &mut Map<T>) {
        let Layout { size: Size { height, width, .. }, pixel: step, .. } = input.layout;
        let [kernel_rows, kernel_columns] = self.kernel;
        rows(output, |image, row, values| {
            let mut sums = vec![0.0; step];
            for (column, pixel) in values.chunks_exact_mut(step).enumerate() {
                sums.copy_from_slice(&self.bias);
                for (tap, weights) in self.taps.chunks_exact(step).enumerate() {
                    let y = (row + tap / kernel_columns).wrapping_sub(kernel_rows / 2);
                    let x = (column + tap % kernel_columns).wrapping_sub(kernel_columns / 2);
                    if y < height && x < width {
                        let near = &input.row(image, y)[x * step..][..step];
                        let products = near.iter().zip(weights).map(|(value, weight)| value.widened() * weight);
                        sums.iter_mut().zip(products).for_each(|(sum, product)| *sum += product);
                    }
                }
                pixel.iter_mut().zip(&sums).for_each(|(value, sum)| *value = T::rounded(*sum));
            }
        });
    }
}

/// Multiplies by the logistic function of another map.
pub(super) fn gate<T: Number>(kernels: &Kernels<T>, values: &mut Map<T>, gates: &Map<T>) {
    rows(values, |image, row, values| kernels.gate(values, gates.row(image, row)));
}

/// The mean of each channel: `[images, channels]`.
pub(super) fn mean<T: Number>(input: &Map<T>) -> Vec<f32> {
    let Layout { size: Size { height, width, channels }, pixel, .. } = input.layout;
    let mut means = vec![0.0; input.images * channels];
    for (image, means) in means.chunks_exact_mut(channels).enumerate() {
        for row in 0..height {
            for values in input.row(image, row).chunks_exact(pixel) {
                means.iter_mut().zip(values).for_each(|(sum, value)| *sum += value.widened());
            }
        }
        means.iter_mut().for_each(|sum| *sum /= (height * width) as f32);
    }
    means
}
