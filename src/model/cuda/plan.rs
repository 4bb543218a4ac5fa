//! From layers to launches: what is run in which order for inputs of one shape, and where activations lie meanwhile.
//!
//! Memory is given out here, once for each shape, and not while the GPU works: launches can be recorded and repeated.
//! Invariant: no two activations that are needed at a time share memory.

use std::collections::BTreeMap;

use super::layers::{Attention, Conv, Residual, SPLIT};
use super::tasks::{After, Block, CHUNK, Dimensions, Kernel, Launch, Place, Places, Pooling, THREADS, Tile, dimension};

/// Where activations may begin.
const ALIGNED_BYTES: usize = 256;
/// Bytes of an activation.
const VALUE_BYTES: usize = 2;

/// All that is done with inputs of one shape.
pub(super) struct Plan {
    /// The first reads what comes in, the last writes what goes out, and no other does either.
    pub(super) launches: Vec<Launch>,
    /// Memory between layers.
    pub(super) activation_bytes: usize,
    /// `[images, pixels, channels]`, f32.
    pub(super) output: [usize; 3],
}

/// The size of what comes in, `[images, 3, height, width]`, and what it is computed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Incoming {
    pub(super) images: usize,
    pub(super) height: usize,
    pub(super) width: usize,
    /// Multiprocessors of the GPU, which all should have something to do.
    pub(super) processors: usize,
}

/// Activations `[images, height, width, pixel]`, where `pixel` is `channels` rounded up.
#[derive(Debug)]
pub(super) struct Map {
    bytes: usize,
    height: usize,
    width: usize,
    channels: usize,
}

impl Map {
    fn pixel(&self) -> usize {
        self.channels.next_multiple_of(CHUNK)
    }

    fn place(&self) -> Place {
        Place { block: Block::Activations, bytes: self.bytes }
    }
}

/// A plan that is being made.
pub(super) struct Planner {
    incoming: Incoming,
    launches: Vec<Launch>,
    memory: Memory,
}

impl Planner {
    pub(super) fn new(incoming: Incoming) -> Self {
        Self { incoming, launches: Vec::new(), memory: Memory::default() }
    }

    /// What comes in, ready for a convolution of planes.
    pub(super) fn split(&mut self) -> Map {
        let Incoming { images, height, width, .. } = self.incoming;
        let map = self.take(height, width, SPLIT);
        self.launches.push(Launch {
            kernel: Kernel::Split,
            grid: [(images * height * width).div_ceil(THREADS), 1],
            places: Places::of(Place { block: Block::Input, bytes: 0 }, map.place()),
            dimensions: Dimensions {
                images: dimension(images),
                height: dimension(height),
                width: dimension(width),
                ..Dimensions::default()
            },
        });
        map
    }

    /// A convolution, whose input is no longer needed.
    pub(super) fn through(&mut self, conv: &Conv, input: Map) -> Map {
        let output = self.convolve(conv, &input, None, After::Rectified);
        self.give_back(input);
        output
    }

    pub(super) fn residual(&mut self, block: &Residual, input: Map) -> Map {
        let output = self.residual_of(block, &input);
        self.give_back(input);
        output
    }

    /// A residual block, whose input is kept.
    pub(super) fn residual_of(&mut self, block: &Residual, input: &Map) -> Map {
        let reduced = self.convolve(&block.reduce, input, None, After::Rectified);
        let mut inner = self.through(&block.spatial, reduced);
        let mut skip = None;
        if block.pooling > 1 {
            let window = Window { side: block.pooling, stride: block.pooling, padding: 0, pooling: Pooling::Mean };
            inner = self.pooled(inner, window);
            skip = Some(self.pool(input, window));
        }
        if let Some(shortcut) = &block.shortcut {
            let next = self.convolve(shortcut, skip.as_ref().unwrap_or(input), None, After::Nothing);
            skip.replace(next).into_iter().for_each(|map| self.give_back(map));
        }
        let output = self.convolve(&block.expand, &inner, Some(skip.as_ref().unwrap_or(input)), After::Joined);
        self.give_back(inner);
        skip.into_iter().for_each(|map| self.give_back(map));
        output
    }

