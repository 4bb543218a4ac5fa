//! Killed at any time, and out of space at any time: every acknowledged batch is there, and nothing is half there.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use earmark::library::FileState;
use earmark::store::{Batch, Recovery, Store, StoreError};
use tempfile::tempdir;

use super::library::{Library, Numbers, asset_id, file, new_asset, one, open, open_well, record, root, rounds};

const DIRECTORY: &str = "EARMARK_TEST_STORE_WRITER";

/// The batch with this sequence number, whoever writes it. 1 is the store's own, 2 names the space.
fn batch(sequence: u64) -> Batch {
    let number = sequence as u32;
    match sequence {
        3 => Batch { put_roots: vec![root(1)], ..Batch::default() },
        _ if sequence.is_multiple_of(7) && sequence > 10 => Batch {
            put_assets: vec![new_asset(number, 3)],
            delete_assets: vec![asset_id(number - 3)],
            delete_files: vec![file(1, &format!("{}.wav", number - 3))],
            ..Batch::default()
        },
        _ if sequence.is_multiple_of(5) => {
            Batch { put_files: vec![(file(1, "often"), record(sequence, FileState::Ignored))], ..one(number) }
        }
        _ => one(number),
    }
}

fn write_next(store: &Store) -> Result<u64, StoreError> {
    let sequence = store.totals().sequence + 1;
    store.commit(batch(sequence))?;
    Ok(sequence)
}

/// Not a test unless it is asked to be the process that is killed: writes as fast as it can, and says how far it came.
#[test]
fn writer() {
    let Some(directory) = std::env::var_os(DIRECTORY) else { return };
    let open = open(Path::new(&directory));
    let mut out = std::io::stdout();
    writeln!(out, "open {:?}", open.recovery).unwrap();
    open.store.bind_space(&super::library::space('a')).unwrap();
    loop {
        match write_next(&open.store) {
            Ok(sequence) => writeln!(out, "acknowledged {sequence}").unwrap(),
            Err(error) => {
                // Nothing is accepted after a failure; what is read is right, or an error.
                let again = open.store.commit(one(1)).unwrap_err();
                assert!(matches!(again, StoreError::Database(_)), "{again}");
                assert!(matches!(open.store.compact(), Err(StoreError::Database(_))));
                let files: Result<Vec<_>, _> = open.store.files().collect();
                let files = files.map(|files| files.len());
                assert!(!files.as_ref().is_ok_and(|&files| files == 0), "as if nothing were there");
                writeln!(out, "failed {error}; files: {files:?}").unwrap();
                return;
            }
        }
        if open.store.totals().sequence.is_multiple_of(50) {
            match open.store.compact() {
                Ok(()) => writeln!(out, "compacted").unwrap(),
                Err(error) => writeln!(out, "not compacted {error}").unwrap(),
            }
        }
    }
}

fn start(directory: &Path, before: &str) -> Child {
    let program = std::env::current_exe().unwrap();
    let arguments = "store::kill::writer --exact --nocapture --test-threads 1";
    Command::new("sh")
        .args(["-c", &format!("{before} exec \"$0\" {arguments}")])
        .arg(program)
        .env(DIRECTORY, directory)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Reads what a writer says until `enough` of it or its end; the last sequence number that it was sure of.
fn listen(child: &mut Child, enough: u64, sure: &mut u64) -> Vec<String> {
    let mut said = Vec::new();
    for line in BufReader::new(child.stdout.as_mut().unwrap()).lines() {
        let Ok(line) = line else { break };
        // Beside the harness's words, which it may say on the same line.
        if let Some((_, sequence)) = line.split_once("acknowledged ") {
            *sure = sequence.parse().unwrap();
        }
        said.push(line);
        if said.len() as u64 >= enough {
            break;
        }
    }
    said
}

/// Holds a store against the batches that its sequence number stands for.
fn hold_against_batches(directory: &Path, reference: &Store, library: &mut Library, sure: u64, what: &str) {
    let opened = open(directory);
    assert_eq!(opened.recovery, Recovery::default(), "{what}");
    let sequence = opened.store.totals().sequence;
    assert!(sequence >= sure, "{what}: {sequence} is there, {sure} was acknowledged");
    while reference.totals().sequence < sequence {
        let next = reference.totals().sequence + 1;
        library.commit(reference, &|| batch(next));
    }
    if sequence >= 3 {
        library.hold_against(&opened.store);
        assert_eq!(opened.store.totals(), reference.totals());
    }
}

#[cfg(unix)]
#[test]
fn what_was_acknowledged_survives_a_kill() {
    let (directory, beside) = (tempdir().unwrap(), tempdir().unwrap());
    let reference = open_well(beside.path()).store;
    let mut library = Library::default();
    let mut numbers = Numbers(5);
    let mut sure = 0;
    for round in 0..rounds(20) {
        let mut child = start(directory.path(), "");
        let lines = numbers.below(120);
        if lines > 0 {
            listen(&mut child, lines, &mut sure);
        }
        // Not to wait for anything: the kill has to come at a time that nothing has to do with.
        std::thread::sleep(Duration::from_micros(numbers.below(if lines > 0 { 15_000 } else { 60_000 })));
        child.kill().unwrap();
        listen(&mut child, u64::MAX, &mut sure);
        child.wait().unwrap();
        hold_against_batches(directory.path(), &reference, &mut library, sure, &format!("round {round}"));
    }
    assert!(sure > 50, "only {sure} batches were written");
}

#[cfg(unix)]
#[test]
fn a_disk_that_takes_no_more_loses_nothing_that_was_acknowledged() {
    let (directory, beside) = (tempdir().unwrap(), tempdir().unwrap());
    let reference = open_well(beside.path()).store;
    let mut library = Library::default();
    let mut sure = 0;
    // No file may be larger than so many kilobytes: writing fails as on a full disk.
    for kilobytes in [1024, 1200, 1777, 2048, 2500] {
        let mut child = start(directory.path(), &format!("trap '' XFSZ; ulimit -f {};", kilobytes * 2));
        let said = listen(&mut child, u64::MAX, &mut sure);
        let succeeded = child.wait().unwrap().success();
        let last = said.iter().rfind(|line| line.starts_with("failed"));
        let what = format!("{kilobytes} kB: {last:?}");
        eprintln!("{what}");
        assert!(succeeded && last.is_some(), "{what}");
        hold_against_batches(directory.path(), &reference, &mut library, sure, &what);
    }
    assert!(sure > 50, "only {sure} batches were written");
}
