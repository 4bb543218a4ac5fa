//! What the demo library consists of.

use std::collections::BTreeMap;

use super::files::SampleFormat;
use crate::media::MediaKind;
use crate::world::{Concept, Dice};

/// Sounds in the whole library, the long recording among them.
const SOUNDS: usize = 200;
/// Pictures in the whole library.
const PICTURES: usize = 120;
/// Seeds of the files. The model was taught with seeds below 2³².
const FIRST_SEED: u64 = 1 << 40;

/// Length of the long recording.
pub(super) const RECORDING_S: f64 = 180.0;
/// How long everything in it is heard.
pub(super) const EVENT_S: f64 = 4.2;
const RECORDING_PATH: &str = "sounds/Field recordings/2025-06-14 evening at the harbour.wav";
/// What is heard in the long recording, and from when on.
const EVENTS: [(f64, &str); 8] = [
    (10.4, "bird"),
    (30.4, "dog bark"),
    (50.4, "bell"),
    (75.4, "car horn"),
    (95.4, "thunder"),
    (120.4, "baby cry"),
    (140.4, "siren"),
    (160.4, "rooster"),
];

/// Longest sounds, in seconds, of those with a name and of those as a recorder left them.
const LONGEST_S: [f64; 2] = [5.0, 3.0];
/// Sides of the pictures.
const SIDES: (usize, usize) = (200, 640);

/// Folders of what has a name.
const SHELVES: [(&str, &[&str]); 5] = [
    ("Weather", &["rain", "thunder", "sea waves", "wind", "fire crackling", "water drop", "bubbles"]),
    ("Animals", &["bird", "cat", "cricket", "frog", "owl", "rooster", "bee", "dog bark"]),
    (
        "People and rooms",
        &["footsteps", "clock tick", "glass", "zipper", "baby cry", "person sneeze", "door", "applause", "heartbeat"],
    ),
    (
        "Machines",
        &["engine", "helicopter", "chainsaw", "train", "jet", "camera", "keyboard", "cash register", "car horn"],
    ),
    ("Music", &["bell", "gong", "drum", "guitar", "flute", "whistle"]),
];
const OTHER_SHELF: &str = "Effects";

/// A file of the library.
#[derive(Debug, Clone)]
pub struct Planned {
    /// Below the library, with `/`.
    pub path: String,
    /// What is in it.
    pub content: Content,
    /// Everything else follows from it.
    pub(super) seed: u64,
}

/// What is in a file.
#[derive(Debug, Clone)]
pub enum Content {
    /// A sound of one thing.
    Sound {
        /// What is heard.
        concept: Concept,
        /// At most this long.
        longest_s: f64,
        /// How it is stored.
        format: SampleFormat,
    },
    /// A picture of one thing.
    Picture {
        /// What is seen.
        concept: Concept,
        /// Pixels a row, and rows.
        side: u32,
    },
    /// A long sound of several things.
    Recording(Vec<Event>),
}

/// Something in the long recording.
#[derive(Debug, Clone, Copy)]
pub struct Event {
    /// When it begins.
    pub start_s: f64,
    /// When it is over.
    pub end_s: f64,
    /// What is heard.
    pub concept: Concept,
}

/// The files of a library.
#[derive(Debug, Clone)]
pub struct Plan {
    /// In the order of their seeds.
    pub files: Vec<Planned>,
}

impl Plan {
    /// The whole library: 200 sounds and 120 pictures.
    pub fn whole() -> Self {
        Self::new(&Concept::all(), SOUNDS, PICTURES)
    }

    /// A library of so many sounds, one of which is the long recording, and pictures, evenly of these concepts.
    pub fn new(concepts: &[Concept], sounds: usize, pictures: usize) -> Self {
        let mut files = Vec::new();
        let kinds = [(MediaKind::Audio, sounds.saturating_sub(1)), (MediaKind::Image, pictures)];
        let all = kinds.into_iter().flat_map(|(kind, count)| (0..count).map(move |index| (kind, index)));
        // Without concepts there is nothing to be made.
        for (kind, index) in all.filter(|_| !concepts.is_empty()) {
            let (take, concept) = (index / concepts.len(), concepts[index % concepts.len()]);
            let seed = FIRST_SEED + files.len() as u64;
            let (path, content) = (path(kind, concept, take, index), content(kind, concept, take, seed));
            files.push(Planned { path, content, seed });
        }
        if sounds > 0 {
            let event = |(start_s, name): (f64, &str)| {
                let concept = concepts.iter().find(|concept| concept.name() == name).copied()?;
                Some(Event { start_s, end_s: start_s + EVENT_S, concept })
            };
            let content = Content::Recording(EVENTS.into_iter().filter_map(event).collect());
            files.push(Planned { path: RECORDING_PATH.into(), content, seed: FIRST_SEED - 1 });
        }
        Self { files }
    }

