//! What pictures say: EXIF, IPTC and XMP in JPEG, PNG, WebP and TIFF.

use super::build::{
    Value, ascii, bytes, iptc, jpeg, jpeg_segment, long, photoshop, png_chunk, rationals, riff_chunk, short, tiff,
    utf16,
};
use super::{Expected, check, picture};

/// A TIFF structure with what cameras write, the pixels before it.
fn exif(before: &[u8], more: Vec<(u16, Value)>) -> Vec<u8> {
    let mut first = vec![
        (0x010e, ascii("Hund auf Wiese")),
        (0x010f, ascii("Maker")),
        (0x0110, ascii("Model 1")),
        (0x013b, ascii("Jörg")),
        (0x8298, ascii("nobody")),
        (0x9c9e, bytes(1, &utf16("dog;meadow")[2..])),
    ];
    first.extend(more);
    let camera = [
        (0x829a, rationals(&[(10, 2500)])),
        (0x829d, rationals(&[(28, 10)])),
        (0x8827, short(400)),
        (0x9003, ascii("2024:05:06 12:34:56")),
        (0x9286, bytes(7, b"ASCII\0\0\0a comment")),
        (0x920a, rationals(&[(50, 1)])),
        (0xa434, ascii("Lens 50")),
    ];
    let gps = [
        (1, ascii("N")),
        (2, rationals(&[(50, 1), (56, 1), (1500, 100)])),
        (3, ascii("W")),
        (4, rationals(&[(6, 1), (57, 1), (0, 1)])),
    ];
    tiff(before, first, &camera, &gps)
}

const EXIF_FIELDS: [(&str, &str); 14] = [
    ("exif.artist", "Jörg"),
    ("exif.copyright", "nobody"),
    ("exif.date_time_original", "2024:05:06 12:34:56"),
    ("exif.exposure_time", "1/250"),
    ("exif.f_number", "2.8"),
    ("exif.focal_length", "50"),
    ("exif.gps_latitude", "50.937500"),
    ("exif.gps_longitude", "-6.950000"),
    ("exif.image_description", "Hund auf Wiese"),
    ("exif.iso", "400"),
    ("exif.lens_model", "Lens 50"),
    ("exif.make", "Maker"),
    ("exif.model", "Model 1"),
    ("exif.user_comment", "a comment"),
];
const KEYWORDS_FIELD: (&str, &str) = ("exif.xp_keywords", "dog;meadow");

fn of_exif<'a>(fields: &'a [(&'a str, &'a str)]) -> Expected<'a> {
    Expected { text: "Hund auf Wiese", creator: "Jörg", keywords: &["dog", "meadow"], fields, ..Expected::default() }
}

fn exif_segment() -> Vec<u8> {
    jpeg_segment(0xe1, &[b"Exif\0\0", &exif(&[], Vec::new())[..]].concat())
}

const XMP: &str = r#"<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
    <rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:subject><rdf:Bag><rdf:li>Dog</rdf:li>
    <rdf:li>grass</rdf:li></rdf:Bag></dc:subject><dc:title><rdf:Alt><rdf:li>XMP title</rdf:li></rdf:Alt></dc:title>
    </rdf:Description></rdf:RDF></x:xmpmeta>"#;
const XMP_FIELDS: [(&str, &str); 2] = [("xmp.subject", "Dog; grass"), ("xmp.title", "XMP title")];

#[test]
fn photographs_say_who_when_and_where() {
    let fields = [&EXIF_FIELDS[..], &[KEYWORDS_FIELD]].concat();
    check(&picture(&jpeg(&[exif_segment()])), &of_exif(&fields));

    let png_start = [b"\x89PNG\r\n\x1a\n", &png_chunk(b"IHDR", &[0; 13])[..]].concat();
    let png = [png_start, png_chunk(b"IDAT", &[0; 99]), png_chunk(b"eXIf", &exif(&[], Vec::new()))].concat();
    check(&picture(&png), &of_exif(&fields));

    let body = [riff_chunk(b"VP8 ", &[0; 33]), riff_chunk(b"EXIF", &exif(&[], Vec::new()))].concat();
    let webp = [b"RIFF", &u32::try_from(body.len() + 4).unwrap().to_le_bytes()[..], b"WEBP", &body].concat();
    check(&picture(&webp), &of_exif(&fields));
}

