//! Hits for people, for programs, and for `xargs -0`.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::Path;

use anyhow::Context as _;
use comfy_table::{Cell, CellAlignment};
use serde::Serialize;

use crate::cli::{plain_table, show};
use crate::grpc::proto;

/// A hit as JSON: the names that scripts rely on.
#[derive(Serialize)]
struct JsonHit<'a> {
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw_path: Option<String>,
    kind: &'static str,
    score: f32,
    confidence: Option<f32>,
    start_ms: u64,
    end_ms: u64,
    asset: &'a str,
    segment: u32,
    offline: bool,
    paths: Vec<&'a str>,
    segments: Vec<JsonSegment>,
    facts: JsonFacts<'a>,
    #[serde(flatten)]
    description: JsonDescription<'a>,
}

#[derive(Serialize)]
struct JsonSegment {
    segment: u32,
    start_ms: u64,
    end_ms: u64,
    score: f32,
}

#[derive(Serialize)]
struct JsonFacts<'a> {
    bytes: u64,
    format: &'a str,
    codec: Option<&'a str>,
    duration_ms: Option<u64>,
    sample_rate_hz: Option<u32>,
    channels: Option<u32>,
    bits_per_sample: Option<u32>,
    width: Option<u32>,
    height: Option<u32>,
}

#[derive(Serialize)]
struct JsonDescription<'a> {
    title: Option<&'a str>,
    description: Option<&'a str>,
    creator: Option<&'a str>,
    category: Option<&'a str>,
    subcategory: Option<&'a str>,
    keywords: &'a [String],
    fields: BTreeMap<&'a str, &'a str>,
}

/// The file to show: one that can be opened, if there is one.
fn best_file(hit: &proto::Hit) -> Option<&proto::File> {
    hit.files.iter().find(|file| !file.offline).or(hit.files.first())
}

/// A hit on one line of JSON.
pub(super) fn json_line(hit: &proto::Hit) -> anyhow::Result<String> {
    let none = proto::File::default();
    let file = best_file(hit).unwrap_or(&none);
    let span = hit.span.unwrap_or_default();
    let segment = |other: &proto::SegmentHit| {
        let proto::Span { start_ms, end_ms } = other.span.unwrap_or_default();
        JsonSegment { segment: other.ordinal, start_ms, end_ms, score: other.score }
    };
    let (facts, description) = (hit.facts.clone().unwrap_or_default(), hit.description.clone().unwrap_or_default());
    Ok(serde_json::to_string(&JsonHit {
        path: &file.path,
        raw_path: show::raw_path(file),
        kind: show::kind_name(hit.kind()),
        score: hit.score,
        confidence: hit.confidence,
        start_ms: span.start_ms,
        end_ms: span.end_ms,
        asset: &hit.asset_id,
        segment: hit.ordinal,
        offline: file.offline,
        paths: hit.files.iter().map(|file| file.path.as_str()).collect(),
        segments: hit.other_segments.iter().map(segment).collect(),
        facts: json_facts(&facts),
        description: json_description(&description),
    })?)
}

fn json_facts(facts: &proto::TechnicalFacts) -> JsonFacts<'_> {
    JsonFacts {
        bytes: facts.bytes,
        format: &facts.format,
        codec: facts.codec.as_deref(),
        duration_ms: facts.duration_ms,
        sample_rate_hz: facts.sample_rate_hz,
        channels: facts.channels,
        bits_per_sample: facts.bits_per_sample,
        width: facts.width,
        height: facts.height,
    }
}

fn json_description(description: &proto::Description) -> JsonDescription<'_> {
    JsonDescription {
        title: description.title.as_deref(),
        description: description.text.as_deref(),
        creator: description.creator.as_deref(),
        category: description.category.as_deref(),
        subcategory: description.subcategory.as_deref(),
        keywords: &description.keywords,
        fields: description.fields.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect(),
    }
}

