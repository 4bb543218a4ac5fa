//! The thread that records what was read: several files in one batch of the store.

use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::ingest::{Finished, Ingest, ReadResult};
use super::keeper::Change;
use super::work::Job;
use crate::library::{AssetId, FileRecord, FileState};

impl Ingest {
    /// The recorder's life: until the last worker and the last vector are gone.
    pub(super) fn run_recorder(&self, finished: &Receiver<Finished>) {
        while let Ok(first) = finished.recv() {
            let batch = self.collect(first, finished);
            self.record(batch);
        }
    }

    /// What is finished within the time that the first may wait.
    fn collect(&self, first: Finished, finished: &Receiver<Finished>) -> Vec<Finished> {
        let deadline = Instant::now() + Duration::from_millis(self.options.ingest.commit_wait_ms);
        let mut batch = vec![first];
        while batch.len() < self.options.ingest.commit_files.max(1) {
            match finished.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(more) => batch.push(more),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        batch
    }

    fn record(&self, mut batch: Vec<Finished>) {
        while !batch.is_empty() {
            let mut change = Change::default();
            let mut settled: Vec<(Job, Option<AssetId>)> = Vec::new();
            for Finished { job, stat, result } in batch.drain(..) {
                let (state, content) = match result {
                    ReadResult::New(asset) => {
                        let id = asset.id;
                        change.assets.push(*asset);
                        (FileState::Indexed(id), Some(id))
                    }
                    ReadResult::Known(id) => (FileState::Indexed(id), None),
                    ReadResult::Ignored => (FileState::Ignored, None),
                    ReadResult::Interrupted(id) => {
                        self.release(id).into_iter().for_each(|(job, _)| self.postpone(job));
                        self.postpone(job);
                        continue;
                    }
                    ReadResult::Failed(failure) => {
                        self.remember(&failure);
                        let content = failure.content;
                        (FileState::Failed(failure), content)
                    }
                };
                change.files.push((job.file.clone(), FileRecord { stat, state }));
                settled.push((job, content));
            }
            batch = self.commit(change, settled);
        }
    }

    /// Commits, and returns the files that can be recorded now because they have the same content.
    fn commit(&self, change: Change, settled: Vec<(Job, Option<AssetId>)>) -> Vec<Finished> {
        let failed: BTreeSet<AssetId> = change.files.iter().filter_map(|(_, record)| failed(record)).collect();
        let change = self.without_removed_roots(change);
        if let Err(error) = self.keeper.commit(change) {
            tracing::error!("{} files could not be recorded and are tried again: {error}", settled.len());
            for (job, content) in settled {
                let waiting = content.map(|id| self.release(id)).unwrap_or_default();
                waiting.into_iter().for_each(|(job, _)| self.postpone(job));
                self.postpone(job);
            }
            return Vec::new();
        }
        let mut more = Vec::new();
        for (job, content) in settled {
            if let Some(id) = content {
                for (job, stat) in self.release(id) {
                    match failed.contains(&id).then(|| self.failure(id)).flatten() {
                        Some(failure) => more.push(Finished { job, stat, result: ReadResult::Failed(failure) }),
                        None => more.push(Finished { job, stat, result: ReadResult::Known(id) }),
                    }
                }
            }
            self.work.finish(&job);
        }
        more
    }

    /// A root may have been removed while its files were read.
    fn without_removed_roots(&self, mut change: Change) -> Change {
        let catalog = super::sync::read(&self.keeper.catalog);
        change.files.retain(|(key, _)| catalog.root(key.root).is_some());
        change
    }
}

fn failed(record: &FileRecord) -> Option<AssetId> {
    match &record.state {
        FileState::Failed(failure) => failure.content,
        FileState::Indexed(_) | FileState::Ignored => None,
    }
}
