//! Prompts as the text tower takes them: cleaned, split, byte-pair encoded and bounded.
//!
//! Owns the split into pieces, the marker tokens and the context length; cleaning is [`text`]'s, merging
//! is `bpe`'s. Invariant: [`TokenIds`] can be fed to the model as they are. Does not know tensors or batches: ids are
//! not padded, since everything after the pooled position is without effect.

mod bpe;

use regex::Regex;

use self::bpe::Merges;
use super::text;

/// The most ids that the text tower takes, markers included.
pub const CONTEXT_LENGTH: usize = 77;
/// The id that every prompt starts with.
pub const START_OF_TEXT: u32 = 49_406;
/// The id that every prompt ends with; the largest there is.
pub const END_OF_TEXT: u32 = 49_407;

/// What splits a cleaned prompt: markers, English contractions, words, single digits, and runs of anything else.
///
/// Letters and numbers are those of Unicode 15.1, as in the reference; later ones are "anything else". What nothing
/// matches is dropped: white space, and U+0345, a combining mark whose upper case is a letter, which the reference's
/// engine puts into neither class when it ignores case.
const PIECES: &str = r"(?x)
    (?i: <\|startoftext\|> | <\|endoftext\|> | 's | 't | 're | 've | 'm | 'll | 'd )
    | [ \p{L} && \p{age=15.1} ]+
    | [ \p{N} && \p{age=15.1} ]
    | [^ \s \u{345} [ [\p{L}\p{N}] && \p{age=15.1} ] ]+";

/// A list of labels as one prompt, the way the model was trained to read them. No labels make the empty prompt.
pub fn join_labels<S: AsRef<str>>(labels: &[S]) -> String {
    let labels: Vec<&str> = labels.iter().map(AsRef::as_ref).collect();
    labels.join(", ")
}

/// CLIP's tokenizer. Takes a few milliseconds to build: build one and share it by reference.
pub struct Tokenizer {
    merges: Merges,
    pieces: Regex,
}

/// The ids of one prompt: [`START_OF_TEXT`] first, [`END_OF_TEXT`] last, at most [`CONTEXT_LENGTH`] in all.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TokenIds(Vec<u32>);

/// How long a prompt turned out that is longer than the model reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overflow {
    /// Ids that the whole prompt makes, markers included.
    pub count: usize,
    /// Ids that fit.
    pub limit: usize,
}

/// Why a prompt has no ids.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TokenError {
    /// The reference refuses such prompts too.
    #[error("prompt makes {} tokens, the model reads at most {}: shorten it or allow it to be cut", .0.count, .0.limit)]
    TooLong(Overflow),
}

impl Tokenizer {
    /// Builds the tokenizer from the vocabulary in this crate.
    pub fn new() -> Self {
        Self { merges: Merges::clip(), pieces: Regex::new(PIECES).expect("a constant pattern") }
    }

    /// The ids of `text` after cleaning.
    ///
    /// # Errors
    /// [`TokenError::TooLong`] when they are more than [`CONTEXT_LENGTH`].
    pub fn encode(&self, text: &str) -> Result<TokenIds, TokenError> {
        match self.encode_truncated(text) {
            (ids, None) => Ok(ids),
            (_, Some(overflow)) => Err(TokenError::TooLong(overflow)),
        }
    }

    /// The ids of `text` after cleaning, cut to fit; the overflow says that something was cut.
    ///
    /// A cut prompt keeps its first 76 ids and ends with [`END_OF_TEXT`], as in later versions of CLIP.
    pub fn encode_truncated(&self, text: &str) -> (TokenIds, Option<Overflow>) {
        let cleaned = text::clean(text);
        let mut ids = vec![START_OF_TEXT];
        for piece in self.pieces.find_iter(&cleaned) {
            self.push_piece(piece.as_str(), &mut ids);
        }
        let count = ids.len() + 1;
        ids.truncate(CONTEXT_LENGTH - 1);
        ids.push(END_OF_TEXT);
        let overflow = (count > CONTEXT_LENGTH).then_some(Overflow { count, limit: CONTEXT_LENGTH });
        (TokenIds(ids), overflow)
    }

    fn push_piece(&self, piece: &str, ids: &mut Vec<u32>) {
        match piece {
            // Markers that somebody typed are markers, as in the reference.
            "<|startoftext|>" => ids.push(START_OF_TEXT),
            "<|endoftext|>" => ids.push(END_OF_TEXT),
            _ => ids.extend(self.merges.encode(piece.as_bytes()).into_iter().map(u32::from)),
        }
    }
}

impl Default for Tokenizer {
    fn default() -> Self {
        Self::new()
    }
}

impl TokenIds {
    /// The ids, unpadded.
    pub fn as_slice(&self) -> &[u32] {
        &self.0
    }

    /// The position whose output is the prompt's embedding: the first [`END_OF_TEXT`], which is not the last one when
    /// the prompt itself contains the marker. Ids after it have no effect.
    pub fn eot_position(&self) -> usize {
        self.0.iter().position(|&id| id == END_OF_TEXT).expect("the last id is one")
    }
}

#[cfg(test)]
mod tests;
