use std::path::PathBuf;

use super::*;
use crate::decode::audio::read_mono;
use crate::preprocess::audio::ESC50_FRAMES;

fn options() -> ContentOptions {
    let (audio_limits, image_limits) = (AudioLimits::default(), ImageLimits::default());
    ContentOptions { audio_limits, image_limits, hop_ms: 5000, silence_dbfs: -60.0 }
}

/// A preparation that shows what it was given.
fn prepare() -> ImagePreparation {
    Arc::new(|image| ModelInput::Image(vec![image.width as f32, image.height as f32]))
}

fn test_data(relative: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(relative)
}

/// A WAVE file of 32-bit floats.
fn wav(sample_rate_hz: u32, channels: &[Vec<f32>]) -> Vec<u8> {
    let frame_bytes = 4 * u16::try_from(channels.len()).unwrap();
    let data: Vec<u8> = (0..channels[0].len())
        .flat_map(|frame| channels.iter().flat_map(move |plane| plane[frame].to_le_bytes()))
        .collect();
    let mut file = b"RIFF\xff\xff\xff\x7fWAVEfmt \x10\0\0\0\x03\0".to_vec();
    file.extend((frame_bytes / 4).to_le_bytes());
    file.extend(sample_rate_hz.to_le_bytes());
    file.extend((sample_rate_hz * u32::from(frame_bytes)).to_le_bytes());
    file.extend(frame_bytes.to_le_bytes());
    file.extend(b"\x20\0data");
    file.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
    file.extend(data);
    file
}

fn tone(frames: usize, step: f32) -> Vec<f32> {
    (0..frames).map(|frame| (frame as f32 * step).sin() * 0.5).collect()
}

type Outcome = Result<(Vec<Window>, TechnicalFacts, Option<String>), DecodeError>;

fn read(source: &Source<'_>, kind: MediaKind, options: &ContentOptions) -> Outcome {
    let mut windows = Vec::new();
    let mut emit = |window| {
        windows.push(window);
        true
    };
    let (facts, damage) = read_windows(source, kind, options, &prepare(), &mut emit)?;
    Ok((windows, facts, damage))
}

#[test]
fn windows_are_slices_of_the_whole_sound() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("long.wav");
    let file = wav(48_000, &[tone(48_000 * 13, 0.02), tone(48_000 * 13, 0.031)]);
    std::fs::write(&path, &file).unwrap();
    let whole = read_mono(&path, SAMPLE_RATE_HZ, &AudioLimits::default()).unwrap().samples;
    assert_eq!(whole.len(), 44_100 * 13);

    let (windows, facts, damage) = read(&Source::File(&path), MediaKind::Audio, &options()).unwrap();
    let spans: Vec<_> = windows.iter().map(|window| (window.span.start_ms, window.span.end_ms)).collect();
    assert_eq!(spans, [(0, 5000), (5000, 10_000), (8000, 13_000)]);
    for (window, start) in windows.iter().zip([0, 5 * 44_100, 8 * 44_100]) {
        assert!(window.input == ModelInput::whole(whole[start..start + ESC50_FRAMES].to_vec()), "at {start}");
        assert!(!window.silent);
    }
    let expected = TechnicalFacts {
        bytes: file.len() as u64,
        format: "wave".into(),
        codec: Some("pcm_f32le".into()),
        duration_ms: Some(13_000),
        sample_rate_hz: Some(48_000),
        channels: Some(2),
        bits_per_sample: Some(32),
        ..TechnicalFacts::default()
    };
    assert_eq!((facts.clone(), damage), (expected, None));

    let open = Source::Open(Arc::new(File::open(&path).unwrap()));
    for source in [Source::Bytes(file.into()), open.clone(), open] {
        assert!(read(&source, MediaKind::Audio, &options()).unwrap() == (windows.clone(), facts.clone(), None));
    }
}

#[test]
fn short_sounds_are_padded_as_in_the_evaluation() {
    for name in ["mono.mp3", "mono.opus", "stereo.flac", "mono_aac.m4a", "mono_vorbis.ogg", "mono.aiff"] {
        let path = test_data(&format!("audio/{name}"));
        let whole = read_mono(&path, SAMPLE_RATE_HZ, &AudioLimits::default()).unwrap().samples;
        let (windows, facts, _) = read(&Source::File(&path), MediaKind::Audio, &options()).unwrap();
        let end_ms = format!("{:.0}", whole.len() as f64 / 44.1).parse().unwrap();
        assert!(end_ms < 5000, "{name} is too long for this test");
        let expected = Window { span: Span { start_ms: 0, end_ms }, silent: false, input: ModelInput::esc50(&whole) };
        assert!(windows == [expected], "{name}");
        assert_eq!(facts.duration_ms, Some(end_ms), "{name}");
    }
}

