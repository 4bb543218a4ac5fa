//! Limits, before and while decoding.

use std::io::Cursor;

use earmark::decode::audio::{AudioReader, RecordingRequest, read_mono};
use earmark::decode::{AudioLimits, DecodeError};

use super::wav_file::{PCM, WavFile, little_endian};
use super::{decode_within, fixture, noise};

/// Two channels, half a second.
fn half_second() -> Vec<u8> {
    WavFile::new(PCM, 2, 16, little_endian(&noise(1, 44_100), 2)).bytes()
}

#[test]
fn each_limit_names_itself() {
    let check = |limits: AudioLimits, expected: &str| {
        let error = decode_within(half_second(), &limits).unwrap_err();
        assert!(matches!(error, DecodeError::TooLarge { .. }), "{error}");
        assert_eq!(error.to_string(), format!("too large: {expected} in the configuration)"));
    };
    let generous = AudioLimits::default();
    check(
        AudioLimits { file_bytes: 88_243, ..generous },
        "the file size in bytes is 88244, the limit is 88243 (raise limits.audio.file_bytes",
    );
    check(
        AudioLimits { duration_s: 0, ..generous },
        "the duration in seconds is 1, the limit is 0 (raise limits.audio.duration_s",
    );
    check(
        AudioLimits { samples: 44_099, ..generous },
        "the number of decoded samples is 44100, the limit is 44099 (raise limits.audio.samples",
    );
    check(
        AudioLimits { channels: 1, ..generous },
        "the number of channels is 2, the limit is 1 (raise limits.audio.channels",
    );
}

#[test]
fn what_fits_exactly_is_let_through() {
    let limits = AudioLimits { file_bytes: 88_244, duration_s: 1, samples: 44_100, channels: 2 };
    assert_eq!(decode_within(half_second(), &limits).unwrap().recording.frames(), 22_050);
}

#[test]
fn mono_and_parts_count_as_what_they_hold() {
    let limits = AudioLimits { samples: 22_050, ..AudioLimits::default() };
    let open = || AudioReader::from_bytes(Cursor::new(half_second()), &limits).unwrap();
    assert_eq!(open().into_mono(44_100).unwrap().samples.len(), 22_050);
    assert!(matches!(open().into_mono(48_000), Err(DecodeError::TooLarge { .. })));
    let request = |max_frames| RecordingRequest { max_frames: Some(max_frames), ..RecordingRequest::default() };
    assert_eq!(open().into_recording(&request(11_025)).unwrap().recording.frames(), 11_025);
    assert!(matches!(open().into_recording(&request(11_026)), Err(DecodeError::TooLarge { .. })));
}

#[test]
fn streams_without_a_length_are_stopped_while_decoding() {
    let check = |limits: AudioLimits| {
        let error = read_mono(&fixture("mono_untagged.mp3"), 44_100, &limits).unwrap_err();
        assert!(matches!(error, DecodeError::TooLarge { .. }), "{error}");
    };
    check(AudioLimits { duration_s: 0, ..AudioLimits::default() });
    check(AudioLimits { samples: 10_000, ..AudioLimits::default() });
}

#[test]
fn compressed_files_that_announce_too_much_are_not_begun() {
    let mut bytes = std::fs::read(fixture("stereo.flac")).unwrap();
    // The 36-bit frame count of STREAMINFO.
    bytes[21] |= 0x0f;
    bytes[22..26].fill(0xff);
    let error = decode_within(bytes, &AudioLimits::default()).unwrap_err();
    assert!(matches!(error, DecodeError::TooLarge { actual: 1_558_265, .. }), "{error}");
}

#[test]
fn target_rates_are_checked() {
    for rate in [0, 999, 1_000_000] {
        let error = read_mono(&fixture("mono.mp3"), rate, &AudioLimits::default()).unwrap_err();
        assert!(error.to_string().starts_with("cannot resample from 44100 Hz"), "{error}");
    }
}
