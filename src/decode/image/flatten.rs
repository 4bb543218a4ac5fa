//! Samples of any depth and colour model to opaque 8-bit RGB.
//!
//! Owns the arithmetic: 16 bits become 8 by v/257, rounded (65535 = 255 · 257, so both ends are exact); transparency is
//! composited over white at the depth of the source and rounded once, at the end; floats are clamped to [0, 1] and
//! scaled by 255, NaN is 0. Every rounding is to nearest.
//! Knows no file formats. Samples are in the machine's byte order, as `image` hands them out.

use image::ColorType;

/// How colours with an alpha channel are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alpha {
    /// Colours are independent of alpha.
    Straight,
    /// Colours have been multiplied by alpha, so they are what the picture adds to its background.
    Premultiplied,
}

/// 8-bit RGB of samples of the given type; nothing for a type that is not known.
pub(super) fn to_rgb(samples: Vec<u8>, color: ColorType, alpha: Alpha) -> Option<Vec<u8>> {
    let over8 = |c: u8, a: u8| over_white::<255>(c.into(), a.into(), alpha);
    let over16 = |c: u16, a: u16| over_white::<65535>(c.into(), a.into(), alpha);
    let over_f32 = |c: f32, a: f32| match alpha {
        Alpha::Straight => unit_to_u8(c.clamp(0.0, 1.0) * a.clamp(0.0, 1.0) + 1.0 - a.clamp(0.0, 1.0)),
        Alpha::Premultiplied => unit_to_u8(c + 1.0 - a.clamp(0.0, 1.0)),
    };
    Some(match color {
        ColorType::Rgb8 => samples,
        ColorType::L8 => map_pixels(samples, |&[l]| [l; 3]),
        ColorType::La8 => map_pixels(samples, |&[l, a]| [over8(l, a); 3]),
        ColorType::Rgba8 => map_pixels(samples, |&[r, g, b, a]| [over8(r, a), over8(g, a), over8(b, a)]),
        ColorType::L16 => map_pixels(samples, |pixel: &[u8; 2]| {
            let [l] = shorts(pixel);
            [over16(l, u16::MAX); 3]
        }),
        ColorType::La16 => map_pixels(samples, |pixel: &[u8; 4]| {
            let [l, a] = shorts(pixel);
            [over16(l, a); 3]
        }),
        ColorType::Rgb16 => map_pixels(samples, |pixel: &[u8; 6]| shorts::<3>(pixel).map(|c| over16(c, u16::MAX))),
        ColorType::Rgba16 => map_pixels(samples, |pixel: &[u8; 8]| {
            let [r, g, b, a] = shorts(pixel);
            [r, g, b].map(|c| over16(c, a))
        }),
        ColorType::Rgb32F => map_pixels(samples, |pixel: &[u8; 12]| floats::<3>(pixel).map(unit_to_u8)),
        ColorType::Rgba32F => map_pixels(samples, |pixel: &[u8; 16]| {
            let [r, g, b, a] = floats(pixel);
            [r, g, b].map(|c| over_f32(c, a))
        }),
        _ => return None,
    })
}

/// 8-bit RGB of four-ink samples as JPEG stores them: (255 − c)(255 − k)/255, and so on for m and y. With `inverted`
/// the samples are 255 − c and so on already.
pub(super) fn cmyk_to_rgb(samples: Vec<u8>, inverted: bool) -> Vec<u8> {
    let paper = |ink: u8| u32::from(if inverted { ink } else { 255 - ink });
    map_pixels(samples, |&[c, m, y, k]| {
        [c, m, y].map(|ink| {
            let product = paper(ink) * paper(k);
            u8::try_from((product + 127) / 255).expect("the product of two bytes over 255 is a byte")
        })
    })
}

/// One channel of a colour of `MAX` levels composited over white, as one of 255 levels.
fn over_white<const MAX: u64>(color: u64, alpha: u64, kind: Alpha) -> u8 {
    let seen = match kind {
        Alpha::Straight => color * alpha + MAX * (MAX - alpha),
        Alpha::Premultiplied => MAX * (color + MAX - alpha).min(MAX),
    };
    u8::try_from((seen * 255 + MAX * MAX / 2) / (MAX * MAX)).expect("the sum of both weights is MAX")
}

#[expect(clippy::cast_sign_loss, reason = "the cast saturates, and takes NaN to 0")]
fn unit_to_u8(value: f32) -> u8 {
    (value * 255.0).round() as u8
}

fn shorts<const N: usize>(pixel: &[u8]) -> [u16; N] {
    std::array::from_fn(|i| u16::from_ne_bytes([pixel[2 * i], pixel[2 * i + 1]]))
}

fn floats<const N: usize>(pixel: &[u8]) -> [f32; N] {
    std::array::from_fn(|i| f32::from_ne_bytes(std::array::from_fn(|byte| pixel[4 * i + byte])))
}