    /// `values`, times the gates that an attention block makes of `input`.
    pub(super) fn gated(&mut self, attention: &Attention, input: &Map, values: Map) -> Map {
        let deep = self.take(values.height, values.width, input.channels);
        let dimensions = Dimensions {
            rows: dimension(attention.kernel[0]),
            columns: dimension(attention.kernel[1]),
            ..self.dimensions(input, &deep)
        };
        self.launches.push(Launch {
            kernel: Kernel::Deepen,
            grid: self.grid_of(&deep),
            places: Places {
                weights: Some(attention.taps),
                bias: Some(attention.bias),
                ..Places::of(input.place(), deep.place())
            },
            dimensions,
        });
        let output = self.convolve(&attention.point, &deep, Some(&values), After::Gated);
        self.give_back(deep);
        self.give_back(values);
        output
    }

    /// Windows of a map that is no longer needed.
    pub(super) fn pooled(&mut self, input: Map, window: Window) -> Map {
        let output = self.pool(&input, window);
        self.give_back(input);
        output
    }

    fn pool(&mut self, input: &Map, Window { side, stride, padding, pooling }: Window) -> Map {
        let size = |of: usize| (of + 2 * padding - side) / stride + 1;
        let output = self.take(size(input.height), size(input.width), input.channels);
        let dimensions = Dimensions {
            rows: dimension(side),
            columns: dimension(side),
            stride: dimension(stride),
            padding: dimension(padding),
            after: pooling as i32,
            ..self.dimensions(input, &output)
        };
        self.launches.push(Launch {
            kernel: Kernel::Pool,
            grid: self.grid_of(&output),
            places: Places::of(input.place(), output.place()),
            dimensions,
        });
        output
    }

    /// One value for each channel of an image.
    pub(super) fn summary(&mut self, input: &Map, pooling: Pooling) -> Map {
        let output = self.take(1, 1, input.channels);
        let dimensions = Dimensions { after: pooling as i32, ..self.dimensions(input, &output) };
        self.launches.push(Launch {
            kernel: Kernel::Summarize,
            grid: [output.pixel().div_ceil(CHUNK * CHUNKS_A_BLOCK), self.incoming.images],
            places: Places::of(input.place(), output.place()),
            dimensions,
        });
        output
    }

    /// Ends the plan: this is what goes out.
    pub(super) fn outgoing(mut self, map: Map) -> Plan {
        let Map { height, width, channels, .. } = map;
        let images = self.incoming.images;
        let dimensions = Dimensions { output_pixel: dimension(channels), ..self.dimensions(&map, &map) };
        self.launches.push(Launch {
            kernel: Kernel::Widen,
            grid: [(images * height * width * channels).div_ceil(THREADS), 1],
            places: Places::of(map.place(), Place { block: Block::Output, bytes: 0 }),
            dimensions,
        });
        self.give_back(map);
        Plan { launches: self.launches, activation_bytes: self.memory.end, output: [images, height * width, channels] }
    }

    pub(super) fn convolve(&mut self, conv: &Conv, input: &Map, other: Option<&Map>, after: After) -> Map {
        let padding = conv.kernel / 2;
        let size = |side: usize| (side + 2 * padding - conv.kernel) / conv.stride + 1;
        let output = self.take(size(input.height), size(input.width), conv.outputs);
        let pixels = self.incoming.images * output.height * output.width;
        let tile = self.tile(pixels, output.pixel(), conv.group);
        let dimensions = Dimensions {
            rows: dimension(conv.kernel),
            columns: dimension(conv.kernel),
            stride: dimension(conv.stride),
            padding: dimension(padding),
            inputs: dimension(conv.inputs),
            depth: dimension(conv.depth),
            // Otherwise all channels are of the first group.
            group: conv.group.map_or(i32::MAX, dimension),
            after: after as i32,
            ..self.dimensions(input, &output)
        };
        self.launches.push(Launch {
            kernel: Kernel::Convolve(tile),
            // Tiles of the same pixels follow each other. There may be more of them than a grid is high.
            grid: [output.pixel().div_ceil(tile.channels()) * pixels.div_ceil(tile.pixels()), 1],
            places: Places {
                weights: Some(conv.weights),
                bias: Some(conv.bias),
                other: other.map(Map::place),
                ..Places::of(input.place(), output.place())
            },
            dimensions,
        });
        output
    }

    /// The largest tile that leaves no multiprocessor without one, if there is any.
    fn tile(&self, pixels: usize, channels: usize, group: Option<usize>) -> Tile {
        let enough = |tile: Tile| {
            pixels.div_ceil(tile.pixels()) * channels.div_ceil(tile.channels()) >= self.incoming.processors
        };
        match group {
            Some(group) if group.is_multiple_of(Tile::By128x64.channels()) => Tile::By128x64,
            Some(_) => Tile::By128x32,
            None if channels <= Tile::By128x32.channels() => Tile::By128x32,
            None if channels > Tile::By128x64.channels() && enough(Tile::By128x128) => Tile::By128x128,
            None if enough(Tile::By128x64) => Tile::By128x64,
            None => Tile::By64x64,
        }
    }

