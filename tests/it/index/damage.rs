//! Snapshots with a flipped byte, cut short, or with files missing: refused, each with a reason, and rebuilt from the
//! vectors that are given. And snapshots that are sealed but make no sense, as a mistake in this program could write
//! them: never the end of the process.

use std::fs;
use std::path::PathBuf;

use super::*;

/// A snapshot as it can be harmed.
struct Victim {
    oracle: Oracle,
    options: IndexOptions,
    directory: tempfile::TempDir,
    /// The newest one.
    generation: PathBuf,
}

impl Victim {
    /// Of a few hundred vectors with a graph.
    fn small(seed: u64) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut vectors = Clusters::new(seed, 10, 8).vectors(300, 0.8);
        vectors[299] = vectors[0].clone();
        let mut oracle = Oracle::of(&vectors);
        oracle.0.entry(Slot(8)).and_modify(|(_, silent)| *silent = true);
        let (index, _) = oracle.open(SMALL, directory.path());
        maintain_fully(&index);
        index.snapshot().unwrap();
        let generation = directory.path().join("gen-1");
        Self { oracle, options: SMALL, directory, generation }
    }

    /// Of a full chunk and a bit, without a graph, the second snapshot of two: the full chunk is shared, and mapped.
    fn shared(seed: u64) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut clusters = Clusters::new(seed, 10, 4);
        let mut oracle = Oracle::of(&clusters.vectors(8_200, 0.8));
        let (index, _) = oracle.open(NO_GRAPH, directory.path());
        index.snapshot().unwrap();
        oracle.insert(&index, Slot(1), clusters.vector(0.8), false);
        index.snapshot().unwrap();
        let generation = directory.path().join("gen-2");
        Self { oracle, options: NO_GRAPH, directory, generation }
    }

    fn open(&self) -> (Index, Option<String>) {
        self.oracle.open(self.options, self.directory.path())
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.generation.join(name)).unwrap()
    }

    /// Opens with a file replaced, which must be refused for `reason`; then puts it back. Nothing is lost by it.
    fn check(&self, name: &str, harmed: Option<&[u8]>, reason: &str) {
        let path = self.generation.join(name);
        let whole = fs::read(&path).unwrap();
        match harmed {
            Some(harmed) => fs::write(&path, harmed).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        self.check_refused(reason);
        fs::write(&path, whole).unwrap();
    }

    fn check_refused(&self, reason: &str) {
        let (index, refused) = self.open();
        let refused = refused.unwrap_or_else(|| panic!("a harmed snapshot was used; expected: {reason}"));
        assert!(refused.contains("gen-") && refused.contains(reason), "{refused}, expected {reason}");
        assert_eq!((index.stats().live, index.stats().graph_nodes), (self.oracle.0.len(), 0));
        let query = &self.oracle.0[&Slot(4)].0;
        let expected = self.oracle.nearest(query, 5, |_, silent| !silent);
        assert_equal(&index.search(query.as_slice(), nearest(5)).neighbours, &expected);
    }

    /// Flips and cuts at many places of a file.
    fn harm(&self, name: &str, places: usize, random: &mut Random) {
        let whole = self.read(name);
        let mut places: Vec<usize> = (0..places).map(|_| random.below(whole.len())).collect();
        places.extend([0, 1, 6, 63, whole.len() - 1]);
        for place in places {
            let mut flipped = whole.clone();
            flipped[place] ^= 1 << random.below(8);
            self.check(name, Some(&flipped), name);
            self.check(name, Some(&whole[..place]), name);
        }
        self.check(name, Some(&[&whole[..], &[0]].concat()), name);
        self.check(name, Some(&vec![b' '; 100_000]), name);
        self.check(name, None, name);
    }

    /// Replaces a file, and seals the snapshot as if it had been written so.
    fn forge(&self, name: &str, content: &[u8]) {
        fs::write(self.generation.join(name), content).unwrap();
        self.forge_manifest(|manifest| {
            for file in manifest["files"].as_array_mut().unwrap() {
                if file["name"] == name {
                    file["bytes"] = content.len().into();
                    file["blake3"] = blake3::hash(content).to_hex().as_str().into();
                }
            }
        });
    }

    fn forge_manifest(&self, change: impl FnOnce(&mut serde_json::Value)) {
        let mut manifest = serde_json::from_slice(&self.read("manifest.json")).unwrap();
        change(&mut manifest);
        let text = serde_json::to_vec(&manifest).unwrap();
        fs::write(self.generation.join("manifest.json"), &text).unwrap();
        fs::write(self.generation.join("manifest.b3"), blake3::hash(&text).to_hex().as_bytes()).unwrap();
    }

    /// Changes a file at a byte, seals it, and expects it to be refused for `reason`; then puts it back.
    fn check_forged(&self, name: &str, place: usize, bytes: &[u8], reason: &str) {
        let whole = self.read(name);
        let mut forged = whole.clone();
        forged[place..place + bytes.len()].copy_from_slice(bytes);
        assert_ne!(forged, whole, "nothing was forged");
        self.forge(name, &forged);
        self.check_refused(&format!("{name}: {reason}"));
        self.forge(name, &whole);
    }
}

