//! A small world of our own: things that have a sound, a picture and words, all made from a seed.
//!
//! Owns the concepts, and what they sound like, look like and are called. It is what the demo model is trained and
//! measured on and what `earmark demo` shows. Invariant: the same seed gives the same sound, picture and words on every
//! machine. Knows neither files nor models.

#![allow(
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "counts of samples, pixels and strokes are small, and worked out in f64"
)]

mod dice;
mod picture;
mod sound;
mod words;

use crate::media::{Recording, RgbImage};

pub use dice::Dice;

/// A kind of thing in the world.
#[derive(Clone, Copy)]
pub struct Concept {
    words: &'static words::Words,
    render: sound::Render,
    draw: picture::Draw,
}

impl Concept {
    /// All there are, in alphabetical order.
    pub fn all() -> Vec<Self> {
        let mut all: Vec<Self> = words::all().iter().filter_map(Self::of).collect();
        all.sort_by_key(Self::name);
        all
    }

    /// The concept of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|concept| concept.name() == name)
    }

    fn of(words: &'static words::Words) -> Option<Self> {
        Some(Self { words, render: sound::render(&words.name)?, draw: picture::draw(&words.name)? })
    }

    /// What it is called by in file names and tables: one or two plain words.
    pub fn name(&self) -> &'static str {
        &self.words.name
    }

    /// A recording of it.
    pub fn sound(&self, dice: &mut Dice) -> Recording {
        sound::record(self.render, dice)
    }

    /// A square picture of it.
    pub fn picture(&self, side: u32, dice: &mut Dice) -> RgbImage {
        picture::paint(self.draw, side, dice)
    }

    /// A caption as the model is taught with.
    pub fn caption(&self, dice: &mut Dice) -> String {
        words::caption(self.words, dice)
    }

    /// Ways to say it that no caption has.
    pub fn paraphrases(&self) -> &'static [String] {
        &self.words.paraphrases
    }
}

impl std::fmt::Debug for Concept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Concept").field(&self.name()).finish()
    }
}

/// A long recording of a quiet place in which concepts are heard for `event_s` seconds each, from the given moments on.
pub fn field_recording(events: &[(f64, Concept)], seconds: f64, event_s: f64, dice: &mut Dice) -> Recording {
    let events: Vec<_> = events.iter().map(|(at_s, concept)| (*at_s, concept.render)).collect();
    sound::field_recording(&events, seconds, event_s, dice)
}
