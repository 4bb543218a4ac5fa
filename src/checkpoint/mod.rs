//! Checkpoint files, read strictly and never executed.
//!
//! [`CheckpointFile::open`] recognises a PyTorch state dict (zip), a TorchScript archive and safetensors by their
//! content, lists the tensors, and hands out one at a time as plain little-endian bytes in row-major order.
//!
//! Owns the file formats, the restricted pickle reader, and the limits on what a file may cost.
//! Invariants: nothing named in a pickle is ever called, only tensor records are interpreted, and everything else is
//! refused by name; a length found in a file is checked against [`CheckpointLimits`] and against the file itself before
//! memory is asked for. Does not know which tensors a model needs, nor where the files come from.

mod archive;
mod dtype;
mod error;
mod file;
mod limits;
mod pickle;
pub mod pull;
mod record;
mod safetensors;
mod state_dict;
mod torchscript;
mod view;

pub use dtype::Dtype;
pub use error::CheckpointError;
pub use file::{CheckpointFile, CheckpointFormat, CheckpointSource, TensorInfo};
pub use limits::CheckpointLimits;
