//! Convolutions and what is between them, against the same computed one value at a time.

use super::kernels::portable;
use super::*;

/// Numbers between −1 and 1 that look as if they were drawn at random.
fn numbers(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    let next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as f32 / u32::MAX as f32 * 2.0 - 1.0
    };
    std::iter::repeat_with(next).take(count).collect()
}

/// The kernels of this machine, and plain Rust.
trait Kind: Number {
    fn all() -> Vec<&'static Kernels<Self>>;
}

impl Kind for f32 {
    fn all() -> Vec<&'static Kernels<Self>> {
        Self::kernels().into_iter().chain([&portable::SINGLE]).collect()
    }
}

impl Kind for bf16 {
    fn all() -> Vec<&'static Kernels<Self>> {
        Self::kernels().into_iter().chain([&portable::HALF]).collect()
    }
}

fn map<T: Number>(size: Size, border: usize, images: usize, seed: u32) -> Map<T> {
    let mut pool = Pool::default();
    let layout = if size.channels == PLANES { Layout::packed(size, border) } else { Layout::new::<T>(size, border) };
    let mut map = pool.take(layout, images);
    let drawn = numbers(images * size.height * size.width * size.channels, seed);
    for (((_, _), row), drawn) in map.rows_mut().zip(drawn.chunks_exact(size.width * size.channels)) {
        for (pixel, drawn) in row.chunks_exact_mut(layout.pixel).zip(drawn.chunks_exact(size.channels)) {
            pixel.iter_mut().zip(drawn).for_each(|(value, drawn)| *value = T::rounded(*drawn));
        }
    }
    map
}

/// A value, 0 beyond the edges.
fn value<T: Number>(map: &Map<T>, image: usize, row: isize, column: isize, channel: usize) -> f32 {
    let Size { height, width, .. } = map.layout.size;
    match (usize::try_from(row), usize::try_from(column)) {
        (Ok(row), Ok(column)) if row < height && column < width => {
            map.values[map.layout.at(image, row, column) + channel].widened()
        }
        _ => 0.0,
    }
}

fn check<T: Kind + PartialEq>(shape: Shape, size: Size, images: usize, extras: bool) {
    let Shape { inputs, outputs, kernel, stride, groups } = shape;
    let (read, made) = (inputs / groups, outputs / groups);
    let drawn = numbers(outputs * read * kernel * kernel, 1);
    let weights: Vec<f32> = drawn.into_iter().map(|weight| T::rounded(weight).widened()).collect();
    let bias = numbers(outputs, 2);
    let input = map::<T>(size, kernel / 2 + usize::from(extras), images, 3);
    for kernels in T::all() {
        let conv = Conv::new(kernels, shape, &weights, &bias, input.layout.pixel);
        let conv = if extras { conv.rectified() } else { conv };
        let residual = map::<T>(conv.size(size), 1, images, 4);
        let mut output = map::<T>(conv.size(size), 1, images, 5);
        let before = output.values.clone();
        conv.apply(&input, &mut output, extras.then_some(&residual), &mut Pool::default());
        let Size { height, width, .. } = output.layout.size;
        let mut written = vec![false; output.values.len()];
        for (image, row, column) in
            (0..images).flat_map(|i| (0..height).flat_map(move |y| (0..width).map(move |x| (i, y, x))))
        {
            let at = output.layout.at(image, row, column);
            written[at..at + output.layout.pixel].fill(true);
            for channel in 0..outputs {
                let mut sum = f64::from(bias[channel]);
                for place in 0..kernel * kernel * read {
                    let (within, y, x) = (place / (kernel * kernel), place / kernel % kernel, place % kernel);
                    let near = |at: usize, of: usize| (at * stride + of).cast_signed() - (kernel / 2).cast_signed();
                    let from = value(&input, image, near(row, y), near(column, x), channel / made * read + within);
                    sum += f64::from(from) * f64::from(weights[channel * read * kernel * kernel + place]);
                }
                if extras {
                    sum = (sum + f64::from(residual.values[at + channel].widened())).max(0.0);
                }
                let got = f64::from(output.values[at + channel].widened());
                let rounding = if size_of::<T>() == 2 { sum.abs() / 256.0 } else { 0.0 };
                assert!((got - sum).abs() < 3e-5 + rounding, "{}: {shape:?}, {size:?}: {got}, not {sum}", kernels.name);
            }
        }
        let elsewhere = written.iter().zip(before.iter().zip(&output.values)).filter(|(written, _)| !**written);
        assert!(elsewhere.into_iter().all(|(_, (before, after))| before == after), "{} writes elsewhere", kernels.name);
    }
}

