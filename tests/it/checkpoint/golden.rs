//! The golden checkpoint, and the closed-form weights that it and the full-size goldens are made of.

use std::collections::BTreeMap;

use earmark::checkpoint::{CheckpointFile, CheckpointFormat, CheckpointLimits, Dtype};
use sha2::{Digest, Sha256};

use crate::shared;

use crate::closed_form::{Profile, Spec, specs, tensor, write_safetensors};

const TINY_SHA256: &str = "cd8be0812460f4f0a93a5d278a0d3a1424ffe2a0b3d32c7f2f7707717485ed79";
const FULL_SHA256: &str = "4b60e223853a3fe836348271810df2a2f1e83ff65899f68f4139370ef35ac047";

fn tiny() -> Vec<Spec> {
    specs(&shared("audioclip/tiny/tensors.tsv")).unwrap()
}

fn hex(digest: impl AsRef<[u8]>) -> String {
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Checks every tensor's own checksum, and the combined one over all in order of their names.
fn check(mut specs: Vec<Spec>, combined: &str, mut content: impl FnMut(&Spec) -> Vec<u8>) {
    specs.sort_by(|a, b| a.name.cmp(&b.name));
    let mut all = Sha256::new();
    for spec in &specs {
        let bytes = content(spec);
        assert_eq!(hex(Sha256::digest(&bytes))[..16], spec.sha256_16, "{}", spec.name);
        all.update(&spec.name);
        all.update(&bytes);
    }
    assert_eq!(hex(all.finalize()), combined);
}

fn check_file(mut file: CheckpointFile) {
    let listed: BTreeMap<_, _> =
        file.tensors().iter().map(|tensor| (tensor.name.clone(), (tensor.dtype, tensor.shape.clone()))).collect();
    let dtype = |spec: &Spec| if spec.dtype.bitsize() == 64 { Dtype::I64 } else { Dtype::F32 };
    let expected: BTreeMap<_, _> =
        tiny().iter().map(|spec| (spec.name.clone(), (dtype(spec), spec.shape.clone()))).collect();
    assert_eq!(expected.len(), 381);
    assert_eq!(listed, expected);
    check(tiny(), TINY_SHA256, |spec| file.read(&spec.name).unwrap());
}

#[test]
fn the_golden_checkpoint_reads_exactly() {
    let path = shared("audioclip/tiny/audioclip_tiny.pt");
    let file = CheckpointFile::open(&path, &CheckpointLimits::default()).unwrap();
    assert_eq!(file.format(), CheckpointFormat::StateDict);
    let order: Vec<_> = file.tensors().iter().map(|tensor| tensor.name.clone()).collect();
    assert_eq!(order, tiny().iter().map(|spec| spec.name.clone()).collect::<Vec<_>>());
    check_file(file);
}

#[test]
fn floats_read_as_numbers() {
    let path = shared("audioclip/tiny/audioclip_tiny.pt");
    let mut file = CheckpointFile::open(&path, &CheckpointLimits::default()).unwrap();
    assert_eq!(file.read_f32("logit_scale").unwrap(), [-0.5]);
    assert_eq!(file.read_f32("audio.fbsp.bias").unwrap(), [0.0_f32; 0]);
    let error = file.read_f32("audio.bn1.num_batches_tracked").unwrap_err().to_string();
    assert_eq!(error, "tensor \"audio.bn1.num_batches_tracked\" holds I64, expected a floating-point type");
}

#[test]
fn closed_form_weights_survive_safetensors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tiny.safetensors");
    write_safetensors(Profile::Tiny, &shared("audioclip/tiny/tensors.tsv"), &path).unwrap();
    let file = CheckpointFile::open(&path, &CheckpointLimits::default()).unwrap();
    assert_eq!(file.format(), CheckpointFormat::Safetensors);
    assert_eq!(file.metadata()["profile"], "tiny");
    check_file(file);
}

#[test]
fn closed_form_tiny_matches_its_checksums() {
    check(tiny(), TINY_SHA256, |spec| tensor(&spec.name, &spec.shape, Profile::Tiny));
}

#[test]
fn closed_form_full_matches_its_checksums() {
    let full = specs(&shared("audioclip/full/tensors.tsv")).unwrap();
    assert_eq!(full.len(), 861);
    check(full, FULL_SHA256, |spec| tensor(&spec.name, &spec.shape, Profile::Full));
}