#[test]
fn no_harmed_byte_goes_unnoticed() {
    let victim = Victim::small(41);
    let mut random = Random(42);
    for name in ["rows-0", "links", "manifest.json", "manifest.b3"] {
        victim.harm(name, 60, &mut random);
    }
    let (index, refused) = victim.open();
    assert_eq!((refused, index.stats().graph_nodes), (None, 298), "unharmed again, it is used");
}

#[test]
fn no_harmed_byte_of_a_shared_chunk_goes_unnoticed() {
    let victim = Victim::shared(43);
    let mut random = Random(44);
    victim.harm("rows-0", 40, &mut random);
    victim.harm("rows-1", 10, &mut random);
    assert_eq!(victim.open().1, None, "unharmed again, it is used");
}

#[test]
fn files_that_are_something_else_are_refused() {
    let victim = Victim::small(45);
    for name in ["rows-0", "links", "manifest.json"] {
        let (path, aside) = (victim.generation.join(name), victim.generation.join("aside"));
        fs::rename(&path, &aside).unwrap();
        fs::create_dir(&path).unwrap();
        victim.check_refused(name);
        fs::remove_dir(&path).unwrap();
        fs::rename(&aside, &path).unwrap();
    }
    assert_eq!(victim.open().1, None);
}

#[test]
fn another_format_is_refused_by_its_number() {
    let victim = Victim::small(46);
    let newer = r#"{"format": 3, "what": "is not known here"}"#;
    fs::write(victim.generation.join("manifest.json"), newer).unwrap();
    fs::write(victim.generation.join("manifest.b3"), blake3::hash(newer.as_bytes()).to_hex().as_bytes()).unwrap();
    victim.check_refused("its format is 3, expected 2");
}

#[test]
fn a_manifest_that_cannot_be_is_refused() {
    let victim = Victim::small(47);
    let whole: serde_json::Value = serde_json::from_slice(&victim.read("manifest.json")).unwrap();
    let check = |pointer: &str, value: serde_json::Value, reason: &str| {
        victim.forge_manifest(|manifest| *manifest.pointer_mut(pointer).unwrap() = value);
        victim.check_refused(reason);
        victim.forge_manifest(|manifest| *manifest = whole.clone());
    };
    check("/positions", 301.into(), "lists other files");
    check("/positions", 0.into(), "no vectors have so many values");
    check("/positions", u32::MAX.into(), "no vectors have so many values");
    check("/positions", (u32::MAX - 1).into(), "lists other files");
    check("/positions", (-1).into(), "manifest.json: ");
    check("/dimension", 9.into(), "lists other files");
    check("/dimension", u64::MAX.into(), "no vectors have so many values");
    check("/worst_error_bits", f32::NAN.to_bits().into(), "no code has such an error");
    check("/worst_error_bits", (-1f32).to_bits().into(), "no code has such an error");
    check("/graph/covered", 301.into(), "its graph is larger than it is");
    check("/graph/nodes", 400.into(), "its graph is larger than it is");
    check("/graph/nodes", 297.into(), "links: its header");
    check("/graph/covered", 200.into(), "its graph is larger than it is");
    check("/graph", serde_json::Value::Null, "lists other files");
    check("/files", serde_json::Value::Array(Vec::new()), "lists other files");
    check("/files/0/name", "../gen-1/rows-0".into(), "lists other files");
    check("/files/1/bytes", 64.into(), "links: is too short");
    check("/files/1/bytes", (u64::MAX - 63).into(), "links: has ");
    check("/files/0", serde_json::json!({"name": "rows-0"}), "manifest.json: ");
    assert_eq!(victim.open().1, None);
}

/// Where sections of so many bytes begin, behind the header.
fn places<const N: usize>(sections: [usize; N]) -> [usize; N] {
    let mut end = 64;
    sections.map(|bytes: usize| {
        let start = end;
        end = (start + bytes).next_multiple_of(64);
        start
    })
}

