//! Queries that make sense arrive whole; all others are named.

use proptest::prelude::*;

use super::*;
use crate::grpc::proto::{QueryRequest, RawVector, StoredTerm};

const LIMITS: QueryLimits = QueryLimits { hits: 100, terms: 3, dimensions: Some(4) };

fn text_term(words: &str) -> proto::Term {
    proto::Term { weight: 0.0, what: Some(What::Text(words.into())) }
}

fn with(what: What) -> QueryRequest {
    QueryRequest { terms: vec![proto::Term { weight: 1.0, what: Some(what) }], ..Default::default() }
}

fn raw(values: &[f32]) -> What {
    What::Vector(RawVector { values: values.into(), space_id: String::new() })
}

#[test]
fn what_is_missing_has_defaults() {
    let asked = query(QueryRequest { terms: vec![text_term("door")], ..Default::default() }, &LIMITS).unwrap();
    let terms = vec![Term { weight: 1.0, what: TermKind::Text("door".into()) }];
    assert_eq!(asked.query, Query { terms, ..Query::default() });
    assert_eq!((asked.fields, asked.uploads), (HitFields::ALL, vec![]));
}

#[test]
fn everything_arrives_where_it_belongs() {
    let id = "ab".repeat(32);
    let terms = vec![
        proto::Term { weight: -0.5, what: Some(What::Audio(vec![1])) },
        proto::Term { weight: 2.0, what: Some(What::Stored(StoredTerm { asset_id: id.clone(), segment: Some(3) })) },
        proto::Term { weight: 1.0, what: Some(raw(&[0.0, 0.0, -2.0, 0.0])) },
    ];
    let wire = QueryRequest {
        terms,
        limit: 60,
        offset: 40,
        min_score: Some(0.25),
        relative_cutoff: true,
        ungrouped: true,
        include_silent: true,
        exact: true,
        ..Default::default()
    };
    let expected = Query {
        terms: vec![
            Term { weight: -0.5, what: TermKind::Audio(Arc::from([1])) },
            Term { weight: 2.0, what: TermKind::Stored { asset: id.parse().unwrap(), ordinal: Some(3) } },
            Term { weight: 1.0, what: TermKind::Vector { values: vec![0.0, 0.0, -2.0, 0.0], space: None } },
        ],
        filter: Default::default(),
        limit: 60,
        offset: 40,
        min_score: Some(0.25),
        relative_cutoff: true,
        grouped: false,
        silent: true,
        exact: true,
    };
    assert_eq!(query(wire, &LIMITS).unwrap().query, expected);
}

#[test]
fn uploads_get_their_content_in_order() {
    let upload = |kind: proto::MediaKind| proto::Term { weight: 1.0, what: Some(What::Upload(kind.into())) };
    let terms = vec![upload(proto::MediaKind::Image), text_term("x"), upload(proto::MediaKind::Audio)];
    let mut asked = query(QueryRequest { terms, ..Default::default() }, &LIMITS).unwrap();
    assert_eq!(asked.uploads, [0, 2]);
    asked.fill(vec![Arc::from([1]), Arc::from([2])]);
    let whats: Vec<TermKind> = asked.query.terms.into_iter().map(|term| term.what).collect();
    let expected = [TermKind::Image(Arc::from([1])), TermKind::Text("x".into()), TermKind::Audio(Arc::from([2]))];
    assert_eq!(whats, expected);
    assert!(asked.uploads.is_empty());
}

