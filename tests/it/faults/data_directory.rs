//! The data directory damaged, taken, or not to be written to, through the real binary.

use std::path::{Path, PathBuf};

use crate::cli::workplace::{Workplace, args, contains, json};
use crate::ingest::library::{rounds, wav};

const SOUNDS: u32 = 12;

fn indexed() -> Workplace {
    let workplace = Workplace::with_model();
    for number in 0..SOUNDS {
        workplace.write(&format!("sounds/{number}.wav"), wav(number));
    }
    index(&workplace);
    workplace
}

fn index(workplace: &Workplace) -> String {
    let arguments = args!["index", workplace.path("sounds"), "--data-dir", "library", "--model", "tiny"];
    let output = workplace.run_with(&[("EARMARK__INGEST__SETTLE_MS", "0")], arguments);
    assert_eq!(output.code, 0, "{}", output.stderr);
    output.stderr
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

/// Everything is there, fits together, and says so.
fn assert_whole(workplace: &Workplace) {
    let status = json(&workplace.succeed(args!["status", "--data-dir", "library", "--json"]));
    assert_eq!((status["files_indexed"].as_u64(), status["segments"].as_u64()), (Some(12), Some(12)), "{status}");
    workplace.succeed(args!["check", "--data-dir", "library"]);
    let hits = workplace.succeed(args![
        "search",
        "--audio",
        workplace.path("sounds/3.wav"),
        "--data-dir",
        "library",
        "--model",
        "tiny",
        "--json"
    ]);
    let first = json(hits.lines().next().unwrap());
    assert!(first["path"].as_str().unwrap().ends_with("sounds/3.wav"), "{first}");
    assert!(first["score"].as_f64().unwrap() > 0.999);
}

#[test]
fn a_flipped_byte_anywhere_is_survived_and_told() {
    let workplace = indexed();
    let pristine = tempfile::tempdir().unwrap();
    let copy = |from: &Path, to: &Path| {
        let status = std::process::Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
        assert!(status.success());
    };
    copy(&workplace.path("library"), &pristine.path().join("library"));
    let files: Vec<PathBuf> = files_below(&workplace.path("library"))
        .into_iter()
        .map(|path| path.strip_prefix(workplace.path("library")).unwrap().to_owned())
        .filter(|path| path.as_os_str() != "lock")
        .collect();
    let mut state = 11u64;
    let mut random = |bound: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    for round in 0..4 * rounds() {
        std::fs::remove_dir_all(workplace.path("library")).unwrap();
        copy(&pristine.path().join("library"), &workplace.path("library"));
        let victim = workplace.path("library").join(&files[random(files.len() as u64) as usize]);
        let mut content = std::fs::read(&victim).unwrap();
        if content.is_empty() {
            continue;
        }
        let at = random(content.len() as u64) as usize;
        if round % 2 == 0 {
            content[at] ^= 1 << random(8);
        } else {
            content.truncate(at);
        }
        std::fs::write(&victim, &content).unwrap();
        index(&workplace);
        assert_whole(&workplace);
    }
}

#[test]
fn a_lost_store_is_made_again_with_its_roots() {
    let workplace = indexed();
    for file in files_below(&workplace.path("library/store")) {
        std::fs::write(file, b"this was a database").unwrap();
    }
    let roots = workplace.succeed(args!["roots", "list", "--data-dir", "library"]);
    contains(&roots, &["sounds"]);
    index(&workplace);
    assert_whole(&workplace);
    let kept = std::fs::read_dir(workplace.path("library")).unwrap();
    let kept = kept.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains("damaged"));
    assert_eq!(kept.count(), 1, "the damaged store is set aside, not deleted");
}

#[test]
fn a_data_directory_that_cannot_be_written_to_is_named() {
    let workplace = Workplace::with_model();
    workplace.write("occupied", b"a file, where a folder is wanted");
    workplace.write("sounds/1.wav", wav(1));
    let error =
        workplace.fail(1, args!["index", workplace.path("sounds"), "--data-dir", "occupied", "--model", "tiny"]);
    contains(&error, &["occupied"]);
}
