//! Tokens: identical to the reference's.

use std::fs::{read, read_to_string};

use earmark::preprocess::text::clean;
use earmark::preprocess::tokens::{
    CONTEXT_LENGTH, END_OF_TEXT, Overflow, TokenError, TokenIds, Tokenizer, join_labels,
};
use serde::Deserialize;

/// `inputs/text.json` of the golden data.
#[derive(Deserialize)]
struct Goldens {
    prompts: Vec<Prompt>,
    labels: Vec<Case>,
    tokens_only: Vec<Case>,
}

#[derive(Deserialize)]
struct Prompt {
    labels: Vec<String>,
    joined: String,
    row: usize,
    cleaned: String,
    #[serde(flatten)]
    outcome: Outcome,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Outcome {
    Encoded { ids: Vec<u32>, eot_pos: usize },
    Refused { n_tokens: usize },
}

#[derive(Deserialize)]
struct Case {
    text: String,
    ids: Vec<u32>,
    cleaned: Option<String>,
}

fn goldens() -> Goldens {
    let json = read_to_string(crate::shared("audioclip/inputs/text.json")).expect("the golden data lies beside us");
    serde_json::from_str(&json).expect("it has the form above")
}

/// `inputs/tokens.npy`: rows of padded ids, as little-endian 32-bit integers after numpy's header.
fn token_rows() -> Vec<Vec<u32>> {
    let bytes = read(crate::shared("audioclip/inputs/tokens.npy")).expect("the golden data lies beside us");
    let header = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    assert!(String::from_utf8_lossy(&bytes[..header]).contains("'descr': '<i4', 'fortran_order': False"));
    let id = |id: &[u8]| u32::from_le_bytes([id[0], id[1], id[2], id[3]]);
    bytes[header..].chunks_exact(4 * CONTEXT_LENGTH).map(|row| row.chunks_exact(4).map(id).collect()).collect()
}

/// Compares both ways of encoding with the ids of the whole prompt, however many they are.
#[track_caller]
fn check(tokenizer: &Tokenizer, text: &str, expected: &[u32]) {
    let (count, limit) = (expected.len(), CONTEXT_LENGTH);
    let (ids, overflow) = tokenizer.encode_truncated(text);
    if count <= limit {
        assert_eq!((ids.as_slice(), overflow), (expected, None), "{text:?}");
        assert_eq!(tokenizer.encode(text), Ok(ids), "{text:?}");
    } else {
        let overflow_expected = Overflow { count, limit };
        let cut = [&expected[..limit - 1], &[END_OF_TEXT]].concat();
        assert_eq!((ids.as_slice(), overflow), (cut.as_slice(), Some(overflow_expected)), "{text:?}");
        assert_eq!(tokenizer.encode(text), Err(TokenError::TooLong(overflow_expected)), "{text:?}");
    }
}

#[test]
fn golden_prompts_give_the_golden_ids() {
    let (tokenizer, rows) = (Tokenizer::new(), token_rows());
    let prompts = goldens().prompts;
    assert!(prompts.len() >= 24);
    for prompt in prompts {
        assert_eq!(join_labels(&prompt.labels), prompt.joined);
        assert_eq!(clean(&prompt.joined), prompt.cleaned);
        match prompt.outcome {
            Outcome::Encoded { ids, eot_pos } => {
                check(&tokenizer, &prompt.joined, &ids);
                let encoded = tokenizer.encode(&prompt.joined).unwrap();
                assert_eq!(encoded.eot_position(), eot_pos, "{:?}", prompt.joined);
                assert_eq!(padded(&encoded), rows[prompt.row], "{:?}", prompt.joined);
            }
            Outcome::Refused { n_tokens: count } => {
                let overflow = Overflow { count, limit: CONTEXT_LENGTH };
                assert_eq!(tokenizer.encode(&prompt.joined), Err(TokenError::TooLong(overflow)));
            }
        }
    }
}

fn padded(ids: &TokenIds) -> Vec<u32> {
    let mut row = ids.as_slice().to_vec();
    row.resize(CONTEXT_LENGTH, 0);
    row
}

#[test]
fn golden_texts_give_the_golden_ids() {
    let tokenizer = Tokenizer::new();
    let Goldens { labels, tokens_only, .. } = goldens();
    assert!(labels.len() >= 60 && tokens_only.len() >= 35);
    for case in labels.into_iter().chain(tokens_only) {
        if let Some(cleaned) = case.cleaned {
            assert_eq!(clean(&case.text), cleaned, "{:?}", case.text);
        }
        check(&tokenizer, &case.text, &case.ids);
    }
}

#[test]
fn tricky_texts_give_the_ids_of_the_reference() {
    #[derive(Deserialize)]
    struct Line {
        text: String,
        cleaned: String,
        ids: Vec<u32>,
    }
    let tokenizer = Tokenizer::new();
    let corpus = include_str!("../data/text/corpus.jsonl");
    assert!(corpus.lines().count() > 500);
    for line in corpus.lines() {
        let line: Line = serde_json::from_str(line).unwrap();
        assert_eq!(clean(&line.text), line.cleaned, "{:?}", line.text);
        check(&tokenizer, &line.text, &line.ids);
    }
}
