//! `earmark roots`: the folders of the library.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use comfy_table::{Cell, CellAlignment};
use serde_json::json;

use super::connection::{LibraryArgs, Need, Session, refused, with_session};
use super::index::{Output, Work, wire_path};
use super::search::Kind;
use super::{ModelArgs, Outcome, show};
use crate::config::Config;
use crate::grpc::proto;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Roots {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the folders with their state
    List(List),
    /// Add a folder. A daemon reads it at once; without one, `earmark index` and `earmark serve` do
    Add(Add),
    /// Forget a folder and what is in no other one. Nothing on disk is touched
    Remove {
        /// The folder, by path or number
        #[arg(value_name = "PATH|ID")]
        root: String,
        #[command(flatten)]
        library: LibraryArgs,
    },
    /// Compare a folder, or all, with the disk
    Rescan {
        /// The folder, by path or number; all if not given
        #[arg(value_name = "PATH|ID")]
        root: Option<String>,
        #[command(flatten)]
        library: LibraryArgs,
        #[command(flatten)]
        model: ModelArgs,
    },
}

#[derive(Debug, Args)]
struct List {
    /// One JSON object a line and folder
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    library: LibraryArgs,
}

#[derive(Debug, Args)]
struct Add {
    /// The folder
    path: PathBuf,
    /// Only files that match this glob over paths below the folder; may be given several times
    #[arg(long, value_name = "GLOB")]
    include: Vec<String>,
    /// Neither files nor folders that match this glob; may be given several times
    #[arg(long, value_name = "GLOB")]
    exclude: Vec<String>,
    /// Only these kinds
    #[arg(long = "in", value_enum, value_delimiter = ',', value_name = "KIND")]
    kinds: Vec<Kind>,
    /// Look at it at an interval, instead of being told of changes by the system
    #[arg(long)]
    poll: bool,
    #[command(flatten)]
    library: LibraryArgs,
}

pub(super) fn run(command: &Roots, config: &Config) -> anyhow::Result<Outcome> {
    match &command.command {
        None => list(&command.list, config),
        Some(Command::List(command)) => list(command, config),
        Some(Command::Add(command)) => add(command, config),
        Some(Command::Remove { root, library }) => with_session(library, config, Need::CHANGE, async |session| {
            let root = find(session, root).await?;
            let request = proto::RemoveRootRequest { root_id: root.id };
            let removed = session.library().remove_root(request).await.map_err(refused)?.into_inner();
            let files = show::count(removed.files, "file");
            super::print(format_args!("removed {} with {files}", show::printable(&root.path)))?;
            Ok(Outcome::Complete)
        }),
        Some(Command::Rescan { root, library, model }) => {
            let mut config = config.clone();
            model.apply(&mut config);
            with_session(library, &config, Need::INDEX, async |session| rescan(session, root.as_deref()).await)
        }
    }
}

/// The root that somebody means by a path or a number.
pub(super) async fn find(session: &Session, text: &str) -> anyhow::Result<proto::Root> {
    let roots = all(session).await?;
    if let Some(root) = text.parse().ok().and_then(|id: u32| roots.iter().find(|root| root.id == id)) {
        return Ok(root.clone());
    }
    // A folder that is not there at the moment can be meant all the same.
    let path = Path::new(text).canonicalize().or_else(|_| std::path::absolute(text));
    let path = path.with_context(|| text.to_owned())?;
    match roots.iter().find(|root| Path::new(&root.path) == path) {
        Some(root) => Ok(root.clone()),
        None if roots.is_empty() => bail!("{text}: the library has no folders yet"),
        None => {
            let known: Vec<String> = roots.iter().map(|root| format!("{} ({})", root.path, root.id)).collect();
            bail!("{text}: is none of the library's folders, expected one of {}", known.join(", "))
        }
    }
}

/// All roots, by id.
pub(super) async fn all(session: &Session) -> anyhow::Result<Vec<proto::Root>> {
    Ok(session.library().list_roots(proto::ListRootsRequest {}).await.map_err(refused)?.into_inner().roots)
}

