//! What can be asked, and what is answered.

use std::sync::Arc;
use std::time::Duration;

use crate::embedding::{NotAnEmbedding, SpaceId};
use crate::library::{Asset, AssetId, FileKey, FileRecord, Filter, Segment};

/// One ingredient of a query.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// How much it counts; negative to lead away from it; finite and not 0.
    pub weight: f32,
    /// What it is.
    pub what: TermKind,
}

/// What an ingredient of a query is.
#[derive(Debug, Clone, PartialEq)]
pub enum TermKind {
    /// Words.
    Text(String),
    /// The content of a sound file.
    Audio(Arc<[u8]>),
    /// The content of a picture file.
    Image(Arc<[u8]>),
    /// An asset of the library, or one of its segments. With a positive weight it asks for others: the asset itself is
    /// no hit.
    Stored {
        /// The asset.
        asset: AssetId,
        /// A segment; the mean of all that are not silent if `None`.
        ordinal: Option<u32>,
    },
    /// A vector of the library's space.
    Vector {
        /// Its values.
        values: Vec<f32>,
        /// The space it is of, if the caller says so.
        space: Option<String>,
    },
}

/// A question to the library.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Weighted and added; at least one.
    pub terms: Vec<Term>,
    /// Which assets are searched.
    pub filter: Filter,
    /// How many hits at most, at least 1.
    pub limit: usize,
    /// How many hits to pass over.
    pub offset: usize,
    /// Leave out what scores less.
    pub min_score: Option<f32>,
    /// Leave out what lies closer to the library's background than to the best hit.
    pub relative_cutoff: bool,
    /// One hit for each asset, not for each segment.
    pub grouped: bool,
    /// Segments in which nothing is to be heard, too.
    pub silent: bool,
    /// Look at every vector that passes the filter, however many there are.
    pub exact: bool,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            terms: Vec::new(),
            filter: Filter::default(),
            limit: 20,
            offset: 0,
            min_score: None,
            relative_cutoff: false,
            grouped: true,
            silent: false,
            exact: false,
        }
    }
}

/// A segment that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SegmentHit {
    /// Its number in the asset.
    pub ordinal: u32,
    /// The segment.
    pub segment: Segment,
    /// Cosine of the angle to the query.
    pub score: f32,
}

/// An asset that was found, or a segment of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// What it is.
    pub asset: Arc<Asset>,
    /// Where it lies: files that pass the filter, by key; at least one.
    pub files: Vec<FileInLibrary>,
    /// The best segment.
    pub best: SegmentHit,
    /// Others, best first, at most ten; none if ungrouped.
    pub others: Vec<SegmentHit>,
    /// Softmax over the hit and the library's background; `None` without a learned scale.
    pub confidence: Option<f32>,
}

/// A file as the library knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct FileInLibrary {
    /// Its name.
    pub key: FileKey,
    /// Its absolute path.
    pub path: std::path::PathBuf,
    /// What is remembered.
    pub record: FileRecord,
    /// Its root is not there at the moment.
    pub offline: bool,
}

/// Where the time went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timing {
    /// Waiting for a place.
    pub queue: Duration,
    /// Decoding and embedding the query.
    pub embed: Duration,
    /// Finding neighbours and what is known about them.
    pub search: Duration,
}

/// The answer to a query.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Best first.
    pub hits: Vec<Hit>,
    /// Whether there are more behind the last.
    pub more: bool,
    /// Where the time went.
    pub timing: Timing,
    /// Of which space it is.
    pub space: Option<SpaceId>,
    /// Whether every vector that passes the filter was looked at.
    pub exact: bool,
    /// What the caller should know.
    pub notes: Vec<String>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// The query makes no sense. `field` names the part, as in the protocol.
    #[error("{field}: {reason}")]
    Invalid {
        /// Which part.
        field: String,
        /// What was got, what was expected.
        reason: String,
    },
    /// An asset or segment that is not in the library.
    #[error("{what} is not in the library")]
    NotFound {
        /// Which.
        what: String,
    },
    /// Too much is asked at once.
    #[error("{limit} queries are waiting already; try again in a moment")]
    Overloaded {
        /// How many may wait.
        limit: usize,
    },
    /// There is no model to embed the query with.
    #[error("no model is loaded; give --model, or ask by --like or with a vector")]
    NoModel,
    /// The model failed, or is gone.
    #[error("the query could not be embedded: {0}")]
    Model(String),
}

impl QueryError {
    /// For vectors that are none.
    pub fn not_an_embedding(field: &str, error: NotAnEmbedding) -> Self {
        Self::Invalid { field: field.into(), reason: error.to_string() }
    }
}
