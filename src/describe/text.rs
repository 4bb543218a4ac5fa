//! Text as files keep it: fixed fields, unknown encodings, padding.
//!
//! Invariant: whatever the bytes are, the result is valid text of bounded length without padding.

/// The longest text that is kept, in bytes.
pub(super) const LONGEST_TEXT_BYTES: usize = 64 * 1024;

/// The bytes up to the first NUL: as UTF-8, which may be cut in its last character, or else as Latin-1.
pub(super) fn decode(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let bytes = &bytes[..end];
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(error) => {
            let valid = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            // Writers cut text to the size of a field without looking where its characters end.
            let is_cut = error.error_len().is_none() && !valid.is_ascii();
            if is_cut { valid.into_owned() } else { latin1(bytes) }
        }
    }
}

/// Latin-1: every byte is the character of its number.
pub(super) fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// UTF-16 up to the first NUL; a byte order mark overrules `is_little_endian`.
pub(super) fn utf16(bytes: &[u8], is_little_endian: bool) -> String {
    let (bytes, is_little_endian) = match bytes {
        [0xff, 0xfe, rest @ ..] => (rest, true),
        [0xfe, 0xff, rest @ ..] => (rest, false),
        _ => (bytes, is_little_endian),
    };
    let unit = |pair: &[u8; 2]| if is_little_endian { u16::from_le_bytes(*pair) } else { u16::from_be_bytes(*pair) };
    let units = bytes.as_chunks::<2>().0.iter().map(unit).take_while(|unit| *unit != 0);
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// A whole document: UTF-16 if it says so, else UTF-8 or Latin-1.
pub(super) fn document(bytes: &[u8]) -> String {
    match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => utf16(bytes, true),
        [b'<', 0, ..] => utf16(bytes, true),
        [0, b'<', ..] => utf16(bytes, false),
        [0xef, 0xbb, 0xbf, rest @ ..] => decode(rest),
        _ => decode(bytes),
    }
}

/// The text without padding around it, cut to the longest that is kept; `None` if nothing is left.
pub(super) fn trimmed(text: &str) -> Option<&str> {
    let text = trim(cut(trim(text), LONGEST_TEXT_BYTES));
    (!text.is_empty()).then_some(text)
}

fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}')
}

/// The longest beginning of whole characters that has at most `longest` bytes.
pub(super) fn cut(text: &str, longest: usize) -> &str {
    &text[..text.floor_char_boundary(longest)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_text() {
        let check = |bytes: &[u8], expected: &str| assert_eq!(document(bytes), expected);
        check(b"Door\0\xff\xffrest", "Door");
        check("Tür".as_bytes(), "Tür");
        check(b"T\xfcr", "Tür");
        check(b"T\xc3\xbcr \xc3", "Tür ");
        check(b"Caf\xe9", "Café");
        check(b"\xef\xbb\xbf<a/>", "<a/>");
        check(b"\xff\xfeT\0\xfc\0\0\0x\0", "Tü");
        check(b"\xfe\xff\0T\0\xfc\0", "Tü");
        check(b"<\0a\0", "<a");
        check(b"\0<\0a", "<a");
        check(b"\xff\xfe\x00\xd8", "\u{fffd}");
        check(b"", "");
    }

    #[test]
    fn padding_and_excess_go() {
        assert_eq!(trimmed(" \u{feff}\r\n a b\0\0 "), Some("a b"));
        assert_eq!(trimmed("\0 \t"), None);
        assert_eq!(cut("aüb", 2), "a");
        assert_eq!(cut("aüb", 9), "aüb");
        let long = "ü".repeat(LONGEST_TEXT_BYTES);
        assert_eq!(trimmed(&long).unwrap().len(), LONGEST_TEXT_BYTES);
    }
}
