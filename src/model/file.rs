//! The model file: safetensors with earmark's metadata, whose every byte is vouched for by a digest.
//!
//! Layout: the tensors of the schema, ordered by type and name, as little-endian f32 (i64 for counters, and f16 for
//! weights if [`Weights`] says so), packed without gaps; in the header's `__metadata__` one key, `earmark`, holds
//! [`Metadata`] as JSON.
//! Invariant: a model whose weights, configuration or header differ from what was imported never loads.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

use safetensors::tensor::TensorInfo;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::config::{ModelConfig, Shapes};
use super::error::{Defect, Defects, ModelError};
use super::precision::{Agreement, Precision};
use super::schema::{self, TensorSpec};
use super::storage::{Stored, Weights};
use super::weights;
use crate::embedding::SpaceId;
use crate::preprocess;

/// Version of the metadata below.
const FORMAT_VERSION: u32 = 1;
/// Longest header read, several hundred times that of the published model.
const MAX_HEADER_BYTES: u64 = 64 << 20;
/// Where the metadata stands in the header of a safetensors file.
pub const METADATA_KEY: &str = "earmark";
const HEADER_LENGTH_BYTES: u64 = 8;

/// What a model file says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// Version of this structure.
    pub format: u32,
    /// Dimensions of the towers.
    pub config: ModelConfig,
    /// What the model is run in.
    pub dtype: Precision,
    /// What its weights are stored as.
    #[serde(default, skip_serializing_if = "Weights::is_usual")]
    pub weights: Weights,
    /// How near vectors in half precision are to f32's, where the model is to be run in it. Measured at the import.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub half: Option<Agreement>,
    /// Version of the preprocessing that inputs of this model go through.
    pub preprocessing: u32,
    /// Name of the file that was imported.
    pub source_name: String,
    /// SHA-256 of the file that was imported, in hex.
    pub source_sha256: String,
    /// SHA-256 of the tensor data: everything behind the header.
    pub data_sha256: String,
    /// The embedding space: a digest over all that determines a vector.
    pub space: SpaceId,
    /// SHA-256 of this structure without this field, in hex.
    pub digest: String,
}

/// Where a model came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Name of the checkpoint file.
    pub name: String,
    /// SHA-256 of the checkpoint file, in hex.
    pub sha256: String,
}

/// A model that is to be written.
#[derive(Debug, Clone)]
pub struct Draft<'a> {
    /// Its dimensions.
    pub config: &'a ModelConfig,
    /// Where it comes from.
    pub source: &'a Source,
    /// What its weights are to be stored as.
    pub weights: Weights,
    /// How near vectors in half precision are to f32's, if it is to be run in it.
    pub half: Option<Agreement>,
}

impl Metadata {
    fn new(draft: &Draft<'_>, data_sha256: String) -> Self {
        let Draft { config, source, weights, half } = draft;
        let mut metadata = Self {
            format: FORMAT_VERSION,
            config: (*config).clone(),
            dtype: if half.is_some() { Precision::Half } else { Precision::Single },
            weights: *weights,
            half: *half,
            preprocessing: preprocess::VERSION,
            source_name: source.name.clone(),
            source_sha256: source.sha256.clone(),
            data_sha256,
            space: SpaceId::from_digest("0".repeat(64)),
            digest: String::new(),
        };
        metadata.space = metadata.derive_space();
        metadata.digest = metadata.derive_digest();
        metadata
    }

    fn derive_space(&self) -> SpaceId {
        let config = serde_json::to_string(&self.config).expect("a configuration is plain data");
        let Self { dtype, preprocessing, data_sha256, weights, .. } = self;
        let mut text =
            format!("earmark space 1\n{config}\n{data_sha256}\npreprocessing {preprocessing}\ndtype {dtype}\n");
        if !weights.is_usual() {
            text.push_str(&format!("weights {weights}\n"));
        }
        SpaceId::from_digest(hex(&Sha256::digest(text)))
    }

    fn derive_digest(&self) -> String {
        let undigested = Self { digest: String::new(), ..self.clone() };
        hex(&Sha256::digest(serde_json::to_string(&undigested).expect("metadata is plain data")))
    }

