//! The index: built, searched, changed and opened again as requests say.
//!
//! A process has one index at most. Invariant: the clock runs only while the index works and, where it is built, while
//! its vectors are read from the page cache, which the daemon has to do as well.

mod bandwidth;
mod busy;
mod rows;

use std::collections::HashMap;
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::time::Instant;

use earmark::embedding::{Embedding, SpaceId};
use earmark::index::{Effort, Index, IndexOptions, Wanted};
use earmark::library::Slot;
use roaring::RoaringBitmap;
use serde::Deserialize;
use serde_json::{Value, json};

/// The same for all who are compared.
const LINKS: usize = 16;
const CONSTRUCTION_CANDIDATES: usize = 200;

/// What is asked for.
#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
enum Request {
    /// Reads queries, so that they are in memory before anything else is.
    Queries {
        path: PathBuf,
    },
    /// An index in a directory: what the snapshot there lacks comes from the vectors.
    Open(Opening),
    /// One vector after the other, into ascending slots.
    Insert {
        vectors: PathBuf,
        count: usize,
        first_slot: u32,
    },
    Remove {
        slots: PathBuf,
    },
    /// Until nothing is due.
    Maintain,
    /// One query after the other.
    Search(Searching),
    Snapshot,
    Stats,
    /// Searches while nothing else is done, and while vectors are inserted.
    Busy(busy::Busy),
    /// How fast rows of codes can be read at all.
    Bandwidth {
        rows: usize,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Opening {
    directory: PathBuf,
    vectors: PathBuf,
    count: usize,
    /// The vectors' slots, ascending; from 0 on without.
    slots: Option<PathBuf>,
    threads: usize,
    target_recall: f64,
    /// Its first query is answered before the clock stops.
    queries: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Searching {
    queries: PathBuf,
    count: usize,
    effort: Asked,
    /// The slots to search among; all without.
    among: Option<PathBuf>,
    /// Queries asked before the clock runs.
    warm_up: usize,
    /// Queries asked; all without.
    limit: Option<usize>,
    /// Where to write what is found.
    found: Option<PathBuf>,
}

/// An [`Effort`] as JSON has it: `"exact"`, `"calibrated"`, `{"candidates": 64}`.
#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Asked {
    Exact,
    Calibrated,
    Candidates(usize),
}

impl Asked {
    fn wanted(self, count: usize) -> Wanted {
        let effort = match self {
            Self::Exact => Effort::Exact,
            Self::Calibrated => Effort::Calibrated,
            Self::Candidates(candidates) => Effort::Candidates(candidates),
        };
        Wanted { count, silent: false, effort }
    }
}

/// An index, once there is one, and the queries that have been asked.
pub(super) struct Session {
    index: Option<Index>,
    queries: HashMap<PathBuf, Vec<Embedding>>,
}

impl Session {
    pub(super) fn new() -> Self {
        Self { index: None, queries: HashMap::new() }
    }

    /// Answers requests with this session.
    pub(super) fn answering(mut self) -> impl FnMut(&str) -> Value {
        move |request| {
            let request = serde_json::from_str(request).expect("the other side knows the requests");
            self.answer(request)
        }
    }

    fn answer(&mut self, request: Request) -> Value {
        match request {
            Request::Queries { path } => timed(|| self.read_queries(&path)),
            Request::Open(opening) => self.open(&opening),
            Request::Insert { vectors, count, first_slot } => {
                let vectors = (first_slot..).map(Slot).zip(rows::vectors(&vectors, 0, count));
                timed(|| vectors.for_each(|(slot, vector)| self.index().insert(slot, &vector, false)))
            }
            Request::Remove { slots } => {
                let slots = rows::slots(&slots);
                timed(|| slots.iter().for_each(|&slot| self.index().remove(slot)))
            }
            Request::Maintain => self.maintain(),
            Request::Search(searching) => self.search(&searching),
            Request::Snapshot => timed(|| self.index().snapshot().expect("there is room")),
            Request::Stats => self.stats(),
            Request::Busy(busy) => {
                self.read_queries(&busy.queries);
                busy.measure(self.index(), &self.queries[&busy.queries])
            }
            Request::Bandwidth { rows } => bandwidth::measure(rows),
        }
    }

    fn index(&self) -> &Index {
        self.index.as_ref().expect("the first request opens it")
    }

    fn read_queries(&mut self, path: &Path) {
        self.queries.entry(path.to_owned()).or_insert_with(|| rows::all_vectors(path));
    }

    fn open(&mut self, opening: &Opening) -> Value {
        let first = u32::try_from(opening.count).expect("a slot is 32 bits");
        let slots = opening.slots.as_deref().map_or_else(|| (0..first).map(Slot).collect(), rows::slots);
        let live: Vec<(Slot, bool)> = slots.iter().map(|&slot| (slot, false)).collect();
        let query = opening.queries.as_deref().and_then(|path| rows::vectors(path, 0, 1).next());
        let options = IndexOptions {
            exact_below: 1,
            links: LINKS,
            construction_candidates: CONSTRUCTION_CANDIDATES,
            target_recall: opening.target_recall,
            compact_above: 0.2,
            threads: opening.threads,
        };
        let space = SpaceId::from_hex(&"0".repeat(64)).expect("these are 64 digits");

        let start = Instant::now();
        let opened = Index::open(options, &space, &opening.directory, &live, |missing, take| {
            let skip = slots.partition_point(|&slot| slot < missing);
            let vectors = rows::vectors(&opening.vectors, skip, slots.len() - skip);
            slots[skip..].iter().zip(vectors).for_each(|(&slot, vector)| take(slot, &vector));
            Ok::<(), Infallible>(())
        });
        let (index, refused) = opened.unwrap_or_else(|never| match never {});
        let found = query.map(|query| find(&index, &query, Asked::Calibrated.wanted(10), None));
        let seconds = start.elapsed().as_secs_f64();

        self.index = Some(index);
        let found = found.map(|found| found.iter().map(|slot| slot.0).collect::<Vec<u32>>());
        json!({ "seconds": seconds, "refused": refused, "found": found })
    }

    fn maintain(&self) -> Value {
        timed(|| while self.index().maintain() {})
    }

    fn search(&mut self, searching: &Searching) -> Value {
        self.read_queries(&searching.queries);
        let queries = &self.queries[&searching.queries];
        let queries = &queries[..searching.limit.unwrap_or(queries.len()).min(queries.len())];
        let wanted = searching.effort.wanted(searching.count);
        let among: Option<RoaringBitmap> =
            searching.among.as_deref().map(|path| rows::slots(path).iter().map(|slot| slot.0).collect());
        let ask = |query: &Embedding| find(self.index(), query, wanted, among.as_ref());

        queries.iter().take(searching.warm_up).for_each(|query| drop(ask(query)));
        let start = Instant::now();
        let found: Vec<Vec<Slot>> = queries.iter().map(ask).collect();
        let seconds = start.elapsed().as_secs_f64();
        if let Some(path) = &searching.found {
            rows::write_slots(path, &found, searching.count);
        }
        json!({ "seconds": seconds })
    }

    fn stats(&self) -> Value {
        let stats = self.index().stats();
        json!({
            "live": stats.live,
            "graph_nodes": stats.graph_nodes,
            "graph_removed": stats.graph_removed,
            "memory_bytes": stats.memory_bytes,
        })
    }
}

fn find(index: &Index, query: &Embedding, wanted: Wanted, among: Option<&RoaringBitmap>) -> Vec<Slot> {
    let found = match among {
        Some(slots) => index.search_among(query.as_slice(), slots, wanted),
        None => index.search(query.as_slice(), wanted),
    };
    found.neighbours.iter().map(|neighbour| neighbour.slot).collect()
}

fn timed(work: impl FnOnce()) -> Value {
    let start = Instant::now();
    work();
    json!({ "seconds": start.elapsed().as_secs_f64() })
}
