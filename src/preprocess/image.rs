//! Pictures to what the visual tower takes: resized, cropped square, normalised planes.
//!
//! Owns the model's image transform (AudioCLIP's demo and trainer): bicubic resizing of the float picture *without*
//! antialiasing, as torchvision did when the model was trained, then a centre crop. It is not what image libraries call
//! bicubic, which antialias and convolve with another kernel.
//! Invariant: time and memory depend on the output only. Just the crop is computed, and of it just the pixels that the
//! kernel touches.
//! Does not know files, orientation nor the model.

use crate::media::RgbImage;

/// Width and height that the visual tower takes.
pub const RESOLUTION: u32 = 224;

/// Mean and standard deviation of each channel in CLIP's training data, in [0, 1].
const MEAN: [f32; 3] = [0.481_454_66, 0.457_827_5, 0.408_210_73];
const STD: [f32; 3] = [0.268_629_54, 0.261_302_6, 0.275_777_1];

/// The kernel's parameter: −0.75 in PyTorch, −0.5 in most other places.
const CUBIC_A: f32 = -0.75;

/// The picture as `[3, resolution, resolution]` planes, row-major, of CLIP-normalised values.
///
/// The shorter side is resized to `resolution`, the longer in proportion (rounded down), and the middle is cut out.
/// Values are not clamped, so the kernel's overshoots stay, as in the reference. Pictures of any shape work.
pub fn normalised_planes(image: &RgbImage, resolution: u32) -> Vec<f32> {
    let columns = crop_taps(image.width, image.height, resolution);
    let rows = crop_taps(image.height, image.width, resolution);
    let unit: [f32; 256] = std::array::from_fn(|level| level as f32 / 255.0);
    let pitch = 3 * image.width as usize;
    let plane = columns.len() * rows.len();
    let mut planes = vec![0.0; 3 * plane];
    for (y, row) in rows.iter().enumerate() {
        let source_rows = row.at.map(|at| &image.pixels[at * pitch..(at + 1) * pitch]);
        for (x, column) in columns.iter().enumerate() {
            for channel in 0..3 {
                let value_at = |pixels: &[u8], at: usize| unit[usize::from(pixels[3 * at + channel])];
                let across = source_rows.map(|pixels| column.blend(column.at.map(|at| value_at(pixels, at))));
                let value = row.blend(across);
                planes[channel * plane + y * columns.len() + x] = (value - MEAN[channel]) / STD[channel];
            }
        }
    }
    planes
}

/// The four source pixels of one output pixel along one axis.
struct Taps {
    /// Positions in the source. Beyond its edges the edge is repeated.
    at: [usize; 4],
    weight: [f32; 4],
}

impl Taps {
    fn blend(&self, values: [f32; 4]) -> f32 {
        let [a, b, c, d] = self.weight;
        values[0] * a + values[1] * b + values[2] * c + values[3] * d
    }
}

/// The taps of the crop along the axis of `length` pixels in a picture whose other axis has `other` pixels.
fn crop_taps(length: u32, other: u32, resolution: u32) -> Vec<Taps> {
    let resized = resized_length(length, other, resolution);
    // Half rounds up, as torchvision 0.8 did; later versions round half to even.
    let offset = (resized - u64::from(resolution)).div_ceil(2);
    (offset..offset + u64::from(resolution)).map(|to| taps(to, length, resized)).collect()
}

/// What the axis of `length` pixels has after the shorter one became `resolution`: exact, in proportion, rounded down.
fn resized_length(length: u32, other: u32, resolution: u32) -> u64 {
    if length <= other { u64::from(resolution) } else { u64::from(resolution) * u64::from(length) / u64::from(other) }
}

/// The taps of output pixel `to` when `length` pixels become `resized`, pixel centres aligned.
///
/// In f32 and in this order, because the reference computes positions so: the planes come out identical but for a few
/// last bits (4e-6 at most on the golden pictures), where f64 would differ by up to 1.7e-4.
#[expect(clippy::cast_sign_loss, reason = "the cast saturates: positions before the first pixel become the first")]
fn taps(to: u64, length: u32, resized: u64) -> Taps {
    let scale = length as f32 / resized as f32;
    let from = scale * (to as f32 + 0.5) - 0.5;
    let first = from.floor();
    let t = from - first;
    let last = length as usize - 1;
    Taps {
        at: [-1.0, 0.0, 1.0, 2.0].map(|step| ((first + step) as usize).min(last)),
        weight: [outer(t + 1.0), inner(t), inner(1.0 - t), outer(2.0 - t)],
    }
}

/// The cubic convolution kernel at distances up to 1 (Keys 1981, equation 4, for any parameter).
fn inner(d: f32) -> f32 {
    ((CUBIC_A + 2.0) * d - (CUBIC_A + 3.0)) * d * d + 1.0
}

