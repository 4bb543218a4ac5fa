//! A checkpoint file of any known format: recognised, listed, and read one tensor at a time.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use super::archive::Archive;
use super::safetensors::{self, Index, SafetensorsFile};
use super::view::TensorView;
use super::{CheckpointError, CheckpointLimits, Dtype, pickle, record, state_dict, torchscript};

/// Where a checkpoint is read from: a file, or bytes in memory.
pub trait CheckpointSource: Read + Seek + Send {}

impl<T: Read + Seek + Send> CheckpointSource for T {}

/// The format of a checkpoint file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckpointFormat {
    /// `torch.save(model.state_dict(), path)`, zip-based.
    StateDict,
    /// `torch.jit.save(module, path)`, such as OpenAI's own CLIP files.
    TorchScript,
    /// Hugging Face's safetensors.
    Safetensors,
}

impl std::fmt::Display for CheckpointFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::StateDict => "PyTorch state dict",
            Self::TorchScript => "TorchScript archive",
            Self::Safetensors => "safetensors",
        })
    }
}

/// What is known of a tensor before it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    /// Its name, e.g. `visual.layer1.0.conv1.weight`; unique in the file.
    pub name: String,
    /// The type of its elements.
    pub dtype: Dtype,
    /// Its extents, slowest first; empty for a scalar.
    pub shape: Vec<usize>,
}

/// An opened checkpoint file. Holds the list of tensors; their content stays in the file until asked for.
pub struct CheckpointFile {
    format: CheckpointFormat,
    tensors: Vec<TensorInfo>,
    positions: HashMap<String, usize>,
    metadata: BTreeMap<String, String>,
    content: Content,
}

enum Content {
    /// Views and the archive entries of their storages, in the order of the list.
    Archive(Archive, Vec<(TensorView, usize)>),
    Safetensors(SafetensorsFile),
}

impl CheckpointFile {
    /// Opens a file, recognises its format by its content, and reads its list of tensors.
    ///
    /// A PyTorch state dict may be bare or the only entry of a dict, under `state_dict`, `model_state_dict` or `model`.
    /// From a TorchScript archive come the parameters and buffers that the module's `state_dict()` would hold, without
    /// the three integers that OpenAI keeps among them. Anything else in a pickle is refused by name.
    pub fn open(path: &Path, limits: &CheckpointLimits) -> Result<Self, CheckpointError> {
        Self::from_source(BufReader::new(File::open(path)?), limits)
    }

    /// Like [`open`](Self::open), from anything that can be read and sought.
    pub fn from_source(
        source: impl CheckpointSource + 'static,
        limits: &CheckpointLimits,
    ) -> Result<Self, CheckpointError> {
        let mut source: Box<dyn CheckpointSource> = Box::new(source);
        let file_bytes = source.seek(SeekFrom::End(0))?;
        limits.check_file(file_bytes)?;
        source.seek(SeekFrom::Start(0))?;
        let mut head = Vec::new();
        (&mut source).take(HEAD_BYTES).read_to_end(&mut head)?;
        if head.starts_with(b"PK\x03\x04") {
            Self::from_archive(source, limits)
        } else if safetensors::recognises(&head, file_bytes) {
            let (file, index) = safetensors::open(source, limits)?;
            Self::new(CheckpointFormat::Safetensors, index, Content::Safetensors(file), limits)
        } else {
            Err(unknown(&head))
        }
    }

    fn from_archive(source: Box<dyn CheckpointSource>, limits: &CheckpointLimits) -> Result<Self, CheckpointError> {
        let mut archive = Archive::open(source, limits)?;
        let read = |archive: &mut Archive, name| match archive.find(name) {
            Some(entry) => {
                limits.check_index("size of an archive's index in bytes", archive.size(entry)?)?;
                archive.read(entry).map(Some)
            }
            None => Ok(None),
        };
        if read(&mut archive, "byteorder")?.is_some_and(|order| order.trim_ascii() != b"little") {
            return Err(CheckpointError::BigEndian);
        }
        let pickle = read(&mut archive, "data.pkl")?.ok_or_else(|| CheckpointError::layout("it holds no data.pkl"))?;
        let (format, named) = if archive.find("constants.pkl").is_some() {
            let graph = pickle::read(&pickle, torchscript::allowed, limits)?;
            (CheckpointFormat::TorchScript, torchscript::tensors(&graph, limits)?)
        } else {
            let graph = pickle::read(&pickle, record::allowed, limits)?;
            (CheckpointFormat::StateDict, state_dict::tensors(&graph, limits)?)
        };
        let mut tensors = Vec::with_capacity(named.len());
        let mut views = Vec::with_capacity(named.len());
        for (name, view) in named {
            let entry = storage_entry(&mut archive, &name, &view)?;
            tensors.push(TensorInfo { name, dtype: view.storage.dtype, shape: view.shape.clone() });
            views.push((view, entry));
        }
        Self::new(format, Index { tensors, metadata: BTreeMap::new() }, Content::Archive(archive, views), limits)
    }

