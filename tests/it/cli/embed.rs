//! `earmark embed`: vectors of files and words, in order, in both formats.

use std::process::Stdio;

use super::workplace::{Run, Workplace, args, contains, json};

const CAT: &str = "media/demo/cat_1.jpg";
const CARS: &str = "media/demo/cars_2.jpg";
const HORN: &str = "media/demo/car_horn_1-24074-A-43.wav";

/// A row of JSON lines: input, kind, embedding.
type Row = (String, String, Vec<f32>);

fn rows(stdout: &str) -> Vec<Row> {
    let number = |value: &serde_json::Value| value.as_f64().unwrap() as f32;
    let row = |line| {
        let object = json(line);
        let text = |key: &str| object[key].as_str().unwrap().to_owned();
        let embedding: Vec<f32> = object["embedding"].as_array().unwrap().iter().map(number).collect();
        assert_eq!(embedding.len(), 1024);
        (text("input"), text("kind"), embedding)
    };
    stdout.lines().map(row).collect()
}

/// The rows of a `.npy` file of 1024 little-endian f32 columns.
fn matrix(npy: &[u8]) -> Vec<Vec<f32>> {
    assert_eq!(&npy[..8], b"\x93NUMPY\x01\0");
    let data = 10 + usize::from(u16::from_le_bytes([npy[8], npy[9]]));
    let values: Vec<f32> = npy[data..].as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
    let rows: Vec<Vec<f32>> = values.chunks(1024).map(<[f32]>::to_vec).collect();
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, 1024), }}", rows.len());
    assert_eq!(std::str::from_utf8(&npy[10..data]).unwrap().trim_end(), header);
    rows
}

fn length(vector: &[f32]) -> f32 {
    vector.iter().map(|value| value * value).sum::<f32>().sqrt()
}

fn distance(a: &[f32], b: &[f32]) -> f32 {
    length(&a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<_>>())
}

#[test]
fn pictures_and_sounds_come_out_in_the_order_they_went_in() {
    let workplace = Workplace::with_model();
    let files = [CAT, HORN, CARS].map(crate::shared);
    let [cat, horn, cars] = &files;
    workplace.succeed(args!["embed", cat, horn, cars, "--format", "npy", "--out", "m.npy"]);
    let together = matrix(&std::fs::read(workplace.path("m.npy")).unwrap());
    let raw = matrix(&workplace.run(args!["embed", cat, horn, cars, "--raw", "--format", "npy"]).stdout);
    for (index, (file, kind)) in files.iter().zip(["image", "audio", "image"]).enumerate() {
        let alone = rows(&workplace.succeed(args!["embed", file]));
        let [(input, found, vector)] = &alone[..] else { panic!("{alone:?}") };
        assert_eq!((input.as_str(), found.as_str()), (file.to_str().unwrap(), kind));
        assert!((length(vector) - 1.0).abs() < 1e-4);
        assert!(distance(vector, &together[index]) < 1e-4, "{kind} {index}");
        let unit: Vec<f32> = raw[index].iter().map(|value| value / length(&raw[index])).collect();
        assert!((length(&raw[index]) - 1.0).abs() > 1e-2, "{kind} {index} was scaled");
        assert!(distance(&unit, vector) < 1e-4, "{kind} {index}");
    }
    assert!(distance(&together[0], &together[2]) > 1e-3);
}

#[test]
fn prompts_come_from_the_command_line_or_a_file() {
    let workplace = Workplace::with_model();
    let expected = rows(&workplace.succeed(args!["embed", "--text", "a dog", "", "rain"]));
    assert_eq!(expected.iter().map(|row| row.0.as_str()).collect::<Vec<_>>(), ["a dog", "", "rain"]);
    assert!(expected.iter().all(|row| row.1 == "text"));
    for text in ["a dog\n\nrain\n", "a dog\n\nrain", "a dog\r\n\r\nrain\r\n", "\u{feff}a dog\n\nrain\n"] {
        workplace.write("prompts.txt", text);
        let found = rows(&workplace.succeed(args!["embed", "--text-file", "prompts.txt"]));
        assert_eq!(found, expected, "{text:?}");
    }
    let long = "one two three ".repeat(40);
    let run = workplace.run(args!["embed", "--text", long]);
    assert_eq!((run.code, rows(&String::from_utf8(run.stdout).unwrap()).len()), (0, 1));
    contains(&run.stderr, &["WARN", "one two three", "122 ids", "cut to 77"]);
}

