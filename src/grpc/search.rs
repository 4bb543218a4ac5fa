//! `Search`: one query, several, and one with uploads.

use std::sync::Arc;

use tokio::task::JoinSet;
use tonic::{Request, Response, Status, Streaming, async_trait};

use super::convert::{self, Asked, QueryLimits};
use super::edge::{Edge, MOST_OF_A_BATCH};
use super::page::Fingerprint;
use super::proto::{
    QueryBatchRequest, QueryBatchResponse, QueryError, QueryOutcome, QueryRequest, QueryResponse, QueryUploadRequest,
    query_outcome::Outcome, search_server,
};
use super::status::{self, Malformed};
use super::upload;

/// See `proto/earmark/v1/search.proto`.
pub(super) struct SearchService(pub(super) Arc<Edge>);

/// A query that was understood, before its media and its page are.
pub(super) struct Prepared {
    asked: Asked,
    page_token: String,
    fingerprint: Fingerprint,
}

#[async_trait]
impl search_server::Search for SearchService {
    async fn query(&self, request: Request<QueryRequest>) -> Result<Response<QueryResponse>, Status> {
        self.0.answer(answer(&self.0, request.into_inner()).await?)
    }

    async fn query_batch(&self, request: Request<QueryBatchRequest>) -> Result<Response<QueryBatchResponse>, Status> {
        let queries = request.into_inner().queries;
        if queries.is_empty() || queries.len() > MOST_OF_A_BATCH {
            let reason = format!("{} queries, expected 1 to {MOST_OF_A_BATCH}", queries.len());
            return Err(Malformed::new("queries", reason).into());
        }
        self.0.answer(QueryBatchResponse { outcomes: outcomes(&self.0, queries).await? })
    }

    async fn query_upload(
        &self,
        request: Request<Streaming<QueryUploadRequest>>,
    ) -> Result<Response<QueryResponse>, Status> {
        let edge = &self.0;
        let Ok(_place) = edge.uploads.try_acquire() else {
            let limit = edge.options.concurrent_uploads;
            return Err(status::overloaded(&format!("{limit} uploads are under way already; try again in a moment")));
        };
        let mut parts = upload::Parts::new(request.into_inner(), edge.options.upload_patience);
        let mut prepared = prepare(edge, parts.query().await?)?;
        let expected = prepared.asked.uploads.len();
        let uploads = parts.uploads(expected, edge.options.upload_bytes).await?;
        uploads.iter().for_each(|upload| prepared.fingerprint.add(upload));
        prepared.asked.fill(uploads);
        edge.answer(search(edge, prepared).await?)
    }
}

/// Answers several queries, as many at once as the engine works on; the callers of other queries are not kept out.
async fn outcomes(edge: &Arc<Edge>, queries: Vec<QueryRequest>) -> Result<Vec<QueryOutcome>, Status> {
    let at_once = edge.engine()?.options().search.concurrent.max(1);
    let mut outcomes = vec![QueryOutcome::default(); queries.len()];
    let mut waiting = queries.into_iter().enumerate();
    // Dropped with the caller's request, and all of its tasks with it.
    let mut running = JoinSet::new();
    loop {
        while running.len() < at_once
            && let Some((place, query)) = waiting.next()
        {
            let edge = Arc::clone(edge);
            running.spawn(async move { (place, answer(&edge, query).await) });
        }
        let Some(done) = running.join_next().await else { return Ok(outcomes) };
        let (place, answer) = done.map_err(|error| status::internal("a query broke down", &error))?;
        outcomes[place].outcome = Some(match answer {
            Ok(response) => Outcome::Response(response),
            Err(status) => Outcome::Error(QueryError { code: status.code().into(), message: status.message().into() }),
        });
    }
}

/// Answers a query without uploads.
async fn answer(edge: &Edge, request: QueryRequest) -> Result<QueryResponse, Status> {
    let prepared = prepare(edge, request)?;
    if let Some(term) = prepared.asked.uploads.first() {
        let reason = "is an upload, which only QueryUpload takes; send the content as audio or image instead";
        return Err(Malformed::new(format!("terms[{term}].upload"), reason).into());
    }
    search(edge, prepared).await
}

/// Checks a query, all but its page token, which is of the query with its media.
fn prepare(edge: &Edge, mut request: QueryRequest) -> Result<Prepared, Status> {
    let engine = edge.engine()?;
    let search = &engine.options().search;
    let dimensions = engine.encoder().map(|encoder| encoder.facts().dimensions);
    let limits = QueryLimits { hits: search.hits, terms: search.terms, dimensions };
    let page_token = std::mem::take(&mut request.page_token);
    convert::page_token(&page_token)?;
    let offset = std::mem::take(&mut request.offset);
    if offset != 0 && !page_token.is_empty() {
        return Err(Malformed::new("offset", "is given together with page_token, which has one of its own").into());
    }
    let fingerprint = Fingerprint::new(&request);
    request.offset = offset;
    Ok(Prepared { asked: convert::query(request, &limits)?, page_token, fingerprint })
}

/// Finds the page and searches.
async fn search(edge: &Edge, prepared: Prepared) -> Result<QueryResponse, Status> {
    let Prepared { asked: Asked { mut query, fields, .. }, page_token, fingerprint } = prepared;
    let engine = edge.engine()?;
    let most = engine.options().search.hits;
    if !page_token.is_empty() {
        let offset = usize::try_from(fingerprint.offset(&page_token)?).unwrap_or(usize::MAX);
        let left = most.checked_sub(offset).filter(|&left| left > 0);
        let beyond = || Malformed::new("page_token", format!("is beyond the limit of {most} hits"));
        query.offset = offset;
        query.limit = query.limit.min(left.ok_or_else(beyond)?);
    }
    let offset = query.offset;
    let found = engine.searcher().search(query).await.map_err(|error| status::of_query(&error))?;
    let next = offset + found.hits.len();
    let more = found.more && next < most && !found.hits.is_empty();
    let mut response = convert::response(found, fields);
    if more && let Ok(next) = u32::try_from(next) {
        response.next_page_token = fingerprint.token(next);
    }
    Ok(response)
}
