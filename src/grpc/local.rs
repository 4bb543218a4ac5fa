//! A connection within the process, so that whoever opens a library by himself speaks to it as to a server.

use hyper_util::rt::TokioIo;
use tokio::sync::watch;
use tonic::transport::{Channel, Endpoint, Uri};

use super::edge::{Edge, EngineSlot, Phase};
use super::health::Health;
use super::serve::{ServeError, ServeOptions, router};

/// Bytes on the way before the writer has to wait.
const PIPE_BYTES: usize = 1024 * 1024;

/// Serves an engine to the one client that is returned, over a pipe in memory; health says that it is ready. The server
/// ends with the last clone of the client.
///
/// # Errors
/// [`ServeError::Transport`] outside a tokio runtime's reach, in effect never.
pub async fn connect_in_process(engine: impl Into<EngineSlot>, options: ServeOptions) -> Result<Channel, ServeError> {
    let health = Health::starting().await;
    health.ready().await;
    let (_, phases) = watch::channel(Phase::Serving);
    let router = router(&Edge::new(engine.into(), options, health, phases))?;
    let (client, server) = tokio::io::duplex(PIPE_BYTES);
    tokio::spawn(async move {
        // It takes its one connection and returns; the connection goes on by itself.
        if let Err(error) = router.serve_with_incoming(tokio_stream::once(Ok::<_, std::io::Error>(server))).await {
            tracing::error!(%error, "the connection within the process failed");
        }
    });
    let mut pipe = Some(client);
    let connector = tower::service_fn(move |_: Uri| {
        let pipe = pipe.take().map(TokioIo::new);
        std::future::ready(pipe.ok_or_else(|| std::io::Error::other("the pipe within the process is closed")))
    });
    Ok(Endpoint::from_static("http://in.process").connect_with_connector(connector).await?)
}
