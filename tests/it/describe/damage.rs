//! Whatever is done to a file, describing it ends, within bounds, and without a panic.

use earmark::library::Description;
use earmark::media::MediaKind;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::build::{
    aiff_chunk, ascii, bext, flac, id3, id3_frame, info, iptc, jpeg, jpeg_segment, mp3_frames, photoshop, png_chunk,
    rationals, riff_chunk, tiff, utf16, wav,
};
use super::{picture, sound};
use crate::shared;

const XML: &[u8] = b"<a xmlns:b='c'><USER><FXNAME d='e'>&amp;</FXNAME></USER><b:title><b:li>f</b:li></b:title></a>";

/// One file for every reader.
fn originals() -> Vec<(MediaKind, Vec<u8>)> {
    let tag = |version| {
        let wide = [&[1][..], &utf16("wide")].concat();
        let comment = [&b"\x01eng"[..], &utf16("a"), &utf16("b")].concat();
        id3(
            version,
            &[
                id3_frame(version, b"TIT2", &wide),
                id3_frame(version, b"COMM", &comment),
                id3_frame(version, b"TXXX", b"\0name\0value"),
                id3_frame(version, b"TDRC", b"\x002024-05-06"),
                id3_frame(version, b"TCON", b"\0(17)(18)Rock"),
            ],
        )
    };
    let exif = tiff(
        &[],
        vec![(0x010e, ascii("text")), (0x02bc, ascii("<a/>")), (0x83bb, ascii("\u{1c}\u{2}"))],
        &[(0x829a, rationals(&[(1, 250)]))],
        &[(1, ascii("N")), (2, rationals(&[(1, 1), (2, 1), (3, 1)]))],
    );
    let body = [aiff_chunk(b"NAME", b"name"), aiff_chunk(b"COMT", &[0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 65, 0])].concat();
    let segments = [
        jpeg_segment(0xe1, &[b"Exif\0\0", &exif[..]].concat()),
        jpeg_segment(0xe1, &[b"http://ns.adobe.com/xap/1.0/\0", XML].concat()),
        photoshop(&iptc(&[(5, "title"), (25, "keyword")])),
    ];
    let texts =
        [png_chunk(b"tEXt", b"Title\0text"), png_chunk(b"iTXt", b"Title\0\0\0\0\0text"), png_chunk(b"eXIf", &exif)];
    let xml = riff_chunk(b"iXML", XML);
    let list = info(&[(b"INAM", "title"), (b"IKEY", "a, b")]);
    vec![
        (MediaKind::Audio, wav(&[list, bext("text"), xml.clone(), riff_chunk(b"id3 ", &tag(3))])),
        (MediaKind::Audio, [b"FORM\0\0\0\0AIFF", &body[..]].concat()),
        (MediaKind::Audio, [tag(4), mp3_frames()].concat()),
        (MediaKind::Audio, [tag(3), mp3_frames()].concat()),
        (MediaKind::Audio, flac(&["TITLE=a", "b=c"])),
        (MediaKind::Image, jpeg(&segments)),
        (MediaKind::Image, [b"\x89PNG\r\n\x1a\n", &texts.concat()[..]].concat()),
        (MediaKind::Image, [&b"RIFF\0\0\0\0WEBP"[..], &riff_chunk(b"EXIF", &exif), &riff_chunk(b"XMP ", XML)].concat()),
        (MediaKind::Image, exif),
    ]
}

fn described(kind: MediaKind, bytes: &[u8]) -> Description {
    let description = match kind {
        MediaKind::Audio => sound(bytes),
        MediaKind::Image => picture(bytes),
    };
    assert!(description.texts().map(str::len).sum::<usize>() < 8 * 1024 * 1024);
    description
}

#[test]
fn the_originals_say_something() {
    for (kind, bytes) in originals() {
        assert!(!described(kind, &bytes).fields.is_empty(), "{kind} {:?}", &bytes[..12]);
    }
}

#[test]
fn files_may_end_anywhere() {
    for (kind, bytes) in originals() {
        let whole = described(kind, &bytes);
        for length in 0..bytes.len() {
            let cut = described(kind, &bytes[..length]);
            assert!(cut.fields.len() <= whole.fields.len(), "{kind} cut to {length} bytes says {cut:?}");
        }
    }
}

#[test]
fn sizes_may_claim_anything() {
    for (kind, bytes) in originals() {
        for at in 0..bytes.len().saturating_sub(4) {
            for claim in [[0xff; 4], [0x7f, 0xff, 0xff, 0xff], [0; 4], [0xff, 0xff, 0xff, 0x7f]] {
                let mut bytes = bytes.clone();
                bytes[at..at + 4].copy_from_slice(&claim);
                described(kind, &bytes);
            }
        }
    }
}

/// Overwrites, cuts and inserts.
fn mutate(mut bytes: Vec<u8>, changes: &[(Index, u8, Vec<u8>)]) -> Vec<u8> {
    for (at, how, with) in changes {
        let at = at.index(bytes.len() + 1);
        let end = if how % 3 == 0 { at } else { (at + with.len()).min(bytes.len()) };
        let with = if how % 3 == 1 { &[][..] } else { with };
        bytes.splice(at..end, with.iter().copied());
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn mutated_files_are_described_or_not(
        which in any::<Index>(),
        changes in vec((any::<Index>(), any::<u8>(), vec(any::<u8>(), 0..8)), 1..16),
    ) {
        let originals = originals();
        let (kind, bytes) = which.get(&originals);
        described(*kind, &mutate(bytes.clone(), &changes));
    }

    #[test]
    fn random_bytes_are_described_or_not(
        start in prop::sample::select(vec![
            &b"RIFF\0\0\0\0WAVE"[..], b"RF64\xff\xff\xff\xffWAVEds64", b"FORM\0\0\0\0AIFF", b"ID3\x03\0\0\0\0\x7f\x7f",
            b"ID3\x04\0\x80\0\0\x7f\x7f", b"fLaC", b"OggS", b"\0\0\0\x20ftypM4A ", b"MAC ", b"MPCK", b"wvpk", b"\xff\xfb",
            b"\xff\xf1", b"\xff\xd8\xff\xe1", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBP", b"II*\0", b"MM\0*", b"",
        ]),
        rest in vec(any::<u8>(), 0..512),
    ) {
        let bytes = [start, &rest].concat();
        described(MediaKind::Audio, &bytes);
        described(MediaKind::Image, &bytes);
    }
}

#[test]
fn real_files_are_described() {
    let only = |description: &Description, name: &str, value: &str| {
        assert_eq!(description.fields.get(name).map(String::as_str), Some(value));
        assert_eq!(description.fields.len(), 1, "{description:?}");
    };
    let recording = std::fs::read(shared("media/esc10/010 - Fire crackling/3-158476-A.ogg")).unwrap();
    only(&sound(&recording), "vorbis.encoder", "Lavf56.1.0");
    only(&sound(&recording[..recording.len() / 2]), "vorbis.encoder", "Lavf56.1.0");
    let photograph = std::fs::read(shared("media/demo/cars_1.jpg")).unwrap();
    only(&picture(&photograph), "exif.software", "paint.net 4.2.16");
}
