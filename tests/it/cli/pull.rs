//! `earmark model pull` against servers that do not have the file.

use std::io::{Read, Write};
use std::net::TcpListener;

use super::workplace::{Workplace, args, contains, json, names_in};

/// Answers every request with `answer`, for as long as the test runs, and gives the address.
fn serve(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/x", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = Vec::new();
            let mut byte = [0];
            while !request.ends_with(b"\r\n\r\n") && stream.read_exact(&mut byte).is_ok() {
                request.push(byte[0]);
            }
            // A client that hangs up has seen enough.
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    url
}

#[test]
fn what_cannot_be_fetched_is_explained_and_nothing_is_installed() {
    let workplace = Workplace::new();
    let check = |url: &str, expected: &str| {
        let args = args!["model", "pull", "audioclip-full", "--url", url];
        let run = workplace.run_with(&[("EARMARK__DOWNLOAD__RETRIES", "0")], args);
        assert_eq!((run.code, run.stdout.as_slice()), (1, b"".as_slice()), "{}", run.stderr);
        assert!(run.stderr.starts_with(&format!("error: {url}: ")), "{}", run.stderr);
        contains(&run.stderr, &[expected, "by hand", "curl", "sha256sum", "earmark model import"]);
        assert_eq!(json(&workplace.succeed(args!["model", "list", "--json"]))["name"], "demo");
        assert_eq!(names_in(&workplace.models()), [""; 0]);
    };
    check(&serve("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"), "status 404");
    check(
        &serve("HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello"),
        "5 bytes, expected 537302068",
    );
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    check(&format!("http://{closed}/x"), "connection refused");
}

#[test]
fn an_unknown_checkpoint_and_a_taken_name_are_refused_before_anything_is_fetched() {
    let workplace = Workplace::new();
    let choices = ["\"nonsense\"", "audioclip-full or audioclip-partial"];
    contains(&workplace.fail(1, args!["model", "pull", "nonsense"]), &choices);
    let tiny = crate::shared(super::workplace::TINY);
    workplace.succeed(args!["model", "import", tiny, "--name", "audioclip-full"]);
    let taken = workplace.fail(1, args!["model", "pull", "audioclip-full", "--url", "http://127.0.0.1:1/x"]);
    contains(&taken, &["audioclip-full from another file", "earmark model remove audioclip-full"]);
    assert_eq!(names_in(&workplace.models()), ["audioclip-full.safetensors"]);
}
