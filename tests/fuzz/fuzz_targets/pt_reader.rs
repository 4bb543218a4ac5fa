//! PyTorch files. Input that starts like a zip archive is one; anything else is a pickle, put under a sound checksum
//! into a state dict and into a TorchScript archive, because damage inside an archive would never get past its own.
#![no_main]

#[path = "../read_all.rs"]
mod read_all;

use std::io::{Cursor, Write};

use libfuzzer_sys::fuzz_target;
use zip::CompressionMethod;
use zip::write::{SimpleFileOptions, ZipWriter};

fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, content) in entries {
        zip.start_file(*name, options).expect("names are unique");
        zip.write_all(content).expect("memory is written to");
    }
    zip.finish().expect("memory is written to").into_inner()
}

fuzz_target!(|input: &[u8]| {
    if input.starts_with(b"PK") {
        read_all::check(input.to_vec());
    } else {
        let entries = [("a/data.pkl", input), ("a/data/0", &[7; 24]), ("a/data/1", &[7; 8])];
        read_all::check(archive(&entries));
        read_all::check(archive(&[&entries[..], &[("a/constants.pkl", b"")]].concat()));
    }
});