#[test]
fn rows_that_cannot_be_are_refused_whatever_their_checksum() {
    let victim = Victim::small(48);
    let check = |place, bytes: &[u8], reason| victim.check_forged("rows-0", place, bytes, reason);
    let [codes, scales, _slots, digests, silent, values] = places([300 * 64, 300 * 4, 300 * 4, 300 * 8, 300, 300 * 16]);
    let (header, nonsense) = ("its header is not that of these rows", "has what no vector has");
    check(0, b"EMK-LINK", header);
    check(8, &[1], header);
    check(12, &[9], header);
    check(24, &[99], header);
    check(codes + 5, &[0x80], nonsense);
    check(scales + 40, &f32::NAN.to_le_bytes(), nonsense);
    check(scales + 40, &f32::INFINITY.to_le_bytes(), nonsense);
    check(scales + 40, &(-1f32).to_le_bytes(), nonsense);
    check(silent + 299, &[2], nonsense);
    check(values + 16 * 299 + 14, &[0, 0x7c], nonsense);
    check(values, &[1, 0xfc], nonsense);
    // The last one is left to the first, which is identical.
    let whole = victim.read("rows-0");
    let mut forged = whole.clone();
    forged[digests] ^= 1;
    victim.forge("rows-0", &forged);
    victim.check_refused("links: a vector is left to the node of another");
    let mut forged = whole.clone();
    forged[silent] = 1;
    victim.forge("rows-0", &forged);
    victim.check_refused("links: a vector is left to the node of another");
}

#[test]
fn values_of_a_shared_chunk_that_cannot_be_are_refused() {
    let victim = Victim::shared(49);
    let rows = 2_048;
    let [.., values] = places([rows * 64, rows * 4, rows * 4, rows * 8, rows, rows * 8]);
    victim.check_forged("rows-0", values + 8 * 2_000, &[0, 0x7e], "has what no vector has");
    assert_eq!(victim.open().1, None);
}

#[test]
fn links_that_lead_nowhere_are_refused_whatever_their_checksum() {
    let victim = Victim::small(50);
    let check = |place, number: u32, reason| victim.check_forged("links", place, &number.to_le_bytes(), reason);
    let [offsets, nodes, links] = places([301 * 4, 300 * 4, 0]);
    let header = "its header is not that of this graph";
    check(0, 7, header);
    check(12, 299, header);
    check(20, 1, header);
    check(offsets, 1, "its links do not follow each other");
    check(offsets + 4 * 300, 0, "its links do not follow each other");
    check(offsets + 4 * 150, u32::MAX, "its links do not follow each other");
    check(links + 4 * 77, 300, "a link leads to what is no node");
    check(links + 4 * 77, u32::MAX, "a link leads to what is no node");
    check(links + 4 * 77, 299, "a link leads to what is no node");
    check(nodes + 4 * 299, 300, "a vector is left to what is no node");
    check(nodes + 4 * 299, u32::MAX - 1, "a vector is left to what is no node");
    check(nodes + 4 * 299, 4, "a vector is left to what is no node");
    check(nodes + 4 * 299, 1, "a vector is left to the node of another");
    check(nodes + 4 * 4, 4, "it has other nodes");
    check(nodes + 4, u32::MAX, "a link leads to what is no node");
    assert_eq!(victim.open().1, None);
}

#[test]
fn whatever_is_sealed_ends_nothing() {
    let victim = Victim::small(51);
    let queries = Clusters::new(52, 10, 8).vectors(3, 0.8);
    let mut random = Random(53);
    let mut used = 0;
    for round in 0..400 {
        let name = ["rows-0", "links"][round % 2];
        let whole = victim.read(name);
        let mut forged = whole.clone();
        for _ in 0..1 + random.below(3) {
            let place = 64 + random.below(whole.len() - 64);
            forged[place] = random.next().to_le_bytes()[0];
        }
        victim.forge(name, &forged);
        let (index, refused) = victim.open();
        used += usize::from(refused.is_none());
        assert_eq!(index.stats().live, victim.oracle.0.len());
        for query in &queries {
            for effort in [Effort::Exact, Effort::Calibrated, Effort::Candidates(10)] {
                let found = index.search(query.as_slice(), Wanted { count: 10, silent: true, effort }).neighbours;
                assert!(found.iter().all(|hit| victim.oracle.0.contains_key(&hit.slot)));
            }
        }
        maintain_fully(&index);
        victim.forge(name, &whole);
    }
    assert!((1..400).contains(&used), "{used} of 400 were used: nothing or everything was refused");
    assert_eq!(victim.open().1, None);
}
