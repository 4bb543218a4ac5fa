//! From not ready to stopped: health, deadlines, overload and draining. Needs no library.

use std::time::Duration;

use earmark::grpc::proto::{
    EmbedTextRequest, GetInfoRequest, GetStatsRequest, ListRootsRequest, QueryUploadRequest, WatchEventsRequest,
};
use earmark::grpc::{EngineSlot, Health, ServeError, ServeOptions, connect_in_process, serve};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request, Response, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::fixture::{PATIENCE, Server, check_status, words};

const NAMES: [&str; 6] =
    ["", "earmark.v1.Search", "earmark.v1.Library", "earmark.v1.Embed", "earmark.v1.Info", "earmark.v1.Admin"];

async fn health_of(server: &Server, name: &str) -> ServingStatus {
    let request = HealthCheckRequest { service: name.into() };
    HealthClient::new(server.channel.clone()).check(request).await.unwrap().into_inner().status()
}

#[tokio::test]
async fn nothing_serves_until_it_is_ready() {
    let server = Server::start(ServeOptions::default()).await;
    for name in NAMES {
        assert_eq!(health_of(&server, name).await, ServingStatus::NotServing, "{name:?}");
    }
    let refused = |result| check_status::<()>(result, Code::Unavailable, "NOT_READY");
    refused(server.search().query(words("door")).await.map(drop));
    refused(server.library().list_roots(ListRootsRequest {}).await.map(drop));
    refused(server.library().watch_events(WatchEventsRequest {}).await.map(drop));
    refused(server.embed().embed_text(EmbedTextRequest { prompts: vec!["door".into()] }).await.map(drop));
    refused(server.info().get_info(GetInfoRequest {}).await.map(drop));
    refused(server.admin().get_stats(GetStatsRequest {}).await.map(drop));

    server.health.ready().await;
    for name in NAMES {
        assert_eq!(health_of(&server, name).await, ServingStatus::Serving, "{name:?}");
    }
    let unknown = HealthCheckRequest { service: "earmark.v1.Nothing".into() };
    let status = HealthClient::new(server.channel.clone()).check(unknown).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
}

