//! Switching models: `serve` and `index` do when another one is named, and say so; nothing else does.

use super::checkpoints::{encode, position, tiny};
use super::daemon::{Daemon, FILES, eventually, lines, workplace_with_library};
use super::workplace::{Workplace, args, contains, json};

/// The tiny model with one number changed: a space of its own.
fn install_other(workplace: &Workplace) {
    let mut tensors = tiny();
    let at = position(&tensors, "text_projection");
    tensors[at].bytes[0] ^= 1;
    workplace.write("other.safetensors", encode(&tensors));
    workplace.succeed(args!["model", "import", "other.safetensors", "--name", "other"]);
}

fn status(workplace: &Workplace) -> serde_json::Value {
    json(&workplace.succeed(args!["status", "--json"]))
}

#[test]
fn a_search_with_another_model_is_refused_and_an_index_switches() {
    let workplace = workplace_with_library();
    install_other(&workplace);
    let before = workplace.succeed(args!["search", "dog", "--json"]);
    let refused = |command: &[std::ffi::OsString]| {
        contains(&workplace.fail(1, command), &["vectors of space", "earmark serve --model"]);
    };
    refused(args!["search", "dog", "--model", "other"]);
    refused(args!["retry", "--model", "other"]);
    assert_eq!(workplace.succeed(args!["search", "dog", "--json"]), before);

    let run = workplace.run(args!["index", "media/dogs", "--model", "other", "--json"]);
    contains(&run.stderr, &["switched to another model", "everything is embedded again"]);
    let events = lines(std::str::from_utf8(&run.stdout).unwrap());
    assert_eq!(events.last().unwrap()["files_indexed"], FILES.len(), "all folders, not only the one that was named");
    let status = status(&workplace);
    assert_eq!((status["roots"].as_array().unwrap().len(), status["set_aside"].as_array().unwrap().len()), (1, 1));
    contains(&workplace.succeed(args!["status"]), &["set aside", "of another model (space "]);
    // The model that it was switched to need not be named again.
    workplace.succeed(args!["search", "dog", "--json"]);

    let run = workplace.run(args!["index", "media", "--model", "tiny", "--json"]);
    contains(&run.stderr, &["5 files is taken up again"]);
    let done = lines(std::str::from_utf8(&run.stdout).unwrap()).pop().unwrap();
    assert_eq!((&done["embedded"], &done["files_indexed"]), (&0.into(), &FILES.len().into()));
    assert_eq!(workplace.succeed(args!["search", "dog", "--json"]), before);
}

#[cfg(unix)]
#[test]
fn a_daemon_switches_says_so_and_embeds_in_the_background() {
    let workplace = workplace_with_library();
    install_other(&workplace);
    let embedded = status(&workplace)["embedded_total"].as_u64().unwrap();
    let daemon = Daemon::start(&workplace, args!["--model", "other"]);
    let served = eventually("all files are embedded again", || {
        let status = status(&workplace);
        (status["files_indexed"] == FILES.len() && status["progress"]["idle"] == true).then_some(status)
    });
    assert_eq!((&served["model"]["name"], &served["embedded_total"]), (&"other".into(), &(2 * embedded).into()));
    contains(served["warnings"][0].as_str().unwrap(), &["switched to another model"]);
    assert_eq!(served["set_aside"][0]["space"].as_str().unwrap().len(), 64);
    contains(&daemon.stop(), &["switched to another model"]);

    let daemon = Daemon::start(&workplace, args!["--model", "tiny"]);
    assert_eq!(status(&workplace)["files_indexed"], FILES.len());
    daemon.stop();
    assert_eq!(status(&workplace)["embedded_total"], 2 * embedded);
}