    fn dimensions(&self, input: &Map, output: &Map) -> Dimensions {
        Dimensions {
            images: dimension(self.incoming.images),
            height: dimension(input.height),
            width: dimension(input.width),
            pixel: dimension(input.pixel()),
            output_height: dimension(output.height),
            output_width: dimension(output.width),
            output_pixel: dimension(output.pixel()),
            ..Dimensions::default()
        }
    }

    /// A thread for each chunk of a map.
    fn grid_of(&self, map: &Map) -> [usize; 2] {
        [(self.incoming.images * map.height * map.width * map.pixel() / CHUNK).div_ceil(THREADS), 1]
    }

    pub(super) fn take(&mut self, height: usize, width: usize, channels: usize) -> Map {
        let mut map = Map { bytes: 0, height, width, channels };
        map.bytes = self.memory.take(self.bytes(&map));
        map
    }

    #[expect(clippy::needless_pass_by_value, reason = "whoever gives it back does not need it again")]
    pub(super) fn give_back(&mut self, map: Map) {
        let bytes = self.bytes(&map);
        self.memory.give_back(map.bytes, bytes);
    }

    fn bytes(&self, map: &Map) -> usize {
        let values = self.incoming.images * map.height * map.width * map.pixel();
        (values * VALUE_BYTES).next_multiple_of(ALIGNED_BYTES)
    }
}

/// Chunks of channels that a block of `summarize` computes.
const CHUNKS_A_BLOCK: usize = 8;

/// Square windows, and what becomes of the values in them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub(super) side: usize,
    pub(super) stride: usize,
    pub(super) padding: usize,
    pub(super) pooling: Pooling,
}

/// Which bytes of a block of memory are free: by where they begin, how many there are.
#[derive(Default)]
struct Memory {
    free: BTreeMap<usize, usize>,
    end: usize,
}

impl Memory {
    /// The smallest piece that is large enough; the block grows if there is none.
    pub(super) fn take(&mut self, bytes: usize) -> usize {
        let fitting = self.free.iter().filter(|&(_, &length)| length >= bytes).min_by_key(|&(_, &length)| length);
        let last = self.free.last_key_value().filter(|&(&begin, &length)| begin + length == self.end);
        let (begin, length) = match fitting.or(last) {
            Some((&begin, &length)) => (begin, length),
            None => (self.end, 0),
        };
        self.free.remove(&begin);
        if length > bytes {
            self.free.insert(begin + bytes, length - bytes);
        }
        self.end = self.end.max(begin + bytes);
        begin
    }

    fn give_back(&mut self, mut begin: usize, mut bytes: usize) {
        if let Some(after) = self.free.remove(&(begin + bytes)) {
            bytes += after;
        }
        if let Some((&before, &length)) = self.free.range(..begin).next_back().filter(|&(at, len)| at + len == begin) {
            self.free.remove(&before);
            (begin, bytes) = (before, length + bytes);
        }
        self.free.insert(begin, bytes);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// How many bytes are taken, and which are given back if that is an even number.
    fn step() -> impl Strategy<Value = (usize, prop::sample::Index)> {
        (1..9_usize, any::<prop::sample::Index>())
    }

    proptest! {
        #[test]
        fn memory_is_given_to_one_at_a_time(steps in prop::collection::vec(step(), 1..60)) {
            let mut memory = Memory::default();
            let mut taken: Vec<(usize, usize)> = Vec::new();
            for (bytes, which) in steps {
                let begin = memory.take(bytes);
                prop_assert!(begin + bytes <= memory.end);
                prop_assert!(taken.iter().all(|&(at, length)| begin + bytes <= at || at + length <= begin));
                taken.push((begin, bytes));
                if bytes % 2 == 0 {
                    let (begin, bytes) = taken.swap_remove(which.index(taken.len()));
                    memory.give_back(begin, bytes);
                }
            }
            taken.drain(..).for_each(|(begin, bytes)| memory.give_back(begin, bytes));
            prop_assert_eq!(memory.free.into_iter().collect::<Vec<_>>(), [(0, memory.end)]);
        }
    }
}
