//! A daemon of its own for a test, and a small library to work with.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::workplace::{Workplace, args, json};

/// Far longer than anything takes; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// Sounds and pictures of the small library, by their names below `media/`.
pub(super) const FILES: [(&str, &str); 5] = [
    ("media/esc10/001 - Dog bark/1-100032-A.ogg", "dogs/1-100032-A.ogg"),
    ("media/esc10/001 - Dog bark/1-110389-A.ogg", "dogs/1-110389-A.ogg"),
    ("media/demo/car_horn_1-24074-A-43.wav", "horn.wav"),
    ("media/demo/cat_1.jpg", "pictures/cat_1.jpg"),
    ("media/demo/cars_1.jpg", "pictures/cars_1.jpg"),
];

/// A workplace with the tiny model and the small library in `media/`, not indexed yet.
pub(super) fn workplace_with_media() -> Workplace {
    let workplace = Workplace::with_model();
    for (shared, name) in FILES {
        workplace.bring(shared, &format!("media/{name}"));
    }
    configure(&workplace, "");
    workplace
}

/// The same, indexed.
pub(super) fn workplace_with_library() -> Workplace {
    let workplace = workplace_with_media();
    workplace.succeed(args!["index", "media", "--quiet"]);
    workplace
}

/// Writes the user's configuration: files need not have settled, as they are copied before they are indexed.
pub(super) fn configure(workplace: &Workplace, more: &str) {
    let text = format!("[ingest]\nsettle_ms = 1\n[watch]\nquiet_ms = 50\n{more}");
    workplace.write("config/earmark/earmark.toml", text);
}

/// The data directory that the binary uses by itself.
pub(super) const DATA: &str = "data/earmark/library";

/// Objects of output with one a line.
pub(super) fn lines(text: &str) -> Vec<Value> {
    text.lines().map(json).collect()
}

/// Tries again and again until `attempt` gives something.
pub(super) fn eventually<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(result) = attempt() {
            return result;
        }
        assert!(started.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A running `earmark serve`, killed when dropped.
pub(super) struct Daemon {
    child: Child,
    pub(super) line: String,
    pub(super) address: String,
}

impl Daemon {
    /// Starts it on a free port and waits until its health service says that it serves.
    pub(super) fn start(workplace: &Workplace, more: &[std::ffi::OsString]) -> Self {
        let mut command = workplace.command(args!["serve", "--listen", "127.0.0.1:0"]);
        let mut child = command.args(more).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let address = line.split_whitespace().find_map(|word| word.strip_prefix("grpc=")).map(str::to_owned);
        let Some(address) = address else {
            let mut log = String::new();
            child.stderr.as_mut().unwrap().read_to_string(&mut log).unwrap();
            panic!("{line:?}: {log}");
        };
        let daemon = Self { child, line, address };
        daemon.wait_until_serving();
        daemon
    }

    fn wait_until_serving(&self) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let endpoint = Endpoint::from_shared(format!("http://{}", self.address)).unwrap();
            let mut client = HealthClient::new(endpoint.connect().await.unwrap());
            let request = HealthCheckRequest { service: String::new() };
            let mut statuses = client.watch(request).await.unwrap().into_inner();
            while statuses.message().await.unwrap().unwrap().status() != ServingStatus::Serving {}
        });
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal.
    #[cfg(unix)]
    pub(super) fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for its end; what it logged comes along.
    pub(super) fn wait(mut self) -> (ExitStatus, String) {
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        (self.child.wait().unwrap(), log)
    }

    /// Asks it to stop, which it has to do well.
    #[cfg(unix)]
    pub(super) fn stop(self) -> String {
        self.signal(rustix::process::Signal::TERM);
        let (status, log) = self.wait();
        assert_eq!(status.code(), Some(0), "{log}");
        assert!(!log.contains("panicked"), "{log}");
        log
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
