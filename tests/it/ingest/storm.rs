//! Random changes while watching: in the end the library is what a fresh look at the disk finds.

use std::collections::BTreeMap;
use std::path::Path;

use earmark::engine::Engine;
use earmark::library::FileState;

use super::library::{Library, PATIENCE, assert_sound, rounds, wav};

/// A generator of numbers that are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// Hashes of all files, by name below the folder.
fn on_disk(folder: &Path, below: &Path, into: &mut BTreeMap<String, [u8; 32]>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = below.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            on_disk(&entry.path(), &name, into);
        } else {
            let hash = *blake3::hash(&std::fs::read(entry.path()).unwrap()).as_bytes();
            into.insert(name.to_string_lossy().into_owned(), hash);
        }
    }
}

fn in_library(engine: &Engine) -> BTreeMap<String, [u8; 32]> {
    let catalog = engine.catalog().read().unwrap();
    let hash = |state: &FileState| match state {
        FileState::Indexed(id) => *id.as_bytes(),
        other => panic!("{other:?}"),
    };
    catalog.files().map(|(key, record)| (key.path.to_string(), hash(&record.state))).collect()
}

fn copy_tree(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// One change; those that make no sense at the moment are left out.
fn change(library: &Library, random: &mut Random) {
    let folder = |random: &mut Random| {
        let depth = random.below(4);
        let names: Vec<String> = (0..depth).map(|_| format!("d{}", random.below(3))).collect();
        library.root().join(names.join("/"))
    };
    let file = |random: &mut Random| folder(random).join(format!("f{}.wav", random.below(5)));
    let (one, other) = (folder(random), folder(random));
    let (from, to) = (file(random), file(random));
    let nested = other.starts_with(&one) || one.starts_with(&other);
    let _ = match random.below(8) {
        0..=2 => {
            std::fs::create_dir_all(to.parent().unwrap()).unwrap();
            if to.is_dir() { Ok(()) } else { std::fs::write(&to, wav(random.below(30) as u32)) }
        }
        3 => std::fs::remove_file(&from),
        4 => std::fs::rename(&from, &to),
        5 if !nested && other.parent().is_some_and(Path::is_dir) => std::fs::rename(&one, &other),
        6 if one != library.root() => std::fs::remove_dir_all(&one),
        7 if one.is_dir() && !nested => {
            copy_tree(&one, &other);
            Ok(())
        }
        _ => Ok(()),
    };
}

#[test]
fn after_a_storm_the_library_equals_a_fresh_scan() {
    for seed in 0..u64::from(2 * rounds()) {
        let library = Library::new();
        let engine = library.watch();
        let mut random = Random(seed);
        for step in 0..150 {
            change(&library, &mut random);
            if step % 40 == 39 {
                // Long enough for the watcher to report, and for files to be read while others change.
                std::thread::sleep(std::time::Duration::from_millis(120));
            }
        }
        let mut expected = BTreeMap::new();
        on_disk(&library.root(), Path::new(""), &mut expected);
        let deadline = std::time::Instant::now() + PATIENCE;
        let fits = || {
            engine.wait_until_idle();
            in_library(&engine) == expected
        };
        while !fits() {
            assert!(
                std::time::Instant::now() < deadline,
                "seed {seed}: {:?}, expected {:?}",
                in_library(&engine).keys().collect::<Vec<_>>(),
                expected.keys().collect::<Vec<_>>()
            );
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        assert_sound(&engine);
        let distinct: std::collections::BTreeSet<_> = expected.values().collect();
        assert!(engine.stats().assets[0] as usize == distinct.len());
        engine.stop(PATIENCE);
    }
}
