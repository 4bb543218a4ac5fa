//! Redirects: followed, and never into a trap.

use std::time::Duration;

use earmark::checkpoint::pull::DownloadOptions;

use super::server::{Ending, Reply, Request};
use super::trial::{Trial, fixed, honest, length, whole};

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
    trial.options = DownloadOptions { stall: Duration::from_millis(400), retries: 0, ..trial.options };
    trial.fails("Stalled", 1);
}
