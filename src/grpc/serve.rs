//! The server: limits, addresses, its start and its end.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_stream::StreamExt as _;
use tonic::transport::Server;
use tonic::transport::server::{Router, TcpIncoming};
use tower::layer::util::{Identity, Stack};

use super::admin::AdminService;
use super::edge::{Edge, EngineSlot, Phase, reached};
use super::embed::EmbedService;
use super::guard::Guard;
use super::health::Health;
use super::info::InfoService;
use super::library::LibraryService;
use super::proto;
use super::search::SearchService;

/// Bytes on the way of one request, and of one connection, before the sender has to wait.
const STREAM_WINDOW_BYTES: u32 = 1024 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 8 * 1024 * 1024;
/// HTTP/2's own least frame: larger ones only let one request hold up others.
const FRAME_BYTES: u32 = 16 * 1024;
/// All headers of a request.
const HEADER_BYTES: u32 = 16 * 1024;
/// Requests that a client may open and reset, and that may break the protocol, before its connection is closed.
const RESET_STREAMS: usize = 1_024;
/// Requests for reflection hold a name.
const REFLECTION_BYTES: usize = 64 * 1024;
/// How long to wait after a connection could not be taken, because there are too many files open, for instance.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long answers that were cut short may take to be written.
const CUT_GRACE: Duration = Duration::from_secs(1);

/// How to serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServeOptions {
    /// Largest message.
    pub message_bytes: usize,
    /// Largest upload of a query's media, all terms together.
    pub upload_bytes: u64,
    /// Uploads taken at once.
    pub concurrent_uploads: usize,
    /// How long an upload may stand still.
    pub upload_patience: Duration,
    /// Requests under way on all connections; streams count until they begin.
    pub requests: usize,
    /// Requests under way on one connection.
    pub streams_per_connection: u32,
    /// Silence after which a connection is asked whether it is there.
    pub keepalive: Duration,
    /// Time that it has to answer.
    pub keepalive_timeout: Duration,
    /// Time that work under way may take when the server is stopped.
    pub grace: Duration,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            message_bytes: 16 * 1024 * 1024,
            upload_bytes: 512 * 1024 * 1024,
            concurrent_uploads: 4,
            upload_patience: Duration::from_secs(30),
            requests: 4_096,
            streams_per_connection: 1_024,
            keepalive: Duration::from_secs(60),
            keepalive_timeout: Duration::from_secs(20),
            grace: Duration::from_secs(10),
        }
    }
}