/// Writes the paths, as the file system has them, each followed by a zero byte.
pub(super) fn print_paths(hits: &[proto::Hit]) -> anyhow::Result<()> {
    let mut bytes = Vec::new();
    for file in hits.iter().filter_map(best_file) {
        bytes.extend_from_slice(show::path_of(file).as_os_str().as_encoded_bytes());
        bytes.push(0);
    }
    let mut stdout = io::stdout().lock();
    stdout.write_all(&bytes).and_then(|()| stdout.flush()).context("standard output")
}

/// A line a hit, the first of which has the rank after `offset`.
pub(in crate::cli) fn table(hits: &[proto::Hit], offset: u32, current: Option<&Path>) -> String {
    let mut table = plain_table();
    table.set_header(["#", "SCORE", "SURE", "WHERE", "FILE"]);
    let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
    for (rank, hit) in (u64::from(offset) + 1..).zip(hits) {
        let sure = hit.confidence.map(|share| format!("{:.1} %", 100.0 * share)).unwrap_or_default();
        let heard = hit.kind() == proto::MediaKind::Audio;
        let place = hit.span.as_ref().filter(|_| heard).map(show::timecodes).unwrap_or_default();
        let score = format!("{:.3}", hit.score);
        table.add_row([
            right(rank.to_string()),
            right(score),
            right(sure),
            right(place),
            Cell::new(file(hit, current)),
        ]);
    }
    table.trim_fmt()
}

/// The path with what is remarkable about it.
fn file(hit: &proto::Hit, current: Option<&Path>) -> String {
    let Some(file) = best_file(hit) else { return String::new() };
    let mut text = show::short_path(&show::path_of(file), current);
    if file.offline {
        text.push_str(" (offline)");
    }
    if hit.files.len() > 1 {
        let others = hit.files.len() - 1;
        text.push_str(&format!(" (+{others} {})", if others == 1 { "copy" } else { "copies" }));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hit() -> proto::Hit {
        let file = |path: &str, offline| proto::File { path: path.into(), offline, ..Default::default() };
        proto::Hit {
            asset_id: "aa".into(),
            kind: proto::MediaKind::Audio.into(),
            files: vec![file("/gone/a.wav", true), file("/here/b.wav", false)],
            score: 0.3,
            confidence: Some(0.125),
            span: Some(proto::Span { start_ms: 5_000, end_ms: 10_000 }),
            ordinal: 1,
            ..Default::default()
        }
    }

    #[test]
    fn json_has_the_names_that_scripts_rely_on_and_short_figures() {
        let line = json_line(&hit()).unwrap();
        let start = r#"{"path":"/here/b.wav","kind":"audio","score":0.3,"confidence":0.125,"start_ms":5000,"#;
        assert!(line.starts_with(start), "{line}");
        let object: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(object["end_ms"], 10_000);
        assert_eq!(object["paths"], serde_json::json!(["/gone/a.wav", "/here/b.wav"]));
        assert_eq!(object["segment"], 1);
        assert_eq!(object["category"], serde_json::Value::Null);
        assert!(object.get("raw_path").is_none());
        assert!(!line.contains('\n'));
    }

    #[test]
    fn the_table_shows_what_can_be_opened_and_what_cannot() {
        let mut offline = hit();
        offline.files.truncate(1);
        let picture = proto::Hit { kind: proto::MediaKind::Image.into(), confidence: None, ..hit() };
        let text = table(&[hit(), offline, picture], 20, Some(Path::new("/here")));
        let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[0], ["#", "SCORE", "SURE", "WHERE", "FILE"]);
        assert_eq!(lines[1], ["21", "0.300", "12.5", "%", "0:05–0:10", "b.wav", "(+1", "copy)"]);
        assert_eq!(lines[2].last_chunk(), Some(&["/gone/a.wav", "(offline)"]));
        assert_eq!(lines[3], ["23", "0.300", "b.wav", "(+1", "copy)"]);
    }
}
