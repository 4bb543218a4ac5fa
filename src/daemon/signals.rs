//! Being asked to stop.

use std::io;

/// From now on, requests to stop by the user (Ctrl-C) or the system (SIGTERM) do not end this process by themselves.
///
/// # Errors
/// If the system does not let us catch signals.
pub fn interruption() -> io::Result<Interruption> {
    Interruption::new()
}

/// Requests to stop, one after the other.
#[derive(Debug)]
pub struct Interruption {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Interruption {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for the next request; says what it was.
    pub async fn requested(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }
}

#[cfg(not(unix))]
impl Interruption {
    fn new() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Waits for the next request; says what it was.
    pub async fn requested(&mut self) -> &'static str {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        "Ctrl-C"
    }
}
