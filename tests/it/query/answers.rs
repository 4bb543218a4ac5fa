//! What an answer holds: silence, grouping, both kinds, confidence, cut-offs.

use earmark::engine::query::{Answer, Query, Term};
use earmark::library::{Filter, Range};
use earmark::media::MediaKind;
use half::f16;

use super::library::{Library, Made, id, key, options, query, stored, text, vector};
use super::model::{PlantedModel, SCALES};

/// A vector at this cosine to the first axis.
fn at(cosine: f32) -> [f32; 2] {
    [cosine, (1.0 - cosine * cosine).sqrt()]
}

/// To three digits: values are kept in half precision.
fn scores(answer: &Answer) -> Vec<f32> {
    answer.hits.iter().map(|hit| (hit.best.score * 1e3).round() / 1e3).collect()
}

#[test]
fn silence_is_left_out_unless_asked_for() {
    let mut quiet = Made::sound("quiet.wav", &[&at(0.9), &at(0.2)]);
    quiet.segments[0].1 = true;
    let mut mute = Made::sound("mute.wav", &[&at(0.8)]);
    mute.segments[0].1 = true;
    let opened = Library::of(&[quiet, mute, Made::sound("loud.wav", &[&at(0.5)])]).open_plainly();
    // A filter that everything passes takes the other way through the index.
    let everything = Filter { path_prefix: Some("/".into()), ..Filter::default() };
    for filter in [Filter::default(), everything] {
        let ask = |silent| opened.ask(Query { silent, filter: filter.clone(), ..query(vector(&[1.0])) }).unwrap();
        assert_eq!(scores(&ask(false)), [0.5, 0.2]);
        assert_eq!(scores(&ask(true)), [0.9, 0.8, 0.5]);
        assert!(ask(false).hits[1].others.is_empty() && ask(true).hits[0].others.len() == 1);
        assert!(ask(true).hits[1].best.segment.silent);
    }
}

#[test]
fn a_long_recording_does_not_crowd_out_the_others() {
    // Two thousand segments, all of them nearer than anything else. In half precision some are equally near.
    let near: Vec<[f32; 2]> = (0..2_000).map(|index| at(0.9 + index as f32 * 4e-5)).collect();
    let mut order: Vec<u32> = (0..2_000).collect();
    order.sort_by_key(|&ordinal| std::cmp::Reverse(f16::from_f32(near[ordinal as usize][0]).to_bits()));
    let near: Vec<&[f32]> = near.iter().map(<[f32; 2]>::as_slice).collect();
    let mut assets = vec![Made::sound("long.wav", &near)];
    assets.extend((0..12).map(|index| Made::sound(&format!("{index}.wav"), &[&at(0.5 - index as f32 / 100.0)])));
    for exact_below in [100_000, 100] {
        let opened = Library::of(&assets).open(None, options(), exact_below);
        let answer = opened.ask(Query { limit: 10, ..query(vector(&[1.0])) }).unwrap();
        assert_eq!(answer.hits.len(), 10);
        // Before there are ten sounds, all has been looked at.
        assert!(answer.more && answer.exact);
        let best = &answer.hits[0];
        assert_eq!((best.asset.id, best.best.ordinal), (id(0), order[0]));
        assert_eq!(best.best.segment.span.start_ms, u64::from(order[0]) * 5_000);
        let others: Vec<u32> = best.others.iter().map(|other| other.ordinal).collect();
        assert_eq!(others, order[1..11]);
        let ungrouped = opened.ask(Query { limit: 10, grouped: false, ..query(vector(&[1.0])) }).unwrap();
        assert!(ungrouped.hits.iter().all(|hit| hit.asset.id == id(0) && hit.others.is_empty()));
        assert!(ungrouped.exact || exact_below == 100);
    }
}

#[test]
fn what_is_gone_is_not_found() {
    let mut nowhere = Made::sound("", &[&at(0.9)]);
    nowhere.files.clear();
    let opened = Library::of(&[nowhere, Made::sound("a.wav", &[&at(0.5)])]).open_plainly();
    let everything = Filter { path_prefix: Some("/".into()), ..Filter::default() };
    for filter in [Filter::default(), everything] {
        assert_eq!(opened.found(Query { filter, ..query(vector(&[1.0])) }), [id(1)]);
    }
    // The file goes; the index has not heard of it yet.
    opened.searcher.catalog.write().unwrap().remove_file(&key(1, "a.wav"));
    assert!(opened.found(query(vector(&[1.0]))).is_empty());
    let mut catalog = opened.searcher.catalog.write().unwrap();
    catalog.remove_asset(id(1)).unwrap();
    drop(catalog);
    assert!(opened.found(query(vector(&[1.0]))).is_empty());
}

#[test]
fn others_like_an_asset_are_not_the_asset() {
    let sounds = [at(1.0), at(0.9), at(0.1)].map(|vector| Made::sound(&format!("{vector:?}.wav"), &[&vector]));
    let opened = Library::of(&sounds).open_plainly();
    assert_eq!(opened.found(query(stored(0, None))), [id(1), id(2)]);
    let filter = Filter { path_prefix: Some("/".into()), ..Filter::default() };
    assert_eq!(opened.found(Query { filter, ..query(stored(0, Some(0))) }), [id(1), id(2)]);
    // Leading away from an asset does not hide it.
    let away = Term { weight: -0.5, ..stored(0, None) };
    let terms = vec![vector(&[0.0, 1.0]), away];
    assert_eq!(opened.found(Query { terms, ..Query::default() }), [id(2), id(1), id(0)]);
}

