//! The chunks of a WAVE file: what its samples look like and where they lie.
//!
//! Reads RIFF, RF64 and BW64 (EBU Tech 3306, ITU-R BS.2088), with or without the extensible format. Recorders that
//! lose power, pipes and copies that break off leave sizes that do not hold, so the file size has the last word.

use super::source::Source;
use crate::decode::DecodeError;

/// Chunks looked at before the data is given up for lost. Real files have about a dozen.
const MAX_CHUNKS: usize = 4096;

/// A size field that is not in use: the size is in the `ds64` chunk, or unknown.
const NO_SIZE: u32 = u32::MAX;

/// The last 12 bytes of a sub-format identifier whose first two are a format tag; plain, then ambisonic B-format.
const SUBFORMAT_TAILS: [[u8; 12]; 2] = [
    [0x00, 0x00, 0x10, 0x00, 0x80, 0x00, 0x00, 0xaa, 0x00, 0x38, 0x9b, 0x71],
    [0x21, 0x07, 0xd3, 0x11, 0x86, 0x44, 0xc8, 0xc1, 0xca, 0x00, 0x00, 0x00],
];

/// How a sample is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// Integers; unsigned if one byte wide, left-justified if the width exceeds the bits.
    Integer,
    /// IEEE floating point, four or eight bytes.
    Float,
}

/// Raw samples in a WAVE file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WavLayout {
    pub(super) container: &'static str,
    pub(super) encoding: Encoding,
    pub(super) bits_per_sample: u16,
    /// Bytes of one sample of one channel.
    pub(super) sample_bytes: u16,
    pub(super) channels: u16,
    pub(super) sample_rate_hz: u32,
    pub(super) data_start: u64,
    /// Bytes of sound, never more than the file holds.
    pub(super) data_bytes: u64,
    pub(super) damage: Option<String>,
}

/// The layout of raw samples; `None` when the file is no WAVE, or its samples are compressed.
pub(super) fn read_layout(source: &mut Source) -> Result<Option<WavLayout>, DecodeError> {
    let Some(head) = source.array_at::<12>(0)? else { return Ok(None) };
    let container = match &head[..4] {
        b"RIFF" => "wave",
        b"RF64" => "rf64",
        b"BW64" => "bw64",
        _ => return Ok(None),
    };
    if &head[8..] != b"WAVE" {
        return Ok(None);
    }
    let chunks = read_chunks(source, u64::from(le_u32(&head, 4)))?;
    match &chunks.format {
        Some(format) => format.layout(container, &chunks),
        None => Err(damaged("it has no format chunk before its data")),
    }
}

/// What the chunks up to the data said.
#[derive(Default)]
struct Chunks {
    format: Option<Format>,
    data_start: u64,
    data_bytes: u64,
    damage: Option<String>,
}

fn read_chunks(source: &mut Source, riff_bytes: u64) -> Result<Chunks, DecodeError> {
    let mut chunks = Chunks::default();
    let mut long_data_bytes = None;
    let mut position = 12;
    for _ in 0..MAX_CHUNKS {
        let Some(header) = source.array_at::<8>(position)? else { break };
        let (body, len) = (position + 8, le_u32(&header, 4));
        match &header[..4] {
            b"ds64" => long_data_bytes = source.array_at::<16>(body)?.map(|sizes| le_u64(&sizes, 8)),
            b"fmt " => chunks.format = Some(Format::read(source, body, len)?),
            b"data" => {
                let promised = match (len, long_data_bytes) {
                    (NO_SIZE, Some(bytes)) => Some(bytes),
                    (NO_SIZE, None) => None,
                    (len, _) => Some(u64::from(len)),
                };
                chunks.place_data(body, promised, riff_bytes, source.len());
                return Ok(chunks);
            }
            _ => {}
        }
        position = body + u64::from(len) + u64::from(len & 1);
    }
    Err(damaged("it has no data chunk"))
}

