//! State dicts in every form that PyTorch gives them.

use std::path::PathBuf;

use earmark::checkpoint::{CheckpointFile, CheckpointFormat, CheckpointLimits, Dtype};

use super::writer::{archive, archive64, call, dict, floats, int, items, ordered_dict, pickle, saved, tensor};
use super::{names, open, refusal};

const SIX: [f32; 6] = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];

#[test]
fn views_of_a_shared_storage_read_in_row_major_order() {
    let whole = tensor("FloatStorage", "94227201226240", &[2, 3]);
    let root = ordered_dict(&[
        ("whole", whole.record()),
        ("transposed", whole.view(0, &[3, 2], &[1, 3]).record()),
        ("row", whole.view(3, &[3], &[1]).record()),
        ("column", whole.view(1, &[2], &[3]).record()),
        ("repeated", whole.view(2, &[2, 2], &[0, 1]).record()),
        ("scalar", whole.view(4, &[], &[]).record()),
        ("empty", whole.view(0, &[0, 3], &[3, 1]).record()),
    ]);
    let mut file = open(saved(&root, &[("94227201226240", &floats(&SIX))])).unwrap();
    assert_eq!(names(&file), ["whole", "transposed", "row", "column", "repeated", "scalar", "empty"]);
    let mut check = |name: &str, shape: &[usize], expected: &[f32]| {
        assert_eq!(file.tensor(name).unwrap().shape, shape);
        assert_eq!(file.read_f32(name).unwrap(), expected, "{name}");
    };
    check("whole", &[2, 3], &SIX);
    check("transposed", &[3, 2], &[0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
    check("row", &[3], &[3.0, 4.0, 5.0]);
    check("column", &[2], &[1.0, 4.0]);
    check("repeated", &[2, 2], &[2.0, 3.0, 2.0, 3.0]);
    check("scalar", &[], &[4.0]);
    check("empty", &[0, 3], &[]);
}

#[test]
fn every_element_type_keeps_its_bytes() {
    let check = |class, dtype, bytes: &[u8], numbers: Option<&[f32]>| {
        let root = dict(&[("t", tensor(class, "0", &[2]).record())]);
        let mut file = open(saved(&root, &[("0", bytes)])).unwrap();
        assert_eq!(file.tensor("t").unwrap().dtype, dtype);
        assert_eq!(file.read("t").unwrap(), bytes);
        assert_eq!(file.read_f32("t").ok().as_deref(), numbers, "{dtype}");
    };
    check("FloatStorage", Dtype::F32, &floats(&[1.0, -2.5]), Some(&[1.0, -2.5]));
    check("HalfStorage", Dtype::F16, &[0x00, 0x3c, 0x00, 0xc1], Some(&[1.0, -2.5]));
    check("BFloat16Storage", Dtype::BF16, &[0x80, 0x3f, 0x20, 0xc0], Some(&[1.0, -2.5]));
    check("DoubleStorage", Dtype::F64, &[1.0_f64, -2.5].map(f64::to_le_bytes).concat(), Some(&[1.0, -2.5]));
    check("LongStorage", Dtype::I64, &[1_i64, -1].map(i64::to_le_bytes).concat(), None);
    check("IntStorage", Dtype::I32, &[1_i32, -1].map(i32::to_le_bytes).concat(), None);
    check("ShortStorage", Dtype::I16, &[1_i16, -1].map(i16::to_le_bytes).concat(), None);
    check("CharStorage", Dtype::I8, &[1, 255], None);
    check("ByteStorage", Dtype::U8, &[1, 255], None);
    check("BoolStorage", Dtype::Bool, &[1, 0], None);
}

#[test]
fn wrappers_parameters_and_attributes_are_seen_through() {
    let check = |root: &[u8]| {
        let mut file = open(saved(root, &[("0", &floats(&SIX))])).unwrap();
        assert_eq!(file.format(), CheckpointFormat::StateDict);
        assert_eq!(names(&file), ["t"]);
        assert_eq!(file.read_f32("t").unwrap(), SIX);
    };
    let plain = tensor("FloatStorage", "0", &[6]).record();
    let bare = ordered_dict(&[("t", plain.clone())]);
    check(&bare);
    check(&dict(&[("t", plain.clone())]));
    check(&dict(&[("state_dict", bare.clone())]));
    check(&ordered_dict(&[("model", dict(&[("t", plain.clone())]))]));
    check(&dict(&[("model_state_dict", bare.clone())]));
    let hooks = ordered_dict(&[]);
    check(&dict(&[("t", call("torch._utils", "_rebuild_parameter", &[plain, b"\x88".to_vec(), hooks]))]));
    let versions = dict(&[("_metadata", ordered_dict(&[("", dict(&[("version", int(1))]))]))]);
    check(&[bare, versions, b"b".to_vec()].concat());
}

#[test]
fn a_tensor_named_like_a_wrapper_is_a_tensor() {
    let root = dict(&[("model", tensor("FloatStorage", "0", &[6]).record())]);
    assert_eq!(names(&open(saved(&root, &[("0", &floats(&SIX))])).unwrap()), ["model"]);
}

#[test]
fn anything_but_tensors_is_refused_by_name() {
    let weights = tensor("FloatStorage", "0", &[6]).record();
    let check = |root: &[u8], expected: &str| {
        let message = refusal(saved(root, &[("0", &floats(&SIX))]));
        assert!(message.contains(expected), "{message}");
    };
    check(
        &dict(&[("t", weights.clone()), ("epoch", int(3))]),
        "entry \"epoch\" is an integer, not a tensor; save only",
    );
    check(
        &dict(&[("epoch", int(3)), ("state_dict", dict(&[("t", weights.clone())]))]),
        "entry \"epoch\" is an integer beside the weights in \"state_dict\"",
    );
    check(&dict(&[("nested", dict(&[("t", weights.clone())]))]), "entry \"nested\" is a dict");
    check(&weights, "entry \"(the whole file)\" is an object of torch._utils._rebuild_tensor_v2");
    check(&[b"}", &int(7)[..], &weights[..], b"s"].concat(), "entry \"7\" is named by a number");
    check(&dict(&[("t", weights.clone()), ("t", weights.clone())]), "damaged tensor \"t\": it is there twice");
    check(&dict(&[(&"n".repeat(1025), weights)]), "named by 1025 bytes, expected at most 1024");
}

#[test]
fn the_archive_may_have_any_name() {
    let root = pickle(&dict(&[("t", tensor("FloatStorage", "a b", &[6]).record())]));
    for prefix in ["", "archive/", "a/b/", "Übung 1/"] {
        let name = |name: &str| format!("{prefix}{name}");
        let (data, storage) = (name("data.pkl"), name("data/a b"));
        let mut file = open(archive(&[(&data, &root), (&storage, &floats(&SIX))])).unwrap();
        assert_eq!(file.read_f32("t").unwrap(), SIX, "{prefix}");
    }
}

#[test]
fn entries_with_64_bit_sizes_are_understood() {
    let root = pickle(&dict(&[("t", tensor("FloatStorage", "0", &[6]).record())]));
    let mut file = open(archive64(&[("a/data.pkl", &root), ("a/data/0", &floats(&SIX))])).unwrap();
    assert_eq!(file.read_f32("t").unwrap(), SIX);
}

/// The end of an archive in its 64-bit form, as archives beyond 4 GiB have it.
#[test]
fn a_64_bit_end_record_is_understood() {
    let mut bytes = saved(&dict(&[("t", tensor("FloatStorage", "0", &[6]).record())]), &[("0", &floats(&SIX))]);
    let end = bytes.split_off(bytes.len() - 22);
    let number = |at: usize, length: usize| {
        let mut wide = [0; 8];
        wide[..length].copy_from_slice(&end[at..at + length]);
        wide
    };
    let (entries, size, start) = (number(10, 2), number(12, 4), number(16, 4));
    let record_start = (bytes.len() as u64).to_le_bytes();
    bytes.extend([b"PK\x06\x06", &44_u64.to_le_bytes()[..], &[45, 0, 45, 0], &[0; 8]].concat());
    bytes.extend([entries, entries, size, start].concat());
    bytes.extend([b"PK\x06\x07", &[0; 4][..], &record_start, &[1, 0, 0, 0]].concat());
    bytes.extend([b"PK\x05\x06", &[0; 4][..], &[0xff; 12], &[0; 2]].concat());
    assert_eq!(open(bytes).unwrap().read_f32("t").unwrap(), SIX);
}

/// Files made by CPython's own pickle module; see `tests/data/checkpoint/make.py`.
#[test]
fn every_pickle_protocol_reads_the_same() {
    for protocol in 2..=5 {
        let path = format!("tests/data/checkpoint/protocol_{protocol}.pt");
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path);
        let mut file = CheckpointFile::open(&path, &CheckpointLimits::default()).unwrap();
        assert_eq!(names(&file), ["a.weight", "a.transposed", "b.count", "c.empty", "d.shared"]);
        assert_eq!(file.read_f32("a.weight").unwrap(), SIX);
        assert_eq!(file.read_f32("a.transposed").unwrap(), [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
        assert_eq!(file.read("b.count").unwrap(), (1_i64 << 40).to_le_bytes());
        assert_eq!(file.read("c.empty").unwrap(), [0_u8; 0]);
        assert_eq!(file.read_f32("d.shared").unwrap(), [4.0]);
    }
}

#[test]
fn items_may_come_in_several_batches() {
    let record = |key| tensor("FloatStorage", key, &[6]).record();
    let root = [ordered_dict(&[("a", record("0"))]), items(&[("b", record("0"))])].concat();
    assert_eq!(names(&open(saved(&root, &[("0", &floats(&SIX))])).unwrap()), ["a", "b"]);
}
