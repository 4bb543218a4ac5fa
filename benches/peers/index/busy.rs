//! What searches feel of insertions: their latency while nothing else is done, and while one thread inserts vectors as
//! fast as it can and another maintains. Both yield to searches, as the daemon's do.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use earmark::embedding::Embedding;
use earmark::index::{Index, Wanted};
use earmark::library::Slot;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Asked, rows};

/// How long to wait when there is nothing to maintain.
const PAUSE: Duration = Duration::from_millis(2);
const NEIGHBOURS: usize = 10;

/// What to ask, and what to insert meanwhile.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Busy {
    pub(super) queries: PathBuf,
    effort: Asked,
    vectors: PathBuf,
    count: usize,
    first_slot: u32,
    /// How long either state is watched; less if there is nothing left to insert.
    seconds: f64,
}

impl Busy {
    pub(super) fn measure(&self, index: &Index, queries: &[Embedding]) -> Value {
        let wanted = self.effort.wanted(NEIGHBOURS);
        let time = Duration::from_secs_f64(self.seconds);
        let calm = AtomicBool::new(false);
        let idle = latencies(index, queries, wanted, time, &calm);

        let (stop, inserted) = (AtomicBool::new(false), AtomicUsize::new(0));
        let (busy, inserting) = thread::scope(|scope| {
            scope.spawn(|| maintain(index, &stop));
            scope.spawn(|| self.insert(index, &stop, &inserted));
            let start = Instant::now();
            let busy = latencies(index, queries, wanted, time, &stop);
            let inserting = inserted.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64();
            stop.store(true, Ordering::Relaxed);
            (busy, inserting)
        });
        json!({ "idle": quantiles(idle), "busy": quantiles(busy), "inserts_per_s": inserting })
    }

    fn insert(&self, index: &Index, stop: &AtomicBool, inserted: &AtomicUsize) {
        yield_to_others();
        let vectors = rows::vectors(&self.vectors, 0, self.count);
        for (slot, vector) in (self.first_slot..).map(Slot).zip(vectors) {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            index.insert(slot, &vector, false);
            inserted.fetch_add(1, Ordering::Relaxed);
        }
        stop.store(true, Ordering::Relaxed);
    }
}

fn maintain(index: &Index, stop: &AtomicBool) {
    yield_to_others();
    while !stop.load(Ordering::Relaxed) {
        if !index.maintain() {
            thread::sleep(PAUSE);
        }
    }
}

/// How long each search took, one after the other, until the time is over or somebody says so.
fn latencies(index: &Index, queries: &[Embedding], wanted: Wanted, time: Duration, stop: &AtomicBool) -> Vec<Duration> {
    let (start, mut taken) = (Instant::now(), Vec::new());
    for query in queries.iter().cycle() {
        if start.elapsed() >= time || stop.load(Ordering::Relaxed) {
            break;
        }
        let asked = Instant::now();
        index.search(query.as_slice(), wanted);
        taken.push(asked.elapsed());
    }
    taken
}

fn quantiles(mut latencies: Vec<Duration>) -> Value {
    latencies.sort_unstable();
    let at = |percent: usize| latencies.get(latencies.len() * percent / 100).map(|it| it.as_secs_f64() * 1e6);
    let longest = latencies.last().map(|it| it.as_secs_f64() * 1e6);
    json!({ "p50_us": at(50), "p99_us": at(99), "longest_us": longest, "searches": latencies.len() })
}

#[cfg(unix)]
fn yield_to_others() {
    // On Linux this is the calling thread alone, and those that it starts.
    rustix::process::setpriority_process(None, 19).expect("anybody may yield");
}

#[cfg(not(unix))]
fn yield_to_others() {}
