//! Making the files of a plan, or finding that they are there.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::files::{SampleFormat, write_png, write_wav};
use super::plan::{Content, EVENT_S, Plan, Planned, RECORDING_S};
use crate::media::{MediaKind, Recording};
use crate::world::{Dice, field_recording};

const LIBRARY: &str = "library";
const MANIFEST: &str = "library.json";
/// Goes up whenever the same plan leads to other files.
const RECIPE: u32 = 1;
/// A sound that is cut ends softly.
const FADE_S: f64 = 0.02;

/// The library on disk.
#[derive(Debug, Clone)]
pub struct Made {
    /// Its folder, canonical.
    pub directory: PathBuf,
    /// What is in it, by canonical path.
    pub files: BTreeMap<PathBuf, Planned>,
    /// Files that were there already.
    pub reused: usize,
}

/// Why there is no library.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MakeError {
    /// The system does not let us write.
    #[error("{}: {source}", path.display())]
    Io {
        /// What was to be written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It was told to stop.
    #[error("interrupted while the demo library was made")]
    Interrupted,
}

/// How far making is, and whether it is to go on.
#[derive(Debug, Default)]
pub struct Progress {
    done: std::sync::atomic::AtomicUsize,
    stop: AtomicBool,
}

/// What was made: lets a later run use it again, and scripts know what each file is of.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    recipe: u32,
    files: Vec<Entry>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    /// Below the library.
    path: String,
    seed: u64,
    /// What a sound or a picture is of.
    concept: Option<String>,
    /// What is heard in a long recording, and from when on.
    events: Vec<(f64, String)>,
    blake3: String,
}

impl Made {
    /// The first file of a kind that is of one thing.
    pub fn example(&self, kind: MediaKind, concept: &str) -> Option<&Path> {
        let of_it = |(_, file): &(&PathBuf, &Planned)| match &file.content {
            Content::Sound { concept: own, .. } | Content::Picture { concept: own, .. } => {
                file.content.kind() == kind && own.name() == concept
            }
            Content::Recording(_) => false,
        };
        self.files.iter().filter(of_it).min_by_key(|(_, file)| file.seed).map(|(path, _)| path.as_path())
    }
}

impl Progress {
    /// Files that are there.
    pub fn done(&self) -> usize {
        self.done.load(Ordering::Relaxed)
    }

    /// Makes no more of them.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Makes the library in `directory/library`. Files of an earlier run that are as they were are used again.
///
/// # Errors
/// [`MakeError`]; what was made until then is made again the next time.
pub fn make(plan: &Plan, directory: &Path, progress: &Progress) -> Result<Made, MakeError> {
    let at = |path: &Path| {
        let path = path.to_path_buf();
        move |source| MakeError::Io { path, source }
    };
    let library = directory.join(LIBRARY);
    for folder in plan.files.iter().filter_map(|file| library.join(&file.path).parent().map(Path::to_path_buf)) {
        fs::create_dir_all(&folder).map_err(at(&folder))?;
    }
    fs::create_dir_all(&library).map_err(at(&library))?;
    let library = library.canonicalize().map_err(at(&library))?;
    let manifest = directory.join(MANIFEST);
    let before = digests(&manifest);
    // The longest first, so that no thread is left alone with it at the end.
    let mut order: Vec<&Planned> = plan.files.iter().collect();
    order.sort_by_key(|file| !matches!(file.content, Content::Recording(_)));
    let made = order.into_par_iter().map(|file| {
        if progress.stop.load(Ordering::Relaxed) {
            return Err(MakeError::Interrupted);
        }
        let path = library.join(&file.path);
        let known = before.get(&(file.path.clone(), file.seed)).filter(|known| digest(&path).as_ref() == Some(*known));
        let blake3 = match known {
            Some(known) => known.clone(),
            None => write(file, &path)
                .and_then(|()| digest(&path).ok_or(io::ErrorKind::NotFound.into()))
                .map_err(at(&path))?,
        };
        progress.done.fetch_add(1, Ordering::Relaxed);
        Ok((entry(file, blake3), known.is_some()))
    });
    let (mut entries, reused): (Vec<Entry>, Vec<bool>) =
        made.collect::<Result<Vec<_>, MakeError>>()?.into_iter().unzip();
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    let json = serde_json::to_vec_pretty(&Manifest { recipe: RECIPE, files: entries }).map_err(io::Error::other);
    json.and_then(|json| fs::write(&manifest, json)).map_err(at(&manifest))?;
    let files = plan.files.iter().map(|file| (library.join(&file.path), file.clone())).collect();
    Ok(Made { directory: library, files, reused: reused.into_iter().filter(|reused| *reused).count() })
}

/// The digests of the files that an earlier run made, by path and seed; none if that cannot be told.
fn digests(manifest: &Path) -> BTreeMap<(String, u64), String> {
    let manifest = fs::read(manifest).ok().and_then(|bytes| serde_json::from_slice::<Manifest>(&bytes).ok());
    let files = manifest.filter(|manifest| manifest.recipe == RECIPE).map(|manifest| manifest.files);
    files.into_iter().flatten().map(|file| ((file.path, file.seed), file.blake3)).collect()
}

fn digest(path: &Path) -> Option<String> {
    Some(blake3::hash(&fs::read(path).ok()?).to_hex().to_string())
}

fn entry(file: &Planned, blake3: String) -> Entry {
    let (concept, events) = match &file.content {
        Content::Sound { concept, .. } | Content::Picture { concept, .. } => {
            (Some(concept.name().to_owned()), Vec::new())
        }
        Content::Recording(events) => {
            (None, events.iter().map(|event| (event.start_s, event.concept.name().to_owned())).collect())
        }
    };
    Entry { path: file.path.clone(), seed: file.seed, concept, events, blake3 }
}

fn write(file: &Planned, path: &Path) -> io::Result<()> {
    let mut dice = Dice::new(file.seed).fork();
    match &file.content {
        Content::Sound { concept, longest_s, format } => {
            write_wav(path, &cut(concept.sound(&mut dice), *longest_s), *format)
        }
        Content::Picture { concept, side } => write_png(path, &concept.picture(*side, &mut dice)),
        Content::Recording(events) => {
            let events: Vec<_> = events.iter().map(|event| (event.start_s, event.concept)).collect();
            let recording = field_recording(&events, RECORDING_S, EVENT_S, &mut dice);
            write_wav(path, &recording, SampleFormat::Pcm24)
        }
    }
}

/// At most so long, with a soft end.
fn cut(mut recording: Recording, longest_s: f64) -> Recording {
    let rate = f64::from(recording.sample_rate_hz);
    #[allow(clippy::cast_sign_loss, reason = "lengths are positive")]
    let (frames, fade) = ((longest_s * rate) as usize, (FADE_S * rate) as usize);
    if recording.frames() > frames {
        for channel in &mut recording.channels {
            channel.truncate(frames);
            for (left, sample) in channel.iter_mut().rev().take(fade).enumerate() {
                *sample *= left as f32 / fade as f32;
            }
        }
    }
    recording
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sound_is_cut_softly_and_only_if_it_is_too_long() {
        let recording = |frames| Recording { sample_rate_hz: 1_000, channels: vec![vec![1.0; frames]; 2] };
        assert_eq!(cut(recording(3_000), 3.0), recording(3_000));
        let short = cut(recording(3_001), 3.0);
        assert_eq!((short.frames(), short.channels[1][2_999], short.channels[0][2_980]), (3_000, 0.0, 0.95));
        assert_eq!(short.channels[0][2_979], 1.0);
    }
}
