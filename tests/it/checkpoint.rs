//! Checkpoint files: read strictly, never executed.

mod golden;
mod hostile;
mod safetensors;
mod state_dict;
mod torchscript;
mod writer;

use std::io::Cursor;

use earmark::checkpoint::{CheckpointError, CheckpointFile, CheckpointLimits};

/// Limits that a few kB of test material stay within, and that a runaway reader would not.
fn limits() -> CheckpointLimits {
    CheckpointLimits {
        file_bytes: 1 << 20,
        index_bytes: 1 << 16,
        archive_entries: 100,
        pickle_objects: 10_000,
        tensors: 100,
        tensor_bytes: 1 << 16,
        total_bytes: 1 << 20,
    }
}

fn open(bytes: Vec<u8>) -> Result<CheckpointFile, CheckpointError> {
    CheckpointFile::from_source(Cursor::new(bytes), &limits())
}

/// What is said about a file that must be refused.
fn refusal(bytes: Vec<u8>) -> String {
    match open(bytes) {
        Ok(file) => panic!("accepted, with {} tensors", file.tensors().len()),
        Err(error) => error.to_string(),
    }
}

fn names(file: &CheckpointFile) -> Vec<&str> {
    file.tensors().iter().map(|tensor| tensor.name.as_str()).collect()
}