#[test]
fn directories_may_lie_behind_many_pixels() {
    let data_sets = iptc(&[(5, "IPTC title")]);
    let more = vec![
        (0x02bc, bytes(1, XMP.as_bytes())),
        (0x83bb, bytes(7, &data_sets)),
        (0x0111, long(8)),
        (0x927c, bytes(7, &[1; 1000])),
    ];
    let file = exif(&vec![9; 3 * 1024 * 1024], more);
    let fields = [&EXIF_FIELDS[..], &[KEYWORDS_FIELD, ("iptc.object_name", "IPTC title")], &XMP_FIELDS].concat();
    let expected = Expected { title: "IPTC title", keywords: &["Dog", "grass", "meadow"], ..of_exif(&fields) };
    check(&picture(&file), &expected);
}

#[test]
fn agencies_are_believed_before_cameras() {
    let data_sets = iptc(&[
        (5, "Titel"),
        (120, "Ein Hund läuft"),
        (25, "dog"),
        (25, "running"),
        (80, "Agentur"),
        (90, "Köln"),
        (101, "Germany"),
        (15, "ANI"),
        (116, "agency"),
    ]);
    let xmp = jpeg_segment(0xe1, &[b"http://ns.adobe.com/xap/1.0/\0", XMP.as_bytes()].concat());
    let file = jpeg(&[exif_segment(), xmp, photoshop(&data_sets), jpeg_segment(0xfe, b"a comment of JPEG")]);
    let iptc_fields = [
        ("iptc.byline", "Agentur"),
        ("iptc.caption", "Ein Hund läuft"),
        ("iptc.category", "ANI"),
        ("iptc.city", "Köln"),
        ("iptc.copyright", "agency"),
        ("iptc.country", "Germany"),
        ("iptc.keywords", "dog; running"),
        ("iptc.object_name", "Titel"),
        ("jpeg.comment", "a comment of JPEG"),
    ];
    let expected = Expected {
        title: "Titel",
        text: "Ein Hund läuft",
        creator: "Agentur",
        keywords: &["dog", "meadow", "grass", "running"],
        fields: &[&EXIF_FIELDS[..], &[KEYWORDS_FIELD], &XMP_FIELDS, &iptc_fields].concat(),
        ..Expected::default()
    };
    check(&picture(&file), &expected);
}

#[test]
fn png_files_have_texts() {
    let international = [b"XML:com.adobe.xmp\0\0\0\0\0", XMP.as_bytes()].concat();
    let png = [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        png_chunk(b"IHDR", &[0; 13]),
        png_chunk(b"tEXt", b"Author\0J\xf6rg"),
        png_chunk(b"iTXt", &international),
        png_chunk(b"iTXt", "Description\0\0\0de\0Beschreibung\0Tür".as_bytes()),
        png_chunk(b"iTXt", b"Comment\0\x01\0\0\0compressed"),
        png_chunk(b"IEND", b""),
        png_chunk(b"tEXt", b"Title\0behind the end"),
    ]
    .concat();
    let expected = Expected {
        title: "XMP title",
        text: "Tür",
        creator: "Jörg",
        keywords: &["Dog", "grass"],
        fields: &[&[("png.author", "Jörg"), ("png.description", "Tür")][..], &XMP_FIELDS].concat(),
        ..Expected::default()
    };
    check(&picture(&png), &expected);
}

#[test]
fn nowhere_is_no_place() {
    let place = |reference: &str, degrees: (u32, u32)| {
        let gps = [(1, ascii(reference)), (2, rationals(&[degrees, (0, 1), (0, 1)]))];
        let block = tiff(&[], vec![(0x010f, ascii("Maker"))], &[], &gps);
        picture(&jpeg(&[jpeg_segment(0xe1, &[b"Exif\0\0", &block[..]].concat())]))
    };
    let fields = [("exif.gps_latitude", "-12.500000"), ("exif.make", "Maker")];
    check(&place("S", (25, 2)), &Expected { fields: &fields, ..Expected::default() });
    for (reference, degrees) in [("N", (91, 1)), ("N", (0, 0)), ("X", (1, 1))] {
        check(&place(reference, degrees), &Expected { fields: &fields[1..], ..Expected::default() });
    }
}
