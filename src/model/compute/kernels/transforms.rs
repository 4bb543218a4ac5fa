//! What transforms of all instruction sets have in common: Winograd's F(2×2, 3×3) of Lavin and Gray, "Fast Algorithms
//! for Convolutional Neural Networks" (2015), section 4.1.
//!
//! A file with instructions defines, for its registers, `weights` and `store`, which load and store; `plus` and
//! `minus`; and `finish`, which writes what is done.

use super::Tile;

/// Inputs of a side of a patch.
pub(super) const SIDE: usize = 4;
/// Outputs of a side of a patch.
pub(super) const MADE: usize = 2;
/// Values of a transform.
pub(in crate::model::compute) const VALUES: usize = SIDE * SIDE;

/// The inputs of a patch, and where they go.
pub(super) struct Patch<T> {
    /// The first channel of its image.
    pub(super) input: *const T,
    /// Where in the image its rows begin.
    pub(super) rows: [usize; SIDE],
    /// Where in a row its pixels begin.
    pub(super) columns: [usize; SIDE],
    /// A multiple of [`HALF_PANEL`](super::HALF_PANEL).
    pub(super) channels: usize,
    pub(super) output: *mut T,
    /// From a value of the transform to the next.
    pub(super) step: usize,
}

/// The outputs of a patch, and what they are made of.
pub(super) struct Square<'a, T> {
    /// Where the products are, a step from each other, and where the sums of the first pixel go.
    pub(super) tile: Tile<'a, T>,
    /// A multiple of [`HALF_PANEL`](super::HALF_PANEL).
    pub(super) channels: usize,
    /// From a row of the output, and of the residual, to the next.
    pub(super) row_step: usize,
    /// Whether there is a second row.
    pub(super) lower: bool,
    /// Whether there is a second column.
    pub(super) right: bool,
}

/// Both ways of an instruction set.
pub(super) struct Transforms<T> {
    /// From inputs to what is multiplied: `BᵀdB`.
    pub(super) apart: unsafe fn(&Patch<T>),
    /// From products to sums: `AᵀmA`.
    pub(super) together: unsafe fn(&Square<'_, T>),
}

/// Defines `apart` and `together`, see [`Transforms`].
macro_rules! transforms {
    ($features:literal, $register:ty, $lanes:literal) => {
        /// `Bᵀ` of four values.
        #[inline]
        #[target_feature(enable = $features)]
        unsafe fn differences(a: $register, b: $register, c: $register, d: $register) -> [$register; 4] {
            [minus(a, c), plus(b, c), minus(c, b), minus(b, d)]
        }

        /// `Aᵀ` of four values.
        #[inline]
        #[target_feature(enable = $features)]
        unsafe fn sums(a: $register, b: $register, c: $register, d: $register) -> [$register; 2] {
            [plus(a, plus(b, c)), minus(b, plus(c, d))]
        }

        #[target_feature(enable = $features)]
        unsafe fn apart(patch: &Patch<f32>) {
            let step = patch.step;
            for channel in (0..patch.channels).step_by($lanes) {
                let column = |column: usize| {
                    let at = |row: usize| weights(patch.input.add(patch.rows[row] + patch.columns[column] + channel));
                    differences(at(0), at(1), at(2), at(3))
                };
                let [a, b, c, d] = [column(0), column(1), column(2), column(3)];
                for row in 0..4 {
                    let [e, f, g, h] = differences(a[row], b[row], c[row], d[row]);
                    let output = patch.output.add(4 * row * step + channel);
                    store(output, e);
                    store(output.add(step), f);
                    store(output.add(2 * step), g);
                    store(output.add(3 * step), h);
                }
            }
        }

        #[target_feature(enable = $features)]
        unsafe fn together(square: &Square<'_, f32>) {
            let tile = &square.tile;
            let step = tile.input_step;
            for channel in (0..square.channels).step_by($lanes) {
                let row = |row: usize| {
                    let from = tile.input.add(4 * row * step + channel);
                    let at = |column: usize| weights(from.add(column * step));
                    sums(at(0), at(1), at(2), at(3))
                };
                let [a, b, c, d] = [row(0), row(1), row(2), row(3)];
                for column in 0..1 + usize::from(square.right) {
                    let [upper, lower] = sums(a[column], b[column], c[column], d[column]);
                    let at = column * tile.output_step + channel;
                    finish(tile, upper, at);
                    if square.lower {
                        finish(tile, lower, at + square.row_step);
                    }
                }
            }
        }
    };
}

pub(super) use transforms;
