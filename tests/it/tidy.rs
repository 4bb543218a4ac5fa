//! The rules of this codebase that a test can hold: who may import whom, and how files begin and end.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The modules of ours that each module may import. Dependencies point one way.
const MAY_IMPORT: [(&str, &[&str]); 21] = [
    ("media", &[]),
    ("embedding", &[]),
    ("containment", &[]),
    ("preprocess", &["media"]),
    ("decode", &["containment", "media"]),
    ("checkpoint", &[]),
    ("model", &["containment", "embedding", "preprocess"]),
    ("model_store", &["checkpoint", "model"]),
    ("embed", &["media", "model", "preprocess"]),
    ("eval", &[]),
    ("library", &["media"]),
    ("describe", &["containment", "library", "media"]),
    ("watch", &["library"]),
    ("world", &["media"]),
    ("demo", &["media", "world"]),
    ("store", &["containment", "embedding", "library", "media"]),
    ("index", &["containment", "embedding", "library"]),
    (
        "engine",
        &[
            "containment",
            "decode",
            "describe",
            "embed",
            "embedding",
            "index",
            "library",
            "media",
            "model",
            "preprocess",
            "store",
            "watch",
        ],
    ),
    ("grpc", &["describe", "embedding", "engine", "library", "media"]),
    (
        "daemon",
        &[
            "config",
            "decode",
            "embed",
            "engine",
            "grpc",
            "library",
            "model",
            "model_store",
            "preprocess",
            "store",
            "world",
        ],
    ),
    ("config", &["checkpoint", "decode", "engine", "index", "model"]),
];

/// Where each third-party crate that should be easy to replace has its one home.
const HOMES: [(&str, &str); 41] = [
    ("blake3", "src/"),
    ("boxcar", "src/index/"),
    ("globset", "src/"),
    ("hnsw_rs", "src/index/draft.rs"),
    ("memmap2", "src/index/memory.rs"),
    ("exif", "src/describe/"),
    ("libloading", "src/model/cuda/driver.rs"),
    ("lofty", "src/describe/"),
    ("notify", "src/watch/live.rs"),
    ("postcard", "src/store/"),
    ("prost", "src/grpc/"),
    ("roxmltree", "src/describe/"),
    ("sled", "src/store/database.rs"),
    ("tonic", "src/"),
    ("tonic_types", "src/grpc/"),
    ("candle_core", "src/model/"),
    ("candle_nn", "src/model/"),
    ("candle_transformers", "src/model/text.rs"),
    ("clap", "src/cli/"),
    ("clap_complete", "src/cli/"),
    ("crc32fast", "src/store/"),
    ("hyper_util", "src/grpc/local.rs"),
    ("prost_types", "src/grpc/"),
    ("tonic_health", "src/"),
    ("tonic_reflection", "src/grpc/"),
    ("tower", "src/grpc/"),
    ("ctrlc", "src/cli/"),
    ("hound", "src/demo/"),
    ("htmlize", "src/preprocess/text/"),
    ("image", "src/decode/"),
    ("indicatif", "src/cli/"),
    ("png", "src/demo/"),
    ("rustix", "src/"),
    ("rand", "src/world/dice.rs"),
    ("rand_chacha", "src/world/dice.rs"),
    ("soxr", "src/decode/resample.rs"),
    ("symphonia", "src/decode/audio/"),
    ("tiny_skia", "src/world/picture/"),
    ("turbojpeg", "src/decode/image/"),
    ("ureq", "src/checkpoint/pull/client.rs"),
    ("zip", "src/checkpoint/archive"),
];

/// Crates whose types some modules have in common, and those modules.
const SHARED: [(&str, &[&str]); 3] = [
    // Numbers of half precision, which several formats have.
    ("half", &["checkpoint", "index", "model", "store"]),
    // What was used last is kept, of prompts and of shapes of inputs.
    ("lru", &["engine", "model"]),
    // Sets of slots are how the engine tells the index what a filter lets pass.
    ("roaring", &["engine", "index"]),
];

/// Where raw memory, the processor's own instructions and a GPU's are: nowhere else anything is unsafe.
const UNSAFE: [&str; 6] = [
    "src/index/kernels/",
    "src/index/memory.rs",
    "src/model/compute/kernels/",
    "src/model/cuda/card.rs",
    "src/model/cuda/driver.rs",
    "src/model/cuda/staging.rs",
];

const LONGEST_LINE_CHARS: usize = 120;
const LONGEST_FILE_LINES: usize = 400;

/// A source file without its tests.
struct Source {
    /// Relative to the package, with `/`.
    path: String,
    code: String,
}

