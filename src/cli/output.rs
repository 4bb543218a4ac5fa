//! Where vectors go: NumPy's `.npy` or JSON lines, to a file or to standard output.

use std::fs::OpenOptions;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::ValueEnum;
use serde::Serialize;

use crate::model::RawEmbedding;

/// How vectors are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// One matrix of little-endian f32, a row an input.
    Npy,
    /// One JSON object a line: input, kind, embedding.
    Jsonl,
}

/// A row of the output.
#[derive(Serialize)]
pub(super) struct Row<'a> {
    pub(super) input: &'a str,
    pub(super) kind: &'a str,
    pub(super) embedding: &'a [f32],
}

/// Takes rows in order. A file appears under its name when the sink is finished, not before.
pub(super) struct Sink {
    format: Format,
    target: Target,
    matrix: Vec<RawEmbedding>,
}

enum Target {
    /// Standard output, or a pipe or device, which there is no sense in replacing.
    Stream {
        stream: Box<dyn Write>,
        name: String,
    },
    File {
        unfinished: tempfile::NamedTempFile,
        path: PathBuf,
    },
}

impl Sink {
    pub(super) fn open(format: Format, out: Option<&Path>) -> anyhow::Result<Self> {
        let target = match out {
            None if format == Format::Npy && io::stdout().is_terminal() => {
                bail!("refusing to write binary data to the terminal: give --out FILE or --format jsonl")
            }
            None => Target::Stream { stream: Box::new(io::stdout()), name: "standard output".into() },
            Some(path) if path.is_dir() => bail!("{}: is a directory, expected the name of a file", path.display()),
            Some(path) if path.exists() && !path.is_file() => {
                let stream = OpenOptions::new().write(true).open(path).with_context(|| path.display().to_string())?;
                Target::Stream { stream: Box::new(stream), name: path.display().to_string() }
            }
            Some(path) => {
                let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
                if !directory.is_dir() {
                    bail!("{}: there is no directory {}; create it first", path.display(), directory.display());
                }
                let unfinished = super::unfinished_file(directory).with_context(|| path.display().to_string())?;
                Target::File { unfinished, path: path.into() }
            }
        };
        Ok(Self { format, target, matrix: Vec::new() })
    }

    pub(super) fn push(&mut self, row: &Row<'_>) -> anyhow::Result<()> {
        match self.format {
            // The header holds the number of rows, which is known at the end only.
            Format::Npy => self.matrix.push(row.embedding.to_vec()),
            Format::Jsonl => {
                let mut line = serde_json::to_vec(row)?;
                line.push(b'\n');
                self.write(&line)?;
            }
        }
        Ok(())
    }

    /// Writes what is left, a matrix of `columns` columns, and puts a file in its place.
    pub(super) fn finish(mut self, columns: usize) -> anyhow::Result<()> {
        if self.format == Format::Npy {
            let mut bytes = npy_header(self.matrix.len(), columns);
            bytes.extend(self.matrix.iter().flatten().flat_map(|value| value.to_le_bytes()));
            self.write(&bytes)?;
        }
        match self.target {
            Target::Stream { mut stream, name } => stream.flush().context(name)?,
            Target::File { unfinished, path } => {
                unfinished.persist(&path).with_context(|| path.display().to_string())?;
            }
        }
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        match &mut self.target {
            Target::Stream { stream, name } => stream.write_all(bytes).with_context(|| name.clone()),
            Target::File { unfinished, path } => {
                unfinished.write_all(bytes).with_context(|| path.display().to_string())
            }
        }
    }
}

/// The header of version 1.0 of NumPy's format, for a C-ordered matrix of little-endian f32.
fn npy_header(rows: usize, columns: usize) -> Vec<u8> {
    const PREFIX: &[u8] = b"\x93NUMPY\x01\x00";
    const ALIGNMENT: usize = 64;
    let mut text = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
    let unpadded = PREFIX.len() + size_of::<u16>() + text.len() + 1;
    text.push_str(&" ".repeat(unpadded.next_multiple_of(ALIGNMENT) - unpadded));
    text.push('\n');
    let length = u16::try_from(text.len()).expect("two numbers make a short header");
    [PREFIX, &length.to_le_bytes(), text.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_npy_header_is_padded_to_64_bytes_and_holds_the_shape() {
        for (rows, columns) in [(0, 1024), (1, 1024), (123_456, 7)] {
            let header = npy_header(rows, columns);
            assert_eq!(header.len() % 64, 0);
            assert_eq!(usize::from(u16::from_le_bytes([header[8], header[9]])), header.len() - 10);
            let text = String::from_utf8(header[10..].to_vec()).unwrap();
            assert!(text.contains(&format!("'shape': ({rows}, {columns})")) && text.ends_with('\n'), "{text}");
        }
    }
}
