//! Files made to harm: pickles that want something called, lengths that lie, archives that contradict themselves.

use earmark::checkpoint::CheckpointLimits;

use super::writer::{
    Tensor, archive, call, counts, dict, floats, global, int, none, object, ordered_dict, pickle, saved, saved_pickle,
    tensor, text, tuple,
};
use super::{open, refusal};

const SIX: [f32; 6] = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];

fn weights() -> Tensor {
    tensor("FloatStorage", "0", &[6])
}

fn sound() -> Vec<u8> {
    saved(&ordered_dict(&[("t", weights().record())]), &[("0", &floats(&SIX))])
}

/// A file with this pickle in it must be refused with this message.
fn check_pickle(pickle: &[u8], expected: &str) {
    let message = refusal(saved_pickle(pickle, &[("0", &floats(&SIX))]));
    assert!(message.contains(expected), "{message}");
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = bytes.to_vec();
    let places: Vec<_> = (0..=bytes.len() - from.len()).filter(|at| bytes[*at..].starts_with(from)).collect();
    assert!(!places.is_empty(), "nothing to replace");
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to);
    }
    bytes
}

#[test]
fn calls_are_refused_by_name_wherever_they_hide() {
    let check = |root: &[u8], expected: &str| check_pickle(&pickle(root), expected);
    let system = call("os", "system", &[text("true")]);
    check(&system, "refused: the pickle asks for os.system, and nothing in a pickle is ever called; save only");
    check(&call("builtins", "eval", &[text("1")]), "builtins.eval");
    check(&call("__builtin__", "eval", &[text("1")]), "__builtin__.eval");
    check(&dict(&[("t", weights().record()), ("x", system.clone())]), "os.system");
    check(&call("torch._utils", "_rebuild_tensor_v2", std::slice::from_ref(&system)), "os.system");
    let metadata = [ordered_dict(&[("t", weights().record())]), dict(&[("_metadata", system.clone())]), b"b".to_vec()];
    check(&metadata.concat(), "os.system");
    check(&[&text("os")[..], &text("system")[..], b"\x93)R"].concat(), "os.system");
    check(&[&b"(ios\nsystem\n"[..], b")"].concat(), "refused: pickle instruction INST (0x69) at byte 3; save only");
    check(&[&b"("[..], &global("torch", "FloatStorage"), b"o"].concat(), "pickle instruction OBJ (0x6f)");
    check(b"\x82\x01", "pickle instruction EXT1 (0x82)");
    check(b"P0\n", "pickle instruction PERSID (0x50)");
    check(&[&global("torch", "FloatStorage")[..], b")}\x92"].concat(), "pickle instruction NEWOBJ_EX (0x92)");
    check(b"\xff", "pickle instruction unknown (0xff)");
    check(&object("__main__", "Net", &[]), "asks for __main__.Net");
    check(&object("__torch__", "Net", &[]), "asks for __torch__.Net");
    check(&object("torch.nn.modules.conv", "Conv2d", &[]), "torch.nn.modules.conv.Conv2d");
    check(&global("torch", "load"), "torch.load");
    check(&global("collections", "OrderedDict.__init__"), "collections.OrderedDict.__init__");
    check(&global("os\u{1b}[2J", "system"), "asks for os\u{fffd}[2J.system");
}

