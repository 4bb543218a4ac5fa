//! Records: what is behind a key.
//!
//! A record is a version byte, its content, and the CRC-32 of key, version and content, little-endian: a record is
//! taken for what it is under its own key only. Content is postcard, which has no field names and no room for change:
//! whoever changes one of the types below, or one inside them, makes a new record version, and keeps reading the old
//! one. The fixture of each format tells if that was forgotten. Vectors are half floats, little-endian.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use half::f16;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::keys;
use super::state::{STATE_BYTES, State};
use super::{StoreError, StoredVector};
use crate::embedding::{Embedding, SpaceId};
use crate::library::{Asset, AssetId, FileKey, FileRecord, Root, RootId, RootRules, SegmentId};

const VERSION: u8 = 1;
const CHECKSUM_BYTES: usize = 4;
/// Asset id and number of the segment, before the values of a vector.
const VECTOR_HEAD_BYTES: usize = AssetId::BYTES + 4;

/// What is wrong with a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Flaw {
    #[error("it has {0} bytes, expected more")]
    Short(usize),
    #[error("its checksum is wrong")]
    Checksum,
    #[error("it has version {0}, expected {VERSION}")]
    Version(u8),
    #[error("its content makes no sense: {0}")]
    Content(String),
    #[error("its key makes no sense")]
    Key,
    #[error("it is missing")]
    Missing,
}

impl Flaw {
    /// The error of a record that has this flaw.
    pub(super) fn at(self, key: &[u8]) -> StoreError {
        StoreError::Damaged { key: keys::readable(key), reason: self.to_string() }
    }
}

/// Makes a record.
pub(super) fn seal(key: &[u8], content: &[u8]) -> Vec<u8> {
    let mut record = Vec::with_capacity(1 + content.len() + CHECKSUM_BYTES);
    record.push(VERSION);
    record.extend_from_slice(content);
    let checksum = checksum(key, &record);
    record.extend_from_slice(&checksum.to_le_bytes());
    record
}

/// The content of a record, once it is sure that it is what was written under `key`.
pub(super) fn unseal<'r>(key: &[u8], record: &'r [u8]) -> Result<&'r [u8], Flaw> {
    let (body, stored) = record.split_last_chunk::<CHECKSUM_BYTES>().ok_or(Flaw::Short(record.len()))?;
    if u32::from_le_bytes(*stored) != checksum(key, body) {
        return Err(Flaw::Checksum);
    }
    match body.split_first() {
        Some((&VERSION, content)) => Ok(content),
        Some((&other, _)) => Err(Flaw::Version(other)),
        None => Err(Flaw::Short(record.len())),
    }
}

/// The checksum in a record, for [`State::digest`].
pub(super) fn stored_checksum(record: &[u8]) -> u64 {
    record.last_chunk().map_or(0, |bytes| u64::from(u32::from_le_bytes(*bytes)))
}

fn checksum(key: &[u8], body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(key);
    hasher.update(body);
    hasher.finalize()
}

fn to_postcard<T: Serialize>(value: &T) -> Vec<u8> {
    postcard::to_stdvec(value).expect("plain data in memory can always be written")
}

fn from_postcard<T: DeserializeOwned>(content: &[u8]) -> Result<T, Flaw> {
    match postcard::take_from_bytes(content) {
        Ok((value, [])) => Ok(value),
        Ok((_, rest)) => Err(Flaw::Content(format!("{} bytes too many", rest.len()))),
        Err(error) => Err(Flaw::Content(error.to_string())),
    }
}

/// A root's record.
pub(super) fn encode_root(key: &[u8], root: &Root) -> Vec<u8> {
    seal(key, &to_postcard(&(path_bytes(&root.path), &root.rules, root.identity)))
}

/// The root of a record.
pub(super) fn decode_root(id: RootId, key: &[u8], record: &[u8]) -> Result<Root, Flaw> {
    let (path, rules, identity): (Vec<u8>, RootRules, _) = from_postcard(unseal(key, record)?)?;
    Ok(Root { id, path: path_of(&path), rules, identity })
}

/// What is kept in the file beside the database, so that it survives it: roots and the space.
pub(super) fn encode_surroundings(sequence: u64, space: Option<&SpaceId>, roots: &[Root]) -> Vec<u8> {
    let roots: Vec<_> =
        roots.iter().map(|root| (root.id, path_bytes(&root.path), &root.rules, root.identity)).collect();
    to_postcard(&(sequence, space, roots))
}

