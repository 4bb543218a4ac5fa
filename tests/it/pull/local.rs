//! This machine: its disk, its other processes, its user.

use std::fs;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use earmark::checkpoint::pull::DownloadError;

use super::server::{Ending, Reply};
use super::trial::{Trial, fixed, length, then_honest, whole};

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
