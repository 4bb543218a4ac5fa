//! Cleaning of prompts: what the model's authors did to every caption before it was split into tokens.
//!
//! Owns the whole way from a string as typed to the lower-case string that [`tokens`](super::tokens) splits: `fix_text`
//! of ftfy 6.1.1 with its defaults, HTML unescaping twice by Python's rules, white space collapsed, Python's
//! `str.lower`. The repair of garbled encodings follows ftfy (Robyn Speer, MIT licence) rule by rule, because a prompt
//! cleaned differently is a different prompt to the model.
//!
//! Invariant: never fails and never panics, and ends soon on any input. Text made to be repaired one character per
//! round would take time quadratic in its length, so the repair rounds share a budget of work (`Effort`): sixteen
//! rounds over a megabyte, thousands over a page, where two or three do. Beyond it text stays as it is.
//!
//! Known difference from the reference: characters newer than its Unicode 11 may compose or change case here.
//! Does not know tokens, context lengths or labels.

mod badness;
mod characters;
mod charmap;
mod html;
mod mojibake;
mod utf8;

/// ftfy repairs at most this many characters at once; longer lines are cut.
const SEGMENT_CHARS: usize = 1_000_000;

/// The string the tokenizer splits: repaired, unescaped, with single spaces and in lower case.
pub fn clean(text: &str) -> String {
    let repaired = repair(text);
    let unescaped = html::unescape(&repaired);
    let unescaped = html::unescape(&unescaped);
    // White_Space here and Python's `isspace` differ in U+001C..=U+001F only, which the steps above have removed.
    let words: Vec<&str> = unescaped.split_whitespace().collect();
    words.join(" ").to_lowercase()
}

/// `ftfy.fix_text` with default options: repairs line by line.
fn repair(text: &str) -> String {
    let mut effort = Effort::default();
    let mut entities = true;
    let mut repaired = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let mut rest = line;
        while !rest.is_empty() {
            let end = rest.char_indices().nth(SEGMENT_CHARS).map_or(rest.len(), |(end, _)| end);
            let (segment, tail) = rest.split_at(end);
            // A literal `<` says that this is HTML source: entities are then left alone, in the lines below it as well.
            entities &= !segment.contains('<');
            repaired.push_str(&repair_segment(segment, entities, &mut effort));
            rest = tail;
        }
    }
    repaired
}

/// Applies every repair, again and again until none changes anything.
fn repair_segment(segment: &str, entities: bool, effort: &mut Effort) -> String {
    let mut text = segment.to_owned();
    loop {
        let decoded = if entities { html::unescape_closed(&text) } else { text.clone() };
        let next = characters::simplify(&mojibake::repair(&decoded, effort));
        if next == text || !effort.spend(next.len()) {
            return next;
        }
        text = next;
    }
}

/// The work that one call of [`clean`] may still put into repair rounds, in bytes read again.
struct Effort {
    bytes: usize,
}

impl Default for Effort {
    /// Well under a second; ordinary text needs two rounds.
    fn default() -> Self {
        Self { bytes: 16 << 20 }
    }
}

impl Effort {
    /// Pays for another round over `bytes`; false when the budget is used up.
    fn spend(&mut self, bytes: usize) -> bool {
        let affordable = bytes <= self.bytes;
        self.bytes = self.bytes.saturating_sub(bytes);
        affordable
    }
}

#[cfg(test)]
mod tests;
