//! Files of the library, as they are found and while they change.

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use earmark::decode::{AudioLimits, ImageLimits};
use earmark::embed::ModelInput;
use earmark::engine::content::{ContentFacts, ContentOptions, Window};
use earmark::engine::encoder::ImagePreparation;
use earmark::engine::fetch::{FetchOptions, Fetched, Refusal, fetch};
use earmark::library::{AssetId, FailureCode, FileStat};
use earmark::media::MediaKind;

use super::wav;

const WHOLE: u64 = u64::MAX;

fn options(whole_file_bytes: u64) -> FetchOptions {
    let (audio_limits, image_limits) = (AudioLimits::default(), ImageLimits::default());
    FetchOptions { whole_file_bytes, settle: Duration::ZERO, audio_limits, image_limits }
}

fn read_into(fetched: &Fetched, emit: &mut dyn FnMut(Window) -> bool) -> Result<ContentFacts, Refusal> {
    let (audio_limits, image_limits) = (AudioLimits::default(), ImageLimits::default());
    let options = ContentOptions { audio_limits, image_limits, hop_ms: 5000, silence_dbfs: -60.0 };
    let prepare: ImagePreparation = Arc::new(|image| ModelInput::Image(vec![image.width as f32, image.height as f32]));
    fetched.read(&options, &prepare, emit)
}

fn read(fetched: &Fetched) -> Result<(Vec<Window>, ContentFacts), Refusal> {
    let mut windows = Vec::new();
    let mut emit = |window| {
        windows.push(window);
        true
    };
    let facts = read_into(fetched, &mut emit)?;
    Ok((windows, facts))
}

fn hash(content: &[u8]) -> AssetId {
    AssetId::from_hash(*blake3::hash(content).as_bytes())
}

/// A folder to put files into.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        fs::write(self.path(name), content).unwrap();
        self.path(name)
    }
}

/// Fetches and reads a file that fails; its code, reason, and whether its content is known.
#[track_caller]
fn failure(path: &Path, options: &FetchOptions) -> (FailureCode, String, bool) {
    let refusal = fetch(path, options).and_then(|fetched| read(&fetched)).unwrap_err();
    let Refusal::Failed { stat, failure, content } = refusal else { panic!("{refusal:?}") };
    assert_eq!(stat, FileStat::of(&fs::metadata(path).unwrap()));
    assert!(content.is_none_or(|content| content == hash(&fs::read(path).unwrap())));
    (failure.code, failure.reason, content.is_some())
}

#[test]
fn content_is_named_by_its_hash_however_it_is_read() {
    let folder = Folder::new();
    let content = wav(&[100.0; 44_100 * 12]);
    let path = folder.file("a.wav", &content);
    let mut seen = Vec::new();
    for whole_file_bytes in [WHOLE, content.len() as u64, 0] {
        let fetched = fetch(&path, &options(whole_file_bytes)).unwrap();
        assert_eq!((fetched.id, fetched.kind), (hash(&content), MediaKind::Audio));
        assert_eq!(fetched.stat, FileStat::of(&fs::metadata(&path).unwrap()));
        let (windows, facts) = read(&fetched).unwrap();
        assert_eq!((windows.len(), facts.facts.bytes), (3, content.len() as u64));
        seen.push((windows, facts));
    }
    assert!(seen[0] == seen[1] && seen[0] == seen[2]);
}

#[test]
fn half_an_hour_is_read_in_windows() {
    let folder = Folder::new();
    let path = folder.path("long.wav");
    // Of 8 kHz, which the header does not know yet.
    let mut header = wav(&[]);
    header[24..28].copy_from_slice(&8000_u32.to_le_bytes());
    let sound_bytes: u32 = 2 * 8000 * 60 * 30 + 2 * 8000;
    header[40..44].copy_from_slice(&sound_bytes.to_le_bytes());
    let mut file = fs::File::create(&path).unwrap();
    file.write_all(&header).unwrap();
    // The rest is a hole, and zeros are silence; only the last sample is not.
    file.seek(SeekFrom::Start(u64::from(sound_bytes) + 42)).unwrap();
    file.write_all(&[0, 0x40]).unwrap();
    drop(file);
    let mut windows = Vec::new();
    let mut emit = |window: Window| {
        windows.push((window.span.start_ms, window.span.end_ms, window.silent));
        true
    };
    let facts = read_into(&fetch(&path, &options(1 << 20)).unwrap(), &mut emit).unwrap();
    assert_eq!((windows.len(), facts.facts.duration_ms), (361, Some(1_801_000)));
    let regular = (0..360).map(|index| (index * 5000, (index + 1) * 5000, true));
    assert!(windows.iter().copied().eq(regular.chain([(1_796_000, 1_801_000, false)])));
}

