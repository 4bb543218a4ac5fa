//! Content to model inputs: decoding, cutting into windows, and what is learned on the way.
//!
//! The same for files of the library and for media of a query. Invariant: memory does not grow with the length of a
//! sound. Does not know where the content came from, nor who embeds the windows.

mod windows;

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use self::windows::Cutter;
use super::encoder::ImagePreparation;
use crate::containment::contain;
use crate::decode::audio::{AudioReader, MonoReader};
use crate::decode::{AudioLimits, DecodeError, ImageLimits, Rotation, decode_image, read_image};
use crate::describe::describe;
use crate::embed::ModelInput;
use crate::library::{Description, Span, TechnicalFacts};
use crate::media::MediaKind;
use crate::preprocess::audio::SAMPLE_RATE_HZ;

/// How content is read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ContentOptions {
    /// What a sound may cost.
    pub audio_limits: AudioLimits,
    /// What a picture may cost.
    pub image_limits: ImageLimits,
    /// From the start of a window to the start of the next; 0 counts as 1.
    pub hop_ms: u64,
    /// A window whose loudest sample is below this level is silent.
    pub silence_dbfs: f32,
}

/// Where content is.
#[derive(Debug, Clone)]
pub enum Source<'a> {
    /// In memory.
    Bytes(Arc<[u8]>),
    /// In a file.
    File(&'a Path),
    /// In a file that is open, wherever its name leads by now.
    Open(Arc<File>),
}

/// What is learned by reading content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentFacts {
    /// What decoding tells.
    pub facts: TechnicalFacts,
    /// What its makers wrote into it.
    pub description: Description,
    /// What was wrong and could be worked around.
    pub damage: Option<String>,
}

/// A window of a sound, or a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// Where in the content.
    pub span: Span,
    /// Nothing is to be heard in it.
    pub silent: bool,
    /// As the model takes it.
    pub input: ModelInput,
}

/// Reads content of a kind, and hands its windows to `emit` in order, at least one. If `emit` returns `false`, reading
/// ends there, without error, and the facts are those of the part that was read.
///
/// Sounds up to five seconds are one window, padded as the evaluation protocol does; longer ones are cut into windows
/// of five seconds, of which the last ends with the sound. Up to a twentieth of a second beyond a window is left out:
/// that is what codecs add.
///
/// # Errors
/// [`DecodeError`]. Of a long sound, windows may have been handed out before: they are of no use then.
pub fn read_content(
    source: &Source<'_>,
    kind: MediaKind,
    options: &ContentOptions,
    prepare: &ImagePreparation,
    emit: &mut dyn FnMut(Window) -> bool,
) -> Result<ContentFacts, DecodeError> {
    let (facts, damage) = read_windows(source, kind, options, prepare, emit)?;
    Ok(ContentFacts { facts, description: read_description(source, kind)?, damage })
}

/// [`read_content`] without the description: the facts, and the damage.
fn read_windows(
    source: &Source<'_>,
    kind: MediaKind,
    options: &ContentOptions,
    prepare: &ImagePreparation,
    emit: &mut dyn FnMut(Window) -> bool,
) -> Result<(TechnicalFacts, Option<String>), DecodeError> {
    let bytes = source.len()?;
    let (facts, damage) = match kind {
        MediaKind::Audio => read_sound(source.audio(&options.audio_limits)?, options, emit)?,
        MediaKind::Image => read_picture(source, &options.image_limits, prepare, emit)?,
    };
    Ok((TechnicalFacts { bytes, ..facts }, damage))
}

