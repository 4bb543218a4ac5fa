//! Why a checkpoint file could not be read, in variants a caller can act on.

/// Why a checkpoint file could not be read. The path is added by whoever knows it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The file could not be opened or read.
    #[error("cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// The content is of no format this reader knows.
    #[error("not a checkpoint: {0}; expected a PyTorch zip file, a TorchScript archive or safetensors")]
    UnknownFormat(&'static str),
    /// The content is of a PyTorch format from before 2020.
    #[error(
        "saved in PyTorch's {0}; load it in PyTorch 1.6 or later and save it again: \
         torch.save(model.state_dict(), path)"
    )]
    LegacyFormat(&'static str),
    /// The zip archive is cut short, inconsistent or corrupt.
    #[error("damaged archive: {reason}; download or copy the file again")]
    Archive {
        /// What is wrong with it.
        reason: String,
    },
    /// The zip archive is sound, and not as PyTorch writes it.
    #[error("not an archive as PyTorch writes it: {reason}")]
    Layout {
        /// What is missing or in the way.
        reason: String,
    },
    /// The tensors were saved on a big-endian machine.
    #[error("tensors are big-endian; load the file in PyTorch and save it again on a little-endian machine")]
    BigEndian,
    /// The pickle breaks the rules of its format.
    #[error("damaged pickle: {reason} at byte {offset}")]
    Pickle {
        /// Where in the pickle.
        offset: usize,
        /// What is wrong.
        reason: String,
    },
    /// The pickle uses an instruction that weights have no need of.
    #[error(
        "refused: pickle instruction {name} (0x{opcode:02x}) at byte {offset}; \
         save only the weights, with pickle protocol 2 to 5: torch.save(model.state_dict(), path)"
    )]
    RefusedOpcode {
        /// Where in the pickle.
        offset: usize,
        /// The instruction.
        opcode: u8,
        /// Its name in Python's `pickletools`, or "unknown".
        name: &'static str,
    },
    /// The pickle asks for a class or function that weights have no need of.
    #[error(
        "refused: the pickle asks for {module}.{name}, and nothing in a pickle is ever called; \
         save only the weights: torch.save(model.state_dict(), path)"
    )]
    RefusedGlobal {
        /// The Python module.
        module: String,
        /// The class or function in it.
        name: String,
    },
    /// An entry is something other than a tensor.
    #[error("refused: entry {key:?} is {found}, not a tensor; save only the weights: torch.save(weights, path)")]
    RefusedEntry {
        /// The entry's key or dotted name.
        key: String,
        /// What it is.
        found: String,
    },
    /// A tensor record contradicts itself or its storage.
    #[error("damaged tensor {tensor:?}: {reason}")]
    Tensor {
        /// The tensor's name.
        tensor: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The safetensors header contradicts itself or the file.
    #[error("damaged safetensors header: {reason}; download or copy the file again")]
    Safetensors {
        /// What is wrong with it.
        reason: String,
    },
    /// No tensor of this name is in the file.
    #[error("no tensor {0:?} in the file")]
    NoSuchTensor(String),
    /// Numbers were asked for, and the tensor does not hold floating-point ones.
    #[error("tensor {tensor:?} holds {dtype}, expected a floating-point type")]
    NotFloating {
        /// The tensor's name.
        tensor: String,
        /// What it holds.
        dtype: super::Dtype,
    },
    /// A limit would be exceeded; found before memory was asked for.
    #[error("too large: {what} is {actual}, the limit is {limit} (raise {key} in the configuration)")]
    TooLarge {
        /// The quantity, e.g. "number of tensors".
        what: &'static str,
        /// What the file says.
        actual: u64,
        /// What is allowed.
        limit: u64,
        /// The configuration key of the limit.
        key: &'static str,
    },
}

impl CheckpointError {
    pub(super) fn archive(reason: impl std::fmt::Display) -> Self {
        Self::Archive { reason: reason.to_string() }
    }

    pub(super) fn layout(reason: impl Into<String>) -> Self {
        Self::Layout { reason: reason.into() }
    }

    pub(super) fn tensor(tensor: &str, reason: impl Into<String>) -> Self {
        Self::Tensor { tensor: shorten(tensor), reason: reason.into() }
    }

    pub(super) fn entry(key: &str, found: impl Into<String>) -> Self {
        Self::RefusedEntry { key: shorten(key), found: found.into() }
    }

    pub(super) fn global(module: &str, name: &str) -> Self {
        Self::RefusedGlobal { module: shorten(module), name: shorten(name) }
    }
}

/// Names come from the file: a hostile one must not flood the log nor write control characters to a terminal.
pub(super) fn shorten(name: &str) -> String {
    const SHOWN_CHARS: usize = 120;
    let mut shown: String =
        name.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).take(SHOWN_CHARS).collect();
    if name.chars().nth(SHOWN_CHARS).is_some() {
        shown.push('…');
    }
    shown
}
