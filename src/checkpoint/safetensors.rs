//! Safetensors files: a JSON header, then the tensors' bytes, each in row-major order.
//!
//! The one home of the `safetensors` crate, which checks that the tensors' byte ranges follow each other without gap
//! or overlap and match their shapes. Added here: the header is checked against the limits before it is read, and the
//! ranges against the length of the file.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};

use safetensors::tensor::{Dtype as FileDtype, Metadata};

use super::file::{CheckpointSource, TensorInfo};
use super::{CheckpointError, CheckpointLimits, Dtype};

/// Bytes before the header: its length.
const LENGTH_BYTES: u64 = 8;

/// An opened file.
pub(super) struct SafetensorsFile {
    source: Box<dyn CheckpointSource>,
    /// Start and length in the file of each tensor, in the order of the index.
    ranges: Vec<(u64, usize)>,
}

/// What the header says.
pub(super) struct Index {
    pub(super) tensors: Vec<TensorInfo>,
    pub(super) metadata: BTreeMap<String, String>,
}

/// Whether a file of this length that starts with `head` may be safetensors.
pub(super) fn recognises(head: &[u8], file_bytes: u64) -> bool {
    head.first_chunk().is_some_and(|length| u64::from_le_bytes(*length) <= file_bytes) && head.get(8) == Some(&b'{')
}

/// Reads the header and checks it against the file and the limits.
pub(super) fn open(
    mut source: Box<dyn CheckpointSource>,
    limits: &CheckpointLimits,
) -> Result<(SafetensorsFile, Index), CheckpointError> {
    let file_bytes = source.seek(SeekFrom::End(0))?;
    source.seek(SeekFrom::Start(0))?;
    let mut length = [0; LENGTH_BYTES as usize];
    source.read_exact(&mut length)?;
    let header_bytes = u64::from_le_bytes(length);
    limits.check_index("safetensors header size in bytes", header_bytes)?;
    let data_start = LENGTH_BYTES + header_bytes;
    if data_start > file_bytes {
        return Err(damage("it reaches past the end of the file"));
    }
    let mut header = vec![0; usize::try_from(header_bytes).map_err(damage)?];
    source.read_exact(&mut header)?;
    let header: Metadata = serde_json::from_slice(&header).map_err(damage)?;
    let expected = data_start.checked_add(header.data_len() as u64);
    if expected != Some(file_bytes) {
        let expected = expected.unwrap_or(u64::MAX);
        return Err(damage(format!("the file has {file_bytes} bytes, expected {expected}")));
    }
    let (tensors, ranges) = index(&header, data_start, limits)?;
    let metadata = header.metadata().iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect();
    Ok((SafetensorsFile { source, ranges }, Index { tensors, metadata }))
}

impl SafetensorsFile {
    pub(super) fn read(&mut self, index: usize) -> Result<Vec<u8>, CheckpointError> {
        let (start, length) = self.ranges[index];
        self.source.seek(SeekFrom::Start(start))?;
        let mut bytes = vec![0; length];
        self.source.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

type Ranges = Vec<(u64, usize)>;

fn index(
    header: &Metadata,
    data_start: u64,
    limits: &CheckpointLimits,
) -> Result<(Vec<TensorInfo>, Ranges), CheckpointError> {
    let mut entries: Vec<_> = header.tensors().into_iter().collect();
    limits.check_tensors(entries.len() as u64)?;
    // Empty tensors share an offset; the name makes their order the same every time.
    entries.sort_by(|(a, left), (b, right)| (left.data_offsets, a).cmp(&(right.data_offsets, b)));
    let (mut tensors, mut ranges) = (Vec::new(), Vec::new());
    for (name, entry) in entries {
        let dtype = dtype(entry.dtype).ok_or_else(|| {
            CheckpointError::tensor(&name, format!("its elements are {}, which are not supported", entry.dtype))
        })?;
        let (start, end) = entry.data_offsets;
        limits.check_tensor("tensor size in bytes", (end - start) as u64)?;
        tensors.push(TensorInfo { name, dtype, shape: entry.shape.clone() });
        ranges.push((data_start + start as u64, end - start));
    }
    Ok((tensors, ranges))
}

fn dtype(dtype: FileDtype) -> Option<Dtype> {
    Some(match dtype {
        FileDtype::F32 => Dtype::F32,
        FileDtype::F16 => Dtype::F16,
        FileDtype::BF16 => Dtype::BF16,
        FileDtype::F64 => Dtype::F64,
        FileDtype::I64 => Dtype::I64,
        FileDtype::I32 => Dtype::I32,
        FileDtype::I16 => Dtype::I16,
        FileDtype::I8 => Dtype::I8,
        FileDtype::U8 => Dtype::U8,
        FileDtype::BOOL => Dtype::Bool,
        _ => return None,
    })
}

fn damage(reason: impl std::fmt::Display) -> CheckpointError {
    CheckpointError::Safetensors { reason: reason.to_string() }
}
