//! Libraries that are large enough for a graph: what it finds of what passes, and what is found without it.

use std::collections::HashSet;

use earmark::engine::query::{Answer, Query};
use earmark::library::{AssetId, Filter};

use super::library::{DIMENSIONS, Library, Made, Opened, options, query, vector};
use crate::index::vectors::Random;

const SOUNDS: usize = 5_000;
const QUERIES: usize = 40;

/// Sounds of one segment, of which every tenth has thirty, in 1,000 folders; every other one is a WAV.
fn library(seed: u64) -> Library {
    let mut random = Random(seed);
    let sound = |number: usize| {
        let segments = if number.is_multiple_of(10) { 30 } else { 1 };
        let centre = random.direction(DIMENSIONS);
        let near = |_| random.direction(DIMENSIONS).iter().zip(&centre).map(|(by, at)| at + 0.1 * by).collect();
        let segments: Vec<Vec<f32>> = (0..segments).map(near).collect();
        let segments: Vec<&[f32]> = segments.iter().map(Vec::as_slice).collect();
        let extension = if number.is_multiple_of(2) { "wav" } else { "flac" };
        Made::sound(&format!("{}/{number}.{extension}", number % 1_000), &segments)
    };
    Library::of(&(0..SOUNDS).map(sound).collect::<Vec<Made>>())
}

fn assets(answer: &Answer) -> Vec<AssetId> {
    answer.hits.iter().map(|hit| hit.asset.id).collect()
}

/// Asks both libraries the same; answers the share that is found of what is there, and whether that was said to be all.
fn compare(graph: &Opened, all: &Opened, filter: &Filter, grouped: bool) -> (f64, bool) {
    let mut random = Random(72);
    let (mut found, mut exact) = (0, true);
    for _ in 0..QUERIES {
        let asked =
            Query { filter: filter.clone(), grouped, limit: 20, ..query(vector(&random.direction(DIMENSIONS))) };
        let expected = all.ask(asked.clone()).unwrap();
        assert!(expected.exact);
        let answer = graph.ask(asked.clone()).unwrap();
        assert_eq!((answer.hits.len(), answer.more), (expected.hits.len(), expected.more), "grouping takes no places");
        let distinct: HashSet<_> = answer.hits.iter().map(|hit| (hit.asset.id, hit.best.ordinal)).collect();
        assert_eq!(distinct.len(), answer.hits.len());
        let key = |hit: &earmark::engine::query::Hit| (hit.asset.id, hit.best.ordinal);
        let right: HashSet<_> = expected.hits.iter().map(key).collect();
        found += answer.hits.iter().filter(|hit| right.contains(&key(hit))).count();
        if answer.exact {
            assert_eq!(assets(&answer), assets(&expected));
        }
        exact &= answer.exact;
        let asked_exactly = graph.ask(Query { exact: true, ..asked }).unwrap();
        assert!(asked_exactly.exact);
        assert_eq!(assets(&asked_exactly), assets(&expected));
        let scores = |answer: &Answer| answer.hits.iter().map(|hit| hit.best.score).collect::<Vec<f32>>();
        assert_eq!(scores(&asked_exactly), scores(&expected));
    }
    (found as f64 / (20 * QUERIES) as f64, exact)
}

#[test]
fn a_graph_answers_where_many_pass_and_says_so() {
    let graph = library(71).open(None, options(), 500);
    let all = library(71).open(None, options(), usize::MAX);
    assert!(graph.searcher.indexes[0].stats().graph_nodes > 15_000);
    let folder = |glob: &str| Filter { path_glob: Some(glob.into()), ..Filter::default() };
    for grouped in [true, false] {
        let half = Filter { extensions: vec!["wav".into()], ..Filter::default() };
        for filter in [Filter::default(), half] {
            let (recall, exact) = compare(&graph, &all, &filter, grouped);
            assert!(recall >= 0.97 && !exact, "{filter:?}, grouped {grouped}: {recall}, exact {exact}");
        }
        let (recall, exact) = compare(&graph, &all, &folder("1?0/**"), grouped);
        assert!(recall == 1.0 && exact, "few pass, grouped {grouped}: {recall}, exact {exact}");
    }
}