/// The cubic convolution kernel at distances from 1 to 2.
fn outer(d: f32) -> f32 {
    ((CUBIC_A * d - 5.0 * CUBIC_A) * d + 8.0 * CUBIC_A) * d - 4.0 * CUBIC_A
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: u32, height: u32, pixel: impl Fn(u32, u32) -> [u8; 3]) -> RgbImage {
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).flat_map(|(x, y)| pixel(x, y)).collect();
        RgbImage { width, height, pixels }
    }

    /// The level that a normalised value stands for.
    fn level(value: f32, channel: usize) -> f32 {
        (value * STD[channel] + MEAN[channel]) * 255.0
    }

    #[test]
    fn the_longer_side_is_rounded_down() {
        #[track_caller]
        fn check(length: u32, other: u32, expected: u64) {
            assert_eq!(resized_length(length, other, RESOLUTION), expected);
        }
        check(224, 224, 224);
        check(500, 375, 298);
        check(375, 500, 224);
        check(100_000, 1, 22_400_000);
        check(1, 100_000, 224);
        check(u32::MAX, 1, 224 * u64::from(u32::MAX));
    }

    #[test]
    fn taps_stay_inside_where_positions_are_inexact() {
        for (length, other) in [(1, 1), (1, u32::MAX), (16_777_219, 1), (u32::MAX, 1), (u32::MAX, u32::MAX)] {
            for taps in crop_taps(length, other, RESOLUTION) {
                assert!(taps.at.iter().all(|at| *at < length as usize), "{length} by {other}: {:?}", taps.at);
            }
        }
    }

    #[test]
    fn a_half_pixel_of_crop_offset_rounds_up() {
        /// First output pixel of the crop, recovered from the position of its taps at scale 1.
        #[track_caller]
        fn check(length: u32, expected: usize) {
            assert_eq!(crop_taps(length, 224, 224)[0].at[1], expected);
        }
        check(224, 0);
        check(225, 1);
        check(226, 1);
        check(365, 71);
    }

    #[test]
    fn weights_are_those_of_the_kernel() {
        // One pixel of two made of four: t = 0.5, and the textbook weights for a = −0.75.
        let halfway = taps(0, 4, 2);
        assert_eq!(halfway.at, [0, 0, 1, 2]);
        assert_eq!(halfway.weight, [-0.09375, 0.59375, 0.59375, -0.09375]);
        for to in 0..224 {
            let sum: f32 = taps(to, 1000, 224).weight.iter().sum();
            assert!((sum - 1.0).abs() < 1e-6, "{sum}");
        }
    }

    #[test]
    fn a_picture_of_the_models_size_is_only_normalised() {
        let image = picture(224, 224, |x, y| [x as u8, y as u8, (x * y % 256) as u8]);
        let planes = normalised_planes(&image, 224);
        assert_eq!(planes.len(), 3 * 224 * 224);
        for (at, value) in planes.iter().enumerate() {
            let (channel, pixel) = (at / (224 * 224), at % (224 * 224));
            let expected = (f32::from(image.pixels[3 * pixel + channel]) / 255.0 - MEAN[channel]) / STD[channel];
            assert_eq!(*value, expected);
        }
    }

    #[test]
    fn flat_pictures_of_any_shape_stay_flat() {
        for (width, height) in [(1, 1), (1, 100_000), (100_000, 1), (3, 2), (223, 225), (640, 480), (7, 4001)] {
            let planes = normalised_planes(&picture(width, height, |_, _| [10, 100, 250]), 224);
            for (at, value) in planes.iter().enumerate() {
                let found = level(*value, at / (224 * 224));
                let expected = [10.0, 100.0, 250.0][at / (224 * 224)];
                assert!((found - expected).abs() < 1e-3, "{width}x{height}: {found} for {expected}");
            }
        }
    }

    #[test]
    fn the_middle_is_kept() {
        // Left, middle and right thirds of a 3:1 picture: only the middle one is seen, but for the kernel's reach.
        let image = picture(672, 224, |x, _| [[255, 0, 0], [0, 255, 0], [0, 0, 255]][(x / 224) as usize]);
        let planes = normalised_planes(&image, 224);
        let (red, rest) = planes.split_at(224 * 224);
        let (green, blue) = rest.split_at(224 * 224);
        assert!(green.iter().all(|v| (level(*v, 1) - 255.0).abs() < 1e-3));
        assert!(red.iter().all(|v| level(*v, 0).abs() < 1e-3));
        assert!(blue.iter().all(|v| level(*v, 2).abs() < 1e-3));
    }

    #[test]
    fn a_resolution_of_nothing_is_nothing() {
        assert!(normalised_planes(&picture(5, 4, |_, _| [0; 3]), 0).is_empty());
    }
}