    fn new(
        format: CheckpointFormat,
        index: Index,
        content: Content,
        limits: &CheckpointLimits,
    ) -> Result<Self, CheckpointError> {
        let Index { tensors, metadata } = index;
        let mut positions = HashMap::with_capacity(tensors.len());
        let mut total = 0_u64;
        for (position, tensor) in tensors.iter().enumerate() {
            if positions.insert(tensor.name.clone(), position).is_some() {
                return Err(CheckpointError::tensor(&tensor.name, "it is there twice"));
            }
            total = total.saturating_add(tensor.bytes() as u64);
        }
        limits.check_total(total)?;
        Ok(Self { format, tensors, positions, metadata, content })
    }

    /// The format that was recognised.
    pub fn format(&self) -> CheckpointFormat {
        self.format
    }

    /// All tensors, in the order of the file.
    pub fn tensors(&self) -> &[TensorInfo] {
        &self.tensors
    }

    /// The tensor of this name.
    pub fn tensor(&self, name: &str) -> Option<&TensorInfo> {
        self.positions.get(name).map(|position| &self.tensors[*position])
    }

    /// The free-form strings of a safetensors header; empty for the other formats.
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.metadata
    }

    /// The content of one tensor: little-endian, row-major, without gaps.
    pub fn read(&mut self, name: &str) -> Result<Vec<u8>, CheckpointError> {
        let position = *self.positions.get(name).ok_or_else(|| CheckpointError::NoSuchTensor(name.to_owned()))?;
        match &mut self.content {
            Content::Safetensors(file) => file.read(position),
            Content::Archive(archive, views) => {
                let (view, entry) = &views[position];
                let stretch = if view.is_whole_storage() {
                    archive.read(*entry)?
                } else {
                    let (start, length) = view.stretch();
                    archive.read_range(*entry, start as u64, length)?
                };
                Ok(view.gather(stretch))
            }
        }
    }

    /// The content of one floating-point tensor as f32 in row-major order; F64 is rounded.
    pub fn read_f32(&mut self, name: &str) -> Result<Vec<f32>, CheckpointError> {
        let bytes = self.read(name)?;
        let dtype = self.tensors[self.positions[name]].dtype;
        dtype.to_f32(&bytes).ok_or_else(|| CheckpointError::NotFloating { tensor: name.to_owned(), dtype })
    }
}

impl TensorInfo {
    /// Number of elements; 1 for a scalar.
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }

    /// Size of the content.
    pub fn bytes(&self) -> usize {
        self.elements() * self.dtype.size()
    }
}

/// Finds the entry that a view reads from, and checks that it has the declared size.
fn storage_entry(archive: &mut Archive, tensor: &str, view: &TensorView) -> Result<usize, CheckpointError> {
    let key = super::error::shorten(&view.storage.key);
    let entry = archive
        .find(&format!("data/{}", view.storage.key))
        .ok_or_else(|| CheckpointError::tensor(tensor, format!("its storage {key:?} is not in the archive")))?;
    let (actual, expected) = (archive.size(entry)?, view.storage.bytes());
    if Some(actual) != expected {
        let expected = expected.unwrap_or(u64::MAX);
        let reason = format!("its storage {key:?} has {actual} bytes, expected {expected}");
        return Err(CheckpointError::tensor(tensor, reason));
    }
    Ok(entry)
}

/// Enough of a file's start to tell the formats apart; tar's mark is the last to come.
const HEAD_BYTES: u64 = 265;

fn unknown(head: &[u8]) -> CheckpointError {
    if head.get(257..262) == Some(b"ustar") {
        CheckpointError::LegacyFormat("tar format")
    } else if head.first() == Some(&0x80) && head.get(1).is_some_and(|protocol| (2..=5).contains(protocol)) {
        CheckpointError::LegacyFormat("format from before zip files")
    } else if head.is_empty() {
        CheckpointError::UnknownFormat("it is empty")
    } else if head.starts_with(b"version https://git-lfs") {
        CheckpointError::UnknownFormat("it is a Git LFS pointer, so the real file still has to be fetched")
    } else {
        CheckpointError::UnknownFormat("its first bytes are unfamiliar")
    }
}
