//! Turning and mirroring pictures as the orientation tag says (EXIF 2.3, section 4.6.4 A; TIFF 6.0, tag 274).
//!
//! Owns the tag's meaning. Knows neither files nor how they hold their EXIF block.

use super::ifd::first_ifd_value;
use crate::media::RgbImage;

const ORIENTATION_TAG: u16 = 0x0112;

/// Rows and columns of the blocks that pictures are turned in: a column of the source stays in the cache while its
/// neighbours are needed.
const TILE: usize = 32;

/// The value of the tag, 1 to 8: which corner of the scene the first stored pixel shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Orientation(u32);

impl Orientation {
    /// The orientation in an EXIF block. Absent and meaningless values mean that the picture is upright as stored.
    pub(super) fn of(exif: Option<&[u8]>) -> Self {
        let value = exif.and_then(|block| first_ifd_value(block, ORIENTATION_TAG));
        Self(value.filter(|value| (1..=8).contains(value)).unwrap_or(1))
    }

    /// The upright picture.
    pub(super) fn apply(self, stored: RgbImage) -> RgbImage {
        if self.0 == 1 {
            return stored;
        }
        let (width, height) = (stored.width as usize, stored.height as usize);
        let last = width * height - 1;
        let (right, up) = (1_usize, width.wrapping_neg());
        let (left, down) = (right.wrapping_neg(), width);
        let (top_right, bottom_left) = (width - 1, last + 1 - width);
        // Where the upright picture's first pixel is stored, and the steps in there for one column and one row.
        // Steps backwards are wrapped; every position reached lies within the picture again.
        let (origin, column, row) = match self.0 {
            2 => (top_right, left, down),
            3 => (last, left, up),
            4 => (bottom_left, right, up),
            5 => (0, down, right),
            6 => (bottom_left, up, right),
            7 => (last, up, left),
            _ => (top_right, down, left),
        };
        let transposed = self.0 >= 5;
        let (out_width, out_height) = if transposed { (height, width) } else { (width, height) };
        let mut pixels = vec![0; stored.pixels.len()];
        let (source, _) = stored.pixels.as_chunks::<3>();
        let (target, _) = pixels.as_chunks_mut::<3>();
        for tile_y in (0..out_height).step_by(TILE) {
            for tile_x in (0..out_width).step_by(TILE) {
                for y in tile_y..out_height.min(tile_y + TILE) {
                    let start = y * out_width + tile_x;
                    let run = &mut target[start..start + TILE.min(out_width - tile_x)];
                    let mut from = origin.wrapping_add(tile_x.wrapping_mul(column)).wrapping_add(y.wrapping_mul(row));
                    for pixel in run {
                        *pixel = source[from];
                        from = from.wrapping_add(column);
                    }
                }
            }
        }
        let (width, height) = if transposed { (stored.height, stored.width) } else { (stored.width, stored.height) };
        RgbImage { width, height, pixels }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture whose pixels are the letters of `rows`, repeated over the channels.
    fn picture(rows: &[&str]) -> RgbImage {
        let pixels = rows.iter().flat_map(|row| row.bytes()).flat_map(|letter| [letter; 3]).collect();
        RgbImage { width: u32::try_from(rows[0].len()).unwrap(), height: u32::try_from(rows.len()).unwrap(), pixels }
    }

    #[test]
    fn each_value_turns_its_own_way() {
        #[track_caller]
        fn check(value: u32, expected: &[&str]) {
            assert_eq!(Orientation(value).apply(picture(&["abc", "def"])), picture(expected), "orientation {value}");
        }
        check(1, &["abc", "def"]);
        check(2, &["cba", "fed"]);
        check(3, &["fed", "cba"]);
        check(4, &["def", "abc"]);
        check(5, &["ad", "be", "cf"]);
        check(6, &["da", "eb", "fc"]);
        check(7, &["fc", "eb", "da"]);
        check(8, &["cf", "be", "ad"]);
    }

    #[test]
    fn tiles_join_without_seams() {
        let (width, height) = (3 * TILE + 5, TILE + 7);
        let pixels: Vec<u8> =
            (0..width * height).flat_map(|i| [i % 251, i / 251 % 251, i % 13]).map(|v| v as u8).collect();
        let stored = RgbImage { width: width as u32, height: height as u32, pixels };
        for (there, back) in [(2, 2), (3, 3), (4, 4), (5, 5), (6, 8), (7, 7), (8, 6)] {
            let turned = Orientation(there).apply(stored.clone());
            assert_ne!(turned, stored);
            assert_eq!(Orientation(back).apply(turned), stored, "orientation {there}");
        }
    }

    #[test]
    fn meaningless_values_are_upright() {
        fn block(value: u8) -> Vec<u8> {
            vec![b'M', b'M', 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, value, 0, 0]
        }
        assert_eq!(Orientation::of(Some(&block(6))), Orientation(6));
        assert_eq!(Orientation::of(Some(&block(0))), Orientation(1));
        assert_eq!(Orientation::of(Some(&block(9))), Orientation(1));
        assert_eq!(Orientation::of(None), Orientation(1));
    }
}
