//! Snapshots with a flipped byte, cut short, or with files missing: refused, each with a reason, before the graph's
//! library sees them, for it would end this very process.

use std::fs;

use super::*;

const FILES: [&str; 5] = ["graph.hnsw.graph", "graph.hnsw.data", "slots", "manifest.json", "manifest.b3"];

/// Opens with a file of the snapshot replaced, which must be refused with its name; then puts it back.
fn check(oracle: &Oracle, directory: &Path, name: &str, harmed: Option<&[u8]>) {
    let path = directory.join("gen-1").join(name);
    let whole = fs::read(&path).unwrap();
    match harmed {
        Some(harmed) => fs::write(&path, harmed).unwrap(),
        None => fs::remove_file(&path).unwrap(),
    }
    let (index, refused) = oracle.open(SMALL, directory);
    let refused = refused.unwrap_or_else(|| panic!("a harmed {name} was used"));
    assert!(refused.contains("gen-1: ") && refused.contains(name), "{name}: {refused}");
    assert_eq!((index.stats().live, index.stats().graph_nodes), (oracle.0.len(), 0));
    fs::write(&path, whole).unwrap();
}

#[test]
fn no_harmed_byte_goes_unnoticed() {
    let directory = tempfile::tempdir().unwrap();
    let oracle = Oracle::of(&Clusters::new(41, 10, 8).vectors(300, 0.8));
    let (index, _) = oracle.open(SMALL, directory.path());
    maintain_fully(&index);
    index.snapshot().unwrap();
    let mut random = Random(42);
    for name in FILES {
        let whole = fs::read(directory.path().join("gen-1").join(name)).unwrap();
        let mut places: Vec<usize> = (0..60).map(|_| random.below(whole.len())).collect();
        places.extend([0, 1, 6, whole.len() - 1]);
        for place in places {
            let mut flipped = whole.clone();
            flipped[place] ^= 1 << random.below(8);
            check(&oracle, directory.path(), name, Some(&flipped));
            check(&oracle, directory.path(), name, Some(&whole[..place]));
        }
        check(&oracle, directory.path(), name, Some(&[&whole[..], &[0]].concat()));
        check(&oracle, directory.path(), name, Some(&vec![b' '; 100_000]));
        check(&oracle, directory.path(), name, None);
    }
    let (index, refused) = oracle.open(SMALL, directory.path());
    assert_eq!((refused, index.stats().graph_nodes), (None, 300), "unharmed again, it is used");
}

#[test]
fn another_format_is_refused_by_its_number() {
    let directory = tempfile::tempdir().unwrap();
    let oracle = Oracle::of(&Clusters::new(43, 10, 8).vectors(300, 0.8));
    let (index, _) = oracle.open(SMALL, directory.path());
    maintain_fully(&index);
    index.snapshot().unwrap();
    let generation = directory.path().join("gen-1");
    let newer = r#"{"format": 2, "what": "is not known here"}"#;
    fs::write(generation.join("manifest.json"), newer).unwrap();
    fs::write(generation.join("manifest.b3"), blake3::hash(newer.as_bytes()).to_hex().as_bytes()).unwrap();
    let (_, refused) = oracle.open(SMALL, directory.path());
    assert!(refused.unwrap().contains("its format is 2, expected 1"));
}
