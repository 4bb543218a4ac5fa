//! `earmark search`: what is found, and how it is told.

use std::ffi::OsString;

use serde_json::Value;

use super::daemon::{FILES, configure, lines, workplace_with_library, workplace_with_media};
use super::workplace::{Workplace, args, contains};

fn hits(workplace: &Workplace, args: &[OsString]) -> Vec<Value> {
    lines(&workplace.succeed(&[args!["search", "--json"], args].concat()))
}

fn path_ends(hit: &Value, name: &str) -> bool {
    std::path::Path::new(hit["path"].as_str().unwrap()).ends_with(name)
}

#[test]
fn every_kind_of_query_finds_things() {
    let workplace = workplace_with_library();
    workplace.bring("media/esc10/001 - Dog bark/1-30226-A.ogg", "other.ogg");
    workplace.bring("media/demo/cars_2.jpg", "other.jpg");
    let media = workplace.path("media").canonicalize().unwrap();
    let check = |args: &[OsString], expected: usize| {
        let found = hits(&workplace, args);
        assert_eq!(found.len(), expected, "{args:?}");
        let scores: Vec<f64> = found.iter().map(|hit| hit["score"].as_f64().unwrap()).collect();
        for hit in &found {
            assert!(hit["path"].as_str().unwrap().starts_with(media.to_str().unwrap()), "{hit}");
            let (start, end) = (hit["start_ms"].as_u64().unwrap(), hit["end_ms"].as_u64().unwrap());
            match hit["kind"].as_str().unwrap() {
                "audio" => assert!(start < end, "{hit}"),
                kind => assert_eq!((kind, start, end), ("image", 0, 0), "{hit}"),
            }
            assert_eq!(hit["asset"].as_str().unwrap().len(), 64);
            assert!(hit["facts"]["bytes"].as_u64() > Some(0), "{hit}");
        }
        scores
    };
    check(args!["dog"], FILES.len());
    check(args!["dog", "-k", "2"], 2);
    check(args!["dog", "-k", "9", "--offset", "3"], FILES.len() - 3);
    check(args!["dog", "cat", "--not", "car", "--audio", "other.ogg", "--image", "other.jpg"], FILES.len());
    for scores in [
        check(args!["dog", "--in", "audio"], 3),
        check(args!["--audio", "other.ogg", "--in", "audio", "--exact", "--segments"], 3),
        check(args!["--image", "other.jpg", "--in", "images"], 2),
    ] {
        assert!(scores.windows(2).all(|pair| pair[0] >= pair[1]), "{scores:?}");
    }
}

#[test]
fn content_is_found_by_itself_and_by_what_is_like_it() {
    let workplace = workplace_with_library();
    let check = |args: &[OsString], name: &str| {
        let found = hits(&workplace, args);
        assert!(path_ends(&found[0], name), "{args:?}: {}", found[0]);
        assert!(found[0]["score"].as_f64().unwrap() > 0.99, "{args:?}: {}", found[0]);
        found[0].clone()
    };
    let horn = check(args!["--audio", "media/horn.wav", "--in", "audio"], "horn.wav");
    check(args!["--image", "media/pictures/cat_1.jpg", "--in", "images"], "cat_1.jpg");

    // What is like something is something else; what is known already needs no model.
    let id = horn["asset"].as_str().unwrap();
    let first_segment = format!("{id}:0");
    for like in ["media/horn.wav", id, &first_segment] {
        let found = hits(&workplace, args!["--like", like, "--in", "audio", "--model-dir", "none"]);
        assert_eq!(found.len(), 2, "{like}");
        assert!(found.iter().all(|hit| hit["asset"] != id && hit["score"].as_f64().unwrap() < 0.999), "{found:?}");
    }
    let words = workplace.fail(1, args!["search", "dog", "--model-dir", "none", "--model", "tiny"]);
    contains(&words, &["no model tiny is installed"]);
}

#[test]
fn filters_hold_and_nothing_found_is_no_error() {
    let workplace = workplace_with_library();
    let names = |args: &[OsString]| {
        let mut names: Vec<String> = hits(&workplace, &[args!["x"], args].concat())
            .iter()
            .map(|hit| hit["path"].as_str().unwrap().rsplit('/').next().unwrap().to_owned())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names(args!["--ext", ".JPG"]), ["cars_1.jpg", "cat_1.jpg"]);
    assert_eq!(names(args!["--under", "media/dogs"]), ["1-100032-A.ogg", "1-110389-A.ogg"]);
    assert_eq!(names(args!["--under", "media/horn.wav"]), ["horn.wav"]);
    assert_eq!(names(args!["--glob", "pictures/cat*"]), ["cat_1.jpg"]);
    assert_eq!(names(args!["--root", "media", "--text", "horn"]), ["horn.wav"]);
    assert_eq!(names(args!["--root", "1", "--in", "audio", "--ext", "wav,ogg"]).len(), 3);
    assert_eq!(names(args!["--sample-rate", "1-", "--min-duration", "4.5"]).len(), 3);
    assert_eq!(names(args!["--newer", "1h"]).len(), FILES.len());

    let none = workplace.run(args!["search", "x", "--older", "2000-01-01", "--json"]);
    assert_eq!((none.code, none.stdout.as_slice(), none.stderr.as_str()), (0, b"".as_slice(), "nothing found\n"));
    contains(
        &workplace.fail(1, args!["search", "x", "--root", "none"]),
        &["none of the library's folders", "media (1)"],
    );
    contains(&workplace.fail(1, args!["search", "x", "--glob", "a[b"]), &["a[b"]);

    let empty = workplace.run(args!["search", "x", "--data-dir", "other"]);
    assert_eq!(empty.code, 0, "{}", empty.stderr);
    contains(&empty.stderr, &["the library is empty", "earmark index PATH"]);
}

