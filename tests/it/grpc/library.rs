//! Every service on a real library: what is right, and what is told about it.

use earmark::grpc::proto::{
    AddRootRequest, CheckRequest, CompactRequest, EmbedMediaRequest, EmbedTextRequest, Event, GetAssetRequest,
    GetInfoRequest, GetProgressRequest, GetStatsRequest, ListFailuresRequest, ListRootsRequest, MediaKind,
    QueryRequest, RemoveRootRequest, RetryFailuresRequest, SnapshotRequest, StoredTerm, WatchEventsRequest,
    event::Event as What, term::What as TermWhat,
};
use earmark::grpc::{ServeOptions, connect_in_process};
use tonic::Streaming;

use super::fixture::{Library, PATIENCE, SOUNDS, query, tone, words};
use crate::stub_model::{self, DIMENSIONS};

#[tokio::test]
async fn queries_answer_with_all_that_is_known() {
    let library = Library::start(ServeOptions::default()).await;
    let request = query(TermWhat::Audio(tone(4)));
    let answer = library.server.search().query(request).await.unwrap().into_inner();
    assert_eq!((answer.hits.len(), answer.space_id.as_str()), (SOUNDS, stub_model::space().as_str()));
    let hit = &answer.hits[0];
    assert!(hit.score > 0.99 && hit.kind() == MediaKind::Audio, "{hit:?}");
    let file = &hit.files[0];
    assert_eq!(
        (file.path.as_str(), file.root_id),
        (library.folder.join("tone 4.wav").to_str().unwrap(), library.root.id)
    );
    assert!(file.raw_path.is_empty() && file.bytes == tone(4).len() as u64 && !file.offline);
    let facts = hit.facts.as_ref().unwrap();
    assert_eq!((facts.sample_rate_hz, facts.channels, facts.duration_ms), (Some(44_100), Some(1), Some(1_000)));
    assert!(answer.hits.windows(2).all(|pair| pair[0].score >= pair[1].score));

    let fields = Some(prost_types::FieldMask { paths: vec!["span".into()] });
    let answer = library.server.search().query(QueryRequest { fields, ..words("door") }).await.unwrap().into_inner();
    assert!(answer.hits.iter().all(|hit| hit.span.is_some() && hit.files.is_empty() && hit.facts.is_none()));
    library.stop().await;
}

#[tokio::test]
async fn assets_are_found_by_their_ids() {
    let library = Library::start(ServeOptions::default()).await;
    let answer = library.server.search().query(words("door")).await.unwrap().into_inner();
    let id = answer.hits[3].asset_id.clone();
    let asset =
        library.server.library().get_asset(GetAssetRequest { asset_id: id.clone() }).await.unwrap().into_inner();
    assert_eq!((asset.id.as_str(), asset.files.len(), asset.segments.len()), (id.as_str(), 1, 1));
    let alike = query(TermWhat::Stored(StoredTerm { asset_id: id, segment: Some(0) }));
    assert!(library.server.search().query(alike).await.is_ok());
    library.stop().await;
}

#[tokio::test]
async fn failures_are_listed_and_tried_again() {
    let library = Library::start(ServeOptions::default()).await;
    let mut client = library.server.library();
    let list = client.list_failures(ListFailuresRequest::default()).await.unwrap().into_inner();
    assert_eq!((list.failures.len(), list.total), (1, 1));
    let file = list.failures[0].file.as_ref().unwrap();
    assert!(file.path.ends_with("broken.wav") && !list.failures[0].reason.is_empty(), "{list:?}");
    let again = RetryFailuresRequest { path: file.path.clone() };
    assert_eq!(client.retry_failures(again).await.unwrap().into_inner().files, 1);
    library.stop().await;
}

#[tokio::test]
async fn vectors_are_of_unit_length_and_those_of_the_model() {
    let library = Library::start(ServeOptions::default()).await;
    let mut embed = library.server.embed();
    let prompts = vec!["door".into(), "dog".into()];
    let answer = embed.embed_text(EmbedTextRequest { prompts }).await.unwrap().into_inner();
    let length = |values: &[f32]| values.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt();
    assert_eq!(answer.vectors.len(), 2);
    assert!(answer.vectors.iter().all(|vector| (length(&vector.values) - 1.0).abs() < 1e-5));
    let raw = stub_model::vector_of_text("dog");
    let cosine: f32 = raw.iter().zip(&answer.vectors[1].values).map(|(a, b)| a * b).sum();
    assert!((f64::from(cosine) / length(&raw) - 1.0).abs() < 1e-4);

    // Twelve seconds in windows of five, the last of which ends with the sound.
    let content = long_tone();
    let request = EmbedMediaRequest { kind: MediaKind::Audio.into(), content };
    let answer = embed.embed_media(request).await.unwrap().into_inner();
    let spans: Vec<(u64, u64)> =
        answer.segments.iter().map(|segment| segment.span.map(|span| (span.start_ms, span.end_ms)).unwrap()).collect();
    assert_eq!(spans, [(0, 5_000), (5_000, 10_000), (7_000, 12_000)]);
    assert!(answer.segments.iter().all(|segment| segment.vector.as_ref().unwrap().values.len() == DIMENSIONS));
    assert_eq!(answer.facts.unwrap().duration_ms, Some(12_000));
    library.stop().await;
}

