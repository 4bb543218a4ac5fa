//! Configuration to parts: the model on its thread, the engine, the server's options.

use std::time::Duration;

use anyhow::Context as _;

use super::{habit, notice};
use crate::config::Config;
use crate::embed::Embedder;
use crate::engine::encoder::{Encoder, EncoderOptions};
use crate::engine::fallback::Fallback;
use crate::engine::model::{AudioClipModel, EmbeddingModel, ModelFailure};
use crate::engine::options::EngineOptions;
use crate::engine::{Activity, Engine};
use crate::grpc::ServeOptions;
use crate::model::DeviceChoice;
use crate::model_store::{ModelSource, ModelStore};

/// Loads the model that the configuration names, or that the data directory was last used with, on a thread of its own.
/// Takes as long as that takes: call it where waiting is allowed.
///
/// # Errors
/// If there is no such model, or it cannot be loaded, with what to do about it.
pub fn load_encoder(config: &Config) -> anyhow::Result<Encoder> {
    let model = habit::model_source(config)?;
    notice::introduce(&model, &ModelStore::new(config.model_directory()?));
    let device = config.model.device;
    let options = EncoderOptions {
        batch_inputs: config.ingest.batch_inputs,
        batch_wait: Duration::from_millis(config.ingest.batch_wait_ms),
        queue_inputs: config.ingest.queue_inputs,
        queue_queries: config.search.waiting,
        remembered_prompts: config.search.remembered_prompts,
    };
    Encoder::start(move || load_model(&model, device), options)
}

/// A model on a device, or on the processor once the device is lost.
fn load_model(model: &ModelSource, device: DeviceChoice) -> anyhow::Result<Box<dyn EmbeddingModel>> {
    let on = |model: &ModelSource, device| {
        let embedder = model.open().and_then(|file| Embedder::from_file(file, device));
        embedder.with_context(|| model.to_string())
    };
    let named = |model: &ModelSource, embedder| Box::new(AudioClipModel::new(model.name(), embedder));
    let embedder = on(model, device)?;
    let Some(is_lost) = embedder.model().loss_of_device() else { return Ok(named(model, embedder)) };
    let first = named(model, embedder);
    let model = model.clone();
    Ok(Box::new(Fallback::new(first, is_lost, move || {
        let embedder = on(&model, DeviceChoice::Cpu).map_err(|error| ModelFailure(format!("{error:#}")))?;
        Ok(named(&model, embedder))
    })))
}

/// How the engine is told to work.
pub fn engine_options(config: &Config) -> EngineOptions {
    EngineOptions {
        ingest: config.ingest.clone(),
        watch: config.watch.clone(),
        index: config.index,
        search: config.search.clone(),
        audio_limits: config.limits.audio,
        image_limits: config.limits.image,
        snapshot_interval: Duration::from_secs(config.server.snapshot_interval_s),
        switch_space: false,
    }
}

/// Opens the library in the data directory that the configuration names. Takes as long as reading it takes: call it
/// where waiting is allowed.
///
/// # Errors
/// As [`Engine::open`], or because the user's directories are unknown.
pub fn open_engine(config: &Config, encoder: Option<Encoder>, activity: Activity) -> anyhow::Result<Engine> {
    open_with(config, engine_options(config), encoder, activity)
}

/// As [`open_engine`]; a library with vectors of another model is switched to the one that the configuration names, if
/// it names one.
///
/// # Errors
/// As [`open_engine`].
pub fn switch_engine(config: &Config, encoder: Encoder, activity: Activity) -> anyhow::Result<Engine> {
    let options = EngineOptions { switch_space: !config.model.name.is_empty(), ..engine_options(config) };
    open_with(config, options, Some(encoder), activity)
}

fn open_with(
    config: &Config,
    options: EngineOptions,
    encoder: Option<Encoder>,
    activity: Activity,
) -> anyhow::Result<Engine> {
    let (directory, model) = (config.data_directory()?, encoder.as_ref().map(|_| habit::model_source(config)));
    let engine = Engine::open(&directory, options, encoder, activity)?;
    if let Some(model) = model.transpose()? {
        habit::remember(&directory, &model);
    }
    Ok(engine)
}

/// How the server is told to behave.
pub fn serve_options(config: &Config) -> ServeOptions {
    let server = &config.server;
    ServeOptions {
        message_bytes: server.message_bytes,
        upload_bytes: server.upload_bytes,
        concurrent_uploads: server.concurrent_uploads,
        upload_patience: Duration::from_secs(server.upload_patience_s),
        requests: server.requests,
        streams_per_connection: server.streams_per_connection,
        keepalive: Duration::from_secs(server.keepalive_s),
        keepalive_timeout: Duration::from_secs(server.keepalive_timeout_s),
        grace: Duration::from_secs(server.grace_s),
    }
}
