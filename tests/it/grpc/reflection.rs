//! Reflection: everything that is served, described completely.

use std::collections::BTreeSet;

use earmark::grpc::ServeOptions;
use prost::Message as _;
use prost_types::FileDescriptorProto;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1alpha;

use super::fixture::Server;

async fn ask(server: &Server, question: MessageRequest) -> MessageResponse {
    let request = ServerReflectionRequest { host: String::new(), message_request: Some(question) };
    let mut client = ServerReflectionClient::new(server.channel.clone());
    let mut answers = client.server_reflection_info(tokio_stream::once(request)).await.unwrap().into_inner();
    answers.message().await.unwrap().unwrap().message_response.unwrap()
}

async fn files(server: &Server, question: MessageRequest) -> Vec<FileDescriptorProto> {
    match ask(server, question).await {
        MessageResponse::FileDescriptorResponse(found) => {
            let decode = |bytes: &Vec<u8>| FileDescriptorProto::decode(&bytes[..]).unwrap();
            found.file_descriptor_proto.iter().map(decode).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_service_is_listed() {
    let server = Server::start(ServeOptions::default()).await;
    let MessageResponse::ListServicesResponse(list) = ask(&server, MessageRequest::ListServices(String::new())).await
    else {
        panic!("no list");
    };
    let names: BTreeSet<String> = list.service.into_iter().map(|service| service.name).collect();
    for expected in [
        "earmark.v1.Admin",
        "earmark.v1.Embed",
        "earmark.v1.Info",
        "earmark.v1.Library",
        "earmark.v1.Search",
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
    ] {
        assert!(names.contains(expected), "{expected} in {names:?}");
    }
}

#[tokio::test]
async fn descriptions_lead_to_all_that_they_import() {
    let server = Server::start(ServeOptions::default()).await;
    let mut known = BTreeSet::new();
    let mut wanted = Vec::new();
    for symbol in ["earmark.v1.Search", "earmark.v1.Library", "earmark.v1.Embed", "grpc.health.v1.Health"] {
        wanted.extend(files(&server, MessageRequest::FileContainingSymbol(symbol.into())).await);
    }
    while let Some(file) = wanted.pop() {
        if known.insert(file.name().to_owned()) {
            for import in &file.dependency {
                wanted.extend(files(&server, MessageRequest::FileByFilename(import.clone())).await);
            }
        }
    }
    assert!(
        known.contains("google/protobuf/field_mask.proto") && known.contains("earmark/v1/types.proto"),
        "{known:?}"
    );
}

#[tokio::test]
async fn what_is_unknown_is_answered_as_an_error() {
    let server = Server::start(ServeOptions::default()).await;
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::FileContainingSymbol("earmark.v1.Nothing".into())),
    };
    let mut client = ServerReflectionClient::new(server.channel.clone());
    let answer = client.server_reflection_info(tokio_stream::once(request)).await;
    // As a message of the protocol or as a status: tonic does the latter.
    let status = match answer {
        Ok(stream) => stream.into_inner().message().await.unwrap_err(),
        Err(status) => status,
    };
    assert_eq!(status.code(), tonic::Code::NotFound);
}

#[tokio::test]
async fn older_clients_find_the_older_version() {
    use v1alpha::server_reflection_request::MessageRequest;
    use v1alpha::server_reflection_response::MessageResponse;
    let server = Server::start(ServeOptions::default()).await;
    let message_request = Some(MessageRequest::ListServices(String::new()));
    let request = v1alpha::ServerReflectionRequest { host: String::new(), message_request };
    let mut client = v1alpha::server_reflection_client::ServerReflectionClient::new(server.channel.clone());
    let mut answers = client.server_reflection_info(tokio_stream::once(request)).await.unwrap().into_inner();
    let Some(MessageResponse::ListServicesResponse(list)) = answers.message().await.unwrap().unwrap().message_response
    else {
        panic!("no list");
    };
    assert!(list.service.iter().any(|service| service.name == "earmark.v1.Search"));
}
