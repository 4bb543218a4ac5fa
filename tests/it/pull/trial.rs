//! A scripted server, an empty folder, and the questions that every test asks about them afterwards.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use earmark::checkpoint::pull::{DownloadError, DownloadOptions, Outcome, Progress, Sha256Digest, Source, download};
use sha2::{Digest, Sha256};

use super::server::{Reply, Request, Script, Server};

pub(super) const SIZE: usize = 300_000;
pub(super) const TAG: &str = "etag: \"v1\"";

/// A file on a scripted server, and an empty folder to fetch it to.
pub(super) struct Trial {
    pub(super) file: Vec<u8>,
    pub(super) server: Server,
    pub(super) source: Source,
    pub(super) folder: tempfile::TempDir,
    pub(super) destination: PathBuf,
    pub(super) options: DownloadOptions,
    pub(super) cancel: AtomicBool,
}

/// The published file for seed 1; for any other, a different one of the same size.
pub(super) fn file(seed: u32) -> Vec<u8> {
    let mut state = seed;
    let step = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    (0..SIZE).map(step).collect()
}

pub(super) fn digest(bytes: &[u8]) -> Sha256Digest {
    <[u8; 32]>::from(Sha256::digest(bytes)).into()
}

impl Trial {
    pub(super) fn new(script: Script) -> Self {
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

    pub(super) fn run(&self) -> Result<Outcome, DownloadError> {
        self.run_watched(&mut |_| {})
    }

    pub(super) fn run_watched(&self, progress: &mut dyn FnMut(Progress)) -> Result<Outcome, DownloadError> {
        download(&self.source, &self.destination, &self.options, &self.cancel, progress)
    }

    /// Leaves what an interrupted download leaves: the beginning of the file and the record of its origin.
    pub(super) fn leave_part(&self, bytes: &[u8], etag: &str) {
        let Source { url, sha256, .. } = &self.source;
        let record = format!(
            r#"{{"format":1,"url":"{url}","bytes":{SIZE},"sha256":"{sha256}",
                "version":{{"etag":{etag},"last_modified":null}}}}"#
        );
        fs::write(self.part(), bytes).unwrap();
        fs::write(self.record(), record).unwrap();
    }

    pub(super) fn part(&self) -> PathBuf {
        self.folder.path().join("model.pt.part")
    }

    pub(super) fn record(&self) -> PathBuf {
        self.folder.path().join("model.pt.part.json")
    }

    /// The first bytes asked for, request by request; 0 stands for no range.
    pub(super) fn starts(&self) -> Vec<usize> {
        self.server.requests().iter().map(|request| request.start().unwrap_or(0)).collect()
    }

    /// The download succeeds, asks for these starts, and leaves the file and nothing else.
    #[track_caller]
    pub(super) fn succeeds(&self, starts: &[usize]) {
        assert_eq!(self.run().unwrap(), Outcome::Downloaded);
        assert_eq!(self.starts(), starts);
        self.holds_only(&["model.pt"]);
        assert!(fs::read(&self.destination).unwrap() == self.file, "the file differs");
    }

    /// The download fails with this variant after so many requests; nothing appears under the real name.
    #[track_caller]
    pub(super) fn fails(&self, variant: &str, requests: usize) -> DownloadError {
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
    pub(super) fn holds_only(&self, expected: &[&str]) {
        let mut names: Vec<_> = fs::read_dir(&self.folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, expected);
    }
}

/// A script that gives these replies in turn, whatever is asked.
pub(super) fn fixed(replies: Vec<Reply>) -> Script {
    replies.into_iter().map(|reply| Box::new(move |_: &Request| reply.clone()) as _).collect()
}

/// As [`fixed`], and then everything as it should be.
pub(super) fn then_honest(replies: Vec<Reply>) -> Script {
    let mut script = fixed(replies);
    script.push(Box::new(honest));
    script
}

/// What a good server answers.
pub(super) fn honest(request: &Request) -> Reply {
    match request.start() {
        Some(start) if request.header("if-range").is_none_or(|tag| tag == "\"v1\"") => rest(start),
        _ => whole(),
    }
}

pub(super) fn whole() -> Reply {
    Reply::new(200, &[&length(SIZE), TAG], &file(1))
}

pub(super) fn rest(start: usize) -> Reply {
    let range = format!("content-range: bytes {start}-{}/{SIZE}", SIZE - 1);
    Reply::new(206, &[&length(SIZE - start), &range, TAG], &file(1)[start..])
}

pub(super) fn length(length: usize) -> String {
    format!("content-length: {length}")
}

/// The rest from a server that tells nothing about versions or the total size.
pub(super) fn rest_untagged(start: usize) -> Reply {
    let range = format!("content-range: bytes {start}-{}/*", SIZE - 1);
    Reply::new(206, &[&range], &file(1)[start..])
}
