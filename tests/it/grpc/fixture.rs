//! A server on a free port of this machine, with or without a library behind it.

use std::f64::consts::TAU;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use earmark::config::Config;
use earmark::daemon::engine_options;
use earmark::engine::{Activity, Engine};
use earmark::grpc::proto::admin_client::AdminClient;
use earmark::grpc::proto::embed_client::EmbedClient;
use earmark::grpc::proto::info_client::InfoClient;
use earmark::grpc::proto::library_client::LibraryClient;
use earmark::grpc::proto::search_client::SearchClient;
use earmark::grpc::proto::{AddRootRequest, QueryRequest, Root, Term, term::What};
use earmark::grpc::{EngineSlot, Health, ServeError, ServeOptions, serve};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::stub_model::{self, Probe};

/// How long a test waits for what must happen.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A server under way.
pub struct Server {
    pub address: SocketAddr,
    pub channel: Channel,
    pub health: Health,
    pub slot: EngineSlot,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<Result<(), ServeError>>,
}

impl Server {
    /// Without a library as yet.
    pub async fn start(options: ServeOptions) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (slot, health) = (EngineSlot::default(), Health::starting().await);
        let (stop, stopped) = oneshot::channel();
        let shutdown = async move { drop(stopped.await) };
        let served = tokio::spawn(serve(slot.clone(), listener, options, health.clone(), shutdown));
        let channel = Endpoint::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
        Self { address, channel, health, slot, stop: Some(stop), served }
    }

    /// Asks it to stop; it drains meanwhile.
    pub fn ask_to_stop(&mut self) {
        self.stop.take().expect("it is asked once").send(()).expect("it is under way");
    }

    /// Waits until it has stopped, having been asked to.
    pub async fn stopped(self) {
        tokio::time::timeout(PATIENCE, self.served).await.expect("it stops").unwrap().unwrap();
    }

    pub fn search(&self) -> SearchClient<Channel> {
        SearchClient::new(self.channel.clone())
    }

    pub fn library(&self) -> LibraryClient<Channel> {
        LibraryClient::new(self.channel.clone())
    }

    pub fn embed(&self) -> EmbedClient<Channel> {
        EmbedClient::new(self.channel.clone())
    }

    pub fn info(&self) -> InfoClient<Channel> {
        InfoClient::new(self.channel.clone())
    }

    pub fn admin(&self) -> AdminClient<Channel> {
        AdminClient::new(self.channel.clone())
    }
}

/// A server with a library of [`SOUNDS`] sounds, all indexed.
pub struct Library {
    pub server: Server,
    pub engine: Engine,
    pub probe: Probe,
    /// As the server knows it.
    pub root: Root,
    pub folder: PathBuf,
    _directory: TempDir,
}

/// Sounds in the library, one second each, and beside them one file that is broken.
pub const SOUNDS: usize = 7;

impl Library {
    /// With a stub of a model.
    pub async fn start(options: ServeOptions) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let folder = directory.path().canonicalize().unwrap().join("sounds");
        std::fs::create_dir(&folder).unwrap();
        for number in 0..SOUNDS {
            std::fs::write(folder.join(format!("tone {number}.wav")), tone(number)).unwrap();
        }
        std::fs::write(folder.join("broken.wav"), b"RIFF\x10\x00\x00\x00WAVEnonsense").unwrap();
        let probe = Probe::default();
        let engine = {
            let (probe, data) = (probe.clone(), directory.path().join("data"));
            tokio::task::spawn_blocking(move || open(&data, &probe)).await.unwrap()
        };
        let server = Server::start(options).await;
        server.slot.fill(engine.clone());
        server.health.ready().await;
        let request = AddRootRequest { path: folder.to_str().unwrap().into(), rules: None };
        let root = server.library().add_root(request).await.unwrap().into_inner().root.unwrap();
        let waiting = engine.clone();
        let idle = tokio::task::spawn_blocking(move || waiting.wait_until_idle());
        tokio::time::timeout(PATIENCE, idle).await.expect("indexing ends").unwrap();
        Self { server, engine, probe, root, folder, _directory: directory }
    }

    /// Stops the server, then the engine.
    pub async fn stop(mut self) {
        self.server.ask_to_stop();
        self.server.stopped().await;
        tokio::task::spawn_blocking(move || self.engine.stop(PATIENCE)).await.unwrap();
    }
}

/// A library with a stub of a model and nothing in it, that indexes what it is told to.
fn open(data: &Path, probe: &Probe) -> Engine {
    let empty = tempfile::NamedTempFile::new().unwrap();
    let config = Config::load(Some(empty.path()), []).unwrap();
    let mut options = engine_options(&config);
    options.ingest.settle_ms = 0;
    let encoder = stub_model::encoder(probe, stub_model::options());
    Engine::open(data, options, Some(encoder), Activity::OnRequest).unwrap()
}

/// A second of a sine as a WAVE file of 16 bits, one channel.
pub fn tone(number: usize) -> Vec<u8> {
    const RATE: u32 = 44_100;
    let frequency = 200.0 + 50.0 * number as f64;
    let sample = |index: u32| (9_000.0 * (TAU * frequency * f64::from(index) / f64::from(RATE)).sin()) as i16;
    let data: Vec<u8> = (0..RATE).flat_map(|index| sample(index).to_le_bytes()).collect();
    let length = u32::try_from(data.len()).unwrap();
    let mut file = Vec::new();
    file.extend(b"RIFF");
    file.extend((36 + length).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend(RATE.to_le_bytes());
    file.extend((2 * RATE).to_le_bytes());
    file.extend(b"\x02\0\x10\0data");
    file.extend(length.to_le_bytes());
    file.extend(data);
    file
}

/// A query by words.
pub fn words(text: &str) -> QueryRequest {
    query(What::Text(text.into()))
}

/// A query of one term.
pub fn query(what: What) -> QueryRequest {
    QueryRequest { terms: vec![Term { weight: 1.0, what: Some(what) }], ..Default::default() }
}

/// Checks a status and the detail that every one of ours has.
#[track_caller]
pub fn check_status<T: std::fmt::Debug>(result: Result<T, Status>, code: Code, reason: &str) -> Status {
    let status = result.expect_err("it is refused");
    assert_eq!(status.code(), code, "{status}");
    let info = status.get_details_error_info().unwrap_or_else(|| panic!("details of {status}"));
    assert_eq!((info.reason.as_str(), info.domain.as_str()), (reason, "earmark"), "{status}");
    status
}

/// Checks that a field was found wrong.
#[track_caller]
pub fn check_field<T: std::fmt::Debug>(result: Result<T, Status>, field: &str) {
    let status = check_status(result, Code::InvalidArgument, "INVALID_FIELD");
    let violations = status.get_details_bad_request().expect("the field").field_violations;
    assert_eq!(violations[0].field, field, "{status}");
}
