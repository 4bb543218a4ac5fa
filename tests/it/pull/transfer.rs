//! Servers that behave, each in its own way.

use std::fs;
use std::time::Duration;

use earmark::checkpoint::pull::{DownloadError, Outcome};

use super::server::{Ending, Reply};
use super::trial::{SIZE, TAG, Trial, file, fixed, then_honest, whole};

#[test]
fn a_good_server_gives_the_file_in_one_request() {
    let trial = Trial::new(then_honest(vec![]));
    trial.succeeds(&[0]);
    let request = &trial.server.requests()[0];
    assert_eq!(request.path, "/model.pt");
    assert_eq!(request.header("user-agent"), Some(concat!("earmark/", env!("CARGO_PKG_VERSION"))));
    assert_eq!(request.header("accept-encoding"), Some("identity"));
    for private in ["authorization", "cookie", "range", "if-range"] {
        assert_eq!(request.header(private), None, "{private}");
    }
}

#[test]
fn progress_rises_to_the_total_and_names_what_was_there_before() {
    let trial = Trial::new(then_honest(vec![]));
    trial.leave_part(&trial.file[..1000], "\"\\\"v1\\\"\"");
    let mut seen = Vec::new();
    trial.run_watched(&mut |progress| seen.push(progress)).unwrap();
    assert!(seen.iter().all(|progress| progress.total == SIZE as u64 && progress.resumed_from == 1000));
    assert!(seen.is_sorted_by_key(|progress| progress.done));
    assert_eq!((seen[0].done, seen.last().unwrap().done), (1000, SIZE as u64));
}

#[test]
fn a_complete_file_is_left_alone_and_nobody_is_asked() {
    let trial = Trial::new(vec![]);
    fs::write(&trial.destination, &trial.file).unwrap();
    assert_eq!(trial.run().unwrap(), Outcome::AlreadyPresent);
    assert_eq!(trial.starts(), [0; 0]);
    trial.holds_only(&["model.pt"]);
}

#[test]
fn a_damaged_file_is_replaced_and_only_by_the_right_one() {
    let trial = Trial::new(then_honest(vec![Reply::new(404, &[], b"")]));
    let damaged = file(2);
    fs::write(&trial.destination, &damaged).unwrap();
    assert!(matches!(trial.run(), Err(DownloadError::NotFound { .. })));
    assert!(fs::read(&trial.destination).unwrap() == damaged, "a failed download touched the destination");
    trial.succeeds(&[0, 0]);
}

#[test]
fn missing_folders_are_made() {
    let mut trial = Trial::new(then_honest(vec![]));
    trial.destination = trial.folder.path().join("a/b/model.pt");
    assert_eq!(trial.run().unwrap(), Outcome::Downloaded);
    assert!(fs::read(&trial.destination).unwrap() == trial.file);
}

#[test]
fn chunks_without_a_length_are_fine() {
    Trial::new(fixed(vec![Reply::chunked(&[TAG], &file(1), 7777, true)])).succeeds(&[0]);
}

#[test]
fn a_body_that_ends_with_the_connection_is_fine() {
    Trial::new(fixed(vec![Reply::new(200, &[TAG], &file(1))])).succeeds(&[0]);
}

#[test]
fn a_slow_drip_is_no_stall() {
    let mut trial = Trial::new(fixed(vec![whole().dripping(SIZE / 60, Duration::from_millis(20))]));
    trial.options.stall = Duration::from_secs(1);
    trial.succeeds(&[0]);
}

#[test]
fn a_server_that_never_hangs_up_after_the_last_byte_is_fine() {
    let mut trial = Trial::new(fixed(vec![Reply::new(200, &[TAG], &file(1)).ending(Ending::Stall)]));
    trial.options.stall = Duration::from_millis(500);
    trial.succeeds(&[0]);
}

#[test]
fn bytes_after_the_announced_length_are_not_looked_at() {
    Trial::new(fixed(vec![whole().ending(Ending::Endless)])).succeeds(&[0]);
}
