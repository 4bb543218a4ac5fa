//! Answers that are not the file.

use std::fs;
use std::time::{Duration, Instant};

use super::server::{Ending, Reply};
use super::trial::{SIZE, TAG, Trial, digest, file, fixed, length, rest, then_honest};

#[test]
fn wrong_bytes_are_thrown_away() {
    let trial = Trial::new(fixed(vec![Reply::new(200, &[&length(SIZE), TAG], &file(2))]));
    let message = trial.fails("WrongHash", 1).to_string();
    assert!(message.contains(&digest(&file(2)).to_string()), "{message}");
    assert!(message.contains(&trial.source.sha256.to_string()), "{message}");
    trial.holds_only(&[]);
}

#[test]
fn a_damaged_part_costs_a_second_download_and_nothing_else() {
    let trial = Trial::new(then_honest(vec![rest(100_000)]));
    trial.leave_part(&vec![0; 100_000], "\"\\\"v1\\\"\"");
    trial.succeeds(&[100_000, 0]);
}

#[test]
fn a_damaged_part_of_full_size_is_fetched_anew() {
    let trial = Trial::new(then_honest(vec![]));
    trial.leave_part(&file(2), "null");
    trial.succeeds(&[0]);
}

#[test]
fn wrong_bytes_after_a_damaged_part_end_it() {
    let wrong = Reply::new(200, &[&length(SIZE), TAG], &file(2));
    let trial = Trial::new(fixed(vec![rest(100_000), wrong]));
    trial.leave_part(&vec![0; 100_000], "\"\\\"v1\\\"\"");
    trial.fails("WrongHash", 2);
    trial.holds_only(&[]);
}

#[test]
fn another_size_is_refused_from_the_headers_and_a_part_survives_it() {
    let page = || Reply::new(200, &["content-length: 20", "content-type: text/html"], b"<html>Please log in.");
    Trial::new(fixed(vec![page()])).fails("WrongSize", 1);
    let trial = Trial::new(fixed(vec![page()]));
    trial.leave_part(&trial.file[..1000], "null");
    trial.fails("WrongSize", 1);
    assert!(fs::read(trial.part()).unwrap() == trial.file[..1000]);
}

#[test]
fn another_size_without_a_header_is_refused_too() {
    let trial = Trial::new(fixed(vec![Reply::chunked(&[], b"<html>Please log in.", 7, true)]));
    trial.fails("WrongSize", 1);
    trial.holds_only(&[]);
    for endless in [Reply::new(200, &[], b""), Reply::new(200, &["transfer-encoding: chunked"], b"fffffff\r\n")] {
        let trial = Trial::new(fixed(vec![endless.ending(Ending::Endless)]));
        trial.fails("TooLong", 1);
        trial.holds_only(&[]);
    }
}

#[test]
fn an_encoding_nobody_asked_for_is_refused() {
    let zipped = Reply::new(200, &[&length(SIZE), "content-encoding: gzip"], &file(1));
    let message = Trial::new(fixed(vec![zipped])).fails("Encoded", 1).to_string();
    assert!(message.contains("gzip"), "{message}");
}

#[test]
fn statuses_that_will_not_change_are_not_tried_again() {
    for (status, variant) in [
        (404, "NotFound"),
        (410, "NotFound"),
        (401, "Status"),
        (403, "Status"),
        (451, "Status"),
        (204, "Status"),
        (304, "Status"),
    ] {
        let trial = Trial::new(fixed(vec![Reply::new(status, &[], b"")]));
        trial.fails(variant, 1);
        trial.holds_only(&[]);
    }
}

#[test]
fn statuses_that_may_change_are_tried_again() {
    for status in [408, 429, 500, 502, 503, 504] {
        Trial::new(then_honest(vec![Reply::new(status, &[&length(0)], b"")])).succeeds(&[0, 0]);
    }
    let trial = Trial::new(fixed(vec![Reply::new(503, &[&length(0)], b""); 4]));
    trial.fails("Status", 4);
}

#[test]
fn a_wished_wait_is_kept() {
    let trial = Trial::new(then_honest(vec![Reply::new(429, &["retry-after: 1", &length(0)], b"")]));
    let began = Instant::now();
    trial.succeeds(&[0, 0]);
    assert!(began.elapsed() >= Duration::from_secs(1));
}

#[test]
fn a_wished_wait_beyond_reason_ends_it() {
    let trial = Trial::new(fixed(vec![Reply::new(429, &["retry-after: 3600", &length(0)], b"")]));
    let message = trial.fails("Status", 1).to_string();
    assert!(message.contains("3600 s"), "{message}");
}

#[test]
fn what_is_not_http_is_refused() {
    for wire in ["SSH-2.0-OpenSSH_9.6\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n"] {
        Trial::new(fixed(vec![Reply::raw(wire)])).fails("Protocol", 1);
    }
}

#[test]
fn a_closed_port_is_refused_after_all_tries() {
    let mut trial = Trial::new(vec![]);
    // The port was free a moment ago; nobody listens once the listener is gone.
    trial.source.url = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}/model.pt", listener.local_addr().unwrap())
    };
    trial.fails("Refused", 0);
    trial.holds_only(&[]);
}

#[test]
fn an_unencrypted_server_behind_https_is_a_tls_error() {
    let mut trial = Trial::new(fixed(vec![Reply::raw("HTTP/1.1 400 Bad Request\r\n\r\n")]));
    trial.source.url = trial.source.url.replace("http:", "https:");
    let message = trial.fails("Tls", 1).to_string();
    assert!(message.contains("SSL_CERT_FILE"), "{message}");
}

#[test]
fn addresses_that_are_not_for_us_are_refused_untried() {
    for url in ["file:///tmp/model.pt", "ftp://host/model.pt", "https://me:secret@host/model.pt", "model.pt"] {
        let mut trial = Trial::new(vec![]);
        trial.source.url = url.to_owned();
        let message = trial.fails("Address", 0).to_string();
        assert!(!message.contains("secret"), "{message}");
        trial.holds_only(&[]);
    }
}
