//! Downloading a checkpoint from a server that misbehaves in every way we could think of.
//!
//! Each test scripts the server connection by connection, and judges by the error's variant, by the file byte for byte,
//! and by what the server was asked: bytes that are on disk are never asked for again.

#![allow(clippy::unwrap_used, reason = "a failed unwrap in a test is a failed test")]

mod server;

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use earmark::checkpoint::pull::{DownloadError, DownloadOptions, Outcome, Progress, Sha256Digest, Source, download};
use sha2::{Digest, Sha256};

use server::{Ending, Reply, Request, Script, Server};

const SIZE: usize = 300_000;
const TAG: &str = "etag: \"v1\"";

/// A file on a scripted server, and an empty folder to fetch it to.
struct Trial {
    file: Vec<u8>,
    server: Server,
    source: Source,
    folder: tempfile::TempDir,
    destination: PathBuf,
    options: DownloadOptions,
    cancel: AtomicBool,
}

/// The published file for seed 1; for any other, a different one of the same size.
fn file(seed: u32) -> Vec<u8> {
    let mut state = seed;
    let step = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    (0..SIZE).map(step).collect()
}

fn digest(bytes: &[u8]) -> Sha256Digest {
    <[u8; 32]>::from(Sha256::digest(bytes)).into()
}

impl Trial {
    fn new(script: Script) -> Self {
        let (file, server) = (file(1), Server::start(script));
        let folder = tempfile::tempdir().unwrap();
        let source = Source {
            name: "model".to_owned(),
            file_name: "model.pt".to_owned(),
            url: server.url(),
            bytes: SIZE as u64,
            sha256: digest(&file),
        };
        let options = DownloadOptions {
            retries: 3,
            backoff: Duration::from_millis(1),
            longest_backoff: Duration::from_millis(1),
            ..DownloadOptions::default()
        };
        let destination = folder.path().join("model.pt");
        Self { file, server, source, folder, destination, options, cancel: AtomicBool::new(false) }
    }

    fn run(&self) -> Result<Outcome, DownloadError> {
        self.run_watched(&mut |_| {})
    }

    fn run_watched(&self, progress: &mut dyn FnMut(Progress)) -> Result<Outcome, DownloadError> {
        download(&self.source, &self.destination, &self.options, &self.cancel, progress)
    }

    /// Leaves what an interrupted download leaves: the beginning of the file and the record of its origin.
    fn leave_part(&self, bytes: &[u8], etag: &str) {
        let Source { url, sha256, .. } = &self.source;
        let record = format!(
            r#"{{"format":1,"url":"{url}","bytes":{SIZE},"sha256":"{sha256}",
                "version":{{"etag":{etag},"last_modified":null}}}}"#
        );
        fs::write(self.part(), bytes).unwrap();
        fs::write(self.record(), record).unwrap();
    }

    fn part(&self) -> PathBuf {
        self.folder.path().join("model.pt.part")
    }

    fn record(&self) -> PathBuf {
        self.folder.path().join("model.pt.part.json")
    }

    /// The first bytes asked for, request by request; 0 stands for no range.
    fn starts(&self) -> Vec<usize> {
        self.server.requests().iter().map(|request| request.start().unwrap_or(0)).collect()
    }

    /// The download succeeds, asks for these starts, and leaves the file and nothing else.
    #[track_caller]
    fn succeeds(&self, starts: &[usize]) {
        assert_eq!(self.run().unwrap(), Outcome::Downloaded);
        assert_eq!(self.starts(), starts);
        self.holds_only(&["model.pt"]);
        assert!(fs::read(&self.destination).unwrap() == self.file, "the file differs");
    }

    /// The download fails with this variant after so many requests; nothing appears under the real name.
    #[track_caller]
    fn fails(&self, variant: &str, requests: usize) -> DownloadError {
        let error = self.run().unwrap_err();
        assert!(
            format!("{error:?}").starts_with(variant),
            "expected {variant}, got {error:?} after {:?}",
            self.server.requests()
        );
        assert_eq!(self.starts().len(), requests, "{error}");
        assert!(!self.destination.exists(), "{error}");
        error
    }

    #[track_caller]
    fn holds_only(&self, expected: &[&str]) {
        let mut names: Vec<_> = fs::read_dir(&self.folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, expected);
    }
}

