//! `Library`: watched folders, assets, failures, progress and events.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use prost::Message;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, async_trait};

use super::edge::{Edge, Phase, reached};
use super::proto::{self, library_server};
use super::status::Malformed;
use super::{convert, status};
use crate::engine::{Engine, EngineError};
use crate::library::RootId;

/// Events that wait for one reader; more of them wait in the engine, and are lost there if it stays slow.
const EVENTS_AHEAD: usize = 64;

/// See `proto/earmark/v1/library.proto`.
pub(super) struct LibraryService(pub(super) Arc<Edge>);

impl LibraryService {
    /// Does what blocks and may fail.
    async fn engine<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Engine) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, Status> {
        self.0.blocking(work).await?.map_err(|error| status::of_engine(&error))
    }
}

#[async_trait]
impl library_server::Library for LibraryService {
    async fn add_root(
        &self,
        request: Request<proto::AddRootRequest>,
    ) -> Result<Response<proto::AddRootResponse>, Status> {
        let proto::AddRootRequest { path, rules } = request.into_inner();
        let (path, rules) = (absolute(&path)?, convert::root_rules(rules)?);
        let added = self.engine(move |engine| engine.add_root(&path, rules)).await?;
        self.0.answer(proto::AddRootResponse { root: Some(convert::root(&added)) })
    }

    async fn remove_root(
        &self,
        request: Request<proto::RemoveRootRequest>,
    ) -> Result<Response<proto::RemoveRootResponse>, Status> {
        let id = RootId(request.into_inner().root_id);
        let files = self.engine(move |engine| engine.remove_root(id)).await?;
        self.0.answer(proto::RemoveRootResponse { files })
    }

    async fn list_roots(
        &self,
        _: Request<proto::ListRootsRequest>,
    ) -> Result<Response<proto::ListRootsResponse>, Status> {
        let catalog = self.0.engine()?.catalog();
        let roots = catalog.read().unwrap_or_else(PoisonError::into_inner).roots().map(convert::root).collect();
        self.0.answer(proto::ListRootsResponse { roots })
    }

    async fn rescan(&self, request: Request<proto::RescanRequest>) -> Result<Response<proto::RescanResponse>, Status> {
        let id = request.into_inner().root_id.map(RootId);
        self.engine(move |engine| engine.rescan(id)).await?;
        self.0.answer(proto::RescanResponse {})
    }

    async fn get_progress(&self, _: Request<proto::GetProgressRequest>) -> Result<Response<proto::Progress>, Status> {
        self.0.answer(convert::progress(&self.0.engine()?.progress()))
    }

    type WatchEventsStream = ReceiverStream<Result<proto::Event, Status>>;

    async fn watch_events(
        &self,
        _: Request<proto::WatchEventsRequest>,
    ) -> Result<Response<Self::WatchEventsStream>, Status> {
        let (sender, receiver) = mpsc::channel(EVENTS_AHEAD);
        // Subscribed before this returns, so that the caller misses nothing from here on.
        let events = forward(self.0.engine()?.clone(), sender.clone());
        let draining = reached(self.0.phases.clone(), Phase::Draining);
        tokio::spawn(async move {
            tokio::select! {
                () = events => {}
                () = draining => {}
                () = sender.closed() => {}
            }
        });
        Ok(Response::new(ReceiverStream::new(receiver)))
    }

    async fn get_asset(&self, request: Request<proto::GetAssetRequest>) -> Result<Response<proto::Asset>, Status> {
        let id = convert::asset_id("asset_id", &request.into_inner().asset_id)?;
        let found = self.0.blocking(move |engine| engine.asset(id)).await?;
        let not_found =
            || status::not_found("earmark.v1.Asset", &id.to_string(), &format!("{id} is not in the library"));
        self.0.answer(convert::asset(&found.ok_or_else(not_found)?))
    }

