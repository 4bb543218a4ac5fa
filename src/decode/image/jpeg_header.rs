//! The marker segments of a JPEG file up to its first scan (ITU-T T.81, annex B).
//!
//! Owns what the decoder's interface does not tell: the EXIF block, Adobe's marker, the sample depth; and a way to
//! drop what only confuses the decoder. Knows no entropy-coded data.
//! Invariant: every slice lies within the file; markers are found as libjpeg finds them, skipping garbage.

const SOI: [u8; 2] = [0xff, 0xd8];
const SOS: u8 = 0xda;
const APP1: u8 = 0xe1;
const APP14: u8 = 0xee;

/// One marker and what follows its length field.
#[derive(Debug, PartialEq, Eq)]
struct Segment<'a> {
    marker: u8,
    payload: &'a [u8],
}

/// The segments before the first scan. Ends at the first one that does not fit the file.
fn segments(bytes: &[u8]) -> Segments<'_> {
    Segments { rest: bytes.strip_prefix(&SOI).unwrap_or_default() }
}

struct Segments<'a> {
    /// What has not been looked at; at the end, the file from the first scan's marker on.
    rest: &'a [u8],
}

impl<'a> Iterator for Segments<'a> {
    type Item = Segment<'a>;

    fn next(&mut self) -> Option<Segment<'a>> {
        let start = self.rest.windows(2).position(|pair| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0xff))?;
        let found = &self.rest[start..];
        let marker = found[1];
        // Restart markers and TEM stand alone; end of image and start of scan end the header.
        if matches!(marker, 0x01 | 0xd0..=0xd7) {
            self.rest = &found[2..];
            return Some(Segment { marker, payload: &[] });
        }
        self.rest = found;
        if matches!(marker, SOS | 0xd8 | 0xd9) {
            return None;
        }
        let length = usize::from(u16::from_be_bytes([*found.get(2)?, *found.get(3)?]));
        let payload = found.get(4..2 + length)?;
        self.rest = &found[2 + length..];
        Some(Segment { marker, payload })
    }
}

/// The EXIF block: a TIFF structure.
pub(super) fn exif(bytes: &[u8]) -> Option<&[u8]> {
    segments(bytes)
        .filter(|segment| segment.marker == APP1)
        .find_map(|segment| segment.payload.strip_prefix(b"Exif\0\0"))
}

/// Bits per sample, from the frame header.
pub(super) fn bits_per_sample(bytes: &[u8]) -> Option<u8> {
    segments(bytes).find(is_frame).and_then(|segment| segment.payload.first().copied())
}

fn is_frame(segment: &Segment<'_>) -> bool {
    // SOF0 to SOF15 without the tables and the reserved code among them: DHT, JPG, DAC.
    matches!(segment.marker, 0xc0..=0xcf) && !matches!(segment.marker, 0xc4 | 0xc8 | 0xcc)
}

/// Whether Adobe's marker is there: programs that write it store CMYK inverted.
pub(super) fn has_adobe_marker(bytes: &[u8]) -> bool {
    segments(bytes).any(|segment| is_adobe(&segment))
}

fn is_adobe(segment: &Segment<'_>) -> bool {
    segment.marker == APP14 && segment.payload.len() >= 12 && segment.payload.starts_with(b"Adobe")
}

/// The file without the parts of its header that no pixel depends on: garbage between segments, thumbnails, metadata,
/// and Adobe markers of unknown meaning. `None` if there is no scan.
pub(super) fn essential(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut kept = SOI.to_vec();
    let mut header = segments(bytes);
    for segment in header.by_ref() {
        let tables_or_frame = matches!(segment.marker, 0xc0..=0xcf | 0xdb | 0xdd);
        let known_adobe = is_adobe(&segment) && segment.payload[11] <= 2;
        if tables_or_frame || known_adobe {
            let length = u16::try_from(segment.payload.len() + 2).expect("it was read from sixteen bits");
            kept.extend([0xff, segment.marker]);
            kept.extend(length.to_be_bytes());
            kept.extend(segment.payload);
        }
    }
    header.rest.starts_with(&[0xff, SOS]).then(|| {
        kept.extend(header.rest);
        kept
    })
}

