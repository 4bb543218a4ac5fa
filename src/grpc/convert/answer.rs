//! Answers for the wire: hits, spans, facts and timing.

use std::time::Duration;

use super::library::{description, file};
use super::{HitFields, wire_kind};
use crate::engine::query::{Answer, Hit, SegmentHit, Timing};
use crate::grpc::proto;
use crate::library::{Span, TechnicalFacts};

/// An answer; the token of the next page is left to whoever knows the query.
pub(in crate::grpc) fn response(answer: Answer, fields: HitFields) -> proto::QueryResponse {
    proto::QueryResponse {
        hits: answer.hits.iter().map(|found| fields.apply(hit(found))).collect(),
        next_page_token: String::new(),
        timing: Some(timing(answer.timing)),
        space_id: answer.space.map(|space| space.to_string()).unwrap_or_default(),
        exact: answer.exact,
        notes: answer.notes,
    }
}

fn hit(found: &Hit) -> proto::Hit {
    let asset = &found.asset;
    proto::Hit {
        asset_id: asset.id.to_string(),
        kind: wire_kind(asset.kind),
        files: found.files.iter().map(file).collect(),
        score: found.best.score,
        confidence: found.confidence,
        span: Some(span(found.best.segment.span)),
        ordinal: found.best.ordinal,
        other_segments: found.others.iter().map(segment_hit).collect(),
        facts: Some(facts(&asset.facts)),
        description: Some(description(&asset.description, &found.files)),
    }
}

fn segment_hit(found: &SegmentHit) -> proto::SegmentHit {
    proto::SegmentHit { ordinal: found.ordinal, span: Some(span(found.segment.span)), score: found.score }
}

fn timing(timing: Timing) -> proto::Timing {
    let microseconds = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    proto::Timing {
        queue_us: microseconds(timing.queue),
        embed_us: microseconds(timing.embed),
        search_us: microseconds(timing.search),
    }
}

/// Where in an asset.
pub(in crate::grpc) fn span(span: Span) -> proto::Span {
    proto::Span { start_ms: span.start_ms, end_ms: span.end_ms }
}

/// What decoding told.
pub(in crate::grpc) fn facts(facts: &TechnicalFacts) -> proto::TechnicalFacts {
    proto::TechnicalFacts {
        bytes: facts.bytes,
        format: facts.format.clone(),
        codec: facts.codec.clone(),
        duration_ms: facts.duration_ms,
        sample_rate_hz: facts.sample_rate_hz,
        channels: facts.channels,
        bits_per_sample: facts.bits_per_sample,
        width: facts.width,
        height: facts.height,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::library::tests::{asset, file_in_library};
    use super::*;
    use crate::library::{Segment, Slot};

    fn answer() -> Answer {
        let span = Span { start_ms: 5_000, end_ms: 10_000 };
        let best = SegmentHit { ordinal: 1, segment: Segment { span, silent: false, slot: Slot(9) }, score: 0.5 };
        let others = vec![SegmentHit { ordinal: 0, score: 0.25, ..best }];
        let files = vec![file_in_library("/sounds", b"a.wav", false)];
        let hit = Hit { asset: Arc::new(asset()), files, best, others, confidence: Some(0.75) };
        Answer {
            hits: vec![hit],
            more: true,
            timing: Timing { embed: Duration::from_micros(7), ..Timing::default() },
            space: None,
            exact: true,
            notes: vec!["cut".into()],
        }
    }

    #[test]
    fn answers_arrive_whole() {
        let wire = response(answer(), HitFields::ALL);
        assert_eq!((wire.exact, wire.notes, wire.timing.unwrap().embed_us), (true, vec!["cut".to_owned()], 7));
        let hit = &wire.hits[0];
        assert_eq!((hit.kind(), hit.score, hit.confidence), (proto::MediaKind::Audio, 0.5, Some(0.75)));
        assert_eq!(hit.span, Some(proto::Span { start_ms: 5_000, end_ms: 10_000 }));
        assert_eq!((hit.ordinal, hit.other_segments[0].ordinal, hit.other_segments[0].score), (1, 0, 0.25));
        assert_eq!(hit.asset_id, "07".repeat(32));
        assert_eq!(hit.files[0].path, "/sounds/a.wav");
        assert_eq!(hit.facts.as_ref().unwrap().channels, Some(2));
        assert_eq!(hit.description.as_ref().unwrap().category.as_deref(), Some("DOORS"));
    }

    #[test]
    fn what_was_not_asked_for_stays_empty() {
        let mask = prost_types::FieldMask { paths: vec!["span".into()] };
        let wire = response(answer(), HitFields::of(Some(&mask)).unwrap());
        let expected = proto::Hit {
            asset_id: "07".repeat(32),
            kind: proto::MediaKind::Audio.into(),
            score: 0.5,
            span: Some(proto::Span { start_ms: 5_000, end_ms: 10_000 }),
            ..Default::default()
        };
        assert_eq!(wire.hits, [expected]);
    }
}