/// Why nothing is served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Others than this machine's own users could reach it.
    #[error(
        "{0}: not an address of this machine only; anybody who reaches it could read the library, as there are no \
         passwords; use 127.0.0.1:PORT or [::1]:PORT, and a tunnel such as ssh -L for other machines"
    )]
    NotLoopback(SocketAddr),
    /// Not an address.
    #[error("{0:?}: not an address, expected IP:PORT, e.g. 127.0.0.1:50651")]
    NotAnAddress(String),
    /// The socket's address is unknown.
    #[error("the listening socket cannot be used: {0}")]
    Socket(#[from] std::io::Error),
    /// The connection cannot be made or served.
    #[error("gRPC cannot be served: {0}")]
    Transport(#[from] tonic::transport::Error),
    /// The descriptions of the services contradict each other.
    #[error("reflection is not possible: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// Reads an address to serve at: `IP:PORT` or `localhost:PORT`, of this machine only. Port 0 is any that is free.
///
/// # Errors
/// [`ServeError::NotAnAddress`], [`ServeError::NotLoopback`].
pub fn loopback(address: &str) -> Result<SocketAddr, ServeError> {
    let not_an_address = || ServeError::NotAnAddress(address.chars().take(80).collect());
    let parsed = match address.strip_prefix("localhost:") {
        Some(port) => port.parse().ok().map(|port| SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port)),
        None => address.parse().ok(),
    };
    only_loopback(parsed.ok_or_else(not_an_address)?)
}

fn only_loopback(address: SocketAddr) -> Result<SocketAddr, ServeError> {
    let own = match address.ip() {
        IpAddr::V4(ip) => ip.is_loopback(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.to_ipv4_mapped().is_some_and(|ip| ip.is_loopback()),
    };
    if own { Ok(address) } else { Err(ServeError::NotLoopback(address)) }
}

/// Serves until `shutdown` resolves. Then health says so, no more connections are taken, and what is under way has
/// `options.grace` to finish; after that it is answered with `UNAVAILABLE`.
///
/// With an [`EngineSlot`] that is not filled yet, requests are answered with `UNAVAILABLE` until it is. Health says
/// that the server is not serving until [`Health::ready`].
///
/// # Errors
/// [`ServeError::NotLoopback`] if the listener is bound to an address that other machines can reach.
pub async fn serve(
    engine: impl Into<EngineSlot>,
    listener: TcpListener,
    options: ServeOptions,
    health: Health,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    only_loopback(listener.local_addr()?)?;
    let (phase, phases) = watch::channel(Phase::Serving);
    let edge = Edge::new(engine.into(), options.clone(), health.clone(), phases.clone());
    let stop = async {
        shutdown.await;
        health.stopping().await;
        phase.send_replace(Phase::Draining);
    };
    let mut server = std::pin::pin!(router(&edge)?.serve_with_incoming_shutdown(incoming(listener, &options), stop));
    let overdue = async {
        reached(phases, Phase::Draining).await;
        health.end_watches().await;
        tokio::time::sleep(options.grace).await;
    };
    tokio::select! {
        served = &mut server => served?,
        () = overdue => {
            tracing::warn!(grace = ?options.grace, "requests are still under way after the grace period; cut short");
            phase.send_replace(Phase::Cut);
            match tokio::time::timeout(CUT_GRACE, server).await {
                Ok(served) => served?,
                Err(_) => tracing::warn!("connections are still open; left to the end of the process"),
            }
        }
    }
    Ok(())
}

/// Connections that tell who is gone. One that cannot be taken is logged, and does not become a busy loop.
fn incoming(
    listener: TcpListener,
    options: &ServeOptions,
) -> impl tokio_stream::Stream<Item = std::io::Result<tokio::net::TcpStream>> + use<> {
    let accepted = TcpIncoming::from(listener)
        .with_nodelay(Some(true))
        .with_keepalive(Some(options.keepalive))
        .with_keepalive_interval(Some(options.keepalive_timeout))
        .with_keepalive_retries(Some(3));
    accepted.then(|connection| async {
        if let Err(error) = &connection {
            tracing::warn!(%error, "a connection could not be taken");
            tokio::time::sleep(ACCEPT_PAUSE).await;
        }
        connection
    })
}

/// All services with all limits.
pub(super) fn router(edge: &Arc<Edge>) -> Result<Router<Stack<Guard, Identity>>, ServeError> {
    let options = &edge.options;
    let mut server = Server::builder()
        .http2_keepalive_interval(Some(options.keepalive))
        .http2_keepalive_timeout(Some(options.keepalive_timeout))
        .tcp_keepalive(Some(options.keepalive))
        .tcp_nodelay(true)
        .max_concurrent_streams(options.streams_per_connection)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .http2_adaptive_window(Some(false))
        .max_frame_size(FRAME_BYTES)
        .http2_max_header_list_size(HEADER_BYTES)
        .http2_max_pending_accept_reset_streams(Some(RESET_STREAMS))
        .http2_max_local_error_reset_streams(Some(RESET_STREAMS))
        .accept_http1(false)
        .layer(Guard::new(options.requests, edge.phases.clone()));
    let bytes = options.message_bytes;
    macro_rules! bounded {
        ($server:path, $service:expr) => {
            <$server>::new($service(Arc::clone(edge))).max_decoding_message_size(bytes).max_encoding_message_size(bytes)
        };
    }
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(proto::DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    Ok(server
        .add_service(bounded!(proto::search_server::SearchServer<_>, SearchService))
        .add_service(bounded!(proto::library_server::LibraryServer<_>, LibraryService))
        .add_service(bounded!(proto::embed_server::EmbedServer<_>, EmbedService))
        .add_service(bounded!(proto::info_server::InfoServer<_>, InfoService))
        .add_service(bounded!(proto::admin_server::AdminServer<_>, AdminService))
        .add_service(edge.health.service())
        .add_service(reflection().build_v1()?.max_decoding_message_size(REFLECTION_BYTES))
        .add_service(reflection().build_v1alpha()?.max_decoding_message_size(REFLECTION_BYTES)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_served() {
        let check = |address: &str, expected: &str| assert_eq!(loopback(address).unwrap().to_string(), expected);
        check("127.0.0.1:50651", "127.0.0.1:50651");
        check("127.8.9.1:0", "127.8.9.1:0");
        check("localhost:7", "127.0.0.1:7");
        check("[::1]:7", "[::1]:7");
        check("[::ffff:127.0.0.1]:7", "[::ffff:127.0.0.1]:7");
        for reachable in ["0.0.0.0:1", "[::]:1", "192.168.1.2:1", "8.8.8.8:1", "[fe80::1]:1", "[::ffff:10.0.0.1]:1"] {
            let error = loopback(reachable).unwrap_err().to_string();
            assert!(error.contains("no passwords") && error.contains("127.0.0.1:PORT"), "{error}");
        }
        for wrong in ["", "localhost", "localhost:x", "127.0.0.1", "127.0.0.1:99999", "example.org:1", ":50651"] {
            assert!(loopback(wrong).unwrap_err().to_string().contains("expected IP:PORT"), "{wrong}");
        }
    }
}
