//! What GPUs are given to do: kernels, and their arguments as `kernels.cu` reads them.

/// A part of the memory that a plan works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Block {
    /// Of the layers, written once.
    Weights,
    /// Between layers.
    Activations,
    /// What comes in.
    Input,
    /// What goes out.
    Output,
}

/// Where something begins: so many bytes into a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) block: Block,
    pub(super) bytes: usize,
}

/// Where the blocks of memory begin.
#[derive(Debug, Clone, Copy)]
pub(super) struct Addresses {
    pub(super) weights: u64,
    pub(super) activations: u64,
    pub(super) input: u64,
    pub(super) output: u64,
}

impl Addresses {
    fn of(&self, place: Place) -> u64 {
        let begin = match place.block {
            Block::Weights => self.weights,
            Block::Activations => self.activations,
            Block::Input => self.input,
            Block::Output => self.output,
        };
        begin + place.bytes as u64
    }
}

/// What becomes of a convolution's sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    Nothing,
    /// Its positive part.
    Rectified,
    /// The positive part of its sum with other activations.
    Joined,
    /// Other activations times its logistic function.
    Gated,
}

/// What becomes of the values in a window, or an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pooling {
    Mean,
    Largest,
}

/// The dimensions that a kernel needs, as `Task` in `kernels.cu` names them. Those it does not need are 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub(super) struct Dimensions {
    pub(super) images: i32,
    pub(super) height: i32,
    pub(super) width: i32,
    pub(super) pixel: i32,
    pub(super) output_height: i32,
    pub(super) output_width: i32,
    pub(super) output_pixel: i32,
    pub(super) rows: i32,
    pub(super) columns: i32,
    pub(super) stride: i32,
    pub(super) padding: i32,
    pub(super) inputs: i32,
    pub(super) depth: i32,
    pub(super) group: i32,
    /// An [`After`] or a [`Pooling`].
    pub(super) after: i32,
}

impl Dimensions {
    /// In the order in which they lie in memory.
    #[cfg(test)]
    pub(super) fn all(self) -> [i32; 15] {
        let Self {
            images,
            height,
            width,
            pixel,
            output_height,
            output_width,
            output_pixel,
            rows,
            columns,
            stride,
            padding,
            inputs,
            depth,
            group,
            after,
        } = self;
        [
            images,
            height,
            width,
            pixel,
            output_height,
            output_width,
            output_pixel,
            rows,
            columns,
            stride,
            padding,
            inputs,
            depth,
            group,
            after,
        ]
    }
}

/// The one argument of each kernel.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(super) struct Task {
    pub(super) input: u64,
    pub(super) weights: u64,
    pub(super) bias: u64,
    pub(super) other: u64,
    pub(super) output: u64,
    pub(super) dimensions: Dimensions,
}

/// The entry points of `kernels.cu`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kernel {
    Convolve(Tile),
    Pool,
    Deepen,
    Summarize,
    Split,
    Widen,
}

/// What a block of threads computes of a convolution: so many pixels, and channels of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Tile {
    By128x128,
    By128x64,
    By128x32,
    By64x64,
}

impl Tile {
    pub(super) fn pixels(self) -> usize {
        if self == Self::By64x64 { 64 } else { 128 }
    }

    pub(super) fn channels(self) -> usize {
        match self {
            Self::By128x128 => 128,
            Self::By128x64 | Self::By64x64 => 64,
            Self::By128x32 => 32,
        }
    }
}

impl Kernel {
    #[cfg(feature = "cuda")]
    pub(super) const ALL: [Self; 9] = [
        Self::Convolve(Tile::By128x128),
        Self::Convolve(Tile::By128x64),
        Self::Convolve(Tile::By128x32),
        Self::Convolve(Tile::By64x64),
        Self::Pool,
        Self::Deepen,
        Self::Summarize,
        Self::Split,
        Self::Widen,
    ];

    /// The name of its entry point.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Convolve(Tile::By128x128) => "convolve_128_128",
            Self::Convolve(Tile::By128x64) => "convolve_128_64",
            Self::Convolve(Tile::By128x32) => "convolve_128_32",
            Self::Convolve(Tile::By64x64) => "convolve_64_64",
            Self::Pool => "pool",
            Self::Deepen => "deepen",
            Self::Summarize => "summarize",
            Self::Split => "split",
            Self::Widen => "widen",
        }
    }

    /// Bytes of shared memory that a block is launched with: for tiles of both factors, of so many steps of values of
    /// two bytes, and for where pixels begin to read.
    pub(super) fn shared_bytes(self) -> usize {
        match self {
            Self::Convolve(tile) => {
                STAGES * STEP * 2 * (tile.pixels() + tile.channels()) + WINDOW_BYTES * tile.pixels()
            }
            _ => 0,
        }
    }
}

/// Threads of a block, of each kernel.
pub(super) const THREADS: usize = 256;
/// Values of a sum that are multiplied at once, which the weights of a channel are rounded up to.
pub(super) const STEP: usize = 64;
/// Steps that shared memory has room for.
const STAGES: usize = 3;
/// Bytes that say where a pixel begins to read.
const WINDOW_BYTES: usize = 16;
/// Values that are read and written at once, which channels are rounded up to.
pub(super) const CHUNK: usize = 8;

/// What a kernel reads and writes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places {
    pub(super) input: Place,
    pub(super) weights: Option<Place>,
    pub(super) bias: Option<Place>,
    pub(super) other: Option<Place>,
    pub(super) output: Place,
}

impl Places {
    /// Without weights.
    pub(super) fn of(input: Place, output: Place) -> Self {
        Self { input, weights: None, bias: None, other: None, output }
    }
}

/// A kernel to be run, and on what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Launch {
    pub(super) kernel: Kernel,
    /// Blocks of threads, across and down.
    pub(super) grid: [usize; 2],
    pub(super) places: Places,
    pub(super) dimensions: Dimensions,
}

impl Launch {
    /// The kernel's argument, with places as addresses.
    pub(super) fn task(&self, addresses: &Addresses) -> Task {
        let Places { input, weights, bias, other, output } = self.places;
        let optional = |place: Option<Place>| place.map_or(0, |place| addresses.of(place));
        Task {
            input: addresses.of(input),
            weights: optional(weights),
            bias: optional(bias),
            other: optional(other),
            output: addresses.of(output),
            dimensions: self.dimensions,
        }
    }
}

/// A dimension as kernels read it.
///
/// # Panics
/// If it has more than 31 bits: models and inputs are bounded far below that.
pub(super) fn dimension(value: usize) -> i32 {
    i32::try_from(value).expect("dimensions of activations are bounded")
}
