//! A file that is rewritten all the time: what is stored under a hash is what was embedded.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use earmark::engine::Activity;
use earmark::library::AssetId;

use crate::ingest::library::{Library, PATIENCE, assert_sound, eventually, rounds, wav};

/// Contents that the writer writes, one after the other.
const VARIANTS: u32 = 8;

#[test]
fn the_stored_hash_is_of_what_was_embedded() {
    // What each content's vector is, from files that nobody touches.
    let quiet = Library::new();
    for variant in 0..VARIANTS {
        quiet.sound(&format!("{variant}.wav"), variant);
    }
    let engine = quiet.watch();
    let vector = |engine: &earmark::engine::Engine, id: &AssetId| {
        let slot = engine.catalog().read().unwrap().asset(id)?.asset.segments[0].slot;
        engine.searcher().indexes[0].vector(slot)
    };
    let expected: HashMap<AssetId, _> = (0..VARIANTS)
        .map(|variant| {
            let id = AssetId::from_hash(*blake3::hash(&wav(variant)).as_bytes());
            (id, vector(&engine, &id).unwrap())
        })
        .collect();
    engine.stop(PATIENCE);

    for whole_file_bytes in [u64::MAX, 0] {
        let mut library = Library::new();
        // No waiting for quiet, and as little time between two looks as can be.
        library.options.ingest.settle_ms = 0;
        library.options.ingest.whole_file_bytes = whole_file_bytes;
        library.options.watch.quiet_ms = 1;
        library.options.watch.patience_ms = 5;
        let engine = library.open(Activity::Watching);
        engine.add_root(&library.root(), earmark::library::RootRules::default()).unwrap();
        let done = AtomicBool::new(false);
        let seen = std::thread::scope(|scope| {
            scope.spawn(|| {
                for number in (0..VARIANTS).cycle() {
                    library.sound("busy.wav", number);
                    if done.load(Ordering::Relaxed) {
                        break;
                    }
                    std::thread::sleep(Duration::from_millis(3));
                }
            });
            let wanted = 30 * u64::from(rounds());
            eventually("the file to be read often", || engine.stats().totals.sequence >= wanted);
            done.store(true, Ordering::Relaxed);
            engine.stats().totals.assets
        });
        assert!(seen > 1, "only {seen} contents were seen");
        let last = AssetId::from_hash(*blake3::hash(&std::fs::read(library.path("busy.wav")).unwrap()).as_bytes());
        eventually("the last content", || {
            engine.catalog().read().unwrap().asset(&last).is_some_and(|entry| !entry.files.is_empty())
        });
        engine.wait_until_idle();
        assert_sound(&engine);
        let stored: Vec<AssetId> = engine.catalog().read().unwrap().assets().map(|entry| entry.asset.id).collect();
        let mut compared = 0;
        for id in stored {
            // Half-written contents are assets, too, but only of those written whole is the vector known.
            let Some(expected) = expected.get(&id) else { continue };
            let slot = engine.catalog().read().unwrap().asset(&id).unwrap().asset.segments[0].slot;
            // Vectors of contents that no file has any more are in the store, not in the index.
            let found = engine.searcher().indexes[0].vector(slot);
            compared += usize::from(found.is_some());
            assert!(found.is_none_or(|found| found.cosine(expected) > 0.999_99), "{id}: another content's vector");
        }
        assert!(compared >= 1);
        engine.stop(PATIENCE);
    }
}
