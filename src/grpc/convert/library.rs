//! What the library holds and what happens in it, for the wire; and the rules of folders, from it.

use super::{few, kinds, texts, wire_kind};
use crate::describe::ucs;
use crate::engine::catalog::{Catalog, RootEntry, RootState};
use crate::engine::events::{Event, Numbered, Progress};
use crate::engine::query::FileInLibrary;
use crate::engine::{AssetInLibrary, FailedFile, Stats};
use crate::grpc::proto::{self, event::Event as WireEvent};
use crate::grpc::status::Malformed;
use crate::library::{AssetId, Description, Failure, FileKey, RootRules, Segment, WatchMode};
use crate::media::MediaKind;

/// What of a folder counts.
pub(in crate::grpc) fn root_rules(wire: Option<proto::RootRules>) -> Result<RootRules, Malformed> {
    let wire = wire.unwrap_or_default();
    let checked = || {
        texts("include", &wire.include)?;
        texts("exclude", &wire.exclude)?;
        few("kinds", &wire.kinds)?;
        let watch = match proto::WatchMode::try_from(wire.watch) {
            Ok(proto::WatchMode::Unspecified | proto::WatchMode::Auto) => WatchMode::Auto,
            Ok(proto::WatchMode::Poll) => WatchMode::Poll,
            Err(_) => return Err(Malformed::new("watch", format!("is {}, expected auto or poll", wire.watch))),
        };
        Ok((kinds("kinds", &wire.kinds)?, watch))
    };
    let (kinds, watch) = checked().map_err(|malformed: Malformed| malformed.within("rules"))?;
    Ok(RootRules { include: wire.include, exclude: wire.exclude, kinds, watch })
}

/// A watched folder.
pub(in crate::grpc) fn root(entry: &RootEntry) -> proto::Root {
    let (state, state_reason) = match &entry.state {
        RootState::Unwatched => (proto::RootState::Unwatched, ""),
        RootState::Watched => (proto::RootState::Watched, ""),
        RootState::Polled(reason) => (proto::RootState::Polled, reason.as_str()),
        RootState::Offline(reason) => (proto::RootState::Offline, reason.as_str()),
    };
    let rules = &entry.root.rules;
    let watch = match rules.watch {
        WatchMode::Auto => proto::WatchMode::Auto,
        WatchMode::Poll => proto::WatchMode::Poll,
    };
    proto::Root {
        id: entry.root.id.0,
        path: entry.root.path.to_string_lossy().into_owned(),
        rules: Some(proto::RootRules {
            include: rules.include.clone(),
            exclude: rules.exclude.clone(),
            kinds: rules.kinds.iter().map(|&kind| wire_kind(kind)).collect(),
            watch: watch.into(),
        }),
        state: state.into(),
        state_reason: state_reason.into(),
        scanning: entry.scanning,
        files_indexed: entry.counts.indexed,
        files_failed: entry.counts.failed,
        files_ignored: entry.counts.ignored,
        skipped_excluded: entry.skipped.excluded,
        skipped_links: entry.skipped.links,
        skipped_special: entry.skipped.special,
        unreadable: entry.unreadable,
    }
}

/// A file.
pub(super) fn file(known: &FileInLibrary) -> proto::File {
    proto::File {
        bytes: known.record.stat.size,
        modified_ms: known.record.stat.modified_ns.div_euclid(1_000_000),
        offline: known.offline,
        ..named(known.key.root.0, &known.path)
    }
}

/// A file of which only the name is known.
fn named(root_id: u32, path: &std::path::Path) -> proto::File {
    let raw_path = if path.to_str().is_some() { Vec::new() } else { path.as_os_str().as_encoded_bytes().into() };
    proto::File { root_id, path: path.to_string_lossy().into_owned(), raw_path, ..Default::default() }
}

/// A file as the library knows it by now, which may be by its name only.
fn mentioned(key: &FileKey, catalog: &Catalog) -> proto::File {
    match catalog.file_in_library(key) {
        Some(known) => file(&known),
        None => named(key.root.0, &catalog.absolute(key).unwrap_or_else(|| key.path.to_path())),
    }
}

