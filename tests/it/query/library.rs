//! Libraries made by hand, ready to be searched.

use std::convert::Infallible;
use std::sync::{Arc, RwLock};

use earmark::decode::{AudioLimits, ImageLimits};
use earmark::embedding::{Embedding, SpaceId};
use earmark::engine::catalog::Catalog;
use earmark::engine::content::ContentOptions;
use earmark::engine::encoder::Encoder;
use earmark::engine::options::SearchOptions;
use earmark::engine::query::{Answer, Query, QueryError, Term, TermKind};
use earmark::engine::search::Searcher;
use earmark::index::{Index, IndexOptions};
use earmark::library::{
    Asset, AssetId, Description, FileKey, FileRecord, FileStat, FileState, RelativePath, Root, RootId, RootRules,
    Segment, Slot, Span, TechnicalFacts,
};
use earmark::media::MediaKind;

/// Values of a vector.
pub const DIMENSIONS: usize = 8;

/// The space of all vectors here.
pub fn space() -> SpaceId {
    serde_json::from_value("5".repeat(64).into()).unwrap()
}

/// Settings that get in nobody's way.
pub fn options() -> SearchOptions {
    SearchOptions {
        concurrent: 4,
        waiting: 8,
        hits: 1_000,
        terms: 4,
        query_audio_s: 60,
        background: 32,
        remembered_prompts: 0,
    }
}

/// An asset to be.
#[derive(Debug, Clone)]
pub struct Made {
    pub kind: MediaKind,
    /// Vector, to which zeros are added, and whether it is silence.
    pub segments: Vec<(Vec<f32>, bool)>,
    pub facts: TechnicalFacts,
    pub description: Description,
    /// Root, path below it, and modification in milliseconds.
    pub files: Vec<(u32, String, i64)>,
}

impl Made {
    /// A sound in one file of the first root.
    pub fn sound(path: &str, segments: &[&[f32]]) -> Self {
        Self {
            kind: MediaKind::Audio,
            segments: segments.iter().map(|values| (values.to_vec(), false)).collect(),
            facts: TechnicalFacts::default(),
            description: Description::default(),
            files: vec![(1, path.into(), 0)],
        }
    }

    /// A picture in one file of the first root.
    pub fn picture(path: &str, vector: &[f32]) -> Self {
        Self { kind: MediaKind::Image, ..Self::sound(path, &[vector]) }
    }
}

/// A library to be.
#[derive(Default)]
pub struct Library {
    pub catalog: Catalog,
    vectors: [Vec<(Slot, Embedding, bool)>; 2],
}

/// A library that can be searched.
pub struct Opened {
    pub searcher: Searcher,
    _directory: tempfile::TempDir,
}

impl Library {
    /// With roots by number and path.
    pub fn new(roots: &[(u32, &str)]) -> Self {
        let mut library = Self::default();
        for &(id, path) in roots {
            library.catalog.put_root(Root {
                id: RootId(id),
                path: path.into(),
                rules: RootRules::default(),
                identity: None,
            });
        }
        library
    }

    /// With one root, and these assets numbered from 0.
    pub fn of(assets: &[Made]) -> Self {
        let mut library = Self::new(&[(1, "/sounds")]);
        for (number, made) in (0..).zip(assets) {
            library.add(number, made);
        }
        library
    }

    /// Adds an asset under the id of a number. A file that is there already is left alone.
    pub fn add(&mut self, number: u32, made: &Made) -> AssetId {
        let vectors = &mut self.vectors[made.kind as usize];
        let segments = (0..).zip(&made.segments).map(|(ordinal, (values, silent))| {
            let slot = Slot(u32::try_from(vectors.len()).unwrap());
            vectors.push((slot, Embedding::normalized(&padded(values)).unwrap(), *silent));
            let start_ms = ordinal * 5_000;
            Segment { span: Span { start_ms, end_ms: start_ms + 5_000 }, silent: *silent, slot }
        });
        let asset = Asset {
            id: id(number),
            kind: made.kind,
            facts: made.facts.clone(),
            description: made.description.clone(),
            damage: None,
            added_ms: 0,
            segments: segments.collect(),
        };
        self.catalog.put_asset(Arc::new(asset));
        for (root, path, modified_ms) in &made.files {
            let key = key(*root, path);
            if self.catalog.file(&key).is_none() {
                let stat = FileStat { size: 1, modified_ns: modified_ms * 1_000_000, inode: None };
                self.catalog.put_file(key, FileRecord { stat, state: FileState::Indexed(id(number)) });
            }
        }
        id(number)
    }

