//! Tells text that was read in the wrong encoding by the company its characters keep.
//!
//! Owns ftfy's heuristic: some 400 characters turn up when UTF-8 is misread, they fall into classes, and certain
//! neighbours hardly ever occur in text that somebody meant to write (`Ã©`, `â€œ`). Knows nothing of how to repair it.

use std::sync::LazyLock;

use regex::Regex;

/// C1 controls: no use outside of misread text.
const C1: &str = r"\u{80}-\u{9f}";
/// Found anywhere.
const COMMON: &str = r"\u{a0}\u{ad}´·–—―’…";
/// Found in misread text almost only.
const BAD: &str = "¤¦§¨ª¬¯¶¸ºƒˆˇ˘˛˜†‡‰⌐◊�";
const CURRENCY: &str = "¢£¥₧€";
const OPENING: &str = r"¡©«¿΄΅‘‚“„•‹\u{f8ff}";
const CLOSING: &str = "®»˝”›™";
const NUMERIC: &str = "±²³µ¹¼½¾×÷⁄№∂∆∏∑√∞∩∫≈≠≡≤≥";
/// Letters that faces are drawn with, so that odd neighbours mean nothing.
const FACE: &str = "°Ò-ÖÙ-Üò-öø-üŐ";
const UPPER_ACCENTED: &str = "À-ÑØÜÝĂĄĆČĎĐĘĚĞİĹĽŁŃŇŒŘŚŞŠŢŤŮŰŸŹŻŽҐ";
const LOWER_ACCENTED: &str = "ß-ñüăąćčďđęěğĺľłœŕśşšťźżžґﬁﬂ";
/// Greek and Cyrillic: common at the ends of words.
const UPPER_COMMON: &str = "ÞΆΈΉΊΌΎΏΑ-ΫЁ-Я";
const LOWER_COMMON: &str = "ά-ωа-џ";
/// Line drawing, without the single horizontal line that faces use.
const BOX: &str = "│┌┐┘├┤┬┼═-╬▀▄█▌▐-▓";

static BADNESS: LazyLock<Regex> = LazyLock::new(|| Regex::new(&rules().join("|")).expect("constant rules"));

/// Whether `text` holds a sequence that a wrong encoding explains better than any intention.
pub(super) fn is_bad(text: &str) -> bool {
    !text.is_ascii() && BADNESS.is_match(text)
}

/// One pattern per suspicious sequence; a single match is enough.
fn rules() -> Vec<String> {
    let mut rules = class_rules();
    rules.extend(letter_rules());
    rules
}

/// Neighbours judged by their classes.
fn class_rules() -> Vec<String> {
    let accented = format!("{LOWER_ACCENTED}{UPPER_ACCENTED}");
    let odd = format!("{accented}{BOX}{OPENING}{CLOSING}{CURRENCY}{NUMERIC}");
    vec![
        format!("[{C1}]"),
        format!("[{odd}{BAD}][{BAD}]"),
        format!("[a-zA-Z][{LOWER_COMMON}{UPPER_COMMON}][{BAD}]"),
        format!("[{BAD}][{odd}]"),
        format!("[{LOWER_ACCENTED}{LOWER_COMMON}{BOX}{CLOSING}{CURRENCY}{NUMERIC}][{UPPER_ACCENTED}]"),
        format!("[{BOX}{CLOSING}{CURRENCY}{NUMERIC}][{LOWER_ACCENTED}]"),
        format!("[{LOWER_ACCENTED}{BOX}{CLOSING}][{CURRENCY}]"),
        // Python counts the four information separators as white space.
        format!(r"[\s\x1c-\x1f][{UPPER_ACCENTED}][{CURRENCY}]"),
        format!("[{UPPER_ACCENTED}{BOX}][{NUMERIC}]"),
        format!("[{accented}{BOX}{CURRENCY}{CLOSING}][{OPENING}][{NUMERIC}]"),
        format!("[{accented}{CURRENCY}{NUMERIC}{BOX}][{CLOSING}][{OPENING}]"),
        format!("[{CURRENCY}{NUMERIC}{BOX}][{OPENING}]"),
        format!("[a-z][{UPPER_ACCENTED}][{OPENING}{CURRENCY}]"),
        format!("[{BOX}][{FACE}]"),
        format!("[{accented}{CURRENCY}{NUMERIC}{OPENING}{CLOSING}][{BOX}]"),
        format!("[{BOX}][{CLOSING}]"),
        format!(r"[{accented}][{CLOSING}][\p{{L}}\p{{N}}_]"),
    ]
}

/// Sequences of particular letters, by the encoding that makes them.
fn letter_rules() -> Vec<String> {
    let arabic = format!("[ØÙ][{COMMON}{CURRENCY}{BAD}{NUMERIC}{OPENING}ŸŠ®°µ»]");
    let marks = format!("{C1}{BAD}{OPENING}{CLOSING}{CURRENCY}°");
    let constant = [
        "[Œœ][^A-Za-z]",
        "×[²³]",
        // South Asian scripts.
        "à[²µ¹¼½¾]",
        // Mac Roman.
        "√[±∂†≠®™´≤≥¥µø]",
        "≈[°¢]",
        "‚Ä[ìîïòôúùû†°¢π]",
        "‚[âó][àä°ê]",
        // Punctuation in windows-1251 and windows-1253.
        "вЂ",
        r"β€[™\u{a0}Ά\u{ad}®°]",
        // Latin-1 misread twice.
        "ГўВЂВ.[A-Za-z ]",
        // `à`, `á` and the no-break space in windows-1252, which may have become a plain space.
        r"Ã[\u{a0}¡]",
        r"[a-z][\s\x1c-\x1f]?[ÃÂ] ",
        "^[ÃÂ] ",
    ];
    let mut rules: Vec<String> = constant.map(str::to_owned).into();
    rules.extend([
        format!(r"[ÂÃÎÐ][€Šš¢£Ÿž\u{{a0}}\u{{ad}}®©°·»{OPENING}{CLOSING}–—´]"),
        // Two Arabic letters, since one of them alone could be meant.
        format!("{arabic}{arabic}"),
        format!("[ВГРС][{marks}µ][ВГРС]"),
        format!("[ΒΓΞΟ][{marks}][ΒΓΞΟ]"),
        format!("[a-z.,?!{CLOSING}]Â[ {OPENING}{CLOSING}]"),
    ]);
    rules
}
