//! Repairs of single characters: compatibility forms, quotes, line ends, terminal escapes, control characters, NFC.
//!
//! Knows nothing of encodings and HTML. Invariant: the order of the steps is ftfy's; a later step sees what an earlier
//! one made (`ŉ` becomes `ʼn`, then its apostrophe becomes straight).

use std::sync::LazyLock;

use regex::Regex;
use unicode_normalization::UnicodeNormalization as _;

use super::charmap;

/// Control sequences of terminals: colours, cursor movements. Digits of any script, as in Python.
static TERMINAL_ESCAPE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\x1b\[[\d;]*[a-zA-Z]").expect("a constant pattern"));

/// One round of every repair that looks at characters rather than at their encoding.
pub(super) fn simplify(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        // A line feed follows the carriage return: keep one of the two.
        if c != '\r' || chars.peek() != Some(&'\n') {
            push_plain(c, &mut plain);
        }
    }
    let visible = TERMINAL_ESCAPE.replace_all(&plain, "");
    visible.chars().filter(|&c| !is_removed(c)).nfc().collect()
}

/// Appends the usual form of `c`: no C1 controls, ligatures, width variants, curly quotes or odd line ends.
fn push_plain(c: char, plain: &mut String) {
    let c = match c {
        '\u{80}'..='\u{9f}' => charmap::windows_1252_char(c),
        _ => c,
    };
    if let Some(letters) = ligature(c) {
        plain.push_str(letters);
        return;
    }
    match c {
        '\u{2bc}' | '\u{2018}'..='\u{201b}' => plain.push('\''),
        '\u{201c}'..='\u{201f}' => plain.push('"'),
        '\r' | '\u{2028}' | '\u{2029}' => plain.push('\n'),
        '\u{3000}' => plain.push(' '),
        '\u{ff01}'..='\u{ffef}' => plain.extend(std::iter::once(c).nfkc()),
        _ => plain.push(c),
    }
}

/// The letters of a Latin ligature or digraph; letters in their own right, such as `æ`, are none.
fn ligature(c: char) -> Option<&'static str> {
    Some(match c {
        'Ĳ' => "IJ",
        'ĳ' => "ij",
        // The apostrophe is straight at once: quotes come after ligatures.
        'ŉ' => "'n",
        'Ǳ' => "DZ",
        'ǲ' => "Dz",
        'ǳ' => "dz",
        'Ǆ' => "DŽ",
        'ǅ' => "Dž",
        'ǆ' => "dž",
        'Ǉ' => "LJ",
        'ǈ' => "Lj",
        'ǉ' => "lj",
        'Ǌ' => "NJ",
        'ǋ' => "Nj",
        'ǌ' => "nj",
        'ﬀ' => "ff",
        'ﬁ' => "fi",
        'ﬂ' => "fl",
        'ﬃ' => "ffi",
        'ﬄ' => "ffl",
        'ﬅ' => "ſt",
        'ﬆ' => "st",
        _ => return None,
    })
}

/// Control characters that show nothing and mean nothing in a prompt. Joiners, direction marks and tags stay.
fn is_removed(c: char) -> bool {
    matches!(c,
        '\0'..='\u{8}' | '\u{b}' | '\u{e}'..='\u{1f}' | '\u{7f}' | '\u{206a}'..='\u{206f}' | '\u{feff}'
        | '\u{fff9}'..='\u{fffc}')
}
