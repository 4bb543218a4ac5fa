//! What the demo says: text as it goes, or one object at its end.

use std::path::Path;

use serde_json::{Value, json};

use super::tour::{Answer, seconds, typed};
use super::{Place, Times};
use crate::cli::connection::{Session, refused};
use crate::cli::{print, search, show};
use crate::demo::{Made, Step};
use crate::grpc::proto;
use crate::model_store::BUNDLED;
use crate::world::Concept;

/// The published model.
const FULL_MODEL: &str = "audioclip-full";

/// Where it goes.
pub(super) struct Report {
    json: bool,
}

/// All that is known at the end.
pub(super) struct Summary<'a> {
    pub(super) answers: &'a [Answer],
    pub(super) library: &'a Made,
    pub(super) model: String,
    pub(super) address: &'a str,
    pub(super) times: Times,
    pub(super) first_answer_s: Option<f64>,
}

impl Report {
    pub(super) fn new(json: bool) -> Self {
        Self { json }
    }

    pub(super) fn is_json(&self) -> bool {
        self.json
    }

    fn say(&self, line: impl std::fmt::Display) -> anyhow::Result<()> {
        if self.json { Ok(()) } else { print(line) }
    }

    pub(super) fn begin(&self, place: &Place) -> anyhow::Result<()> {
        match place {
            Place::Kept(path) => self.say(format_args!("everything is kept in {}", path.display())),
            Place::Temporary(directory) => {
                let path = directory.path().display();
                self.say(format_args!("everything is in {path}, which goes when the demo ends (--dir DIR keeps it)"))
            }
        }
    }

    pub(super) fn made(&self, library: &Made, made_s: f64) -> anyhow::Result<()> {
        let (sounds, pictures) = counts(library);
        let (total, reused) = (library.files.len(), library.reused);
        let what = if reused == total { "found" } else { "made" };
        self.say(format_args!(
            "{what} {sounds} sounds and {pictures} pictures of {} things in {}; half of their names say nothing",
            Concept::all().len(),
            show::elapsed(made_s)
        ))
    }

    /// Says which model answers, and how much it knows; its name.
    pub(super) async fn model(&self, session: &Session) -> anyhow::Result<String> {
        let info = session.info().get_info(proto::GetInfoRequest {}).await.map_err(refused)?.into_inner();
        let model = info.model.unwrap_or_default().name;
        if model == BUNDLED {
            let concepts = Concept::all().len();
            self.say(format_args!("demo model: knows about {concepts} kinds of sound, and nothing else"))?;
        } else {
            self.say(format_args!("model: {model}; the tour was made for the demo model"))?;
        }
        Ok(model)
    }

    pub(super) fn ask(&self, step: &Step, library: &Made) -> anyhow::Result<()> {
        self.say(format_args!("\n# {}\n$ earmark search {}", step.title, typed(step, library)?))
    }

    pub(super) fn answer(&self, answer: &Answer, library: &Made) -> anyhow::Result<()> {
        self.say(search::table(&answer.hits, 0, Some(&library.directory)))?;
        let names = answer.concepts.iter().map(|concept| concept.unwrap_or("something else"));
        let names = names.collect::<Vec<_>>().join(", ");
        let promise = answer.step.promise;
        self.say(match answer.found {
            true => format!("✓ {promise} (they are of: {names})"),
            false => format!("✗ promised: {promise}; found: {names}"),
        })
    }

    pub(super) fn end(&self, summary: &Summary<'_>) -> anyhow::Result<()> {
        let total_s = summary.times.started.elapsed().as_secs_f64();
        if self.json {
            return print(summary.json(total_s));
        }
        let (all, found) = (summary.answers.len(), summary.answers.iter().filter(|answer| answer.found).count());
        self.say(format_args!(
            "\n{found} of {all} answers are as promised; first answer after {}, all after {}",
            show::elapsed(summary.first_answer_s.unwrap_or(total_s)),
            show::elapsed(total_s)
        ))
    }

    /// What to do next, while the daemon is there.
    pub(super) fn farewell(&self, place: &Path, address: &str) -> anyhow::Result<()> {
        let data = place.join("data");
        let data = data.display();
        self.say(format_args!(
            "
the daemon goes on at {address} until Ctrl-C; try, in another terminal:

  earmark search \"glass breaking\" --data-dir {data}
  earmark search wind --not rain --in sounds --server {address}
  earmark status --data-dir {data}
  grpcurl -plaintext -d '{{\"terms\": [{{\"text\": \"owl\"}}], \"limit\": 3}}' {address} earmark.v1.Search/Query"
        ))
    }

    /// What the published model would change.
    pub(super) fn offer(&self) -> anyhow::Result<()> {
        self.say(format_args!(
            "
the demo model knows this small world only. The published AudioCLIP knows thousands of things of the real one:

  earmark model pull {FULL_MODEL}

downloads 537 MB, once. Its vectors are of another space, so a library has to be embedded again to be searched with it:

  earmark serve --data-dir DATA --model {FULL_MODEL}

does that in the background, keeps the folders, and sets the old vectors aside; `--model demo` takes them up again."
        ))
    }
}

impl Summary<'_> {
    fn json(&self, total_s: f64) -> Value {
        let (sounds, pictures) = counts(self.library);
        let above = self.library.directory.parent().unwrap_or(&self.library.directory);
        json!({
            "steps": self.answers.iter().map(step).collect::<Vec<_>>(),
            "found": self.answers.iter().all(|answer| answer.found),
            "library": self.library.directory,
            "data": above.join("data"),
            "address": self.address,
            "model": self.model,
            "concepts": Concept::all().len(),
            "files": { "sounds": sounds, "pictures": pictures, "reused": self.library.reused },
            "made_s": self.times.made_s,
            "indexed_s": self.times.indexed_s,
            "first_answer_s": self.first_answer_s,
            "total_s": total_s,
        })
    }
}

fn step(answer: &Answer) -> Value {
    let hit = |(hit, concept): (&proto::Hit, &Option<&str>)| {
        let span = hit.span.unwrap_or_default();
        json!({
            "path": hit.files.first().map(|file| &file.path),
            "kind": show::kind_name(hit.kind()),
            "score": hit.score,
            "start_s": seconds(span.start_ms),
            "end_s": seconds(span.end_ms),
            "concept": concept,
        })
    };
    json!({
        "title": answer.step.title,
        "query": answer.query,
        "expectation": answer.step.promise.to_string(),
        "found": answer.found,
        "hits": answer.hits.iter().zip(&answer.concepts).map(hit).collect::<Vec<_>>(),
    })
}

fn counts(library: &Made) -> (usize, usize) {
    let is_sound = |file: &&crate::demo::Planned| file.content.kind() == crate::media::MediaKind::Audio;
    let sounds = library.files.values().filter(is_sound).count();
    (sounds, library.files.len() - sounds)
}
