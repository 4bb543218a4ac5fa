//! Following the engine's work until nothing is left to do.

use std::time::{Duration, Instant};

use anyhow::bail;
use serde_json::json;
use tonic::Streaming;

use super::progress::Display;
use crate::cli::connection::{Session, refused};
use crate::cli::{Outcome, show};
use crate::daemon::{Interruption, interruption};
use crate::grpc::proto::{self, event::Event as What};

/// How often progress is asked for, in case no event tells.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// That many times in a row it must be told that nothing is left to do, without an event in between.
const IDLE_POLLS: u32 = 2;

/// What is printed.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::cli) struct Output {
    /// One JSON object a line and event.
    pub(in crate::cli) json: bool,
    /// Nothing else.
    pub(in crate::cli) quiet: bool,
}

/// Files that are being read.
pub(in crate::cli) struct Work<'a> {
    session: &'a Session,
    events: Streaming<proto::Event>,
    interruption: Interruption,
    output: Output,
    display: Display,
    counts: Counts,
    started: Instant,
    embedded_before: u64,
}

/// Events of this run.
#[derive(Debug, Default)]
struct Counts {
    indexed: u64,
    failed: u64,
    moved: u64,
    removed: u64,
    lost: u64,
}

impl<'a> Work<'a> {
    /// Listens from now on: to be called before the work is asked for.
    pub(in crate::cli) async fn begin(session: &'a Session, output: Output) -> anyhow::Result<Self> {
        let interruption = interruption()?;
        let events = session.library().watch_events(proto::WatchEventsRequest {}).await.map_err(refused)?;
        let embedded_before = stats(session).await?.embedded_total;
        Ok(Self {
            session,
            events: events.into_inner(),
            interruption,
            output,
            display: Display::new(output.quiet),
            counts: Counts::default(),
            started: Instant::now(),
            embedded_before,
        })
    }

    /// Waits until nothing is left to do, and says what was done.
    pub(in crate::cli) async fn finish(mut self) -> anyhow::Result<Outcome> {
        let complete = self.follow().await?;
        self.display.clear();
        let stats = stats(self.session).await?;
        if self.output.json {
            self.print_done(&stats)?;
        } else if !self.output.quiet {
            self.print_summary(&stats)?;
        }
        if complete {
            return Ok(Outcome::Complete);
        }
        crate::cli::note(match self.session.address() {
            None => "interrupted: what is finished stays, and the next run goes on from there",
            Some(_) => "interrupted: the daemon goes on by itself",
        });
        Ok(Outcome::Partial)
    }

    /// `false` if it was interrupted.
    async fn follow(&mut self) -> anyhow::Result<bool> {
        let mut poll = tokio::time::interval(POLL_INTERVAL);
        let mut idle_polls = 0;
        loop {
            tokio::select! {
                event = self.events.message() => {
                    let Some(event) = event.map_err(refused)? else { bail!("the daemon was stopped") };
                    idle_polls = 0;
                    // It may be older than our request, so it has to be confirmed.
                    if self.take(event)? && self.progress().await?.idle {
                        return Ok(true);
                    }
                }
                _ = poll.tick() => {
                    idle_polls = if self.progress().await?.idle { idle_polls + 1 } else { 0 };
                    if idle_polls >= IDLE_POLLS {
                        return Ok(true);
                    }
                }
                _ = self.interruption.requested() => return Ok(false),
            }
        }
    }

    async fn progress(&mut self) -> anyhow::Result<proto::Progress> {
        let progress = self.session.library().get_progress(proto::GetProgressRequest {}).await;
        let progress = progress.map_err(refused)?.into_inner();
        self.display.update(&progress);
        Ok(progress)
    }

    /// Takes note of an event; whether it says that nothing is left to do.
    fn take(&mut self, event: proto::Event) -> anyhow::Result<bool> {
        match event.event {
            Some(What::Progress(progress)) => {
                self.display.update(&progress);
                return Ok(progress.idle);
            }
            Some(What::Indexed(change)) => {
                self.counts.indexed += 1;
                let file = change.file.unwrap_or_default();
                let (asset, embedded) = (change.asset_id, change.embedded);
                self.emit(&file, json!({ "event": "indexed", "asset": asset, "embedded": embedded }))?;
            }
            Some(What::Removed(change)) => {
                self.counts.removed += 1;
                let file = change.file.unwrap_or_default();
                self.emit(&file, json!({ "event": "removed", "asset": change.asset_id }))?;
            }
            Some(What::Moved(change)) => {
                self.counts.moved += 1;
                let (from, to) = (change.from.unwrap_or_default(), change.to.unwrap_or_default());
                self.emit(&to, json!({ "event": "moved", "from": from.path, "asset": change.asset_id }))?;
            }
            Some(What::Failed(failure)) => {
                self.counts.failed += 1;
                let file = failure.file.unwrap_or_default();
                self.emit(&file, json!({ "event": "failed", "code": failure.code, "reason": failure.reason }))?;
            }
            Some(What::Lost(count)) => {
                self.counts.lost += count;
                self.display.note(&format!("{} came too fast and were not counted", show::count(count, "event")));
            }
            Some(What::Root(_) | What::RootRemoved(_)) | None => {}
        }
        Ok(false)
    }

    fn emit(&self, file: &proto::File, mut object: serde_json::Value) -> anyhow::Result<()> {
        if !self.output.json {
            return Ok(());
        }
        object["path"] = json!(file.path);
        if let Some(raw) = show::raw_path(file) {
            object["raw_path"] = json!(raw);
        }
        self.display.suspended(|| crate::cli::print(object))
    }

    fn print_done(&self, stats: &proto::GetStatsResponse) -> anyhow::Result<()> {
        let Counts { indexed, failed, moved, removed, lost } = self.counts;
        crate::cli::print(json!({
            "event": "done",
            "files_indexed": stats.files_indexed,
            "files_failed": stats.files_failed,
            "segments": stats.segments,
            "embedded_total": stats.embedded_total,
            "indexed": indexed,
            "failed": failed,
            "moved": moved,
            "removed": removed,
            "lost": lost,
            "embedded": stats.embedded_total.saturating_sub(self.embedded_before),
            "seconds": self.started.elapsed().as_secs_f64(),
        }))
    }

    fn print_summary(&self, stats: &proto::GetStatsResponse) -> anyhow::Result<()> {
        let embedded = stats.embedded_total.saturating_sub(self.embedded_before);
        let (indexed, new) = (show::count(self.counts.indexed, "file"), show::count(embedded, "new embedding"));
        let mut parts = vec![format!("{indexed} indexed ({new})")];
        if self.counts.moved > 0 {
            parts.push(format!("{} moved", self.counts.moved));
        }
        if self.counts.removed > 0 {
            parts.push(format!("{} removed", self.counts.removed));
        }
        if self.counts.failed > 0 {
            parts.push(format!("{} failed (see `earmark failures`)", self.counts.failed));
        }
        parts.push(show::elapsed(self.started.elapsed().as_secs_f64()));
        crate::cli::print(parts.join(", "))?;
        let (files, segments) = (show::count(stats.files_indexed, "file"), show::count(stats.segments, "segment"));
        crate::cli::print(format_args!("the library has {files} with {segments}"))
    }
}

async fn stats(session: &Session) -> anyhow::Result<proto::GetStatsResponse> {
    let stats = session.admin().get_stats(proto::GetStatsRequest {}).await;
    Ok(stats.map_err(refused)?.into_inner())
}