#[test]
fn wrong_queries_are_explained() {
    let workplace = workplace_with_library();
    for line in ["search", "search --not car", "search x --json --paths0", "search x -k 0", "search x --min-score 2"] {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        contains(&workplace.fail(2, &words), &["error: "]);
    }
    contains(
        &workplace.fail(2, args!["search", "x", "--max-duration", "2y"]),
        &["is no length of time, expected e.g."],
    );
    contains(&workplace.fail(1, args!["search", "--audio", "none.wav"]), &["error: none.wav: No such file"]);
    contains(&workplace.fail(1, args!["search", "--audio", "media"]), &["media: is a directory"]);
    contains(&workplace.fail(1, args!["search", "--like", "media"]), &["media: is not in the library"]);
    contains(&workplace.fail(1, args!["search", "--like", "0".repeat(64)]), &["is not in the library"]);
    workplace.write("broken.wav", b"RIFF");
    let broken = workplace.fail(1, args!["search", "--audio", "broken.wav"]);
    assert!(!broken.contains("status:"), "{broken}");
    contains(&workplace.fail(1, args!["search", "x", "--server", "127.0.0.1:1"]), &["no earmark can be reached there"]);
}

#[test]
fn the_table_is_for_people() {
    let workplace = workplace_with_library();
    let table = workplace.succeed(args!["search", "--audio", "media/horn.wav", "--in", "audio"]);
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 4, "{table}");
    contains(lines[0], &["#", "SCORE", "WHERE", "FILE"]);
    contains(lines[1], &["1", "0:00–0:05", "media/horn.wav"]);
}

#[cfg(unix)]
#[test]
fn paths_come_as_the_file_system_has_them() {
    use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

    let workplace = workplace_with_media();
    let name = OsString::from_vec(b"media/b\xffrk\n.wav".to_vec());
    let path = workplace.path("").join(&name);
    std::fs::rename(workplace.path("media/horn.wav"), &path).unwrap();
    workplace.succeed(args!["index", "media", "--quiet"]);
    let run = workplace.run(args!["search", "x", "--ext", "wav", "--paths0"]);
    let expected = [path.canonicalize().unwrap().as_os_str().as_bytes(), b"\0"].concat();
    assert_eq!((run.code, run.stdout), (0, expected));
    let hit = &hits(&workplace, args!["x", "--ext", "wav"])[0];
    assert!(path_ends(hit, "b\u{fffd}rk\n.wav"), "{hit}");
    assert!(hit["raw_path"].as_str().unwrap().ends_with("62ff726b0a2e776176"), "{hit}");
    contains(&workplace.succeed(args!["search", "x", "--ext", "wav"]), &["b\u{fffd}rk\u{fffd}.wav"]);
}

#[test]
fn media_larger_than_a_message_are_sent_behind_it() {
    let workplace = workplace_with_library();
    let query = args!["--audio", "media/horn.wav", "--image", "media/pictures/cat_1.jpg"];
    let whole = hits(&workplace, query);
    configure(&workplace, "[server]\nmessage_bytes = 100_000");
    assert_eq!(hits(&workplace, query), whole);
    configure(&workplace, "[server]\nmessage_bytes = 100_000\nupload_bytes = 50_000");
    contains(&workplace.fail(1, &[args!["search"], query.as_slice()].concat()), &["50000"]);
}

#[cfg(unix)]
#[test]
fn the_best_sound_is_played() {
    use std::os::unix::fs::PermissionsExt as _;

    let workplace = workplace_with_library();
    let play = args!["search", "--audio", "media/horn.wav", "--play"];
    let path = workplace.path("bin");
    let with_path = |args: &[OsString]| workplace.run_with(&[("PATH", path.to_str().unwrap())], args);
    let none = with_path(play);
    assert_eq!(none.code, 1);
    contains(&none.stderr, &["no player is installed", "ffplay, mpv, play, afplay"]);

    workplace.write("bin/mpv", format!("#!/bin/sh\nprintf '%s\\n' \"$@\" > '{}'\n", workplace.path("said").display()));
    std::fs::set_permissions(workplace.path("bin/mpv"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let run = with_path(play);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let said = std::fs::read_to_string(workplace.path("said")).unwrap();
    let horn = workplace.path("media/horn.wav").canonicalize().unwrap();
    let expected = ["--no-video", "--really-quiet", "--start=0.000", "--", horn.to_str().unwrap()];
    assert_eq!(said.lines().collect::<Vec<_>>(), expected);
    let pictures = with_path(args!["search", "x", "--in", "images", "--play"]);
    contains(&pictures.stderr, &["no sound among the hits"]);
}
