//! `Info`: what is running, and what it accepts.

use std::sync::Arc;

use tonic::{Request, Response, Status, async_trait};

use super::edge::{Edge, MOST_OF_A_BATCH};
use super::proto::{self, GetInfoRequest, GetInfoResponse, info_server};

/// See `proto/earmark/v1/info.proto`.
pub(super) struct InfoService(pub(super) Arc<Edge>);

#[async_trait]
impl info_server::Info for InfoService {
    async fn get_info(&self, _: Request<GetInfoRequest>) -> Result<Response<GetInfoResponse>, Status> {
        let engine = self.0.engine()?;
        let model = engine.encoder().map(|encoder| {
            let facts = encoder.facts();
            proto::Model {
                name: facts.name.clone(),
                space_id: facts.space.to_string(),
                dimensions: saturated(facts.dimensions),
                numeric_type: facts.numeric_type.clone(),
                device: facts.device.clone(),
                parameters: facts.parameters,
            }
        });
        let (edge, search) = (&self.0.options, &engine.options().search);
        let limits = proto::Limits {
            message_bytes: edge.message_bytes as u64,
            upload_bytes: edge.upload_bytes,
            hits: saturated(search.hits),
            concurrent_queries: saturated(search.concurrent),
            terms: saturated(search.terms),
            batch: saturated(MOST_OF_A_BATCH),
        };
        self.0.answer(GetInfoResponse {
            version: env!("CARGO_PKG_VERSION").into(),
            model,
            limits: Some(limits),
            data_directory: engine.directory().to_string_lossy().into_owned(),
        })
    }
}

fn saturated(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