#[test]
fn the_content_decides_what_a_file_is() {
    let folder = Folder::new();
    let picture = fs::read(crate::shared("media/demo/cat_1.jpg")).unwrap();
    for name in ["cat.jpg", "cat.wav", "cat", "cat.txt"] {
        let fetched = fetch(&folder.file(name, &picture), &options(0)).unwrap();
        assert_eq!((fetched.kind, fetched.id), (MediaKind::Image, hash(&picture)), "{name}");
        assert_eq!(read(&fetched).unwrap().1.facts.format, "jpeg");
    }
    let fetched = fetch(&folder.file("tone", wav(&[7.0; 100])), &options(WHOLE)).unwrap();
    assert_eq!((fetched.kind, read(&fetched).unwrap().0.len()), (MediaKind::Audio, 1));
}

#[test]
fn what_is_no_media_is_ignored_unless_it_pretends() {
    let folder = Folder::new();
    let text = "Nothing to be heard here.\n".repeat(100);
    for name in ["notes.txt", "notes", "module.ts", ".wav"] {
        let path = folder.file(name, &text);
        let expected = Refusal::Ignored(FileStat::of(&fs::metadata(&path).unwrap()));
        assert_eq!(fetch(&path, &options(WHOLE)).unwrap_err(), expected, "{name}");
    }
    let (code, reason, known) = failure(&folder.file("notes.WAV", &text), &options(WHOLE));
    assert_eq!((code, known), (FailureCode::Unsupported, true));
    assert!(reason.starts_with("named .wav, but not a known sound format"), "{reason}");
    let (code, reason, _) = failure(&folder.file("notes.png", &text), &options(0));
    assert!(code == FailureCode::Unsupported && reason.starts_with("named .png, but not a known picture"), "{reason}");
    // Built like media as far as its start goes, which only the decoder finds out.
    let matroska = folder.file("data", [b"\x1a\x45\xdf\xa3".as_slice(), text.as_bytes()].concat());
    assert!(!matches!(fetch(&matroska, &options(WHOLE)).and_then(|it| read(&it)), Ok(_) | Err(Refusal::Unsettled)));
}

#[test]
fn empty_and_torn_files_fail_with_a_reason() {
    let folder = Folder::new();
    let expected = (FailureCode::Empty, "empty: it holds no data".into(), true);
    assert_eq!(failure(&folder.file("a.wav", ""), &options(WHOLE)), expected);
    assert!(matches!(fetch(&folder.file("a.txt", ""), &options(WHOLE)), Err(Refusal::Ignored(_))));
    for whole_file_bytes in [WHOLE, 0] {
        let torn = folder.file("b.wav", b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0");
        let (code, reason, known) = failure(&torn, &options(whole_file_bytes));
        assert_eq!((code, known), (FailureCode::Damaged, true), "{reason}");
        let mut cut = wav(&[5.0; 44_100]);
        cut.truncate(30_000);
        let (windows, facts) = read(&fetch(&folder.file("c.wav", &cut), &options(whole_file_bytes)).unwrap()).unwrap();
        assert!(windows.len() == 1 && facts.damage.is_some());
    }
}

#[test]
fn limits_are_looked_at_before_the_content() {
    let folder = Folder::new();
    let sound = folder.file("a.wav", wav(&[1.0; 1000]));
    let picture = folder.file("a.jpg", fs::read(crate::shared("media/demo/cat_1.jpg")).unwrap());
    let audio_limits = AudioLimits { file_bytes: 2043, ..AudioLimits::default() };
    let image_limits = ImageLimits { file_bytes: 10, ..ImageLimits::default() };
    let options = FetchOptions { audio_limits, image_limits, ..options(WHOLE) };
    let (code, reason, known) = failure(&sound, &options);
    assert_eq!((code, known), (FailureCode::TooLarge, false));
    let expected = "too large: the file size in bytes is 2044, the limit is 2043 (raise limits.audio.file_bytes in the \
                    configuration)";
    assert_eq!(reason, expected);
    assert!(failure(&picture, &options).1.contains("limits.image.file_bytes"));
}

#[test]
fn only_regular_files_are_opened() {
    let folder = Folder::new();
    let file = folder.file("real.wav", wav(&[1.0; 10]));
    symlink(&file, folder.path("link.wav")).unwrap();
    symlink("loop.wav", folder.path("loop.wav")).unwrap();
    fs::create_dir(folder.path("folder.wav")).unwrap();
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    let fifo = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, folder.path("pipe.wav"), fifo, mode, 0).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(folder.path("socket.wav")).unwrap();
    for name in ["link.wav", "loop.wav", "folder.wav", "pipe.wav", "socket.wav", "none.wav", "real.wav/a.wav"] {
        assert_eq!(fetch(&folder.path(name), &options(WHOLE)).unwrap_err(), Refusal::Gone, "{name}");
    }
    assert_eq!(fetch(Path::new("/dev/zero"), &options(WHOLE)).unwrap_err(), Refusal::Gone);
}

