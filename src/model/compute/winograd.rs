//! The weights of convolutions in patches, and when they are worth it: see [`Kernels::convolve_patches`].
//!
//! Patches save 20 of 36 products, and cost the transforms. These are of each input and each output, and products of
//! each input with each output: the more channels, the less the transforms weigh.

use super::conv::Shape;
use super::kernels::{HALF_PANEL, Kernels, Number, PANEL, Panel, VALUES};

/// A row of three weights, transformed: `G`.
const TRANSFORM: [[f64; 3]; 4] = [[1.0, 0.0, 0.0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.0, 0.0, 1.0]];
/// With fewer channels the transforms take as long as what they save.
const FEWEST_CHANNELS: usize = 32;

/// Whether a convolution is to be computed in patches.
///
/// That is so of every dense one of three by three without a stride, but of the fewest channels. It is so even of 7 × 7
/// pixels of 512 channels, where it is no longer products that take time but reading weights, of which there are more.
/// The shape alone decides, so that results do not depend on what else is in a batch.
pub(super) fn pays<T: Number>(kernels: &Kernels<T>, shape: Shape) -> bool {
    let Shape { inputs, outputs, kernel, stride, groups } = shape;
    kernels.has_patches() && (kernel, stride, groups) == (3, 1, 1) && inputs.min(outputs) >= FEWEST_CHANNELS
}

/// Packs `weights [outputs, inputs, 3, 3]`: of each panel `[VALUES, inputs, width]`, with zeros where there are no
/// channels.
pub(super) fn packed<T: Number>(shape: Shape, weights: &[f32]) -> (Vec<Panel>, Vec<T>) {
    let Shape { inputs, outputs, .. } = shape;
    let (run, padded) = (inputs.next_multiple_of(HALF_PANEL), outputs.next_multiple_of(HALF_PANEL));
    let mut packed = vec![T::default(); VALUES * run * padded];
    let panels: Vec<Panel> = (0..padded)
        .step_by(PANEL)
        .map(|output| Panel { output, width: PANEL.min(padded - output), input: 0, weights: VALUES * run * output })
        .collect();
    for panel in &panels {
        let filters = weights.chunks_exact(9 * inputs).skip(panel.output).take(panel.width);
        for (lane, filters) in filters.enumerate() {
            for (input, filter) in filters.as_chunks().0.iter().enumerate() {
                for (value, weight) in transformed(filter).into_iter().enumerate() {
                    packed[panel.weights + (value * run + input) * panel.width + lane] = T::rounded(weight);
                }
            }
        }
    }
    (panels, packed)
}

/// `GgGᵀ`.
fn transformed(filter: &[f32; 9]) -> [f32; VALUES] {
    let rows = TRANSFORM.map(|places| {
        [0, 1, 2].map(|column| (0..3).map(|row| places[row] * f64::from(filter[3 * row + column])).sum::<f64>())
    });
    let value = |row: [f64; 3], places: [f64; 3]| (row[0] * places[0] + row[1] * places[1] + row[2] * places[2]) as f32;
    let values = rows.map(|row| TRANSFORM.map(|places| value(row, places)));
    std::array::from_fn(|at| values[at / 4][at % 4])
}
