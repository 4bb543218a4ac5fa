//! `earmark failures` and `earmark retry`: files that could not be indexed.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use super::connection::{LibraryArgs, Need, Session, refused, with_session};
use super::index::{Output, Work, wire_path};
use super::{ModelArgs, Outcome, show};
use crate::config::Config;
use crate::grpc::proto;

/// Failures that are asked for at a time.
const PAGE: u32 = 1_000;

#[derive(Debug, Args)]
pub(super) struct Failures {
    /// One JSON object a line and file: path, code, reason, content, at_ms
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    library: LibraryArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "A file that failed is tried again by itself only when it has changed.\n\n\
Exit codes: 0 tried again, whatever came of it; 1 failed or interrupted; 2 wrong usage.")]
pub(super) struct Retry {
    /// Only this file, or those below this folder
    path: Option<PathBuf>,
    #[command(flatten)]
    library: LibraryArgs,
    #[command(flatten)]
    model: ModelArgs,
}

pub(super) fn run(command: &Failures, config: &Config) -> anyhow::Result<Outcome> {
    with_session(&command.library, config, Need::READ, async |session| {
        let mut table = super::plain_table();
        table.set_header(["WHY", "FILE", "REASON"]);
        let (mut total, mut page_token) = (0, String::new());
        loop {
            let page = page(session, page_token).await?;
            total += page.failures.len();
            for failure in &page.failures {
                let file = failure.file.clone().unwrap_or_default();
                if command.json {
                    super::print(describe(failure, &file))?;
                } else {
                    let path = show::path_of(&file).to_string_lossy().into_owned();
                    let cells = [&failure.code, &path, &failure.reason];
                    table.add_row(cells.map(|text| show::printable(text).into_owned()));
                }
            }
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        if total == 0 {
            super::note("no file failed");
        } else if !command.json {
            super::print(table.trim_fmt())?;
        }
        Ok(Outcome::Complete)
    })
}

async fn page(session: &Session, page_token: String) -> anyhow::Result<proto::ListFailuresResponse> {
    let request = proto::ListFailuresRequest { page_size: PAGE, page_token };
    Ok(session.library().list_failures(request).await.map_err(refused)?.into_inner())
}

fn describe(failure: &proto::Failure, file: &proto::File) -> serde_json::Value {
    let content = (!failure.content.is_empty()).then_some(&failure.content);
    let mut object = json!({
        "path": file.path,
        "code": failure.code,
        "reason": failure.reason,
        "content": content,
        "at_ms": failure.at_ms,
    });
    if let Some(raw) = show::raw_path(file) {
        object["raw_path"] = json!(raw);
    }
    object
}

pub(super) fn retry(command: &Retry, config: &Config) -> anyhow::Result<Outcome> {
    let mut config = config.clone();
    command.model.apply(&mut config);
    let path = match &command.path {
        // A file that is gone can have failed all the same.
        Some(path) => {
            let absolute = path.canonicalize().or_else(|_| std::path::absolute(path));
            wire_path(&absolute.with_context(|| path.display().to_string())?)?
        }
        None => String::new(),
    };
    with_session(&command.library, &config, Need::INDEX, async |session| {
        let work = Work::begin(session, Output::default()).await?;
        let request = proto::RetryFailuresRequest { path };
        let retried = session.library().retry_failures(request).await.map_err(refused)?.into_inner();
        if retried.files == 0 {
            super::note("there is no failed file to try again");
            return Ok(Outcome::Complete);
        }
        super::note(format_args!("trying {} again", show::count(retried.files, "file")));
        work.finish().await
    })
}