    /// Refuses metadata that contradicts itself or this build.
    fn check(&self) -> Result<(), ModelError> {
        if self.format != FORMAT_VERSION {
            return Err(ModelError::NotAModel(format!(
                "its metadata has version {}, this earmark reads version {FORMAT_VERSION}",
                self.format
            )));
        }
        if let Some(defect) = self.config.defect() {
            return Err(ModelError::Damaged(format!("impossible configuration: {defect}")));
        }
        if (self.dtype == Precision::Half) != self.half.is_some() {
            return Err(ModelError::Damaged(
                "half precision is stated without what it does, or the other way round".into(),
            ));
        }
        if self.space != self.derive_space() || self.digest != self.derive_digest() {
            return Err(ModelError::Damaged("the metadata does not match its own digest".into()));
        }
        if self.preprocessing != preprocess::VERSION {
            return Err(ModelError::Preprocessing { found: self.preprocessing, expected: preprocess::VERSION });
        }
        Ok(())
    }
}

/// An opened model file, of which only the header has been read.
pub struct ModelFile {
    metadata: Metadata,
    /// Tensors in file order.
    tensors: Vec<(TensorSpec, Stored)>,
    data: Box<dyn Read + Send>,
}

impl ModelFile {
    /// Opens a file and checks its header: metadata, names, shapes, types and length, but not yet the data.
    pub fn open(path: &Path) -> Result<Self, ModelError> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        Self::from_reader(BufReader::with_capacity(1 << 20, file), length)
    }

    /// As [`Self::open`], of `length` bytes that come from anywhere.
    pub fn from_reader(mut data: impl Read + Send + 'static, length: u64) -> Result<Self, ModelError> {
        let header = read_header(&mut data, length)?;
        let parsed: safetensors::tensor::Metadata = serde_json::from_slice(&header[HEADER_LENGTH_BYTES as usize..])
            .map_err(|error| ModelError::NotAModel(format!("no safetensors header: {error}")))?;
        let described = parsed.metadata().as_ref().and_then(|map| map.get(METADATA_KEY));
        let described = described.ok_or_else(|| ModelError::NotAModel("it has no earmark metadata".into()))?;
        let metadata: Metadata = serde_json::from_str(described)
            .map_err(|error| ModelError::NotAModel(format!("unreadable metadata: {error}")))?;
        metadata.check()?;
        let tensors = check_header(&metadata, &parsed.tensors())?;
        // What has a meaning was checked above; this is for what has none, down to the padding.
        if header != encode_header(&tensors, &metadata) {
            return Err(ModelError::Damaged("the header is not as it was written".into()));
        }
        let expected = header.len() as u64 + tensors.iter().map(|(spec, stored)| stored.bytes(spec)).sum::<u64>();
        if length != expected {
            return Err(ModelError::Damaged(format!("it has {length} bytes, expected {expected}")));
        }
        Ok(Self { metadata, tensors, data: Box::new(data) })
    }

    /// What the file says of itself.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Numbers in the model, counters and the window not included.
    pub fn parameters(&self) -> usize {
        schema::parameters(self.tensors.iter().map(|(spec, _)| spec))
    }

    /// Reads all tensors but the counters, giving each to `keep`, and checks values and digest on the way.
    ///
    /// On an error what `keep` has been given must not be used.
    pub fn read(
        mut self,
        mut keep: impl FnMut(TensorSpec, Vec<f32>) -> Result<(), ModelError>,
    ) -> Result<(), ModelError> {
        let mut digest = Sha256::new();
        let mut defects = Defects::default();
        let mut bytes = Vec::new();
        for (spec, stored) in self.tensors {
            bytes.clear();
            (&mut self.data).take(stored.bytes(&spec)).read_to_end(&mut bytes)?;
            digest.update(&bytes);
            let Some(values) = stored.values(&bytes) else { continue };
            match weights::check_values(&spec, &values) {
                Some(defect) => defects.0.push(defect),
                None => keep(spec, values)?,
            }
        }
        if hex(&digest.finalize()) != self.metadata.data_sha256 {
            return Err(ModelError::Damaged("the tensor data does not match its digest".into()));
        }
        defects.into_result()
    }
}

/// Writes a model file; `tensor` gives the little-endian bytes of each tensor of the schema, in f32 or i64.
///
/// Returns what was written of the model. The caller sees to atomicity and durability.
pub fn write(
    file: &mut (impl Write + Seek),
    draft: &Draft<'_>,
    mut tensor: impl FnMut(&TensorSpec) -> Result<Vec<u8>, ModelError>,
) -> Result<Metadata, ModelError> {
    let tensors = file_order(draft.config, draft.weights);
    // The digest is known only after the data, and has the same length whatever it is: write, then overwrite.
    let placeholder = Metadata::new(draft, "0".repeat(64));
    file.write_all(&encode_header(&tensors, &placeholder))?;
    let mut digest = Sha256::new();
    let mut defects = Defects::default();
    for (spec, stored) in &tensors {
        let bytes = match stored.encode(spec, tensor(spec)?) {
            Ok(bytes) => bytes,
            Err(defect) => {
                defects.0.push(defect);
                continue;
            }
        };
        defects.0.extend(stored.values(&bytes).and_then(|values| weights::check_values(spec, &values)));
        digest.update(&bytes);
        file.write_all(&bytes)?;
    }
    defects.into_result()?;
    let metadata = Metadata::new(draft, hex(&digest.finalize()));
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&encode_header(&tensors, &metadata))?;
    Ok(metadata)
}

