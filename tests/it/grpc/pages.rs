//! Pages: all of a listing or an answer, once, whatever the size of a page.

use earmark::grpc::ServeOptions;
use earmark::grpc::proto::{Hit, ListAssetsRequest, QueryRequest};

use super::fixture::{Library, SOUNDS, check_field, words};

/// All hits of a query, page by page.
async fn hits(library: &Library, limit: u32) -> Vec<Hit> {
    let mut request = QueryRequest { limit, ..words("door") };
    let mut hits = Vec::new();
    loop {
        let answer = library.server.search().query(request.clone()).await.unwrap().into_inner();
        assert!(answer.hits.len() <= limit as usize);
        hits.extend(answer.hits);
        if answer.next_page_token.is_empty() {
            return hits;
        }
        request.page_token = answer.next_page_token;
    }
}

#[tokio::test]
async fn pages_of_hits_are_the_whole_answer() {
    let library = Library::start(ServeOptions::default()).await;
    let whole = hits(&library, 1_000).await;
    assert_eq!(whole.len(), SOUNDS);
    for limit in [1, 2, 3, 7] {
        assert_eq!(hits(&library, limit).await, whole, "{limit}");
    }
    library.stop().await;
}

#[tokio::test]
async fn tokens_are_of_their_query_only() {
    let library = Library::start(ServeOptions::default()).await;
    let mut search = library.server.search();
    let first = QueryRequest { limit: 2, offset: 1, ..words("door") };
    let token = search.query(first.clone()).await.unwrap().into_inner().next_page_token;
    let second = QueryRequest { offset: 0, page_token: token.clone(), ..first.clone() };
    let paged = search.query(second.clone()).await.unwrap().into_inner().hits;
    let counted = search.query(QueryRequest { offset: 3, ..first }).await.unwrap().into_inner().hits;
    assert_eq!(paged, counted);
    check_field(search.query(QueryRequest { page_token: token.clone(), limit: 2, ..words("dog") }).await, "page_token");
    check_field(search.query(QueryRequest { limit: 3, ..second.clone() }).await, "page_token");
    check_field(search.query(QueryRequest { exact: true, ..second }).await, "page_token");
    library.stop().await;
}

#[tokio::test]
async fn pages_of_assets_are_the_whole_library() {
    let library = Library::start(ServeOptions::default()).await;
    let mut client = library.server.library();
    for page_size in [1, 3, 7, 0] {
        let mut request = ListAssetsRequest { page_size, ..Default::default() };
        let mut ids = Vec::new();
        loop {
            let page = client.list_assets(request.clone()).await.unwrap().into_inner();
            ids.extend(page.assets.into_iter().map(|asset| asset.id));
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        assert_eq!(ids.len(), SOUNDS, "{page_size}");
        assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
    }
    library.stop().await;
}
