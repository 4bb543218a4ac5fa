//! Reading the store from one end to the other while it changes.
//!
//! An iterator holds neither a lock nor a database between two pieces: it goes on behind the last key that it saw, in
//! whatever database there is by then. What is put or deleted meanwhile may be seen or not.

use std::collections::VecDeque;
use std::ops::Bound;
use std::sync::Arc;

use super::codec::{self, Record};
use super::database::Bytes;
use super::keys;
use super::{Inner, StoreError};

/// Records read in one go.
const CHUNK: usize = 128;

/// The records under a prefix.
pub(super) struct Records {
    store: Arc<Inner>,
    next: Bound<Vec<u8>>,
    end: Option<Vec<u8>>,
    chunk: VecDeque<(Bytes, Bytes)>,
    finished: bool,
}

impl Records {
    pub(super) fn of(store: Arc<Inner>, prefix: Vec<u8>) -> Self {
        Self::from(store, &prefix.clone(), prefix)
    }

    /// Those from the key `start` on.
    pub(super) fn from(store: Arc<Inner>, prefix: &[u8], start: Vec<u8>) -> Self {
        let end = keys::end_of(prefix);
        Self { store, next: Bound::Included(start), end, chunk: VecDeque::new(), finished: false }
    }

    fn refill(&mut self) -> Result<(), StoreError> {
        let start = self.next.as_ref().map(Vec::as_slice);
        self.chunk = self.store.database().scan(start, self.end.as_deref(), CHUNK)?.into();
        match self.chunk.back() {
            Some((last, _)) => self.next = Bound::Excluded(last.to_vec()),
            None => self.finished = true,
        }
        Ok(())
    }
}

impl Iterator for Records {
    type Item = Result<Record, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.chunk.is_empty()
            && !self.finished
            && let Err(error) = self.refill()
        {
            self.finished = true;
            return Some(Err(error));
        }
        let (key, record) = self.chunk.pop_front()?;
        Some(codec::decode(&key, &record).map_err(|flaw| flaw.at(&key)))
    }
}
