//! Convolutions with a bias, and what is done with each sum before it is written.
//!
//! Weights are packed once, in the order in which they are read. Dense convolutions read a row of the kernel at a time;
//! grouped ones a place, and only the channels of their group. Groups of fewer than 16 channels are computed 16
//! channels together: where kernels can, each lane reads its own group, and elsewhere there are zeros between them. Of
//! what is computed in patches, `winograd` packs the weights.

use super::kernels::{HALF_PANEL, Kernels, Lanes, Number, PANEL, Panel, Steps, Work};
use super::maps::{Layout, Map, Pool, Size};
use super::winograd;
use crate::model::fbsp::Frames;

/// The shape of a convolution with a square kernel and "same" padding.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    pub(super) kernel: usize,
    pub(super) stride: usize,
    pub(super) groups: usize,
}

/// How the channels of a convolution depend on each other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Groups {
    /// Each on all.
    Dense,
    /// Whole panels on the channels of a group.
    Wide,
    /// Half a panel of some groups on the same channels, with zeros between them.
    Narrow,
    /// The same, each lane on the channels of its group.
    Lanes,
}

/// See the module's documentation.
pub(super) struct Conv<T: 'static> {
    kernels: &'static Kernels<T>,
    shape: Shape,
    /// How far apart the pixels of its input are.
    pixel: usize,
    groups: Groups,
    /// Whether it is computed in patches.
    patches: bool,
    /// Whether only what is positive comes out.
    rectified: bool,
    /// Values read at each tap.
    run: usize,
    panels: Vec<Panel>,
    weights: Vec<T>,
    /// See [`Groups::Lanes`].
    lanes: Vec<Lanes>,
    /// Zeros follow, as far as panels reach.
    bias: Vec<f32>,
}

impl<T: Number> Conv<T> {
    /// Packs `weights [outputs, inputs / groups, kernel, kernel]` and `bias [outputs]` for inputs whose pixels are so
    /// far apart.
    pub(super) fn new(kernels: &'static Kernels<T>, shape: Shape, weights: &[f32], bias: &[f32], pixel: usize) -> Self {
        let Shape { inputs, outputs, kernel, groups, .. } = shape;
        let (read, made) = (inputs / groups, outputs / groups);
        let padded = outputs.next_multiple_of(HALF_PANEL);
        let aligned = inputs.is_multiple_of(HALF_PANEL) && outputs == inputs;
        let kind = match groups {
            2.. if made.is_multiple_of(HALF_PANEL) => Groups::Wide,
            2.. if aligned && HALF_PANEL.is_multiple_of(made) => match kernels.has_lanes() {
                true if read.is_multiple_of(T::TOGETHER) => Groups::Lanes,
                _ => Groups::Narrow,
            },
            _ => Groups::Dense,
        };
        let patches = winograd::pays(kernels, shape);
        let run = match kind {
            Groups::Dense if patches => inputs.next_multiple_of(HALF_PANEL),
            Groups::Dense => kernel * pixel,
            Groups::Wide => read,
            Groups::Narrow | Groups::Lanes => HALF_PANEL,
        };
        let (panels, weights) =
            if patches { winograd::packed(shape, weights) } else { packed(kind, shape, pixel, weights) };
        let mut bias = bias.to_vec();
        bias.resize(padded, 0.0);
        let lanes = if kind == Groups::Lanes { lanes::<T>(read) } else { Vec::new() };
        Self { kernels, shape, pixel, groups: kind, patches, rectified: false, run, panels, weights, lanes, bias }
    }

    /// The same, followed by ReLU.
    pub(super) fn rectified(self) -> Self {
        Self { rectified: true, ..self }
    }

    pub(super) fn outputs(&self) -> usize {
        self.shape.outputs
    }

    /// The size of what comes out.
    pub(super) fn size(&self, input: Size) -> Size {
        let side = |side: usize| (side + 2 * (self.shape.kernel / 2) - self.shape.kernel) / self.shape.stride + 1;
        Size { height: side(input.height), width: side(input.width), channels: self.shape.outputs }
    }

