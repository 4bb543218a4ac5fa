//! Where activations lie: `[batch, height, width, channels]` in one block of memory, with zeros in the border, and
//! between the channels of a pixel and the next pixel.

use std::sync::{Mutex, PoisonError};

use super::kernels::{HALF_PANEL, Number};

/// Pixels this many bytes apart, or a multiple, would fall into the same few sets of a cache.
const ALIAS_BYTES: usize = 2048;
/// Values that are kept for the next batch: as many as a picture, or five seconds of sound, need.
const KEPT: usize = 1 << 24;

/// The size of an image of activations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) channels: usize,
}

/// How a map is laid out. Steps count values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) size: Size,
    /// Rows and columns of zeros around it.
    pub(super) border: usize,
    /// From a pixel to the next: channels, padded to whole panels.
    pub(super) pixel: usize,
}

impl Layout {
    /// For values of the type `T`.
    pub(super) fn new<T>(size: Size, border: usize) -> Self {
        let pixel = size.channels.next_multiple_of(HALF_PANEL);
        let alias = (pixel * size_of::<T>()).is_multiple_of(ALIAS_BYTES);
        let pixel = if alias { pixel + HALF_PANEL } else { pixel };
        Self { size, border, pixel }
    }

    /// Pixels without room between them, for what comes in.
    pub(super) fn packed(size: Size, border: usize) -> Self {
        Self { size, border, pixel: size.channels }
    }

    /// From a row to the next.
    pub(super) fn row(&self) -> usize {
        (self.size.width + 2 * self.border) * self.pixel
    }

    /// From an image to the next.
    pub(super) fn image(&self) -> usize {
        (self.size.height + 2 * self.border) * self.row()
    }

    /// Where a pixel is; rows and columns count from within the border.
    pub(super) fn at(&self, image: usize, row: usize, column: usize) -> usize {
        image * self.image() + (row + self.border) * self.row() + (column + self.border) * self.pixel
    }
}

/// Activations of some images.
pub(super) struct Map<T> {
    pub(super) layout: Layout,
    pub(super) images: usize,
    pub(super) values: Vec<T>,
}

impl<T: Number> Map<T> {
    /// The values of a row of pixels, those between channels and pixels included.
    pub(super) fn row(&self, image: usize, row: usize) -> &[T] {
        let begin = self.layout.at(image, row, 0);
        &self.values[begin..begin + self.layout.size.width * self.layout.pixel]
    }

    /// All rows within the border, by image and row.
    pub(super) fn rows_mut(&mut self) -> impl Iterator<Item = ((usize, usize), &mut [T])> {
        let layout = self.layout;
        let Size { height, width, .. } = layout.size;
        let (row, border) = (layout.row(), layout.border);
        let rows = self.values[..self.images * layout.image()].chunks_exact_mut(row).enumerate();
        rows.filter_map(move |(number, values)| {
            let (image, at) = (number / (height + 2 * border), number % (height + 2 * border));
            let within = (border..border + height).contains(&at);
            within.then(|| ((image, at - border), &mut values[border * layout.pixel..(border + width) * layout.pixel]))
        })
    }
}

/// Memory of maps that are no longer needed, for the next ones.
#[derive(Default)]
pub(super) struct Pool<T> {
    maps: Vec<Vec<T>>,
    /// What a layer keeps while it is computed, and leaves behind.
    pub(super) scratch: Vec<T>,
}

impl<T: Number> Pool<T> {
    /// A map with zeros around its pixels and between them, and whatever was there in its channels.
    pub(super) fn take(&mut self, layout: Layout, images: usize) -> Map<T> {
        let len = images * layout.image();
        // The smallest that is large enough, or else the largest.
        let fits = |values: &Vec<T>| (values.capacity() < len, values.capacity().abs_diff(len));
        let best = (0..self.maps.len()).min_by_key(|&index| fits(&self.maps[index]));
        let mut values = best.map(|index| self.maps.swap_remove(index)).unwrap_or_default();
        values.resize(len, T::default());
        let mut map = Map { layout, images, values };
        map.clear();
        map
    }

    pub(super) fn give_back(&mut self, map: Map<T>) {
        self.maps.push(map.values);
    }

    /// Frees what only large batches need.
    fn shrink(&mut self) {
        self.maps.sort_unstable_by_key(Vec::capacity);
        let mut sum = 0;
        self.maps.retain(|values| {
            sum += values.capacity();
            sum <= KEPT
        });
    }
}

impl<T: Number> Map<T> {
    /// Zeros where no channel is. Weights of zero do not do away with what was there before, if it is not a number.
    fn clear(&mut self) {
        let Layout { size: Size { height, width, channels }, border, pixel } = self.layout;
        if border == 0 && pixel == channels {
            return;
        }
        for (number, row) in self.values.chunks_exact_mut(self.layout.row()).enumerate() {
            let at = number % (height + 2 * border);
            if (border..border + height).contains(&at) {
                row[..border * pixel].fill(T::default());
                row[(border + width) * pixel..].fill(T::default());
                row.chunks_exact_mut(pixel).for_each(|pixel| pixel[channels..].fill(T::default()));
            } else {
                row.fill(T::default());
            }
        }
    }
}

/// Memory between two layers: the first are always computed in f32.
#[derive(Default)]
pub(super) struct Pools<T> {
    pub(super) stem: Pool<f32>,
    pub(super) body: Pool<T>,
}

/// The memory of a stack of convolutions between two batches.
#[derive(Default)]
pub(super) struct Memory<T>(Mutex<Pools<T>>);

impl<T: Number> Memory<T> {
    /// Does something with it. Whoever comes meanwhile begins with none.
    ///
    /// The work is moved to one of the threads that share it: from any other, each layer would begin and end by waking
    /// somebody up, which takes a short prompt as long as its sums do.
    pub(super) fn with<R: Send>(&self, work: impl FnOnce(&mut Pools<T>) -> R + Send) -> R {
        let pools = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = std::mem::take(&mut *pools());
        let done = rayon::scope(|_| work(&mut taken));
        taken.stem.shrink();
        taken.body.shrink();
        *pools() = taken;
        done
    }
}
