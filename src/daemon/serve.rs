//! Starting, serving and stopping.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinSet, spawn_blocking};

use super::address::RunningDaemon;
use super::signals::Interruption;
use super::{assembly, journal};
use crate::config::Config;
use crate::engine::{Activity, Engine};
use crate::grpc;
use crate::library::{RootRules, WatchMode};
use crate::store::DirectoryLock;

/// A library that is open and a socket that is bound, with nobody answering yet.
pub struct Daemon {
    engine: Engine,
    listener: TcpListener,
    address: SocketAddr,
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
    /// Binds the address, loads the model, and opens the library. What would fail in the end fails before the model is
    /// loaded: an address of another machine, a data directory in use, a port in use.
    ///
    /// # Errors
    /// Any of these, with what to do about it.
    pub async fn start(config: Config) -> anyhow::Result<Self> {
        let address = grpc::loopback(&config.server.listen)?;
        let directory = config.data_directory()?;
        drop(DirectoryLock::acquire(&directory)?);
        let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
        let address = listener.local_addr().context("the bound address is unknown")?;
        let opened = spawn_blocking(move || {
            let encoder = assembly::load_encoder(&config)?;
            let engine = assembly::open_engine(&config, Some(encoder), Activity::Watching)?;
            anyhow::Ok((engine, config))
        });
        let (engine, config) = opened.await.context("opening the library broke down")??;
        Ok(Self { engine, listener, address, config })
    }

    /// The address that is bound.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The data directory.
    pub fn directory(&self) -> &Path {
        self.engine.directory()
    }

    /// Watches these folders from now on, unless they are watched already, or lie in one that is.
    ///
    /// # Errors
    /// If one of them is no folder, or lies around one that is watched.
    pub async fn add_roots(&self, roots: Vec<InitialRoot>) -> anyhow::Result<()> {
        let engine = self.engine.clone();
        let add = move || roots.iter().try_for_each(|root| add_root(&engine, root));
        spawn_blocking(add).await.context("adding folders broke down")?
    }

    /// Serves until the process is asked to stop, then finishes what is under way within the grace period, and lets go
    /// of the library. A second request to stop ends the process at once.
    ///
    /// # Errors
    /// If the server breaks down.
    pub async fn run(self, interruption: Interruption) -> anyhow::Result<()> {
        let Self { engine, listener, address, config } = self;
        let grace = Duration::from_secs(config.server.grace_s);
        let announcement = RunningDaemon { pid: std::process::id(), grpc: address.to_string() };
        let announced = announcement.announce(engine.directory());
        let announced = announced.with_context(|| engine.directory().display().to_string())?;
        let mut background = JoinSet::new();
        background.spawn(journal::keep(engine.clone(), engine.subscribe()));
        background.spawn(keep_snapshots(engine.clone(), Duration::from_secs(config.server.snapshot_interval_s)));
        let (stop, stopping) = watch::channel(false);
        background.spawn(obey(interruption, stop));

        let stopped = until_stopped(stopping.clone());
        let server = grpc::serve(engine.clone(), listener, assembly::serve_options(&config), stopped);
        tracing::info!(%address, data = %engine.directory().display(), "serving");
        let served = tokio::select! {
            served = server => served.map_err(anyhow::Error::from),
            () = async { until_stopped(stopping).await; tokio::time::sleep(grace).await } => {
                tracing::warn!("work that took longer than {} s was cut", grace.as_secs());
                Ok(())
            }
        };
        drop(announced);
        // Stopping the engine is the part that must not be cut: it has its own bound.
        let stopped = spawn_blocking(move || engine.stop(grace)).await;
        stopped.context("stopping the library broke down")?;
        tracing::info!("stopped");
        served
    }
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

/// Writes the graphs now and then, so that a crash costs little of them.
async fn keep_snapshots(engine: Engine, interval: Duration) {
    if interval.is_zero() {
        return;
    }
    loop {
        tokio::time::sleep(interval).await;
        let engine = engine.clone();
        match spawn_blocking(move || engine.snapshot()).await {
            Ok(Ok(())) => tracing::debug!("graphs are written"),
            Ok(Err(error)) => tracing::warn!("the graphs were not written: {error}"),
            Err(_) => return,
        }
    }
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