#[test]
fn pickles_that_break_the_rules_are_refused() {
    let check = |root: &[u8], expected: &str| check_pickle(&pickle(root), expected);
    check(b"", "a value is missing");
    check(b"(", "a value is missing");
    check(b"N(t0", "POP");
    check(b"NN", "values left over");
    check(b"N.", "bytes left over");
    check(b"h\x07", "value 7 was never remembered");
    check(b"q\x07", "nothing to remember");
    check(b"Nr\xff\xff\xff\xffj\xff\xff\xff\xfe", "was never remembered");
    check(b"X\xff\xff\xff\xff", "a string reaches past the end");
    check(b"\x8d\xff\xff\xff\xff\xff\xff\xff\xff", "a string reaches past the end");
    check(b"B\xff\xff\xff\x7f", "a string reaches past the end");
    check(b"X\x01\0\0\0\xff", "a string is not UTF-8");
    check(b"\x8a\x09123456789", "an integer has 9 bytes");
    check(b"cos", "the pickle is cut short");
    check(b"NNa", "not a list");
    check(b"NNNs", "not a dict");
    check(b"}(Nu", "a key has no value");
    check(b"N)R", "not a class or function is called");
    check(b"}}b", "not an object is given a state");
    check(&[&call("collections", "OrderedDict", &[])[..], b"}b}b"].concat(), "given its state twice");
    check(b"NN\x93", "the name of a class is not a string");
    check_pickle(b"\x80\x01N.", "protocol is 1, expected 2 to 5");
    check_pickle(b"\x80", "the pickle is cut short");
    check_pickle(b"", "the pickle is cut short");
}

#[test]
fn self_reference_nesting_and_bulk_have_an_end() {
    let check = |root: &[u8], expected: &str| check_pickle(&pickle(root), expected);
    // A list, and a dict, that contain themselves.
    check(b"]q\x00h\x00a", "entry \"(the whole file)\" is a list");
    check(&[&b"}q\x00"[..], &text("state_dict"), b"h\x00s"].concat(), "entry \"state_dict\" is a dict");
    check(&[&b")"[..], &[0x85; 9_000]].concat(), "entry \"(the whole file)\" is a tuple");
    check(&[&b")"[..], &[0x85; 10_000]].concat(), "raise limits.checkpoint.pickle_objects");
    check(&b"(".repeat(60_000), "a value is missing");
    check(&[&b"N"[..], &b"q\x00h\x00".repeat(14_000)].concat(), "values left over");
    check(&b"N".repeat(1 << 16), "index in bytes is 65539, the limit is 65536 (raise limits.checkpoint.index_bytes");
    let many: Vec<String> = (0..101).map(|n| n.to_string()).collect();
    let many: Vec<_> = many.iter().map(|name| (name.as_str(), none())).collect();
    check(
        &dict(&many),
        "number of tensors is 101, the limit is 100 (raise limits.checkpoint.tensors in the configuration)",
    );
}

#[test]
fn tensor_records_that_lie_are_refused() {
    let check = |record: Vec<u8>, expected: &str| check_pickle(&pickle(&dict(&[("t", record)])), expected);
    check(
        weights().view(0, &[7], &[1]).record(),
        "damaged tensor \"t\": offset 0, shape [7] and strides [1] reach past",
    );
    check(weights().view(i64::MAX, &[2], &[1]).record(), "reach past its storage");
    check(weights().view(0, &[2, 2], &[i64::MAX, i64::MAX]).record(), "reach past its storage");
    check(weights().view(0, &[-1], &[1]).record(), "its shape is not a tuple of counts");
    check(weights().view(-1, &[1], &[1]).record(), "its offset is not a count");
    check(weights().view(0, &[1], &[-1]).record(), "its strides are not");
    check(weights().view(0, &[1 << 40], &[0]).record(), "raise limits.checkpoint.tensor_bytes");
    check(Tensor { stored_elements: 1 << 62, ..weights() }.record(), "its storage \"0\" has 24 bytes, expected 184467");
    check(Tensor { stored_elements: 7, ..weights() }.record(), "its storage \"0\" has 24 bytes, expected 28");
    check(Tensor { stored_elements: -1, ..weights() }.record(), "its storage record is not as PyTorch's");
    check(Tensor { storage_class: "DoubleStorage", ..weights() }.record(), "has 24 bytes, expected 48");
    check(Tensor { key: "../0", ..weights() }.record(), "its storage \"../0\" is not in the archive");
    let rebuild = |arguments: &[Vec<u8>]| call("torch._utils", "_rebuild_tensor_v2", arguments);
    check(rebuild(&[]), "fewer than four arguments");
    check(rebuild(&[int(0), int(0), counts(&[]), counts(&[])]), "its storage record is not as PyTorch's");
    let nonsense = [tuple(&[text("storage"), int(0), int(0), int(0), int(0)]), b"Q".to_vec()].concat();
    check(rebuild(&[nonsense, int(0), counts(&[]), counts(&[])]), "its storage record is not as PyTorch's");
    check([int(5), b"Q".to_vec()].concat(), "entry \"t\" is a bare storage");
    check(call("torch._utils", "_rebuild_parameter", &[]), "its parameter record is empty");
    check(call("torch._utils", "_rebuild_parameter", &[int(1)]), "its parameter record holds no tensor");
    check(global("torch", "FloatStorage"), "entry \"t\" is the class torch.FloatStorage");
}

