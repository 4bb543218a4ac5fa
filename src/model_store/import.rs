//! From a checkpoint file to an installed model, all or nothing.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::{InstalledModel, ModelName, ModelStore, StoreError};
use crate::checkpoint::{CheckpointError, CheckpointFile, CheckpointLimits, Dtype};
use crate::model::file::{self, Draft, Metadata, Source};
use crate::model::schema::{self, Kind, TensorSpec};
use crate::model::{Agreement, Defect, Defects, ModelConfig, ModelError, Shapes, Weights, weights};

/// What data-parallel training puts in front of every name (SPEC 10).
const PARALLEL_PREFIX: &str = "module.";
/// Start of the names of unfinished imports; no model's name starts with a dot.
const UNFINISHED_PREFIX: &str = ".import-";
const HASH_CHUNK_BYTES: usize = 1 << 20;

/// Measures what half precision does to the vectors of the model in a file.
pub type Measure = fn(&Path) -> Result<Agreement, ModelError>;

/// How to import.
#[derive(Debug, Clone, Default)]
pub struct ImportOptions {
    /// What to call the model; by default after the file.
    pub name: Option<ModelName>,
    /// Replace a model of that name that came from another file, or has other dimensions.
    pub replace: bool,
    /// The dimensions of the model, where its file does not state them and shapes cannot tell: attention heads.
    pub config: Option<ModelConfig>,
    /// What to store its weights as. A model file whose weights are f16 keeps them, whatever is asked for: there is
    /// nothing in the others' extra bits.
    pub weights: Weights,
    /// Run the model in half precision, if this finds its vectors near enough to those of f32.
    pub half: Option<Measure>,
    /// What the file may cost.
    pub limits: CheckpointLimits,
}

impl ModelStore {
    /// Reads, checks and installs a checkpoint. Importing the same file under the same name again is not an error.
    pub fn import(&self, path: &Path, options: &ImportOptions) -> Result<InstalledModel, StoreError> {
        let name = options.name.clone().map_or_else(|| ModelName::for_file(path), Ok)?;
        if name.is_bundled() {
            return Err(StoreError::Reserved);
        }
        let checkpoint = |source| StoreError::Checkpoint { path: path.into(), source };
        let unfit = |source| StoreError::Unfit { path: path.into(), source };
        let mut tensors = CheckpointTensors::open(path, &options.limits).map_err(checkpoint)?;
        let stated = tensors.stated().map_err(unfit)?;
        let weights = stated.as_ref().map_or(Weights::F32, |stated| stated.weights);
        let weights = if weights == Weights::F32 { options.weights } else { weights };
        let given = options.config.clone().or(stated.map(|stated| stated.config));
        let config = tensors.config(given).map_err(unfit)?;
        let file_name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let sha256 = sha256_of(path).map_err(|error| StoreError::io(path, error))?;
        let source = Source { name: file_name, sha256 };
        let mut draft = Draft { config: &config, source: &source, weights, half: None };
        if let Some(same) = self.already_there(&name, &draft, options)? {
            return Ok(same);
        }
        std::fs::create_dir_all(self.directory()).map_err(|error| StoreError::io(self.directory(), error))?;
        self.sweep();
        let io_error = |error| StoreError::io(self.directory(), error);
        let mut builder = tempfile::Builder::new();
        builder.prefix(UNFINISHED_PREFIX);
        // A model is no secret: it gets the permissions of any new file, not a temporary file's.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut unfinished = builder.tempfile_in(self.directory()).map_err(io_error)?;
        unfinished.as_file().lock().map_err(io_error)?;
        let mut written = file::write(unfinished.as_file_mut(), &draft, |spec| tensors.read(spec));
        if let (Ok(_), Some(measure)) = (&written, options.half) {
            draft.half = Some(agreement(measure, unfinished.path()).map_err(unfit)?);
            unfinished.as_file_mut().rewind().map_err(io_error)?;
            written = file::write(unfinished.as_file_mut(), &draft, |spec| tensors.read(spec));
        }
        match written {
            Ok(_) => {}
            Err(ModelError::Io(error)) => return Err(io_error(error)),
            Err(error) => return Err(tensors.failure.take().map_or_else(|| unfit(error), checkpoint)),
        }
        unfinished.as_file().sync_all().map_err(io_error)?;
        unfinished.persist(self.path(&name)).map_err(|error| StoreError::io(&self.path(&name), error.error))?;
        File::open(self.directory()).and_then(|directory| directory.sync_all()).map_err(io_error)?;
        self.find(&name)
    }

