//! `earmark check` and `earmark compact`: looking after a data directory.

use clap::Args;

use super::connection::{LibraryArgs, Need, refused, with_session};
use super::{Outcome, progress, show};
use crate::config::Config;
use crate::grpc::proto;

#[derive(Debug, Args)]
#[command(after_help = "\
Opening the data directory repairs what can be repaired: without a running daemon this command does that first, and \
says what it did.

Exit codes: 0 all is well, 1 something is wrong or the check failed, 2 wrong usage.")]
pub(super) struct Check {
    #[command(flatten)]
    library: LibraryArgs,
}

#[derive(Debug, Args)]
pub(super) struct Compact {
    #[command(flatten)]
    library: LibraryArgs,
}

pub(super) fn check(command: &Check, config: &Config) -> anyhow::Result<Outcome> {
    with_session(&command.library, config, Need::READ, async |session| {
        let stats = session.admin().get_stats(proto::GetStatsRequest {}).await.map_err(refused)?.into_inner();
        for warning in &stats.warnings {
            super::note(format_args!("warning: {}", show::printable(warning)));
        }
        let spinner = progress::spinner("checking");
        let checked = session.admin().check(proto::CheckRequest {}).await;
        spinner.finish_and_clear();
        let problems = checked.map_err(refused)?.into_inner().problems;
        problems.iter().try_for_each(|problem| super::print(show::printable(problem)))?;
        if problems.is_empty() {
            let (files, segments) = (show::count(stats.files_indexed, "file"), show::count(stats.segments, "segment"));
            super::print(format_args!("all is well: {files}, {segments}"))?;
        }
        Ok(Outcome::of_failures(problems.len()))
    })
}

pub(super) fn compact(command: &Compact, config: &Config) -> anyhow::Result<Outcome> {
    with_session(&command.library, config, Need::CHANGE, async |session| {
        let spinner = progress::spinner("compacting");
        let compacted = session.admin().compact(proto::CompactRequest {}).await;
        spinner.finish_and_clear();
        let compacted = compacted.map_err(refused)?.into_inner();
        let (before, after) = (show::size(compacted.store_bytes_before), show::size(compacted.store_bytes_after));
        super::print(format_args!("{before} before, {after} now"))?;
        Ok(Outcome::Complete)
    })
}
