//! Pictures: decoded, oriented, and preprocessed as the model expects.

use earmark::decode::{ImageLimits, Rotation, read_image};
use earmark::preprocess::image::{RESOLUTION, normalised_planes};

/// The numbers of a float32 `.npy` file in C order.
fn read_npy(path: &std::path::Path) -> Vec<f32> {
    let bytes = std::fs::read(path).unwrap();
    assert!(bytes.starts_with(b"\x93NUMPY\x01"), "{} is no npy file of version 1", path.display());
    let header_end = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = std::str::from_utf8(&bytes[10..header_end]).unwrap();
    assert!(header.contains("'<f4'") && header.contains("'fortran_order': False"), "{header}");
    bytes[header_end..].as_chunks().0.iter().copied().map(f32::from_le_bytes).collect()
}

#[test]
fn demo_pictures_match_the_references_planes() {
    // Half of the values are equal to the last bit; none is further off than this.
    const BOUND: f32 = 1e-5;
    let golden = read_npy(&crate::shared("audioclip/inputs/images_demo.npy"));
    let names = ["cars_1", "cars_2", "cat_1", "cat_2"];
    let planes = golden.chunks_exact(golden.len() / names.len());
    for (name, expected) in names.iter().zip(planes) {
        let path = crate::shared(&format!("media/demo/{name}.jpg"));
        let decoded = read_image(&path, &ImageLimits::default(), Rotation::AsStored).unwrap();
        assert_eq!(decoded.damage, None);
        let found = normalised_planes(&decoded.image, RESOLUTION);
        assert_eq!(found.len(), expected.len());
        let worst = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst <= BOUND, "{name}: largest difference {worst:e}, at most {BOUND:e} is allowed");
    }
}
