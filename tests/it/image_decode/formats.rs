//! Every format but JPEG, every depth and colour model that each can hold.

use std::io::Cursor;

use image::{ColorType, ImageEncoder, ImageFormat};

use super::{decode, fixture};

const RED: [u8; 3] = [255, 0, 0];
const GREEN: [u8; 3] = [0, 255, 0];
const BLUE: [u8; 3] = [0, 0, 255];
const NEARLY_BLACK: [u8; 3] = [9; 3];
const WHITE: [u8; 3] = [255; 3];
const BLACK: [u8; 3] = [0; 3];

/// Checks format, width and all pixels.
#[track_caller]
fn check(bytes: &[u8], format: &str, width: usize, expected: &[[u8; 3]]) {
    let found = decode(bytes).unwrap();
    assert_eq!(found.format, format);
    assert_eq!(found.damage, None);
    assert_eq!(found.image.width as usize, width);
    assert_eq!(found.image.height as usize, expected.len() / width);
    assert_eq!(found.image.pixels.as_chunks::<3>().0, expected);
}

/// A file of one row, made by `image`'s own encoder.
fn encode(samples: &[u8], color: ColorType, format: ImageFormat) -> Vec<u8> {
    let width = u32::try_from(samples.len()).unwrap() / u32::from(color.bytes_per_pixel());
    let mut file = Cursor::new(Vec::new());
    let color = color.into();
    match format {
        ImageFormat::Png => image::codecs::png::PngEncoder::new(&mut file).write_image(samples, width, 1, color),
        ImageFormat::Tiff => image::codecs::tiff::TiffEncoder::new(&mut file).write_image(samples, width, 1, color),
        ImageFormat::Bmp => image::codecs::bmp::BmpEncoder::new(&mut file).write_image(samples, width, 1, color),
        ImageFormat::WebP => {
            image::codecs::webp::WebPEncoder::new_lossless(&mut file).write_image(samples, width, 1, color)
        }
        _ => unreachable!("no test asks for {format:?}"),
    }
    .unwrap();
    file.into_inner()
}

fn shorts(samples: &[u16]) -> Vec<u8> {
    samples.iter().flat_map(|v| v.to_ne_bytes()).collect()
}

fn floats(samples: &[f32]) -> Vec<u8> {
    samples.iter().flat_map(|v| v.to_ne_bytes()).collect()
}

#[test]
fn palettes() {
    let pale_blue = [127, 127, 255];
    check(&fixture("palette_alpha.png"), "png", 4, &[RED, GREEN, pale_blue, WHITE]);
    check(&fixture("palette.bmp"), "bmp", 4, &[RED, GREEN, BLUE, NEARLY_BLACK]);
    check(&fixture("transparent.gif"), "gif", 4, &[RED, GREEN, BLUE, WHITE]);
    let error = decode(&fixture("palette.tif")).unwrap_err().to_string();
    assert!(error.starts_with("not a known picture format:"), "{error}");
}

#[test]
fn one_bit_pictures() {
    let expected = [0, 1, 0, 0, 1, 1, 0, 1, 0, 1].map(|bit| [255 * bit; 3]);
    check(&fixture("one_bit.png"), "png", 10, &expected);
    check(&fixture("one_bit.tif"), "tiff", 10, &expected);
}

#[test]
fn eight_bits() {
    use ColorType::{L8, La8, Rgb8, Rgba8};
    use ImageFormat::{Bmp, Png, Tiff, WebP};
    for (format, name) in [(Png, "png"), (Tiff, "tiff"), (Bmp, "bmp"), (WebP, "webp")] {
        check(&encode(&[1, 2, 3, 4, 5, 6], Rgb8, format), name, 2, &[[1, 2, 3], [4, 5, 6]]);
        check(&encode(&[0, 100, 255, 128, 1, 2, 3, 255], Rgba8, format), name, 2, &[[127, 177, 255], [1, 2, 3]]);
        check(&encode(&[7, 255], L8, format), name, 2, &[[7; 3], WHITE]);
    }
    for (format, name) in [(Png, "png"), (WebP, "webp")] {
        check(&encode(&[10, 0, 10, 255], La8, format), name, 2, &[WHITE, [10; 3]]);
    }
}