/// A script that gives these replies in turn, whatever is asked.
fn fixed(replies: Vec<Reply>) -> Script {
    replies.into_iter().map(|reply| Box::new(move |_: &Request| reply.clone()) as _).collect()
}

/// As [`fixed`], and then everything as it should be.
fn then_honest(replies: Vec<Reply>) -> Script {
    let mut script = fixed(replies);
    script.push(Box::new(honest));
    script
}

/// What a good server answers.
fn honest(request: &Request) -> Reply {
    match request.start() {
        Some(start) if request.header("if-range").is_none_or(|tag| tag == "\"v1\"") => rest(start),
        _ => whole(),
    }
}

fn whole() -> Reply {
    Reply::new(200, &[&length(SIZE), TAG], &file(1))
}

fn rest(start: usize) -> Reply {
    let range = format!("content-range: bytes {start}-{}/{SIZE}", SIZE - 1);
    Reply::new(206, &[&length(SIZE - start), &range, TAG], &file(1)[start..])
}

fn length(length: usize) -> String {
    format!("content-length: {length}")
}

// ---- the good case ------------------------------------------------------------------------------------------------

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

// ---- other ways to send a body ------------------------------------------------------------------------------------

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
    let mut trial = Trial::new(fixed(vec![whole().dripping(SIZE / 20, Duration::from_millis(20))]));
    trial.options.stall = Duration::from_millis(350);
    trial.succeeds(&[0]);
}

#[test]
fn a_server_that_never_hangs_up_after_the_last_byte_is_fine() {
    let mut trial = Trial::new(fixed(vec![Reply::new(200, &[TAG], &file(1)).ending(Ending::Stall)]));
    trial.options.stall = Duration::from_millis(150);
    trial.succeeds(&[0]);
}

#[test]
fn bytes_after_the_announced_length_are_not_looked_at() {
    Trial::new(fixed(vec![whole().ending(Ending::Endless)])).succeeds(&[0]);
}

// ---- redirects ----------------------------------------------------------------------------------------------------

#[test]
fn redirects_are_followed_and_keep_the_range() {
    let hop = || Reply::new(302, &["location: /signed?token=secret", &length(0)], b"");
    let trial = Trial::new({
        let mut script = fixed(vec![hop(), whole().short_by(100_000), hop()]);
        script.push(Box::new(honest));
        script
    });
    trial.succeeds(&[0, 0, 200_000, 200_000]);
    let requests = trial.server.requests();
    let paths: Vec<_> = requests.iter().map(|request| request.path.as_str()).collect();
    assert_eq!(paths, ["/model.pt", "/signed?token=secret", "/model.pt", "/signed?token=secret"]);
    assert_eq!(requests[3].header("if-range"), Some("\"v1\""));
}

#[test]
fn a_redirect_loop_ends() {
    let hop = |_: &Request| Reply::new(302, &["location: /model.pt", &length(0)], b"");
    let trial = Trial::new((0..30).map(|_| Box::new(hop) as _).collect());
    trial.fails("Redirect", 11);
}

#[test]
fn a_redirect_to_nowhere_is_refused_without_showing_where() {
    for location in ["location: ftp://secret/x", "location: ../../secret", "x: y"] {
        let trial = Trial::new(fixed(vec![Reply::new(302, &[location, &length(0)], b"")]));
        let message = trial.fails("Redirect", 1).to_string();
        assert!(!message.contains("secret"), "{message}");
    }
}

#[test]
fn a_redirect_to_a_local_file_does_not_leave_the_server() {
    let local = Reply::new(302, &["location: file:///dev/zero", &length(0)], b"");
    Trial::new(fixed(vec![local, Reply::new(404, &[], b"")])).fails("NotFound", 2);
}

#[test]
fn a_redirect_with_an_endless_body_is_a_stall() {
    let endless = Reply::new(302, &["location: /model.pt", "transfer-encoding: chunked"], b"fffffffffff\r\n");
    let mut trial = Trial::new(fixed(vec![endless.ending(Ending::Endless)]));
    trial.options = DownloadOptions { stall: Duration::from_millis(150), retries: 0, ..trial.options };
    trial.fails("Stalled", 1);
}

