//! `earmark serve`: its life, and that it answers as the command line does by itself.

use std::path::Path;

use super::daemon::{DATA, Daemon, FILES, configure, eventually, lines, workplace_with_library, workplace_with_media};
use super::workplace::{Workplace, args, contains, json};

fn status(workplace: &Workplace) -> serde_json::Value {
    json(&workplace.succeed(args!["status", "--json"]))
}

#[cfg(unix)]
#[test]
fn a_daemon_says_where_it_is_answers_and_goes_when_told() {
    let workplace = workplace_with_media();
    let daemon = Daemon::start(&workplace, args!["--root", "media"]);
    let (address, pid) = (daemon.address.clone(), daemon.pid());
    let data = workplace.path(DATA);
    assert_eq!(daemon.line, format!("listening grpc={address} pid={pid} data={}\n", data.display()));
    let announced = json(&std::fs::read_to_string(data.join("daemon.json")).unwrap());
    assert_eq!(announced, serde_json::json!({ "pid": pid, "grpc": address }));

    let served = eventually("all files are indexed", || {
        let status = status(&workplace);
        (status["files_indexed"] == FILES.len()).then_some(status)
    });
    assert_eq!(served["daemon"], address.as_str());
    assert_eq!(served["model"]["name"], "tiny");
    let through_daemon = workplace.succeed(args!["search", "dog", "--json"]);
    assert_eq!(workplace.succeed(args!["search", "dog", "--json", "--server", address.as_str()]), through_daemon);

    let log = daemon.stop();
    contains(&log, &["serving", "stopping", "stopped"]);
    assert!(!data.join("daemon.json").exists());
    let direct = status(&workplace);
    assert_eq!((&direct["daemon"], &direct["embedded_total"]), (&serde_json::Value::Null, &served["embedded_total"]));
    assert_eq!(workplace.succeed(args!["search", "dog", "--json"]), through_daemon);
}

#[cfg(unix)]
#[test]
fn without_a_model_the_built_in_one_is_served_and_the_log_says_so() {
    let workplace = Workplace::new();
    let daemon = Daemon::start(&workplace, &[]);
    assert_eq!(status(&workplace)["model"]["name"], "demo");
    let line = daemon.line.clone();
    assert!(line.starts_with("listening "), "{line}");
    let log = daemon.stop();
    assert_eq!(log.matches("demo model: knows about ").count(), 1, "{log}");
}

#[test]
fn one_data_directory_has_one_daemon() {
    let workplace = workplace_with_media();
    let daemon = Daemon::start(&workplace, &[]);
    let error = workplace.fail(1, args!["serve", "--listen", "127.0.0.1:0"]);
    contains(&error, &["in use by another earmark", "--data-dir"]);
    assert!(!error.contains("listening"), "{error}");
    // Another directory, but the same port.
    let other = args!["serve", "--data-dir", "other", "--listen", daemon.address.as_str()];
    contains(&workplace.fail(1, other), &["cannot listen on", daemon.address.as_str()]);
}

#[test]
fn what_cannot_be_served_is_refused_before_anything_is_promised() {
    let workplace = Workplace::new();
    let check = |args: &[std::ffi::OsString], expected: &[&str]| {
        let run = workplace.run(args);
        assert_eq!((run.code, run.stdout.as_slice()), (1, b"".as_slice()), "{}", run.stderr);
        contains(&run.stderr, expected);
    };
    check(args!["serve", "--listen", "0.0.0.0:0"], &["error: 0.0.0.0:0", "127.0.0.1:PORT"]);
    check(args!["serve", "--listen", "nonsense"], &["nonsense", "expected"]);
    check(args!["serve", "--listen", "127.0.0.1:0", "--model", "nope"], &["no model nope is installed"]);
    configure(&workplace, "[log]\nfilter = 'no=such=filter'");
    check(args!["serve", "--listen", "127.0.0.1:0"], &["log.filter"]);

    let workplace = Workplace::with_model();
    let none = workplace.run(args!["serve", "--listen", "127.0.0.1:0", "--root", "none"]);
    assert_eq!((none.code, none.stdout.as_slice()), (1, b"".as_slice()));
    contains(&none.stderr, &["error: none"]);
    assert!(!workplace.path(DATA).join("daemon.json").exists());
    contains(&workplace.fail(2, args!["serve", "--poll"]), &["--root"]);
}

#[cfg(unix)]
#[test]
fn what_a_killed_daemon_leaves_behind_is_in_nobodys_way() {
    let workplace = workplace_with_library();
    let daemon = Daemon::start(&workplace, &[]);
    daemon.signal(rustix::process::Signal::KILL);
    daemon.wait();
    assert!(workplace.path(DATA).join("daemon.json").exists());
    let status = status(&workplace);
    assert_eq!((&status["daemon"], &status["files_indexed"]), (&serde_json::Value::Null, &FILES.len().into()));
    Daemon::start(&workplace, &[]).stop();
    assert!(!workplace.path(DATA).join("daemon.json").exists());
}

#[cfg(unix)]
#[test]
fn a_folder_is_watched_and_need_not_be_added_twice() {
    let workplace = workplace_with_library();
    let embedded = status(&workplace)["embedded_total"].clone();
    let daemon = Daemon::start(&workplace, args!["--root", "media", "--root", "media/dogs"]);
    assert_eq!(status(&workplace)["roots"].as_array().unwrap().len(), 1);

    let found = |name: &str| {
        let stdout = workplace.succeed(args!["search", "dog", "-k", "100", "--json"]);
        let hits = lines(&stdout);
        let ends = |path: &serde_json::Value| Path::new(path.as_str().unwrap()).ends_with(name);
        hits.iter().any(|hit| hit["paths"].as_array().unwrap().iter().any(ends))
    };
    std::fs::copy(workplace.path("media/horn.wav"), workplace.path("media/copy.wav")).unwrap();
    eventually("a new file is found", || found("copy.wav").then_some(()));
    std::fs::rename(workplace.path("media/copy.wav"), workplace.path("media/moved.wav")).unwrap();
    eventually("a moved file is found", || (found("moved.wav") && !found("copy.wav")).then_some(()));
    std::fs::remove_file(workplace.path("media/moved.wav")).unwrap();
    eventually("a deleted file is not found", || (!found("moved.wav")).then_some(()));
    assert_eq!(status(&workplace)["embedded_total"], embedded);
    daemon.stop();
}

#[cfg(unix)]
#[test]
fn a_folder_is_indexed_by_the_daemon_that_has_the_library() {
    let workplace = workplace_with_media();
    let daemon = Daemon::start(&workplace, &[]);
    let events = lines(&workplace.succeed(args!["index", "media", "--json"]));
    let done = events.last().unwrap();
    assert_eq!((&done["event"], &done["files_indexed"]), (&"done".into(), &FILES.len().into()));
    assert_eq!(events.iter().filter(|event| event["event"] == "indexed").count(), FILES.len());
    daemon.stop();
    assert_eq!(status(&workplace)["files_indexed"], FILES.len());
}

#[cfg(unix)]
#[test]
fn the_log_can_be_for_programs() {
    let workplace = Workplace::with_model();
    configure(&workplace, "[log]\nformat = 'json'");
    let log = Daemon::start(&workplace, &[]).stop();
    let messages: Vec<serde_json::Value> = lines(&log);
    assert!(messages.iter().any(|line| line["message"] == "serving" && line["timestamp"].is_string()), "{log}");
}
