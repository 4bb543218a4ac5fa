//! Snapshots that earlier versions have written.

use super::*;

/// Values of a vector in the committed snapshot.
const VALUES: usize = 48;
const OPTIONS: IndexOptions = IndexOptions { exact_below: 30, links: 4, construction_candidates: 20, ..SMALL };

/// What the committed snapshot was made of: forty vectors with a graph, two of them identical, two that are silent; and
/// five that came behind the graph. The last slot is missing from it.
fn content() -> Oracle {
    let mut vectors = Clusters::new(2_026, 5, VALUES).vectors(46, 0.8);
    vectors[39] = vectors[3].clone();
    let mut oracle = Oracle::of(&vectors);
    for slot in [10, 20] {
        oracle.0.entry(Slot(slot)).and_modify(|(_, silent)| *silent = true);
    }
    oracle
}

fn committed() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/index-v2")
}

/// Makes the snapshot that is committed.
fn make(directory: &Path) {
    let all = content();
    let first = |count| Oracle(all.0.clone().into_iter().take(count).collect());
    let one_thread = IndexOptions { threads: 1, ..OPTIONS };
    let (index, _) = first(40).open(one_thread, directory);
    maintain_fully(&index);
    first(45).0.into_iter().skip(40).for_each(|(slot, (vector, silent))| index.insert(slot, &vector, silent));
    index.snapshot().unwrap();
}

#[test]
fn format_2_is_read() {
    let oracle = content();
    let (index, refused) = oracle.open(OPTIONS, &committed());
    assert_eq!((refused, index.stats().live, index.stats().graph_nodes), (None, 46, 37));
    for query in Clusters::new(2_027, 5, VALUES).vectors(10, 0.8) {
        for effort in [Effort::Exact, Effort::Candidates(40)] {
            let found = index.search(query.as_slice(), Wanted { count: 12, silent: true, effort });
            assert_equal(&found.neighbours, &oracle.nearest(&query, 12, |_, _| true));
        }
    }
}

#[test]
fn rows_are_written_as_they_were_in_format_2() {
    let directory = tempfile::tempdir().unwrap();
    make(directory.path());
    let rows = |directory: &Path| fs::read(directory.join("gen-1/rows-0")).unwrap();
    // Not the links: better ones may be found.
    assert!(rows(directory.path()) == rows(&committed()), "the same rows are other bytes: that is another format");
}

#[test]
fn format_1_is_refused_and_removed_when_the_next_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let old = directory.path().join("gen-6");
    fs::create_dir(&old).unwrap();
    let file = |name: &str| {
        fs::write(old.join(name), name).unwrap();
        let hash = blake3::hash(name.as_bytes()).to_hex();
        format!(r#"{{"name": "{name}", "bytes": {}, "blake3": "{hash}"}}"#, name.len())
    };
    let files = ["graph.hnsw.graph", "graph.hnsw.data", "slots"].map(file).join(", ");
    let manifest = format!(
        r#"{{"format": 1, "library": "hnsw_rs 0.3.5", "machine": "little endian, 64 bits", "space": "here",
        "links": 12, "construction_candidates": 60, "covered": 2000, "nodes": 2000, "files": [{files}]}}"#
    );
    fs::write(old.join("manifest.json"), &manifest).unwrap();
    fs::write(old.join("manifest.b3"), blake3::hash(manifest.as_bytes()).to_hex().as_bytes()).unwrap();
    let oracle = content();
    let (index, refused) = oracle.open(OPTIONS, directory.path());
    assert!(refused.unwrap().contains("gen-6: its format is 1, expected 2"));
    assert_eq!(index.stats().live, 46);
    index.snapshot().unwrap();
    assert_eq!(names(directory.path()), ["gen-7"]);
    assert_eq!(oracle.open(OPTIONS, directory.path()).1, None);
}
