//! What a checkpoint file may cost.

use super::CheckpointError;

/// What a checkpoint file may cost. Exceeding any of them is [`CheckpointError::TooLarge`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointLimits {
    /// Size of the file on disk.
    pub file_bytes: u64,
    /// Size of the part that describes the tensors: the pickle, the zip directory, the safetensors header.
    pub index_bytes: u64,
    /// Entries of a zip archive.
    pub archive_entries: u64,
    /// Values in a pickle.
    pub pickle_objects: u64,
    /// Tensors in a file.
    pub tensors: u64,
    /// Size of one tensor, and of the stretch of storage that a strided view picks its elements from.
    pub tensor_bytes: u64,
    /// Size of all tensors together. Differs from `file_bytes` where tensors share or repeat storage.
    pub total_bytes: u64,
}

impl Default for CheckpointLimits {
    /// Room for models some ten times larger than AudioCLIP (861 tensors, 537 MB, the largest tensor 101 MB).
    fn default() -> Self {
        Self {
            file_bytes: 8 << 30,
            index_bytes: 8 << 20,
            archive_entries: 1 << 16,
            pickle_objects: 1 << 20,
            tensors: 1 << 14,
            tensor_bytes: 1 << 30,
            total_bytes: 8 << 30,
        }
    }
}

impl CheckpointLimits {
    pub(super) fn check_file(&self, bytes: u64) -> Result<(), CheckpointError> {
        check("file size in bytes", bytes, self.file_bytes, "limits.checkpoint.file_bytes")
    }

    pub(super) fn check_index(&self, what: &'static str, bytes: u64) -> Result<(), CheckpointError> {
        check(what, bytes, self.index_bytes, "limits.checkpoint.index_bytes")
    }

    pub(super) fn check_entries(&self, entries: u64) -> Result<(), CheckpointError> {
        check("number of archive entries", entries, self.archive_entries, "limits.checkpoint.archive_entries")
    }

    pub(super) fn check_objects(&self, objects: u64) -> Result<(), CheckpointError> {
        check("number of pickled values", objects, self.pickle_objects, "limits.checkpoint.pickle_objects")
    }

    pub(super) fn check_tensors(&self, tensors: u64) -> Result<(), CheckpointError> {
        check("number of tensors", tensors, self.tensors, "limits.checkpoint.tensors")
    }

    pub(super) fn check_tensor(&self, what: &'static str, bytes: u64) -> Result<(), CheckpointError> {
        check(what, bytes, self.tensor_bytes, "limits.checkpoint.tensor_bytes")
    }

    pub(super) fn check_total(&self, bytes: u64) -> Result<(), CheckpointError> {
        check("size of all tensors in bytes", bytes, self.total_bytes, "limits.checkpoint.total_bytes")
    }
}

fn check(what: &'static str, actual: u64, limit: u64, key: &'static str) -> Result<(), CheckpointError> {
    if actual > limit { Err(CheckpointError::TooLarge { what, actual, limit, key }) } else { Ok(()) }
}
