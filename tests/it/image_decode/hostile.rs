//! Files that claim too much, end early, or are no pictures at all. None may cost more than an error.

use earmark::decode::{DecodeError, ImageLimits, Rotation, decode_image, read_image};

use super::{decode, fixture, fixture_path, fixtures};

/// Checks that the size in the header is refused for what it is.
#[track_caller]
fn check_too_large(bytes: &[u8], pixels: u64) {
    match decode(bytes) {
        Err(DecodeError::TooLarge { what: "width times height", actual, limit, key }) => {
            assert_eq!((actual, limit, key), (pixels, ImageLimits::default().pixels, "limits.image.pixels"));
        }
        other => panic!("got {other:?}"),
    }
}

#[test]
fn absurd_sizes_are_refused_from_the_header() {
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut header = b"IHDR\0\0\xea\x60\0\0\xea\x60\x08\x02\0\0\0".to_vec();
    header.extend(crc32(&header).to_be_bytes());
    png.extend(13_u32.to_be_bytes());
    png.extend(header);
    png.extend(b"\0\0\0\x04IDAT\x78\x9c\x63\x60");
    png.extend(crc32(b"IDAT\x78\x9c\x63\x60").to_be_bytes());
    check_too_large(&png, 60_000 * 60_000);

    for name in ["420.jpg", "420_progressive.jpg"] {
        let mut jpeg = fixture(name);
        let frame = jpeg.windows(2).position(|pair| matches!(pair, [0xff, 0xc0 | 0xc2])).unwrap();
        jpeg[frame + 5..frame + 9].copy_from_slice(&[0xff, 0xdc, 0xff, 0xdc]);
        check_too_large(&jpeg, 65_500 * 65_500);
    }

    let mut gif = fixture("animation.gif");
    gif[6..10].fill(0xff);
    check_too_large(&gif, 65_535 * 65_535);

    let mut bmp = fixture("palette.bmp");
    bmp[18..26].copy_from_slice(b"\x60\xea\0\0\x60\xea\0\0");
    check_too_large(&bmp, 60_000 * 60_000);

    check_too_large(&tiff_of_size(60_000), 60_000 * 60_000);
}

#[test]
fn absurd_webp_sizes_are_refused_wherever_they_stand() {
    // A canvas of 2^16 by 2^12: the sizes in the extended header are 24 bits, less one.
    check_too_large(&webp(&[b"VP8X\x0a\0\0\0\0\0\0\0\xff\xff\0\xff\x0f\0", b"VP8L\0\0\0\0"]), 1 << 28);
    check_too_large(&webp(&[b"VP8L\x05\0\0\0\x2f\xfe\xbf\xff\x0f\0"]), 16_383 * 16_383);
    let lossy = b"VP8 \x0a\0\0\0\x10\0\0\x9d\x01\x2a\xff\x3f\xff\x3f";
    check_too_large(&webp(&[lossy]), 16_383 * 16_383);
    // A small canvas around a large bitstream, which the decoder would decode before it compares the two.
    check_too_large(&webp(&[b"VP8X\x0a\0\0\0\0\0\0\0\x07\0\0\x07\0\0", lossy]), 16_383 * 16_383);
}

/// A WebP file of the given chunks.
fn webp(chunks: &[&[u8]]) -> Vec<u8> {
    let body = chunks.concat();
    let mut file = b"RIFF".to_vec();
    file.extend(u32::try_from(body.len() + 4).unwrap().to_le_bytes());
    file.extend(b"WEBP");
    file.extend(body);
    file
}

/// A grey TIFF file of `side` by `side` pixels in one strip that is not there.
fn tiff_of_size(side: u32) -> Vec<u8> {
    let entries = [(256, side), (257, side), (258, 8), (262, 1), (273, 200), (277, 1), (278, side), (279, 100)];
    let mut tiff = b"II*\0\x08\0\0\0\x08\0".to_vec();
    for (tag, value) in entries {
        tiff.extend(u16::to_le_bytes(tag));
        tiff.extend(b"\x04\0\x01\0\0\0");
        tiff.extend(u32::to_le_bytes(value));
    }
    tiff.extend([0; 4]);
    tiff
}

/// The checksum of PNG chunks (PNG specification, annex D).
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

#[test]
fn many_bytes_a_pixel_count_too() {
    // 16 bytes a pixel where 8 are allowed for each of at most four pixels.
    let samples = vec![0_u8; 3 * 16];
    let mut file = std::io::Cursor::new(Vec::new());
    let encoder = image::codecs::tiff::TiffEncoder::new(&mut file);
    image::ImageEncoder::write_image(encoder, &samples, 3, 1, image::ExtendedColorType::Rgba32F).unwrap();
    let limits = ImageLimits { pixels: 4, ..ImageLimits::default() };
    let error = decode_image(file.get_ref(), &limits, Rotation::Upright).unwrap_err();
    assert!(matches!(error, DecodeError::TooLarge { actual: 48, limit: 32, .. }), "{error}");
}

