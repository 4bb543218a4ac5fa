//! Asking a step of the tour over gRPC, and judging the answer by the plan of the library.

use std::path::Path;

use anyhow::Context as _;

use crate::cli::connection::Session;
use crate::cli::search::{Ingredient, ask as ask_for};
use crate::cli::show::path_of;
use crate::demo::{Ask, Made, Seen, Step};
use crate::grpc::proto::{self, MediaKind, UnsignedRange};
use crate::media;

/// What came of a step.
pub(super) struct Answer {
    pub(super) step: &'static Step,
    /// As one would type it, after `earmark search`.
    pub(super) query: String,
    pub(super) hits: Vec<proto::Hit>,
    pub(super) concepts: Vec<Option<&'static str>>,
    pub(super) found: bool,
}

/// Asks a step.
pub(super) async fn ask(session: &Session, step: &'static Step, library: &Made) -> anyhow::Result<Answer> {
    let terms = step.asks.iter().map(|ask| ingredient(*ask, library)).collect::<anyhow::Result<Vec<_>>>()?;
    let ms = |seconds: Option<u32>| seconds.map(|seconds| u64::from(seconds) * 1_000);
    let bounds = UnsignedRange { min: ms(step.shortest_s), max: ms(step.longest_s) };
    let filter = proto::Filter {
        kinds: step.kind.map(|kind| wire_kind(kind).into()).into_iter().collect(),
        duration_ms: (bounds != UnsignedRange::default()).then_some(bounds),
        ..proto::Filter::default()
    };
    let query = proto::QueryRequest { filter: Some(filter), limit: step.limit, ..proto::QueryRequest::default() };
    let hits = ask_for(session, query, terms).await?.hits;
    let seen: Vec<Seen> = hits.iter().map(|hit| seen(hit, library)).collect();
    let (concepts, found) = (seen.iter().map(|seen| seen.concept).collect(), step.is_kept_by(&seen));
    Ok(Answer { step, query: typed(step, library)?, hits, concepts, found })
}

/// The query as one would type it, with paths as they are below the library's parent.
pub(super) fn typed(step: &Step, library: &Made) -> anyhow::Result<String> {
    let mut words = Vec::new();
    let above = library.directory.parent().unwrap_or(&library.directory);
    let example = |kind, name| -> anyhow::Result<String> {
        let path = example(library, kind, name)?;
        Ok(quoted(&path.strip_prefix(above).unwrap_or(path).to_string_lossy()))
    };
    for ask in step.asks {
        words.push(match *ask {
            Ask::Words(text) => quoted(text),
            Ask::Not(text) => format!("--not {}", quoted(text)),
            Ask::Sound(name) => format!("--audio {}", example(media::MediaKind::Audio, name)?),
            Ask::Picture(name) => format!("--image {}", example(media::MediaKind::Image, name)?),
        });
    }
    words.extend(step.kind.map(|kind| match kind {
        media::MediaKind::Audio => "--in sounds".into(),
        media::MediaKind::Image => "--in pictures".into(),
    }));
    words.extend(step.shortest_s.map(|seconds| format!("--min-duration {seconds}")));
    words.extend(step.longest_s.map(|seconds| format!("--max-duration {seconds}")));
    words.push(format!("-k {}", step.limit));
    Ok(words.join(" "))
}

fn quoted(text: &str) -> String {
    if text.contains(' ') { format!("\"{text}\"") } else { text.into() }
}

fn ingredient(ask: Ask, library: &Made) -> anyhow::Result<Ingredient> {
    let words = |text: &str, weight| Ingredient::Words { text: text.into(), weight };
    let file = |path: &Path, kind| Ingredient::Media { path: path.into(), kind };
    Ok(match ask {
        Ask::Words(text) => words(text, 1.0),
        Ask::Not(text) => words(text, -1.0),
        Ask::Sound(name) => file(example(library, media::MediaKind::Audio, name)?, MediaKind::Audio),
        Ask::Picture(name) => file(example(library, media::MediaKind::Image, name)?, MediaKind::Image),
    })
}

/// A file of the library to ask with.
fn example<'a>(library: &'a Made, kind: media::MediaKind, name: &str) -> anyhow::Result<&'a Path> {
    library.example(kind, name).with_context(|| format!("the demo library has no {kind} of {name}"))
}

/// What a hit is of: by the plan, at the place that was found.
fn seen(hit: &proto::Hit, library: &Made) -> Seen {
    let span = hit.span.unwrap_or_default();
    let planned = hit.files.iter().find_map(|file| library.files.get(&path_of(file)));
    let duration_ms = hit.facts.as_ref().and_then(|facts| facts.duration_ms);
    Seen {
        concept: planned.and_then(|file| file.content.concept_within(seconds(span.start_ms), seconds(span.end_ms))),
        duration_s: duration_ms.map(seconds),
    }
}

/// Milliseconds as seconds.
pub(super) fn seconds(ms: u64) -> f64 {
    std::time::Duration::from_millis(ms).as_secs_f64()
}

fn wire_kind(kind: media::MediaKind) -> MediaKind {
    match kind {
        media::MediaKind::Audio => MediaKind::Audio,
        media::MediaKind::Image => MediaKind::Image,
    }
}
