//! A library in a temporary directory, indexed with a model that only tells contents apart.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use earmark::config::Config;
use earmark::daemon::engine_options;
use earmark::engine::options::EngineOptions;
use earmark::engine::query::{Answer, Query, Term, TermKind};
use earmark::engine::{Activity, Engine};
use earmark::library::{FileState, RootRules};

use crate::stub_model;

/// Long enough for a machine that is busy with other tests.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A folder `root` with media, and a data directory beside it.
pub(crate) struct Library {
    directory: tempfile::TempDir,
    pub(crate) options: EngineOptions,
}

impl Library {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("root")).unwrap();
        let mut options = engine_options(&Config::load(None, []).unwrap());
        options.ingest.settle_ms = 30;
        options.ingest.commit_wait_ms = 20;
        options.watch.quiet_ms = 50;
        options.watch.patience_ms = 200;
        options.watch.poll_interval_s = 1;
        Self { directory, options }
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.directory.path().canonicalize().unwrap().join("root")
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root().join(relative)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// Writes a short sound that no other number has.
    pub(crate) fn sound(&self, relative: &str, number: u32) {
        write(&self.path(relative), &wav(number));
    }

    pub(crate) fn write(&self, relative: &str, content: &[u8]) {
        write(&self.path(relative), content);
    }

    pub(crate) fn rename(&self, from: &str, to: &str) {
        std::fs::create_dir_all(self.path(to).parent().unwrap()).unwrap();
        std::fs::rename(self.path(from), self.path(to)).unwrap();
    }

    /// Opens the library without any roots.
    pub(crate) fn open(&self, activity: Activity) -> Engine {
        let encoder = stub_model::encoder(&stub_model::Probe::default(), stub_model::options());
        Engine::open(&self.data(), self.options.clone(), Some(encoder), activity).unwrap()
    }

    /// Opens the library and watches the folder, until everything in it is indexed.
    pub(crate) fn watch(&self) -> Engine {
        let engine = self.open(Activity::Watching);
        if engine.catalog().read().unwrap().roots().next().is_none() {
            engine.add_root(&self.root(), RootRules::default()).unwrap();
        }
        engine.wait_until_idle();
        engine
    }

    /// Indexes the folder, stops, and returns how many embeddings were computed since the library was made.
    pub(crate) fn index(&self) -> u64 {
        let engine = self.open(Activity::OnRequest);
        if engine.catalog().read().unwrap().roots().next().is_none() {
            engine.add_root(&self.root(), RootRules::default()).unwrap();
        } else {
            engine.rescan(None).unwrap();
        }
        engine.wait_until_idle();
        assert_sound(&engine);
        let embedded = embedded(&engine);
        engine.stop(PATIENCE);
        embedded
    }
}

fn write(path: &Path, content: &[u8]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

/// Embeddings computed since the library was made.
pub(crate) fn embedded(engine: &Engine) -> u64 {
    engine.stats().totals.embedded_total
}

/// Names below the root of all files that can be found.
pub(crate) fn indexed(engine: &Engine) -> BTreeSet<String> {
    let catalog = engine.catalog().read().unwrap();
    let indexed = catalog.files().filter(|(_, record)| matches!(record.state, FileState::Indexed(_)));
    indexed.map(|(key, _)| key.path.to_string()).collect()
}

pub(crate) fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// Everything in the store, in memory and in the index fits together.
pub(crate) fn assert_sound(engine: &Engine) {
    assert_eq!(engine.check().unwrap(), Vec::<String>::new());
}

/// Waits until something is true.
pub(crate) fn eventually(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "{what}: not within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Waits until exactly these files can be found.
pub(crate) fn await_indexed(engine: &Engine, expected: &BTreeSet<String>) {
    let deadline = Instant::now() + PATIENCE;
    while indexed(engine) != *expected {
        assert!(Instant::now() < deadline, "found {:?}, expected {expected:?}", indexed(engine));
        std::thread::sleep(Duration::from_millis(10));
    }
    engine.wait_until_idle();
}

/// The nearest to some words.
pub(crate) fn search(engine: &Engine, query: Query) -> Answer {
    let words = Term { weight: 1.0, what: TermKind::Text("anything".into()) };
    let query = Query { terms: vec![words], limit: 1_000, ..query };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(engine.searcher().search(query)).unwrap()
}

/// A twentieth of a second of mono sound at the model's rate, different for every number.
pub(crate) fn wav(number: u32) -> Vec<u8> {
    let samples = 2_205u32;
    let mut file = Vec::new();
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(36 + 2 * samples).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend_from_slice(&44_100u32.to_le_bytes());
    file.extend_from_slice(&88_200u32.to_le_bytes());
    file.extend_from_slice(b"\x02\0\x10\0data");
    file.extend_from_slice(&(2 * samples).to_le_bytes());
    let mut state = number.wrapping_mul(0x9e37_79b9) | 1;
    for _ in 0..samples {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        file.extend_from_slice(&(state as u16).to_le_bytes());
    }
    file
}

/// How many times longer than usual a test is asked to go on, by `EARMARK_TEST_ROUNDS`.
pub(crate) fn rounds() -> u32 {
    std::env::var("EARMARK_TEST_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(1)
}
