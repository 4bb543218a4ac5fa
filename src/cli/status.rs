//! `earmark status`: what is there, and how far indexing is.

use clap::Args;
use serde_json::{Value, json};

use super::connection::{LibraryArgs, Need, Session, refused, with_session};
use super::{Outcome, roots, show};
use crate::config::Config;
use crate::grpc::proto;

#[derive(Debug, Args)]
pub(super) struct Status {
    /// As one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    library: LibraryArgs,
}

/// All that is asked for.
struct Facts {
    info: proto::GetInfoResponse,
    stats: proto::GetStatsResponse,
    progress: proto::Progress,
    roots: Vec<proto::Root>,
    daemon: Option<String>,
}

pub(super) fn run(command: &Status, config: &Config) -> anyhow::Result<Outcome> {
    with_session(&command.library, config, Need::READ, async |session| {
        let facts = Facts::ask(session).await?;
        if command.json {
            super::print(facts.json())?;
        } else {
            super::print(facts.table())?;
            if !facts.roots.is_empty() {
                super::print(format_args!("\n{}", roots::table(&facts.roots)))?;
            }
            for warning in &facts.stats.warnings {
                super::note(format_args!("warning: {}", show::printable(warning)));
            }
        }
        Ok(Outcome::Complete)
    })
}

impl Facts {
    async fn ask(session: &Session) -> anyhow::Result<Self> {
        Ok(Self {
            info: session.info().get_info(proto::GetInfoRequest {}).await.map_err(refused)?.into_inner(),
            stats: session.admin().get_stats(proto::GetStatsRequest {}).await.map_err(refused)?.into_inner(),
            progress: session.library().get_progress(proto::GetProgressRequest {}).await.map_err(refused)?.into_inner(),
            roots: roots::all(session).await?,
            daemon: session.address().map(str::to_owned),
        })
    }

    /// The model, if the one who answers has one loaded.
    fn model(&self) -> Option<&proto::Model> {
        self.info.model.as_ref().filter(|model| !model.name.is_empty())
    }

    fn json(&self) -> Value {
        let Self { info, stats, progress, roots, daemon } = self;
        let index = |index: &Option<proto::IndexStats>| {
            let index = index.unwrap_or_default();
            json!({
                "live": index.live,
                "graph_nodes": index.graph_nodes,
                "graph_removed": index.graph_removed,
                "memory_bytes": index.memory_bytes,
                "calibrated_candidates": index.calibrated_candidates,
            })
        };
        json!({
            "files_indexed": stats.files_indexed,
            "files_failed": stats.files_failed,
            "files_ignored": stats.files_ignored,
            "assets": stats.assets_audio + stats.assets_image,
            "assets_audio": stats.assets_audio,
            "assets_image": stats.assets_image,
            "assets_orphaned": stats.assets_orphaned,
            "segments": stats.segments,
            "segments_silent": stats.segments_silent,
            "embedded_total": stats.embedded_total,
            "store_bytes": stats.store_bytes,
            "store_sequence": stats.store_sequence,
            "set_aside": stats.set_aside.iter().map(|store| json!({
                "space": store.space_id,
                "directory": store.directory,
                "bytes": store.bytes,
            })).collect::<Vec<_>>(),
            "audio_index": index(&stats.audio_index),
            "image_index": index(&stats.image_index),
            "progress": {
                "scanning": progress.scanning,
                "files_total": progress.files_total,
                "files_done": progress.files_done,
                "bytes_total": progress.bytes_total,
                "bytes_done": progress.bytes_done,
                "embedded": progress.embedded,
                "eta_s": progress.eta_s,
                "idle": progress.idle,
            },
            "roots": roots.iter().map(roots::describe).collect::<Vec<_>>(),
            "model": self.model().map(|model| json!({
                "name": model.name,
                "space": model.space_id,
                "dimensions": model.dimensions,
                "numeric_type": model.numeric_type,
                "device": model.device,
                "parameters": model.parameters,
            })),
            "version": info.version,
            "data_directory": info.data_directory,
            "daemon": daemon,
            "uptime_ms": daemon.as_ref().map(|_| stats.uptime_ms),
            "warnings": stats.warnings,
        })
    }

    fn table(&self) -> String {
        let Self { info, stats, progress, daemon, .. } = self;
        let files =
            format!("{} indexed, {} failed, {} ignored", stats.files_indexed, stats.files_failed, stats.files_ignored);
        let assets =
            format!("{} and {}", show::count(stats.assets_audio, "sound"), show::count(stats.assets_image, "picture"));
        let model = self.model().map(|model| format!("{} on {}", model.name, model.device));
        let rows = [
            ("daemon", daemon.clone().unwrap_or_else(|| "not running".into())),
            ("data", show::printable(&info.data_directory).into_owned()),
            ("model", model.unwrap_or_else(|| "not loaded".into())),
            ("files", files),
            ("contents", assets),
            ("segments", format!("{}, {} of them silent", stats.segments, stats.segments_silent)),
            ("embeddings", format!("{} computed so far", stats.embedded_total)),
            ("on disk", show::size(stats.store_bytes)),
            ("indexing", describe(progress)),
            ("version", info.version.clone()),
        ];
        let mut table = super::plain_table();
        for (key, value) in rows.into_iter().chain(stats.set_aside.iter().map(set_aside)) {
            table.add_row([key.to_owned(), value]);
        }
        table.trim_fmt()
    }
}

/// `12.00 MiB of another model (space 0f0f0f0f0f0f), in /data/spaces/…`.
fn set_aside(store: &proto::SetAside) -> (&'static str, String) {
    let (size, space) = (show::size(store.bytes), store.space_id.get(..12).unwrap_or("unknown"));
    ("set aside", format!("{size} of another model (space {space}), in {}", show::printable(&store.directory)))
}

fn describe(progress: &proto::Progress) -> String {
    if progress.idle {
        return "nothing to do".into();
    }
    let mut text = format!("{}/{} files", progress.files_done, progress.files_total);
    if progress.scanning {
        text.push_str(", looking for more");
    }
    if let Some(eta_s) = progress.eta_s {
        text.push_str(&format!(", {} left", show::elapsed(eta_s)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_has_the_names_that_scripts_rely_on() {
        let stats = proto::GetStatsResponse {
            files_indexed: 5,
            files_failed: 2,
            assets_audio: 3,
            assets_image: 1,
            segments: 9,
            embedded_total: 11,
            ..Default::default()
        };
        let progress = proto::Progress { idle: true, ..Default::default() };
        let mut facts = Facts { info: Default::default(), stats, progress, roots: Vec::new(), daemon: None };
        let object = facts.json();
        for (name, expected) in
            [("files_indexed", 5), ("files_failed", 2), ("segments", 9), ("embedded_total", 11), ("assets", 4)]
        {
            assert_eq!(object[name], expected, "{name}");
        }
        assert_eq!((&object["daemon"], &object["model"]), (&Value::Null, &Value::Null));
        facts.daemon = Some("127.0.0.1:1".into());
        assert_eq!(facts.json()["daemon"], "127.0.0.1:1");
        assert!(facts.table().contains("5 indexed, 2 failed, 0 ignored"), "{}", facts.table());
    }
}
