//! Answering queries: terms to one vector, neighbours to hits.
//!
//! A query is admitted, its terms become one direction, the nearest vectors of each kind are found, and what is known
//! about them is joined on. Invariants: an answer says whether all that passes was looked at, and if it was asked for,
//! it was; no asset is returned without a file that passes; the library is locked for looking things up, never for
//! comparing vectors.

mod admission;
mod background;
mod direction;
mod neighbours;
mod rank;
mod stored;
mod terms;

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Instant;

use self::admission::{Admission, Caller};
use self::background::Background;
use self::direction::Direction;
use self::neighbours::Scan;
use self::rank::Group;
use super::catalog::Catalog;
use super::content::ContentOptions;
use super::encoder::Encoder;
use super::filter::{CompiledFilter, MalformedFilter};
use super::options::SearchOptions;
use super::query::{Answer, Hit, Query, QueryError, SegmentHit, Term, TermKind, Timing};
use crate::embedding::SpaceId;
use crate::index::Index;
use crate::library::{Asset, AssetId};
use crate::media::MediaKind;

/// What searching needs. Cheap to clone; clones share one limit of queries under way.
#[derive(Clone)]
pub struct Searcher {
    /// What is known.
    pub catalog: Arc<RwLock<Catalog>>,
    /// Vectors by [`MediaKind`].
    pub indexes: Arc<[Index; 2]>,
    /// The model, if there is one.
    pub encoder: Option<Encoder>,
    /// The space of all vectors, as far as it is known.
    pub space: Option<SpaceId>,
    /// How queries are answered.
    pub options: SearchOptions,
    /// How media of a query are read.
    pub content: ContentOptions,
    admission: Admission,
}

impl Searcher {
    /// Searches this library from now on. The space is the model's, if there is one.
    pub fn new(
        catalog: Arc<RwLock<Catalog>>,
        indexes: Arc<[Index; 2]>,
        encoder: Option<Encoder>,
        options: SearchOptions,
        content: ContentOptions,
    ) -> Self {
        let space = encoder.as_ref().map(|encoder| encoder.facts().space.clone());
        let admission = Admission::new(options.concurrent, options.waiting);
        Self { catalog, indexes, encoder, space, options, content, admission }
    }

    /// Answers a query. Dropping the future gives the query up: what has not begun by then is not done.
    pub async fn search(&self, query: Query) -> Result<Answer, QueryError> {
        self.check(&query)?;
        let filter = CompiledFilter::new(&query.filter)?;
        let started = Instant::now();
        let ticket = self.admission.enter().await?;
        let admitted = Instant::now();
        let direction = self.direction(&query.terms, &ticket).await?;
        let embedded = Instant::now();
        let searcher = self.clone();
        let mut answer = ticket.blocking(move |caller| searcher.find(&query, &filter, direction, caller)).await?;
        answer.timing = Timing { queue: admitted - started, embed: embedded - admitted, search: embedded.elapsed() };
        Ok(answer)
    }

    /// Refuses what makes no sense, whatever the library holds.
    fn check(&self, query: &Query) -> Result<(), QueryError> {
        let (terms, hits) = (self.options.terms, self.options.hits);
        if query.terms.is_empty() || query.terms.len() > terms {
            return Err(invalid("terms", format!("got {}, expected 1 to {terms}", query.terms.len())));
        }
        if query.limit == 0 || query.limit > hits {
            return Err(invalid("limit", format!("got {}, expected 1 to {hits}", query.limit)));
        }
        if query.offset > hits - query.limit {
            let reason = format!("got {} before {} hits, expected at most {hits} in all", query.offset, query.limit);
            return Err(invalid("offset", reason));
        }
        if query.min_score.is_some_and(|score| !score.is_finite()) {
            return Err(invalid("min_score", "expected a finite number"));
        }
        for (position, term) in query.terms.iter().enumerate() {
            if !term.weight.is_finite() || term.weight == 0.0 {
                let reason = format!("got {}, expected a finite number other than 0", term.weight);
                return Err(invalid(format!("terms[{position}].weight"), reason));
            }
            terms::check(&terms::field(position, &term.what), &term.what)?;
        }
        let embeds = |term: &Term| !matches!(term.what, TermKind::Stored { .. } | TermKind::Vector { .. });
        if self.encoder.is_none() && query.terms.iter().any(embeds) { Err(QueryError::NoModel) } else { Ok(()) }
    }

