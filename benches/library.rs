//! A whole library: how soon it can be searched after a cold start, what a vector costs in memory, and where the time
//! of a query goes.
//!
//! `EARMARK_BENCH_VECTORS` names the size; 100,000 takes some minutes, most of them to build the graph.
#![expect(clippy::print_stderr, reason = "figures that criterion has no place for")]

mod support;
#[allow(dead_code, unreachable_pub, reason = "shared with the tests")]
#[path = "../tests/support/vectors.rs"]
mod vectors;

use std::path::Path;
use std::time::{Duration, Instant};

use earmark::config::Config;
use earmark::daemon::{load_encoder, open_engine};
use earmark::engine::query::{Query, Term, TermKind, Timing};
use earmark::engine::{Activity, Engine};
use earmark::library::{
    AssetId, Description, FileKey, FileRecord, FileStat, FileState, Filter, RelativePath, Root, RootId, RootRules,
    Span, TechnicalFacts,
};
use earmark::media::MediaKind;
use earmark::store::{Batch, DirectoryLock, NewAsset, NewSegment, Store};

use support::{DIMENSION, SPREAD, VECTORS_A_CLUSTER};
use vectors::Clusters;

const ASSETS_A_BATCH: usize = 500;
const FOLDERS: usize = 1_000;
const QUERIES: usize = 300;

fn main() {
    let size = support::most_vectors();
    support::with_models(|name, model| measure(name, model, size));
}

fn measure(name: &str, model: &Path, size: usize) {
    let data = tempfile::tempdir().expect("there is a place for temporary files");
    let mut config = Config::load(None, []).expect("the shipped configuration is sound");
    config.model.name = model.to_string_lossy().into_owned();
    config.data.directory = data.path().into();
    // The model ends with the engine that has it.
    let load = || load_encoder(&config).expect("the model is sound");
    let open = |encoder, activity| open_engine(&config, Some(encoder), activity).expect("the library opens");
    let encoder = load();
    fill(data.path(), &encoder.facts().space, size);

    let engine = open(encoder, Activity::OnRequest);
    engine.wait_until_idle();
    engine.stop(Duration::from_secs(60));
    drop(engine);

    let encoder = load();
    let (before, start) = (support::resident_bytes(), Instant::now());
    let engine = open(encoder, Activity::Still);
    let (opened, bytes) = (start.elapsed(), support::resident_bytes().saturating_sub(before));
    eprintln!("{name}, {size} sounds: opened in {opened:.2?}, {} bytes of memory a vector", bytes / size as u64);
    let folder = |name: &str| Filter { path_prefix: Some(format!("/bench/{name}")), ..Filter::default() };
    report("every sound", &engine, &Filter::default());
    report("1 sound in 10, by glob", &engine, &Filter { path_glob: Some("*0/**".into()), ..Filter::default() });
    report("1 sound in 1,000, by folder", &engine, &folder("500"));
    engine.stop(Duration::from_secs(1));
}

/// Makes a library of sounds of one vector each.
fn fill(directory: &Path, space: &earmark::embedding::SpaceId, size: usize) {
    let lock = DirectoryLock::acquire(directory).expect("nobody else has it");
    let (store, _) = Store::open(&lock, directory).expect("it is empty");
    store.bind_space(space).expect("it has no other");
    let root = store.next_root_id();
    let rules = RootRules::default();
    let put_roots = vec![Root { id: root, path: "/bench".into(), rules, identity: None }];
    store.commit(Batch { put_roots, ..Batch::default() }).expect("there is room");
    let mut clusters = Clusters::new(1, size.div_ceil(VECTORS_A_CLUSTER), DIMENSION);
    let mut number = 0;
    while number < size {
        let mut batch = Batch::default();
        for _ in 0..ASSETS_A_BATCH.min(size - number) {
            let (asset, file) = sound(root, number, clusters.vector(SPREAD));
            batch.put_assets.push(asset);
            batch.put_files.push(file);
            number += 1;
        }
        store.commit(batch).expect("there is room");
    }
}

fn sound(root: RootId, number: usize, vector: earmark::embedding::Embedding) -> (NewAsset, (FileKey, FileRecord)) {
    let id = AssetId::from_hash(*blake3::hash(&number.to_le_bytes()).as_bytes());
    let asset = NewAsset {
        id,
        kind: MediaKind::Audio,
        facts: TechnicalFacts { duration_ms: Some(5_000), ..TechnicalFacts::default() },
        description: Description::default(),
        damage: None,
        added_ms: 0,
        segments: vec![NewSegment { span: Span { start_ms: 0, end_ms: 5_000 }, silent: false, vector }],
    };
    let path = format!("{}/sound number {number}.wav", number % FOLDERS);
    let path = RelativePath::new(Path::new(&path)).expect("plain names");
    let stat = FileStat { size: 1, modified_ns: 0, inode: None };
    (asset, (FileKey { root, path }, FileRecord { stat, state: FileState::Indexed(id) }))
}

/// Asks one query after the other, and prints the median and the 99th percentile of each stage.
fn report(what: &str, engine: &Engine, filter: &Filter) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("the system has a thread");
    let ask = |number: usize| {
        let words = TermKind::Text(format!("creaky wooden door number {number}"));
        let terms = vec![Term { weight: 1.0, what: words }];
        let query = Query { terms, filter: filter.clone(), limit: 10, ..Query::default() };
        runtime.block_on(engine.searcher().search(query)).expect("the query makes sense").timing
    };
    let timings: Vec<Timing> = (0..QUERIES).map(ask).collect();
    let stage = |pick: fn(&Timing) -> Duration| {
        let mut times: Vec<Duration> = timings.iter().map(pick).collect();
        times.sort_unstable();
        format!("{:.2?} / {:.2?}", times[QUERIES / 2], times[QUERIES * 99 / 100])
    };
    let (queue, embed, search) = (stage(|t| t.queue), stage(|t| t.embed), stage(|t| t.search));
    eprintln!("  {what}, p50 / p99: queue {queue}, embed {embed}, search {search}");
}
