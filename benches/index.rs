//! The index alone: where the graph overtakes the exact scan (`exact_below`), what a filter costs, and what a graph
//! costs to build, to keep, to write and to read again.
//!
//! `EARMARK_BENCH_VECTORS` names the largest size; 100,000 takes some minutes.

mod support;

use std::convert::Infallible;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use criterion::{BenchmarkId, Criterion};
use earmark::embedding::{Embedding, SpaceId};
use earmark::index::{Effort, Found, Index, IndexOptions, Wanted};
use earmark::library::Slot;
use roaring::RoaringBitmap;

use support::vectors::{Clusters, Random};
use support::{DIMENSION, SPREAD, VECTORS_A_CLUSTER, most_vectors, resident_bytes};

const SIZES: [usize; 6] = [1_000, 5_000, 10_000, 20_000, 50_000, 100_000];
/// How far queries of another modality are from the vectors.
const SHIFT: f32 = 1.5;
const QUERIES: usize = 200;
const SAMPLES: usize = 20;
const COUNT: usize = 10;
/// Share of the vectors that the filter lets pass.
const PASSING: f32 = 0.1;
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
    for size in SIZES.into_iter().filter(|&size| size <= most_vectors()) {
        let mut clusters = Clusters::new(1, size.div_ceil(VECTORS_A_CLUSTER), DIMENSION);
        let vectors = clusters.vectors(size, SPREAD);
        let queries = [clusters.vectors(QUERIES, SPREAD), clusters.shifted(QUERIES, SPREAD, SHIFT)];
        let directory = tempfile::tempdir().expect("there is a place for temporary files");
        let index = built(&vectors, directory.path());
        let mut random = Random(2);
        let passing = (0..).zip(&vectors).filter(|_| random.fraction() < PASSING).map(|(slot, _)| slot).collect();
        for (queries, kind) in queries.iter().zip(["the same kind", "another kind"]) {
            compare(criterion, &Library { index: &index, passing: &passing }, queries, kind, size);
        }
        drop(index);
        cold_start(&vectors, &queries[0][0], directory.path());
    }
}

/// Opens an index of the vectors as the engine does: what a snapshot has is not read again.
fn open(vectors: &[Embedding], directory: &Path) -> Index {
    let space: SpaceId = serde_json::from_str("\"bench\"").expect("it is a text");
    let slots: Vec<Slot> = (0..).map(Slot).take(vectors.len()).collect();
    let live: Vec<(Slot, bool)> = slots.iter().map(|&slot| (slot, false)).collect();
    let opened = Index::open(OPTIONS, &space, directory, &live, |first, take| {
        slots.iter().zip(vectors).skip_while(|(slot, _)| **slot < first).for_each(|(slot, vector)| take(*slot, vector));
        Ok::<(), Infallible>(())
    });
    let Ok((index, refused)) = opened;
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
    let each = |bytes: u64| bytes / vectors.len() as u64;
    eprintln!("{} vectors: read in {opened:.1?}, graph built in {built:.1?}", vectors.len());
    let (alone, graph) = (between.saturating_sub(before), resident_bytes().saturating_sub(between));
    eprintln!("  bytes a vector: {} alone, {} more with the graph", each(alone), each(graph));
    let start = Instant::now();
    index.snapshot().expect("there is room");
    let (written, bytes) = (start.elapsed(), index.stats().memory_bytes);
    eprintln!("  snapshot written in {written:.1?}; {} bytes a vector by its own estimate then", each(bytes));
    index
}

/// What is searched, and what a filter lets pass of it.
struct Library<'a> {
    index: &'a Index,
    passing: &'a RoaringBitmap,
}

impl Library<'_> {
    fn search(&self, query: &Embedding, filtered: bool, effort: Effort) -> Found {
        let wanted = Wanted { count: COUNT, silent: false, effort };
        match filtered {
            true => self.index.search_among(query.as_slice(), self.passing, wanted),
            false => self.index.search(query.as_slice(), wanted),
        }
    }

    /// Share of the exact answers that are found.
    fn recall(&self, queries: &[Embedding], filtered: bool, effort: Effort) -> f64 {
        let slots = |query, effort| -> Vec<Slot> {
            self.search(query, filtered, effort).neighbours.iter().map(|hit| hit.slot).collect()
        };
        let hits = |query| {
            let exact = slots(query, Effort::Exact);
            slots(query, effort).iter().filter(|slot| exact.contains(slot)).count()
        };
        queries.iter().map(hits).sum::<usize>() as f64 / (queries.len() * COUNT) as f64
    }
}

#[expect(clippy::print_stderr, reason = "figures that criterion has no place for")]
fn compare(criterion: &mut Criterion, library: &Library<'_>, queries: &[Embedding], kind: &str, size: usize) {
    let recall = |filtered, effort| library.recall(queries, filtered, effort);
    let (all, tenth) = (recall(false, Effort::Calibrated), recall(true, Effort::Calibrated));
    eprintln!("  queries of {kind}, recall@{COUNT}: {all:.4}; among a tenth: {tenth:.4}");
    for candidates in [16, 32, 64, 128, 256] {
        eprintln!("    with {candidates} candidates: {:.4}", recall(false, Effort::Candidates(candidates)));
    }
    let mut group = criterion.benchmark_group(format!("search, queries of {kind}"));
    group.sample_size(SAMPLES);
    let ways = [
        ("exact", false, Effort::Exact),
        ("calibrated", false, Effort::Calibrated),
        ("exact among a tenth", true, Effort::Exact),
        ("calibrated among a tenth", true, Effort::Calibrated),
    ];
    for (way, filtered, effort) in ways {
        let mut queries = queries.iter().cycle();
        group.bench_function(BenchmarkId::new(way, size), |bench| {
            bench.iter(|| queries.next().map(|query| black_box(library.search(query, filtered, effort))));
        });
    }
    group.finish();
}

#[expect(clippy::print_stderr, reason = "figures that criterion has no place for")]
fn cold_start(vectors: &[Embedding], query: &Embedding, directory: &Path) {
    let start = Instant::now();
    let index = open(vectors, directory);
    let opened = start.elapsed();
    let library = Library { index: &index, passing: &RoaringBitmap::new() };
    let found = library.search(query, false, Effort::Calibrated).neighbours.len();
    let nodes = index.stats().graph_nodes;
    eprintln!(
        "  from the snapshot: opened in {opened:.1?}, {found} found after {:.1?}, {nodes} nodes",
        start.elapsed()
    );
}
