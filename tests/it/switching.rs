//! The engine: who may switch, and what is embedded after it.

use std::collections::BTreeSet;

use earmark::embedding::SpaceId;
use earmark::engine::options::EngineOptions;
use earmark::engine::{Activity, Engine, EngineError};
use earmark::store::StoreError;

use crate::ingest::library::{Library, PATIENCE, assert_sound, embedded, indexed, names};
use crate::stub_model::{self, Probe};

const SOUNDS: u32 = 5;

fn library() -> (Library, BTreeSet<String>) {
    let library = Library::new();
    (0..SOUNDS).for_each(|number| library.sound(&format!("{number}.wav"), number));
    assert_eq!(library.index(), u64::from(SOUNDS));
    let all: Vec<String> = (0..SOUNDS).map(|number| format!("{number}.wav")).collect();
    (library, names(&all.iter().map(String::as_str).collect::<Vec<_>>()))
}

fn other() -> SpaceId {
    SpaceId::from_hex(&"0d".repeat(32)).unwrap()
}

/// Opens a library with a model of another space, or of the stubs' usual one.
fn open(library: &Library, other: Option<SpaceId>, activity: Activity, probe: &Probe) -> Result<Engine, EngineError> {
    let options = EngineOptions { switch_space: true, ..library.options.clone() };
    let encoder = match other {
        Some(space) => stub_model::encoder_of(space, probe, stub_model::options()),
        None => stub_model::encoder(probe, stub_model::options()),
    };
    Engine::open(&library.data(), options, Some(encoder), activity)
}

#[test]
fn everything_is_embedded_again_and_back_costs_nothing() {
    let (library, all) = library();
    for activity in [Activity::Watching, Activity::OnRequest] {
        let probe = Probe::default();
        let space = match activity {
            Activity::Watching => other(),
            _ => SpaceId::from_hex(&"0e".repeat(32)).unwrap(),
        };
        let engine = open(&library, Some(space.clone()), activity, &probe).unwrap();
        assert!(engine.stats().warnings[0].contains("everything is embedded again"), "{:?}", engine.stats().warnings);
        engine.wait_until_idle();
        assert_eq!((indexed(&engine), probe.embedded()), (all.clone(), u64::from(SOUNDS)), "{activity:?}");
        assert!(engine.stats().set_aside.iter().any(|store| store.space == Some(stub_model::space())));
        assert_eq!(engine.searcher().space, Some(space));
        assert_sound(&engine);
        engine.stop(PATIENCE);
    }
    let probe = Probe::default();
    let engine = open(&library, None, Activity::Watching, &probe).unwrap();
    engine.wait_until_idle();
    assert_eq!((indexed(&engine), probe.embedded()), (all, 0));
    assert_eq!((embedded(&engine), engine.stats().set_aside.len()), (3 * u64::from(SOUNDS), 2));
    assert_sound(&engine);
    engine.stop(PATIENCE);
}

#[test]
fn it_is_open_before_anything_is_embedded_and_goes_on_after_a_stop() {
    let (library, all) = library();
    let probe = Probe::default();
    probe.close_gate();
    let engine = open(&library, Some(other()), Activity::Watching, &probe).unwrap();
    probe.wait_for_calls(1);
    assert_eq!((engine.stats().files.indexed, engine.progress().is_idle()), (0, false));
    assert_eq!(engine.catalog().read().unwrap().roots().count(), 1);
    probe.open_gate();
    engine.stop(PATIENCE);
    drop(engine);

    // What was done is kept, and the rest goes on at the next start: it stays switched.
    let engine = open(&library, Some(other()), Activity::Watching, &Probe::default()).unwrap();
    assert_eq!(engine.stats().warnings, Vec::<String>::new());
    engine.wait_until_idle();
    assert_eq!(indexed(&engine), all);
    engine.stop(PATIENCE);
}

#[test]
fn nothing_is_switched_by_who_only_looks_or_was_not_told_to() {
    let (library, all) = library();
    let refused = |result: Result<Engine, EngineError>| match result {
        Err(EngineError::Store(error @ StoreError::OtherSpace { .. })) => {
            assert!(error.to_string().contains("earmark serve --model"), "{error}");
        }
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it was opened"),
    };
    refused(open(&library, Some(other()), Activity::Still, &Probe::default()));
    let encoder = stub_model::encoder_of(other(), &Probe::default(), stub_model::options());
    refused(Engine::open(&library.data(), library.options.clone(), Some(encoder), Activity::Watching));
    let engine = library.watch();
    assert_eq!((indexed(&engine), embedded(&engine)), (all, u64::from(SOUNDS)));
    assert!(engine.stats().set_aside.is_empty());
    engine.stop(PATIENCE);
}
