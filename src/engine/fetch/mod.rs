//! Files of the library, read so that what is embedded is what was hashed.
//!
//! Invariant: content whose id is given out is the content that was decoded, whatever is written to the file meanwhile.
//! Small files are read once, and hashed and decoded from memory; large ones are hashed, decoded, and hashed again.
//! Never waits on a pipe, never follows a symbolic link, and reads no more of a file that is no media than its start.

mod file;
mod names;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use self::names::MediaName;
use super::content::{ContentFacts, ContentOptions, Positioned, Source, Window, read_content};
use super::encoder::ImagePreparation;
use crate::decode::{AudioLimits, DecodeError, ImageLimits, SIGNATURE_BYTES, signature};
use crate::library::{AssetId, FailureCode, FileStat};
use crate::media::MediaKind;

/// How files are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchOptions {
    /// Sounds up to this size are read once and kept in memory; larger ones are read several times. Pictures are always
    /// kept in memory, where they are decoded.
    pub whole_file_bytes: u64,
    /// A file that was modified less than this ago is taken for unfinished; zero for none.
    pub settle: Duration,
    /// What a sound may cost.
    pub audio_limits: AudioLimits,
    /// What a picture may cost.
    pub image_limits: ImageLimits,
}

/// Why there is no content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It is not there, or something is that is no regular file.
    Gone,
    /// It changed while it was read, is too young, or cannot be had just now: look again later.
    Unsettled,
    /// Neither named nor built like a sound or a picture.
    Ignored(FileStat),
    /// It cannot be embedded.
    Failed {
        /// As it was; all zero if even that is not to be learned.
        stat: FileStat,
        /// Why.
        failure: FileFailure,
        /// Its content, if that could be read.
        content: Option<AssetId>,
    },
}

/// Why a file cannot be embedded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFailure {
    /// In one word.
    pub code: FailureCode,
    /// In a sentence.
    pub reason: String,
}

/// A file whose content has been hashed.
#[derive(Debug)]
pub struct Fetched {
    /// Names the content.
    pub id: AssetId,
    /// The file as it was.
    pub stat: FileStat,
    /// What it starts like, or is named like if that does not tell.
    pub kind: MediaKind,
    name: Option<MediaName>,
    content: Content,
}

/// Where the content is until it is decoded.
#[derive(Debug)]
enum Content {
    Memory(Arc<[u8]>),
    File(Arc<File>),
}

/// Opens and hashes a file.
///
/// # Errors
/// [`Refusal`].
pub fn fetch(path: &Path, options: &FetchOptions) -> Result<Fetched, Refusal> {
    let (file, stat) = file::open(path)?;
    let name = MediaName::of(path);
    let unreadable = |error: io::Error| refuse(&error.into(), stat, name.as_ref(), None);
    let head = read_head(&file).map_err(unreadable)?;
    let Some(kind) = signature(&head).or(name.as_ref().map(MediaName::kind)) else {
        return Err(Refusal::Ignored(stat));
    };
    if !is_settled(&stat, options.settle, SystemTime::now()) {
        return Err(Refusal::Unsettled);
    }
    if stat.size == 0 {
        let nothing = AssetId::from_hash(*blake3::hash(b"").as_bytes());
        return Err(refuse(&DecodeError::Empty("data"), stat, name.as_ref(), Some(nothing)));
    }
    check_size(kind, stat.size, options).map_err(|error| refuse(&error, stat, name.as_ref(), None))?;
    let (id, content) = if kind == MediaKind::Image || stat.size <= options.whole_file_bytes {
        let bytes = read_whole(&file, stat.size).map_err(unreadable)?.ok_or(Refusal::Unsettled)?;
        (AssetId::from_hash(*blake3::hash(&bytes).as_bytes()), Content::Memory(bytes))
    } else {
        let id = hash(&file, stat.size).map_err(unreadable)?.ok_or(Refusal::Unsettled)?;
        (id, Content::File(file.clone()))
    };
    // Where the size or the time has changed, the content belongs to a state of the file that is not `stat`.
    if !file::has_stat(&file, &stat).map_err(unreadable)? {
        return Err(Refusal::Unsettled);
    }
    Ok(Fetched { id, stat, kind, name, content })
}

