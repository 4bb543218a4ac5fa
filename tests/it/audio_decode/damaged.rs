//! Broken, lying and hostile files: each gives its documented result, quickly, and never a panic.

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use earmark::decode::audio::AudioReader;
use earmark::decode::{AudioLimits, DecodeError};

use super::wav_file::{EXTENSIBLE, FLOAT, PCM, WavFile, little_endian};
use super::{decode, decode_within, fixture, noise, noise_f32};

fn file(change: impl FnOnce(&mut WavFile)) -> Vec<u8> {
    let mut file = WavFile::mono_16(&noise(1, 500));
    change(&mut file);
    file.bytes()
}

fn check_error(bytes: Vec<u8>, expected: &str) {
    let error = decode(bytes).unwrap_err();
    assert_eq!(error.to_string(), expected);
}

/// `frames` frames of the noise and a note that starts with `note`.
fn check_partial(bytes: Vec<u8>, frames: usize, note: &str) {
    let decoded = decode(bytes).unwrap();
    assert_eq!(decoded.recording.channels, [noise_f32(1, frames)]);
    let damage = decoded.damage.unwrap();
    assert!(damage.starts_with(note), "{damage}");
}

#[test]
fn lying_sizes_give_what_is_there() {
    let note = "the header promises 2000 bytes of sound, the file holds 1000";
    check_partial(file(|file| file.data_bytes = Some(2_000)), 500, note);
    check_partial(file(|file| (file.data_bytes, file.riff_bytes) = (Some(2_000), Some(12))), 500, note);
    // The bomb: 2^31 frames announced.
    check_partial(file(|file| file.data_bytes = Some(u32::MAX - 1)), 500, "the header promises 4294967294 bytes");
    // A recorder that lost power leaves both sizes at zero.
    check_partial(file(|file| (file.data_bytes, file.riff_bytes) = (Some(0), Some(0))), 500, "the header was never");
}

#[test]
fn unknown_sizes_are_no_damage() {
    let decoded = decode(file(|file| (file.data_bytes, file.riff_bytes) = (Some(u32::MAX), Some(u32::MAX)))).unwrap();
    assert_eq!((decoded.recording.frames(), decoded.damage), (500, None));
}

#[test]
fn long_form_bombs_give_what_is_there() {
    let bytes = file(|file| {
        (file.magic, file.data_bytes) = (*b"RF64", Some(u32::MAX));
        file.first_chunks = vec![(b"ds64", vec![0xff; 28])];
    });
    check_partial(bytes, 500, "the header promises 18446744073709551615 bytes");
}

#[test]
fn impossible_headers_are_refused() {
    let damaged = |reason: &str| format!("damaged wave file: {reason}");
    check_error(file(|file| file.bits = 0), &damaged("samples of 0 bits are impossible"));
    check_error(file(|file| file.bits = 33), &damaged("samples of 33 bits are impossible"));
    check_error(file(|file| file.channels = 0), &damaged("it has 0 channels"));
    let block = "frames of 0 bytes cannot hold 1 channels of 16 bits";
    check_error(file(|file| file.block_align = Some(0)), &damaged(block));
    let block = "frames of 3 bytes cannot hold 2 channels of 16 bits";
    check_error(file(|file| (file.channels, file.block_align) = (2, Some(3))), &damaged(block));
    check_error(file(|file| file.tag = EXTENSIBLE), &damaged("its format chunk is cut short"));
    let rate = "damaged wave: its sample rate is 0 Hz, possible are 1000 to 768000 Hz";
    check_error(file(|file| file.sample_rate_hz = 0), rate);
    check_error(file(|file| file.sample_rate_hz = u32::MAX), &rate.replace("0 Hz,", "4294967295 Hz,"));
    check_error(file(|_| ())[..40].to_vec(), &damaged("it has no data chunk"));
    let unordered = [b"RIFF\0\0\0\0WAVEdata\x02\0\0\0", &[0; 2][..]].concat();
    check_error(unordered, &damaged("it has no format chunk before its data"));
}

#[test]
fn foreign_codecs_are_unsupported() {
    let check = |bytes: Vec<u8>| {
        let error = decode(bytes).unwrap_err();
        assert!(matches!(error, DecodeError::Unsupported { expected: "sound", .. }), "{error}");
    };
    check(file(|file| file.tag = 0x55));
    check(file(|file| (file.tag, file.sub_format) = (EXTENSIBLE, Some((0x55, 16)))));
    check(std::fs::read(fixture("film_silent.mp4")).unwrap());
}

