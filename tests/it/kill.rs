//! The binary killed at random points while it indexes loses nothing that it acknowledged.
//!
//! `earmark index --json` prints a line for each file once it is on disk. A supervisor kills it at a random moment, again
//! and again, while files are added, copied, renamed and deleted in between; after each kill the data directory is
//! opened and everything in it compared with everything else.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use earmark::config::Config;
use earmark::daemon::engine_options;
use earmark::engine::{Activity, Engine};
use earmark::library::FileState;

use crate::cli::workplace::{Workplace, args, json};

/// Kills in the short form; `EARMARK_TEST_ROUNDS` multiplies it.
const KILLS: u32 = 8;

struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

fn kills() -> u32 {
    let rounds = std::env::var("EARMARK_TEST_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(1);
    KILLS * rounds
}

/// Indexes until killed after `life`, or until it ends by itself; returns what it acknowledged, and whether it ended.
fn index(workplace: &Workplace, life: Option<Duration>) -> (Vec<String>, bool) {
    let arguments = args!["index", workplace.path("library"), "--data-dir", "data-dir", "--model", "tiny", "--json"];
    let mut command = workplace.command(arguments);
    command.env("EARMARK__INGEST__SETTLE_MS", "0").env("EARMARK__INGEST__COMMIT_FILES", "5");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let reader = std::thread::spawn(move || {
        let mut acknowledged = Vec::new();
        // The last line may be cut by the kill: what cannot be read was not acknowledged.
        for line in output.lines().map_while(Result::ok) {
            let Ok(event) = serde_json::from_str::<serde_json::Value>(&line) else { break };
            if event["event"] == "indexed" {
                acknowledged.push(event["path"].as_str().unwrap().into());
            }
        }
        acknowledged
    });
    let ended = match life {
        Some(life) => {
            std::thread::sleep(life);
            let ended = child.try_wait().unwrap().is_some();
            child.kill().unwrap();
            ended
        }
        None => true,
    };
    let acknowledged = reader.join().unwrap();
    let output = child.wait_with_output().unwrap();
    if ended {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    (acknowledged, ended)
}

/// Opens the data directory, compares everything in it, and returns the content's hash of every indexed file, and the
/// number of embeddings ever computed.
fn inspect(workplace: &Workplace) -> (BTreeMap<String, String>, u64) {
    let options = engine_options(&Config::load(None, []).unwrap());
    let engine = Engine::open(&workplace.path("data-dir"), options, None, Activity::Still).unwrap();
    assert_eq!(engine.check().unwrap(), Vec::<String>::new());
    let stats = engine.stats();
    assert_eq!(stats.warnings, Vec::<String>::new());
    assert_eq!(stats.totals.vectors.iter().sum::<u64>(), stats.totals.embedded_total, "everything was embedded once");
    let catalog = engine.catalog().read().unwrap();
    let files = catalog
        .files()
        .filter_map(|(key, record)| {
            let FileState::Indexed(id) = &record.state else { return None };
            Some((catalog.absolute(key).unwrap().to_string_lossy().into_owned(), id.to_string()))
        })
        .collect();
    drop(catalog);
    engine.stop(Duration::from_secs(1));
    (files, stats.totals.embedded_total)
}

/// New files a round: so many that few rounds end before they are killed.
const ADDED: usize = 12;

/// Adds files that were not there before: recordings, and when all have been used, the same with a few bytes more.
fn add(workplace: &Workplace, recordings: &[String], added: &mut usize) {
    for number in *added..*added + ADDED {
        let (source, use_of_it) = (&recordings[number % recordings.len()], number / recordings.len());
        let mut content = std::fs::read(crate::shared(source)).unwrap();
        content.extend(std::iter::repeat_n(0, use_of_it));
        workplace.write(&format!("library/{number}.ogg"), content);
    }
    *added += ADDED;
}

/// Changes something in the library between two runs.
fn disturb(workplace: &Workplace, random: &mut Random, round: u32) {
    let library = workplace.path("library");
    let mut files: Vec<_> = std::fs::read_dir(&library).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut any = || files[random.below(files.len() as u64) as usize].clone();
    match round % 3 {
        0 => std::fs::rename(any(), library.join(format!("renamed-{round}.ogg"))).unwrap(),
        1 => drop(std::fs::copy(any(), library.join(format!("copy-{round}.ogg"))).unwrap()),
        _ => std::fs::remove_file(any()).unwrap(),
    }
}

fn recordings() -> Vec<String> {
    let mut recordings = Vec::new();
    for class in std::fs::read_dir(crate::shared("media/esc10")).unwrap() {
        let class = class.unwrap();
        if class.file_type().unwrap().is_dir() {
            for file in std::fs::read_dir(class.path()).unwrap() {
                let (class, file) = (class.file_name(), file.unwrap().file_name());
                recordings.push(format!("media/esc10/{}/{}", class.to_string_lossy(), file.to_string_lossy()));
            }
        }
    }
    recordings.sort_by_key(|name| blake3::hash(name.as_bytes()).to_hex());
    recordings
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_is_embedded_twice() {
    let workplace = Workplace::with_model();
    let mut random = Random(7);
    let (recordings, mut added) = (recordings(), 0);
    add(&workplace, &recordings, &mut added);
    let mut acknowledged: BTreeSet<String> = BTreeSet::new();
    let (mut embedded, mut unfinished) = (0, 0);
    for round in 0..kills() {
        let life = Duration::from_millis(100 + random.below(1_900));
        let (lines, ended) = index(&workplace, Some(life));
        unfinished += u32::from(!ended);
        acknowledged.extend(lines);
        if workplace.path("data-dir/store").exists() {
            let (files, total) = inspect(&workplace);
            let lost: Vec<&String> = acknowledged.iter().filter(|path| !files.contains_key(*path)).collect();
            assert!(lost.is_empty(), "round {round}, killed after {life:?}: lost {lost:?}");
            assert!(total >= embedded);
            embedded = total;
        }
        add(&workplace, &recordings, &mut added);
        disturb(&workplace, &mut random, round);
        acknowledged.retain(|path| Path::new(path).exists());
    }
    assert!(unfinished > kills() / 2, "only {unfinished} of {} runs were killed while they worked", kills());
    let (_, ended) = index(&workplace, None);
    assert!(ended);
    let (files, total) = inspect(&workplace);
    let mut expected = BTreeMap::new();
    for entry in std::fs::read_dir(workplace.path("library")).unwrap() {
        let path = entry.unwrap().path().canonicalize().unwrap();
        let hash = blake3::hash(&std::fs::read(&path).unwrap()).to_hex().to_string();
        expected.insert(path.to_string_lossy().into_owned(), hash);
    }
    assert_eq!(files, expected, "the library is what is on disk");
    let status = json(&workplace.succeed(args!["status", "--data-dir", "data-dir", "--json"]));
    assert_eq!(status["files_indexed"], files.len());
    assert_eq!(status["embedded_total"], total);
}
