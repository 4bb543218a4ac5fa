//! `earmark demo`: a library of its own, a daemon, and a tour of what can be found.

mod library;
mod report;
mod tour;

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, bail};
use clap::Args;
use tokio::sync::oneshot;

use self::report::Report;
use super::connection::Session;
use super::index::{self, Output, Work};
use super::{ModelArgs, Outcome};
use crate::config::Config;
use crate::daemon::{Daemon, Interruption, interruption};
use crate::demo::{Made, TOUR};
use crate::model_store::BUNDLED;

#[derive(Debug, Args)]
#[command(after_help = "\
Makes a library of some 200 sounds and 120 pictures, all of them synthesised and drawn, starts a daemon on a free \
port, indexes the library, and asks it a few questions over gRPC. Then the daemon goes on, for you to try, until Ctrl-C.

Without --dir everything is in a temporary directory that goes when the demo ends. With it, DIR/library and DIR/data \
stay, and a later run uses them again. The model is the one that comes with earmark, unless another one is named.

With --json, standard output gets one object: steps (title, query, expectation, found, hits with path, score, start_s, \
end_s and concept), found (all of them), library, data, address, model, concepts, files, made_s, indexed_s, \
first_answer_s and total_s.

Exit codes: 0 every query found what it promised, 1 one did not or the demo failed, 2 wrong usage.")]
pub(super) struct Demo {
    /// End after the tour
    #[arg(long)]
    once: bool,
    /// Keep library and data in this directory
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// One JSON object instead of text
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    model: ModelArgs,
}

/// Where everything is.
enum Place {
    Kept(PathBuf),
    Temporary(tempfile::TempDir),
}

/// When what was done.
#[derive(Debug, Clone, Copy)]
struct Times {
    started: Instant,
    made_s: f64,
    indexed_s: f64,
}

/// The daemon of this process.
struct Running {
    session: Session,
    address: String,
    stop: oneshot::Sender<()>,
    ended: tokio::task::JoinHandle<anyhow::Result<()>>,
}

pub(super) fn run(command: &Demo, config: &Config) -> anyhow::Result<Outcome> {
    let started = Instant::now();
    let place = Place::choose(command.dir.as_deref())?;
    let mut config = config.clone();
    command.model.apply(&mut config);
    if command.model.model.is_none() {
        config.model.name = BUNDLED.into();
    }
    config.data.directory = place.path().join("data");
    config.server.listen = "127.0.0.1:0".into();
    let outcome = super::block_on(show(command, &place, config, started));
    if let Place::Temporary(directory) = place {
        let path = directory.path().to_path_buf();
        directory.close().with_context(|| path.display().to_string())?;
    }
    outcome
}

async fn show(command: &Demo, place: &Place, config: Config, started: Instant) -> anyhow::Result<Outcome> {
    let mut interruption = interruption()?;
    let report = Report::new(command.json);
    report.begin(place)?;
    let library = library::make_library(place.path(), &mut interruption).await?;
    let made_s = started.elapsed().as_secs_f64();
    report.made(&library, made_s)?;
    let Running { session, address, stop, mut ended } = start(config).await?;
    let times = Times { started, made_s, indexed_s: 0.0 };
    let toured = tokio::select! {
        toured = tour(&session, &address, &library, &report, times) => toured,
        // It has its own ear for Ctrl-C.
        ended = &mut ended => {
            ended.context("the daemon broke down")??;
            bail!("interrupted");
        }
    };
    if let (Ok(_), false) = (&toured, command.once) {
        report.farewell(place.path(), &address)?;
        report.offer()?;
        ended.await.context("the daemon broke down")??;
        return toured;
    }
    // Nobody listens if it ended by itself, which the next line tells.
    let _ = stop.send(());
    let stopped = ended.await.context("the daemon broke down")?;
    if toured.is_ok() {
        report.offer()?;
    }
    toured.and_then(|outcome| stopped.map(|()| outcome))
}

/// Starts the daemon in this process, and connects to it as anybody would.
async fn start(config: Config) -> anyhow::Result<Running> {
    let daemon = Daemon::bind(config.clone()).await?;
    let address = daemon.address().to_string();
    let ((stop, stopped), (ready, serving)) = (oneshot::channel(), oneshot::channel());
    let interruption = Interruption::or_when(interruption()?, stopped);
    let announce = move || {
        // Whoever waits for it has given up.
        let _ = ready.send(());
    };
    let ended = tokio::spawn(daemon.run(Vec::new(), interruption, announce));
    if serving.await.is_err() {
        ended.await.context("the daemon broke down")??;
        bail!("interrupted");
    }
    let session = Session::connect(&address, &config).await?;
    Ok(Running { session, address, stop, ended })
}

/// Indexes the library, asks everything, and says what came of it.
async fn tour(
    session: &Session,
    address: &str,
    library: &Made,
    report: &Report,
    mut times: Times,
) -> anyhow::Result<Outcome> {
    let work = Work::begin(session, Output { json: false, quiet: report.is_json() }).await?;
    index::request(session, std::slice::from_ref(&library.directory)).await?;
    if work.finish().await? != Outcome::Complete {
        bail!("interrupted");
    }
    times.indexed_s = times.started.elapsed().as_secs_f64() - times.made_s;
    let model = report.model(session).await?;
    let (mut answers, mut first_answer_s) = (Vec::new(), None);
    for step in &TOUR {
        report.ask(step, library)?;
        let answer = tour::ask(session, step, library).await?;
        first_answer_s.get_or_insert(times.started.elapsed().as_secs_f64());
        report.answer(&answer, library)?;
        answers.push(answer);
    }
    let missed = answers.iter().filter(|answer| !answer.found).count();
    report.end(&report::Summary { answers: &answers, library, model, address, times, first_answer_s })?;
    Ok(Outcome::of_failures(missed))
}

impl Place {
    fn choose(directory: Option<&Path>) -> anyhow::Result<Self> {
        match directory {
            None => {
                let temporary = tempfile::Builder::new().prefix("earmark-demo-").tempdir();
                Ok(Self::Temporary(temporary.context("no temporary directory can be made")?))
            }
            Some(directory) => {
                let context = || directory.display().to_string();
                std::fs::create_dir_all(directory).with_context(context)?;
                Ok(Self::Kept(directory.canonicalize().with_context(context)?))
            }
        }
    }

    fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Temporary(directory) => directory.path(),
        }
    }
}
