//! Who answers: a server that was named, the daemon that has the data directory open, or this process.
//!
//! Every verb is written once, against the generated client; only this file knows which of the three it talks to.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use clap::Args;
use tokio::task::spawn_blocking;
use tonic::Status;
use tonic::transport::{Channel, Endpoint};

use crate::config::Config;
use crate::daemon::{RunningDaemon, load_encoder, open_engine, serve_options, switch_engine};
use crate::engine::{Activity, Engine};
use crate::grpc;
use crate::grpc::proto::admin_client::AdminClient;
use crate::grpc::proto::info_client::InfoClient;
use crate::grpc::proto::library_client::LibraryClient;
use crate::grpc::proto::search_client::SearchClient;
use crate::store::{DirectoryLock, StoreError};

/// How long a server may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Where the library is kept.
#[derive(Debug, Clone, Args)]
pub(super) struct DataArgs {
    /// Directory of the library's data
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

/// Which library.
#[derive(Debug, Clone, Args)]
pub(super) struct LibraryArgs {
    #[command(flatten)]
    data: DataArgs,
    /// Ask the daemon at this address. By default the one that has the data directory open is asked; if there is none,
    /// this process opens the directory itself
    #[arg(long, value_name = "ADDRESS:PORT")]
    server: Option<String>,
}

impl DataArgs {
    pub(super) fn apply(&self, config: &mut Config) {
        if let Some(directory) = &self.data_dir {
            config.data.directory.clone_from(directory);
        }
    }
}

/// What this process needs if it has to open the library itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Need {
    pub(super) activity: Activity,
    pub(super) model: bool,
    /// With another model than the library's, which was named, the library is switched to it.
    pub(super) switch: bool,
}

impl Need {
    /// What is there can be asked for, without a model.
    pub(super) const READ: Self = Self { activity: Activity::Still, model: false, switch: false };
    /// Words and media can be asked with, too.
    pub(super) const SEARCH: Self = Self { activity: Activity::Still, model: true, switch: false };
    /// What is there can be changed, without reading files.
    pub(super) const CHANGE: Self = Self { activity: Activity::OnRequest, model: false, switch: false };
    /// Files can be read and embedded.
    pub(super) const INDEX: Self = Self { activity: Activity::OnRequest, model: true, switch: false };
    /// The same, with another model if one is named.
    pub(super) const SWITCH: Self = Self { switch: true, ..Self::INDEX };
}

/// A connection to whoever answers.
pub(super) struct Session {
    channel: Channel,
    /// Of the daemon; `None` if this process answers itself.
    address: Option<String>,
    engine: Option<Engine>,
    message_bytes: usize,
}

/// Connects, does `work`, and closes the library again if this process opened it, whatever came of the work.
pub(super) fn with_session<T>(
    library: &LibraryArgs,
    config: &Config,
    need: Need,
    work: impl AsyncFnOnce(&Session) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let mut config = config.clone();
    library.data.apply(&mut config);
    super::block_on(async {
        let grace = Duration::from_secs(config.server.grace_s);
        let session = Session::open(library.server.as_deref(), config, need).await?;
        let result = work(&session).await;
        session.close(grace).await?;
        result
    })
}

impl Session {
    async fn open(server: Option<&str>, config: Config, need: Need) -> anyhow::Result<Self> {
        if let Some(server) = server {
            return Self::connect(server, &config).await;
        }
        let directory = config.data_directory()?;
        // Asked first because loading a model takes long; whoever comes in between is noticed when opening.
        if let Err(error) = DirectoryLock::acquire(&directory) {
            return Self::connect_to_holder(&directory, error, &config).await;
        }
        let opening = config.clone();
        let opened = spawn_blocking(move || match need.model.then(|| load_encoder(&opening)).transpose()? {
            Some(encoder) if need.switch => switch_engine(&opening, encoder, need.activity),
            encoder => open_engine(&opening, encoder, need.activity),
        });
        match opened.await.context("opening the library broke down")? {
            Ok(engine) => {
                let channel = grpc::connect_in_process(engine.clone(), serve_options(&config)).await?;
                Ok(Self { channel, address: None, engine: Some(engine), message_bytes: config.server.message_bytes })
            }
            Err(error) => match error.downcast::<crate::engine::EngineError>() {
                Ok(crate::engine::EngineError::Store(error)) => {
                    Self::connect_to_holder(&directory, error, &config).await
                }
                Ok(error) => Err(error.into()),
                Err(error) => Err(error),
            },
        }
    }

    /// Asks the daemon that has the data directory open.
    async fn connect_to_holder(directory: &Path, error: StoreError, config: &Config) -> anyhow::Result<Self> {
        if !matches!(error, StoreError::Locked { .. }) {
            return Err(error.into());
        }
        match RunningDaemon::find(directory) {
            Some(daemon) => Self::connect(&daemon.grpc, config).await,
            // `earmark index` at work, or a daemon that is just starting or stopping.
            None => Err(anyhow!("{error}; it cannot be asked, because it does not serve, or not yet")),
        }
    }

    /// Asks the server at an address.
    pub(super) async fn connect(address: &str, config: &Config) -> anyhow::Result<Self> {
        let address = address.strip_prefix("http://").unwrap_or(address).trim_end_matches('/');
        let endpoint = Endpoint::from_shared(format!("http://{address}"));
        let endpoint = endpoint.with_context(|| format!("{address}: is no address, expected e.g. 127.0.0.1:50651"))?;
        let channel = endpoint.connect_timeout(CONNECT_TIMEOUT).connect().await;
        let channel = channel.with_context(|| format!("{address}: no earmark can be reached there"))?;
        let message_bytes = config.server.message_bytes;
        Ok(Self { channel, address: Some(address.into()), engine: None, message_bytes })
    }

    async fn close(self, grace: Duration) -> anyhow::Result<()> {
        drop(self.channel);
        if let Some(engine) = self.engine {
            spawn_blocking(move || engine.stop(grace)).await.context("closing the library broke down")?;
        }
        Ok(())
    }

    /// Of the daemon that answers; `None` if this process does.
    pub(super) fn address(&self) -> Option<&str> {
        self.address.as_deref()
    }

    pub(super) fn library(&self) -> LibraryClient<Channel> {
        LibraryClient::new(self.channel.clone()).max_decoding_message_size(self.message_bytes)
    }

    pub(super) fn search(&self) -> SearchClient<Channel> {
        SearchClient::new(self.channel.clone()).max_decoding_message_size(self.message_bytes)
    }

    pub(super) fn admin(&self) -> AdminClient<Channel> {
        AdminClient::new(self.channel.clone()).max_decoding_message_size(self.message_bytes)
    }

    pub(super) fn info(&self) -> InfoClient<Channel> {
        InfoClient::new(self.channel.clone()).max_decoding_message_size(self.message_bytes)
    }
}

/// What a server said, without what only programs want to know.
#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
pub(super) fn refused(status: Status) -> anyhow::Error {
    match status.message() {
        // What tonic says when the connection is cut.
        "transport error" => anyhow!("the server went away while it was asked; try again"),
        "" => anyhow!("the server refused: {}", status.code()),
        message => anyhow!("{message}"),
    }
}