/// See [`encode_surroundings`].
pub(super) fn decode_surroundings(content: &[u8]) -> Result<(u64, Option<SpaceId>, Vec<Root>), Flaw> {
    type StoredRoot = (RootId, Vec<u8>, RootRules, Option<(u64, u64)>);
    type Stored = (u64, Option<SpaceId>, Vec<StoredRoot>);
    let (sequence, space, roots): Stored = from_postcard(content)?;
    let roots = roots.into_iter().map(|(id, path, rules, identity)| Root { id, path: path_of(&path), rules, identity });
    Ok((sequence, space, roots.collect()))
}

/// An asset's record.
pub(super) fn encode_asset(key: &[u8], asset: &Asset) -> Vec<u8> {
    seal(key, &to_postcard(asset))
}

/// The asset of a record.
pub(super) fn decode_asset(id: AssetId, key: &[u8], record: &[u8]) -> Result<Asset, Flaw> {
    let asset: Asset = from_postcard(unseal(key, record)?)?;
    if asset.id == id { Ok(asset) } else { Err(Flaw::Content(format!("it is of asset {}", asset.id))) }
}

/// A file's record.
pub(super) fn encode_file(key: &[u8], file: &FileRecord) -> Vec<u8> {
    seal(key, &to_postcard(file))
}

/// The file of a record.
pub(super) fn decode_file(_: &FileKey, key: &[u8], record: &[u8]) -> Result<FileRecord, Flaw> {
    from_postcard(unseal(key, record)?)
}

/// The state's record.
pub(super) fn encode_state(state: &State) -> Vec<u8> {
    seal(keys::STATE, &state.to_bytes())
}

/// The state of a record.
pub(super) fn decode_state(record: &[u8]) -> Result<State, Flaw> {
    let content = unseal(keys::STATE, record)?;
    let bytes: &[u8; STATE_BYTES] = content.try_into().map_err(|_| Flaw::Short(content.len()))?;
    Ok(State::from_bytes(bytes))
}

/// The record of the space.
pub(super) fn encode_space(space: &SpaceId) -> Vec<u8> {
    seal(keys::SPACE, &to_postcard(space))
}

/// The space of a record.
pub(super) fn decode_space(record: &[u8]) -> Result<SpaceId, Flaw> {
    from_postcard(unseal(keys::SPACE, record)?)
}

/// A format's record. It never changes: every earmark has to be able to read every other one's.
pub(super) fn encode_format(format: u32) -> Vec<u8> {
    let number = format.to_le_bytes();
    [number, checksum(keys::FORMAT, &number).to_le_bytes()].concat()
}

/// The format of a record.
pub(super) fn decode_format(record: &[u8]) -> Result<u32, Flaw> {
    let (number, stored) = record.split_first_chunk::<4>().ok_or(Flaw::Short(record.len()))?;
    let right = stored == checksum(keys::FORMAT, number).to_le_bytes();
    if right { Ok(u32::from_le_bytes(*number)) } else { Err(Flaw::Checksum) }
}

/// A vector's record, and the vector as it will be read: in half precision, back in single, of unit length.
pub(super) fn encode_vector(key: &[u8], segment: SegmentId, vector: &Embedding) -> Result<(Vec<u8>, Embedding), Flaw> {
    let mut content = Vec::with_capacity(VECTOR_HEAD_BYTES + 2 * vector.as_slice().len());
    content.extend_from_slice(segment.asset.as_bytes());
    content.extend_from_slice(&segment.ordinal.to_le_bytes());
    content.extend(vector.as_slice().iter().flat_map(|&value| f16::from_f32(value).to_le_bytes()));
    let kept = decode_values(&content[VECTOR_HEAD_BYTES..])?;
    Ok((seal(key, &content), kept))
}

/// What a vector's record belongs to, and the vector.
pub(super) fn decode_vector(key: &[u8], record: &[u8]) -> Result<(SegmentId, Embedding), Flaw> {
    let (segment, values) = open_vector(key, record)?;
    Ok((segment, decode_values(values)?))
}

/// What a vector's record belongs to, without the work of making the vector: the checksum holds for both.
pub(super) fn decode_segment(key: &[u8], record: &[u8]) -> Result<SegmentId, Flaw> {
    open_vector(key, record).map(|(segment, _)| segment)
}