fn list(command: &List, config: &Config) -> anyhow::Result<Outcome> {
    with_session(&command.library, config, Need::READ, async |session| {
        let roots = all(session).await?;
        if command.json {
            roots.iter().try_for_each(|root| super::print(describe(root)))?;
        } else if roots.is_empty() {
            super::note("the library has no folders yet; `earmark index PATH` or `earmark roots add PATH` adds one");
        } else {
            super::print(table(&roots))?;
        }
        Ok(Outcome::Complete)
    })
}

fn add(command: &Add, config: &Config) -> anyhow::Result<Outcome> {
    let path = command.path.canonicalize().with_context(|| command.path.display().to_string())?;
    let watch = if command.poll { proto::WatchMode::Poll } else { proto::WatchMode::Auto };
    let rules = proto::RootRules {
        include: command.include.clone(),
        exclude: command.exclude.clone(),
        kinds: command.kinds.iter().map(|kind| kind.to_wire().into()).collect(),
        watch: watch.into(),
    };
    with_session(&command.library, config, Need::CHANGE, async |session| {
        let request = proto::AddRootRequest { path: wire_path(&path)?, rules: Some(rules) };
        let added = session.library().add_root(request).await.map_err(refused)?.into_inner();
        let root = added.root.unwrap_or_default();
        super::print(format_args!("added {} ({})", show::printable(&root.path), root.id))?;
        if session.address().is_none() {
            super::note("its files are not read yet: `earmark index` or `earmark serve` does that");
        }
        Ok(Outcome::Complete)
    })
}

async fn rescan(session: &Session, root: Option<&str>) -> anyhow::Result<Outcome> {
    let root_id = match root {
        Some(root) => Some(find(session, root).await?.id),
        None => None,
    };
    let work = Work::begin(session, Output::default()).await?;
    session.library().rescan(proto::RescanRequest { root_id }).await.map_err(refused)?;
    work.finish().await
}

/// A root as JSON, also part of `earmark status --json`.
pub(super) fn describe(root: &proto::Root) -> serde_json::Value {
    let rules = root.rules.clone().unwrap_or_default();
    json!({
        "id": root.id,
        "path": root.path,
        "state": show::root_state_name(root.state()),
        "scanning": root.scanning,
        "state_reason": root.state_reason,
        "files_indexed": root.files_indexed,
        "files_failed": root.files_failed,
        "files_ignored": root.files_ignored,
        "skipped_excluded": root.skipped_excluded,
        "skipped_links": root.skipped_links,
        "skipped_special": root.skipped_special,
        "unreadable": root.unreadable,
        "include": rules.include,
        "exclude": rules.exclude,
        "kinds": rules.kinds().map(show::kind_name).collect::<Vec<_>>(),
        "watch": if rules.watch() == proto::WatchMode::Poll { "poll" } else { "auto" },
    })
}

/// A line a root.
pub(super) fn table(roots: &[proto::Root]) -> String {
    let mut table = super::plain_table();
    table.set_header(["ID", "STATE", "INDEXED", "FAILED", "UNREADABLE", "PATH"]);
    let right = |number: u64| Cell::new(number).set_alignment(CellAlignment::Right);
    for root in roots {
        let state = if root.scanning { "scanning" } else { show::root_state_name(root.state()) };
        let path = show::printable(&root.path).into_owned();
        let path = if root.state_reason.is_empty() {
            path
        } else {
            format!("{path} ({})", show::printable(&root.state_reason))
        };
        let counts = [root.files_indexed, root.files_failed, root.unreadable].map(right);
        let row = [right(root.id.into()), Cell::new(state)].into_iter().chain(counts).chain([Cell::new(path)]);
        table.add_row(row);
    }
    table.trim_fmt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_shown_with_the_reason_of_their_state() {
        let mut root = proto::Root { id: 3, path: "/nas/a\tb".into(), files_indexed: 7, ..Default::default() };
        root.set_state(proto::RootState::Offline);
        root.state_reason = "not mounted".into();
        let text = table(&[root.clone()]);
        let line: Vec<&str> = text.lines().nth(1).unwrap().split_whitespace().collect();
        assert_eq!(line, ["3", "offline", "7", "0", "0", "/nas/a\u{fffd}b", "(not", "mounted)"]);
        let object = describe(&root);
        assert_eq!((&object["state"], &object["watch"]), (&json!("offline"), &json!("auto")));
    }
}