#[test]
fn what_is_no_sound_is_unsupported() {
    let check = |bytes: Vec<u8>| {
        let error = decode(bytes).unwrap_err();
        assert!(matches!(error, DecodeError::Unsupported { expected: "sound", .. }), "{error}");
    };
    check(b"not a sound, but a sentence".to_vec());
    check(vec![0; 10_000]);
    check(std::fs::read(crate::shared("media/demo/cat_1.jpg")).unwrap());
    check(std::fs::read(env!("CARGO_MANIFEST_DIR").to_string() + "/Cargo.toml").unwrap());
}

#[test]
fn random_bytes_are_refused() {
    let mut state = 1u32;
    for len in (1..200).map(|n| n * 97) {
        let bytes: Vec<u8> = (0..len)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state.to_le_bytes()[3]
            })
            .collect();
        let error = decode(bytes).unwrap_err();
        assert!(matches!(error, DecodeError::Unsupported { .. } | DecodeError::Damaged { .. }), "{error}");
    }
}

/// Bytes on a disk that fails from some position on.
struct FailingDisk {
    bytes: Cursor<Vec<u8>>,
    good_bytes: u64,
}

impl Read for FailingDisk {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.good_bytes.saturating_sub(self.bytes.position());
        match usize::try_from(left).unwrap().min(buffer.len()) {
            0 if !buffer.is_empty() => Err(io::Error::other("bad sector")),
            len => self.bytes.read(&mut buffer[..len]),
        }
    }
}

impl Seek for FailingDisk {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.bytes.seek(position)
    }
}

#[test]
fn a_failing_disk_is_not_taken_for_a_damaged_file() {
    let wav = WavFile::mono_16(&noise(1, 100_000)).bytes();
    let flac = std::fs::read(fixture("stereo.flac")).unwrap();
    for (bytes, good_bytes) in [(wav.clone(), 0), (wav.clone(), 30), (wav, 100_000), (flac.clone(), 20), (flac, 10_000)]
    {
        let disk = FailingDisk { bytes: Cursor::new(bytes), good_bytes };
        let result = AudioReader::from_bytes(disk, &AudioLimits::default());
        let error = result.and_then(|reader| reader.into_mono(44_100)).unwrap_err();
        assert!(matches!(error, DecodeError::Io(_)), "{good_bytes}: {error}");
        assert_eq!(error.to_string(), "cannot be read: bad sector");
    }
}

#[test]
fn nothing_is_empty() {
    check_error(Vec::new(), "empty: it holds no bytes");
    check_error(WavFile::mono_16(&[]).bytes(), "empty: it holds no sound");
}

#[test]
fn samples_that_are_no_numbers_are_named() {
    for (value, text) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf"), (f32::NEG_INFINITY, "-inf"), (1e30, "1e30")] {
        let mut samples = vec![0.25f32; 20_000];
        samples[2 * 7_000 + 1] = value;
        let data = samples.iter().flat_map(|x| x.to_le_bytes()).collect();
        let error = decode(WavFile::new(FLOAT, 2, 32, data).bytes()).unwrap_err().to_string();
        let start = "damaged wave: the sample of channel 1 at frame 7000 is ";
        assert!(error.starts_with(start) && error.ends_with("which is no sound"), "{error}");
        assert!(error.contains(text) || value == 1e30, "{error}");
    }
}

#[test]
fn pipes_and_folders_are_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    let error = earmark::decode::audio::read_mono(folder.path(), 44_100, &AudioLimits::default()).unwrap_err();
    assert_eq!(error.to_string(), "not a known sound format: it is not a regular file");
    let missing = folder.path().join("missing");
    let error = earmark::decode::audio::read_mono(&missing, 44_100, &AudioLimits::default()).unwrap_err();
    assert!(matches!(error, DecodeError::Io(_)), "{error}");
}

/// Decodes the first three quarters of a file: of the frames, the `expected` share comes out, with a note.
fn check_cut(name: &str, whole: &[u8], expected: std::ops::Range<f64>, note: &str) {
    let original = decode(whole.to_vec()).unwrap().recording;
    let decoded = decode(whole[..whole.len() * 3 / 4].to_vec()).unwrap();
    let share = decoded.recording.frames() as f64 / original.frames() as f64;
    assert!(expected.contains(&share), "{name}: {share} of the frames");
    let damage = decoded.damage.unwrap_or_default();
    assert!(damage.contains(note), "{name}: {damage}");
    let same = decoded.recording.channels[0].iter().zip(&original.channels[0]).filter(|(x, y)| x == y).count();
    assert!(same * 10 > decoded.recording.frames() * 9, "{name}: only {same} frames are as in the whole");
}

