//! Character references of HTML, by the two rules the reference uses.
//!
//! Owns numeric references and the search for named ones; the names themselves are `htmlize`'s table. Knows nothing of
//! tags. `htmlize`'s own `unescape` is not used: it follows browsers, where `&#1;` is a character and Python drops it.

use std::borrow::Cow;
use std::sync::LazyLock;

use htmlize::ENTITIES;
use regex::{Captures, Regex};

use super::charmap;

/// References with a semicolon and nothing doubtful about them, as ftfy sees them.
static CLOSED: LazyLock<Regex> = LazyLock::new(|| Regex::new("&#?[0-9A-Za-z]{1,24};").expect("a constant pattern"));

/// Whatever Python's `html.unescape` takes for a reference.
static ANY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"&(?:#([0-9]+);?|#[xX]([0-9a-fA-F]+);?|[^\t\n\x0c <&#;]{1,32};?)").expect("a constant pattern")
});

/// Replaces references as Python's `html.unescape` does: `&amp` and the start of `&notit` count too.
pub(super) fn unescape(text: &str) -> Cow<'_, str> {
    ANY.replace_all(text, |reference: &Captures<'_>| {
        if let Some(digits) = reference.get(1) {
            numeric(digits.as_str(), 10)
        } else if let Some(digits) = reference.get(2) {
            numeric(digits.as_str(), 16)
        } else {
            longest_named(&reference[0])
        }
    })
}

/// Replaces references that end in a semicolon, including names whose letters something has put in upper case.
pub(super) fn unescape_closed(text: &str) -> String {
    let decode = |reference: &Captures<'_>| closed(&reference[0]).unwrap_or_else(|| reference[0].to_owned());
    CLOSED.replace_all(text, decode).into_owned()
}

fn closed(reference: &str) -> Option<String> {
    if reference.starts_with("&#") {
        // A semicolon left over means that only part of it was a number.
        return Some(unescape(reference).into_owned()).filter(|decoded| !decoded.contains(';'));
    }
    if let Some(expansion) = named(reference) {
        return Some(expansion.to_owned());
    }
    // `&EACUTE;` was `&eacute;` once, unless it can be read as it stands.
    let shouted = reference == reference.to_ascii_uppercase() && unescape(reference) == reference;
    let expansion = named(&reference.to_ascii_lowercase()).filter(|_| shouted)?;
    Some(expansion.to_uppercase())
}

/// The longest name that `reference` starts with, replaced; Python looks at names of two characters and more.
fn longest_named(reference: &str) -> String {
    let ends = (3..=reference.len()).rev().filter(|&end| reference.is_char_boundary(end));
    for end in ends {
        let (name, rest) = reference.split_at(end);
        if let Some(expansion) = named(name) {
            return format!("{expansion}{rest}");
        }
    }
    reference.to_owned()
}

/// Looks up a name with its `&`, and its `;` if it has one.
fn named(name: &str) -> Option<&'static str> {
    let expansion: &'static [u8] = ENTITIES.get(name.as_bytes())?;
    Some(std::str::from_utf8(expansion).expect("the table holds text"))
}

/// The character of a numeric reference after HTML 5's corrections; empty for those that Python drops.
fn numeric(digits: &str, radix: u32) -> String {
    // More digits than fit are beyond Unicode all the same.
    let number = u32::from_str_radix(digits, radix).unwrap_or(u32::MAX);
    let c = match number {
        0 => char::REPLACEMENT_CHARACTER,
        _ => char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER),
    };
    match c {
        '\u{80}'..='\u{9f}' => charmap::windows_1252_char(c).to_string(),
        '\t' | '\n' | '\u{c}' | '\r' => c.to_string(),
        '\0'..='\u{1f}' | '\u{7f}' | '\u{fdd0}'..='\u{fdef}' => String::new(),
        // The last two code points of every plane are not characters.
        _ if u32::from(c) & 0xfffe == 0xfffe => String::new(),
        _ => c.to_string(),
    }
}
