//! Connections that break, stall or never come to the point.

use std::fs;
use std::time::{Duration, Instant};

use earmark::checkpoint::pull::{DownloadOptions, Outcome};

use super::server::{Ending, Reply, Request};
use super::trial::{SIZE, TAG, Trial, file, fixed, length, rest, rest_untagged, then_honest, whole};

#[test]
fn a_cut_body_is_resumed_where_it_ended() {
    let trial = Trial::new(then_honest(vec![whole().short_by(200_000), rest(100_000).short_by(50_000)]));
    trial.succeeds(&[0, 100_000, 250_000]);
    let tags: Vec<_> = trial.server.requests().iter().map(|r| r.header("if-range").map(str::to_owned)).collect();
    assert_eq!(tags, [None, Some("\"v1\"".to_owned()), Some("\"v1\"".to_owned())]);
}

#[test]
fn last_modified_stands_in_for_a_weak_etag() {
    let date = "Wed, 21 Oct 2015 07:28:00 GMT";
    let headers = [&length(SIZE), "etag: W/\"v1\"", &format!("last-modified: {date}")];
    let cut = Reply::new(200, &headers, &file(1)).short_by(200_000);
    let trial =
        Trial::new(vec![Box::new(move |_: &Request| cut.clone()), Box::new(|_: &Request| rest_untagged(100_000))]);
    trial.succeeds(&[0, 100_000]);
    assert_eq!(trial.server.requests()[1].header("if-range"), Some(date));
}

#[test]
fn a_server_without_validators_is_resumed_all_the_same() {
    let cut = Reply::new(200, &[&length(SIZE)], &file(1)).short_by(200_000);
    let trial = Trial::new(fixed(vec![cut, rest_untagged(100_000)]));
    trial.succeeds(&[0, 100_000]);
    assert_eq!(trial.server.requests()[1].header("if-range"), None);
}

#[test]
fn unended_chunks_and_unannounced_ends_are_resumed() {
    let chunks = Reply::chunked(&[TAG], &file(1)[..100_000], 10_000, false);
    Trial::new(then_honest(vec![chunks])).succeeds(&[0, 100_000]);
    let closed = Reply::new(200, &[TAG], &file(1)[..100_000]);
    Trial::new(then_honest(vec![closed])).succeeds(&[0, 100_000]);
}

#[test]
fn a_stall_is_resumed() {
    let mut trial = Trial::new(then_honest(vec![whole().short_by(100_000).ending(Ending::Stall)]));
    trial.options.stall = Duration::from_millis(600);
    trial.succeeds(&[0, 200_000]);
}

#[test]
fn a_torn_connection_is_resumed_with_what_got_through() {
    let reset = whole().short_by(100_000).ending(Ending::Reset);
    let nonsense = Reply::chunked(&[TAG], &file(1)[..200_000], 10_000, false).followed_by(b"zzz\r\n");
    for torn in [reset, nonsense] {
        let trial = Trial::new(then_honest(vec![torn]));
        assert_eq!(trial.run().unwrap(), Outcome::Downloaded);
        let starts = trial.starts();
        assert!(starts.len() == 2 && starts[1] <= 200_000, "{starts:?}");
        assert!(fs::read(&trial.destination).unwrap() == trial.file);
    }
}

#[test]
fn a_connection_closed_unanswered_is_tried_again() {
    Trial::new(then_honest(vec![Reply::raw("")])).succeeds(&[0, 0]);
    Trial::new(then_honest(vec![Reply::raw("HTTP/1.1 200 O")])).succeeds(&[0, 0]);
    Trial::new(then_honest(vec![Reply::raw("").ending(Ending::Reset)])).succeeds(&[0, 0]);
}

#[test]
fn tries_have_an_end_and_what_arrived_is_kept() {
    let cut = |start: usize| rest(start).short_by(SIZE - start - 10);
    let trial = Trial::new(fixed(vec![whole().short_by(SIZE - 10), cut(10), cut(20), cut(30)]));
    let error = trial.fails("Network", 4);
    assert_eq!(trial.starts(), [0, 10, 20, 30]);
    trial.holds_only(&["model.pt.part", "model.pt.part.json"]);
    assert!(fs::read(trial.part()).unwrap() == trial.file[..40]);
    assert!(error.hint(&trial.source).unwrap().contains("resumes there"));
}

#[test]
fn silence_from_the_start_is_a_stall() {
    for wire in ["", "HTTP/1.1 200 OK\r\ncontent-length: 300000\r\n", "HTTP/1.1 200 OK\r\n\r\n"] {
        let mut trial = Trial::new(fixed(vec![Reply::raw(wire).ending(Ending::Stall)]));
        trial.options = DownloadOptions { stall: Duration::from_millis(400), retries: 0, ..trial.options };
        let began = Instant::now();
        trial.fails("Stalled", 1);
        assert!(began.elapsed() < Duration::from_secs(5), "{wire:?}");
        trial.holds_only(&[]);
    }
}

#[test]
fn headers_that_drip_forever_are_a_stall() {
    let lines: String = (0..1000).map(|n| format!("x-{n}: y\r\n")).collect();
    let drip = Reply::raw(format!("HTTP/1.1 200 OK\r\n{lines}")).dripping(10, Duration::from_millis(20));
    let mut trial = Trial::new(fixed(vec![drip]));
    trial.options = DownloadOptions { stall: Duration::from_millis(400), retries: 0, ..trial.options };
    trial.fails("Stalled", 1);
}