#[test]
fn repeated_storage_counts_every_time() {
    // 32 views of 64 KiB each on 4 bytes.
    let one = tensor("FloatStorage", "0", &[1]).view(0, &[1 << 14], &[0]);
    let views: Vec<_> = (0..32).map(|n| n.to_string()).collect();
    let views: Vec<_> = views.iter().map(|name| (name.as_str(), one.record())).collect();
    let message = refusal(saved(&dict(&views), &[("0", &[0; 4])]));
    assert!(message.contains("raise limits.checkpoint.total_bytes"), "{message}");
}

#[test]
fn every_cut_is_refused() {
    let whole = sound();
    open(whole.clone()).unwrap();
    for length in 0..whole.len() {
        refusal(whole[..length].to_vec());
    }
    let message = refusal(whole[..whole.len() / 2].to_vec());
    assert!(message.contains("cut short") && message.contains("download or copy the file again"), "{message}");
}

#[test]
fn a_flipped_bit_in_a_tensor_is_noticed() {
    let content = floats(&SIX);
    let check = |root: Vec<u8>| {
        let mut bytes = saved(&root, &[("0", &content)]);
        let start = (0..bytes.len()).find(|at| bytes[*at..].starts_with(&content)).unwrap();
        bytes[start + 5] ^= 1;
        let message = open(bytes).unwrap().read("t").unwrap_err().to_string();
        assert!(message.contains("entry \"archive/data/0\""), "{message}");
    };
    check(dict(&[("t", weights().record())]));
    check(dict(&[("t", weights().view(5, &[1], &[1]).record())]));
}

#[test]
fn archives_that_contradict_themselves_are_refused() {
    let check = |bytes: Vec<u8>, expected: &str| {
        let message = refusal(bytes);
        assert!(message.contains(expected), "{message}");
    };
    let root = pickle(&dict(&[("t", weights().record())]));
    let content = floats(&SIX);
    let both = archive(&[("a/data.pkl", &root), ("a/data/0", &content), ("a/data/1", &content)]);
    check(replaced(&both, b"a/data/1", b"a/data/0"), "two entries have the same name");
    check(archive(&[("a/data.pkl", &root), ("b/data.pkl", &root)]), "more than one data.pkl");
    check(archive(&[("readme.txt", b"hello")]), "it holds no data.pkl; it may be an ordinary zip file");
    check(archive(&[("a/data.pkl", &root), ("a/byteorder", b"big")]), "tensors are big-endian");
    check([sound(), b"more".to_vec()].concat(), "cut short or was added to");

    let directory = |bytes: &[u8]| (0..bytes.len()).find(|at| bytes[*at..].starts_with(b"PK\x01\x02")).unwrap();
    let patched = |at: usize, patch: &[u8]| {
        let mut bytes = sound();
        let start = directory(&bytes) + at;
        bytes[start..start + patch.len()].copy_from_slice(patch);
        bytes
    };
    check(patched(10, &[8, 0]), "entry \"archive/data.pkl\" is compressed, expected stored");
    check(patched(8, &[1, 0]), "encrypted");
    check(patched(24, &[0xff, 0xff, 0xff, 0x7f]), "does not fit in the file");
    check(patched(20, &[0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff, 0x7f]), "does not fit in the file");
    check(patched(42, &[0xff, 0xff, 0xff, 0x7f]), "damaged archive");
    check(patched(0, b"XX"), "its directory is not where the end record says");

    let end = |at: usize, patch: &[u8]| {
        let mut bytes = sound();
        let start = bytes.len() - 22 + at;
        bytes[start..start + patch.len()].copy_from_slice(patch);
        bytes
    };
    check(end(8, &[0xff, 0xff, 0xff, 0xff]), "number of archive entries is 65535, the limit is 100");
    check(end(8, &[50, 0, 50, 0]), "its directory is not where");
    check(end(12, &[0xff; 4]), "zip directory size in bytes is 4294967295");
    check(end(16, &[0xff; 4]), "its directory is not where");
    check(end(8, &[0; 4]), "it is empty");
}

