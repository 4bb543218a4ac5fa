//! Pictures: decoded, oriented, and preprocessed as the model expects.
//!
//! The files are in `tests/data/images`, made by `make.py` there, or encoded on the spot.

mod formats;
mod hostile;
mod jpeg;
mod orientation;

use std::path::{Path, PathBuf};

use earmark::decode::{DecodeError, DecodedImage, ImageLimits, Rotation, decode_image, read_image};
use earmark::media::RgbImage;
use earmark::preprocess::image::{RESOLUTION, normalised_planes};

fn fixture_path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/images").join(name)
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(fixture_path(name)).unwrap()
}

/// Name and content of every picture file in the folder.
fn fixtures() -> Vec<(String, Vec<u8>)> {
    let mut names: Vec<String> = std::fs::read_dir(fixture_path(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.ends_with(".py") && !name.ends_with(".sha256"))
        .collect();
    names.sort();
    assert!(names.len() > 30, "the pictures are missing");
    names.into_iter().map(|name| (name.clone(), fixture(&name))).collect()
}

fn decode(bytes: &[u8]) -> Result<DecodedImage, DecodeError> {
    decode_image(bytes, &ImageLimits::default(), Rotation::Upright)
}

fn pixel(image: &RgbImage, x: usize, y: usize) -> [u8; 3] {
    *image.pixels[3 * (y * image.width as usize + x)..].first_chunk().unwrap()
}

/// Largest difference of any channel of two colours.
fn distance(a: [u8; 3], b: [u8; 3]) -> u8 {
    a.iter().zip(b).map(|(a, b)| a.abs_diff(b)).max().unwrap()
}

/// The numbers of a float32 `.npy` file in C order.
fn read_npy(path: &Path) -> Vec<f32> {
    let bytes = std::fs::read(path).unwrap();
    assert!(bytes.starts_with(b"\x93NUMPY\x01"), "{} is no npy file of version 1", path.display());
    let header_end = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = std::str::from_utf8(&bytes[10..header_end]).unwrap();
    assert!(header.contains("'<f4'") && header.contains("'fortran_order': False"), "{header}");
    bytes[header_end..].as_chunks().0.iter().copied().map(f32::from_le_bytes).collect()
}

#[test]
fn demo_pictures_match_the_references_planes() {
    const BOUND: f32 = 1e-5;
    let golden = read_npy(&crate::shared("audioclip/inputs/images_demo.npy"));
    let names = ["cars_1", "cars_2", "cat_1", "cat_2"];
    assert_eq!(golden.len(), names.len() * 3 * 224 * 224);
    for (name, expected) in names.iter().zip(golden.chunks_exact(3 * 224 * 224)) {
        let path = crate::shared(&format!("media/demo/{name}.jpg"));
        let decoded = read_image(&path, &ImageLimits::default(), Rotation::AsStored).unwrap();
        assert_eq!(decoded.damage, None);
        let found = normalised_planes(&decoded.image, RESOLUTION);
        let worst = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst <= BOUND, "{name}: largest difference {worst:e}, at most {BOUND:e} is allowed");
    }
}
