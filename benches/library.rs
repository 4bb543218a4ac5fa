//! A whole library: how soon it can be searched after a cold start, what a vector costs in memory, and where the time
//! of a query goes.
//!
//! `EARMARK_BENCH_VECTORS` names the size; 100,000 takes some minutes, most of them to build the graph.
#![expect(clippy::print_stderr, reason = "figures that criterion has no place for")]

mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use earmark::config::Config;
use earmark::daemon::{load_encoder, open_engine};
use earmark::engine::query::{Query, Term, TermKind, Timing};
use earmark::engine::{Activity, Engine};
use earmark::library::Filter;

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
    support::library::fill(data.path(), &encoder.facts().space, size);

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