/// Twelve seconds.
fn long_tone() -> Vec<u8> {
    let second = tone(1);
    let (header, data) = second.split_at(44);
    let length = u32::try_from(12 * data.len()).unwrap();
    let sizes = [&header[..4], &(36 + length).to_le_bytes(), &header[8..40], &length.to_le_bytes()].concat();
    [sizes, data.repeat(12)].concat()
}

#[tokio::test]
async fn what_runs_is_told() {
    let library = Library::start(ServeOptions { upload_bytes: 4_711, ..Default::default() }).await;
    let info = library.server.info().get_info(GetInfoRequest {}).await.unwrap().into_inner();
    assert_eq!(info.version, env!("CARGO_PKG_VERSION"));
    let model = info.model.unwrap();
    assert_eq!((model.name.as_str(), model.dimensions as usize), ("stub", DIMENSIONS));
    let limits = info.limits.unwrap();
    assert_eq!((limits.upload_bytes, limits.batch), (4_711, 256));

    let mut admin = library.server.admin();
    let stats = admin.get_stats(GetStatsRequest {}).await.unwrap().into_inner();
    let counted = (stats.files_indexed, stats.files_failed, stats.segments, stats.embedded_total);
    assert_eq!(counted, (SOUNDS as u64, 1, SOUNDS as u64, SOUNDS as u64));
    assert_eq!((stats.assets_audio, stats.assets_image), (SOUNDS as u64, 0));
    assert_eq!(stats.audio_index.unwrap().live, SOUNDS as u64);
    assert!(admin.snapshot(SnapshotRequest {}).await.is_ok());
    assert!(admin.compact(CompactRequest {}).await.unwrap().into_inner().store_bytes_after > 0);
    assert_eq!(admin.check(CheckRequest {}).await.unwrap().into_inner().problems, [""; 0]);
    library.stop().await;
}

/// The first event that `wanted` is looking for.
async fn event<T>(events: &mut Streaming<Event>, wanted: impl Fn(What) -> Option<T>) -> T {
    let found = async {
        loop {
            let event = events.message().await.unwrap().expect("more events");
            if let Some(found) = event.event.and_then(&wanted) {
                return found;
            }
        }
    };
    tokio::time::timeout(PATIENCE, found).await.expect("the event")
}

#[tokio::test]
async fn roots_come_and_go_and_events_tell() {
    let library = Library::start(ServeOptions::default()).await;
    let mut client = library.server.library();
    let mut events = client.watch_events(WatchEventsRequest {}).await.unwrap().into_inner();
    let other = tempfile::tempdir().unwrap();
    let folder = other.path().canonicalize().unwrap();
    std::fs::write(folder.join("new.wav"), tone(20)).unwrap();
    let request = AddRootRequest { path: folder.to_str().unwrap().into(), rules: None };
    let id = client.add_root(request).await.unwrap().into_inner().root.unwrap().id;
    let change = event(&mut events, |what| match what {
        What::Indexed(change) => Some(change),
        _ => None,
    })
    .await;
    assert_eq!(change.file.unwrap().path, folder.join("new.wav").to_str().unwrap());
    assert!(change.embedded);
    let roots = client.list_roots(ListRootsRequest {}).await.unwrap().into_inner().roots;
    assert_eq!(roots.iter().map(|root| root.id).collect::<Vec<_>>(), [library.root.id, id]);

    assert_eq!(client.remove_root(RemoveRootRequest { root_id: id }).await.unwrap().into_inner().files, 1);
    let removed = event(&mut events, |what| match what {
        What::RootRemoved(id) => Some(id),
        _ => None,
    })
    .await;
    assert_eq!(removed, id);
    let progress = client.get_progress(GetProgressRequest {}).await.unwrap().into_inner();
    assert!(progress.files_done <= progress.files_total);
    library.stop().await;
}

#[tokio::test]
async fn listeners_do_not_hold_up_the_end() {
    let grace = PATIENCE * 10;
    let library = Library::start(ServeOptions { grace, ..Default::default() }).await;
    let request = WatchEventsRequest {};
    let mut events = library.server.library().watch_events(request).await.unwrap().into_inner();
    library.stop().await;
    while let Some(event) = events.message().await.unwrap() {
        assert!(event.event.is_some());
    }
}

#[tokio::test]
async fn the_same_answers_come_within_the_process() {
    let library = Library::start(ServeOptions::default()).await;
    let channel = connect_in_process(library.engine.clone(), ServeOptions::default()).await.unwrap();
    let mut near = earmark::grpc::proto::search_client::SearchClient::new(channel);
    let near = near.query(words("door")).await.unwrap().into_inner();
    let far = library.server.search().query(words("door")).await.unwrap().into_inner();
    assert_eq!(near.hits, far.hits);
    library.stop().await;
}
