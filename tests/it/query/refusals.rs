//! Queries that make no sense, and what is said about them.

use std::sync::Arc;

use earmark::engine::query::{Query, QueryError, Term, TermKind};
use earmark::library::Filter;

use super::library::{DIMENSIONS, Library, Made, Opened, id, options, query, stored, text, vector};
use super::model::PlantedModel;

fn library() -> Library {
    Library::of(&[Made::sound("a.wav", &[&[1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]])])
}

fn with_model() -> Opened {
    library().open(Some(PlantedModel::start(None)), options(), 10_000)
}

fn check(opened: &Opened, query: Query, field: &str, reason: &str) {
    match opened.ask(query) {
        Err(QueryError::Invalid { field: got, reason: because }) => {
            assert_eq!(got, field);
            assert!(because.contains(reason), "{field}: {because}");
        }
        other => panic!("{field}: {other:?}"),
    }
}

#[test]
fn queries_that_make_no_sense_name_the_part() {
    let opened = with_model();
    let good = || query(vector(&[1.0]));
    check(&opened, Query::default(), "terms", "got 0, expected 1 to 4");
    check(&opened, Query { terms: vec![vector(&[1.0]); 5], ..Query::default() }, "terms", "got 5");
    check(&opened, Query { limit: 0, ..good() }, "limit", "1 to 1000");
    check(&opened, Query { limit: usize::MAX, ..good() }, "limit", "1 to 1000");
    check(&opened, Query { offset: 999, limit: 2, ..good() }, "offset", "at most 1000");
    check(&opened, Query { offset: usize::MAX, ..good() }, "offset", "at most 1000");
    check(&opened, Query { min_score: Some(f32::NAN), ..good() }, "min_score", "finite");
    for weight in [0.0, f32::NAN, f32::INFINITY] {
        let terms = vec![vector(&[1.0]), Term { weight, ..vector(&[1.0]) }];
        check(&opened, Query { terms, ..Query::default() }, "terms[1].weight", "finite number other than 0");
    }
    let filter = Filter { path_prefix: Some("relative".into()), ..Filter::default() };
    check(&opened, Query { filter, ..good() }, "filter.path_prefix", "absolute");
    let opposite = Term { weight: -1.0, ..text("1 2 3") };
    check(
        &opened,
        Query { terms: vec![text("2 4 6"), opposite], ..Query::default() },
        "terms",
        "cancel each other out",
    );
    assert!(opened.ask(Query { offset: 998, limit: 2, ..good() }).unwrap().hits.is_empty());
}

#[test]
fn vectors_must_be_of_the_library_s_space() {
    let of = |values: Vec<f32>| query(Term { weight: 1.0, what: TermKind::Vector { values, space: None } });
    for opened in [with_model(), library().open_plainly()] {
        check(&opened, of(vec![0.0; DIMENSIONS]), "terms[0].vector", "zero length");
        check(&opened, of(vec![]), "terms[0].vector", "zero length");
        check(&opened, of(vec![1.0; DIMENSIONS + 1]), "terms[0].vector", "got 9 values, expected 8");
        check(&opened, of(vec![1.0; 1]), "terms[0].vector", "got 1 values, expected 8");
        let mut values = vec![1.0; DIMENSIONS];
        for wrong in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            values[3] = wrong;
            check(&opened, of(values.clone()), "terms[0].vector", "value 3");
        }
    }
    let opened = with_model();
    let space = |space: &str| {
        query(Term { weight: 1.0, what: TermKind::Vector { values: vec![1.0; DIMENSIONS], space: Some(space.into()) } })
    };
    check(&opened, space("another"), "terms[0].vector", "of space another");
    assert_eq!(opened.ask(space(&"5".repeat(64))).unwrap().hits.len(), 1);
}

#[test]
fn media_that_cannot_be_decoded_say_why() {
    let opened = with_model();
    let sound = |bytes: &[u8]| TermKind::Audio(Arc::from(bytes));
    let picture = |bytes: &[u8]| TermKind::Image(Arc::from(bytes));
    let check = |what: TermKind, field: &str, reason: &str| {
        let terms = vec![vector(&[1.0]), Term { weight: 1.0, what }];
        check(&opened, Query { terms, ..Query::default() }, field, reason);
    };
    check(sound(b""), "terms[1].audio", "empty");
    check(sound(b"no sound at all, only words"), "terms[1].audio", "sound");
    check(picture(b"no picture at all, only words"), "terms[1].image", "picture");
    check(TermKind::Text(" \n".into()), "terms[1].text", "empty");
}

#[test]
fn what_is_not_in_the_library_is_not_found() {
    let mut nowhere = Made::sound("", &[&[1.0]]);
    nowhere.files.clear();
    let mut library = library();
    library.add(1, &nowhere);
    let opened = library.open_plainly();
    let check = |term: Term, expected: &str| {
        let error = opened.ask(query(term)).unwrap_err();
        assert!(matches!(error, QueryError::NotFound { .. }), "{error:?}");
        assert_eq!(error.to_string(), expected);
    };
    check(stored(7, None), &format!("asset {} is not in the library", id(7)));
    check(stored(1, Some(0)), &format!("asset {} is not in the library", id(1)));
    check(stored(0, Some(1)), &format!("segment 1 of asset {} is not in the library", id(0)));
    check(stored(0, Some(u32::MAX)), &format!("segment 4294967295 of asset {} is not in the library", id(0)));
}

#[test]
fn without_a_model_nothing_is_embedded() {
    let opened = library().open_plainly();
    let bytes: Arc<[u8]> = Arc::from(&b"RIFF"[..]);
    for what in [TermKind::Text("door".into()), TermKind::Audio(bytes.clone()), TermKind::Image(bytes)] {
        let error = opened.ask(query(Term { weight: 1.0, what })).unwrap_err();
        assert!(matches!(error, QueryError::NoModel), "{error:?}");
    }
}

#[test]
fn a_failure_of_the_model_is_its_own() {
    let opened = with_model();
    let error = opened.ask(query(text("creaky door"))).unwrap_err();
    assert!(matches!(&error, QueryError::Model(reason) if reason.contains("is no vector")), "{error:?}");
    let error = opened.ask(query(text("0 0 0"))).unwrap_err();
    assert!(matches!(&error, QueryError::Model(reason) if reason.contains("zero length")), "{error:?}");
}
