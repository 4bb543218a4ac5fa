//! `earmark index`: folders into the library, once.

mod follow;
mod progress;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use clap::Args;

use super::connection::{LibraryArgs, Need, Session, refused, with_session};
use super::{ModelArgs, Outcome};
use crate::config::Config;
use crate::grpc::proto;

pub(super) use follow::{Output, Work};

#[derive(Debug, Args)]
#[command(after_help = "\
Files that cannot be indexed do not stop it and are no error: a library always has some. They are counted, and \
`earmark failures` lists them. Ctrl-C stops it cleanly: what is finished stays, and the next run goes on from there.

With --json, one object a line as soon as a change is on disk, with \"event\": \"indexed\" (path, asset, embedded), \
\"failed\" (path, code, reason), \"moved\" (from, path, asset) or \"removed\" (path, asset); at the end \"done\" \
(files_indexed, files_failed, segments and embedded_total of the whole library; indexed, failed, moved, removed, \
embedded and seconds of this run).

Exit codes: 0 the run is complete, 1 it failed or was interrupted, 2 wrong usage.")]
pub(super) struct Index {
    /// Folders, which become part of the library; for one in a folder that already is, that one is looked at again
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    library: LibraryArgs,
    #[command(flatten)]
    model: ModelArgs,
    /// One JSON object a line and event, instead of a summary
    #[arg(long)]
    json: bool,
    /// Neither progress nor summary
    #[arg(long, short)]
    quiet: bool,
}

pub(super) fn run(command: &Index, config: &Config) -> anyhow::Result<Outcome> {
    let mut config = config.clone();
    command.model.apply(&mut config);
    let canonical = |path: &PathBuf| path.canonicalize().with_context(|| path.display().to_string());
    let paths = command.paths.iter().map(canonical).collect::<anyhow::Result<Vec<PathBuf>>>()?;
    let output = Output { json: command.json, quiet: command.quiet };
    with_session(&command.library, &config, Need::SWITCH, async |session| {
        let work = Work::begin(session, output).await?;
        request(session, &paths).await?;
        work.finish().await
    })
}

/// Has each path compared with the disk, as part of a root or as a new one.
pub(super) async fn request(session: &Session, paths: &[PathBuf]) -> anyhow::Result<()> {
    let mut library = session.library();
    let mut requested = BTreeSet::new();
    for path in paths {
        let roots = library.list_roots(proto::ListRootsRequest {}).await.map_err(refused)?.into_inner().roots;
        let around = roots.iter().find(|root| path.starts_with(&root.path));
        match around {
            Some(root) if requested.contains(&root.id) => {}
            Some(root) => {
                requested.insert(root.id);
                let root_id = Some(root.id);
                library.rescan(proto::RescanRequest { root_id }).await.map_err(refused)?;
            }
            None if !path.is_dir() => {
                bail!("{}: is no folder, expected one, or a file in a folder of the library", path.display())
            }
            None => {
                let path = wire_path(path)?;
                let added = library.add_root(proto::AddRootRequest { path, rules: None }).await.map_err(refused)?;
                requested.extend(added.into_inner().root.map(|root| root.id));
            }
        }
    }
    Ok(())
}

/// A path in a message, which must be Unicode.
pub(super) fn wire_path(path: &Path) -> anyhow::Result<String> {
    let text = path.to_str().map(str::to_owned);
    text.ok_or_else(|| anyhow!("{}: the name is not Unicode; give a folder above it", path.display()))
}
