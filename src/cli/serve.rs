//! `earmark serve`: the daemon.

use std::path::PathBuf;

use clap::Args;

use super::{DataArgs, ModelArgs, Outcome};
use crate::config::Config;
use crate::daemon::{Daemon, InitialRoot, interruption};
use crate::library::WatchMode;

#[derive(Debug, Args)]
#[command(after_help = "\
Standard output gets one line, `listening grpc=ADDRESS pid=N data=DIR`; the log goes to standard error. The daemon is \
ready when its health service says SERVING. SIGINT and SIGTERM stop it after what is under way; once more stops it at \
once.

Exit codes: 0 stopped on request, 1 it could not start or broke down, 2 wrong usage.")]
pub(super) struct Serve {
    /// Folder to watch from now on, if it is not watched yet; may be given several times
    #[arg(long = "root", value_name = "PATH", num_args = 1..)]
    roots: Vec<PathBuf>,
    /// Look at these folders at an interval, instead of being told of changes by the system
    #[arg(long, requires = "roots")]
    poll: bool,
    /// Address to serve gRPC on, of this machine; port 0 for a free one
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    model: ModelArgs,
}

pub(super) fn run(command: &Serve, config: &Config) -> anyhow::Result<Outcome> {
    super::log::for_daemon(&config.log)?;
    let mut config = config.clone();
    command.data.apply(&mut config);
    command.model.apply(&mut config);
    if let Some(listen) = &command.listen {
        config.server.listen.clone_from(listen);
    }
    let watch = if command.poll { WatchMode::Poll } else { WatchMode::Auto };
    let roots = command.roots.iter().map(|path| InitialRoot { path: path.clone(), watch }).collect();
    super::block_on(serve(config, roots))
}

async fn serve(config: Config, roots: Vec<InitialRoot>) -> anyhow::Result<Outcome> {
    let interruption = interruption()?;
    let daemon = Daemon::bind(config).await?;
    let (address, data) = (daemon.address(), daemon.directory().display());
    let line = format!("listening grpc={address} pid={} data={data}", std::process::id());
    let ready = || {
        if let Err(error) = super::print(line) {
            tracing::warn!("nobody reads the address: {error:#}");
        }
    };
    daemon.run(roots, interruption, ready).await?;
    Ok(Outcome::Complete)
}