impl Fetched {
    /// Decodes the content as [`read_content`] does. What was handed to `emit` is of no use after an error.
    ///
    /// # Errors
    /// [`Refusal`]: [`Refusal::Unsettled`] if the file has changed since it was hashed, [`Refusal::Ignored`] if its
    /// name is no media's and no decoder knows it.
    pub fn read(
        &self,
        options: &ContentOptions,
        prepare: &ImagePreparation,
        emit: &mut dyn FnMut(Window) -> bool,
    ) -> Result<ContentFacts, Refusal> {
        let mut wanted = true;
        let mut watched = |window| {
            wanted = emit(window);
            wanted
        };
        let source = match &self.content {
            Content::Memory(bytes) => Source::Bytes(bytes.clone()),
            Content::File(file) => Source::Open(file.clone()),
        };
        let read = read_content(&source, self.kind, options, prepare, &mut watched);
        // A file that changes may look damaged, so this comes before the error, too.
        if let Content::File(file) = &self.content
            && wanted
        {
            self.check_unchanged(file)?;
        }
        read.map_err(|error| self.refuse(&error))
    }

    fn check_unchanged(&self, file: &Arc<File>) -> Result<(), Refusal> {
        let unreadable = |error: io::Error| self.refuse(&error.into());
        let same = hash(file, self.stat.size).map_err(unreadable)? == Some(self.id)
            && file::has_stat(file, &self.stat).map_err(unreadable)?;
        if same { Ok(()) } else { Err(Refusal::Unsettled) }
    }

    fn refuse(&self, error: &DecodeError) -> Refusal {
        refuse(error, self.stat, self.name.as_ref(), Some(self.id))
    }
}

/// The first bytes, by which media are told.
fn read_head(file: &Arc<File>) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    Positioned::new(file.clone()).take(SIGNATURE_BYTES as u64).read_to_end(&mut head)?;
    Ok(head)
}

/// All `size` bytes; `None` if there are fewer.
fn read_whole(file: &Arc<File>, size: u64) -> io::Result<Option<Arc<[u8]>>> {
    let Ok(size) = usize::try_from(size) else { return Err(io::ErrorKind::OutOfMemory.into()) };
    let mut bytes: Arc<[u8]> = std::iter::repeat_n(0, size).collect();
    let buffer = Arc::get_mut(&mut bytes).expect("nobody else has it yet");
    match Positioned::new(file.clone()).read_exact(buffer) {
        Ok(()) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

/// The id of all `size` bytes; `None` if there are more or fewer.
fn hash(file: &Arc<File>, size: u64) -> io::Result<Option<AssetId>> {
    let mut hasher = blake3::Hasher::new();
    // A file that grows as fast as it is read would never end.
    hasher.update_reader(Positioned::new(file.clone()).take(size.saturating_add(1)))?;
    Ok((hasher.count() == size).then(|| AssetId::from_hash(*hasher.finalize().as_bytes())))
}

/// Whether nobody has written for a while. A time somewhat in the future is another machine's clock; one far in the
/// future says nothing, and will not pass.
fn is_settled(stat: &FileStat, settle: Duration, now: SystemTime) -> bool {
    let now_ns = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    let age_ns = now_ns.abs_diff(u128::try_from(stat.modified_ns).unwrap_or(0));
    age_ns >= settle.as_nanos()
}

fn check_size(kind: MediaKind, actual: u64, options: &FetchOptions) -> Result<(), DecodeError> {
    let (limit, key) = match kind {
        MediaKind::Audio => (options.audio_limits.file_bytes, "limits.audio.file_bytes"),
        MediaKind::Image => (options.image_limits.file_bytes, "limits.image.file_bytes"),
    };
    let what = "the file size in bytes";
    if actual > limit { Err(DecodeError::TooLarge { what, actual, limit, key }) } else { Ok(()) }
}

/// What an error means for the file: the one place where errors of decoding become failures.
fn refuse(error: &DecodeError, stat: FileStat, name: Option<&MediaName>, content: Option<AssetId>) -> Refusal {
    let code = match error {
        DecodeError::Io(error) => match file::meaning(error) {
            file::Meaning::Gone => return Refusal::Gone,
            file::Meaning::Passing => return Refusal::Unsettled,
            file::Meaning::Lasting => FailureCode::Unreadable,
        },
        DecodeError::Unsupported { .. } if name.is_none() => return Refusal::Ignored(stat),
        DecodeError::Unsupported { .. } => FailureCode::Unsupported,
        DecodeError::Damaged { .. } | DecodeError::Resample(_) => FailureCode::Damaged,
        DecodeError::TooLarge { .. } => FailureCode::TooLarge,
        DecodeError::Empty(_) => FailureCode::Empty,
    };
    let reason = match (code, name) {
        (FailureCode::Unsupported, Some(name)) => format!("named .{name}, but {error}"),
        _ => error.to_string(),
    };
    Refusal::Failed { stat, failure: FileFailure { code, reason }, content }
}

#[cfg(test)]
mod tests;