#[test]
fn convolutions_are_sums_of_products() {
    let first = |outputs, kernel| Shape { inputs: 3, outputs, kernel, stride: 2, groups: 1 };
    for extras in [false, true] {
        // What images and spectrograms begin with.
        check::<f32>(first(32, 3), Size { height: 9, width: 13, channels: 3 }, 1, extras);
        check::<f32>(first(8, 7), Size { height: 11, width: 17, channels: 3 }, 2, extras);
        check_all::<f32>(extras);
        check_all::<bf16>(extras);
    }
}

/// All but what images and spectrograms begin with, which is always f32.
fn check_all<T: Kind + PartialEq>(extras: bool) {
    let shape = |inputs, outputs, kernel, stride, groups| Shape { inputs, outputs, kernel, stride, groups };
    let size = |height, width, channels| Size { height, width, channels };
    // Points, one and several panels, a last one of half.
    check::<T>(shape(16, 64, 1, 1, 1), size(3, 19, 16), 2, extras);
    check::<T>(shape(40, 48, 1, 1, 1), size(2, 5, 40), 1, extras);
    check::<T>(shape(8, 24, 1, 2, 1), size(5, 6, 8), 1, extras);
    // Neighbours.
    check::<T>(shape(32, 32, 3, 1, 1), size(7, 7, 32), 1, extras);
    check::<T>(shape(17, 5, 3, 1, 1), size(4, 30, 17), 1, extras);
    // The same in patches: one, some that are cut off, several blocks and panels, channels that fill none.
    check::<T>(shape(32, 32, 3, 1, 1), size(1, 1, 32), 1, extras);
    check::<T>(shape(32, 64, 3, 1, 1), size(2, 5, 32), 3, extras);
    check::<T>(shape(64, 48, 3, 1, 1), size(9, 16, 64), 1, extras);
    check::<T>(shape(40, 88, 3, 1, 1), size(11, 13, 40), 2, extras);
    // Groups of 2, 4, 8, 16, 32 and 48 channels, and some that fit nowhere.
    check::<T>(shape(16, 16, 3, 1, 8), size(5, 9, 16), 1, extras);
    check::<T>(shape(128, 128, 3, 2, 32), size(5, 8, 128), 1, extras);
    check::<T>(shape(32, 32, 3, 1, 4), size(4, 15, 32), 2, extras);
    check::<T>(shape(64, 64, 3, 2, 4), size(5, 6, 64), 1, extras);
    check::<T>(shape(64, 64, 3, 1, 2), size(3, 4, 64), 1, extras);
    check::<T>(shape(96, 96, 3, 1, 2), size(3, 3, 96), 1, extras);
    check::<T>(shape(24, 12, 3, 1, 4), size(4, 5, 24), 1, extras);
}

#[test]
fn without_borders_rows_are_joined() {
    let shape = Shape { inputs: 16, outputs: 32, kernel: 1, stride: 1, groups: 1 };
    let size = Size { height: 5, width: 7, channels: 16 };
    let (weights, bias) = (numbers(512, 6), numbers(32, 7));
    let input = map::<f32>(size, 0, 3, 8);
    for kernels in f32::all() {
        let conv = Conv::new(kernels, shape, &weights, &bias, 16);
        let (mut joined, mut apart) = (map(conv.size(size), 0, 3, 9), map(conv.size(size), 1, 3, 9));
        conv.apply(&input, &mut joined, None, &mut Pool::default());
        conv.apply(&input, &mut apart, None, &mut Pool::default());
        assert_eq!(outgoing(&joined), outgoing(&apart), "{}", kernels.name);
    }
}

#[test]
fn patches_do_not_depend_on_threads_and_batches() {
    let shape = Shape { inputs: 32, outputs: 96, kernel: 3, stride: 1, groups: 1 };
    let size = Size { height: 9, width: 15, channels: 32 };
    let (weights, bias) = (numbers(9 * 32 * 96, 19), numbers(96, 20));
    let input = map::<f32>(size, 1, 3, 21);
    let third = |image: usize| {
        let values = input.values.chunks_exact(input.layout.image()).nth(image).unwrap_or_default().to_vec();
        Map { layout: input.layout, images: 1, values }
    };
    for kernels in f32::all() {
        let conv = Conv::new(kernels, shape, &weights, &bias, input.layout.pixel).rectified();
        let on = |threads: usize, input: &Map<f32>| {
            let mut pool = Pool::default();
            pool.scratch.resize(1 << 20, f32::NAN);
            let threads = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            threads.install(|| outgoing(&convolved(&conv, input, 1, &mut pool)))
        };
        let together = on(1, &input);
        assert_eq!(on(5, &input), together, "{}", kernels.name);
        let singly: Vec<f32> = (0..3).flat_map(|image| on(2, &third(image))).collect();
        assert_eq!(singly, together, "{}", kernels.name);
    }
}