/// What the makers of a file wrote into it, or else, as to its category, into its name.
pub(super) fn description(own: &Description, files: &[FileInLibrary]) -> proto::Description {
    let mut category = (own.category.clone(), own.subcategory.clone());
    if category == (None, None) {
        let named = files.iter().find_map(|file| ucs::parse(&file.key.path.file_name()));
        category = named.map(|name| (name.category.to_owned(), name.subcategory.into_owned())).unzip();
    }
    proto::Description {
        title: own.title.clone(),
        text: own.text.clone(),
        creator: own.creator.clone(),
        category: category.0,
        subcategory: category.1,
        keywords: own.keywords.clone(),
        fields: own.fields.clone().into_iter().collect(),
    }
}

/// An asset with its files.
pub(in crate::grpc) fn asset(known: &AssetInLibrary) -> proto::Asset {
    let asset = &known.asset;
    let segment = |(ordinal, segment): (u32, &Segment)| proto::Segment {
        ordinal,
        span: Some(super::span(segment.span)),
        silent: segment.silent,
    };
    proto::Asset {
        id: asset.id.to_string(),
        kind: wire_kind(asset.kind),
        files: known.files.iter().map(file).collect(),
        facts: Some(super::facts(&asset.facts)),
        description: Some(description(&asset.description, &known.files)),
        segments: (0..).zip(&asset.segments).map(segment).collect(),
        damage: asset.damage.clone(),
        added_ms: asset.added_ms,
    }
}

/// A file that could not be indexed.
pub(in crate::grpc) fn failure(failed: &FailedFile) -> proto::Failure {
    failure_of(file(&failed.file), &failed.failure)
}

fn failure_of(file: proto::File, failure: &Failure) -> proto::Failure {
    proto::Failure {
        file: Some(file),
        code: failure.code.as_str().into(),
        reason: failure.reason.clone(),
        content: failure.content.map(|content| content.to_string()).unwrap_or_default(),
        at_ms: failure.at_ms,
    }
}

/// How far indexing is.
pub(in crate::grpc) fn progress(progress: &Progress) -> proto::Progress {
    proto::Progress {
        scanning: progress.scanning,
        files_total: progress.files_total,
        files_done: progress.files_done,
        bytes_total: progress.bytes_total,
        bytes_done: progress.bytes_done,
        embedded: progress.embedded,
        eta_s: progress.eta_s,
        idle: progress.is_idle(),
    }
}

/// Something that happened, with what the library knows about it by now.
pub(in crate::grpc) fn event(happened: &Numbered, catalog: &Catalog) -> proto::Event {
    let change = |file: &FileKey, asset: &AssetId, embedded| proto::FileChange {
        file: Some(mentioned(file, catalog)),
        asset_id: asset.to_string(),
        embedded,
    };
    let event = match &happened.event {
        Event::Progress(now) => WireEvent::Progress(progress(now)),
        Event::Indexed { file, asset, embedded } => WireEvent::Indexed(change(file, asset, *embedded)),
        Event::Removed { file, asset } => WireEvent::Removed(change(file, asset, false)),
        Event::Moved { from, to, asset } => WireEvent::Moved(proto::FileMove {
            from: Some(mentioned(from, catalog)),
            to: Some(mentioned(to, catalog)),
            asset_id: asset.to_string(),
        }),
        Event::Failed { file, failure } => WireEvent::Failed(failure_of(mentioned(file, catalog), failure)),
        Event::Root(id) => WireEvent::Root(match catalog.root(*id) {
            Some(entry) => root(entry),
            // Removed meanwhile, of which another event will tell.
            None => proto::Root { id: id.0, ..Default::default() },
        }),
        Event::RootRemoved(id) => WireEvent::RootRemoved(id.0),
    };
    proto::Event { sequence: happened.sequence, event: Some(event) }
}

/// The vectors of a kind.
pub(in crate::grpc) fn index_stats(stats: &Stats, kind: MediaKind) -> proto::IndexStats {
    let index = &stats.indexes[kind as usize];
    proto::IndexStats {
        live: index.live as u64,
        graph_nodes: index.graph_nodes as u64,
        graph_removed: index.graph_removed as u64,
        memory_bytes: index.memory_bytes,
        calibrated_candidates: index.calibrated_candidates.filter(|&it| it < usize::MAX).map(|it| it as u64),
    }
}

/// Vectors of models that the library was switched away from.
pub(in crate::grpc) fn set_aside(stats: &Stats) -> Vec<proto::SetAside> {
    let store = stats.set_aside.iter().map(|store| proto::SetAside {
        space_id: store.space.as_ref().map(ToString::to_string).unwrap_or_default(),
        directory: store.directory.to_string_lossy().into_owned(),
        bytes: store.bytes,
    });
    store.collect()
}

#[cfg(test)]
pub(super) mod tests;