fn open_vector<'r>(key: &[u8], record: &'r [u8]) -> Result<(SegmentId, &'r [u8]), Flaw> {
    let content = unseal(key, record)?;
    let (head, values) = content.split_first_chunk::<VECTOR_HEAD_BYTES>().ok_or(Flaw::Short(content.len()))?;
    let ordinal = u32::from_le_bytes(std::array::from_fn(|index| head[AssetId::BYTES + index]));
    let asset = AssetId::from_hash(std::array::from_fn(|index| head[index]));
    Ok((SegmentId { asset, ordinal }, values))
}

fn decode_values(bytes: &[u8]) -> Result<Embedding, Flaw> {
    let (pairs, []) = bytes.as_chunks::<2>() else {
        return Err(Flaw::Content(format!("{} bytes are no half floats", bytes.len())));
    };
    let values: Vec<f32> = pairs.iter().map(|&pair| f16::from_le_bytes(pair).to_f32()).collect();
    Embedding::normalized(&values).map_err(|error| Flaw::Content(error.to_string()))
}

/// Any record that a key of the four families leads to.
pub(super) enum Record {
    Root(Root),
    Asset(Box<Asset>),
    Vector(StoredVector),
    File(FileKey, FileRecord),
}

/// The record under a key.
pub(super) fn decode(key: &[u8], record: &[u8]) -> Result<Record, Flaw> {
    use keys::Key;
    Ok(match Key::parse(key).ok_or(Flaw::Key)? {
        Key::Root(id) => Record::Root(decode_root(id, key, record)?),
        Key::Asset(id) => Record::Asset(Box::new(decode_asset(id, key, record)?)),
        Key::Vector(_, slot) => {
            let (segment, vector) = decode_vector(key, record)?;
            Record::Vector(StoredVector { slot, segment, vector })
        }
        Key::File(file) => {
            let found = decode_file(&file, key, record)?;
            Record::File(file, found)
        }
    })
}

#[cfg(unix)]
fn path_bytes(path: &Path) -> &[u8] {
    std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str())
}

#[cfg(unix)]
fn path_of(bytes: &[u8]) -> PathBuf {
    <OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(bytes).into()
}

#[cfg(not(unix))]
fn path_bytes(path: &Path) -> Vec<u8> {
    path.to_string_lossy().into_owned().into_bytes()
}

#[cfg(not(unix))]
fn path_of(bytes: &[u8]) -> PathBuf {
    OsStr::new(&*String::from_utf8_lossy(bytes)).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::FileState;
    use crate::library::{FileStat, RelativePath};

    #[test]
    fn every_flipped_bit_is_noticed() {
        let file = FileRecord {
            stat: FileStat { size: 1, modified_ns: -2, inode: Some((3, 4)) },
            state: FileState::Indexed(AssetId::from_hash([5; 32])),
        };
        let name = FileKey { root: RootId(1), path: RelativePath::from_bytes(b"a.wav").unwrap() };
        let key = keys::Key::File(name.clone()).to_bytes();
        let record = encode_file(&key, &file);
        assert_eq!(decode_file(&name, &key, &record), Ok(file));
        for bit in 0..8 * record.len() {
            let mut flipped = record.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(decode_file(&name, &key, &flipped), Err(Flaw::Checksum));
        }
        assert_eq!(decode_file(&name, b"other", &record), Err(Flaw::Checksum));
        for length in 0..record.len() {
            decode_file(&name, &key, &record[..length]).unwrap_err();
        }
    }

    #[test]
    fn a_later_record_version_is_named() {
        let body = [VERSION + 1, 7];
        let record = [&body[..], &checksum(b"k", &body).to_le_bytes()].concat();
        assert_eq!(unseal(b"k", &record), Err(Flaw::Version(VERSION + 1)));
    }

    #[test]
    fn vectors_are_read_as_they_were_said_to_be() {
        let values: Vec<f32> = (0..1024).map(|index| (index as f32 * 0.7).sin()).collect();
        let vector = Embedding::normalized(&values).unwrap();
        let segment = SegmentId { asset: AssetId::from_hash([9; 32]), ordinal: 70_000 };
        let (record, kept) = encode_vector(b"v", segment, &vector).unwrap();
        assert_eq!(decode_vector(b"v", &record), Ok((segment, kept.clone())));
        assert!(kept.cosine(&vector) > 0.999_999, "{}", kept.cosine(&vector));
    }

    #[test]
    fn formats_survive_being_written_and_read() {
        for format in [1, 2, u32::MAX] {
            assert_eq!(decode_format(&encode_format(format)), Ok(format));
        }
        assert_eq!(decode_format(b"12345678"), Err(Flaw::Checksum));
        assert_eq!(decode_format(b"123"), Err(Flaw::Short(3)));
    }
}
