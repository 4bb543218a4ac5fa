//! `earmark index`: once through a folder, and never twice through the same content.

use super::daemon::{FILES, lines, workplace_with_library, workplace_with_media};
use super::workplace::{Workplace, args, contains, json};

fn events(workplace: &Workplace, folder: &str) -> Vec<serde_json::Value> {
    lines(&workplace.succeed(args!["index", folder, "--json"]))
}

fn count(events: &[serde_json::Value], what: &str) -> usize {
    events.iter().filter(|event| event["event"] == what).count()
}

#[test]
fn content_is_embedded_once() {
    let workplace = workplace_with_media();
    let first = events(&workplace, "media");
    assert_eq!(count(&first, "indexed"), FILES.len());
    let media = workplace.path("media").canonicalize().unwrap();
    for event in first.iter().filter(|event| event["event"] == "indexed") {
        assert!(event["path"].as_str().unwrap().starts_with(media.to_str().unwrap()), "{event}");
        assert_eq!((event["asset"].as_str().unwrap().len(), &event["embedded"]), (64, &true.into()));
    }
    let done = first.last().unwrap();
    assert_eq!((&done["event"], &done["files_indexed"]), (&"done".into(), &FILES.len().into()));
    assert_eq!((&done["files_failed"], &done["indexed"]), (&0.into(), &FILES.len().into()));
    assert!(done["segments"].as_u64().unwrap() >= FILES.len() as u64 && done["seconds"].is_f64(), "{done}");
    assert_eq!(done["embedded"], done["embedded_total"]);

    let again = events(&workplace, "media");
    assert_eq!(again.len(), 1, "{again:?}");
    assert_eq!((&again[0]["indexed"], &again[0]["embedded"]), (&0.into(), &0.into()));
    assert_eq!(again[0]["embedded_total"], done["embedded_total"]);

    // Copies and renames are known content.
    std::fs::copy(workplace.path("media/horn.wav"), workplace.path("media/dogs/horn.wav")).unwrap();
    std::fs::rename(workplace.path("media/pictures"), workplace.path("media/photos")).unwrap();
    let third = events(&workplace, "media");
    let last = third.last().unwrap();
    assert_eq!((&last["files_indexed"], &last["embedded"]), (&(FILES.len() + 1).into(), &0.into()));
    assert_eq!(last["embedded_total"], done["embedded_total"]);
    assert!(third.iter().all(|event| event["embedded"] != true), "{third:?}");
}

#[test]
fn a_broken_file_is_reported_and_does_not_stop_the_rest() {
    let workplace = workplace_with_media();
    workplace.write("media/broken.wav", b"RIFF this is not a wave file at all");
    workplace.write("media/empty.ogg", b"");
    let summary = workplace.succeed(args!["index", "media"]);
    contains(
        &summary,
        &["5 files indexed (", "new embeddings)", "2 failed (see `earmark failures`)", "the library has 5"],
    );

    let listed = lines(&workplace.succeed(args!["failures", "--json"]));
    let names: Vec<&str> = listed.iter().map(|failure| failure["path"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 2);
    assert!(names[0].ends_with("/media/broken.wav") && names[1].ends_with("/media/empty.ogg"), "{names:?}");
    assert_eq!(listed[1]["code"], "empty");
    assert!(!listed[0]["reason"].as_str().unwrap().is_empty() && listed[0]["at_ms"].as_u64() > Some(0), "{listed:?}");
    contains(&workplace.succeed(args!["failures"]), &["WHY", "broken.wav", "empty.ogg"]);

    // Nothing has changed, so they are tried again only if somebody says so.
    let again = events(&workplace, "media");
    assert_eq!((count(&again, "failed"), &again[0]["files_failed"]), (0, &2.into()));
    let retried = workplace.run(args!["retry", "media/broken.wav"]);
    assert_eq!(retried.code, 0, "{}", retried.stderr);
    contains(&retried.stderr, &["trying 1 file again"]);
    contains(&String::from_utf8(retried.stdout).unwrap(), &["0 files indexed", "1 failed"]);

    workplace.bring(FILES[2].0, "media/broken.wav");
    let mended = events(&workplace, "media");
    let done = mended.last().unwrap();
    assert_eq!((&done["files_failed"], &done["embedded"]), (&1.into(), &0.into()));
    contains(&workplace.run(args!["retry", "media/dogs"]).stderr, &["no failed file"]);
}

#[test]
fn folders_are_found_in_what_is_there_already() {
    let workplace = workplace_with_library();
    workplace.bring("media/demo/cat_2.jpg", "media/pictures/cat_2.jpg");
    let inside = events(&workplace, "media/pictures");
    assert_eq!(inside.last().unwrap()["files_indexed"], FILES.len() + 1);
    let status = json(&workplace.succeed(args!["status", "--json"]));
    assert_eq!(status["roots"].as_array().unwrap().len(), 1);

    workplace.write("elsewhere.wav", b"");
    contains(&workplace.fail(1, args!["index", "elsewhere.wav"]), &["elsewhere.wav: is no folder"]);
    contains(&workplace.fail(1, args!["index", "none"]), &["error: none: No such file"]);
    // The home of this test lies around what is indexed.
    contains(&workplace.fail(1, args!["index", "."]), &["error: ", "media"]);
    contains(&workplace.fail(2, args!["index"]), &["PATH"]);
}

#[test]
fn nothing_is_printed_if_nobody_wants_it() {
    let workplace = workplace_with_media();
    let run = workplace.run(args!["index", "media", "--quiet"]);
    assert_eq!((run.code, run.stdout.as_slice(), run.stderr.as_str()), (0, b"".as_slice(), ""));
}

#[test]
fn indexing_needs_a_model_that_is_there() {
    let workplace = Workplace::new();
    std::fs::create_dir(workplace.path("media")).unwrap();
    let unknown = workplace.fail(1, args!["index", "media", "--model", "nope"]);
    contains(&unknown, &["no model nope is installed", "demo is built in", "earmark model pull"]);
}

#[test]
fn a_data_directory_knows_its_model() {
    let workplace = workplace_with_media();
    std::fs::rename(workplace.models(), workplace.path("elsewhere")).unwrap();
    let place = args!["--data-dir", "library"];
    let unnamed = [args!["index", "media"].as_slice(), place].concat();
    let absent = [&unnamed, args!["--model", "tiny"].as_slice()].concat();
    contains(&workplace.fail(1, &absent), &["no model tiny is installed"]);
    let named = [&unnamed, args!["--model", "tiny", "--model-dir", "elsewhere"].as_slice()].concat();
    workplace.succeed(&named);
    let found = workplace.succeed(&[args!["search", "dog", "--json"].as_slice(), place].concat());
    assert_eq!(found.lines().count(), FILES.len());
    workplace.succeed(&unnamed);
}
