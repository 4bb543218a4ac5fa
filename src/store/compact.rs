//! Compaction: everything alive goes to a fresh database, which takes the place of the old one.
//!
//! sled keeps the space of what was overwritten and deleted. Until the fresh database is whole and on disk the old one
//! counts, and from one replaced file on the fresh one does: a kill at any point leaves one of them.

use std::ops::Bound;
use std::sync::PoisonError;

use super::database::{Bytes, Database};
use super::state::State;
use super::{Inner, StoreError, Writer};

/// Records written in one go: a few megabytes of vectors.
const CHUNK: usize = 2048;

/// Compacts, with the right to write.
pub(super) fn compact(store: &Inner, writer: &mut Writer) -> Result<(), StoreError> {
    let number = store.place.unused(writer.number)?;
    let path = store.place.path(number);
    let fresh = Database::open(&path)?;
    let copied = copy(&store.database(), &fresh).and_then(|copied| {
        let same = copied.same_records(&store.now().state);
        let reason = "what was copied is not what was stored".to_owned();
        if same { Ok(()) } else { Err(StoreError::Damaged { key: path.display().to_string(), reason }) }
    });
    if let Err(error) = copied {
        drop(fresh);
        // It does not count, and goes at the latest when the store is opened.
        let _ = store.place.remove_others(writer.number);
        return Err(error);
    }
    if let Err(error) = store.place.make_current(number) {
        // Which of them counts is not known until somebody looks.
        writer.failure = Some(error.to_string());
        return Err(error);
    }
    writer.number = number;
    let old = std::mem::replace(&mut *store.database.write().unwrap_or_else(PoisonError::into_inner), fresh);
    drop(old);
    // Nothing depends on it: what remains goes when the store is opened.
    let _ = store.place.remove_others(number);
    Ok(())
}

fn copy(from: &Database, to: &Database) -> Result<State, StoreError> {
    let mut copied = State::default();
    let mut last: Option<Bytes> = None;
    loop {
        let start = last.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let chunk = from.scan(start, None, CHUNK)?;
        let Some((key, _)) = chunk.last() else { return Ok(copied) };
        last = Some(key.clone());
        chunk.iter().for_each(|(key, record)| copied.count(key, None, Some(record)));
        to.apply(chunk.into_iter().map(|(key, record)| (key.to_vec(), Some(record.to_vec()))))?;
    }
}