/// What precedes the segment between or before scans that the end of the file cuts in two, if one is. The decoder takes
/// the rest of such a segment for nonsense, where it would take its absence for a truncated picture.
pub(super) fn before_cut_segment(bytes: &[u8]) -> Option<&[u8]> {
    let mut walk = segments(bytes);
    loop {
        // Runs to the next scan, to the end of the image, to a segment that does not fit, or out of markers.
        walk.by_ref().for_each(drop);
        let cut = &bytes[..bytes.len() - walk.rest.len()];
        match walk.rest {
            [0xff, SOS, high, low, ..] => {
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                match walk.rest.get(2 + length..) {
                    Some(coded) => walk.rest = coded,
                    None => return Some(cut),
                }
            }
            [0xff, 0xd8 | 0xd9, ..] => return None,
            [0xff, marker, ..] if !matches!(marker, 0x00 | 0xff) => return Some(cut),
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: &[u8] = b"\xff\xc2\x00\x04\x0c\x00";
    const ADOBE: &[u8] = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x02";
    const EXIF: &[u8] = b"\xff\xe1\x00\x0cExif\x00\x00MM\x00*";
    const SCAN: &[u8] = b"\xff\xda\x00\x02data\xff\xd9";

    fn file(parts: &[&[u8]]) -> Vec<u8> {
        [&SOI[..]].iter().chain(parts).flat_map(|part| part.iter().copied()).collect()
    }

    #[test]
    fn segments_are_found_past_garbage_and_fill_bytes() {
        let bytes = file(&[b"\x12\xff\x00\xff\xff", EXIF, b"junk", ADOBE, b"\xff\xff", FRAME, SCAN]);
        assert_eq!(exif(&bytes), Some(&b"MM\x00*"[..]));
        assert_eq!(bits_per_sample(&bytes), Some(12));
        assert!(has_adobe_marker(&bytes));
        assert_eq!(essential(&bytes), Some(file(&[ADOBE, FRAME, SCAN])));
    }

    #[test]
    fn what_follows_the_first_scan_is_not_header() {
        let bytes = file(&[FRAME, SCAN, EXIF, ADOBE]);
        assert_eq!(exif(&bytes), None);
        assert!(!has_adobe_marker(&bytes));
    }

    #[test]
    fn an_adobe_marker_of_unknown_meaning_is_dropped() {
        let mut adobe = ADOBE.to_vec();
        *adobe.last_mut().unwrap() = 9;
        assert_eq!(essential(&file(&[&adobe, FRAME, SCAN])), Some(file(&[FRAME, SCAN])));
    }

    #[test]
    fn truncated_headers_end_quietly() {
        let whole = file(&[EXIF, ADOBE, FRAME, SCAN]);
        let scan = whole.len() - SCAN.len();
        for length in 0..scan {
            let cut = &whole[..length];
            assert_eq!(essential(cut), None, "{length} bytes");
            assert_eq!(bits_per_sample(cut), None, "{length} bytes");
        }
        // A length below its own two bytes.
        assert_eq!(essential(&file(&[b"\xff\xc2\x00\x01", SCAN])), None);
    }

    #[test]
    fn a_segment_cut_by_the_end_of_the_file_is_found() {
        #[track_caller]
        fn check(parts: &[&[u8]], kept: Option<&[&[u8]]>) {
            let bytes = file(parts);
            assert_eq!(before_cut_segment(&bytes).map(<[u8]>::to_vec), kept.map(file));
        }
        // Coded data with a stuffed byte and a restart marker.
        const CODED: &[u8] = b"\xff\xda\x00\x02da\xff\x00ta\xff\xd0more";
        check(&[FRAME, SCAN], None);
        check(&[FRAME, CODED], None);
        check(&[FRAME, CODED, FRAME, CODED], None);
        check(&[FRAME, CODED, b"\xff"], None);
        check(&[FRAME, CODED, b"\xff\xc4"], Some(&[FRAME, CODED]));
        check(&[FRAME, CODED, b"\xff\xc4\x00\x09table"], Some(&[FRAME, CODED]));
        check(&[FRAME, CODED, CODED, b"\xff\xda\x00\x0c"], Some(&[FRAME, CODED, CODED]));
        check(&[b"\xff\xc4\x00\x09table"], Some(&[]));
    }
}
