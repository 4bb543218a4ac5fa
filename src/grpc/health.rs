//! `grpc.health.v1`: not serving until told, and not serving again before the server drains.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tonic::server::NamedService;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::{HealthReporter, HealthService};

use super::proto;

/// The whole server, and each service by its name.
const NAMES: [&str; 6] = [
    "",
    proto::search_server::SearchServer::<()>::NAME,
    proto::library_server::LibraryServer::<()>::NAME,
    proto::embed_server::EmbedServer::<()>::NAME,
    proto::info_server::InfoServer::<()>::NAME,
    proto::admin_server::AdminServer::<()>::NAME,
];
/// Requests hold a service's name.
const REQUEST_BYTES: usize = 4 * 1024;

/// Says how the server fares. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Health {
    reporter: HealthReporter,
    ready_at: Arc<OnceLock<Instant>>,
}

impl Health {
    /// Not serving as yet.
    pub async fn starting() -> Self {
        let health = Self { reporter: HealthReporter::new(), ready_at: Arc::default() };
        health.set(ServingStatus::NotServing).await;
        health
    }

    /// Serving from now on: the library is open.
    pub async fn ready(&self) {
        self.ready_at.get_or_init(Instant::now);
        self.set(ServingStatus::Serving).await;
    }

    /// Not serving any more; who watches is told.
    pub async fn stopping(&self) {
        self.set(ServingStatus::NotServing).await;
    }

    /// Since when it is ready.
    pub(super) fn uptime(&self) -> Duration {
        self.ready_at.get().map(Instant::elapsed).unwrap_or_default()
    }

    /// Ends what watches it, after it has been told: draining waits for all streams.
    pub(super) async fn end_watches(&self) {
        let mut reporter = self.reporter.clone();
        for name in NAMES {
            reporter.clear_service_status(name).await;
        }
    }

    pub(super) fn service(&self) -> HealthServer<HealthService> {
        let service = HealthService::from_health_reporter(self.reporter.clone());
        HealthServer::new(service).max_decoding_message_size(REQUEST_BYTES).max_encoding_message_size(REQUEST_BYTES)
    }

    async fn set(&self, status: ServingStatus) {
        for name in NAMES {
            self.reporter.set_service_status(name, status).await;
        }
    }
}