fn package() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Vec<Source> {
    let paths = files(&package().join("src"));
    let is_code = |path: &&PathBuf| path.file_name().is_some_and(|name| name != "tests.rs");
    let source = |path: &PathBuf| {
        let text = fs::read_to_string(path).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().to_owned();
        Source { path: relative(path), code }
    };
    let sources: Vec<Source> = paths.iter().filter(is_code).map(source).collect();
    assert!(sources.len() > 50, "only {} source files found", sources.len());
    sources
}

/// All files of Rust below a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|it| it == "rs") {
            found.push(path);
        }
    }
    found
}

/// A path as the rules name it: relative to the package, with `/`.
fn relative(path: &Path) -> String {
    path.strip_prefix(package()).unwrap().to_string_lossy().replace('\\', "/")
}

impl Source {
    /// The top-level module it belongs to.
    fn module(&self) -> &str {
        let inside = self.path.strip_prefix("src/").unwrap();
        inside.split(['/', '.']).next().unwrap()
    }

    /// Its lines that are not comments.
    fn statements(&self) -> impl Iterator<Item = &str> {
        self.code.lines().filter(|line| !line.trim_start().starts_with("//"))
    }

    /// Names that follow `prefix` in its statements.
    fn names_after(&self, prefix: &str) -> BTreeSet<String> {
        let name = |rest: &str| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        self.statements().flat_map(|line| line.split(prefix).skip(1).map(name).collect::<Vec<String>>()).collect()
    }

    fn mentions_crate(&self, name: &str) -> bool {
        let used = |line: &str| {
            line.match_indices(&format!("{name}::")).any(|(at, _)| {
                let before = line[..at].chars().next_back();
                !before.is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '.' | '"'))
            })
        };
        self.statements().any(used)
    }
}

#[test]
fn modules_import_only_what_the_architecture_allows() {
    let allowed: BTreeMap<&str, &[&str]> = MAY_IMPORT.into_iter().collect();
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| !matches!(source.module(), "cli" | "lib" | "main")) {
        let module = source.module();
        let allowed = allowed.get(module).unwrap_or_else(|| panic!("{}: {module} is not in the map", source.path));
        let foreign = source.names_after("crate::").into_iter().filter(|name| name != module);
        wrong.extend(foreign.filter(|name| !allowed.contains(&name.as_str())).map(|name| (source.path.clone(), name)));
    }
    assert!(wrong.is_empty(), "imports that the map does not allow: {wrong:?}");
}

#[test]
fn third_party_crates_stay_at_home() {
    let sources = sources();
    for (name, home) in HOMES {
        let users: Vec<&str> =
            sources.iter().filter(|source| source.mentions_crate(name)).map(|source| source.path.as_str()).collect();
        assert!(!users.is_empty(), "{name} is used nowhere: drop it here and in Cargo.toml");
        let strays: Vec<&&str> = users.iter().filter(|path| !path.starts_with(home)).collect();
        assert!(strays.is_empty(), "{name} belongs to {home}, and is used in {strays:?}");
    }
}

#[test]
fn shared_crates_are_shared_by_those_who_need_them() {
    let sources = sources();
    for (name, modules) in SHARED {
        let users = sources.iter().filter(|source| source.mentions_crate(name));
        let users: BTreeSet<&str> = users.map(Source::module).collect();
        assert_eq!(users, modules.iter().copied().collect(), "who uses {name}");
    }
}

#[test]
fn nothing_is_unsafe_but_three_leaves() {
    let is_unsafe = |text: &str| {
        let words = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let mut words = words.flat_map(|line| line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'));
        words.any(|word| matches!(word, "unsafe" | "unsafe_code" | "unsafe_op_in_unsafe_fn"))
    };
    let paths = files(&package().join("src"));
    let found: Vec<String> =
        paths.iter().filter(|path| is_unsafe(&fs::read_to_string(path).unwrap())).map(|path| relative(path)).collect();
    let strays: Vec<&String> = found.iter().filter(|path| !UNSAFE.iter().any(|home| path.starts_with(home))).collect();
    assert!(strays.is_empty(), "unsafe code belongs to {UNSAFE:?}, and is in {strays:?}");
    assert!(UNSAFE.iter().all(|home| found.iter().any(|path| path.starts_with(home))), "it is only in {found:?}");
}

#[test]
fn every_file_says_what_it_is_and_stays_readable() {
    for Source { path, code } in sources() {
        assert!(code.starts_with("//! "), "{path}: has no module comment");
        for (index, line) in code.lines().enumerate() {
            assert!(line.chars().count() <= LONGEST_LINE_CHARS, "{path}:{}: longer than 120 characters", index + 1);
        }
        assert!(code.lines().count() <= LONGEST_FILE_LINES, "{path}: longer than {LONGEST_FILE_LINES} lines");
        for promise in ["TODO", "FIXME", "XXX", "HACK"] {
            assert!(!code.contains(promise), "{path}: do it now or leave it, but no {promise}");
        }
    }
}
