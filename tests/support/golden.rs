//! The golden data: inputs, the reference's vectors for them, and how far from these ours may be.

use std::fs;
use std::path::PathBuf;

use safetensors::SafeTensors;

/// A file of the golden data.
pub fn path(relative: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/audioclip").join(relative)
}

/// Golden tensors of one profile.
pub struct Golden(Vec<u8>);

impl Golden {
    /// `embeddings.safetensors` or `intermediates.safetensors` of a profile.
    pub fn open(profile: &str, file: &str) -> Self {
        let path = path(&format!("{profile}/{file}.safetensors"));
        Self(fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    }

    /// The values of a tensor, split into `rows`.
    pub fn rows(&self, name: &str, rows: usize) -> Vec<Vec<f32>> {
        let file = SafeTensors::deserialize(&self.0).unwrap();
        let tensor = file.tensor(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        let values: Vec<f32> = tensor.data().as_chunks().0.iter().map(|&value| f32::from_le_bytes(value)).collect();
        values.chunks(values.len() / rows).map(<[f32]>::to_vec).collect()
    }
}

/// The data of a `.npy` file behind its header.
fn npy(name: &str) -> Vec<u8> {
    let bytes = fs::read(path(&format!("inputs/{name}.npy"))).unwrap();
    let header = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    bytes[10 + header..].to_vec()
}

/// Golden pictures as the image tower takes them, `[3, 224, 224]` each.
pub fn images() -> Vec<Vec<f32>> {
    let values: Vec<f32> = npy("images_demo").as_chunks().0.iter().map(|&value| f32::from_le_bytes(value)).collect();
    values.chunks(3 * 224 * 224).map(<[f32]>::to_vec).collect()
}

/// A golden sound in int16 units, split into `channels` (or clips).
pub fn audio(name: &str, channels: usize) -> Vec<Vec<f32>> {
    let bytes = npy(&format!("audio_{name}_i16"));
    let samples: Vec<f32> = bytes.as_chunks().0.iter().map(|&value| f32::from(i16::from_le_bytes(value))).collect();
    samples.chunks(samples.len() / channels).map(<[f32]>::to_vec).collect()
}

/// Golden prompts as token ids, padded to 77.
pub fn tokens() -> Vec<Vec<u32>> {
    let ids: Vec<u32> = npy("tokens").as_chunks().0.iter().map(|&id| u32::from_le_bytes(id)).collect();
    ids.chunks(77).map(<[u32]>::to_vec).collect()
}

/// How far a vector may be from the golden one.
#[derive(Debug, Clone, Copy)]
pub struct Tolerance {
    /// Relative L2 distance.
    pub rel_l2: f64,
    /// Smallest cosine.
    pub cosine: f64,
}

impl Tolerance {
    /// Images, text, and the audio body.
    pub const EXACT: Self = Self { rel_l2: 1e-5, cosine: 0.999_999 };
    /// Ordinary sounds from samples to vector.
    pub const ORDINARY: Self = Self { rel_l2: 1e-3, cosine: 0.999_99 };
    /// Sounds with much digital silence, stereo, and samples in [−1, 1]: their quiet bins are rounding noise (SPEC 12).
    pub const ILL_CONDITIONED: Self = Self { rel_l2: 1e-2, cosine: 0.9998 };

    /// Panics, naming `what`, if any row is further from its golden one.
    #[track_caller]
    pub fn check(self, what: &str, got: &[Vec<f32>], golden: &[Vec<f32>]) {
        assert!(got.len() <= golden.len() && !got.is_empty(), "{what}: {} rows, {} golden", got.len(), golden.len());
        for (row, (got, golden)) in got.iter().zip(golden).enumerate() {
            let (rel_l2, cosine) = (rel_l2(got, golden), cosine(got, golden));
            let within = rel_l2 <= self.rel_l2 && cosine >= self.cosine;
            assert!(within, "{what} row {row}: rel-L2 {rel_l2:.2e}, cosine {cosine:.7}, allowed {self:?}");
        }
    }
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

/// `‖got − golden‖ / ‖golden‖`.
pub fn rel_l2(got: &[f32], golden: &[f32]) -> f64 {
    let difference: Vec<f32> = got.iter().zip(golden).map(|(a, b)| a - b).collect();
    (dot(&difference, &difference) / dot(golden, golden)).sqrt()
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}
