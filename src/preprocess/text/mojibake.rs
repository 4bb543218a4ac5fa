//! Repair of mojibake: UTF-8 that was read as some single-byte encoding, once or several times over.
//!
//! Owns the search for the encoding that explains a whole text, and the repair of garbled stretches within sound text.
//! Whether text looks garbled is [`badness`](super::badness)'s to say, what can be done about damaged bytes is
//! [`utf8`](super::utf8)'s. Invariant: text that does not look garbled comes back as it was.

use std::borrow::Cow;

use super::badness::is_bad;
use super::charmap::{CHARMAPS, windows_1252_char};
use super::{Effort, utf8};

/// Undoes misreadings until the text looks sound or no encoding explains it.
pub(super) fn repair(text: &str, effort: &mut Effort) -> String {
    let mut text = text.to_owned();
    while is_bad(&text) {
        let next = repair_once(&text, effort);
        if next == text || !effort.spend(next.len()) {
            return next.into_owned();
        }
        text = next.into_owned();
    }
    text
}

/// Undoes one misreading.
fn repair_once<'a>(text: &'a str, effort: &mut Effort) -> Cow<'a, str> {
    let explained = CHARMAPS.iter().find_map(|charmap| utf8::decode_damaged(charmap.encode(text)?, charmap.sloppy));
    if let Some(explained) = explained {
        return Cow::Owned(explained);
    }
    let pieced = repair_stretches(text, effort);
    if pieced != text {
        return Cow::Owned(pieced);
    }
    // No UTF-8 then: Latin-1 controls that were meant to be what Windows has in their place.
    text.chars().map(|c| if matches!(c, '\u{80}'..='\u{9f}') { windows_1252_char(c) } else { c }).collect()
}

/// Repairs every stretch that could be misread UTF-8 by itself, for text pasted together from several sources.
fn repair_stretches(text: &str, effort: &mut Effort) -> String {
    let mut repaired = String::with_capacity(text.len());
    let mut rest = text;
    let mut before = None;
    while let Some(c) = rest.chars().next() {
        // In the middle of a longer garble a few characters must not be picked out.
        let length = if before.is_some_and(is_strict_continuation) { 0 } else { stretch_length(rest) };
        let (stretch, after) = rest.split_at(if length == 0 { c.len_utf8() } else { length });
        // A stretch that is the whole text is where we came from.
        if length > 0 && stretch.len() < text.len() && is_bad(stretch) {
            repaired.push_str(&repair(stretch, effort));
        } else {
            repaired.push_str(stretch);
        }
        before = stretch.chars().next_back();
        rest = after;
    }
    repaired
}

/// The length in bytes of the run of misread UTF-8 sequences that `text` starts with, 0 if there is none.
fn stretch_length(text: &str) -> usize {
    let mut length = 0;
    while let Some(more) = sequence_length(&text[length..]) {
        length += more;
    }
    length
}

/// The length of the one misread sequence that `text` starts with: a first character and its continuations.
fn sequence_length(text: &str) -> Option<usize> {
    let mut chars = text.chars();
    let first = chars.next()?;
    let continuations = continuations(first)?;
    let rest = chars.as_str();
    let complete = chars.by_ref().take(continuations).filter(|&c| is_continuation(c)).count() == continuations;
    complete.then(|| first.len_utf8() + rest.len() - chars.as_str().len())
}

/// How many continuations follow `c` when it is the first byte of a UTF-8 sequence, misread in one of the encodings.
fn continuations(c: char) -> Option<usize> {
    match c {
        'Â'..='ß' | 'Β'..='Ρ' | 'Σ'..='ί' | 'В'..='Я' => Some(1),
        'Ă' | 'Ć' | 'Č' | 'Ď' | 'Đ' | 'Ę' | 'Ě' | 'Ğ' | 'İ' | 'Ĺ' | 'Ń' | 'Ň' | 'Ő' | 'Ř' | 'Ş' | 'Ţ' | 'Ů' | 'Ű' => {
            Some(1)
        }
        'à'..='ï' | 'ă' | 'ć' | 'č' | 'ď' | 'ę' | 'ě' | 'ĺ' | 'ŕ' | 'ΰ'..='ο' | 'а'..='п' => Some(2),
        'ð' | 'ó' | 'đ' | 'ğ' | 'π' | 'σ' | 'р' | 'у' => Some(3),
        _ => None,
    }
}

/// Whether `c` may be a misread continuation byte; a space may have been a no-break space.
fn is_continuation(c: char) -> bool {
    is_strict_continuation(c) || matches!(c, ' ' | '–' | '—' | '―' | '‘' | '’' | '‚' | '“' | '”' | '„' | '…')
}

/// The same without the punctuation that often stands beside mojibake in its own right.
fn is_strict_continuation(c: char) -> bool {
    match c {
        '\u{80}'..='¿' | 'Ş'..='š' | 'Ÿ'..='ž' | 'Ё'..='Ќ' | 'ё'..='ќ' => true,
        _ => "ĄąĽľŁłŒœŚśŤťƒˆˇ˘˛˜˝΄΅ΆΈΉΊΌΎΏЎЏўџҐґ†‡•‰‹›€№™".contains(c),
    }
}
