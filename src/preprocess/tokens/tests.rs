use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

static TOKENIZER: LazyLock<Tokenizer> = LazyLock::new(Tokenizer::new);

#[track_caller]
fn check(text: &str, content: &[u32]) {
    let ids = TOKENIZER.encode(text).expect("short enough");
    assert_eq!(ids.as_slice(), [&[START_OF_TEXT], content, &[END_OF_TEXT]].concat());
}

#[test]
fn labels_are_joined_by_commas() {
    let none: [&str; 0] = [];
    assert_eq!(join_labels(&none), "");
    assert_eq!(join_labels(&[""]), "");
    assert_eq!(join_labels(&["dog", "crying baby"]), "dog, crying baby");
}

#[test]
fn marker_literals_are_markers() {
    check("<|EndOfText|> cat", &[END_OF_TEXT, 2368]);
    // Not a marker: the long s is folded when splitting, but the piece is not the literal.
    let folded = TOKENIZER.encode("<|ſtartoftext|>").expect("short enough");
    assert!(!folded.as_slice()[1..].contains(&START_OF_TEXT));
    // Not markers here, though other tokenizers use these names.
    assert!(!TOKENIZER.encode("<start_of_text>").expect("short enough").as_slice()[1..].contains(&START_OF_TEXT));
}

#[test]
fn the_first_end_marker_is_pooled() {
    let position = |text: &str| TOKENIZER.encode(text).expect("short enough").eot_position();
    assert_eq!(position(""), 1);
    assert_eq!(position("cat"), 2);
    assert_eq!(position("cat <|endoftext|> dog <|endoftext|>"), 2);
}

#[test]
fn contractions_are_pieces_of_their_own() {
    check("it's", &[585, 568]);
    check("'S 'T 'RE", &[568, 713, 982]);
    // `ſ` folds to `s`, so the apostrophe stays with it.
    check("'ſ", &[6, 129, 379]);
}

#[test]
fn a_mark_that_ignoring_case_makes_a_letter_is_dropped() {
    check("a\u{345}", &[320]);
    check("\u{345}", &[]);
}

#[test]
fn seventy_five_tokens_fit() {
    let dogs = |n: usize| vec!["dog"; n].join(" ");
    let full = TOKENIZER.encode(&dogs(75)).expect("just fits");
    assert_eq!(full.as_slice().len(), CONTEXT_LENGTH);
    let overflow = Overflow { count: 78, limit: 77 };
    assert_eq!(TOKENIZER.encode(&dogs(76)), Err(TokenError::TooLong(overflow)));
    assert_eq!(TOKENIZER.encode_truncated(&dogs(76)), (full.clone(), Some(overflow)));
    assert_eq!(TOKENIZER.encode_truncated(&dogs(75)), (full, None));
}

#[test]
fn the_error_says_what_to_do() {
    let message = TOKENIZER.encode(&"dog ".repeat(100)).unwrap_err().to_string();
    assert_eq!(message, "prompt makes 102 tokens, the model reads at most 77: shorten it or allow it to be cut");
}

#[test]
fn a_megabyte_without_a_space_takes_no_time() {
    let letters: String = (0..1_000_000_u32).map(|i| char::from(b'a' + (i.wrapping_mul(i) >> 7) as u8 % 26)).collect();
    let (ids, overflow) = TOKENIZER.encode_truncated(&letters);
    assert_eq!(ids.as_slice().len(), CONTEXT_LENGTH);
    assert!(overflow.is_some_and(|overflow| overflow.count > 100_000));
    // Merges reach over a few letters only, so the start of a shorter word must agree.
    let (start, _) = TOKENIZER.encode_truncated(&letters[..2_000]);
    assert_eq!(ids, start);
}

proptest! {
    #[test]
    fn any_text_gives_valid_ids(text in any::<String>()) {
        let (ids, overflow) = TOKENIZER.encode_truncated(&text);
        let ids = ids.as_slice();
        prop_assert_eq!(ids[0], START_OF_TEXT);
        prop_assert_eq!(ids[ids.len() - 1], END_OF_TEXT);
        prop_assert!(ids.len() <= CONTEXT_LENGTH);
        prop_assert!(ids.iter().all(|&id| id <= END_OF_TEXT));
        prop_assert_eq!(TOKENIZER.encode(&text).is_err(), overflow.is_some());
    }
}
