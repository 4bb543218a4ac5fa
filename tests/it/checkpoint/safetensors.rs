//! Safetensors files, sound and broken.

use earmark::checkpoint::{CheckpointFormat, Dtype};

use super::writer::floats;
use super::{names, open, refusal};

fn file(header: &str, data: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), data].concat()
}

/// A sound file to damage.
pub(super) fn small() -> Vec<u8> {
    let entry = |start, end| format!(r#"{{"dtype":"F32","shape":[1,2],"data_offsets":[{start},{end}]}}"#);
    file(&format!(r#"{{"a":{},"b":{}}}"#, entry(0, 8), entry(8, 16)), &[0; 16])
}

#[test]
fn tensors_and_metadata_are_listed_in_the_order_of_the_data() {
    let header = r#"{"__metadata__":{"model":"audioclip"},
        "z":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},
        "empty.b":{"dtype":"F32","shape":[0],"data_offsets":[8,8]},
        "empty.a":{"dtype":"F32","shape":[0,3],"data_offsets":[8,8]},
        "a":{"dtype":"BF16","shape":[],"data_offsets":[8,10]}}"#;
    let mut file = open(file(header, &[&floats(&[1.5, 2.0])[..], &[0x80, 0x3f]].concat())).unwrap();
    assert_eq!(file.format(), CheckpointFormat::Safetensors);
    assert_eq!(names(&file), ["z", "empty.a", "empty.b", "a"]);
    assert_eq!(file.metadata()["model"], "audioclip");
    assert_eq!((file.tensor("z").unwrap().dtype, &file.tensor("z").unwrap().shape[..]), (Dtype::F32, &[2, 1][..]));
    assert_eq!(file.read_f32("z").unwrap(), [1.5, 2.0]);
    assert_eq!(file.read_f32("a").unwrap(), [1.0]);
    assert_eq!(file.read("empty.a").unwrap(), [0_u8; 0]);
}

#[test]
fn headers_that_contradict_themselves_are_refused() {
    let check = |header: &str, data: &[u8], expected: &str| {
        let message = refusal(file(header, data));
        assert!(message.contains(expected), "{message}");
    };
    let entry = |offsets: &str| format!(r#"{{"t":{{"dtype":"F32","shape":[1],"data_offsets":[{offsets}]}}}}"#);
    check(&entry("0,4"), &[0; 3], "bytes, expected 66");
    check(&entry("0,4"), &[0; 5], "bytes, expected 66");
    check(&entry("0,8"), &[0; 8], "damaged safetensors header");
    check(&entry("4,8"), &[0; 8], "damaged safetensors header");
    check(&entry("4,0"), &[0; 8], "damaged safetensors header");
    check(&entry("0,18446744073709551615"), &[0; 8], "damaged safetensors header");
    let two = r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},
        "b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}"#;
    check(two, &[0; 6], "damaged safetensors header");
    let huge = r#"{"t":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}"#;
    check(huge, &[], "damaged safetensors header");
    check(&"[".repeat(1000), &[], "not a checkpoint");
    check(&format!("{{\"a\":{}", "[".repeat(1000)), &[], "damaged safetensors header");
    let small = r#"{"t":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}"#;
    check(small, &[0], "damaged tensor \"t\": its elements are F8_E4M3, which are not supported");
    check(&format!("{{{}}}", " ".repeat(1 << 16)), &[], "raise limits.checkpoint.index_bytes");
}

#[test]
fn every_cut_is_refused() {
    let whole = file(r#"{"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, &[0; 8]);
    open(whole.clone()).unwrap();
    for length in 0..whole.len() {
        refusal(whole[..length].to_vec());
    }
}
