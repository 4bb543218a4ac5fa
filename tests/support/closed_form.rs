//! Closed-form weights: every tensor of the golden models, made from its name and shape alone.
//!
//! Implements `audioclip/WEIGHTS.md` of the shared test material, bit for bit; the lists of names, shapes and
//! checksums are its `tensors.tsv` files. Included with `#[path]` by test binaries, checks and benches, each of which
//! uses some of it. Knows nothing of the crate under test.
#![allow(dead_code, unreachable_pub, reason = "each includer uses a part, as a private module")]

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, Error, Result, Write};
use std::path::Path;

use safetensors::tensor::{Dtype, Metadata, TensorInfo};

/// Which of the two golden models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// The published configuration: 861 tensors, 537 MB.
    Full,
    /// The same architecture at a fraction of the width: 381 tensors, 18 MB.
    Tiny,
}

/// One line of `tensors.tsv`.
#[derive(Debug, Clone)]
pub struct Spec {
    pub name: String,
    pub shape: Vec<usize>,
    /// `F32`, or `I64` for the counters.
    pub dtype: Dtype,
    /// The first 16 hexadecimal digits of the SHA-256 of the little-endian bytes.
    pub sha256_16: String,
}

impl Spec {
    /// Size of the tensor's content.
    pub fn bytes(&self) -> usize {
        self.shape.iter().product::<usize>() * self.dtype.bitsize() / 8
    }
}

/// Reads `tensors.tsv`; the order is that of the reference's state dict.
pub fn specs(tensors_tsv: &Path) -> Result<Vec<Spec>> {
    let bad = |line: &str| Error::other(format!("{}: unexpected line {line:?}", tensors_tsv.display()));
    let text = std::fs::read_to_string(tensors_tsv)?;
    let spec = |line: &str| {
        let columns: Vec<&str> = line.split('\t').collect();
        let &[name, shape, dtype, _kind, _numel, sha256_16, ..] = columns.as_slice() else { return None };
        let extents = if shape == "scalar" { "" } else { shape }.split('x').filter(|extent| !extent.is_empty());
        let dtype = match dtype {
            "float32" => Dtype::F32,
            "int64" => Dtype::I64,
            _ => return None,
        };
        let shape = extents.map(|extent| extent.parse().ok()).collect::<Option<_>>()?;
        Some(Spec { name: name.to_owned(), shape, dtype, sha256_16: sha256_16.to_owned() })
    };
    text.lines().skip(1).map(|line| spec(line).ok_or_else(|| bad(line))).collect()
}

/// The little-endian bytes of a tensor, row-major.
pub fn tensor(name: &str, shape: &[usize], profile: Profile) -> Vec<u8> {
    let elements: usize = shape.iter().product();
    if name.ends_with(".num_batches_tracked") {
        return 1000_i64.to_le_bytes().repeat(elements);
    }
    let constant = match (name, profile) {
        ("logit_scale", Profile::Full) | ("logit_scale_at", Profile::Tiny) => Some(4.0),
        ("logit_scale", Profile::Tiny) => Some(-0.5),
        ("logit_scale_ai", _) => Some(3.0),
        ("logit_scale_at", Profile::Full) => Some(5.0),
        _ => None,
    };
    if let Some(constant) = constant {
        return f32::to_le_bytes(constant).to_vec();
    }
    if name == "audio.window" {
        return (0..elements).flat_map(|n| (window(n) as f32).to_le_bytes()).collect();
    }
    let (centre, amplitude) = range(name, shape, profile);
    let uniform = Uniform::new(name);
    let value = |k: usize| centre + amplitude * (2.0 * uniform.at(k) - 1.0);
    let mut bytes = Vec::with_capacity(elements * 4);
    let mut put = |value: f64| bytes.extend_from_slice(&(value as f32).to_le_bytes());
    match name {
        "audio.fbsp.m" => (0..elements).for_each(|k| put(if k % 16 == 0 { 0.0 } else { value(k) })),
        "audio.fbsp.fb" => (0..elements).for_each(|k| put(if k % 16 == 0 { 1.0 } else { value(k) })),
        "audio.fbsp.fc" => (0..elements).for_each(|k| put(k as f64 + if k % 16 == 0 { 0.0 } else { value(k) })),
        // Every second weight of a filter cancels the one before, so that the filter does not see the mean.
        "audio.conv1.weight" | "visual.conv1.weight" => {
            let fan = fan(shape);
            (0..elements).for_each(|k| put(if k % fan % 2 == 1 { -value(k - 1) } else { value(k) }));
        }
        _ => (0..elements).for_each(|k| put(value(k))),
    }
    bytes
}

