//! Answering queries: terms to one vector, neighbours to hits.

use std::sync::{Arc, RwLock};

use super::catalog::Catalog;
use super::content::ContentOptions;
use super::encoder::Encoder;
use super::options::SearchOptions;
use super::query::{Answer, Query, QueryError};
use crate::index::Index;

/// What searching needs. Cheap to clone.
#[derive(Clone)]
pub struct Searcher {
    /// What is known.
    pub catalog: Arc<RwLock<Catalog>>,
    /// Vectors by [`MediaKind`](crate::media::MediaKind).
    pub indexes: Arc<[Index; 2]>,
    /// The model, if there is one.
    pub encoder: Option<Encoder>,
    /// How queries are answered.
    pub options: SearchOptions,
    /// How media of a query are read.
    pub content: ContentOptions,
}

impl Searcher {
    /// Answers a query. Dropping the future gives the query up: what has not begun by then is not done.
    pub async fn search(&self, _query: Query) -> Result<Answer, QueryError> {
        todo!()
    }
}
