//! `Admin`: statistics and upkeep.

use std::sync::Arc;

use tonic::{Request, Response, Status, async_trait};

use super::edge::Edge;
use super::proto::{
    CheckRequest, CheckResponse, CompactRequest, CompactResponse, GetStatsRequest, GetStatsResponse, SnapshotRequest,
    SnapshotResponse, admin_server,
};
use super::{convert, status};
use crate::engine::Engine;
use crate::media::MediaKind;

/// See `proto/earmark/v1/admin.proto`.
pub(super) struct AdminService(pub(super) Arc<Edge>);

#[async_trait]
impl admin_server::Admin for AdminService {
    async fn get_stats(&self, _: Request<GetStatsRequest>) -> Result<Response<GetStatsResponse>, Status> {
        let stats = self.0.blocking(Engine::stats).await?;
        self.0.answer(GetStatsResponse {
            files_indexed: stats.files.indexed,
            files_failed: stats.files.failed,
            files_ignored: stats.files.ignored,
            assets_audio: stats.assets[MediaKind::Audio as usize],
            assets_image: stats.assets[MediaKind::Image as usize],
            segments: stats.segments,
            segments_silent: stats.segments_silent,
            embedded_total: stats.totals.embedded_total,
            assets_orphaned: stats.orphans,
            store_bytes: stats.store_bytes,
            audio_index: Some(convert::index_stats(&stats, MediaKind::Audio)),
            image_index: Some(convert::index_stats(&stats, MediaKind::Image)),
            uptime_ms: u64::try_from(self.0.health.uptime().as_millis()).unwrap_or(u64::MAX),
            store_sequence: stats.totals.sequence,
            set_aside: convert::set_aside(&stats),
            warnings: stats.warnings,
        })
    }

    async fn snapshot(&self, _: Request<SnapshotRequest>) -> Result<Response<SnapshotResponse>, Status> {
        self.0.blocking(Engine::snapshot).await?.map_err(|error| status::of_engine(&error))?;
        self.0.answer(SnapshotResponse {})
    }

    async fn compact(&self, _: Request<CompactRequest>) -> Result<Response<CompactResponse>, Status> {
        let sizes = self.0.blocking(Engine::compact).await?;
        let (store_bytes_before, store_bytes_after) = sizes.map_err(|error| status::of_engine(&error))?;
        self.0.answer(CompactResponse { store_bytes_before, store_bytes_after })
    }

    async fn check(&self, _: Request<CheckRequest>) -> Result<Response<CheckResponse>, Status> {
        let problems = self.0.blocking(Engine::check).await?.map_err(|error| status::of_engine(&error))?;
        self.0.answer(CheckResponse { problems })
    }
}