#[test]
fn sixteen_bits() {
    use ColorType::{L16, La16, Rgb16, Rgba16};
    use ImageFormat::{Png, Tiff};
    let grey = [BLACK, BLACK, [1; 3], WHITE];
    for (format, name) in [(Png, "png"), (Tiff, "tiff")] {
        check(&encode(&shorts(&[0, 128, 129, 65535]), L16, format), name, 4, &grey);
        check(&encode(&shorts(&[0, 0x8080, 0xffff]), Rgb16, format), name, 1, &[[0, 128, 255]]);
        check(&encode(&shorts(&[0, 0xffff, 5, 0x8080]), Rgba16, format), name, 1, &[[127, 255, 127]]);
    }
    check(&encode(&shorts(&[0, 0x8080]), La16, Png), "png", 1, &[[127; 3]]);
    check(&fixture("grey_16_bit.tif"), "tiff", 4, &grey);
}

#[test]
fn floating_point_is_clamped() {
    let tiff = encode(&floats(&[-1.0, 0.5, 7.0, f32::NAN, 1.0, 0.0]), ColorType::Rgb32F, ImageFormat::Tiff);
    check(&tiff, "tiff", 2, &[[0, 128, 255], [0, 255, 0]]);
    let tiff = encode(&floats(&[0.0, 1.0, 9.0, 0.5]), ColorType::Rgba32F, ImageFormat::Tiff);
    check(&tiff, "tiff", 1, &[[128, 255, 255]]);
}

#[test]
fn inks() {
    // 127 would be exact for the last; the TIFF decoder converts inks itself and rounds down twice.
    check(&fixture("cmyk.tif"), "tiff", 2, &[[0, 255, 255], BLACK, WHITE, [126, 126, 0]]);
}

#[test]
fn alpha_in_tiff_is_straight_or_premultiplied_as_its_tag_says() {
    const STRAIGHT: &[u8] = b"\x52\x01\x03\x00\x01\x00\x00\x00\x02\x00";
    let mut tiff = fixture("alpha.tif");
    check(&tiff, "tiff", 2, &[[127, 152, 191], [1, 2, 3]]);
    let tag = tiff.windows(STRAIGHT.len()).position(|window| window == STRAIGHT).unwrap();
    tiff[tag + 8] = 1;
    check(&tiff, "tiff", 2, &[[127, 177, 255], [1, 2, 3]]);
}

#[test]
fn alpha_elsewhere() {
    check(&fixture("alpha.webp"), "webp", 2, &[[127, 152, 191], [1, 2, 3]]);
    // A bitmap of 32 bits that declares no alpha has none.
    check(&fixture("alpha.bmp"), "bmp", 2, &[[0, 50, 128], [1, 2, 3]]);
    let lossy = decode(&fixture("lossy_alpha.webp")).unwrap().image;
    assert!(lossy.pixels.as_chunks().0.iter().all(|rgb| super::distance(*rgb, [227, 147, 157]) <= 3));
}

#[test]
fn the_first_frame_of_an_animation_counts() {
    let expected = [RED, GREEN, BLUE, NEARLY_BLACK];
    check(&fixture("animation.gif"), "gif", 4, &expected);
    check(&fixture("animation.webp"), "webp", 4, &expected);
    check(&fixture("animation.png"), "png", 4, &expected);
}

#[test]
fn a_frame_smaller_than_its_canvas_is_put_in_its_place() {
    let mut expected = [WHITE; 24];
    expected[10..14].copy_from_slice(&[RED, GREEN, BLUE, NEARLY_BLACK]);
    check(&fixture("offset_frame.gif"), "gif", 8, &expected);
}