#[tokio::test]
async fn who_watches_its_health_is_told_that_it_stops_and_does_not_hold_it_up() {
    let mut server = Server::start(ServeOptions { grace: PATIENCE * 10, ..Default::default() }).await;
    server.health.ready().await;
    let mut client = HealthClient::new(server.channel.clone());
    let mut states = client.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    assert_eq!(states.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
    server.ask_to_stop();
    assert_eq!(states.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
    assert!(states.message().await.unwrap().is_none());
    server.stopped().await;
}

/// Begins an upload that goes on as long as the sender is there.
async fn endless_upload(
    server: &Server,
    timeout: Option<Duration>,
) -> (
    mpsc::Sender<QueryUploadRequest>,
    impl Future<Output = Result<Response<earmark::grpc::proto::QueryResponse>, Status>> + use<>,
) {
    let (sender, receiver) = mpsc::channel(1);
    let mut request = Request::new(ReceiverStream::new(receiver));
    if let Some(timeout) = timeout {
        request.set_timeout(timeout);
    }
    let mut client = server.search();
    (sender, async move { client.query_upload(request).await })
}

/// Waits until the only place for requests is taken by another one; returns what it says then.
async fn until_the_place_is_taken(server: &Server) -> Status {
    let overloaded = async {
        loop {
            let status = server.info().get_info(GetInfoRequest {}).await.unwrap_err();
            if status.code() == Code::ResourceExhausted {
                return status;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, overloaded).await.expect("the place is taken")
}

#[tokio::test]
async fn callers_deadlines_are_kept() {
    let server = Server::start(ServeOptions::default()).await;
    let (_sender, upload) = endless_upload(&server, Some(Duration::from_millis(50))).await;
    let status = tokio::time::timeout(PATIENCE, upload).await.expect("it ends").unwrap_err();
    // tonic's own client gives up at the same moment, and calls it so.
    assert!(matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled), "{status}");

    // A header that only the server knows of: what it says comes from there.
    let (_sender, receiver) = mpsc::channel::<QueryUploadRequest>(1);
    let mut request = Request::new(ReceiverStream::new(receiver));
    request.metadata_mut().insert("grpc-timeout", "50m".parse().unwrap());
    let upload = async { server.search().query_upload(request).await };
    let answer = tokio::time::timeout(PATIENCE, upload).await.expect("it ends");
    let status = answer.unwrap_err();
    assert!(matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled), "{status}");
}

#[tokio::test]
async fn uploads_that_stand_still_are_given_up() {
    let options = ServeOptions { upload_patience: Duration::from_millis(20), ..Default::default() };
    let server = Server::start(options).await;
    let (_sender, upload) = endless_upload(&server, None).await;
    let answer = tokio::time::timeout(PATIENCE, upload).await.expect("it ends");
    check_status(answer, Code::DeadlineExceeded, "TOO_LATE");
}

#[tokio::test]
async fn too_many_uploads_are_told_to_come_back() {
    use tonic_types::StatusExt as _;
    let server = Server::start(ServeOptions { concurrent_uploads: 1, ..Default::default() }).await;
    // Which of two has the place is open; the other one must be refused, and the first must not be.
    let (_one, first) = endless_upload(&server, None).await;
    let (_two, second) = endless_upload(&server, None).await;
    let refused = tokio::time::timeout(PATIENCE, async {
        tokio::select! {
            answer = first => answer,
            answer = second => answer,
        }
    });
    let status = check_status(refused.await.expect("one is refused"), Code::ResourceExhausted, "OVERLOADED");
    assert!(status.get_details_retry_info().unwrap().retry_delay.is_some());
}

#[tokio::test]
async fn too_many_requests_are_told_to_come_back_and_health_still_answers() {
    let server = Server::start(ServeOptions { requests: 1, ..Default::default() }).await;
    let (_one, first) = endless_upload(&server, None).await;
    let first = tokio::spawn(first);
    let status = until_the_place_is_taken(&server).await;
    check_status::<()>(Err(status), Code::ResourceExhausted, "OVERLOADED");
    assert_eq!(health_of(&server, "").await, ServingStatus::NotServing);
    first.abort();
}

#[tokio::test]
async fn work_that_outlasts_the_grace_is_cut_short() {
    let grace = Duration::from_millis(20);
    let mut server = Server::start(ServeOptions { grace, requests: 1, ..Default::default() }).await;
    let (_sender, upload) = endless_upload(&server, None).await;
    let upload = tokio::spawn(upload);
    until_the_place_is_taken(&server).await;
    server.ask_to_stop();
    let answer = tokio::time::timeout(PATIENCE, upload).await.expect("it ends").unwrap();
    let status = answer.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status}");
    server.stopped().await;
}

#[tokio::test]
async fn a_stopped_server_takes_no_connections() {
    let mut server = Server::start(ServeOptions::default()).await;
    let address = server.address;
    server.ask_to_stop();
    server.stopped().await;
    let error = tokio::net::TcpStream::connect(address).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn only_loopback_listeners_are_served() {
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let (slot, health) = (EngineSlot::default(), Health::starting().await);
    let refused = serve(slot, listener, ServeOptions::default(), health, std::future::pending()).await;
    assert!(matches!(refused, Err(ServeError::NotLoopback(_))), "{refused:?}");
}

#[tokio::test]
async fn the_same_server_is_there_within_the_process() {
    let channel = connect_in_process(EngineSlot::default(), ServeOptions::default()).await.unwrap();
    let request = HealthCheckRequest::default();
    let health = HealthClient::new(channel.clone()).check(request).await.unwrap().into_inner();
    assert_eq!(health.status(), ServingStatus::Serving);
    let info = earmark::grpc::proto::info_client::InfoClient::new(channel).get_info(GetInfoRequest {}).await;
    check_status(info, Code::Unavailable, "NOT_READY");
}

#[tokio::test]
async fn messages_that_are_too_large_are_refused_with_a_status() {
    let server = Server::start(ServeOptions { message_bytes: 1_000, ..Default::default() }).await;
    let status = server.search().query(words(&"x".repeat(2_000))).await.unwrap_err();
    assert!(matches!(status.code(), Code::OutOfRange | Code::ResourceExhausted), "{status}");
    assert!(status.message().contains("1000"), "{status}");
    // The connection goes on.
    check_status(server.search().query(words("x")).await, Code::Unavailable, "NOT_READY");
}
