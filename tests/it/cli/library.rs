//! Looking after a library: status, folders, check, compact; completions.

use super::daemon::{FILES, lines, workplace_with_library};
use super::workplace::{Workplace, args, contains, json};

#[test]
fn the_status_is_complete() {
    let workplace = workplace_with_library();
    let status = json(&workplace.succeed(args!["status", "--json"]));
    assert_eq!((&status["files_indexed"], &status["files_failed"]), (&FILES.len().into(), &0.into()));
    assert_eq!((&status["assets_audio"], &status["assets_image"]), (&3.into(), &2.into()));
    assert!(status["segments"].as_u64() >= Some(FILES.len() as u64), "{status}");
    assert!(status["embedded_total"].as_u64() >= status["segments"].as_u64(), "{status}");
    assert!(status["store_bytes"].as_u64() > Some(0), "{status}");
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!((&status["daemon"], &status["progress"]["idle"]), (&serde_json::Value::Null, &true.into()));
    assert_eq!(status["warnings"], serde_json::json!([]));
    let root = &status["roots"][0];
    assert_eq!(root["path"], workplace.path("media").canonicalize().unwrap().to_str().unwrap());
    assert_eq!((&root["files_indexed"], &root["state"]), (&FILES.len().into(), &"unwatched".into()));
    contains(&workplace.succeed(args!["status"]), &["5 indexed, 0 failed", "3 sounds and 2 pictures", "not running"]);

    let fresh = json(&workplace.succeed(args!["status", "--json", "--data-dir", "fresh"]));
    assert_eq!((&fresh["files_indexed"], &fresh["segments"]), (&0.into(), &0.into()));
    contains(&workplace.succeed(args!["status", "--data-dir", "fresh"]), &["0 indexed"]);
}

#[test]
fn folders_come_and_go() {
    let workplace = workplace_with_library();
    workplace.bring("media/demo/cars_2.jpg", "more/cars_2.jpg");
    workplace.bring("media/demo/cat_2.jpg", "more/old/cat_2.jpg");
    workplace.bring("media/demo/alarm_clock_3-120526-B-37.wav", "more/alarm.wav");
    let add = args!["roots", "add", "more", "--exclude", "**/old", "--in", "images", "--poll"];
    contains(&workplace.succeed(add), &["added ", "/more (2)"]);
    contains(&workplace.fail(1, add), &["more"]);
    let listed = lines(&workplace.succeed(args!["roots", "--json"]));
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[1]["exclude"], serde_json::json!(["**/old"]));
    assert_eq!((&listed[1]["kinds"], &listed[1]["watch"]), (&serde_json::json!(["image"]), &"poll".into()));

    workplace.succeed(args!["roots", "rescan", "2"]);
    let listed = lines(&workplace.succeed(args!["roots", "list", "--json"]));
    assert_eq!(listed[1]["files_indexed"], 1, "{listed:?}");
    contains(&workplace.succeed(args!["roots"]), &["ID", "STATE", "/media", "/more"]);

    contains(&workplace.succeed(args!["roots", "remove", "more"]), &["removed ", "/more with "]);
    contains(&workplace.fail(1, args!["roots", "remove", "more"]), &["none of the library's folders", "media (1)"]);
    assert!(workplace.path("more/cars_2.jpg").exists());
    let status = json(&workplace.succeed(args!["status", "--json"]));
    assert_eq!(status["files_indexed"], FILES.len());
    let malformed = workplace.fail(1, args!["roots", "add", "more", "--include", "a[b"]);
    contains(&malformed, &["a[b"]);
    contains(&workplace.succeed(args!["roots", "remove", "1"]), &["with 5 files"]);
    let none = workplace.run(args!["roots", "list"]);
    assert_eq!((none.code, none.stdout.as_slice()), (0, b"".as_slice()));
    contains(&none.stderr, &["has no folders yet"]);
}

#[test]
fn a_sound_library_is_found_sound_and_can_be_compacted() {
    let workplace = workplace_with_library();
    contains(&workplace.succeed(args!["check"]), &["all is well: 5 files"]);
    contains(&workplace.succeed(args!["compact"]), &["before", "now"]);
    contains(&workplace.succeed(args!["check"]), &["all is well: 5 files"]);
    let none = workplace.run(args!["failures"]);
    assert_eq!((none.code, none.stdout.as_slice(), none.stderr.as_str()), (0, b"".as_slice(), "no file failed\n"));
    contains(&workplace.run(args!["retry"]).stderr, &["no failed file"]);
}

#[test]
fn shells_can_complete_the_command_line() {
    let workplace = Workplace::new();
    for (shell, expected) in
        [("bash", "complete -F _earmark"), ("zsh", "#compdef earmark"), ("fish", "complete -c earmark")]
    {
        let script = workplace.succeed(args!["completions", shell]);
        contains(&script, &[expected, "search", "paths0", "failures"]);
    }
    contains(&workplace.fail(2, args!["completions", "nonsense"]), &["bash", "zsh", "fish"]);
    assert!(!workplace.run_unread(args!["completions", "bash"]).contains("panicked"));
}

#[test]
fn mistakes_in_the_new_sections_are_named_as_well() {
    let workplace = Workplace::new();
    let check = |content: &str, expected: &str| {
        workplace.write("my.toml", content);
        contains(&workplace.fail(1, args!["--config", "my.toml", "status"]), &[expected]);
    };
    check("[server]\nlistn = 'x'\n", "unknown key server.listn, did you mean server.listen?");
    check("[ingest]\nhop_ms = 0\n", "ingest.hop_ms is 0, expected at least 1");
    let run = workplace.run_with(&[("EARMARK__WATCH__QUIET", "1")], args!["status"]);
    assert_eq!(run.code, 1);
    contains(&run.stderr, &["EARMARK__WATCH__QUIET: unknown key watch.quiet, did you mean watch.quiet_ms?"]);
}
