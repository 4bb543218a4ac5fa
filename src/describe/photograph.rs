//! EXIF: what cameras write, as read by the `exif` crate.
//!
//! Owns the choice of fields and their form: decimal degrees, fractions of a second, plain numbers. Invariant: a block
//! that is damaged yields what can be read of it.

use exif::{Context, Exif, In, Rational, Reader, Tag, Value};

use super::draft::{Draft, Role, Source};
use super::text::{decode, utf16};
use crate::containment::contain;

const TEXTS: [(Tag, &str, Option<Role>); 10] = [
    (Tag::ImageDescription, "exif.image_description", Some(Role::Text)),
    (Tag::Artist, "exif.artist", Some(Role::Creator)),
    (Tag::Make, "exif.make", None),
    (Tag::Model, "exif.model", None),
    (Tag::LensMake, "exif.lens_make", None),
    (Tag::LensModel, "exif.lens_model", None),
    (Tag::Copyright, "exif.copyright", None),
    (Tag::Software, "exif.software", None),
    (Tag::DateTimeOriginal, "exif.date_time_original", None),
    (Tag::DateTime, "exif.date_time", None),
];

/// Windows' own texts, UTF-16 in bytes.
const WIDE_TEXTS: [(u16, &str, Option<Role>); 5] = [
    (0x9c9b, "exif.xp_title", Some(Role::Title)),
    (0x9c9f, "exif.xp_subject", Some(Role::Text)),
    (0x9c9c, "exif.xp_comment", Some(Role::Text)),
    (0x9c9d, "exif.xp_author", Some(Role::Creator)),
    (0x9c9e, "exif.xp_keywords", Some(Role::Keywords)),
];

/// Notes the fields of an EXIF block, a TIFF structure from its byte order mark on.
pub(super) fn read(block: Vec<u8>, draft: &mut Draft) {
    let found = contain(|| {
        let mut reader = Reader::new();
        let exif = reader.continue_on_error(true).read_raw(block);
        let exif = exif.or_else(|error| error.distill_partial_result(|_| {})).ok()?;
        Some(fields(&exif))
    });
    for (name, role, value) in found.ok().flatten().unwrap_or_default() {
        draft.note(Source::Exif, name, role, &value);
    }
}

type Field = (&'static str, Option<Role>, String);

fn fields(exif: &Exif) -> Vec<Field> {
    let value = |tag: Tag| exif.get_field(tag, In::PRIMARY).map(|field| &field.value);
    let mut fields = Vec::new();
    for (tag, name, role) in TEXTS {
        if let Some(Value::Ascii(lines)) = value(tag) {
            let lines: Vec<String> =
                lines.iter().map(|line| decode(line)).filter(|line| !line.trim().is_empty()).collect();
            fields.push((name, role, lines.join("; ")));
        }
    }
    for (number, name, role) in WIDE_TEXTS {
        if let Some(Value::Byte(bytes)) = value(Tag(Context::Tiff, number)) {
            fields.push((name, role, utf16(bytes, true)));
        }
    }
    if let Some(Value::Undefined(bytes, _)) = value(Tag::UserComment) {
        fields.push(("exif.user_comment", Some(Role::Text), user_comment(bytes, exif.little_endian())));
    }
    let rational = |tag: Tag| match value(tag) {
        Some(Value::Rational(numbers)) => numbers.first().copied().filter(|number| number.denom != 0),
        _ => None,
    };
    let mut add = |name, value: Option<String>| fields.extend(value.map(|value| (name, None, value)));
    add("exif.exposure_time", rational(Tag::ExposureTime).map(exposure));
    add("exif.f_number", rational(Tag::FNumber).map(decimal));
    add("exif.focal_length", rational(Tag::FocalLength).map(decimal));
    let sensitivity = value(Tag::PhotographicSensitivity).and_then(|value| value.get_uint(0));
    add("exif.iso", sensitivity.map(|iso| iso.to_string()));
    for (name, tag, reference, most) in [
        ("exif.gps_latitude", Tag::GPSLatitude, Tag::GPSLatitudeRef, 90.0),
        ("exif.gps_longitude", Tag::GPSLongitude, Tag::GPSLongitudeRef, 180.0),
    ] {
        add(name, degrees(value(tag), value(reference), most));
    }
    fields
}

/// Eight bytes name the encoding (EXIF 2.32, section 4.6.5).
fn user_comment(bytes: &[u8], is_little_endian: bool) -> String {
    match bytes.split_first_chunk::<8>() {
        Some((b"UNICODE\0", text)) => utf16(text, is_little_endian),
        Some((b"ASCII\0\0\0" | b"\0\0\0\0\0\0\0\0", text)) => decode(text),
        _ => String::new(),
    }
}

/// Seconds: a fraction below half a second, as photographers write it.
fn exposure(time: Rational) -> String {
    let seconds = time.to_f64();
    if seconds > 0.0 && seconds < 0.5 { format!("1/{:.0}", 1.0 / seconds) } else { decimal(time) }
}

fn decimal(number: Rational) -> String {
    let text = format!("{:.2}", number.to_f64());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Degrees, minutes and seconds as degrees, negative in the south and west; `None` if that is nowhere.
fn degrees(value: Option<&Value>, reference: Option<&Value>, most: f64) -> Option<String> {
    let (Value::Rational(parts), Value::Ascii(reference)) = (value?, reference?) else { return None };
    if parts.is_empty() || parts.iter().take(3).any(|part| part.denom == 0) {
        return None;
    }
    let degrees: f64 = parts.iter().zip([1.0, 60.0, 3600.0]).map(|(part, unit)| part.to_f64() / unit).sum();
    let sign = match reference.first()?.first()?.to_ascii_uppercase() {
        b'N' | b'E' => 1.0,
        b'S' | b'W' => -1.0,
        _ => return None,
    };
    (degrees <= most).then(|| format!("{:.6}", sign * degrees))
}