impl Chunks {
    fn place_data(&mut self, start: u64, promised: Option<u64>, riff_bytes: u64, file_bytes: u64) {
        let present = file_bytes - start;
        self.data_start = start;
        self.data_bytes = promised.unwrap_or(present).min(present);
        if let Some(promised) = promised.filter(|&bytes| bytes > present) {
            self.damage = Some(format!("the header promises {promised} bytes of sound, the file holds {present}"));
        }
        // Both sizes are written last: without them a recorder stopped in the middle, and the sound runs to the end.
        if promised == Some(0) && present > 0 && riff_bytes < start {
            self.data_bytes = present;
            self.damage = Some("the header was never completed; all that follows it is taken as sound".into());
        }
    }
}

/// The format chunk.
struct Format {
    tag: u16,
    channels: u16,
    sample_rate_hz: u32,
    block_bytes: u16,
    bits_per_sample: u16,
}

impl Format {
    fn read(source: &mut Source, body: u64, len: u32) -> Result<Self, DecodeError> {
        const EXTENSIBLE: u16 = 0xfffe;
        let cut_short = || damaged("its format chunk is cut short");
        let basic = source.array_at::<16>(body)?.filter(|_| len >= 16).ok_or_else(cut_short)?;
        let mut tag = le_u16(&basic, 0);
        if tag == EXTENSIBLE {
            let sub_format = source.array_at::<16>(body + 24)?.filter(|_| len >= 40).ok_or_else(cut_short)?;
            let known = SUBFORMAT_TAILS.iter().any(|tail| sub_format[4..] == *tail) && sub_format[2..4] == [0, 0];
            if !known {
                let reason = format!("unknown WAVE sub-format {sub_format:02x?}");
                return Err(DecodeError::Unsupported { expected: "sound", reason });
            }
            tag = le_u16(&sub_format, 0);
        }
        Ok(Self {
            tag,
            channels: le_u16(&basic, 2),
            sample_rate_hz: le_u32(&basic, 4),
            block_bytes: le_u16(&basic, 12),
            bits_per_sample: le_u16(&basic, 14),
        })
    }

    fn layout(&self, container: &'static str, chunks: &Chunks) -> Result<Option<WavLayout>, DecodeError> {
        const PCM: u16 = 1;
        const IEEE_FLOAT: u16 = 3;
        let (encoding, possible) = match self.tag {
            PCM => (Encoding::Integer, (1..=32).contains(&self.bits_per_sample)),
            IEEE_FLOAT => (Encoding::Float, matches!(self.bits_per_sample, 32 | 64)),
            _ => return Ok(None),
        };
        if !possible {
            return Err(damaged(&format!("samples of {} bits are impossible", self.bits_per_sample)));
        }
        if self.channels == 0 {
            return Err(damaged("it has 0 channels"));
        }
        let (sample_bytes, odd_bytes) = (self.block_bytes / self.channels, self.block_bytes % self.channels);
        let least = self.bits_per_sample.div_ceil(8);
        let fits = match encoding {
            Encoding::Integer => (least..=4).contains(&sample_bytes),
            Encoding::Float => sample_bytes == least,
        };
        if odd_bytes != 0 || !fits {
            let (block, channels, bits) = (self.block_bytes, self.channels, self.bits_per_sample);
            return Err(damaged(&format!("frames of {block} bytes cannot hold {channels} channels of {bits} bits")));
        }
        Ok(Some(WavLayout {
            container,
            encoding,
            bits_per_sample: self.bits_per_sample,
            sample_bytes,
            channels: self.channels,
            sample_rate_hz: self.sample_rate_hz,
            data_start: chunks.data_start,
            data_bytes: chunks.data_bytes,
            damage: chunks.damage.clone(),
        }))
    }
}

fn damaged(reason: &str) -> DecodeError {
    DecodeError::Damaged { format: "wave file", reason: reason.into() }
}

fn le_u16(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn le_u32(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn le_u64(bytes: &[u8], at: usize) -> u64 {
    u64::from(le_u32(bytes, at)) | u64::from(le_u32(bytes, at + 4)) << 32
}
