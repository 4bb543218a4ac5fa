//! Tests of adding up terms.

use proptest::prelude::*;

use super::*;
use crate::engine::query::TermKind;

fn unit(values: &[f32]) -> Embedding {
    Embedding::normalized(values).unwrap()
}

fn combined(weighted: &[(f32, &[f32])]) -> Result<Embedding, QueryError> {
    let units: Vec<(f32, Embedding)> = weighted.iter().map(|(weight, values)| (*weight, unit(values))).collect();
    combine(units.iter().map(|(weight, vector)| (*weight, vector)))
}

#[test]
fn terms_are_weighted_as_unit_vectors() {
    let check = |weighted: &[(f32, &[f32])], expected: &[f32]| {
        let got = combined(weighted).unwrap();
        assert!(got.cosine(&unit(expected)) > 0.999_999, "{got:?}");
    };
    check(&[(1.0, &[3.0, 0.0])], &[1.0, 0.0]);
    // How long a vector was says nothing.
    check(&[(1.0, &[100.0, 0.0]), (1.0, &[0.0, 0.01])], &[1.0, 1.0]);
    check(&[(2.0, &[1.0, 0.0]), (-1.0, &[0.0, 1.0])], &[2.0, -1.0]);
    // Weights count by their ratio, however large or small.
    check(&[(3e38, &[1.0, 0.0]), (3e38, &[0.0, 1.0])], &[1.0, 1.0]);
    check(&[(1e-40, &[1.0, 0.0]), (1e-40, &[0.0, 1.0])], &[1.0, 1.0]);
}

#[test]
fn terms_that_cancel_out_lead_nowhere() {
    let check = |weighted: &[(f32, &[f32])]| {
        let error = combined(weighted).unwrap_err();
        assert_eq!(error.to_string(), "terms: cancel each other out");
    };
    check(&[(1.0, &[1.0, 2.0]), (-1.0, &[1.0, 2.0])]);
    check(&[(1.0, &[0.3, 0.7]), (1.0, &[-0.3, -0.7])]);
    // Exactly one in reals, not quite in floats.
    check(&[(0.1, &[1.0, 3.0]), (0.2, &[1.0, 3.0]), (-0.3, &[1.0, 3.0])]);
    check(&[]);
    assert_eq!(mean(&[unit(&[1.0, 0.0]), unit(&[-1.0, 0.0])]), Err(NotAnEmbedding::Zero));
}

fn resolved(position: usize, values: &[f32], modality: Option<Modality>) -> Resolved {
    Resolved { position, vector: unit(values), modality }
}

fn terms(weights: &[f32]) -> Vec<Term> {
    let vector = || TermKind::Vector { values: Vec::new(), space: None };
    weights.iter().map(|&weight| Term { weight, what: vector() }).collect()
}

#[test]
fn only_positive_terms_of_one_modality_have_one() {
    let (text, sound, picture) =
        (Some(Modality::Text), Some(Modality::Media(MediaKind::Audio)), Some(Modality::Media(MediaKind::Image)));
    let check = |of: &[(f32, Option<Modality>)], expected: Option<Modality>| {
        let weights: Vec<f32> = of.iter().map(|(weight, _)| *weight).collect();
        let all: Vec<Resolved> =
            of.iter().enumerate().map(|(at, (_, modality))| resolved(at, &[1.0, at as f32], *modality)).collect();
        let direction = Direction::of(&all, &terms(&weights), Vec::new()).unwrap();
        assert_eq!(direction.modality, expected, "{of:?}");
    };
    check(&[(1.0, text)], text);
    check(&[(1.0, text), (0.5, text)], text);
    check(&[(1.0, sound), (-0.5, text)], sound);
    check(&[(-1.0, sound), (0.5, picture)], picture);
    check(&[(1.0, sound), (0.5, picture)], None);
    check(&[(1.0, text), (0.5, None)], None);
    check(&[(1.0, None), (0.5, text)], None);
    check(&[(-1.0, text)], None);
}

#[test]
fn scales_are_learned_for_unlike_modalities_only() {
    use MediaKind::{Audio, Image};
    assert_eq!(Modality::Text.pair_with(Audio), Some(ModalityPair::AudioText));
    assert_eq!(Modality::Text.pair_with(Image), Some(ModalityPair::ImageText));
    assert_eq!(Modality::Media(Audio).pair_with(Image), Some(ModalityPair::AudioImage));
    assert_eq!(Modality::Media(Image).pair_with(Audio), Some(ModalityPair::AudioImage));
    assert!(MediaKind::ALL.into_iter().all(|kind| Modality::Media(kind).pair_with(kind).is_none()));
}

#[test]
fn vectors_of_unlike_lengths_are_refused() {
    let all = [resolved(0, &[1.0, 0.0], None), resolved(1, &[1.0, 0.0, 0.0], None)];
    let error = Direction::of(&all, &terms(&[1.0, 1.0]), Vec::new()).unwrap_err();
    assert_eq!(error.to_string(), "terms[1].vector: got 3 values, expected 2");
}

proptest! {
    #[test]
    fn a_direction_is_of_unit_length_whatever_the_weights(
        weighted in prop::collection::vec((prop::num::f32::NORMAL, prop::array::uniform3(-1.0f32..1.0)), 1..6),
    ) {
        let units: Vec<(f32, Embedding)> = weighted
            .iter()
            .filter_map(|(weight, values)| Some((*weight, Embedding::normalized(values).ok()?)))
            .collect();
        if let Ok(vector) = combine(units.iter().map(|(weight, vector)| (*weight, vector))) {
            let length: f64 = vector.as_slice().iter().map(|&value| f64::from(value).powi(2)).sum();
            prop_assert!((length - 1.0).abs() < 1e-5);
        }
    }
}
