//! WAVE files made to order, honest by default.

/// Format tags.
pub(crate) const PCM: u16 = 1;
pub(crate) const FLOAT: u16 = 3;
pub(crate) const EXTENSIBLE: u16 = 0xfffe;

/// A WAVE file; every field that a header can lie about may be set apart.
#[derive(Clone)]
pub(crate) struct WavFile {
    pub(crate) magic: [u8; 4],
    pub(crate) tag: u16,
    pub(crate) channels: u16,
    pub(crate) sample_rate_hz: u32,
    pub(crate) bits: u16,
    pub(crate) block_align: Option<u16>,
    pub(crate) riff_bytes: Option<u32>,
    pub(crate) data_bytes: Option<u32>,
    /// The tag behind an extensible format, and the valid bits.
    pub(crate) sub_format: Option<(u16, u16)>,
    /// Chunks between the RIFF header and the format.
    pub(crate) first_chunks: Vec<(&'static [u8; 4], Vec<u8>)>,
    pub(crate) data: Vec<u8>,
    /// Whatever follows the data.
    pub(crate) trailer: Vec<u8>,
}

impl WavFile {
    pub(crate) fn new(tag: u16, channels: u16, bits: u16, data: Vec<u8>) -> Self {
        Self {
            magic: *b"RIFF",
            tag,
            channels,
            sample_rate_hz: 44_100,
            bits,
            block_align: None,
            riff_bytes: None,
            data_bytes: None,
            sub_format: None,
            first_chunks: Vec::new(),
            data,
            trailer: Vec::new(),
        }
    }

    /// 16-bit samples of one channel.
    pub(crate) fn mono_16(samples: &[i32]) -> Self {
        Self::new(PCM, 1, 16, little_endian(samples, 2))
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let align = self.block_align.unwrap_or(self.channels.wrapping_mul(self.bits / 8));
        let mut format = Vec::new();
        format.extend(self.tag.to_le_bytes());
        format.extend(self.channels.to_le_bytes());
        format.extend(self.sample_rate_hz.to_le_bytes());
        format.extend(self.sample_rate_hz.wrapping_mul(align.into()).to_le_bytes());
        format.extend(align.to_le_bytes());
        format.extend(self.bits.to_le_bytes());
        if let Some((tag, valid_bits)) = self.sub_format {
            format.extend(22u16.to_le_bytes());
            format.extend(valid_bits.to_le_bytes());
            format.extend(0u32.to_le_bytes());
            format.extend(tag.to_le_bytes());
            format.extend([0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71]);
        }
        let mut body = b"WAVE".to_vec();
        for (name, chunk) in &self.first_chunks {
            push_chunk(&mut body, name, chunk, None);
        }
        push_chunk(&mut body, b"fmt ", &format, None);
        push_chunk(&mut body, b"data", &self.data, self.data_bytes);
        body.extend(&self.trailer);
        let riff_bytes = self.riff_bytes.unwrap_or(u32::try_from(body.len()).unwrap());
        [&self.magic[..], &riff_bytes.to_le_bytes(), &body].concat()
    }
}

fn push_chunk(file: &mut Vec<u8>, name: &[u8; 4], chunk: &[u8], claimed_bytes: Option<u32>) {
    file.extend(name);
    file.extend(claimed_bytes.unwrap_or(u32::try_from(chunk.len()).unwrap()).to_le_bytes());
    file.extend(chunk);
    if chunk.len() % 2 == 1 {
        file.push(0);
    }
}

/// The low `bytes` bytes of each sample.
pub(crate) fn little_endian(samples: &[i32], bytes: usize) -> Vec<u8> {
    samples.iter().flat_map(|sample| sample.to_le_bytes().into_iter().take(bytes)).collect()
}
