//! Starting, serving and stopping.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::spawn_blocking;

use super::address::RunningDaemon;
use super::signals::Interruption;
use super::{assembly, journal};
use crate::config::Config;
use crate::engine::{Activity, Engine};
use crate::grpc::{self, EngineSlot, Health};
use crate::library::{RootRules, WatchMode};
use crate::store::DirectoryLock;

/// A socket that is bound, with nothing behind it yet.
pub struct Daemon {
    listener: TcpListener,
    address: SocketAddr,
    directory: PathBuf,
    config: Config,
}

/// A folder to watch from the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitialRoot {
    /// The folder.
    pub path: PathBuf,
    /// How changes in it are noticed.
    pub watch: WatchMode,
}

impl Daemon {
    /// Binds the address. What would fail in the end fails here, before a model is loaded: an address that others can
    /// reach, a data directory or a port in use.
    ///
    /// # Errors
    /// Any of these, with what to do about it.
    pub async fn bind(config: Config) -> anyhow::Result<Self> {
        let address = grpc::loopback(&config.server.listen)?;
        let directory = config.data_directory()?;
        // Given back at once: the engine takes it for itself.
        drop(DirectoryLock::acquire(&directory)?);
        let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
        let address = listener.local_addr().context("the bound address is unknown")?;
        Ok(Self { listener, address, directory, config })
    }

    /// The address that is bound.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The data directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Loads the model, opens the library, watches `roots`, calls `ready`, and serves until the process is asked to
    /// stop. Then it finishes what is under way within the grace period, and lets go of the library. A second request
    /// to stop ends the process at once.
    ///
    /// Until the library is open, health says that nothing is served.
    ///
    /// # Errors
    /// If the library cannot be opened, a root cannot be watched, or the server breaks down.
    pub async fn run(
        self,
        roots: Vec<InitialRoot>,
        mut interruption: Interruption,
        ready: impl FnOnce(),
    ) -> anyhow::Result<()> {
        let Self { listener, address, directory, config } = self;
        let (stop, stopping) = watch::channel(false);
        let (slot, health) = (EngineSlot::default(), Health::starting().await);
        let options = assembly::serve_options(&config);
        let grace = options.grace;
        let serve = grpc::serve(slot.clone(), listener, options, health.clone(), until_stopped(stopping));
        let server = tokio::spawn(serve);

        let engine = tokio::select! {
            opened = open(config, roots) => opened?,
            // Nothing has been promised to anybody yet.
            signal = interruption.requested() => {
                tracing::info!(signal, "stopped before anything was served");
                return Ok(());
            }
        };
        slot.fill(engine.clone());
        let announcement = RunningDaemon { pid: std::process::id(), grpc: address.to_string() };
        let announced = announcement.announce(&directory).with_context(|| directory.display().to_string())?;
        ready();
        health.ready().await;
        tracing::info!(%address, data = %directory.display(), "serving");

        tokio::spawn(obey(interruption, stop));
        let served = server.await.context("the server broke down");
        drop(announced);
        // This must not be cut: it has its own bound.
        let stopped = spawn_blocking(move || engine.stop(grace)).await;
        stopped.context("closing the library broke down")?;
        tracing::info!("stopped");
        Ok(served??)
    }
}

/// Opens the library with its model, and watches `roots`.
async fn open(config: Config, roots: Vec<InitialRoot>) -> anyhow::Result<Engine> {
    let open = move || {
        let encoder = assembly::load_encoder(&config)?;
        let engine = assembly::switch_engine(&config, encoder, Activity::Watching)?;
        // Listening before anything is added, so that nothing is missed.
        tokio::spawn(journal::keep(engine.clone(), engine.subscribe()));
        for root in &roots {
            if let Err(error) = add_root(&engine, root) {
                engine.stop(Duration::ZERO);
                return Err(error);
            }
        }
        Ok(engine)
    };
    spawn_blocking(open).await.context("opening the library broke down")?
}

/// Passes the first request to stop on, and ends the process with the second.
async fn obey(mut interruption: Interruption, stop: watch::Sender<bool>) {
    let signal = interruption.requested().await;
    tracing::info!(signal, "stopping; once more to stop at once");
    stop.send_replace(true);
    interruption.requested().await;
    std::process::exit(1);
}

async fn until_stopped(mut stopping: watch::Receiver<bool>) {
    // An error means that nobody is left who could ask: that is the end as well.
    let _ = stopping.wait_for(|&stop| stop).await;
}

fn add_root(engine: &Engine, root: &InitialRoot) -> anyhow::Result<()> {
    let absolute = std::path::absolute(&root.path).with_context(|| root.path.display().to_string())?;
    let canonical = absolute.canonicalize();
    // A folder that is watched and not there at the moment may be named all the same.
    let path = canonical.as_ref().unwrap_or(&absolute);
    let around = match engine.catalog().read() {
        Ok(catalog) => catalog.locate(path).and_then(|(id, _)| Some(catalog.root(id)?.root.clone())),
        Err(_) => bail!("the library broke down"),
    };
    match (around, &canonical) {
        (Some(around), _) => {
            if around.path != *path {
                tracing::info!("{}: lies in {}, which is watched", path.display(), around.path.display());
            }
            if around.rules.watch != root.watch && root.watch == WatchMode::Poll {
                let known = around.path.display();
                tracing::warn!("{known}: is watched as before; `earmark roots remove` and `add --poll` change that");
            }
        }
        (None, Ok(path)) => {
            engine.add_root(path, RootRules { watch: root.watch, ..RootRules::default() })?;
        }
        (None, Err(_)) => {
            canonical.with_context(|| root.path.display().to_string())?;
        }
    }
    Ok(())
}
