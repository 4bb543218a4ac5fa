//! How far indexing is: a bar for those who watch, a line now and then for those who read it later.

use std::io::{self, IsTerminal as _};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use crate::cli::{progress, show};
use crate::grpc::proto::Progress;

/// How often a line is written where no bar can be.
const LINE_INTERVAL: Duration = Duration::from_secs(5);

/// What is seen of the progress.
pub(super) struct Display {
    kind: Kind,
    /// When the first file was heard of.
    started: Option<Instant>,
}

enum Kind {
    None,
    Bar(ProgressBar),
    Lines { last: Instant },
}

impl Display {
    pub(super) fn new(quiet: bool) -> Self {
        let kind = match (quiet, io::stderr().is_terminal()) {
            (true, _) => Kind::None,
            (false, true) => Kind::Bar(progress::work("looking for files")),
            (false, false) => Kind::Lines { last: Instant::now() },
        };
        Self { kind, started: None }
    }

    pub(super) fn update(&mut self, progress: &Progress) {
        if progress.files_total > 0 && self.started.is_none() {
            self.started = Some(Instant::now());
        }
        let elapsed = self.started.map_or(0.0, |started| started.elapsed().as_secs_f64());
        match &mut self.kind {
            Kind::None => {}
            Kind::Bar(bar) => {
                bar.set_length(progress.bytes_total);
                bar.set_position(progress.bytes_done);
                bar.set_message(describe(progress, elapsed));
            }
            Kind::Lines { last } => {
                if last.elapsed() >= LINE_INTERVAL && !progress.idle {
                    *last = Instant::now();
                    crate::cli::note(describe(progress, elapsed));
                }
            }
        }
    }

    /// Prints something of its own while the bar is out of the way.
    pub(super) fn suspended<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.kind {
            Kind::Bar(bar) => bar.suspend(print),
            _ => print(),
        }
    }

    pub(super) fn note(&self, line: &str) {
        self.suspended(|| crate::cli::note(line));
    }

    pub(super) fn clear(&self) {
        if let Kind::Bar(bar) = &self.kind {
            bar.finish_and_clear();
        }
    }
}

/// `12/320 files, 3.4 files/s, 1 min 30 s left`.
fn describe(progress: &Progress, elapsed_s: f64) -> String {
    if progress.files_total == 0 {
        return if progress.scanning { "looking for files".into() } else { "waiting".into() };
    }
    // More may still be found.
    let more = if progress.scanning { "+" } else { "" };
    let mut text = format!("{}/{}{more} files", progress.files_done, progress.files_total);
    if progress.files_done > 0 && elapsed_s > 0.0 {
        let done = u32::try_from(progress.files_done).unwrap_or(u32::MAX);
        text.push_str(&format!(", {:.1} files/s", f64::from(done) / elapsed_s));
    }
    // Long sounds take long: something is seen to happen before they are done.
    if progress.embedded > progress.files_done {
        text.push_str(&format!(", {} embeddings", progress.embedded));
    }
    if let Some(eta_s) = progress.eta_s.filter(|eta_s| eta_s.is_finite() && *eta_s >= 0.0) {
        text.push_str(&format!(", {} left", show::elapsed(eta_s.ceil())));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_described_with_what_is_known() {
        let check =
            |progress: &Progress, elapsed_s, expected: &str| assert_eq!(describe(progress, elapsed_s), expected);
        let mut progress = Progress { scanning: true, ..Progress::default() };
        check(&progress, 0.0, "looking for files");
        progress.files_total = 320;
        check(&progress, 0.0, "0/320+ files");
        progress.embedded = 7;
        check(&progress, 1.0, "0/320+ files, 7 embeddings");
        progress.scanning = false;
        progress.files_done = 12;
        check(&progress, 4.0, "12/320 files, 3.0 files/s");
        progress.eta_s = Some(101.2);
        check(&progress, 4.0, "12/320 files, 3.0 files/s, 1 min 42 s left");
        progress.eta_s = Some(f64::INFINITY);
        check(&progress, 4.0, "12/320 files, 3.0 files/s");
    }
}
