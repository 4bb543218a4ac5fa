//! A SHA-256 digest as a type, so that a mistyped or shortened one cannot reach a comparison.

use std::fmt;

/// The SHA-256 digest of a file.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sha256Digest([u8; 32]);

impl Sha256Digest {
    /// Reads 64 hexadecimal digits of either case; `None` for anything else.
    pub const fn from_hex(hex: &str) -> Option<Self> {
        let hex = hex.as_bytes();
        if hex.len() != 64 {
            return None;
        }
        let mut bytes = [0; 32];
        let mut at = 0;
        while at < 32 {
            let (Some(high), Some(low)) = (nibble(hex[2 * at]), nibble(hex[2 * at + 1])) else {
                return None;
            };
            bytes[at] = high << 4 | low;
            at += 1;
        }
        Some(Self(bytes))
    }
}

const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

impl From<[u8; 32]> for Sha256Digest {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Sha256Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Sha256Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sha256Digest({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_is_read_strictly_and_written_back_in_lower_case() {
        let hex = "2441d35b353352c8b1bbfb8f7c687f46314c3d2909e940eaf763b8c17f632c44";
        for (input, expected) in [
            (hex.to_owned(), Some(hex)),
            (hex.to_uppercase(), Some(hex)),
            (hex[1..].to_owned(), None),
            (format!("{hex}0"), None),
            (hex.replace('d', "g"), None),
            (String::new(), None),
        ] {
            let read = Sha256Digest::from_hex(&input).map(|digest| digest.to_string());
            assert_eq!(read.as_deref(), expected, "{input}");
        }
    }
}
