//! From words to hits, as a client sees it: a real server on a socket of this machine, and a library of made vectors.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use earmark::config::Config;
use earmark::daemon::{load_encoder, open_engine, serve_options};
use earmark::engine::{Activity, Engine};
use earmark::grpc::proto::search_client::SearchClient;
use earmark::grpc::proto::{QueryRequest, Term, term::What};
use earmark::grpc::{Health, serve};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tonic::transport::{Channel, Endpoint};

use super::Choice;
use crate::support::library;

const LIMIT: u32 = 10;
/// Queries that are asked before any counts.
const WARM_UP: usize = 50;
const GRACE: Duration = Duration::from_secs(60);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Hits {
    choice: Choice,
    /// Where the library is, or is to be. It is kept for the next time.
    directory: PathBuf,
    /// Vectors in it.
    vectors: usize,
    queries: usize,
}

impl Hits {
    /// Asks for ten hits, with other words each time, one query after the other.
    pub(super) fn measure(&self) -> Result<Value, String> {
        let config = self.choice.config(&self.directory);
        let explain = |error: anyhow::Error| format!("{error:#}");
        let start = Instant::now();
        let encoder = load_encoder(&config).map_err(explain)?;
        if !self.directory.exists() {
            fill(&self.directory, &encoder.facts().space, self.vectors);
        }
        let engine = open_engine(&config, Some(encoder), Activity::OnRequest).map_err(explain)?;
        engine.wait_until_idle();
        let ready = start.elapsed().as_secs_f64();

        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.expect("the system has threads");
        let asked = runtime.block_on(ask(&config, engine.clone(), self.queries));
        engine.stop(GRACE);
        let quantile = |percent: usize, stage: fn(&Asked) -> f64| {
            let mut times: Vec<f64> = asked.iter().map(stage).collect();
            times.sort_by(f64::total_cmp);
            times[times.len() * percent / 100]
        };
        Ok(json!({
            "p50_ms": quantile(50, |asked| asked.whole_ms),
            "p99_ms": quantile(99, |asked| asked.whole_ms),
            "embed_p50_ms": quantile(50, |asked| asked.embed_ms),
            "search_p50_ms": quantile(50, |asked| asked.search_ms),
            "ready_s": ready,
        }))
    }
}

/// What one query took, and how much of that the server says was what.
struct Asked {
    whole_ms: f64,
    embed_ms: f64,
    search_ms: f64,
}

/// Whole or not at all, for what is there is taken to be whole.
fn fill(directory: &Path, space: &earmark::embedding::SpaceId, vectors: usize) {
    let unfinished = directory.with_extension("part");
    if unfinished.exists() {
        std::fs::remove_dir_all(&unfinished).expect("it is ours");
    }
    library::fill(&unfinished, space, vectors);
    std::fs::rename(&unfinished, directory).expect("they lie side by side");
}

async fn ask(config: &Config, engine: Engine, queries: usize) -> Vec<Asked> {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
    let address = listener.local_addr().expect("it is bound");
    let health = Health::starting().await;
    health.ready().await;
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async move { drop(stopped.await) };
    let server = tokio::spawn(serve(engine, listener, serve_options(config), health, shutdown));
    let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("it is an address");
    let mut client = SearchClient::new(endpoint.connect().await.expect("the server listens"));

    let mut asked = Vec::with_capacity(queries);
    for number in 0..WARM_UP + queries {
        let one = query(&mut client, number).await;
        if number >= WARM_UP {
            asked.push(one);
        }
    }
    drop(client);
    stop.send(()).expect("the server is under way");
    server.await.expect("it does not panic").expect("it has served");
    asked
}

/// Five words that have not been asked for before.
async fn query(client: &mut SearchClient<Channel>, number: usize) -> Asked {
    let words = What::Text(format!("creaky wooden door number {number}"));
    let terms = vec![Term { weight: 1.0, what: Some(words) }];
    let request = QueryRequest { terms, limit: LIMIT, ..QueryRequest::default() };
    let start = Instant::now();
    let answer = client.query(request).await.expect("the query makes sense").into_inner();
    let whole_ms = start.elapsed().as_secs_f64() * 1e3;
    assert_eq!(answer.hits.len(), LIMIT as usize, "the library has more");
    let timing = answer.timing.expect("it is always given");
    Asked { whole_ms, embed_ms: timing.embed_us as f64 * 1e-3, search_ms: timing.search_us as f64 * 1e-3 }
}
