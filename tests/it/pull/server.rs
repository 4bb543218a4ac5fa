//! A web server on the loopback interface that does exactly what a script says, connection by connection.
//!
//! It answers one request a connection, remembers every request it saw, and refuses connections beyond its script by
//! closing them unanswered; a test sees these in [`Server::requests`] as well.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// A request as received: the path and the headers that matter for resuming.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) path: String,
    pub(super) headers: Vec<(String, String)>,
}

impl Request {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The first byte asked for, if a range was.
    pub(super) fn start(&self) -> Option<usize> {
        self.header("range")?.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
    }
}

/// What happens after the last scripted byte.
#[derive(Debug, Clone)]
pub(super) enum Ending {
    /// An orderly end of the connection.
    Close,
    /// The connection is torn down.
    Reset,
    /// Silence, until the client hangs up.
    Stall,
    /// Zeros, until the client hangs up.
    Endless,
}

/// One scripted answer: bytes for the wire, head and all.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    wire: Vec<u8>,
    /// Bytes sent at a time, and the pause after each.
    drip: Option<(usize, Duration)>,
    ending: Ending,
}

impl Reply {
    /// Any bytes at all.
    pub(super) fn raw(wire: impl Into<Vec<u8>>) -> Self {
        Self { wire: wire.into(), drip: None, ending: Ending::Close }
    }

    /// A status line, headers (each `name: value`) and a body.
    pub(super) fn new(status: u16, headers: &[&str], body: &[u8]) -> Self {
        let mut wire = format!("HTTP/1.1 {status} Scripted\r\nconnection: close\r\n");
        for header in headers {
            wire.push_str(header);
            wire.push_str("\r\n");
        }
        wire.push_str("\r\n");
        Self::raw([wire.as_bytes(), body].concat())
    }

    /// A body in chunks of the given size; without the end mark if `ended` is false.
    pub(super) fn chunked(headers: &[&str], body: &[u8], chunk: usize, ended: bool) -> Self {
        let mut coded = Vec::new();
        for piece in body.chunks(chunk) {
            coded.extend(format!("{:x}\r\n", piece.len()).bytes());
            coded.extend(piece);
            coded.extend(b"\r\n");
        }
        if ended {
            coded.extend(b"0\r\n\r\n");
        }
        Self::new(200, &[headers, &["transfer-encoding: chunked"]].concat(), &coded)
    }

    /// Adds bytes at the end.
    pub(super) fn followed_by(mut self, bytes: &[u8]) -> Self {
        self.wire.extend(bytes);
        self
    }

    /// Drops the last `count` bytes.
    pub(super) fn short_by(mut self, count: usize) -> Self {
        self.wire.truncate(self.wire.len() - count);
        self
    }

    pub(super) fn ending(self, ending: Ending) -> Self {
        Self { ending, ..self }
    }

    pub(super) fn dripping(self, bytes: usize, pause: Duration) -> Self {
        Self { drip: Some((bytes, pause)), ..self }
    }

    fn perform(&self, mut stream: TcpStream) {
        let (size, pause) = self.drip.unwrap_or((self.wire.len().max(1), Duration::ZERO));
        for piece in self.wire.chunks(size) {
            // A client that hangs up early is part of many scripts.
            if stream.write_all(piece).is_err() {
                return;
            }
            thread::sleep(pause);
        }
        match self.ending {
            // Nothing unread is left, so closing sends FIN.
            Ending::Close => take_request(&mut stream),
            // The request is left unread, and closing on unread bytes sends RST.
            Ending::Reset => {}
            Ending::Stall => {
                take_request(&mut stream);
                let _ = stream.read(&mut [0]);
            }
            Ending::Endless => while stream.write_all(&[0; 4096]).is_ok() {},
        }
    }
}

/// What to answer to a request.
pub(super) type Script = Vec<Box<dyn Fn(&Request) -> Reply + Send + Sync>>;

/// The running server; stops when dropped.
pub(super) struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    stop: Arc<AtomicBool>,
    listener: Option<thread::JoinHandle<()>>,
}

impl Server {
    /// Starts on a free port.
    pub(super) fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let (script, seen, stopped) = (Arc::new(script), requests.clone(), stop.clone());
        let accept = move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let (stream, script, seen) = (stream.unwrap(), script.clone(), seen.clone());
                thread::spawn(move || serve(stream, &script, &seen));
            }
        };
        Self { address, requests, stop, listener: Some(thread::spawn(accept)) }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/model.pt", self.address)
    }

    /// Everything asked so far, in order.
    pub(super) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        self.listener.take().unwrap().join().unwrap();
    }
}

fn serve(stream: TcpStream, script: &Script, seen: &Mutex<Vec<Request>>) {
    let Some(request) = peek_request(&stream) else { return };
    let turn = {
        let mut seen = seen.lock().unwrap();
        seen.push(request.clone());
        seen.len() - 1
    };
    if let Some(reply) = script.get(turn) {
        reply(&request).perform(stream);
    }
}

/// Reads a request without taking it from the socket, so that a script can choose how the connection ends.
///
/// `None` when what comes is not HTTP (a TLS handshake, for one) or the client hangs up.
fn peek_request(stream: &TcpStream) -> Option<Request> {
    let mut buffer = [0; 16384];
    let mut had = 0;
    loop {
        let count = stream.peek(&mut buffer).ok()?;
        let text = String::from_utf8_lossy(&buffer[..count]).into_owned();
        if let Some((head, _)) = text.split_once("\r\n\r\n") {
            let mut lines = head.lines();
            let path = lines.next()?.split(' ').nth(1)?.to_owned();
            let headers = lines.filter_map(|line| line.split_once(": ")).map(|(k, v)| (k.into(), v.into())).collect();
            return Some(Request { path, headers });
        }
        if count == had || !text.starts_with("GET ") {
            return Some(Request::default()).filter(|_| count > 0);
        }
        had = count;
    }
}

/// Takes the request, which was only peeked at, from the socket.
fn take_request(stream: &mut TcpStream) {
    let mut taken = Vec::new();
    let mut byte = [0];
    while !taken.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count > 0) {
        taken.push(byte[0]);
    }
}
