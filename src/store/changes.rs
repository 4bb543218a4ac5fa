//! Changes that are being put together: what a batch will write, and the state that it leads to.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Bound;

use super::codec::encode_state;
use super::database::{Database, DatabaseError, Write};
use super::keys;
use super::state::State;

/// Records looked at in one go.
const CHUNK: usize = 256;

/// Writes on top of a database, none of them done.
pub(super) struct Changes<'d> {
    database: &'d Database,
    writes: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    /// As it will be. Counts are kept here; the rest is the caller's.
    pub(super) state: State,
}

impl<'d> Changes<'d> {
    pub(super) fn new(database: &'d Database, state: State) -> Self {
        Self { database, writes: BTreeMap::new(), state }
    }

    /// Whether nothing will be written.
    pub(super) fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// The record under a key, as it will be.
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Cow<'_, [u8]>>, DatabaseError> {
        match self.writes.get(key) {
            Some(write) => Ok(write.as_deref().map(Cow::Borrowed)),
            None => Ok(self.database.get(key)?.map(|record| Cow::Owned(record.to_vec()))),
        }
    }

    /// Puts a record under a key.
    pub(super) fn put(&mut self, key: Vec<u8>, record: Vec<u8>) -> Result<(), DatabaseError> {
        self.write(key, Some(record))
    }

    /// Puts a record under a key that never had one, which need not be looked up.
    pub(super) fn put_fresh(&mut self, key: Vec<u8>, record: Vec<u8>) {
        self.state.count(&key, None, Some(&record));
        self.writes.insert(key, Some(record));
    }

    /// Deletes what is under a key, if there is anything.
    pub(super) fn delete(&mut self, key: Vec<u8>) -> Result<(), DatabaseError> {
        self.write(key, None)
    }

    fn write(&mut self, key: Vec<u8>, new: Option<Vec<u8>>) -> Result<(), DatabaseError> {
        let old = self.get(&key)?.map(Cow::into_owned);
        if old == new {
            return Ok(());
        }
        self.state.count(&key, old.as_deref(), new.as_deref());
        self.writes.insert(key, new);
        Ok(())
    }

    /// The keys that will begin with `prefix`, in no particular order, as long as `each` wants more.
    pub(super) fn keys(&self, prefix: &[u8], mut each: impl FnMut(&[u8]) -> bool) -> Result<(), DatabaseError> {
        let end = keys::end_of(prefix);
        let written = self.writes.range(prefix.to_vec()..).take_while(|(key, _)| key.starts_with(prefix));
        for (key, _) in written.filter(|(_, record)| record.is_some()) {
            if !each(key) {
                return Ok(());
            }
        }
        let mut next = Bound::Included(prefix.to_vec());
        loop {
            let chunk = self.database.scan(next.as_ref().map(Vec::as_slice), end.as_deref(), CHUNK)?;
            let Some((last, _)) = chunk.last() else { return Ok(()) };
            next = Bound::Excluded(last.to_vec());
            for (key, _) in chunk.iter().filter(|(key, _)| !self.writes.contains_key(&**key)) {
                if !each(key) {
                    return Ok(());
                }
            }
        }
    }

    /// All that is to be written, as the batch after the last one.
    pub(super) fn finish(mut self) -> (Vec<Write>, State) {
        self.state.totals.sequence += 1;
        self.writes.insert(keys::STATE.to_vec(), Some(encode_state(&self.state)));
        (self.writes.into_iter().collect(), self.state)
    }
}