/// Streams a whole golden model into a safetensors file, one tensor in memory at a time.
pub fn write_safetensors(profile: Profile, tensors_tsv: &Path, path: &Path) -> Result<()> {
    let mut specs = specs(tensors_tsv)?;
    // The widest elements first keeps every tensor aligned.
    specs.sort_by_key(|spec| std::cmp::Reverse(spec.dtype.bitsize()));
    let mut end = 0;
    let infos = specs.iter().map(|spec| {
        let start = end;
        end += spec.bytes();
        (spec.name.clone(), TensorInfo { dtype: spec.dtype, shape: spec.shape.clone(), data_offsets: (start, end) })
    });
    let profile_name = HashMap::from([("profile".to_owned(), format!("{profile:?}").to_lowercase())]);
    let metadata = Metadata::new(Some(profile_name), infos.collect()).map_err(Error::other)?;
    let mut header = serde_json::to_vec(&metadata)?;
    header.resize(header.len().next_multiple_of(8), b' ');
    let mut file = BufWriter::new(File::create(path)?);
    file.write_all(&(header.len() as u64).to_le_bytes())?;
    file.write_all(&header)?;
    for spec in &specs {
        file.write_all(&tensor(&spec.name, &spec.shape, profile))?;
    }
    file.flush()
}

/// The stream of a tensor: SplitMix64 seeded with the FNV-1a hash of its name, 24 bits of each output.
struct Uniform {
    seed: u64,
}

impl Uniform {
    fn new(name: &str) -> Self {
        let fnv = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        Self { seed: name.as_bytes().iter().fold(0xcbf2_9ce4_8422_2325, fnv) }
    }

    /// The k-th number, in [0, 1).
    fn at(&self, k: usize) -> f64 {
        let z = self.seed.wrapping_add((k as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ z >> 31) >> 40) as f64 / f64::from(1 << 24)
    }
}

fn window(n: usize) -> f64 {
    let turn = std::f64::consts::PI * n as f64 / 1654.0;
    0.35875 - 0.48829 * (2.0 * turn).cos() + 0.14128 * (4.0 * turn).cos() - 0.01168 * (6.0 * turn).cos()
}

fn fan(shape: &[usize]) -> usize {
    shape.iter().skip(1).product()
}

/// Centre and amplitude of a tensor: the table of WEIGHTS.md from its rule 4 on, top to bottom.
fn range(name: &str, shape: &[usize], profile: Profile) -> (f64, f64) {
    let (module, leaf) = name.rsplit_once('.').unwrap_or(("", name));
    let last = module.rsplit('.').next().unwrap_or_default();
    let audio = name.starts_with("audio.");
    let is_batch_norm = ["bn", "bn1", "bn2", "bn3"].contains(&last) || module.ends_with("downsample.1");
    let is_layer_norm = ["ln_1", "ln_2", "ln_final"].contains(&last);
    match (name, leaf) {
        ("audio.fbsp.m", _) => (if profile == Profile::Full { 0.25 } else { 0.15 }, 0.25),
        ("audio.fbsp.fb", _) => (1.0, 0.2),
        ("audio.fbsp.fc", _) => (0.0, 0.3),
        (_, "running_var") => (1.0, 0.5),
        (_, "running_mean") => (0.0, 0.3),
        (_, "bias") if is_batch_norm && module.starts_with("audio.att") => (1.0, 0.3),
        (_, "bias") if is_batch_norm => (if audio { -0.3 } else { -0.1 }, 0.3),
        (_, "weight") if last == "bn3" && module.contains(".layer") => {
            if audio {
                (0.4, 0.2)
            } else {
                (0.2, 0.1)
            }
        }
        (_, "weight") if is_batch_norm => (1.0, 0.3),
        (_, "weight") if is_layer_norm => (1.0, 0.3),
        (_, "bias") if is_layer_norm => (0.0, 0.2),
        ("audio.fc.bias", _) => (0.0, 0.02),
        (_, "bias") if name.starts_with("visual.attnpool.") => (0.0, 0.02),
        (_, "bias" | "in_proj_bias") => (0.0, 0.1),
        ("token_embedding.weight", _) => (0.0, 0.5),
        ("positional_embedding", _) => (0.0, 0.3),
        ("visual.attnpool.positional_embedding", _) => (0.0, 0.1),
        _ => (0.0, weight_amplitude(name, shape)),
    }
}

/// Rules 20 to 24 and `text_projection`: √(3·gain/fan), evaluated left to right.
fn weight_amplitude(name: &str, shape: &[usize]) -> f64 {
    const LINEAR: [&str; 8] = [
        "in_proj_weight",
        "v_proj.weight",
        "c_proj.weight",
        "out_proj.weight",
        ".fc.weight",
        ".c_fc.weight",
        ".conv_depth.weight",
        ".conv_point.weight",
    ];
    let fan = fan(shape) as f64;
    let (gain, fan) = match name {
        "text_projection" => (1.0, shape[0] as f64),
        "audio.conv1.weight" => (0.05, fan),
        "visual.conv1.weight" => (60.0, fan),
        "visual.attnpool.q_proj.weight" | "visual.attnpool.k_proj.weight" => (0.5, fan),
        _ if LINEAR.iter().any(|end| name.ends_with(end)) => (1.0, fan),
        _ => (2.0, fan),
    };
    (3.0 * gain / fan).sqrt()
}