#[test]
fn truncated_files_keep_what_decodes_and_say_so() {
    let check = |name: &str, expected, note| {
        check_cut(name, &std::fs::read(fixture(name)).unwrap(), expected, note);
    };
    check("stereo.flac", 0.3..0.75, "breaks off");
    check("mono.mp3", 0.6..0.75, "frames fewer than promised");
    check("mono.aac", 0.6..0.75, "breaks off");
    check("mono_aac.mkv", 0.6..0.75, "read from the front only");
    check("mono_aac_faststart.m4a", 0.5..0.75, "read from the front only");
    check("mono.aiff", 0.7..0.75, "read from the front only");
    check("mono_adpcm_ms.wav", 0.5..0.75, "breaks off");
    check("mono_alaw.wav", 0.7..0.75, "breaks off");
    let vorbis = std::fs::read(crate::shared("media/esc10/001 - Dog bark/1-30226-A.ogg")).unwrap();
    check_cut("vorbis", &vorbis, 0.6..0.8, "breaks off");
}

#[test]
fn without_an_index_nothing_can_be_kept() {
    for name in ["mono_aac.m4a", "stereo_alac.m4a", "mono_pcm.caf"] {
        let whole = std::fs::read(fixture(name)).unwrap();
        let error = decode(whole[..whole.len() * 3 / 4].to_vec()).unwrap_err();
        assert!(matches!(error, DecodeError::Unsupported { .. } | DecodeError::Damaged { .. }), "{name}: {error}");
    }
}

#[test]
fn lost_packets_are_counted() {
    let mut bytes = std::fs::read(fixture("stereo.flac")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    let decoded = decode(bytes).unwrap();
    assert_eq!(decoded.recording.frames(), 1_976);
    let damage = decoded.damage.unwrap();
    assert!(damage.ends_with("1024 frames fewer than promised"), "{damage}");
}

#[test]
fn every_truncation_is_survived() {
    for name in ["mono.mp3", "mono_vorbis.ogg", "mono.opus", "mono_aac.m4a", "mono_aac.mkv", "mono_adpcm_ms.wav"] {
        let whole = std::fs::read(fixture(name)).unwrap();
        for len in (0..whole.len()).step_by(23) {
            if let Ok(decoded) = decode(whole[..len].to_vec()) {
                assert!(decoded.recording.frames() > 0, "{name} cut to {len}");
            }
        }
    }
}

#[test]
fn mutated_files_never_panic_and_stay_within_limits() {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap() % below
    };
    let limits = AudioLimits { samples: 1 << 22, ..AudioLimits::default() };
    let mut originals: Vec<(String, Vec<u8>)> = std::fs::read_dir(fixture(""))
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap()))
        .filter(|(name, _)| !name.ends_with(".md") && !name.ends_with(".f32"))
        .collect();
    originals.sort();
    originals.push(("made.wav".into(), WavFile::new(PCM, 2, 24, little_endian(&noise(1, 500), 3)).bytes()));
    let mut decoded = 0;
    for round in 0..4_000 {
        let (name, original) = &originals[round % originals.len()];
        let mut bytes = original.clone();
        for _ in 0..=random(6) {
            // Headers are where a wrong byte does most.
            let reach = if random(2) == 0 { bytes.len().min(200) } else { bytes.len() };
            let value = [0, 0x7f, 0x80, 0xff, u8::try_from(random(256)).unwrap()][random(5)];
            bytes[random(reach)] = value;
        }
        match decode_within(bytes, &limits) {
            Ok(result) => {
                decoded += 1;
                assert!(result.recording.frames() > 0, "{name}, round {round}");
                let finite = result.recording.channels.iter().flatten().all(|x| x.is_finite());
                assert!(finite, "{name}, round {round}");
            }
            // Some panic inside the demuxer; that it comes back as an error is what is tested.
            Err(error) => assert!(!matches!(error, DecodeError::Io(_)), "{name}, round {round}: {error}"),
        }
    }
    assert!(decoded > 400, "only {decoded} decoded: the mutations are too coarse to test anything");
}