/// The metadata of a model file, for whoever reads one as a mere checkpoint.
pub fn stated(metadata: &str) -> Result<Metadata, ModelError> {
    let metadata: Metadata = serde_json::from_str(metadata)
        .map_err(|error| ModelError::NotAModel(format!("unreadable metadata: {error}")))?;
    metadata.check()?;
    Ok(metadata)
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Wider types first, so that every tensor is aligned; then by name.
fn file_order(config: &ModelConfig, weights: Weights) -> Vec<(TensorSpec, Stored)> {
    let typed = |spec: TensorSpec| {
        let stored = weights.stored_as(&spec);
        (spec, stored)
    };
    let mut tensors: Vec<_> = schema::tensors(config).into_iter().map(typed).collect();
    tensors.sort_by(|(a, a_stored), (b, b_stored)| (a_stored, &a.name).cmp(&(b_stored, &b.name)));
    tensors
}

/// The length and JSON of a safetensors header, padded with spaces to a multiple of eight bytes.
fn encode_header(tensors: &[(TensorSpec, Stored)], metadata: &Metadata) -> Vec<u8> {
    let metadata = serde_json::to_string(metadata).expect("metadata is plain data");
    let mut entries = serde_json::Map::new();
    entries.insert("__metadata__".into(), serde_json::json!({ METADATA_KEY: metadata }));
    let mut offset = 0;
    for (spec, stored) in tensors {
        let end = offset + stored.bytes(spec);
        let entry = serde_json::json!({ "dtype": stored.dtype(), "shape": spec.shape, "data_offsets": [offset, end] });
        entries.insert(spec.name.clone(), entry);
        offset = end;
    }
    let mut json = serde_json::to_vec(&entries).expect("a header is plain data");
    json.resize(json.len().next_multiple_of(8), b' ');
    let mut header = (json.len() as u64).to_le_bytes().to_vec();
    header.extend(json);
    header
}

/// The length field and the header itself.
fn read_header(file: &mut impl Read, file_bytes: u64) -> Result<Vec<u8>, ModelError> {
    let too_short = || ModelError::NotAModel("it is too short".into());
    let mut length = [0; HEADER_LENGTH_BYTES as usize];
    file.read_exact(&mut length).map_err(|_| too_short())?;
    let json_bytes = u64::from_le_bytes(length);
    if json_bytes > MAX_HEADER_BYTES.min(file_bytes.saturating_sub(HEADER_LENGTH_BYTES)) {
        return Err(ModelError::NotAModel("it does not start with a safetensors header".into()));
    }
    let mut header = length.to_vec();
    file.take(json_bytes).read_to_end(&mut header)?;
    Ok(header)
}

/// The tensors in file order, if they are exactly those of the configuration.
fn check_header(
    metadata: &Metadata,
    found: &HashMap<String, &TensorInfo>,
) -> Result<Vec<(TensorSpec, Stored)>, ModelError> {
    let tensors = file_order(&metadata.config, metadata.weights);
    let schema: Vec<TensorSpec> = tensors.iter().map(|(spec, _)| spec.clone()).collect();
    let shapes: Shapes = found.iter().map(|(name, info)| (name.clone(), info.shape.clone())).collect();
    let mut defects = weights::check_shapes(&schema, &shapes);
    let mut offset = 0;
    let mut in_order = true;
    for (spec, stored) in &tensors {
        let Some(info) = found.get(&spec.name) else { continue };
        if info.dtype != stored.dtype() {
            let (name, actual) = (spec.name.clone(), format!("{:?}", info.dtype));
            defects.0.push(Defect::Dtype { name, expected: stored.name(), actual });
        }
        in_order &= info.data_offsets.0 == offset;
        offset = info.data_offsets.1;
    }
    defects.into_result()?;
    if !in_order {
        return Err(ModelError::Damaged("the tensors are not in the order they are written in".into()));
    }
    Ok(tensors)
}