#[test]
fn what_was_in_memory_before_counts_nowhere() {
    // 512 channels have room behind them, which keeps pixels from sharing a cache's sets.
    let size = Size { height: 4, width: 5, channels: 512 };
    let shape = |inputs, outputs| Shape { inputs, outputs, kernel: 1, stride: 1, groups: 1 };
    let conv = |shape: Shape| {
        let weights = numbers(shape.inputs * shape.outputs, 16);
        Conv::new(&portable::SINGLE, shape, &weights, &numbers(shape.outputs, 17), pixel::<f32>(shape.inputs))
    };
    let (widen, narrow) = (conv(shape(16, 512)), conv(shape(512, 16)));
    let input = map(Size { channels: 16, ..size }, 0, 1, 18);
    let forward = |pool: &mut Pool<f32>| {
        let wide = convolved(&widen, &input, 1, pool);
        outgoing(&convolved(&narrow, &wide, 0, pool))
    };
    let mut used = Pool::default();
    for border in [1, 0] {
        let mut overflown = used.take(Layout::new::<f32>(size, border), 1);
        overflown.values.fill(f32::NAN);
        used.give_back(overflown);
    }
    assert_eq!(forward(&mut used), forward(&mut Pool::default()));
}

#[test]
#[should_panic(expected = "width: 5")]
fn a_map_of_the_wrong_size_is_a_mistake() {
    let shape = Shape { inputs: 16, outputs: 16, kernel: 1, stride: 1, groups: 1 };
    let conv = Conv::new(&portable::SINGLE, shape, &[0.0; 256], &[0.0; 16], 16);
    let input = map(Size { height: 4, width: 4, channels: 16 }, 0, 1, 1);
    conv.apply(&input, &mut map(Size { height: 4, width: 5, channels: 16 }, 0, 1, 1), None, &mut Pool::default());
}

#[test]
fn pooling_and_gates_are_what_their_names_say() {
    check_others::<f32>(1e-6);
    check_others::<bf16>(1.0 / 256.0);
}

fn check_others<T: Kind>(bound: f32) {
    let size = |height, width| Size { height, width, channels: 20 };
    let input = map::<T>(size(6, 9), 0, 2, 10);
    let all = |map: &Map<T>| {
        let Size { height, width, channels } = map.layout.size;
        let images = map.images;
        let places = (0..images).flat_map(move |i| (0..height).flat_map(move |y| (0..width).map(move |x| (i, y, x))));
        places.flat_map(move |place| (0..channels).map(move |channel| (place, channel))).collect::<Vec<_>>()
    };
    let near = |image: usize, rows: std::ops::Range<usize>, columns: std::ops::Range<usize>, channel: usize| {
        let places = rows.flat_map(move |row| columns.clone().map(move |column| (row, column)));
        places.map(|(y, x)| value(&input, image, y.cast_signed(), x.cast_signed(), channel)).collect::<Vec<f32>>()
    };
    let got = |map: &Map<T>, (image, row, column): (usize, usize, usize), channel| {
        value(map, image, row.cast_signed(), column.cast_signed(), channel)
    };
    let most = |values: Vec<f32>| values.into_iter().fold(f32::NEG_INFINITY, f32::max);

    let mut averages = map(size(3, 4), 0, 2, 11);
    ops::average(&input, &mut averages, 2);
    for (place @ (image, row, column), channel) in all(&averages) {
        let sum: f32 = near(image, 2 * row..2 * row + 2, 2 * column..2 * column + 2, channel).iter().sum();
        assert!((got(&averages, place, channel) - sum / 4.0).abs() < bound);
    }
    let mut largest = map(size(3, 5), 0, 2, 12);
    ops::max_of_nine(&input, &mut largest);
    for (place @ (image, row, column), channel) in all(&largest) {
        let range = |at: usize, of: usize| (2 * at).saturating_sub(1)..(2 * at + 2).min(of);
        assert_eq!(got(&largest, place, channel), most(near(image, range(row, 6), range(column, 9), channel)));
    }
    let mut bins = map(size(4, 2), 0, 2, 13);
    ops::adaptive_max(&input, &mut bins);
    for (place @ (image, row, column), channel) in all(&bins) {
        let bin = |at: usize, bins: usize, of: usize| at * of / bins..((at + 1) * of).div_ceil(bins);
        assert_eq!(got(&bins, place, channel), most(near(image, bin(row, 4, 6), bin(column, 2, 9), channel)));
    }
    for kernels in T::all() {
        let mut gated = map(size(6, 9), 1, 2, 14);
        let (before, gates) = (map(size(6, 9), 1, 2, 14), map(size(6, 9), 0, 2, 15));
        ops::gate(kernels, &mut gated, &gates);
        for (place, channel) in all(&gated) {
            let expected = got(&before, place, channel) / (1.0 + (-got(&gates, place, channel)).exp());
            assert!((got(&gated, place, channel) - expected).abs() < bound);
        }
    }
}
