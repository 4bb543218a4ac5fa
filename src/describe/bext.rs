//! The broadcast extension chunk of BWF files (EBU Tech 3285 v2, section 2.3).

use super::draft::{Draft, Role, Source};
use super::text::decode;

/// Fixed fields of text: name, role, position and length.
const TEXTS: [(&str, Option<Role>, usize, usize); 5] = [
    ("bext.description", Some(Role::Text), 0, 256),
    ("bext.originator", Some(Role::Creator), 256, 32),
    ("bext.originator_reference", None, 288, 32),
    ("bext.origination_date", None, 320, 10),
    ("bext.origination_time", None, 330, 8),
];
const TIME_REFERENCE: usize = 338;
const VERSION: usize = 346;
const UMID: usize = 348;
const UMID_BYTES: usize = 64;
const LOUDNESS: usize = 412;
const LOUDNESS_NAMES: [&str; 5] = [
    "bext.loudness_value",
    "bext.loudness_range",
    "bext.max_true_peak_level",
    "bext.max_momentary_loudness",
    "bext.max_short_term_loudness",
];
/// The standard's mark of a loudness that was not measured.
const NOT_MEASURED: i16 = 0x7fff;
const CODING_HISTORY: usize = 602;

/// Notes every field that the chunk is long enough for.
pub(super) fn read(chunk: &[u8], draft: &mut Draft) {
    let mut note = |name: &str, role, value: &str| draft.note(Source::Bext, name, role, value);
    for (name, role, start, length) in TEXTS {
        let end = chunk.len().min(start + length);
        note(name, role, &decode(chunk.get(start..end).unwrap_or_default()));
    }
    if let Some(samples) = number(chunk, TIME_REFERENCE) {
        note("bext.time_reference", None, &u64::from_le_bytes(samples).to_string());
    }
    let version = number(chunk, VERSION).map(u16::from_le_bytes);
    if let Some(version) = version {
        note("bext.version", None, &version.to_string());
    }
    if version.is_some_and(|version| version >= 1)
        && let Some(umid) = number::<UMID_BYTES>(chunk, UMID).filter(|umid| umid.iter().any(|byte| *byte != 0))
    {
        note("bext.umid", None, &umid.map(|byte| format!("{byte:02x}")).concat());
    }
    if version.is_some_and(|version| version >= 2) {
        for (index, name) in LOUDNESS_NAMES.into_iter().enumerate() {
            let value = number(chunk, LOUDNESS + 2 * index).map(i16::from_le_bytes);
            if let Some(hundredths) = value.filter(|value| *value != NOT_MEASURED && *value != 0) {
                note(name, None, &format!("{:.2}", f64::from(hundredths) / 100.0));
            }
        }
    }
    note("bext.coding_history", None, &decode(chunk.get(CODING_HISTORY..).unwrap_or_default()));
}

fn number<const N: usize>(chunk: &[u8], start: usize) -> Option<[u8; N]> {
    chunk.get(start..)?.first_chunk().copied()
}