#[test]
fn a_broken_file_costs_its_row_or_the_matrix() {
    let workplace = Workplace::with_model();
    workplace.write("broken.wav", "no sound");
    workplace.write("empty.jpg", "");
    workplace.bring(CAT, "cat.jpg");
    let files = ["broken.wav", "cat.jpg", "empty.jpg", "none.ogg", "."];
    let run = |more: &[&str]| -> Run {
        let words: Vec<_> = ["embed"].iter().chain(&files).chain(more).map(std::ffi::OsString::from).collect();
        workplace.run(&words)
    };
    let reported = ["error: broken.wav: ", "error: empty.jpg: ", "error: none.ogg: ", "error: .: "];

    let lines = run(&[]);
    assert_eq!(lines.code, 1);
    contains(&lines.stderr, &reported);
    assert_eq!(lines.stderr.matches("No such file").count(), 1, "{}", lines.stderr);
    let vectors = rows(&String::from_utf8(lines.stdout).unwrap());
    assert_eq!(vectors.iter().map(|row| row.0.as_str()).collect::<Vec<_>>(), ["cat.jpg"]);

    let refused = run(&["--format", "npy", "--out", "m.npy"]);
    assert_eq!(refused.code, 1);
    contains(&refused.stderr, &["error: broken.wav: ", "nothing was written", "--skip-errors"]);
    let left = super::workplace::names_in(&workplace.path("."));
    assert!(left.iter().all(|name| name != "m.npy" && !name.starts_with(".earmark")), "{left:?}");
    assert_eq!(run(&["--format", "npy"]).stdout, b"");

    let skipped = run(&["--format", "npy", "--out", "m.npy", "--skip-errors"]);
    assert_eq!(skipped.code, 1);
    contains(&skipped.stderr, &reported);
    assert_eq!(matrix(&std::fs::read(workplace.path("m.npy")).unwrap()).len(), 1);
}

#[test]
fn what_cannot_be_written_or_run_is_said() {
    let workplace = Workplace::with_model();
    let check = |code: i32, args: &[std::ffi::OsString], expected: &[&str]| {
        contains(&workplace.fail(code, args), expected);
    };
    check(1, args!["embed", "--text", "a", "--out", "no/dir/x"], &["no/dir/x: there is no directory no/dir"]);
    check(1, args!["embed", "--text", "a", "--out", "data"], &["data: is a directory"]);
    check(1, args!["embed", "--text-file", "none.txt"], &["none.txt: No such file"]);
    check(1, args!["embed", "--text", "a", "--model", "nope"], &["no model nope", "installed: tiny"]);
    check(1, args!["embed", "--text", "a", "--model", "./no.safetensors"], &["./no.safetensors: No such file"]);
    check(2, args!["embed"], &["Usage:"]);
    check(2, args!["embed", "x.wav", "--text", "a"], &["cannot be used with", "Usage:"]);
    check(2, args!["embed", "--text", "a", "--text-file", "x"], &["cannot be used with"]);
    check(2, args!["embed", "--text", "a", "--device", "gpu"], &["unknown device", "auto, cpu or cuda:N"]);
    check(2, args!["embed", "--text", "a", "--format", "csv"], &["npy, jsonl"]);
    #[cfg(not(feature = "cuda"))]
    check(1, args!["embed", "--text", "a", "--device", "cuda:0"], &["cuda:0 is not available", "--features cuda"]);
}

#[test]
fn protocols_change_length_and_level() {
    let workplace = Workplace::with_model();
    // The clip lasts exactly the five seconds of ESC-50.
    let vector = |protocol: &str| {
        rows(&workplace.succeed(args!["embed", crate::shared(HORN), "--protocol", protocol])).remove(0).2
    };
    let whole = vector("whole");
    assert!(distance(&whole, &vector("esc50")) < 1e-4);
    assert!(distance(&whole, &vector("us8k")) > 1e-3);
}

#[test]
fn a_reader_that_leaves_is_no_crash() {
    let workplace = Workplace::with_model();
    workplace.bring(CAT, "cat.jpg");
    let check = |args: &[std::ffi::OsString]| assert_eq!(workplace.run_unread(args), "", "{args:?}");
    check(args!["embed", "cat.jpg"]);
    check(args!["embed", "--text", "a", "--format", "npy"]);
    check(args!["classify", "--labels", "a,b", "cat.jpg"]);
    check(args!["classify", "--labels", "a,b", "cat.jpg", "--json"]);
    check(args!["model", "list"]);
    check(args!["model", "show", "tiny", "--json"]);
    check(args!["model", "verify", "tiny"]);
    check(args!["--help"]);
}

/// A device is written to and not replaced: the link would be a file afterwards.
#[cfg(target_os = "linux")]
#[test]
fn a_full_device_is_an_error() {
    let workplace = Workplace::with_model();
    std::os::unix::fs::symlink("/dev/full", workplace.path("full")).unwrap();
    std::os::unix::fs::symlink("/dev/null", workplace.path("null")).unwrap();
    for format in ["npy", "jsonl"] {
        let to = |out: &str| args!["embed", "--text", "a", "--format", format, "--out", out].to_vec();
        contains(&workplace.fail(1, &to("full")), &["error: full: No space left"]);
        workplace.succeed(&to("null"));
        let full = std::fs::File::create("/dev/full").unwrap();
        let mut command = workplace.command(args!["embed", "--text", "a", "--format", format]);
        let output = command.stdout(full).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        contains(&String::from_utf8(output.stderr).unwrap(), &["error: standard output: No space left"]);
    }
    assert!(workplace.path("full").is_symlink() && workplace.path("null").is_symlink());
}
