//! The index alone: where the graph overtakes the exact scan (`exact_below`), and what a graph costs to build, to keep,
//! to write and to read again.
//!
//! `EARMARK_BENCH_VECTORS` names the largest size; 100,000 takes some minutes.

mod support;
#[allow(dead_code, unreachable_pub, reason = "shared with the tests")]
#[path = "../tests/support/vectors.rs"]
mod vectors;

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use criterion::{BenchmarkId, Criterion};
use earmark::embedding::{Embedding, SpaceId};
use earmark::index::{Index, IndexOptions, Wanted};
use earmark::library::Slot;

use support::resident_bytes;
use vectors::Clusters;

const SIZES: [usize; 6] = [1_000, 5_000, 10_000, 20_000, 50_000, 100_000];
const MOST_BY_DEFAULT: usize = 20_000;
const SIZE_VARIABLE: &str = "EARMARK_BENCH_VECTORS";
const DIMENSION: usize = 1_024;
const VECTORS_A_CLUSTER: usize = 200;
const SPREAD: f32 = 0.8;
/// How far queries of another modality are from the vectors.
const SHIFT: f32 = 1.5;
const QUERIES: usize = 200;
const SAMPLES: usize = 20;
const COUNT: usize = 10;
/// Small graphs, too, for the sake of comparison.
const OPTIONS: IndexOptions = IndexOptions {
    exact_below: 1,
    links: 16,
    construction_candidates: 200,
    target_recall: 0.99,
    compact_above: 0.2,
    threads: 0,
};

fn main() {
    support::run(&[searches]);
}

fn searches(criterion: &mut Criterion) {
    let most = std::env::var(SIZE_VARIABLE).ok().and_then(|text| text.parse().ok()).unwrap_or(MOST_BY_DEFAULT);
    for size in SIZES.into_iter().filter(|&size| size <= most) {
        let mut clusters = Clusters::new(1, size.div_ceil(VECTORS_A_CLUSTER), DIMENSION);
        let vectors = clusters.vectors(size, SPREAD);
        let queries = [clusters.vectors(QUERIES, SPREAD), clusters.shifted(QUERIES, SPREAD, SHIFT)];
        let directory = tempfile::tempdir().expect("there is a place for temporary files");
        let index = built(&vectors, directory.path());
        for (queries, kind) in queries.iter().zip(["the same kind", "another kind"]) {
            compare(criterion, &index, queries, kind, size);
        }
        drop(index);
        cold_start(&vectors, directory.path());
    }
}

fn open(vectors: &[Embedding], directory: &Path) -> Index {
    let space: SpaceId = serde_json::from_str("\"bench\"").expect("it is a text");
    let slots = (0..).map(Slot).zip(vectors);
    let (index, refused) =
        Index::open(OPTIONS, &space, directory, slots.map(|(slot, vector)| (slot, vector.clone(), false)));
    assert_eq!(refused, None);
    index
}

#[expect(clippy::print_stderr, reason = "figures that criterion has no place for")]
fn built(vectors: &[Embedding], directory: &Path) -> Index {
    let before = resident_bytes();
    let start = Instant::now();
    let index = open(vectors, directory);
    let (opened, between) = (start.elapsed(), resident_bytes());
    while index.maintain() {}
    let built = start.elapsed() - opened;
    let stats = index.stats();
    let each = |bytes: u64| bytes / vectors.len() as u64;
    eprintln!("{} vectors: opened in {opened:.1?}, graph built in {built:.1?}", vectors.len());
    eprintln!(
        "  bytes a vector: {} alone, {} more with the graph, {} by its own estimate",
        each(between.saturating_sub(before)),
        each(resident_bytes().saturating_sub(between)),
        each(stats.memory_bytes)
    );
    let start = Instant::now();
    index.snapshot().expect("there is room");
    eprintln!("  snapshot written in {:.1?}", start.elapsed());
    index
}

#[expect(clippy::print_stderr, reason = "figures that criterion has no place for")]
fn compare(criterion: &mut Criterion, index: &Index, queries: &[Embedding], kind: &str, size: usize) {
    let wanted = |exact| Wanted { count: COUNT, silent: false, exact };
    let slots = |query: &Embedding, exact| {
        index.search(query.as_slice(), wanted(exact)).iter().map(|hit| hit.slot).collect::<Vec<Slot>>()
    };
    let hits = |query| {
        let exact = slots(query, true);
        slots(query, false).iter().filter(|slot| exact.contains(slot)).count()
    };
    let recall = queries.iter().map(hits).sum::<usize>() as f64 / (queries.len() * COUNT) as f64;
    eprintln!("  recall@{COUNT} of queries of {kind}: {recall:.4}");
    let mut group = criterion.benchmark_group(format!("search, queries of {kind}"));
    group.sample_size(SAMPLES);
    for (exact, how) in [(true, "exact"), (false, "graph")] {
        let mut queries = queries.iter().cycle();
        group.bench_function(BenchmarkId::new(how, size), |bench| {
            bench.iter(|| queries.next().map(|query| black_box(index.search(query.as_slice(), wanted(exact)))));
        });
    }
    group.finish();
}

#[expect(clippy::print_stderr, reason = "figures that criterion has no place for")]
fn cold_start(vectors: &[Embedding], directory: &Path) {
    let start = Instant::now();
    let index = open(vectors, directory);
    eprintln!("  opened from the snapshot in {:.1?}, {} nodes", start.elapsed(), index.stats().graph_nodes);
}
