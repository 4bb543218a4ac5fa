//! The orientation that cameras write, in every format that can carry it.

use earmark::decode::{ImageLimits, Rotation, decode_image};

use super::{decode, distance, fixture, pixel};

/// The colours of the scene, in blocks of 8 by 8 pixels.
const SCENE: [[[u8; 3]; 3]; 2] = [[[230, 30, 30], [30, 200, 30], [30, 30, 220]], [[240; 3], [20; 3], [128; 3]]];

#[track_caller]
fn check_upright(name: &str) {
    let image = decode(&fixture(name)).unwrap().image;
    assert_eq!((image.width, image.height), (24, 16), "{name}");
    for (y, row) in SCENE.iter().enumerate() {
        for (x, expected) in row.iter().enumerate() {
            for (dx, dy) in [(0, 0), (7, 7)] {
                let found = pixel(&image, 8 * x + dx, 8 * y + dy);
                assert!(distance(found, *expected) <= 6, "{name} at {x},{y}: {found:?} for {expected:?}");
            }
        }
    }
}

#[test]
fn all_eight_values_come_out_upright() {
    for value in 1..=8 {
        check_upright(&format!("orientation_{value}.jpg"));
    }
}

#[test]
fn every_format_that_carries_the_tag_is_turned() {
    for name in ["orientation_6.png", "orientation_6.webp", "orientation_6.tif"] {
        check_upright(name);
    }
}

#[test]
fn pixels_can_be_left_as_stored() {
    let bytes = fixture("orientation_6.jpg");
    let stored = decode_image(&bytes, &ImageLimits::default(), Rotation::AsStored).unwrap().image;
    assert_eq!((stored.width, stored.height), (16, 24));
    // Turned clockwise, the stored bottom left becomes the top left.
    assert!(distance(pixel(&stored, 0, 23), SCENE[0][0]) <= 6);
    assert!(distance(pixel(&stored, 0, 0), SCENE[0][2]) <= 6);
}
