//! Files that cannot be indexed are remembered, and tried again when there is a reason.

use earmark::library::FailureCode;

use super::library::{Library, assert_sound, await_indexed, embedded, eventually, indexed, names, wav};

#[test]
fn a_failing_file_is_remembered_until_it_changes() {
    let library = Library::new();
    library.sound("good.wav", 1);
    library.write("bad.wav", b"this is no sound at all, whatever its name says");
    library.write("notes.txt", b"neither named nor built like media");
    let engine = library.watch();
    let failures = engine.failures(None, 10).unwrap();
    assert_eq!((failures.total, failures.next), (1, None));
    let failed = &failures.items[0];
    assert_eq!(failed.file.path, library.path("bad.wav"));
    assert_eq!(failed.failure.code, FailureCode::Unsupported);
    assert_eq!(
        failed.failure.content.unwrap().as_bytes(),
        blake3::hash(b"this is no sound at all, whatever its name says").as_bytes()
    );
    let first_try = failed.failure.at_ms;
    assert_eq!((engine.stats().files.failed, engine.stats().files.ignored), (1, 1));

    engine.rescan(None).unwrap();
    engine.wait_until_idle();
    assert_eq!(engine.failures(None, 10).unwrap().items[0].failure.at_ms, first_try, "it was not tried again");

    std::thread::sleep(std::time::Duration::from_millis(2));
    assert_eq!(engine.retry(Some(&library.path("bad.wav"))).unwrap(), 1);
    eventually("another try", || engine.failures(None, 10).unwrap().items[0].failure.at_ms > first_try);

    library.write("bad.wav", &wav(2));
    await_indexed(&engine, &names(&["bad.wav", "good.wav"]));
    assert_eq!(engine.failures(None, 10).unwrap().total, 0);
    assert_sound(&engine);
}

#[test]
fn content_that_failed_fails_everywhere() {
    let library = Library::new();
    for copy in 0..5 {
        library.write(&format!("{copy}.mp3"), b"RIFF but not really a sound, five times");
    }
    let engine = library.watch();
    let page = engine.failures(None, 3).unwrap();
    assert_eq!((page.items.len(), page.total), (3, 5));
    let rest = engine.failures(page.next.as_deref(), 3).unwrap();
    assert_eq!((rest.items.len(), rest.next), (2, None));
    assert_eq!(embedded(&engine), 0);
    assert!(engine.failures(Some("nonsense"), 3).is_err());
}

#[test]
fn failures_survive_a_restart() {
    let library = Library::new();
    library.write("bad.flac", b"fLaC and nothing else");
    library.index();
    let engine = library.watch();
    assert_eq!(engine.stats().files.failed, 1);
    assert_eq!(indexed(&engine), names(&[]));
}