    /// How many files there are of each kind.
    pub fn counts(&self) -> BTreeMap<MediaKind, usize> {
        let mut counts = BTreeMap::new();
        self.files.iter().for_each(|file| *counts.entry(file.content.kind()).or_default() += 1);
        counts
    }
}

impl Content {
    /// Whether it is heard or seen.
    pub fn kind(&self) -> MediaKind {
        match self {
            Self::Picture { .. } => MediaKind::Image,
            Self::Sound { .. } | Self::Recording(_) => MediaKind::Audio,
        }
    }

    /// The one thing that it is of, or that is heard at a time.
    pub fn concept_within(&self, start_s: f64, end_s: f64) -> Option<&'static str> {
        match self {
            Self::Sound { concept, .. } | Self::Picture { concept, .. } => Some(concept.name()),
            Self::Recording(events) => {
                let heard = |event: &&Event| event.start_s < end_s && event.end_s > start_s;
                events.iter().find(heard).map(|event| event.concept.name())
            }
        }
    }
}

/// Every other take has a name that says what it is; the others are as a recorder or a camera left them.
fn path(kind: MediaKind, concept: Concept, take: usize, index: usize) -> String {
    let name = concept.name();
    let is_on = |(_, names): &&(&str, &[&str])| names.contains(&name);
    let shelf = SHELVES.iter().find(is_on).map_or(OTHER_SHELF, |(shelf, _)| *shelf);
    match (kind, take % 2) {
        (MediaKind::Audio, 0) => format!("sounds/{shelf}/{name} {:02}.wav", take + 1),
        (MediaKind::Audio, _) => format!("sounds/Recorder/REC_{:04}.wav", index + 1),
        (MediaKind::Image, 0) => format!("pictures/{shelf}/{name} {:02}.png", take + 1),
        (MediaKind::Image, _) => format!("pictures/Camera/IMG_{:04}.png", index + 1),
    }
}

fn content(kind: MediaKind, concept: Concept, take: usize, seed: u64) -> Content {
    let mut dice = Dice::new(seed);
    match kind {
        MediaKind::Audio => {
            Content::Sound { concept, longest_s: LONGEST_S[take % 2], format: *dice.pick(&SampleFormat::ALL) }
        }
        MediaKind::Image => {
            let side = u32::try_from(dice.count(SIDES.0, SIDES.1)).expect("a side is a few hundred pixels");
            Content::Picture { concept, side }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_has_what_was_asked_for_under_names_of_its_own() {
        let concepts = Concept::all();
        let plan = Plan::new(&concepts, 40, 30);
        assert_eq!(plan.counts(), BTreeMap::from([(MediaKind::Audio, 40), (MediaKind::Image, 30)]));
        let names: std::collections::BTreeSet<&str> = plan.files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(names.len(), 70);
        assert_eq!(Plan::new(&[], 40, 30).files.len(), 1);
    }

    #[test]
    fn half_of_the_names_say_nothing() {
        let plan = Plan::whole();
        let silent = plan.files.iter().filter(|file| file.path.contains("/REC_") || file.path.contains("/IMG_"));
        assert!(silent.count() * 3 > plan.files.len());
    }

    #[test]
    fn what_is_heard_in_the_recording_is_known_by_its_time() {
        let plan = Plan::whole();
        let recording = &plan.files.last().unwrap().content;
        assert_eq!(recording.concept_within(95.0, 100.0), Some("thunder"));
        assert_eq!(recording.concept_within(100.0, 105.0), None);
        assert_eq!(recording.concept_within(0.0, 10.4), None);
        for event in EVENTS {
            assert!(Concept::named(event.1).is_some(), "{}", event.1);
            assert!(event.0 + EVENT_S < RECORDING_S);
        }
    }
}