#[test]
fn other_files_are_told_apart() {
    let check = |bytes: &[u8], expected: &str| {
        let message = refusal(bytes.to_vec());
        assert!(message.contains(expected), "{message}");
    };
    let remedy = "load it in PyTorch 1.6 or later and save it again: torch.save(model.state_dict(), path)";
    check(b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", &format!("from before zip files; {remedy}"));
    check(&[&[0; 257][..], b"ustar\x0000"].concat(), &format!("PyTorch's tar format; {remedy}"));
    check(b"", "not a checkpoint: it is empty; expected a PyTorch zip file, a TorchScript archive or safetensors");
    check(b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer");
    check(b"<!DOCTYPE html>", "its first bytes are unfamiliar");
    check(
        &vec![0; (1 << 20) + 1],
        "file size in bytes is 1048577, the limit is 1048576 (raise limits.checkpoint.file_bytes",
    );
}

/// Seeded damage to sound files: nothing may panic, and what is accepted stays within the limits.
#[test]
fn random_damage_never_panics() {
    let CheckpointLimits { tensor_bytes, tensors, .. } = super::limits();
    let root = ordered_dict(&[("a", weights().record()), ("b", weights().view(0, &[3, 2], &[1, 3]).record())]);
    let (pickle, content) = (pickle(&root), floats(&SIX));
    let files = [saved_pickle(&pickle, &[("0", &content)]), super::torchscript::small(), super::safetensors::small()];
    let mut random = Random(0x5eed);
    let mut accepted = 0;
    for round in 0..9_000 {
        let bytes = if round % 2 == 0 {
            random.damaged(&files[round / 2 % files.len()])
        } else {
            // Damage under a sound checksum reaches the pickle reader.
            saved_pickle(&random.damaged(&pickle), &[("0", &content)])
        };
        let Ok(mut file) = open(bytes) else { continue };
        accepted += 1;
        assert!(file.tensors().len() as u64 <= tensors);
        for tensor in file.tensors().to_vec() {
            if let Ok(content) = file.read(&tensor.name) {
                assert_eq!(content.len(), tensor.bytes());
                assert!(content.len() as u64 <= tensor_bytes);
            }
        }
    }
    // Damage to names and numbers often leaves a sound file; if none or all were accepted the loop would test nothing.
    assert!((100..8_000).contains(&accepted), "{accepted} accepted");
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ z >> 31) % end as u64) as usize
    }

    fn damaged(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for _ in 0..=self.below(3) {
            let at = self.below(bytes.len());
            match self.below(6) {
                0 => bytes[at] ^= 1 << self.below(8),
                1 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff, b'(', b'.', b'R'][self.below(8)],
                2 => bytes[at] = self.below(256) as u8,
                3 => bytes.insert(at, self.below(256) as u8),
                4 => drop(bytes.drain(at..(at + 1 + self.below(4)).min(bytes.len()))),
                _ => {
                    let end = (at + 1 + self.below(16)).min(bytes.len());
                    let piece = bytes[at..end].to_vec();
                    let to = self.below(bytes.len());
                    bytes.splice(to..to, piece);
                }
            }
            if bytes.is_empty() {
                bytes.push(0);
            }
        }
        bytes
    }
}
