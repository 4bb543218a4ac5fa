//! Wrong requests, each answered with the right code and the field that is wrong.

use std::time::Duration;

use earmark::grpc::ServeOptions;
use earmark::grpc::proto::{
    self, AddRootRequest, EmbedMediaRequest, EmbedTextRequest, Filter, GetAssetRequest, ListAssetsRequest,
    ListFailuresRequest, QueryBatchRequest, QueryRequest, RawVector, RemoveRootRequest, RescanRequest,
    RetryFailuresRequest, StoredTerm, Term, UnsignedRange, query_outcome::Outcome, term::What,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tonic::{Code, Request};

use super::fixture::{Library, PATIENCE, check_field, check_status, query, words};
use crate::stub_model::DIMENSIONS;

fn vector(values: Vec<f32>) -> QueryRequest {
    query(What::Vector(RawVector { values, space_id: String::new() }))
}

fn stored(asset_id: &str, segment: Option<u32>) -> QueryRequest {
    query(What::Stored(StoredTerm { asset_id: asset_id.into(), segment }))
}

#[tokio::test]
async fn queries_that_make_no_sense() {
    let library = Library::start(ServeOptions::default()).await;
    let mut search = library.server.search();
    let cases = [
        (QueryRequest::default(), "terms"),
        (words(" "), "terms[0].text"),
        (vector(vec![1.0; DIMENSIONS - 1]), "terms[0].vector.values"),
        (vector(vec![0.0; DIMENSIONS]), "terms[0].vector.values"),
        (vector(vec![f32::NAN; DIMENSIONS]), "terms[0].vector.values[0]"),
        (stored("nonsense", None), "terms[0].stored.asset_id"),
        (query(What::Upload(1)), "terms[0].upload"),
        (QueryRequest { limit: u32::MAX, ..words("door") }, "limit"),
        (QueryRequest { limit: 1, offset: 1_000, ..words("door") }, "limit"),
        (QueryRequest { page_token: "00".into(), ..words("door") }, "page_token"),
        (QueryRequest { page_token: "00".into(), offset: 1, ..words("door") }, "offset"),
        (QueryRequest { min_score: Some(f32::INFINITY), ..words("door") }, "min_score"),
    ];
    for (request, field) in cases {
        check_field(search.query(request).await, field);
    }
    let fields = Some(prost_types::FieldMask { paths: vec!["colour".into()] });
    check_field(search.query(QueryRequest { fields, ..words("door") }).await, "fields");
    library.stop().await;
}

#[tokio::test]
async fn filters_that_make_no_sense() {
    let library = Library::start(ServeOptions::default()).await;
    let mut search = library.server.search();
    let cases = [
        (Filter { kinds: vec![3], ..Default::default() }, "filter.kinds[0]"),
        (Filter { path_prefix: Some("a".into()), ..Default::default() }, "filter.path_prefix"),
        (Filter { path_glob: Some("{".into()), ..Default::default() }, "filter.path_glob"),
        (
            Filter { channels: Some(UnsignedRange { min: Some(2), max: Some(1) }), ..Default::default() },
            "filter.channels",
        ),
    ];
    for (filter, field) in cases {
        let filter = Some(filter);
        check_field(search.query(QueryRequest { filter: filter.clone(), ..words("door") }).await, field);
        let request = ListAssetsRequest { filter, ..Default::default() };
        check_field(library.server.library().list_assets(request).await, field);
    }
    library.stop().await;
}

#[tokio::test]
async fn what_is_not_there() {
    let library = Library::start(ServeOptions::default()).await;
    let nothing = "0".repeat(64);
    let answer = library.server.search().query(stored(&nothing, None)).await;
    check_status(answer, Code::NotFound, "NOT_IN_LIBRARY");
    let mut client = library.server.library();
    let answer = client.get_asset(GetAssetRequest { asset_id: nothing }).await;
    check_status(answer, Code::NotFound, "NOT_IN_LIBRARY");
    let answer = client.remove_root(RemoveRootRequest { root_id: 77 }).await;
    check_status(answer, Code::NotFound, "NOT_IN_LIBRARY");
    let answer = client.rescan(RescanRequest { root_id: Some(77) }).await;
    check_status(answer, Code::NotFound, "NOT_IN_LIBRARY");
    library.stop().await;
}

#[tokio::test]
async fn requests_to_the_library_that_make_no_sense() {
    let library = Library::start(ServeOptions::default()).await;
    let mut client = library.server.library();
    let add = |path: &str| AddRootRequest { path: path.into(), rules: None };
    check_field(client.add_root(add("")).await, "path");
    check_field(client.add_root(add("sounds")).await, "path");
    let missing = library.folder.join("missing");
    let answer = client.add_root(add(missing.to_str().unwrap())).await;
    check_status(answer, Code::InvalidArgument, "INVALID_ROOT");
    let answer = client.add_root(add(library.folder.to_str().unwrap())).await;
    check_status(answer, Code::AlreadyExists, "ROOT_EXISTS");
    let rules = Some(proto::RootRules { include: vec!["{".into()], ..Default::default() });
    let other = tempfile::tempdir().unwrap();
    let request = AddRootRequest { path: other.path().canonicalize().unwrap().to_str().unwrap().into(), rules };
    check_status(client.add_root(request).await, Code::InvalidArgument, "MALFORMED_GLOB");
    check_field(client.get_asset(GetAssetRequest { asset_id: "zz".into() }).await, "asset_id");
    let size = 1_001;
    check_field(client.list_assets(ListAssetsRequest { page_size: size, ..Default::default() }).await, "page_size");
    check_field(client.list_failures(ListFailuresRequest { page_size: size, ..Default::default() }).await, "page_size");
    check_field(client.retry_failures(RetryFailuresRequest { path: "a/b".into() }).await, "path");
    library.stop().await;
}

#[tokio::test]
async fn what_cannot_be_embedded() {
    let library = Library::start(ServeOptions::default()).await;
    let mut embed = library.server.embed();
    check_field(embed.embed_text(EmbedTextRequest { prompts: vec![] }).await, "prompts");
    let prompts = vec!["door".into(), String::new()];
    check_field(embed.embed_text(EmbedTextRequest { prompts }).await, "prompts[1]");
    let media = |kind, content: &[u8]| EmbedMediaRequest { kind, content: content.into() };
    check_field(embed.embed_media(media(0, b"x")).await, "kind");
    check_field(embed.embed_media(media(1, b"")).await, "content");
    check_field(embed.embed_media(media(1, b"no sound at all")).await, "content");
    check_field(embed.embed_media(media(2, b"no picture at all")).await, "content");
    library.stop().await;
}

#[tokio::test]
async fn a_wrong_query_of_a_batch_does_not_fail_the_others() {
    let library = Library::start(ServeOptions::default()).await;
    let queries = vec![words("door"), words(""), words("dog"), stored(&"0".repeat(64), None)];
    let answer = library.server.search().query_batch(QueryBatchRequest { queries }).await.unwrap().into_inner();
    let codes: Vec<Option<Code>> = answer
        .outcomes
        .into_iter()
        .map(|outcome| match outcome.outcome.unwrap() {
            Outcome::Response(response) => {
                assert!(!response.hits.is_empty());
                None
            }
            Outcome::Error(error) => Some(Code::from(error.code)),
        })
        .collect();
    assert_eq!(codes, [None, Some(Code::InvalidArgument), None, Some(Code::NotFound)]);
    let empty = library.server.search().query_batch(QueryBatchRequest { queries: vec![] }).await;
    check_field(empty, "queries");
    let many = vec![words("door"); 257];
    check_field(library.server.search().query_batch(QueryBatchRequest { queries: many }).await, "queries");
    library.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deadlines_end_queries_that_wait_for_the_model() {
    let library = Library::start(ServeOptions::default()).await;
    library.probe.close_gate();
    let mut request = Request::new(words("door"));
    request.set_timeout(Duration::from_millis(50));
    let answer = tokio::time::timeout(PATIENCE, library.server.search().query(request)).await.expect("it ends");
    let status = answer.unwrap_err();
    assert!(matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled), "{status}");
    library.probe.open_gate();
    assert!(library.server.search().query(words("door")).await.is_ok());
    library.stop().await;
}

/// A query of which something may be wrong, and whether it is.
fn dubious() -> impl Strategy<Value = (QueryRequest, bool)> {
    let values = prop_oneof![
        (0..2 * DIMENSIONS).prop_map(|count| vec![0.5; count]),
        Just(vec![f32::NAN; DIMENSIONS]),
        Just(vec![f32::NEG_INFINITY; DIMENSIONS]),
        Just(vec![0.0; DIMENSIONS]),
        Just(vec![-1.0; DIMENSIONS]),
    ];
    let value_is_fine = |values: &[f32]| {
        values.len() == DIMENSIONS && values.iter().all(|value| value.is_finite()) && values.iter().any(|&it| it != 0.0)
    };
    let weight = prop_oneof![Just(f32::NAN), Just(f32::INFINITY), Just(1.0), Just(-2.5)];
    let limit = prop_oneof![1..50_u32, 900..1_100_u32, Just(u32::MAX)];
    (values, weight, limit, 0..20_u32).prop_map(move |(values, weight, limit, offset)| {
        let fine = value_is_fine(&values) && weight.is_finite() && u64::from(limit) + u64::from(offset) <= 1_000;
        let what = Some(What::Vector(RawVector { values, space_id: String::new() }));
        (QueryRequest { terms: vec![Term { weight, what }], limit, offset, ..Default::default() }, fine)
    })
}

/// Row 24 of the faults: values that are no numbers, wrong dimensions, huge counts.
#[test]
fn whatever_is_asked_is_answered_or_called_invalid() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let library = runtime.block_on(Library::start(ServeOptions::default()));
    let search = library.server.search();
    let mut runner = TestRunner::new(Config::with_cases(200));
    let outcome = runner.run(&dubious(), |(request, fine)| {
        match runtime.block_on(search.clone().query(request)) {
            Ok(_) => prop_assert!(fine, "it was answered"),
            Err(status) => {
                prop_assert_eq!(status.code(), Code::InvalidArgument, "{}", status);
                prop_assert!(!fine, "{}", status);
            }
        }
        Ok(())
    });
    let ids = runner.run(&"[0-9a-fA-Fg]{60,68}", |id| {
        let well_formed = id.len() == 64 && !id.contains('g');
        let code = runtime.block_on(search.clone().query(stored(&id, None))).unwrap_err().code();
        prop_assert_eq!(code, if well_formed { Code::NotFound } else { Code::InvalidArgument });
        Ok(())
    });
    runtime.block_on(library.stop());
    outcome.unwrap();
    ids.unwrap();
}

/// Texts on the wire are UTF-8; other bytes end at the edge.
#[tokio::test]
async fn bytes_that_are_no_text_are_refused() {
    use tonic::client::Grpc;
    use tonic::codegen::http::uri::PathAndQuery;
    let library = Library::start(ServeOptions::default()).await;
    // `GetAssetRequest { asset_id: <ff> }`, which only a message with bytes in place of the text can say.
    #[derive(Clone, PartialEq, prost::Message)]
    struct Raw {
        #[prost(bytes = "vec", tag = "1")]
        asset_id: Vec<u8>,
    }
    let mut grpc = Grpc::new(library.server.channel.clone());
    grpc.ready().await.unwrap();
    let codec = tonic_prost::ProstCodec::<Raw, proto::Asset>::default();
    let path = PathAndQuery::from_static("/earmark.v1.Library/GetAsset");
    let answer = grpc.unary(Request::new(Raw { asset_id: vec![0xff] }), path, codec).await;
    let code = answer.unwrap_err().code();
    assert!(matches!(code, Code::InvalidArgument | Code::Internal), "{code:?}");
    library.stop().await;
}