#[test]
fn kinds_are_searched_as_the_filter_says() {
    let assets = [Made::sound("a.wav", &[&at(0.2)]), Made::picture("b.png", &at(0.7))];
    let opened = Library::of(&assets).open_plainly();
    let found = |kinds: &[MediaKind]| {
        let filter = Filter { kinds: kinds.to_vec(), ..Filter::default() };
        opened.found(Query { filter, ..query(vector(&[1.0])) })
    };
    assert_eq!(found(&[MediaKind::Audio]), [id(0)]);
    assert_eq!(found(&[MediaKind::Image, MediaKind::Image]), [id(1)]);
    assert_eq!(found(&[]), [id(1), id(0)]);
    assert_eq!(found(&MediaKind::ALL), [id(1), id(0)]);
}

/// Ten sounds at cosines 0.00 to 0.09 and one at 0.3; ten pictures at 0.30 to 0.75 and one at 0.8.
fn both_kinds() -> Vec<Made> {
    let sounds = (0..10).map(|index| index as f32 / 100.0).chain([0.3]);
    let sounds = sounds.map(|cosine| Made::sound(&format!("{cosine}.wav"), &[&at(cosine)]));
    let pictures = (0..10).map(|index| 0.3 + index as f32 / 20.0).chain([0.8]);
    let pictures = pictures.map(|cosine| Made::picture(&format!("{cosine}.png"), &at(cosine)));
    sounds.chain(pictures).collect()
}

#[test]
fn kinds_are_merged_by_how_far_hits_stand_out() {
    let opened = Library::of(&both_kinds()).open_plainly();
    let answer = opened.ask(Query { limit: 2, ..query(vector(&[1.0])) }).unwrap();
    let first: Vec<_> = answer.hits.iter().map(|hit| hit.asset.id).collect();
    assert_eq!(first, [id(10), id(21)], "a sound that stands out comes before a picture that does not");
    assert!(answer.more && answer.hits[0].best.score < answer.hits[1].best.score);
}

#[test]
fn confidence_needs_a_learned_scale() {
    let encoder = PlantedModel::start(None);
    let opened = Library::of(&both_kinds()).open(Some(encoder), options(), 10_000);
    let confidences = |terms: &[Term]| {
        let query = Query { terms: terms.to_vec(), limit: 22, ..Query::default() };
        let hits = opened.ask(query).unwrap().hits;
        let of = |number: u32| hits.iter().find(|hit| hit.asset.id == id(number)).and_then(|hit| hit.confidence);
        (of(10), of(21))
    };
    // The softmax over all sounds, and over all pictures: both are fewer than the background may have.
    let expected = |scale: f32, hit: f32, others: &dyn Fn(f32) -> f32| {
        let weight = |cosine: f32| f64::from(scale * cosine).exp();
        let others: f64 = (0..10).map(|index| weight(others(index as f32))).sum();
        weight(hit) / (weight(hit) + others)
    };
    let sound = expected(SCALES.audio_text.unwrap(), 0.3, &|index| index / 100.0);
    let picture = expected(SCALES.image_text, 0.8, &|index| 0.3 + index / 20.0);
    let (of_sound, of_picture) = confidences(&[text("1")]);
    assert!((f64::from(of_sound.unwrap()) - sound).abs() < 5e-3, "{of_sound:?} {sound}");
    assert!((f64::from(of_picture.unwrap()) - picture).abs() < 5e-3, "{of_picture:?} {picture}");
    // Its own kind was never paired with itself; neither was a mixture, nor a bare vector, with anything.
    let (of_sound, of_picture) = confidences(&[stored(0, None)]);
    assert!(of_sound.is_none() && of_picture.is_some());
    assert_eq!(confidences(&[stored(0, None), text("1")]), (None, None));
    assert_eq!(confidences(&[vector(&[1.0])]), (None, None));
    let away = Term { weight: -0.1, ..stored(0, None) };
    let (of_sound, of_picture) = confidences(&[text("1"), away]);
    assert!(of_sound.is_some() && of_picture.is_some());
}

#[test]
fn hits_below_a_score_are_left_out() {
    let opened = Library::of(&both_kinds()).open_plainly();
    let sounds = Filter { kinds: vec![MediaKind::Audio], ..Filter::default() };
    let filtered = Filter { duration_ms: Range::default(), path_prefix: Some("/".into()), ..sounds.clone() };
    for filter in [sounds, filtered] {
        let ask = |min_score, relative_cutoff| {
            let filter = filter.clone();
            opened.ask(Query { filter, min_score, relative_cutoff, ..query(vector(&[1.0])) }).unwrap()
        };
        assert_eq!(scores(&ask(Some(0.075), false)), [0.3, 0.09, 0.08]);
        // The mean of the background is (0.45 + 0.3) / 11 = 0.068; midway to 0.3 is 0.184.
        assert_eq!(scores(&ask(None, true)), [0.3]);
        assert_eq!(scores(&ask(Some(0.5), true)), [0.0; 0]);
        assert!(!ask(Some(0.075), false).more);
    }
}

#[test]
fn an_answer_says_what_it_is_of() {
    let encoder = PlantedModel::start(None);
    let opened = Library::of(&both_kinds()).open(Some(encoder), options(), 10_000);
    let answer = opened.ask(query(text("cut 1"))).unwrap();
    assert_eq!(answer.space, Some(super::library::space()));
    assert_eq!(answer.notes, ["terms[0].text: it was cut"]);
    assert!(answer.exact && answer.hits.len() == 20 && answer.more);
    let empty = Library::of(&[]).open_plainly().ask(query(vector(&[1.0]))).unwrap();
    assert!(empty.hits.is_empty() && !empty.more && empty.exact && empty.space.is_none());
}