    async fn list_assets(
        &self,
        request: Request<proto::ListAssetsRequest>,
    ) -> Result<Response<proto::ListAssetsResponse>, Status> {
        let proto::ListAssetsRequest { filter, page_size, page_token } = request.into_inner();
        let (filter, size) = (convert::filter(filter)?, convert::page_size(page_size)?);
        convert::page_token(&page_token)?;
        let limit = self.0.options.message_bytes;
        let page = move |engine: &Engine| {
            largest(size, limit, |size| {
                let page = engine.assets(&filter, convert::page_token(&page_token)?, size);
                let page = page.map_err(|error| status::of_filter(&error))?;
                let assets = page.items.iter().map(convert::asset).collect();
                Ok(proto::ListAssetsResponse { assets, next_page_token: page.next.unwrap_or_default() })
            })
        };
        self.0.answer(self.0.blocking(page).await??)
    }

    async fn list_failures(
        &self,
        request: Request<proto::ListFailuresRequest>,
    ) -> Result<Response<proto::ListFailuresResponse>, Status> {
        let proto::ListFailuresRequest { page_size, page_token } = request.into_inner();
        let size = convert::page_size(page_size)?;
        convert::page_token(&page_token)?;
        let limit = self.0.options.message_bytes;
        let page = move |engine: &Engine| {
            largest(size, limit, |size| {
                let page = engine.failures(convert::page_token(&page_token)?, size);
                let page = page.map_err(|error| status::of_filter(&error))?;
                let failures = page.items.iter().map(convert::failure).collect();
                let next_page_token = page.next.unwrap_or_default();
                Ok(proto::ListFailuresResponse { failures, next_page_token, total: page.total })
            })
        };
        self.0.answer(self.0.blocking(page).await??)
    }

    async fn retry_failures(
        &self,
        request: Request<proto::RetryFailuresRequest>,
    ) -> Result<Response<proto::RetryFailuresResponse>, Status> {
        let path = request.into_inner().path;
        let path = if path.is_empty() { None } else { Some(absolute(&path)?) };
        let files = self.engine(move |engine| engine.retry(path.as_deref())).await?;
        self.0.answer(proto::RetryFailuresResponse { files })
    }
}

/// A path on this machine.
fn absolute(path: &str) -> Result<PathBuf, Malformed> {
    convert::text("path", path)?;
    if !Path::new(path).is_absolute() {
        return Err(Malformed::new("path", format!("{path:?} is not absolute")));
    }
    Ok(path.into())
}

/// A page of `size` items, or of fewer if no message can hold so many.
fn largest<M: Message>(mut size: usize, limit: usize, page: impl Fn(usize) -> Result<M, Status>) -> Result<M, Status> {
    loop {
        let answer = page(size)?;
        if size <= 1 || answer.encoded_len() <= limit {
            return Ok(answer);
        }
        size /= 2;
    }
}

/// Sends events from now on, until the engine or the receiver is gone.
fn forward(engine: Engine, sender: mpsc::Sender<Result<proto::Event, Status>>) -> impl Future<Output = ()> {
    let mut events = engine.subscribe();
    async move {
        let mut last = None;
        loop {
            let event = match events.recv().await {
                Ok(happened) => {
                    last = Some(happened.sequence);
                    convert::event(&happened, &engine.catalog().read().unwrap_or_else(PoisonError::into_inner))
                }
                Err(RecvError::Lagged(lost)) => {
                    last = last.map(|last| last + lost);
                    proto::Event { sequence: last.unwrap_or(lost), event: Some(proto::event::Event::Lost(lost)) }
                }
                Err(RecvError::Closed) => return,
            };
            if sender.send(Ok(event)).await.is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_shrink_until_a_message_holds_them() {
        let page = |size| {
            let failure = proto::Failure { reason: "x".repeat(100), ..Default::default() };
            Ok(proto::ListFailuresResponse { failures: vec![failure; size], ..Default::default() })
        };
        let size = |limit| largest(8, limit, page).unwrap().failures.len();
        assert_eq!(size(usize::MAX), 8);
        assert_eq!(size(500), 4);
        assert_eq!(size(1), 1);
    }

    #[test]
    fn paths_are_absolute() {
        assert!(absolute("/a/b").is_ok());
        for wrong in ["", " ", "a/b", "../a", "~"] {
            assert_eq!(absolute(wrong).unwrap_err().field, "path");
        }
    }
}
