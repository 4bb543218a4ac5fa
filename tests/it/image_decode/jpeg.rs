//! JPEG: the same pixels as libjpeg-turbo gives other programs, four inks, and damage short of ruin.

use earmark::decode::DecodeError;
use sha2::{Digest, Sha256};

use super::{decode, distance, fixture, pixel};

/// Position of the first `0xff`, `marker` pair.
fn find_marker(jpeg: &[u8], marker: u8) -> usize {
    jpeg.windows(2).position(|pair| pair == [0xff, marker]).unwrap()
}

#[test]
fn pixels_are_those_that_pillow_decodes() {
    let table = String::from_utf8(fixture("pixels.sha256")).unwrap();
    assert_eq!(table.lines().count(), 12);
    for line in table.lines() {
        let (expected, name) = line.split_once("  ").unwrap();
        let found = decode(&fixture(name)).unwrap();
        assert_eq!((found.format, found.damage), ("jpeg", None), "{name}");
        let digest: String = Sha256::digest(&found.image.pixels).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digest, expected, "{name}");
    }
}

/// Checks the colours of four blocks of 8 by 8 pixels.
#[track_caller]
fn check_blocks(jpeg: &[u8], expected: [[u8; 3]; 4]) {
    let image = decode(jpeg).unwrap().image;
    for (block, expected) in expected.into_iter().enumerate() {
        let found = pixel(&image, 4 + 8 * (block % 2), 4 + 8 * (block / 2));
        assert!(distance(found, expected) <= 6, "block {block}: {found:?} for {expected:?}");
    }
}

const BLACK: [u8; 3] = [0; 3];
const INKS_AS_RGB: [[u8; 3]; 4] = [[0, 255, 255], BLACK, [255; 3], [127, 127, 0]];

#[test]
fn inks_of_adobes_convention_are_inverted() {
    check_blocks(&fixture("cmyk_adobe.jpg"), INKS_AS_RGB);
}

#[test]
fn inks_without_adobes_marker_are_taken_as_they_are() {
    let mut jpeg = fixture("cmyk_adobe.jpg");
    let adobe = find_marker(&jpeg, 0xee);
    jpeg.drain(adobe..adobe + 16);
    check_blocks(&jpeg, [BLACK, BLACK, BLACK, [0, 0, 128]]);
}

#[test]
fn inks_as_luma_and_chroma() {
    let inks: [[u8; 4]; 4] = [[0, 255, 255, 255], [255, 255, 255, 0], [255; 4], [255, 255, 0, 127]];
    let samples: Vec<u8> = (0..256).flat_map(|at| inks[at / 128 * 2 + at % 16 / 8]).collect();
    let format = turbojpeg::PixelFormat::CMYK;
    let picture = turbojpeg::Image { pixels: &samples[..], width: 16, pitch: 64, height: 16, format };
    let jpeg = turbojpeg::compress(picture, 95, turbojpeg::Subsamp::None).unwrap();
    assert_eq!(turbojpeg::read_header(&jpeg).unwrap().colorspace, turbojpeg::Colorspace::YCCK);
    check_blocks(&jpeg, INKS_AS_RGB);
}

#[test]
fn of_a_truncated_file_the_part_that_is_there_is_kept() {
    for name in ["420.jpg", "420_progressive.jpg", "cmyk_adobe.jpg"] {
        let whole = fixture(name);
        let scan = find_marker(&whole, 0xda);
        for length in 1..whole.len() - 2 {
            match decode(&whole[..length]) {
                Ok(found) => {
                    assert!(length > scan, "{name}: a picture from {length} bytes of header");
                    assert!(found.damage.is_some(), "{name}: no word of the loss at {length} bytes");
                }
                Err(DecodeError::Damaged { .. }) => {
                    assert!(length < scan + 20, "{name}: nothing of {length} bytes");
                }
                Err(DecodeError::Unsupported { .. }) => assert!(length < 3, "{name}: unrecognised at {length} bytes"),
                Err(other) => panic!("{name} at {length} bytes: {other}"),
            }
        }
    }
}

#[test]
fn what_precedes_the_cut_is_unharmed() {
    let whole = fixture("420.jpg");
    let scan = find_marker(&whole, 0xda);
    let cut = decode(&whole[..scan + (whole.len() - scan) * 3 / 4]).unwrap();
    let expected = decode(&whole).unwrap();
    let first_rows = 3 * 37 * 12;
    assert_eq!(cut.image.pixels[..first_rows], expected.image.pixels[..first_rows]);
    assert_ne!(cut.image.pixels, expected.image.pixels);
    assert!(cut.damage.unwrap().starts_with("Premature end of JPEG file"));
}

#[test]
fn oddities_in_the_header_cost_a_note_and_no_pixel() {
    #[track_caller]
    fn check(odd: &[u8], note: &str) {
        let found = decode(odd).unwrap();
        assert_eq!(found.image, decode(&fixture("420.jpg")).unwrap().image);
        let damage = found.damage.unwrap();
        assert!(damage.starts_with(note), "{damage}");
    }
    let whole = fixture("420.jpg");
    let mut garbage = whole.clone();
    let tables = find_marker(&whole, 0xdb);
    garbage.splice(tables..tables, *b"garbage");
    check(&garbage, "Corrupt JPEG data: 7 extraneous bytes");

    let mut version = whole.clone();
    let name = whole.windows(5).position(|window| window == b"JFIF\0").unwrap();
    version[name + 5] = 9;
    check(&version, "Warning: unknown JFIF revision number");
}

#[test]
fn a_file_of_endless_scans_is_refused() {
    let whole = fixture("grey_progressive.jpg");
    let scan = whole.windows(2).rposition(|pair| pair == [0xff, 0xda]).unwrap();
    let (head, last) = whole.split_at(scan);
    let last = &last[..last.len() - 2];
    let mut bomb = head.to_vec();
    for _ in 0..600 {
        bomb.extend(last);
    }
    let error = decode(&bomb).unwrap_err().to_string();
    assert_eq!(error, "damaged jpeg: Progressive JPEG image has more than 500 scans");
}

#[test]
fn twelve_bit_samples_are_not_read() {
    let mut jpeg = fixture("444.jpg");
    let frame = find_marker(&jpeg, 0xc0);
    jpeg[frame + 4] = 12;
    assert!(matches!(decode(&jpeg), Err(DecodeError::Unsupported { .. })));
}
