//! Sounds as WAV, pictures as PNG.

use std::fs::File;
use std::io::{self, BufWriter, Seek, Write};
use std::path::Path;

use crate::media::{Recording, RgbImage};

/// How samples are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SampleFormat {
    /// 16-bit integers.
    Pcm16,
    /// 24-bit integers.
    Pcm24,
    /// 32-bit floating point.
    Float32,
}

impl SampleFormat {
    /// All of them.
    pub(super) const ALL: [Self; 3] = [Self::Pcm16, Self::Pcm24, Self::Float32];

    fn bits(self) -> u16 {
        match self {
            Self::Pcm16 => 16,
            Self::Pcm24 => 24,
            Self::Float32 => 32,
        }
    }
}

/// Writes a sound.
pub(super) fn write_wav(path: &Path, recording: &Recording, format: SampleFormat) -> io::Result<()> {
    let write = |error: hound::Error| match error {
        hound::Error::IoError(error) => error,
        other => io::Error::other(other),
    };
    let file = BufWriter::new(File::create(path)?);
    encode_wav(file, recording, format).map_err(write)
}

fn encode_wav(out: impl Write + Seek, recording: &Recording, format: SampleFormat) -> Result<(), hound::Error> {
    let channels = u16::try_from(recording.channels.len()).map_err(|_| hound::Error::TooWide)?;
    let is_float = format == SampleFormat::Float32;
    let spec = hound::WavSpec {
        channels,
        sample_rate: recording.sample_rate_hz,
        bits_per_sample: format.bits(),
        sample_format: if is_float { hound::SampleFormat::Float } else { hound::SampleFormat::Int },
    };
    let mut writer = hound::WavWriter::new(out, spec)?;
    let full_scale = f32::from(1_u16 << 15) * if format == SampleFormat::Pcm24 { 256.0 } else { 1.0 };
    for frame in 0..recording.frames() {
        for channel in &recording.channels {
            let sample = channel[frame];
            if is_float {
                writer.write_sample(sample)?;
            } else {
                writer.write_sample((sample * full_scale).round().clamp(-full_scale, full_scale - 1.0) as i32)?;
            }
        }
    }
    writer.finalize()
}

/// Writes a picture.
pub(super) fn write_png(path: &Path, image: &RgbImage) -> io::Result<()> {
    let mut encoder = png::Encoder::new(BufWriter::new(File::create(path)?), image.width, image.height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header().map_err(io::Error::other)?;
    writer.write_image_data(&image.pixels).map_err(io::Error::other)?;
    writer.finish().map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sound_is_read_as_it_was_written_in_every_format() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sound.wav");
        let channels = vec![vec![0.0, 0.5, -1.0, 1.0], vec![0.25, -0.25, 0.0, -0.5]];
        let recording = Recording { sample_rate_hz: 11_025, channels };
        for format in SampleFormat::ALL {
            write_wav(&path, &recording, format).unwrap();
            let mut reader = hound::WavReader::open(&path).unwrap();
            let spec = reader.spec();
            assert_eq!((spec.channels, spec.sample_rate, spec.bits_per_sample), (2, 11_025, format.bits()));
            let scale = f64::from(1_u32 << (format.bits() - 1));
            let read: Vec<f64> = match format {
                SampleFormat::Float32 => reader.samples::<f32>().map(|sample| f64::from(sample.unwrap())).collect(),
                _ => reader.samples::<i32>().map(|sample| f64::from(sample.unwrap()) / scale).collect(),
            };
            let expected = [0.0, 0.25, 0.5, -0.25, -1.0, 0.0, 1.0, -0.5];
            assert!(read.iter().zip(expected).all(|(read, expected)| (read - expected).abs() < 1e-4), "{read:?}");
            assert_eq!(read.len(), expected.len());
        }
    }

    #[test]
    fn a_picture_is_read_as_it_was_written() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("picture.png");
        let image = RgbImage { width: 3, height: 2, pixels: (0..18).map(|level| level * 14).collect() };
        write_png(&path, &image).unwrap();
        let decoder = png::Decoder::new(io::BufReader::new(File::open(&path).unwrap()));
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; 18];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width, info.height, pixels), (3, 2, image.pixels));
    }
}
