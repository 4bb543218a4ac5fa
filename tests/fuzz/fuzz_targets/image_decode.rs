//! Picture files of any format, down to the planes that the model takes.
#![no_main]

#[path = "../panics.rs"]
mod panics;

use earmark::decode::{ImageLimits, Rotation, decode_image};
use earmark::preprocess::image::normalised_planes;
use libfuzzer_sys::fuzz_target;

const LIMITS: ImageLimits = ImageLimits { file_bytes: 1 << 20, pixels: 1 << 18 };
/// Small for speed; the arithmetic is that of any other.
const RESOLUTION: u32 = 16;

fuzz_target!(init: panics::end_the_run_on_ours(), |input: &[u8]| {
    let Ok(decoded) = decode_image(input, &LIMITS, Rotation::Upright) else { return };
    let image = decoded.image;
    let pixels = u64::from(image.width) * u64::from(image.height);
    assert!((1..=LIMITS.pixels).contains(&pixels));
    assert_eq!(image.pixels.len() as u64, 3 * pixels);
    let planes = normalised_planes(&image, RESOLUTION);
    assert_eq!(planes.len(), 3 * (RESOLUTION * RESOLUTION) as usize);
    assert!(planes.iter().all(|value| value.is_finite()));
});
