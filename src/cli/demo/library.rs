//! Making the library, with a bar.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::task::spawn_blocking;

use crate::cli::progress;
use crate::daemon::Interruption;
use crate::demo::{Made, Plan, Progress, make};

/// How often the bar is brought up to date.
const INTERVAL: Duration = Duration::from_millis(100);

/// Makes it, or finds it made.
pub(super) async fn make_library(directory: &Path, interruption: &mut Interruption) -> anyhow::Result<Made> {
    let (plan, directory) = (Plan::whole(), directory.to_path_buf());
    let bar = progress::files(plan.files.len(), "making the library");
    let progress = Arc::new(Progress::default());
    let seen = Arc::clone(&progress);
    let mut making = spawn_blocking(move || make(&plan, &directory, &progress));
    let mut interval = tokio::time::interval(INTERVAL);
    let made = loop {
        tokio::select! {
            made = &mut making => break made.context("making the library broke down")?,
            _ = interval.tick() => bar.set_position(seen.done() as u64),
            _ = interruption.requested() => {
                seen.stop();
                // What is under way is written to its end, so that the directory can be removed.
                let _ = making.await;
                bail!("interrupted");
            }
        }
    };
    bar.finish_and_clear();
    Ok(made?)
}