fn read_sound(
    reader: AudioReader,
    options: &ContentOptions,
    emit: &mut dyn FnMut(Window) -> bool,
) -> Result<(TechnicalFacts, Option<String>), DecodeError> {
    let mut sound = MonoReader::new(reader, SAMPLE_RATE_HZ)?;
    let mut cutter = Cutter::new(options.hop_ms, options.silence_dbfs);
    let mut samples = Vec::new();
    let mut wanted = true;
    while wanted && sound.next_block(&mut samples)? {
        wanted = cutter.push(&samples, emit);
    }
    if wanted {
        cutter.finish(emit);
    }
    let facts = sound.facts();
    let technical = TechnicalFacts {
        format: facts.container.into(),
        codec: Some(facts.codec.into()),
        duration_ms: Some(cutter.duration_ms()),
        sample_rate_hz: Some(facts.sample_rate_hz),
        channels: Some(facts.channels),
        bits_per_sample: facts.bits_per_sample,
        ..TechnicalFacts::default()
    };
    Ok((technical, sound.damage()))
}

fn read_picture(
    source: &Source<'_>,
    limits: &ImageLimits,
    prepare: &ImagePreparation,
    emit: &mut dyn FnMut(Window) -> bool,
) -> Result<(TechnicalFacts, Option<String>), DecodeError> {
    let decoded = match source {
        Source::Bytes(bytes) => decode_image(bytes, limits, Rotation::Upright)?,
        Source::File(path) => read_image(path, limits, Rotation::Upright)?,
        Source::Open(file) => {
            // What it has grown by since it was measured is cut off, a byte late, so that the limit sees it.
            let mut bytes = Vec::new();
            Positioned::new(file.clone()).take(limits.file_bytes.saturating_add(1)).read_to_end(&mut bytes)?;
            decode_image(&bytes, limits, Rotation::Upright)?
        }
    };
    let facts = TechnicalFacts {
        format: decoded.format.into(),
        width: Some(decoded.image.width),
        height: Some(decoded.image.height),
        ..TechnicalFacts::default()
    };
    emit(Window { span: Span::default(), silent: false, input: prepare(&decoded.image) });
    Ok((facts, decoded.damage))
}

/// What its makers wrote into it. Whatever goes wrong there costs the description only.
fn read_description(source: &Source<'_>, kind: MediaKind) -> Result<Description, DecodeError> {
    let read = match source {
        Source::Bytes(bytes) => contain(|| describe(&mut Cursor::new(bytes), kind)),
        Source::File(path) => {
            let file = Arc::new(File::open(path)?);
            contain(|| describe(&mut io::BufReader::new(Positioned::new(file)), kind))
        }
        Source::Open(file) => contain(|| describe(&mut io::BufReader::new(Positioned::new(file.clone())), kind)),
    };
    Ok(read.unwrap_or_else(|panic| {
        tracing::warn!("a description could not be read: {panic}");
        Description::default()
    }))
}

impl Source<'_> {
    fn len(&self) -> io::Result<u64> {
        Ok(match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(path) => std::fs::metadata(path)?.len(),
            Self::Open(file) => file.metadata()?.len(),
        })
    }

    fn audio(&self, limits: &AudioLimits) -> Result<AudioReader, DecodeError> {
        match self {
            Self::Bytes(bytes) => AudioReader::from_bytes(Cursor::new(bytes.clone()), limits),
            Self::File(path) => AudioReader::open(path, limits),
            Self::Open(file) => AudioReader::from_bytes(Positioned::new(file.clone()), limits),
        }
    }
}

/// A reader of an open file with a position of its own: handles of one file share theirs.
pub(super) struct Positioned {
    file: Arc<File>,
    position: u64,
}

impl Positioned {
    pub(super) fn new(file: Arc<File>) -> Self {
        Self { file, position: 0 }
    }
}

impl Read for Positioned {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        #[cfg(unix)]
        let count = std::os::unix::fs::FileExt::read_at(&*self.file, buffer, self.position)?;
        #[cfg(windows)]
        let count = std::os::windows::fs::FileExt::seek_read(&*self.file, buffer, self.position)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for Positioned {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        let (origin, offset) = match position {
            SeekFrom::Start(position) => (position, 0),
            SeekFrom::Current(offset) => (self.position, offset),
            SeekFrom::End(offset) => (self.file.metadata()?.len(), offset),
        };
        let before_start = || io::Error::new(io::ErrorKind::InvalidInput, "a position before the start of the file");
        self.position = origin.checked_add_signed(offset).ok_or_else(before_start)?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests;
