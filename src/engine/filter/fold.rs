//! Texts in the form in which they are compared: without regard to case, nor to how accents are written.

use unicode_normalization::UnicodeNormalization as _;

/// Puts the folded form of `text` into `into`, in place of what is there.
///
/// Lower case by Unicode, character by character, so that a part of a text folds to a part of the folded text: the two
/// small sigmas become one. Accented letters are composed, because file names of some systems come decomposed.
pub(super) fn fold_into(text: &str, into: &mut String) {
    into.clear();
    if text.is_ascii() {
        into.push_str(text);
        into.make_ascii_lowercase();
    } else {
        let lower = text.nfc().flat_map(char::to_lowercase);
        into.extend(lower.map(|c| if c == 'ς' { 'σ' } else { c }).nfc());
    }
}

/// The folded form of `text`.
pub(super) fn fold(text: &str) -> String {
    let mut folded = String::new();
    fold_into(text, &mut folded);
    folded
}

/// Whether `text` folds to `folded`.
pub(super) fn folds_to(text: &str, folded: &str) -> bool {
    if text.is_ascii() { text.eq_ignore_ascii_case(folded) } else { fold(text) == folded }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_composition_do_not_matter() {
        for (text, expected) in [
            ("", ""),
            ("Door_01.WAV", "door_01.wav"),
            ("ÉCLAIR", "éclair"),
            ("E\u{301}clair", "éclair"),
            ("ΟΔΟΣ", "οδοσ"),
        ] {
            assert_eq!(fold(text), expected);
            assert!(folds_to(text, expected), "{text}");
        }
        assert!(!folds_to("a", "b") && !folds_to("é", "e"));
        assert!(folds_to("\u{212a}", "k"), "the sign of the kelvin is a letter");
    }

    #[test]
    fn folding_twice_changes_nothing() {
        for text in ["İstanbul", "ǅ", "ẞ", "A\u{30a}", "ᾈ", "\u{1e9b}\u{323}"] {
            assert_eq!(fold(&fold(text)), fold(text), "{text}");
        }
    }
}