    /// Writes what comes out of `input`, and of `residual`, which is added to it, into a map of the right size. What is
    /// between is kept in memory of the pool.
    ///
    /// # Panics
    /// If a map is of another size: that would be a mistake in the tower.
    pub(super) fn apply(&self, input: &Map<T>, output: &mut Map<T>, residual: Option<&Map<T>>, pool: &mut Pool<T>) {
        let (from, to) = (input.layout, output.layout);
        let Shape { inputs, kernel, stride, .. } = self.shape;
        let pad = kernel / 2;
        assert!(from.pixel == self.pixel && from.size.channels == inputs && from.border >= pad, "{from:?}");
        assert!(to.size == self.size(from.size) && input.images == output.images, "{to:?} of {from:?}");
        assert!(residual.is_none_or(|it| it.layout == to && it.images == output.images), "{to:?}");
        let Size { height, width, .. } = to.size;
        // Without borders rows follow each other, and a point looks at no neighbours.
        let joined = kernel == 1 && stride == 1 && from.border == 0 && to.border == 0;
        let (rows, columns) = if joined { (1, height * width) } else { (height, width) };
        let first = (from.border - pad) * (from.row() + from.pixel);
        let steps = |layout: &Layout, origin, stride| Steps {
            origin,
            image: layout.image(),
            row: if joined { layout.image() } else { stride * layout.row() },
            pixel: stride * layout.pixel,
        };
        let taps: Vec<usize> = match self.groups {
            Groups::Dense if !self.patches => (0..kernel).map(|row| row * from.row()).collect(),
            _ => (0..kernel * kernel).map(|at| at / kernel * from.row() + at % kernel * from.pixel).collect(),
        };
        let mut work = Work {
            images: input.images,
            rows,
            columns,
            input: &input.values,
            from: steps(&from, first, stride),
            taps: &taps,
            run: self.run,
            weights: &self.weights,
            lanes: &self.lanes,
            bias: &self.bias,
            panels: &self.panels,
            output: &mut output.values,
            residual: residual.map(|residual| &residual.values[..]),
            to: steps(&to, to.at(0, 0, 0), 1),
            rectified: self.rectified,
        };
        if self.patches {
            self.kernels.convolve_patches(&mut work, &mut pool.scratch);
        } else {
            self.kernels.convolve(&mut work);
        }
    }

    /// Writes what comes out of overlapping frames of signals into a map with a row for each signal. The convolution is
    /// one by points, whose inputs are the samples of a frame.
    ///
    /// # Panics
    /// If there are fewer samples than frames need.
    pub(super) fn slide(&self, samples: &[T], frames: Frames, output: &mut Map<T>) {
        let Frames { signals, count, hop, samples: step } = frames;
        let to = output.layout;
        self.kernels.convolve(&mut Work {
            images: signals,
            rows: 1,
            columns: count,
            input: samples,
            from: Steps { origin: 0, image: step, row: step, pixel: hop },
            taps: &[0],
            run: self.run,
            weights: &self.weights,
            lanes: &self.lanes,
            bias: &self.bias,
            panels: &self.panels,
            output: &mut output.values,
            residual: None,
            to: Steps { origin: to.at(0, 0, 0), image: to.image(), row: to.row(), pixel: to.pixel },
            rectified: self.rectified,
        });
    }
}

/// Panels, and the weights of each in the order of its taps.
fn packed<T: Number>(kind: Groups, shape: Shape, pixel: usize, weights: &[f32]) -> (Vec<Panel>, Vec<T>) {
    let Shape { inputs, outputs, kernel, groups, .. } = shape;
    let (read, made) = (inputs / groups, outputs / groups);
    let padded = outputs.next_multiple_of(HALF_PANEL);
    let mut panels = Vec::new();
    let mut packed = Vec::new();
    let mut output = 0;
    while output < padded {
        let (input, end) = match kind {
            Groups::Dense => (0, padded),
            Groups::Wide => (output / made * read, (output / made + 1) * made),
            Groups::Narrow | Groups::Lanes => (output, output + HALF_PANEL),
        };
        let width = if end - output >= PANEL { PANEL } else { HALF_PANEL };
        panels.push(Panel { output, width, input, weights: packed.len() });
        let channels = match kind {
            Groups::Dense => 0..pixel,
            // Of lanes, those of the first group; each has its own.
            Groups::Wide | Groups::Lanes => input..input + read,
            Groups::Narrow => input..input + HALF_PANEL,
        };
        for place in 0..kernel * kernel {
            for channel in channels.clone().step_by(T::TOGETHER) {
                let together = |out| (channel..channel + T::TOGETHER).map(move |channel| (out, channel));
                packed.extend((output..output + width).flat_map(together).map(|(out, channel)| {
                    let first = if kind == Groups::Lanes { input } else { out / made * read };
                    let within = channel.wrapping_sub(first);
                    let connected = out < outputs && channel < inputs && within < read;
                    let weight = if connected { weights[(out * read + within) * kernel * kernel + place] } else { 0.0 };
                    T::rounded(weight)
                }));
            }
        }
        output += width;
    }
    (panels, packed)
}

/// For each of the inputs, or pairs, of a group of so many channels: where they are for each output of half a panel.
fn lanes<T: Number>(channels: usize) -> Vec<Lanes> {
    let (steps, groups) = (channels / T::TOGETHER, HALF_PANEL / channels);
    let of_group = |step: usize| (0..groups).flat_map(move |group| std::iter::repeat_n(group * steps + step, channels));
    let of_step = |step: usize| {
        let mut lanes = Lanes::default();
        lanes.iter_mut().zip(of_group(step)).for_each(|(lane, place)| *lane = place as u32);
        lanes
    };
    (0..steps).map(of_step).collect()
}
