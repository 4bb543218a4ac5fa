//! Opens a checkpoint and reads every tensor, within limits far below what the fuzzer may allocate.

use std::io::Cursor;

use earmark::checkpoint::{CheckpointFile, CheckpointLimits};

pub fn check(bytes: Vec<u8>) {
    let limits = CheckpointLimits {
        file_bytes: 1 << 20,
        index_bytes: 1 << 16,
        archive_entries: 100,
        pickle_objects: 10_000,
        tensors: 100,
        tensor_bytes: 1 << 16,
        total_bytes: 1 << 20,
    };
    let Ok(mut file) = CheckpointFile::from_source(Cursor::new(bytes), &limits) else { return };
    assert!(file.tensors().len() as u64 <= limits.tensors);
    for tensor in file.tensors().to_vec() {
        if let Ok(content) = file.read(&tensor.name) {
            assert_eq!(content.len(), tensor.bytes());
            assert!(content.len() as u64 <= limits.tensor_bytes);
        }
    }
}
