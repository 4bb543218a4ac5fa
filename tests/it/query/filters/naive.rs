//! What filters and queries say, read plainly and slowly.

use std::collections::BTreeMap;

use earmark::engine::catalog::{AssetEntry, Catalog};
use earmark::engine::query::Query;
use earmark::library::{AssetId, FileKey, Filter};
use earmark::media::MediaKind;
use half::f16;

use super::random::{GLOBS, UCS};
use crate::query::library::Opened;

/// The files of an asset that pass.
pub fn files<'a>(filter: &Filter, catalog: &Catalog, entry: &'a AssetEntry) -> Vec<&'a FileKey> {
    let files = entry.files.iter().filter(|key| passes(filter, catalog, entry, key));
    files.collect()
}

fn passes(filter: &Filter, catalog: &Catalog, entry: &AssetEntry, key: &FileKey) -> bool {
    let (asset, description) = (&entry.asset, &entry.asset.description);
    let root = &catalog.root(key.root).unwrap().root;
    let path = key.path.to_string();
    let absolute = format!("{}/{path}", root.path.display());
    let modified_ms = catalog.file(key).unwrap().stat.modified_ns / 1_000_000;
    let name = path.rsplit('/').next().unwrap();
    let ucs = UCS.iter().find(|(start, ..)| name.starts_with(start));
    let same = |a: &str, b: &str| a.to_lowercase() == b.to_lowercase();
    let any = |wanted: &Option<String>, offered: [Option<&str>; 2]| {
        wanted.as_deref().is_none_or(|wanted| offered.into_iter().flatten().any(|it| same(it, wanted)))
    };
    let glob = filter.path_glob.as_ref().map(|glob| GLOBS.iter().find(|(pattern, _)| pattern == glob).unwrap().1);
    let mut texts: Vec<String> = description.texts().map(str::to_lowercase).collect();
    texts.push(path.to_lowercase());
    let words = filter.text.as_deref().unwrap_or_default().to_lowercase();
    let below = |prefix: &String| {
        let prefix = prefix.trim_end_matches('/');
        absolute == prefix || absolute.starts_with(&format!("{prefix}/"))
    };
    (filter.kinds.is_empty() || filter.kinds.contains(&asset.kind))
        && (filter.roots.is_empty() || filter.roots.contains(&key.root))
        && filter.path_prefix.as_ref().is_none_or(below)
        && glob.is_none_or(|matches| matches(&path.to_lowercase()))
        && (filter.extensions.is_empty()
            || filter.extensions.iter().any(|it| same(it.trim_start_matches('.'), &key.path.extension())))
        && filter.duration_ms.contains(asset.facts.duration_ms)
        && filter.sample_rate_hz.contains(asset.facts.sample_rate_hz)
        && filter.channels.contains(asset.facts.channels)
        && filter.modified_ms.contains(Some(modified_ms))
        && any(&filter.category, [description.category.as_deref(), ucs.map(|it| it.1)])
        && any(&filter.subcategory, [description.subcategory.as_deref(), ucs.map(|it| it.2)])
        && filter.keywords.iter().all(|wanted| description.keywords.iter().any(|it| same(it, wanted)))
        && words.split_whitespace().all(|word| texts.iter().any(|text| text.contains(word)))
}

/// A hit: segments with their scores, best first.
pub struct Expected {
    asset: AssetId,
    segments: Vec<(u32, f32)>,
    rank: f64,
}

impl Expected {
    /// The asset with its best segment.
    pub fn best(&self) -> (AssetId, u32, f32) {
        (self.asset, self.segments[0].0, self.segments[0].1)
    }

    /// The next ten.
    pub fn others(&self) -> Vec<(u32, f32)> {
        self.segments.iter().skip(1).take(10).copied().collect()
    }
}

/// All hits of a query along an axis, in order. Along an axis, the cosine is one of the vector's values, without any
/// rounding.
pub fn answer(opened: &Opened, query: &Query, axis: usize) -> Vec<Expected> {
    let catalog = opened.searcher.catalog.read().unwrap();
    let ranks = ranks(opened, query, axis);
    let mut hits = Vec::new();
    for entry in catalog.assets().filter(|entry| !files(&query.filter, &catalog, entry).is_empty()) {
        let index = &opened.searcher.indexes[entry.asset.kind as usize];
        let live = (0..).zip(&entry.asset.segments).filter(|(_, segment)| query.silent || !segment.silent);
        let kept = |slot| f16::from_f32(index.vector(slot).unwrap().as_slice()[axis]).to_f32();
        let scored = live.map(|(ordinal, it)| (ordinal, kept(it.slot)));
        let mut segments: Vec<(u32, f32)> =
            scored.filter(|(_, score)| query.min_score.is_none_or(|least| *score >= least)).collect();
        segments.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let rank = &ranks[&entry.asset.kind];
        let hit = |segments: Vec<(u32, f32)>| {
            let rank = rank(segments[0].1);
            Expected { asset: entry.asset.id, segments, rank }
        };
        if !query.grouped {
            hits.extend(segments.into_iter().map(|segment| hit(vec![segment])));
        } else if !segments.is_empty() {
            hits.push(hit(segments));
        }
    }
    hits.sort_by(|a, b| b.rank.total_cmp(&a.rank).then(a.asset.cmp(&b.asset)).then(a.best().1.cmp(&b.best().1)));
    hits
}

type Rank = Box<dyn Fn(f32) -> f64>;

/// How scores of each kind are put in order.
fn ranks(opened: &Opened, query: &Query, axis: usize) -> BTreeMap<MediaKind, Rank> {
    let mut direction = [0.0; crate::query::library::DIMENSIONS];
    direction[axis] = 1.0;
    let backgrounds = MediaKind::ALL.map(|kind| {
        let count = opened.searcher.options.background;
        let all = opened.searcher.indexes[kind as usize].background(&direction, count);
        all.iter().map(|it| f64::from(it.cosine)).collect::<Vec<f64>>()
    });
    let both = query.filter.kinds.is_empty() || MediaKind::ALL.iter().all(|kind| query.filter.kinds.contains(kind));
    let standing = both && backgrounds.iter().all(|all| all.len() >= 8);
    let rank = |kind: MediaKind| -> Rank {
        let all = &backgrounds[kind as usize];
        let mean = all.iter().sum::<f64>() / all.len().max(1) as f64;
        let variance = all.iter().map(|cosine| (cosine - mean).powi(2)).sum::<f64>() / all.len().max(1) as f64;
        let deviation = variance.sqrt().max(1e-6);
        if standing { Box::new(move |score| (f64::from(score) - mean) / deviation) } else { Box::new(f64::from) }
    };
    MediaKind::ALL.into_iter().map(|kind| (kind, rank(kind))).collect()
}
