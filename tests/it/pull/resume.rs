//! Part files of earlier calls, and servers that are dishonest about ranges and versions.

use std::fs;

use super::server::{Ending, Reply};
use super::trial::{SIZE, TAG, Trial, file, fixed, length, rest, rest_untagged, then_honest, whole};

#[test]
fn a_part_left_behind_is_continued() {
    for length in [1, 100_000, SIZE - 1] {
        let trial = Trial::new(then_honest(vec![]));
        trial.leave_part(&trial.file[..length], "\"\\\"v1\\\"\"");
        trial.succeeds(&[length]);
    }
}

#[test]
fn a_complete_part_needs_no_request() {
    let trial = Trial::new(vec![]);
    trial.leave_part(&trial.file, "null");
    trial.succeeds(&[]);
}

#[test]
fn a_part_that_does_not_belong_is_not_continued() {
    let check = |spoil: &dyn Fn(&Trial)| {
        let trial = Trial::new(then_honest(vec![]));
        trial.leave_part(&trial.file[..1000], "null");
        spoil(&trial);
        trial.succeeds(&[0]);
    };
    let edit = |from: &'static str, to: &'static str| {
        move |trial: &Trial| {
            let record = fs::read_to_string(trial.record()).unwrap();
            assert!(record.contains(from));
            fs::write(trial.record(), record.replace(from, to)).unwrap();
        }
    };
    check(&|trial| fs::remove_file(trial.record()).unwrap());
    check(&|trial| fs::write(trial.record(), "{").unwrap());
    check(&edit("model.pt", "other.pt"));
    check(&edit("300000", "300001"));
    check(&edit("\"format\":1", "\"format\":2"));
    check(&|trial| fs::write(trial.part(), vec![0; SIZE + 1]).unwrap());
    check(&|trial| fs::write(trial.part(), "").unwrap());
}

#[test]
fn a_server_that_ignores_ranges_starts_over() {
    let trial = Trial::new(fixed(vec![whole().short_by(100_000), whole()]));
    trial.succeeds(&[0, 200_000]);
}

#[test]
fn a_new_version_starts_over_and_is_never_glued_on() {
    // The first version is not the file we want, the second is; an honest server sees our tag and sends it whole.
    let old = Reply::new(200, &[&length(SIZE), "etag: \"v0\""], &file(2)).short_by(100_000);
    let trial = Trial::new(then_honest(vec![old]));
    trial.succeeds(&[0, 200_000]);
    assert_eq!(trial.server.requests()[1].header("if-range"), Some("\"v0\""));
}

#[test]
fn a_new_version_sent_as_the_rest_of_the_old_one_is_noticed() {
    let old = Reply::new(200, &[&length(SIZE), "etag: \"v0\""], &file(2)).short_by(100_000);
    let trial = Trial::new(fixed(vec![old, rest(200_000), whole()]));
    trial.succeeds(&[0, 200_000, 0]);
}

#[test]
fn a_rest_of_another_file_is_noticed_by_its_digest() {
    // Without tags nothing but the digest can tell; one fresh start then settles it.
    let old = Reply::new(200, &[&length(SIZE)], &file(2)).short_by(100_000);
    let trial = Trial::new(fixed(vec![old, rest_untagged(200_000), whole()]));
    trial.succeeds(&[0, 200_000, 0]);
}

#[test]
fn lies_about_ranges_are_noticed_and_the_whole_is_fetched() {
    let (last, tail) = (SIZE - 1, &file(1)[200_000..]);
    for range in [
        format!("content-range: bytes 199999-{last}/{SIZE}"),
        format!("content-range: bytes 0-{last}/{SIZE}"),
        format!("content-range: bytes 200000-{last}/{}", SIZE + 1),
        format!("content-range: bytes 200000-{}/{SIZE}", last - 1),
        "content-range: bytes */300000".to_owned(),
        "content-range: nonsense".to_owned(),
        "content-type: multipart/byteranges; boundary=x".to_owned(),
    ] {
        let lie = Reply::new(206, &[&range, TAG], tail);
        let trial = Trial::new(then_honest(vec![whole().short_by(100_000), lie]));
        trial.succeeds(&[0, 200_000, 0]);
    }
    let refusal = Reply::new(416, &["content-range: bytes */300000"], b"");
    Trial::new(then_honest(vec![whole().short_by(100_000), refusal])).succeeds(&[0, 200_000, 0]);
}

#[test]
fn a_rest_longer_than_announced_is_refused() {
    let range = format!("content-range: bytes 200000-{}/{SIZE}", SIZE - 1);
    let long = Reply::new(206, &[&range, TAG], &file(1)[200_000..]).ending(Ending::Endless);
    let trial = Trial::new(fixed(vec![whole().short_by(100_000), long]));
    trial.fails("TooLong", 2);
    trial.holds_only(&[]);
}

#[test]
fn a_part_of_what_was_asked_whole_is_refused() {
    Trial::new(fixed(vec![rest(1)])).fails("Protocol", 1);
}
