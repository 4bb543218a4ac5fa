//! The ledger: what the store must have, told by somebody else than sled.
//!
//! A damaged database may open as if nothing were missing. The ledger is a file beside it to which the state of the
//! store is appended after every batch that is on disk; so the store is never behind it, unless it lost something.
//! Layout: a head (magic, format, CRC-32), then records of one size (state, CRC-32 over magic and state). It begins
//! anew when it grows long, because only the last record counts.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::durable::{self, at};
use super::state::{STATE_BYTES, State};
use super::{FORMAT, StoreError};

const NAME: &str = "ledger";
const MAGIC: &[u8; 8] = b"EARMLEDG";
const HEAD_BYTES: usize = 16;
const RECORD_BYTES: usize = STATE_BYTES + 4;
const LONGEST_BYTES: u64 = 1 << 20;

/// The ledger of an open store.
pub(super) struct Ledger {
    path: PathBuf,
    file: File,
    bytes: u64,
}

/// What an earlier run wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Account {
    /// The last state that can be read.
    pub(super) last: Option<State>,
    /// Something before the end cannot be. A torn end is nothing: a kill leaves that.
    pub(super) damaged: bool,
}

impl Account {
    /// Reads the ledger of a data directory.
    pub(super) fn read(directory: &Path) -> Result<Self, StoreError> {
        let Some(bytes) = durable::read(&directory.join(NAME))? else { return Ok(Self::default()) };
        let (head, records) = bytes.split_at(bytes.len().min(HEAD_BYTES));
        let whole_head = match head_format(head) {
            Some(found) if found > FORMAT => {
                return Err(StoreError::NewerFormat { path: directory.into(), found, known: FORMAT });
            }
            format => format.is_some(),
        };
        let records: Vec<Option<State>> = records.chunks(RECORD_BYTES).map(read_record).collect();
        let last = records.iter().flatten().max_by_key(|state| state.totals.sequence).copied();
        let torn_end = records.iter().rev().take_while(|record| record.is_none()).count();
        let unreadable = records.iter().filter(|record| record.is_none()).count();
        Ok(Self { last, damaged: !whole_head || unreadable > torn_end.min(1) })
    }
}

impl Ledger {
    /// Begins anew, with one state.
    pub(super) fn begin(directory: &Path, state: &State) -> Result<Self, StoreError> {
        let path = directory.join(NAME);
        let (file, bytes) = begin(&path, state)?;
        Ok(Self { path, file, bytes })
    }

    /// Adds a state; on disk when it returns.
    pub(super) fn append(&mut self, state: &State) -> Result<(), StoreError> {
        if self.bytes + RECORD_BYTES as u64 > LONGEST_BYTES {
            (self.file, self.bytes) = begin(&self.path, state)?;
            return Ok(());
        }
        let mut write = || -> io::Result<()> {
            self.file.write_all(&record(state))?;
            self.file.sync_data()
        };
        write().map_err(at(&self.path))?;
        self.bytes += RECORD_BYTES as u64;
        Ok(())
    }
}

/// Bytes of a data directory's ledger.
pub(super) fn size(directory: &Path) -> Result<u64, StoreError> {
    durable::size(&directory.join(NAME))
}

fn begin(path: &Path, state: &State) -> Result<(File, u64), StoreError> {
    let bytes = [&head()[..], &record(state)].concat();
    durable::replace(path, &bytes)?;
    let file = OpenOptions::new().append(true).open(path).map_err(at(path))?;
    Ok((file, bytes.len() as u64))
}

fn head() -> Vec<u8> {
    let head = [&MAGIC[..], &FORMAT.to_le_bytes()].concat();
    let checksum = crc32fast::hash(&head);
    [head, checksum.to_le_bytes().to_vec()].concat()
}

fn head_format(head: &[u8]) -> Option<u32> {
    let (body, stored) = head.split_last_chunk::<4>()?;
    let format = body.strip_prefix(MAGIC)?.try_into().ok()?;
    (crc32fast::hash(body).to_le_bytes() == *stored).then(|| u32::from_le_bytes(format))
}

fn record(state: &State) -> [u8; RECORD_BYTES] {
    let state = state.to_bytes();
    let mut record = [0; RECORD_BYTES];
    record[..STATE_BYTES].copy_from_slice(&state);
    record[STATE_BYTES..].copy_from_slice(&checksum(&state).to_le_bytes());
    record
}

fn read_record(bytes: &[u8]) -> Option<State> {
    let bytes: &[u8; RECORD_BYTES] = bytes.try_into().ok()?;
    let (state, stored) = bytes.split_first_chunk::<STATE_BYTES>()?;
    (checksum(state).to_le_bytes() == *stored).then(|| State::from_bytes(state))
}

fn checksum(state: &[u8; STATE_BYTES]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(MAGIC);
    hasher.update(state);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn state(sequence: u64) -> State {
        let mut state = State { digest: sequence * 3, ..State::default() };
        state.totals.sequence = sequence;
        state
    }

    /// A ledger with the states 1 to `last`, and its path.
    fn ledger(directory: &Path, last: u64) -> PathBuf {
        let mut ledger = Ledger::begin(directory, &state(1)).unwrap();
        (2..=last).for_each(|sequence| ledger.append(&state(sequence)).unwrap());
        ledger.path
    }

    #[test]
    fn the_last_state_is_read() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(Account::read(directory.path()).unwrap(), Account::default());
        ledger(directory.path(), 5);
        assert_eq!(Account::read(directory.path()).unwrap(), Account { last: Some(state(5)), damaged: false });
    }

    #[test]
    fn a_torn_end_is_no_damage_and_everything_else_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = ledger(directory.path(), 3);
        let whole = fs::read(&path).unwrap();
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            let account = Account::read(directory.path()).unwrap();
            let records = length.saturating_sub(HEAD_BYTES) / RECORD_BYTES;
            let last = (records > 0).then(|| state(records as u64));
            assert_eq!(account, Account { last, damaged: length < HEAD_BYTES }, "{length}");
        }
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 4;
            fs::write(&path, &flipped).unwrap();
            let account = Account::read(directory.path()).unwrap();
            let in_last = at >= whole.len() - RECORD_BYTES;
            let expected = Account { last: Some(state(if in_last { 2 } else { 3 })), damaged: !in_last };
            assert_eq!(account, expected, "{at}");
        }
    }

    #[test]
    fn it_begins_anew_when_it_is_long() {
        let directory = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::begin(directory.path(), &state(1)).unwrap();
        ledger.bytes = LONGEST_BYTES;
        ledger.append(&state(2)).unwrap();
        ledger.append(&state(3)).unwrap();
        assert_eq!(Account::read(directory.path()).unwrap(), Account { last: Some(state(3)), damaged: false });
        assert_eq!(size(directory.path()).unwrap(), (HEAD_BYTES + 2 * RECORD_BYTES) as u64);
    }

    #[test]
    fn a_newer_format_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = ledger(directory.path(), 1);
        let mut bytes = fs::read(&path).unwrap();
        bytes[8] = 9;
        let checksum = crc32fast::hash(&bytes[..12]).to_le_bytes();
        bytes[12..16].copy_from_slice(&checksum);
        fs::write(&path, bytes).unwrap();
        let refused = Account::read(directory.path()).unwrap_err();
        assert!(matches!(refused, StoreError::NewerFormat { found: 9, known: FORMAT, .. }), "{refused}");
    }
}