    /// The model of this name if it came from the same file; an error if it is another one and not to go.
    fn already_there(
        &self,
        name: &ModelName,
        draft: &Draft<'_>,
        options: &ImportOptions,
    ) -> Result<Option<InstalledModel>, StoreError> {
        match self.find(name) {
            Ok(InstalledModel { metadata, .. })
                if metadata.source_sha256 == draft.source.sha256
                    && metadata.config == *draft.config
                    && metadata.weights == draft.weights
                    && metadata.half.is_some() == options.half.is_some() =>
            {
                Ok(self.verify(name).ok())
            }
            Ok(_) if !options.replace => Err(StoreError::Taken { name: name.clone() }),
            // A file that cannot be used protects nothing.
            Ok(_) | Err(StoreError::NotInstalled { .. } | StoreError::Model { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes what killed imports left behind. Imports that are running hold a lock on theirs.
    fn sweep(&self) {
        let entries = std::fs::read_dir(self.directory()).into_iter().flatten().flatten();
        for entry in entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(UNFINISHED_PREFIX)) {
            let abandoned = File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok());
            if abandoned && std::fs::remove_file(entry.path()).is_ok() {
                tracing::info!("removed {}, left by an interrupted import", entry.path().display());
            }
        }
    }
}

/// What half precision does to a model's vectors, if it is little enough.
fn agreement(measure: Measure, model: &Path) -> Result<Agreement, ModelError> {
    let agreement = measure(model)?;
    if agreement.least_ppm() < Agreement::BOUND_PPM { Err(ModelError::TooCoarse(agreement)) } else { Ok(agreement) }
}

/// The tensors of a checkpoint under the names of the schema.
struct CheckpointTensors {
    file: CheckpointFile,
    /// Name in the schema → name in the file.
    names: BTreeMap<String, String>,
    duplicates: Vec<Defect>,
    /// Why [`Self::read`] failed, when it was the checkpoint's fault.
    failure: Option<CheckpointError>,
}

impl CheckpointTensors {
    fn open(path: &Path, limits: &CheckpointLimits) -> Result<Self, CheckpointError> {
        let file = CheckpointFile::open(path, limits)?;
        let mut names = BTreeMap::new();
        let mut duplicates = Vec::new();
        for info in file.tensors() {
            let plain = info.name.strip_prefix(PARALLEL_PREFIX).unwrap_or(&info.name).to_owned();
            if names.insert(plain.clone(), info.name.clone()).is_some() {
                duplicates.push(Defect::Duplicate(plain));
            }
        }
        Ok(Self { file, names, duplicates, failure: None })
    }

    /// What the checkpoint says of itself, if it is a model file.
    fn stated(&self) -> Result<Option<Metadata>, ModelError> {
        self.file.metadata().get(file::METADATA_KEY).map(|text| file::stated(text)).transpose()
    }

    /// The configuration that all tensors fit, or everything that does not fit.
    fn config(&self, given: Option<ModelConfig>) -> Result<ModelConfig, ModelError> {
        let mut shapes = Shapes::new();
        for (plain, name) in &self.names {
            let info = self.file.tensor(name).expect("the names are those of the file");
            shapes.insert(plain.clone(), info.shape.clone());
        }
        let candidates = match given {
            Some(config) => vec![config.checked()?],
            None => ModelConfig::infer(&shapes).into_iter().chain(ModelConfig::known()).collect(),
        };
        // A missing tensor can mislead the inference; what it is missing from is the nearest configuration.
        let judged = candidates.into_iter().filter(|config| config.defect().is_none()).map(|config| {
            let defects = self.defects(&schema::tensors(&config), &shapes);
            (config, defects)
        });
        let nearest = judged.min_by_key(|(_, defects)| defects.0.len());
        let (config, defects) =
            nearest.expect("a given configuration was checked, and else the known ones are among the candidates");
        if defects == Defects::default() { Ok(config) } else { Err(ModelError::Defective(defects)) }
    }

    fn defects(&self, schema: &[TensorSpec], shapes: &Shapes) -> Defects {
        let mut defects = weights::check_shapes(schema, shapes);
        defects.0.extend(self.duplicates.iter().cloned());
        defects.0.extend(schema.iter().filter_map(|spec| self.dtype_defect(spec)));
        defects
    }

    fn dtype_defect(&self, spec: &TensorSpec) -> Option<Defect> {
        let actual = self.file.tensor(self.names.get(&spec.name)?)?.dtype;
        let (fits, expected) = match spec.kind {
            Kind::Counter => (actual == Dtype::I64, "I64"),
            Kind::Real | Kind::Variance => (actual.is_floating(), "a floating-point type"),
        };
        (!fits).then(|| Defect::Dtype { name: spec.name.clone(), expected, actual: actual.to_string() })
    }

    /// The bytes of a tensor as the model file has them: i64 for counters, f32 for all else.
    fn read(&mut self, spec: &TensorSpec) -> Result<Vec<u8>, ModelError> {
        let name = &self.names[&spec.name];
        let bytes = match spec.kind {
            Kind::Counter => self.file.read(name),
            Kind::Real | Kind::Variance => {
                self.file.read_f32(name).map(|values| values.iter().flat_map(|value| value.to_le_bytes()).collect())
            }
        };
        bytes.map_err(|error| {
            let text = ModelError::Input(error.to_string());
            self.failure = Some(error);
            text
        })
    }
}

fn sha256_of(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut digest = Sha256::new();
    let mut chunk = vec![0; HASH_CHUNK_BYTES];
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(file::hex(&digest.finalize())),
            read => digest.update(&chunk[..read]),
        }
    }
}
