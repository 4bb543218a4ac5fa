//! Being asked to stop.

use std::future::pending;
use std::io;

use tokio::sync::oneshot;

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
    /// Resolves when this process asks by itself.
    own: Option<oneshot::Receiver<()>>,
}

impl Interruption {
    /// Has it asked by this process as well, by what is sent on this channel or by dropping its other end; but only if
    /// nobody has asked before, so that it never counts as asking once more.
    #[must_use]
    pub fn or_when(self, own: oneshot::Receiver<()>) -> Self {
        Self { own: Some(own), ..self }
    }
}

/// Waits for a request of this process's own, which comes once.
async fn own_request(own: &mut Option<oneshot::Receiver<()>>) {
    match own {
        // A sender that is gone has nothing more to wait for.
        Some(receiver) => drop(receiver.await),
        None => pending().await,
    }
}

#[cfg(unix)]
impl Interruption {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let (interrupt, terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        Ok(Self { interrupt, terminate, own: None })
    }

    /// Waits for the next request; says what it was.
    pub async fn requested(&mut self) -> &'static str {
        let signal = tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
            () = own_request(&mut self.own) => "the end of the work",
        };
        self.own = None;
        signal
    }
}

#[cfg(not(unix))]
impl Interruption {
    fn new() -> io::Result<Self> {
        Ok(Self { own: None })
    }

    /// Waits for the next request; says what it was.
    pub async fn requested(&mut self) -> &'static str {
        let interrupted = async {
            if tokio::signal::ctrl_c().await.is_err() {
                pending::<()>().await;
            }
        };
        let signal = tokio::select! {
            () = interrupted => "Ctrl-C",
            () = own_request(&mut self.own) => "the end of the work",
        };
        self.own = None;
        signal
    }
}
