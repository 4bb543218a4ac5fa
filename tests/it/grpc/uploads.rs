//! Uploads: media larger than a message.

use earmark::grpc::ServeOptions;
use earmark::grpc::proto::{MediaKind, QueryRequest, QueryUploadRequest, Term, query_upload_request::Part, term::What};
use tonic::{Code, Status};

use super::fixture::{Library, check_field, check_status, query, tone, words};

/// Smaller than a tone.
const MESSAGE_BYTES: usize = 40_000;

async fn upload(library: &Library, query: QueryRequest, media: &[Vec<u8>]) -> Result<Vec<String>, Status> {
    let mut parts = vec![Part::Query(query)];
    for (number, content) in media.iter().enumerate() {
        if number > 0 {
            parts.push(Part::NextUpload(true));
        }
        parts.extend(content.chunks(10_000).map(|chunk| Part::Chunk(chunk.into())));
    }
    let parts: Vec<_> = parts.into_iter().map(|part| QueryUploadRequest { part: Some(part) }).collect();
    let answer = library.server.search().query_upload(tokio_stream::iter(parts)).await?.into_inner();
    Ok(answer.hits.into_iter().map(|hit| hit.files[0].path.clone()).collect())
}

fn uploaded() -> QueryRequest {
    query(What::Upload(MediaKind::Audio.into()))
}

#[tokio::test]
async fn a_sound_larger_than_a_message_finds_itself() {
    let options = ServeOptions { message_bytes: MESSAGE_BYTES, ..Default::default() };
    let library = Library::start(options).await;
    assert!(tone(3).len() > MESSAGE_BYTES);
    let found = upload(&library, uploaded(), &[tone(3)]).await.unwrap();
    assert!(found[0].ends_with("tone 3.wav"), "{found:?}");
    library.stop().await;
}

#[tokio::test]
async fn uploads_go_to_their_terms_in_order() {
    let library = Library::start(ServeOptions::default()).await;
    let term = |weight| Term { weight, what: Some(What::Upload(MediaKind::Audio.into())) };
    let request = QueryRequest { terms: vec![term(1.0), term(0.1)], ..Default::default() };
    let found = upload(&library, request.clone(), &[tone(2), tone(5)]).await.unwrap();
    assert!(found[0].ends_with("tone 2.wav") && found[1].ends_with("tone 5.wav"), "{found:?}");
    let found = upload(&library, request, &[tone(5), tone(2)]).await.unwrap();
    assert!(found[0].ends_with("tone 5.wav") && found[1].ends_with("tone 2.wav"), "{found:?}");
    library.stop().await;
}

#[tokio::test]
async fn uploads_that_make_no_sense() {
    let library = Library::start(ServeOptions { upload_bytes: 100_000, ..Default::default() }).await;
    check_field(upload(&library, uploaded(), &[]).await, "chunk");
    check_field(upload(&library, uploaded(), &[tone(1), tone(2)]).await, "part");
    check_field(upload(&library, words("door"), &[tone(1)]).await, "query.terms");
    check_field(upload(&library, uploaded(), &[vec![7; 100_001]]).await, "part");
    let status = upload(&library, uploaded(), &[b"no sound at all".into()]).await;
    check_status(status, Code::InvalidArgument, "INVALID_FIELD");
    library.stop().await;
}

#[tokio::test]
async fn tokens_know_what_was_uploaded() {
    let library = Library::start(ServeOptions::default()).await;
    let ask = |page_token: &str, content: Vec<u8>| {
        let query = QueryRequest { limit: 2, page_token: page_token.into(), ..uploaded() };
        let parts = [Part::Query(query), Part::Chunk(content)].map(|part| QueryUploadRequest { part: Some(part) });
        let mut client = library.server.search();
        async move { client.query_upload(tokio_stream::iter(parts)).await }
    };
    let token = ask("", tone(1)).await.unwrap().into_inner().next_page_token;
    assert_eq!(ask(&token, tone(1)).await.unwrap().into_inner().hits.len(), 2);
    check_field(ask(&token, tone(2)).await, "page_token");
    library.stop().await;
}
