//! Terms to one direction: what of media counts, and how terms add up.

use std::sync::Arc;

use earmark::engine::options::SearchOptions;
use earmark::engine::query::{Query, Term, TermKind};

use super::library::{Library, Made, Opened, options, query, stored, text, vector};
use super::model::PlantedModel;

const RATE: u32 = 44_100;

/// A mono WAV file of 16 bits: pieces of a level, of some seconds each.
fn wav(pieces: &[(f32, u32)]) -> Arc<[u8]> {
    let samples = pieces.iter().flat_map(|&(level, seconds)| {
        std::iter::repeat_n((level * 32_767.0) as i16, (seconds * RATE).try_into().unwrap())
    });
    let data: Vec<u8> = samples.flat_map(i16::to_le_bytes).collect();
    let length = u32::try_from(data.len()).unwrap();
    let mut file = Vec::new();
    file.extend(b"RIFF");
    file.extend((36 + length).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16u32.to_le_bytes());
    file.extend([1u16, 1].map(u16::to_le_bytes).concat());
    file.extend([RATE, 2 * RATE].map(u32::to_le_bytes).concat());
    file.extend([2u16, 16].map(u16::to_le_bytes).concat());
    file.extend(b"data");
    file.extend(length.to_le_bytes());
    file.extend(data);
    file.into()
}

/// A picture of one colour, as BMP.
fn bmp([red, green, blue]: [u8; 3]) -> Arc<[u8]> {
    let mut file = b"BM".to_vec();
    file.extend([70u32, 0, 54, 40, 2, 2].map(u32::to_le_bytes).concat());
    file.extend([1u16, 24].map(u16::to_le_bytes).concat());
    file.extend([0u32, 16, 2835, 2835, 0, 0].map(u32::to_le_bytes).concat());
    for _ in 0..2 {
        file.extend([blue, green, red, blue, green, red, 0, 0]);
    }
    file.into()
}

fn term(what: TermKind) -> Term {
    Term { weight: 1.0, what }
}

/// One sound along each of the first three axes.
fn axes(options: SearchOptions) -> Opened {
    let axis = |axis: usize| {
        let mut values = [0.0; 3];
        values[axis] = 1.0;
        Made::sound(&format!("{axis}.wav"), &[&values])
    };
    Library::of(&[axis(0), axis(1), axis(2)]).open(Some(PlantedModel::start(None)), options, 10_000)
}

/// Cosines of the direction that terms lead in to the first three axes.
fn direction(opened: &Opened, terms: &[Term]) -> [f32; 3] {
    let answer = opened.ask(Query { terms: terms.to_vec(), ..Query::default() }).unwrap();
    std::array::from_fn(|axis| {
        let id = super::library::id(u32::try_from(axis).unwrap());
        answer.hits.iter().find(|hit| hit.asset.id == id).map_or(f32::NAN, |hit| hit.best.score)
    })
}

#[track_caller]
fn check(opened: &Opened, terms: &[Term], expected: [f32; 3]) {
    let length = expected.iter().map(|value| value * value).sum::<f32>().sqrt();
    let got = direction(opened, terms);
    for (got, expected) in got.into_iter().zip(expected) {
        assert!((got - expected / length).abs() < 1e-3, "got {got}, expected {}", expected / length);
    }
}

#[test]
fn terms_of_all_sorts_add_up() {
    let opened = axes(options());
    check(&opened, &[text("1 2 0")], [1.0, 2.0, 0.0]);
    check(&opened, &[term(TermKind::Audio(wav(&[(0.5, 1)])))], [1.0, 0.0, 0.0]);
    check(&opened, &[term(TermKind::Image(bmp([0, 100, 200])))], [0.0, 1.0, 2.0]);
    let away = Term { weight: -0.5, ..vector(&[0.0, 0.0, 3.0]) };
    let sound = Term { weight: 2.0, what: TermKind::Audio(wav(&[(-0.5, 6)])) };
    check(&opened, &[text("7"), sound, away], [1.0, 2.0, -0.5]);
}

#[test]
fn what_is_heard_in_the_first_seconds_counts() {
    let sound = |pieces: &[(f32, u32)]| [term(TermKind::Audio(wav(pieces)))];
    let first = axes(SearchOptions { query_audio_s: 10, ..options() });
    let all = axes(options());
    // Windows: one up, one silent, two down.
    let pieces = [(0.5, 5), (0.0, 5), (-0.5, 10)];
    check(&first, &sound(&pieces), [1.0, 0.0, 0.0]);
    check(&all, &sound(&pieces), [1.0, 2.0, 0.0]);
    // The louder window counts no more than the other.
    check(&all, &sound(&[(0.9, 5), (-0.1, 5)]), [1.0, 1.0, 0.0]);
    // Silence first is passed over; silence only is what there is.
    check(&all, &sound(&[(0.0, 10), (-0.5, 5)]), [0.0, 1.0, 0.0]);
    check(&all, &sound(&[(0.0, 12)]), [0.0, 0.0, 1.0]);
    // The first window counts, however little is allowed.
    let little = axes(SearchOptions { query_audio_s: 1, ..options() });
    check(&little, &sound(&pieces), [1.0, 0.0, 0.0]);
}

#[test]
fn an_asset_leads_where_what_is_heard_in_it_leads() {
    let up = [1.0, 0.0, 0.0];
    let down = [0.0, 1.0, 0.0];
    let aside = [0.0, 0.0, 1.0];
    let mut long = Made::sound("long.wav", &[&up, &down, &aside]);
    long.segments[2].1 = true;
    let mut mute = Made::sound("mute.wav", &[&aside]);
    mute.segments[0].1 = true;
    let axes = [up, down, aside].map(|axis| Made::sound(&format!("{axis:?}.wav"), &[&axis]));
    let opened = Library::of(&[&axes[..], &[long, mute]].concat()).open_plainly();
    check(&opened, &[stored(3, None)], [1.0, 1.0, 0.0]);
    check(&opened, &[stored(3, Some(1))], [0.0, 1.0, 0.0]);
    check(&opened, &[stored(3, Some(2))], [0.0, 0.0, 1.0]);
    check(&opened, &[stored(4, None)], [0.0, 0.0, 1.0]);
    check(&opened, &[stored(3, None), vector(&[0.0, 0.0, 9.0])], [1.0, 1.0, f32::sqrt(2.0)]);
}

#[test]
fn damage_in_the_query_s_media_is_told() {
    let opened = axes(options());
    let whole = wav(&[(0.5, 2)]);
    let cut: Arc<[u8]> = whole[..whole.len() / 2 + 1].into();
    let answer = opened.ask(query(term(TermKind::Audio(cut)))).unwrap();
    assert!(answer.notes.len() == 1 && answer.notes[0].starts_with("terms[0].audio: "), "{:?}", answer.notes);
    assert!(opened.ask(query(term(TermKind::Audio(whole)))).unwrap().notes.is_empty());
}