#[test]
fn unreadable_files_fail_unless_one_may_read_everything() {
    let folder = Folder::new();
    let path = folder.file("a.wav", wav(&[1.0; 10]));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o200)).unwrap();
    // The superuser reads it all the same.
    if fs::File::open(&path).is_ok() {
        assert!(fetch(&path, &options(WHOLE)).is_ok());
        return;
    }
    let Err(Refusal::Failed { stat, failure, content }) = fetch(&path, &options(WHOLE)) else { panic!("it was read") };
    assert_eq!((stat, content), (FileStat::of(&fs::metadata(&path).unwrap()), None));
    assert_eq!(failure.code, FailureCode::Unreadable);
    assert!(failure.reason.starts_with("cannot be read: "), "{}", failure.reason);
}

#[test]
fn young_files_are_left_alone() {
    let folder = Folder::new();
    let path = folder.file("a.wav", wav(&[1.0; 10]));
    let patient = FetchOptions { settle: Duration::from_hours(1), ..options(WHOLE) };
    assert_eq!(fetch(&path, &patient).unwrap_err(), Refusal::Unsettled);
    assert_eq!(fetch(&folder.file("empty.wav", ""), &patient).unwrap_err(), Refusal::Unsettled);
    let old = std::time::SystemTime::now() - Duration::from_hours(2);
    fs::File::options().write(true).open(&path).unwrap().set_modified(old).unwrap();
    assert!(fetch(&path, &patient).is_ok());
}

#[test]
fn a_large_file_that_changes_after_hashing_is_unsettled() {
    let folder = Folder::new();
    let path = folder.file("a.wav", wav(&[1.0; 44_100]));
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    let change = |bytes: &[u8]| {
        let mut file = fs::File::options().write(true).open(&path).unwrap();
        file.seek(SeekFrom::End(-2)).unwrap();
        file.write_all(bytes).unwrap();
        file
    };
    let fetched = fetch(&path, &options(0)).unwrap();
    // With its old time and size, as a tool that restores times would leave it.
    change(b"\x02\0").set_modified(modified).unwrap();
    assert_eq!(read(&fetched).unwrap_err(), Refusal::Unsettled);
    let fetched = fetch(&path, &options(0)).unwrap();
    assert!(read(&fetched).is_ok());
    // With its old content, but a new time: what is recorded would not be what is there.
    let later = modified + Duration::from_secs(5);
    change(b"\x02\0").set_modified(later).unwrap();
    assert_eq!(read(&fetched).unwrap_err(), Refusal::Unsettled);
    // Torn apart, it is not damaged but unsettled.
    let fetched = fetch(&path, &options(0)).unwrap();
    fs::write(&path, b"RIFF").unwrap();
    assert_eq!(read(&fetched).unwrap_err(), Refusal::Unsettled);
    // Replaced, the file that was opened is still the one that was hashed.
    let fetched = fetch(&folder.file("b.wav", wav(&[3.0; 44_100])), &options(0)).unwrap();
    fs::rename(folder.file("new", wav(&[4.0; 44_100])), folder.path("b.wav")).unwrap();
    assert_eq!(fetched.id, hash(&wav(&[3.0; 44_100])));
    let (windows, _) = read(&fetched).unwrap();
    assert_eq!(windows[0].input, ModelInput::esc50(&[3.0 / 32_768.0; 44_100]));
}

/// Ends the writer when the reader ends, be it in a panic.
struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Writes ever new sounds into one file, piece by piece, until told to stop.
fn rewrite(path: &Path, stop: &AtomicBool) {
    let mut file = fs::File::options().write(true).open(path).unwrap();
    for generation in (1..30_000_u16).cycle() {
        let content = wav(&[f32::from(generation); 220_500]);
        file.rewind().unwrap();
        for piece in content.chunks(32 << 10) {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            file.write_all(piece).unwrap();
        }
        // The pace of the writer: readers must find it at work as well as at rest.
        std::thread::sleep(Duration::from_millis(u64::from(generation % 7) * 10));
    }
}

#[test]
fn what_was_hashed_is_what_is_embedded_while_somebody_writes() {
    for whole_file_bytes in [WHOLE, 0] {
        let folder = Folder::new();
        let path = folder.file("a.wav", wav(&[0.0; 220_500]));
        let (stop, deadline) = (AtomicBool::new(false), Instant::now() + Duration::from_secs(60));
        let (mut read_whole, mut unsettled) = (0, 0);
        std::thread::scope(|scope| {
            scope.spawn(|| rewrite(&path, &stop));
            let _stop = StopAtEnd(&stop);
            while (read_whole < 10 || unsettled < 10) && Instant::now() < deadline {
                let fetched = fetch(&path, &options(whole_file_bytes));
                match fetched.and_then(|fetched| Ok((fetched.id, read(&fetched)?.0))) {
                    Ok((id, windows)) => {
                        read_whole += 1;
                        let [Window { input: ModelInput::Audio(channels), .. }] = &windows[..] else { panic!() };
                        assert!(hash(&wav(&channels[0])) == id, "what was embedded is not what was hashed");
                    }
                    Err(Refusal::Unsettled) => unsettled += 1,
                    Err(refusal) => panic!("{refusal:?}"),
                }
            }
        });
        assert!(read_whole >= 10 && unsettled >= 10, "{read_whole} read, {unsettled} unsettled of {whole_file_bytes}");
    }
}