    /// Opens it. Vectors beyond `exact_below` are found by a graph.
    pub fn open(self, encoder: Option<Encoder>, options: SearchOptions, exact_below: usize) -> Opened {
        let directory = tempfile::tempdir().unwrap();
        let index_options = IndexOptions {
            exact_below,
            links: 16,
            construction_candidates: 100,
            target_recall: 0.99,
            compact_above: 0.2,
            threads: 2,
        };
        let [sounds, pictures] = self.vectors;
        let open = |name: &str, vectors: Vec<(Slot, Embedding, bool)>| {
            let path = directory.path().join(name);
            std::fs::create_dir(&path).unwrap();
            let live: Vec<(Slot, bool)> = vectors.iter().map(|(slot, _, silent)| (*slot, *silent)).collect();
            let opened = Index::open(index_options, &space(), &path, &live, |_, take| {
                vectors.iter().for_each(|(slot, vector, _)| take(*slot, vector));
                Ok::<(), Infallible>(())
            });
            let Ok((index, unused)) = opened;
            assert_eq!(unused, None);
            while index.maintain() {}
            index
        };
        let indexes = Arc::new([open("audio", sounds), open("image", pictures)]);
        let content = ContentOptions {
            audio_limits: AudioLimits::default(),
            image_limits: ImageLimits::default(),
            hop_ms: 5_000,
            silence_dbfs: -60.0,
        };
        let catalog = Arc::new(RwLock::new(self.catalog));
        Opened { searcher: Searcher::new(catalog, indexes, encoder, options, content), _directory: directory }
    }

    /// Opens it without a model.
    pub fn open_plainly(self) -> Opened {
        self.open(None, options(), 10_000)
    }
}

impl Opened {
    /// Answers a query on a runtime of its own.
    pub fn ask(&self, query: Query) -> Result<Answer, QueryError> {
        runtime().block_on(self.searcher.search(query))
    }

    /// The assets of the hits of a query.
    pub fn found(&self, query: Query) -> Vec<AssetId> {
        self.ask(query).unwrap().hits.iter().map(|hit| hit.asset.id).collect()
    }
}

/// A runtime for one test.
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// The id of the asset with a number; ordered as the numbers are.
pub fn id(number: u32) -> AssetId {
    let mut hash = [0; AssetId::BYTES];
    hash[..4].copy_from_slice(&number.to_be_bytes());
    AssetId::from_hash(hash)
}

/// The name of a file.
pub fn key(root: u32, path: &str) -> FileKey {
    FileKey { root: RootId(root), path: RelativePath::new(path.as_ref()).unwrap() }
}

/// A term that is a vector, zeros added.
pub fn vector(values: &[f32]) -> Term {
    Term { weight: 1.0, what: TermKind::Vector { values: padded(values), space: None } }
}

fn padded(values: &[f32]) -> Vec<f32> {
    let mut values = values.to_vec();
    values.resize(DIMENSIONS, 0.0);
    values
}

/// A term that is an asset.
pub fn stored(number: u32, ordinal: Option<u32>) -> Term {
    Term { weight: 1.0, what: TermKind::Stored { asset: id(number), ordinal } }
}

/// A term that is words.
pub fn text(words: &str) -> Term {
    Term { weight: 1.0, what: TermKind::Text(words.into()) }
}

/// A query of one term.
pub fn query(term: Term) -> Query {
    Query { terms: vec![term], ..Query::default() }
}
