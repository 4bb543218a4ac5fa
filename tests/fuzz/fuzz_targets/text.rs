//! Prompts: any text is cleaned and becomes ids that the model takes, or is too long.
#![no_main]

use std::sync::LazyLock;

use earmark::preprocess::tokens::{CONTEXT_LENGTH, END_OF_TEXT, START_OF_TEXT, TokenError, Tokenizer};
use libfuzzer_sys::fuzz_target;

static TOKENIZER: LazyLock<Tokenizer> = LazyLock::new(Tokenizer::new);

fuzz_target!(|input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    let (ids, overflow) = TOKENIZER.encode_truncated(&text);
    let slice = ids.as_slice();
    assert!((2..=CONTEXT_LENGTH).contains(&slice.len()));
    assert_eq!((slice[0], slice[slice.len() - 1]), (START_OF_TEXT, END_OF_TEXT));
    assert!(slice.iter().all(|&id| id <= END_OF_TEXT));
    assert_eq!(slice[ids.eot_position()], END_OF_TEXT);
    // A prompt that was cut is full, and says so.
    assert!(overflow.is_none_or(|it| it.count > it.limit && slice.len() == CONTEXT_LENGTH));
    assert_eq!(TOKENIZER.encode(&text), overflow.map_or(Ok(ids), |it| Err(TokenError::TooLong(it))));
});