// ---- interruptions ------------------------------------------------------------------------------------------------

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

fn rest_untagged(start: usize) -> Reply {
    let range = format!("content-range: bytes {start}-{}/*", SIZE - 1);
    Reply::new(206, &[&range], &file(1)[start..])
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
    trial.options.stall = Duration::from_millis(300);
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
        trial.options = DownloadOptions { stall: Duration::from_millis(150), retries: 0, ..trial.options };
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
    trial.options = DownloadOptions { stall: Duration::from_millis(200), retries: 0, ..trial.options };
    trial.fails("Stalled", 1);
}

// ---- resuming what an earlier process left ------------------------------------------------------------------------

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

// ---- the wrong thing ----------------------------------------------------------------------------------------------

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

// ---- no server ----------------------------------------------------------------------------------------------------

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

// ---- this machine -------------------------------------------------------------------------------------------------

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_named() {
    let trial = Trial::new(then_honest(vec![]));
    std::os::unix::fs::symlink("/dev/full", trial.part()).unwrap();
    let message = trial.fails("DiskFull", 1).to_string();
    assert!(message.contains("300000 bytes still to come"), "{message}");
}

#[test]
#[cfg(unix)]
fn a_disk_that_is_too_small_is_found_before_anyone_is_asked() {
    let mut trial = Trial::new(vec![]);
    trial.source.bytes = 1 << 60;
    trial.fails("DiskFull", 0);
    trial.holds_only(&[]);
}

#[test]
fn a_file_in_place_of_a_folder_is_named() {
    let mut trial = Trial::new(vec![]);
    fs::write(trial.folder.path().join("a"), "").unwrap();
    trial.destination = trial.folder.path().join("a/model.pt");
    let error = trial.run().unwrap_err();
    assert!(error.to_string().contains("model.pt"), "{error}");
    assert!(matches!(error, DownloadError::Io { .. }), "{error:?}");
}

#[test]
fn a_second_download_of_the_same_file_is_turned_away() {
    let trial = Trial::new(then_honest(vec![whole().short_by(100_000).ending(Ending::Stall)]));
    std::thread::scope(|scope| {
        let first = scope.spawn(|| trial.run());
        while fs::metadata(trial.part()).map_or(0, |part| part.len()) < 200_000 {
            std::thread::yield_now();
        }
        assert!(matches!(trial.run(), Err(DownloadError::Busy { .. })));
        trial.cancel.store(true, Ordering::Relaxed);
        assert!(matches!(first.join().unwrap(), Err(DownloadError::Cancelled { .. })));
    });
    trial.cancel.store(false, Ordering::Relaxed);
    trial.succeeds(&[0, 200_000]);
}

#[test]
fn cancelling_ends_a_stalled_transfer_at_once_and_keeps_the_part() {
    let trial = Trial::new(then_honest(vec![whole().short_by(100_000).ending(Ending::Stall)]));
    let began = Instant::now();
    let error = trial.run_watched(&mut |progress| {
        if progress.done == 200_000 {
            trial.cancel.store(true, Ordering::Relaxed);
        }
    });
    assert!(matches!(error, Err(DownloadError::Cancelled { got: 200_000, .. })), "{error:?}");
    assert!(began.elapsed() < Duration::from_secs(5));
    assert!(fs::read(trial.part()).unwrap() == trial.file[..200_000]);
    trial.cancel.store(false, Ordering::Relaxed);
    trial.succeeds(&[0, 200_000]);
}

#[test]
fn cancelling_ends_the_wait_between_tries() {
    let mut trial = Trial::new(fixed(vec![Reply::new(503, &[&length(0)], b"")]));
    trial.options.backoff = Duration::from_secs(3600);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| trial.run());
        while trial.starts().is_empty() {
            std::thread::yield_now();
        }
        trial.cancel.store(true, Ordering::Relaxed);
        assert!(matches!(waiting.join().unwrap(), Err(DownloadError::Cancelled { .. })));
    });
    trial.holds_only(&[]);
}