#[test]
fn a_truncated_sound_yields_what_is_there() {
    let mut file = wav(44_100, &[tone(44_100 * 7, 0.02)]);
    file.truncate(file.len() - 4 * 44_100);
    let (windows, facts, damage) = read(&Source::Bytes(file.into()), MediaKind::Audio, &options()).unwrap();
    assert_eq!((windows.len(), facts.duration_ms), (2, Some(6000)));
    assert!(damage.unwrap().contains("the header promises"));
}

#[test]
fn a_sample_that_is_no_number_fails_the_whole_sound() {
    let mut samples = tone(44_100 * 12, 0.02);
    samples[44_100 * 11] = f32::NAN;
    let mut count = 0;
    let mut emit = |_| {
        count += 1;
        true
    };
    let source = Source::Bytes(wav(44_100, &[samples]).into());
    let error = read_windows(&source, MediaKind::Audio, &options(), &prepare(), &mut emit).unwrap_err();
    assert!(matches!(error, DecodeError::Damaged { .. }), "{error}");
    assert_eq!(count, 2);
}

#[test]
fn reading_ends_when_nobody_wants_more() {
    let source = Source::Bytes(wav(44_100, &[tone(44_100 * 30, 0.02)]).into());
    let mut count = 0;
    let mut emit = |_| {
        count += 1;
        count < 2
    };
    let (facts, _) = read_windows(&source, MediaKind::Audio, &options(), &prepare(), &mut emit).unwrap();
    assert_eq!(count, 2);
    assert!(facts.duration_ms < Some(11_000), "{facts:?}");
}

#[test]
fn pictures_are_one_window_and_upright() {
    let path = test_data("images/orientation_6.jpg");
    let stored = read_image(&path, &ImageLimits::default(), Rotation::AsStored).unwrap().image;
    let bytes = std::fs::read(&path).unwrap();
    let open = Source::Open(Arc::new(File::open(&path).unwrap()));
    for source in [Source::File(&path), open, Source::Bytes(bytes.clone().into())] {
        let (windows, facts, damage) = read(&source, MediaKind::Image, &options()).unwrap();
        let input = ModelInput::Image(vec![stored.height as f32, stored.width as f32]);
        assert_eq!(windows, [Window { span: Span::default(), silent: false, input }]);
        assert_eq!((facts.width, facts.height), (Some(stored.height), Some(stored.width)));
        assert_eq!((facts.bytes, facts.format.as_str(), damage), (bytes.len() as u64, "jpeg", None));
    }
}

#[test]
fn limits_hold_wherever_the_content_is() {
    let path = test_data("images/411.jpg");
    let size = std::fs::metadata(&path).unwrap().len();
    let image_limits = ImageLimits { file_bytes: size - 1, ..ImageLimits::default() };
    let options = ContentOptions { image_limits, ..options() };
    let open = Source::Open(Arc::new(File::open(&path).unwrap()));
    for source in [Source::File(&path), open, Source::Bytes(std::fs::read(&path).unwrap().into())] {
        let error = read(&source, MediaKind::Image, &options).unwrap_err();
        assert!(matches!(error, DecodeError::TooLarge { actual, .. } if actual == size), "{error}");
    }
}

#[test]
fn positions_of_readers_of_one_file_are_their_own() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    std::fs::write(&path, b"0123456789").unwrap();
    let file = Arc::new(File::open(&path).unwrap());
    let (mut one, mut other) = (Positioned::new(file.clone()), Positioned::new(file));
    let next = |reader: &mut Positioned| {
        let mut bytes = [0; 3];
        reader.read_exact(&mut bytes).unwrap();
        bytes
    };
    assert_eq!((next(&mut one), next(&mut other), next(&mut one)), (*b"012", *b"012", *b"345"));
    assert_eq!(other.seek(SeekFrom::End(-3)).unwrap(), 7);
    assert_eq!(one.seek(SeekFrom::Current(-1)).unwrap(), 5);
    assert_eq!((next(&mut one), next(&mut other)), (*b"567", *b"789"));
    assert!(one.seek(SeekFrom::Current(-9)).is_err());
}
