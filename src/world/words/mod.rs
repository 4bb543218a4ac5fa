//! What things are called: a lexicon of synonyms for each concept, and a grammar that makes captions of it.

use std::sync::LazyLock;

use serde::Deserialize;

use super::Dice;

/// What is said of a concept.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Words {
    /// One or two plain words, unique.
    pub(super) name: String,
    /// Things that make the sound or are seen: "dog", "puppy", "hound".
    things: Vec<String>,
    /// What is heard, as a noun: "bark", "barking", "yapping".
    sounds: Vec<String>,
    /// Whole phrases that say it: "a dog barks", "barking of a dog".
    phrases: Vec<String>,
    /// What it may be like: "angry", "big", "distant".
    qualities: Vec<String>,
    /// Ways to say it that no caption is made of, each with at least one word that is in the lists above.
    pub(super) paraphrases: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lexicon {
    concept: Vec<Words>,
}

/// One file a family of concepts.
const FILES: [&str; 6] = [
    include_str!("animals.toml"),
    include_str!("household.toml"),
    include_str!("machines.toml"),
    include_str!("music.toml"),
    include_str!("signals.toml"),
    include_str!("weather.toml"),
];

static ALL: LazyLock<Vec<Words>> = LazyLock::new(|| {
    let read = |text: &&str| toml::from_str::<Lexicon>(text).expect("the lexicon is part of the program").concept;
    FILES.iter().flat_map(read).collect()
});

/// The words of all concepts.
pub(super) fn all() -> &'static [Words] {
    &ALL
}

/// A caption: a bare word, a phrase, or a sentence around them.
pub(super) fn caption(words: &Words, dice: &mut Dice) -> String {
    let thing = dice.pick(&words.things).clone();
    let heard = dice.pick(&words.sounds).clone();
    let quality = dice.pick(&words.qualities).clone();
    let core = match dice.count(0, 9) {
        0 => words.name.clone(),
        1 => thing,
        2 => heard,
        3 => format!("{quality} {thing}"),
        4 => format!("{quality} {heard}"),
        5 => format!("{thing} {heard}"),
        6 => format!("{heard} of a {thing}"),
        _ => dice.pick(&words.phrases).clone(),
    };
    framed(&core, dice)
}

/// Words around the subject that say nothing about what it is.
fn framed(core: &str, dice: &mut Dice) -> String {
    const BEFORE: [&str; 16] = [
        "the sound of",
        "sound of",
        "a recording of",
        "recording of",
        "a picture of",
        "a photo of a",
        "an icon of a",
        "a drawing of a",
        "the noise of",
        "somebody hears",
        "you can hear",
        "there is",
        "this is",
        "close",
        "a",
        "the",
    ];
    const AFTER: [&str; 16] = [
        "in the distance",
        "nearby",
        "outside",
        "inside",
        "in a room",
        "at night",
        "in the morning",
        "close up",
        "far away",
        "sound effect",
        "sound",
        "in stereo",
        "on a white background",
        "recorded outdoors",
        "in the background",
        "noise",
    ];
    match dice.count(0, 9) {
        0..=4 => core.to_owned(),
        5 | 6 => format!("{} {core}", dice.pick(&BEFORE)),
        7 | 8 => format!("{core} {}", dice.pick(&AFTER)),
        _ => format!("{} {core} {}", dice.pick(&BEFORE), dice.pick(&AFTER)),
    }
}
