//! Random libraries and filters, drawn from few words, so that they often meet.

use std::ops;

use earmark::library::{Description, Filter, Range, RootId, TechnicalFacts};
use earmark::media::MediaKind;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::query::library::{DIMENSIONS, Library, Made};

const ROOTS: [(u32, &str); 3] = [(1, "/lib/doors"), (2, "/lib/doors2"), (3, "/mnt/Rain Ä")];
const PATHS: [&str; 14] = [
    "a.wav",
    "A/b.WAV",
    "a/b/c.flac",
    "a/b.wav/d.mp3",
    "Wood/DOORWood_Creak_AB_Lib.wav",
    "DOORWood_Slam_AB_Lib.wav",
    "rain/RAINConc_Heavy_CD_Lib.wav",
    "RAINConc_Light_CD_Lib.flac",
    "ÜBER/Straße.ogg",
    "über/x.Wav",
    "no extension",
    ".hidden",
    "x/.wav",
    "DOORS wood.aif",
];

/// What starts a file name of the Universal Category System, its category and subcategory.
pub const UCS: [(&str, &str, &str); 2] = [("DOORWood_", "DOORS", "WOOD"), ("RAINConc_", "RAIN", "CONCRETE")];

/// Tells whether a path in lower case matches.
type Matches = fn(&str) -> bool;

/// Globs and what they mean.
pub const GLOBS: [(&str, Matches); 7] = [
    ("*", |path| !path.contains('/')),
    ("**", |_| true),
    ("**/*.WAV", |path| path.ends_with(".wav")),
    ("a/**", |path| path.starts_with("a/")),
    ("Über/*", |path| path.starts_with("über/")),
    ("{rain,WOOD}/*", |path| path.starts_with("rain/") || path.starts_with("wood/")),
    ("?.wav", |path| path == "a.wav"),
];

fn some<T: Clone + std::fmt::Debug + 'static>(values: &'static [T]) -> impl Strategy<Value = Option<T>> {
    prop_oneof![3 => Just(None), 1 => select(values).prop_map(Some)]
}

fn word(values: &'static [&'static str]) -> impl Strategy<Value = Option<String>> {
    some(values).prop_map(|word| word.map(str::to_owned))
}

fn facts() -> impl Strategy<Value = TechnicalFacts> {
    (prop::option::of(0u64..5), prop::option::of(0u32..4), prop::option::of(0u32..4)).prop_map(
        |(duration_ms, sample_rate_hz, channels)| TechnicalFacts {
            duration_ms,
            sample_rate_hz,
            channels,
            ..TechnicalFacts::default()
        },
    )
}

fn description() -> impl Strategy<Value = Description> {
    let keywords = subsequence(vec!["wood", "Door", "ÉCLAT", "rain heavy"], 0..4);
    let field = word(&["A long Field about rain", "Straße"]);
    (word(&["Creaky Door", "ÜBER rain"]), word(&["Doors", "RAIN"]), word(&["wood", "METAL"]), keywords, field).prop_map(
        |(title, category, subcategory, keywords, field)| Description {
            title,
            category,
            subcategory,
            keywords: keywords.into_iter().map(str::to_owned).collect(),
            fields: field.into_iter().map(|field| ("bext.description".into(), field)).collect(),
            ..Description::default()
        },
    )
}

/// Values on a grid, so that there are ties; the last one keeps them from being all zero.
fn segment() -> impl Strategy<Value = (Vec<f32>, bool)> {
    let values = prop::collection::vec((-2i8..=2).prop_map(f32::from), DIMENSIONS - 1);
    (values, prop::bool::weighted(0.2)).prop_map(|(mut values, silent)| {
        values.push(1.0);
        (values, silent)
    })
}

/// Assets with files that may be those of another; then the first one has them.
pub fn libraries(count: ops::Range<usize>) -> impl Strategy<Value = Vec<Made>> {
    let file = (1u32..4, select(&PATHS[..]), 0i64..6).prop_map(|(root, path, modified)| (root, path.into(), modified));
    let made = (
        select(&MediaKind::ALL[..]),
        prop::collection::vec(segment(), 1..5),
        facts(),
        description(),
        prop::collection::vec(file, 0..4),
    );
    let made =
        made.prop_map(|(kind, segments, facts, description, files)| Made { kind, segments, facts, description, files });
    prop::collection::vec(made, count)
}

/// The library of these assets.
pub fn library(assets: &[Made]) -> Library {
    let mut library = Library::new(&ROOTS);
    for (number, made) in (0..).zip(assets) {
        library.add(number, made);
    }
    library
}

fn range<T: Copy + std::fmt::Debug + 'static>(values: &'static [T]) -> impl Strategy<Value = Range<T>> {
    (some(values), some(values)).prop_map(|(min, max)| Range { min, max })
}

/// Filters, of which most have few conditions.
pub fn filters() -> impl Strategy<Value = Filter> {
    let places = (
        some(&[MediaKind::Audio, MediaKind::Image]),
        prop_oneof![4 => Just(vec![]), 1 => subsequence(vec![1, 2, 3, 9], 1..3)],
        word(&["/", "/lib/", "/lib/doors", "/lib/doors/a", "/mnt/Rain Ä/über", "/lib/doors/a.wav", "/nowhere"]),
        some(&GLOBS).prop_map(|glob| glob.map(|(pattern, _)| pattern.to_owned())),
        prop_oneof![4 => Just(vec![]), 1 => subsequence(vec!["wav", ".FLAC", "ogg", ""], 1..3)],
    );
    let facts = (range(&[0u64, 1, 2, 3, 4]), range(&[0u32, 1, 2, 3]), range(&[0u32, 1, 2, 3]), range(&[0i64, 2, 4, 5]));
    let texts = (
        word(&["doors", "RAIN", "nothing"]),
        word(&["Wood", "concrete"]),
        prop_oneof![4 => Just(vec![]), 1 => subsequence(vec!["WOOD", "door", "éclat", "rain"], 1..3)],
        word(&["door", "RAIN über", "  ", "strasse", "STRAßE", "field wood"]),
    );
    (places, facts, texts).prop_map(|(places, facts, texts)| Filter {
        kinds: places.0.into_iter().collect(),
        roots: places.1.into_iter().map(RootId).collect(),
        path_prefix: places.2,
        path_glob: places.3,
        extensions: places.4.into_iter().map(str::to_owned).collect(),
        duration_ms: facts.0,
        sample_rate_hz: facts.1,
        channels: facts.2,
        modified_ms: facts.3,
        category: texts.0,
        subcategory: texts.1,
        keywords: texts.2.into_iter().map(str::to_owned).collect(),
        text: texts.3,
    })
}
