//! IPTC-IIM, what picture agencies write (Information Interchange Model 4.2, chapters 1 and 6).

use super::draft::{Draft, Role, Source};
use super::text::{decode, latin1};

const DATA_SET: u8 = 0x1c;
const MOST_DATA_SETS: usize = 4096;
/// The resource of Photoshop that holds the data sets.
const IPTC_RESOURCE: u16 = 0x0404;
/// ISO 2022's way to say UTF-8.
const IS_UTF8: &[u8] = b"\x1b%G";

/// Notes the data sets in a block of Photoshop's resources, from the first `8BIM` on.
pub(super) fn read_resources(block: &[u8], draft: &mut Draft) {
    let mut rest = block;
    while let Some((id, data, tail)) = resource(rest) {
        if id == IPTC_RESOURCE {
            read(data, draft);
        }
        rest = tail;
    }
}

/// `8BIM`, its number, a name and data, each of even length; and what follows.
fn resource(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let (id, rest) = bytes.strip_prefix(b"8BIM")?.split_first_chunk()?;
    let name_bytes = 1 + usize::from(*rest.first()?);
    let (length, rest) = rest.get(name_bytes.next_multiple_of(2)..)?.split_first_chunk()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let data = &rest[..length.min(rest.len())];
    Some((u16::from_be_bytes(*id), data, rest.get(length.checked_next_multiple_of(2)?..).unwrap_or_default()))
}

/// Notes data sets as far as they are whole.
pub(super) fn read(bytes: &[u8], draft: &mut Draft) {
    let mut is_utf8 = false;
    for (record, number, data) in data_sets(bytes).take(MOST_DATA_SETS) {
        if (record, number) == (1, 90) {
            is_utf8 = data == IS_UTF8;
        } else if record == 2
            && let Some((name, role)) = meaning(number)
        {
            let text = if is_utf8 { decode(data) } else { latin1(data) };
            draft.note(Source::Iptc, name, role, &text);
        }
    }
}

fn data_sets(bytes: &[u8]) -> impl Iterator<Item = (u8, u8, &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let ([marker, record, number, high, low], tail) = rest.split_first_chunk()?;
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let is_short = length < 0x8000;
        if *marker != DATA_SET || !is_short {
            // Longer ones exist in theory only, and are refused by what reads pictures.
            return None;
        }
        let (data, tail) = tail.split_at_checked(length)?;
        rest = tail;
        Some((*record, *number, data))
    })
}

fn meaning(number: u8) -> Option<(&'static str, Option<Role>)> {
    Some(match number {
        5 => ("iptc.object_name", Some(Role::Title)),
        15 => ("iptc.category", None),
        20 => ("iptc.supplemental_category", None),
        25 => ("iptc.keywords", Some(Role::Keywords)),
        40 => ("iptc.special_instructions", None),
        55 => ("iptc.date_created", None),
        80 => ("iptc.byline", Some(Role::Creator)),
        90 => ("iptc.city", None),
        92 => ("iptc.sublocation", None),
        95 => ("iptc.state", None),
        101 => ("iptc.country", None),
        105 => ("iptc.headline", None),
        110 => ("iptc.credit", None),
        115 => ("iptc.source", None),
        116 => ("iptc.copyright", None),
        120 => ("iptc.caption", Some(Role::Text)),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(block: &[u8], expected: &[(&str, &str)]) {
        let mut draft = Draft::default();
        read_resources(block, &mut draft);
        let fields = draft.finish().fields;
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(fields, expected);
    }

    #[test]
    fn resources_and_data_sets_end_where_the_block_does() {
        let city = b"\x1c\x02\x5a\x00\x04K\xf6ln";
        check(&[b"8BIM\x04\x04\0\0\0\0\0\x09", &city[..]].concat(), &[("iptc.city", "Köln")]);
        check(
            &[b"8BIM\x03\xed\x01a\0\0\0\x01X\x008BIM\x04\x04\0\0\0\0\xff\xff", &city[..]].concat(),
            &[("iptc.city", "Köln")],
        );
        check(&[b"8BIM\x04\x04\0\0\0\0\0\x09", &city[..8]].concat(), &[]);
        check(b"8BIM\x04\x04\0\0\0\0\0\x05\x1c\x02\x5a\xff\xff", &[]);
        check(b"8BIM\x04\x04\xff", &[]);
        check(b"8BIM", &[]);
    }
}