#[test]
fn a_frame_far_beyond_its_canvas_is_refused() {
    let mut gif = fixture("offset_frame.gif");
    let frame = gif.windows(9).position(|window| window == b"\x2c\x02\0\x01\0\x04\0\x01\0").unwrap();
    gif[frame + 5..frame + 9].fill(0xff);
    assert!(matches!(decode(&gif), Err(DecodeError::Damaged { format: "gif", .. })));
}

#[test]
fn the_size_on_disk_is_limited() {
    let path = fixture_path("420.jpg");
    let size = std::fs::metadata(&path).unwrap().len();
    let exact = ImageLimits { file_bytes: size, ..ImageLimits::default() };
    assert!(read_image(&path, &exact, Rotation::Upright).is_ok());
    let less = ImageLimits { file_bytes: size - 1, ..exact };
    let error = read_image(&path, &less, Rotation::Upright).unwrap_err().to_string();
    let expected = format!(
        "too large: file size in bytes is {size}, the limit is {} (raise limits.image.file_bytes in the configuration)",
        size - 1
    );
    assert_eq!(error, expected);
}

#[test]
fn what_is_no_file_is_not_opened() {
    #[track_caller]
    fn check(path: &std::path::Path) {
        let error = read_image(path, &ImageLimits::default(), Rotation::Upright).unwrap_err();
        assert!(matches!(error, DecodeError::Io(_)), "{error}");
    }
    let folder = tempfile::tempdir().unwrap();
    check(folder.path());
    check(&folder.path().join("absent.jpg"));
    #[cfg(unix)]
    check(std::path::Path::new("/dev/zero"));
}

#[test]
fn no_content_and_foreign_content() {
    assert!(matches!(decode(b""), Err(DecodeError::Empty("data"))));
    for bytes in [&b"x"[..], b"plain text, not a picture", b"%PDF-1.7", b"<svg/>", b"RIFF\0\0\0\0WAVEfmt "] {
        assert!(matches!(decode(bytes), Err(DecodeError::Unsupported { .. })), "{bytes:?}");
    }
}

#[test]
fn names_do_not_matter() {
    let folder = tempfile::tempdir().unwrap();
    for (fixture_name, name, format) in [
        ("orientation_6.png", "picture.jpg", "png"),
        ("420.jpg", "picture.tif", "jpeg"),
        ("alpha.webp", "none", "webp"),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, fixture(fixture_name)).unwrap();
        let found = read_image(&path, &ImageLimits::default(), Rotation::Upright).unwrap();
        assert_eq!(found.format, format);
    }
}

/// Small enough that a size made up by a mutation costs little.
const SMALL: ImageLimits = ImageLimits { file_bytes: 1 << 20, pixels: 1 << 16 };

/// Decodes whatever it is given. What comes out is a picture of the size it says, or an error in which no decoder
/// panicked.
#[track_caller]
fn survive(name: &str, bytes: &[u8]) {
    match decode_image(bytes, &SMALL, Rotation::Upright) {
        Ok(found) => {
            let area = found.image.width as usize * found.image.height as usize;
            assert!(area > 0 && found.image.pixels.len() == 3 * area, "{name}");
        }
        Err(error) => assert!(!error.to_string().contains("panicked"), "{name}: {error} on {bytes:?}"),
    }
}

#[test]
fn every_file_survives_every_truncation() {
    for (name, bytes) in fixtures() {
        for length in 0..bytes.len() {
            survive(&name, &bytes[..length]);
        }
    }
}

/// xorshift64: the same numbers in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }

    fn byte(&mut self) -> u8 {
        self.below(256) as u8
    }
}

#[test]
fn random_bytes_are_survived() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let signatures: [&[u8]; 7] =
        [b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\x80\0\0\0WEBPVP8X", b"II*\0\x08\0\0\0", b"BM"];
    for case in 0..2_000 {
        let mut bytes = signatures[case % signatures.len()].to_vec();
        let length = random.below(300);
        bytes.extend((0..length).map(|_| random.byte()));
        survive("random bytes", &bytes);
    }
}

#[test]
fn mutations_are_survived() {
    let files = fixtures();
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    for case in 0..6_000 {
        let (name, original) = &files[case % files.len()];
        let mut bytes = original.clone();
        for _ in 0..=random.below(4) {
            let at = random.below(bytes.len());
            match random.below(5) {
                0 => bytes[at] ^= 1 << random.below(8),
                1 => bytes[at] = random.byte(),
                2 => bytes[at] = [0x00, 0x7f, 0x80, 0xff][random.below(4)],
                3 => bytes.truncate(at.max(1)),
                _ => bytes.insert(at, random.byte()),
            }
        }
        survive(name, &bytes);
    }
}
