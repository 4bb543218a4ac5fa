//! Writes checkpoint files of any shape, sound or not: pickles value by value, and the archives around them.
//!
//! A fragment is the pickle of one value; fragments are put together as bytes.

use std::io::{Cursor, Write};

use zip::CompressionMethod;
use zip::write::{SimpleFileOptions, ZipWriter};

pub(super) type Fragment = Vec<u8>;

/// A whole pickle of protocol 2 around its root.
pub(super) fn pickle(root: &[u8]) -> Vec<u8> {
    [b"\x80\x02", root, b"."].concat()
}

pub(super) fn none() -> Fragment {
    b"N".to_vec()
}

pub(super) fn text(text: &str) -> Fragment {
    let length = u32::try_from(text.len()).unwrap();
    [b"X", &length.to_le_bytes()[..], text.as_bytes()].concat()
}

pub(super) fn int(number: i64) -> Fragment {
    match i32::try_from(number) {
        Ok(number) => [b"J", &number.to_le_bytes()[..]].concat(),
        Err(_) => [b"\x8a\x08", &number.to_le_bytes()[..]].concat(),
    }
}

pub(super) fn tuple(items: &[Fragment]) -> Fragment {
    [b"(", &items.concat()[..], b"t"].concat()
}

pub(super) fn list(items: &[Fragment]) -> Fragment {
    [b"](", &items.concat()[..], b"e"].concat()
}

pub(super) fn counts(numbers: &[i64]) -> Fragment {
    tuple(&numbers.iter().copied().map(int).collect::<Vec<_>>())
}

pub(super) fn items(entries: &[(&str, Fragment)]) -> Fragment {
    let entries: Vec<_> = entries.iter().flat_map(|(key, value)| [text(key), value.clone()]).collect();
    [b"(", &entries.concat()[..], b"u"].concat()
}

pub(super) fn dict(entries: &[(&str, Fragment)]) -> Fragment {
    [b"}", &items(entries)[..]].concat()
}

pub(super) fn global(module: &str, name: &str) -> Fragment {
    format!("c{module}\n{name}\n").into_bytes()
}

pub(super) fn call(module: &str, name: &str, arguments: &[Fragment]) -> Fragment {
    [global(module, name), tuple(arguments), b"R".to_vec()].concat()
}

pub(super) fn ordered_dict(entries: &[(&str, Fragment)]) -> Fragment {
    [call("collections", "OrderedDict", &[]), items(entries)].concat()
}

/// An object of a class, with its attributes, as TorchScript writes it.
pub(super) fn object(module: &str, name: &str, attributes: &[(&str, Fragment)]) -> Fragment {
    [global(module, name), b")\x81".to_vec(), dict(attributes), b"b".to_vec()].concat()
}

/// A tensor record, its parts open to tampering.
#[derive(Clone)]
pub(super) struct Tensor {
    pub(super) storage_class: &'static str,
    pub(super) key: &'static str,
    pub(super) stored_elements: i64,
    pub(super) offset: i64,
    pub(super) shape: Vec<i64>,
    pub(super) strides: Vec<i64>,
}

/// A tensor that is all of a storage of its own, in row-major order.
pub(super) fn tensor(storage_class: &'static str, key: &'static str, shape: &[i64]) -> Tensor {
    let strides = (0..shape.len()).map(|axis| shape[axis + 1..].iter().product()).collect();
    let stored_elements = shape.iter().product();
    Tensor { storage_class, key, stored_elements, offset: 0, shape: shape.to_vec(), strides }
}

impl Tensor {
    pub(super) fn view(&self, offset: i64, shape: &[i64], strides: &[i64]) -> Self {
        Self { offset, shape: shape.to_vec(), strides: strides.to_vec(), ..self.clone() }
    }

    pub(super) fn record(&self) -> Fragment {
        let class = global("torch", self.storage_class);
        let persistent = tuple(&[text("storage"), class, text(self.key), text("cuda:0"), int(self.stored_elements)]);
        let storage = [&persistent[..], b"Q"].concat();
        let hooks = call("collections", "OrderedDict", &[]);
        let arguments =
            [storage, int(self.offset), counts(&self.shape), counts(&self.strides), b"\x89".to_vec(), hooks];
        call("torch._utils", "_rebuild_tensor_v2", &arguments)
    }
}

/// A zip archive of stored entries, in the given order.
pub(super) fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    archive_with(SimpleFileOptions::default(), entries)
}

/// As [`archive`], with 64-bit sizes in the header of every entry.
pub(super) fn archive64(entries: &[(&str, &[u8])]) -> Vec<u8> {
    archive_with(SimpleFileOptions::default().large_file(true), entries)
}

fn archive_with(options: SimpleFileOptions, entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = options.compression_method(CompressionMethod::Stored);
    for (name, content) in entries {
        zip.start_file(*name, options).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// An archive as `torch.save` lays it out, around the pickle of `root` and the storages.
pub(super) fn saved(root: &[u8], storages: &[(&str, &[u8])]) -> Vec<u8> {
    saved_pickle(&pickle(root), storages)
}

pub(super) fn saved_pickle(pickle: &[u8], storages: &[(&str, &[u8])]) -> Vec<u8> {
    let names: Vec<_> = storages.iter().map(|(key, _)| format!("archive/data/{key}")).collect();
    let mut entries = vec![("archive/data.pkl", pickle), ("archive/byteorder", b"little"), ("archive/version", b"3\n")];
    entries.extend(names.iter().zip(storages).map(|(name, (_, content))| (name.as_str(), *content)));
    archive(&entries)
}

/// Little-endian bytes of f32 numbers.
pub(super) fn floats(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}