#[test]
fn nonsense_is_named() {
    let check = |wire: QueryRequest, field: &str| {
        assert_eq!(query(wire, &LIMITS).unwrap_err().field, field);
    };
    check(QueryRequest::default(), "terms");
    check(QueryRequest { terms: vec![text_term("x"); 4], ..Default::default() }, "terms");
    check(QueryRequest { terms: vec![text_term("x"), text_term(" ")], ..Default::default() }, "terms[1].text");
    check(QueryRequest { terms: vec![proto::Term::default()], ..Default::default() }, "terms[0].what");
    check(with(What::Text("x".repeat(20_000))), "terms[0].text");
    check(with(What::Audio(vec![])), "terms[0].audio");
    check(with(What::Image(vec![])), "terms[0].image");
    check(with(What::Upload(0)), "terms[0].upload");
    check(with(What::Upload(77)), "terms[0].upload");
    check(with(What::Stored(StoredTerm { asset_id: "00".into(), segment: None })), "terms[0].stored.asset_id");
    check(with(raw(&[1.0; 3])), "terms[0].vector.values");
    check(with(raw(&[0.0, -0.0, 0.0, 0.0])), "terms[0].vector.values");
    check(with(raw(&[1.0, 1.0, f32::NAN, 1.0])), "terms[0].vector.values[2]");
    check(with(raw(&[f32::INFINITY, 1.0, 1.0, 1.0])), "terms[0].vector.values[0]");
    for weight in [f32::NAN, f32::INFINITY] {
        let terms = vec![proto::Term { weight, ..text_term("x") }];
        check(QueryRequest { terms, ..Default::default() }, "terms[0].weight");
    }
    let door = || QueryRequest { terms: vec![text_term("door")], ..Default::default() };
    check(QueryRequest { limit: 101, ..door() }, "limit");
    check(QueryRequest { limit: u32::MAX, offset: u32::MAX, ..door() }, "limit");
    check(QueryRequest { offset: 81, ..door() }, "limit");
    check(QueryRequest { min_score: Some(f32::NAN), ..door() }, "min_score");
    let fields = Some(prost_types::FieldMask { paths: vec!["nothing".into()] });
    check(QueryRequest { fields, ..door() }, "fields");
    let filter = Some(proto::Filter { kinds: vec![5], ..Default::default() });
    check(QueryRequest { filter, ..door() }, "filter.kinds[0]");
}

#[test]
fn the_limit_is_named() {
    let wire = QueryRequest { terms: vec![text_term("x")], limit: 90, offset: 11, ..Default::default() };
    let reason = query(wire, &LIMITS).unwrap_err().reason;
    assert!(reason.contains("101") && reason.contains("the limit is 100"), "{reason}");
}

#[test]
fn without_a_model_any_dimension_passes() {
    let limits = QueryLimits { dimensions: None, ..LIMITS };
    assert!(query(with(raw(&[1.0; 7])), &limits).is_ok());
}

proptest! {
    #[test]
    fn whatever_is_let_in_makes_sense(
        weight in any::<f32>(), values in prop::collection::vec(any::<f32>(), 0..6),
        limit in any::<u32>(), offset in any::<u32>(), min_score in any::<Option<f32>>(),
    ) {
        let term = proto::Term { weight, what: Some(raw(&values)) };
        let wire = QueryRequest { terms: vec![term], limit, offset, min_score, ..Default::default() };
        if let Ok(Asked { query, .. }) = query(wire, &LIMITS) {
            prop_assert!(query.limit >= 1 && query.limit + query.offset <= LIMITS.hits);
            prop_assert!(query.min_score.is_none_or(f32::is_finite));
            prop_assert!(query.terms[0].weight.is_finite() && query.terms[0].weight != 0.0);
            prop_assert_eq!(values.len(), 4);
            prop_assert!(values.iter().all(|value| value.is_finite()) && values.iter().any(|&value| value != 0.0));
        }
    }

    #[test]
    fn no_bytes_that_parse_as_a_request_break_it(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        use prost::Message as _;
        if let Ok(wire) = QueryRequest::decode(&bytes[..]) {
            let _ = query(wire, &LIMITS);
        }
    }

    #[test]
    fn ids_pass_if_and_only_if_they_are_ids(id in "[0-9a-fA-Fg]{62,66}") {
        let fine = id.len() == 64 && !id.contains('g');
        let wire = with(What::Stored(StoredTerm { asset_id: id, segment: None }));
        prop_assert_eq!(query(wire, &LIMITS).is_ok(), fine);
    }
}