/// Converts pixels of `N` bytes to RGB, in place where RGB is not larger, so that a big picture is held once.
fn map_pixels<const N: usize>(mut samples: Vec<u8>, convert: impl Fn(&[u8; N]) -> [u8; 3]) -> Vec<u8> {
    if N < 3 {
        let mut pixels = Vec::with_capacity(samples.len() / N * 3);
        for pixel in samples.as_chunks::<N>().0 {
            pixels.extend_from_slice(&convert(pixel));
        }
        return pixels;
    }
    let count = samples.len() / N;
    for i in 0..count {
        let pixel = samples[N * i..].first_chunk::<N>().expect("count pixels of N bytes are there");
        let rgb = convert(pixel);
        samples[3 * i..3 * i + 3].copy_from_slice(&rgb);
    }
    samples.truncate(3 * count);
    samples.shrink_to_fit();
    samples
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes16(samples: &[u16]) -> Vec<u8> {
        samples.iter().flat_map(|v| v.to_ne_bytes()).collect()
    }

    fn bytes32(samples: &[f32]) -> Vec<u8> {
        samples.iter().flat_map(|v| v.to_ne_bytes()).collect()
    }

    #[track_caller]
    fn check(samples: Vec<u8>, color: ColorType, alpha: Alpha, expected: &[u8]) {
        assert_eq!(to_rgb(samples, color, alpha).as_deref(), Some(expected), "{color:?} {alpha:?}");
    }

    #[test]
    fn depths_and_models_become_rgb() {
        let straight = Alpha::Straight;
        check(vec![1, 2, 3, 4, 5, 6], ColorType::Rgb8, straight, &[1, 2, 3, 4, 5, 6]);
        check(vec![7, 255], ColorType::L8, straight, &[7, 7, 7, 255, 255, 255]);
        // 128/257 = 0.498 and 129/257 = 0.502.
        check(bytes16(&[128, 129]), ColorType::L16, straight, &[0, 0, 0, 1, 1, 1]);
        check(bytes16(&[0, 0x8080, 0xffff]), ColorType::Rgb16, straight, &[0, 128, 255]);
        check(bytes32(&[-1.0, 0.5, 7.0]), ColorType::Rgb32F, straight, &[0, 128, 255]);
        check(bytes32(&[f32::NAN, f32::INFINITY, f32::NEG_INFINITY]), ColorType::Rgb32F, straight, &[0, 255, 0]);
    }

    #[test]
    fn transparency_shows_white() {
        let straight = Alpha::Straight;
        check(vec![10, 0, 10, 255], ColorType::La8, straight, &[255, 255, 255, 10, 10, 10]);
        check(vec![0, 100, 255, 128], ColorType::Rgba8, straight, &[127, 177, 255]);
        check(bytes16(&[0, 0x8080]), ColorType::La16, straight, &[127; 3]);
        check(bytes16(&[0, 0xffff, 5, 0]), ColorType::Rgba16, straight, &[255; 3]);
        check(bytes32(&[0.0, 1.0, 9.0, 0.5]), ColorType::Rgba32F, straight, &[128, 255, 255]);
    }

    #[test]
    fn premultiplied_colours_are_added_to_the_white_that_shows() {
        let premultiplied = Alpha::Premultiplied;
        // The straight colour (0, 100, 255) at alpha 128 is stored as (0, 50, 128).
        check(vec![0, 50, 128, 128], ColorType::Rgba8, premultiplied, &[127, 177, 255]);
        // A colour brighter than its alpha allows saturates.
        check(vec![255, 255, 255, 0], ColorType::Rgba8, premultiplied, &[255; 3]);
        check(bytes16(&[0, 0x4040, 0x8080, 0x8080]), ColorType::Rgba16, premultiplied, &[127, 191, 255]);
        check(bytes32(&[0.0, 0.25, 0.5, 0.5]), ColorType::Rgba32F, premultiplied, &[128, 191, 255]);
    }

    #[test]
    fn sixteen_bits_round_to_nearest_everywhere() {
        let levels: Vec<u16> = (0..=u16::MAX).collect();
        let found = to_rgb(bytes16(&levels), ColorType::L16, Alpha::Straight).unwrap();
        for (level, rgb) in levels.iter().zip(found.chunks_exact(3)) {
            assert_eq!(f64::from(rgb[0]), (f64::from(*level) / 257.0).round());
        }
    }

    #[test]
    fn inks_darken() {
        let inks = vec![0, 0, 0, 0, 255, 0, 0, 0, 0, 128, 255, 128, 7, 7, 7, 255];
        let expected = [255, 255, 255, 0, 255, 255, 127, 63, 0, 0, 0, 0];
        assert_eq!(cmyk_to_rgb(inks.clone(), false), expected);
        assert_eq!(cmyk_to_rgb(inks.iter().map(|ink| 255 - ink).collect(), true), expected);
    }
}