    /// Neighbours of a direction, with what is known about them.
    fn find(
        &self,
        query: &Query,
        filter: &CompiledFilter,
        direction: Direction,
        caller: &Caller,
    ) -> Result<Answer, QueryError> {
        // Who asks for others like an asset does not ask for the asset.
        let positive = query.terms.iter().filter(|term| term.weight > 0.0);
        let excluded: HashSet<AssetId> = positive.filter_map(|term| stored_asset(&term.what)).collect();
        let kinds: Vec<MediaKind> = filter.kinds().collect();
        let scan = Scan { searcher: self, query, filter, direction: &direction.vector, excluded: &excluded, caller };
        let mut exact = true;
        let mut groups = Vec::new();
        let mut backgrounds: [Option<Background>; 2] = [None, None];
        for found in scan.all(&kinds) {
            exact &= found.exact;
            groups.extend(found.groups);
            backgrounds[found.kind as usize] = Some(found.background);
        }
        rank::order(&mut groups, &backgrounds, kinds.len() > 1);
        let confidence = |group: &Group| {
            let scale = self
                .encoder
                .as_ref()
                .zip(direction.modality)
                .and_then(|(encoder, modality)| encoder.facts().scales.of(modality.pair_with(group.kind)?))?;
            let background = backgrounds[group.kind as usize].as_ref()?;
            Some(background.confidence(group.best.score, group.asset, scale))
        };
        let (hits, more) = self.join(query, filter, &groups, confidence);
        let (space, notes) = (self.space.clone(), direction.notes);
        Ok(Answer { hits, more, timing: Timing::default(), space, exact, notes })
    }

    /// The page of hits that was asked for, with what is known about them, and whether there are more behind it.
    fn join(
        &self,
        query: &Query,
        filter: &CompiledFilter,
        groups: &[Group],
        confidence: impl Fn(&Group) -> Option<f32>,
    ) -> (Vec<Hit>, bool) {
        let catalog = self.read();
        let filter = filter.bind(&catalog);
        let mut hits = Vec::with_capacity(query.limit.min(groups.len()));
        let mut behind = groups.iter().skip(query.offset);
        while hits.len() < query.limit
            && let Some(group) = behind.next()
        {
            // What is gone since it was found, or passes no longer, is passed over.
            let Some(entry) = catalog.asset(&group.asset) else { continue };
            let files: Vec<_> =
                filter.files(entry).into_iter().filter_map(|key| catalog.file_in_library(key)).collect();
            let Some(best) = segment_hit(&entry.asset, group.best) else { continue };
            if !files.is_empty() {
                let others = group.others.iter().filter_map(|&other| segment_hit(&entry.asset, other)).collect();
                hits.push(Hit { asset: entry.asset.clone(), files, best, others, confidence: confidence(group) });
            }
        }
        (hits, behind.next().is_some())
    }

    /// The library, for looking things up. A writer that broke down has left it whole, because every change is one
    /// insertion or removal.
    fn read(&self) -> RwLockReadGuard<'_, Catalog> {
        self.catalog.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<MalformedFilter> for QueryError {
    fn from(error: MalformedFilter) -> Self {
        Self::Invalid { field: error.field, reason: error.reason }
    }
}

fn invalid(field: impl Into<String>, reason: impl Into<String>) -> QueryError {
    QueryError::Invalid { field: field.into(), reason: reason.into() }
}

fn stored_asset(what: &TermKind) -> Option<AssetId> {
    if let TermKind::Stored { asset, .. } = what { Some(*asset) } else { None }
}

fn segment_hit(asset: &Asset, scored: rank::Scored) -> Option<SegmentHit> {
    let segment = *asset.segments.get(usize::try_from(scored.ordinal).ok()?)?;
    Some(SegmentHit { ordinal: scored.ordinal, segment, score: scored.score })
}
