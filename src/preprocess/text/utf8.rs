//! UTF-8 with damage: spaces for no-break spaces, lost bytes, surrogate pairs, Java's long zero.
//!
//! Owns the byte patterns of ftfy's partial repairs. Knows nothing of the encoding the bytes were misread in, save
//! whether byte 0x1A may stand for a lost one.

use std::sync::LazyLock;

use regex::bytes::Regex;

/// A misread no-break space that became a plain one, where the bytes around it leave no doubt.
static SPACED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&[
        r"[\xC2\xC3\xC5\xCE\xD0\xD9] ",
        r"[\xE2\xE3] [\x80-\x84\x86-\x9F\xA1-\xBF]",
        r"[\xE0-\xE3][\x80-\x84\x86-\x9F\xA1-\xBF] ",
        r"\xF0 [\x80-\xBF][\x80-\xBF]",
        r"\xF0[\x80-\xBF] [\x80-\xBF]",
        r"\xF0[\x80-\xBF][\x80-\xBF] ",
    ])
});

/// Sequences with lost bytes: 0x1A for each that a sloppy encoding gave up, or at most one question mark.
static LOSSY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&[
        r"[\xC2-\xDF]\x1A",
        r"[\xC2-\xC3][?]",
        r"\xED[\xA0-\xAF][\x1A?]\xED[\xB0-\xBF][\x1A?\x80-\xBF]",
        r"\xED[\xA0-\xAF][\x1A?\x80-\xBF]\xED[\xB0-\xBF][\x1A?]",
        r"[\xE0-\xEF][\x1A?][\x1A\x80-\xBF]",
        r"[\xE0-\xEF][\x1A\x80-\xBF][\x1A?]",
        r"[\xF0-\xF4][\x1A?][\x1A\x80-\xBF][\x1A\x80-\xBF]",
        r"[\xF0-\xF4][\x1A\x80-\xBF][\x1A?][\x1A\x80-\xBF]",
        r"[\xF0-\xF4][\x1A\x80-\xBF][\x1A\x80-\xBF][\x1A?]",
        r"\x1A",
    ])
});

fn pattern(alternatives: &[&str]) -> Regex {
    Regex::new(&format!("(?-u){}", alternatives.join("|"))).expect("a constant pattern")
}

/// The text that `bytes` hold once what can be mended is mended; `None` if they are no UTF-8 even then.
pub(super) fn decode_damaged(mut bytes: Vec<u8>, sloppy: bool) -> Option<String> {
    if SPACED.is_match(&bytes) {
        bytes = restore_no_break_spaces(&bytes);
    }
    if sloppy {
        bytes = LOSSY.replace_all(&bytes, "\u{fffd}".as_bytes()).into_owned();
    }
    decode_variants(&bytes)
}

/// Turns the spaces of [`SPACED`] sequences back into the second halves of no-break spaces.
fn restore_no_break_spaces(bytes: &[u8]) -> Vec<u8> {
    let separated = separate_a_grave(bytes);
    let restore = |found: &regex::bytes::Captures<'_>| -> Vec<u8> {
        found[0].iter().map(|&byte| if byte == b' ' { 0xa0 } else { byte }).collect()
    };
    SPACED.replace_all(&separated, restore).into_owned()
}

/// Reads 0xC3 and a space as the word `à` with the space kept, save where it begins a Portuguese word such as `às`.
fn separate_a_grave(bytes: &[u8]) -> Vec<u8> {
    let contractions: [&[u8]; 5] = [b" ", b"quele", b"quela", b"quilo", b"s "];
    let mut separated = Vec::with_capacity(bytes.len());
    for (i, &byte) in bytes.iter().enumerate() {
        separated.push(byte);
        let rest = &bytes[i + 1..];
        if byte == 0xc3
            && let Some(next) = rest.strip_prefix(b" ")
            && !contractions.iter().any(|word| next.starts_with(word))
        {
            separated.push(0xa0);
        }
    }
    separated
}

/// Strict UTF-8, except that surrogate pairs (CESU-8) and Java's two-byte zero are understood.
fn decode_variants(bytes: &[u8]) -> Option<String> {
    let mut text = String::with_capacity(bytes.len());
    let (mut start, mut at) = (0, 0);
    while at < bytes.len() {
        let Some((c, length)) = variant(&bytes[at..]) else {
            at += 1;
            continue;
        };
        text.push_str(std::str::from_utf8(&bytes[start..at]).ok()?);
        text.push(c);
        at += length;
        start = at;
    }
    text.push_str(std::str::from_utf8(&bytes[start..]).ok()?);
    Some(text)
}

/// The character that `bytes` start with when it is written in one of the two ways UTF-8 forbids, and its length.
fn variant(bytes: &[u8]) -> Option<(char, usize)> {
    match *bytes {
        // A line feed at the very end passes for the last byte, as it does for `$` in the reference's patterns.
        [0xc0, 0x80, ..] | [0xc0, b'\n'] => Some(('\0', 2)),
        [0xed, a @ 0xa0..=0xaf, b @ 0x80..=0xbf, 0xed, c @ 0xb0..=0xbf, d @ 0x80..=0xbf, ..]
        | [0xed, a @ 0xa0..=0xaf, b @ 0x80..=0xbf, 0xed, c @ 0xb0..=0xbf, d @ b'\n'] => {
            let bits = [(a, 0x0f, 16), (b, 0x3f, 10), (c, 0x0f, 6), (d, 0x3f, 0)];
            let offset: u32 = bits.iter().map(|&(byte, mask, shift)| u32::from(byte & mask) << shift).sum();
            Some((char::from_u32(0x10000 + offset)?, 6))
        }
        _ => None,
    }
}
