//! Equality with the reference: decoded demo sounds, down-mix, resampling, and the evaluation protocols.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use earmark::decode::AudioLimits;
use earmark::decode::audio::{AudioReader, RecordingRequest, read_mono, read_recording};
use earmark::preprocess::audio::{ESC50_FRAMES, SAMPLE_RATE_HZ, US8K_FRAMES, crop_start, esc50, eval_pad, stretch};

use super::wav_file::{PCM, WavFile, little_endian};
use super::{decode, fixture, noise};
use crate::shared;

const DEMO: [&str; 2] = ["alarm_clock_3-120526-B-37.wav", "car_horn_1-24074-A-43.wav"];

fn demo_path(name: &str) -> PathBuf {
    shared("media/demo").join(name)
}

/// The `<i2` array of an `.npy` file, without its shape.
fn read_i16(path: &Path) -> Vec<i16> {
    let bytes = std::fs::read(path).unwrap();
    let header = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    assert!(String::from_utf8_lossy(&bytes[10..header]).contains("'<i2', 'fortran_order': False"));
    bytes[header..].chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect()
}

fn golden(name: &str) -> Vec<f32> {
    let samples = read_i16(&shared("audioclip/inputs").join(format!("audio_{name}_i16.npy")));
    samples.into_iter().map(f32::from).collect()
}

fn transforms() -> serde_json::Value {
    let json = std::fs::read_to_string(shared("audioclip/inputs/inputs.json")).unwrap();
    serde_json::from_str::<serde_json::Value>(&json).unwrap()["transforms"].take()
}

#[test]
fn demo_sounds_are_the_golden_samples() {
    let expected = golden("demo");
    for (name, expected) in DEMO.iter().zip(expected.chunks_exact(ESC50_FRAMES)) {
        let mono = read_mono(&demo_path(name), SAMPLE_RATE_HZ, &AudioLimits::default()).unwrap();
        assert_eq!((mono.samples.len(), mono.damage), (ESC50_FRAMES, None), "{name}");
        assert!(mono.samples.iter().zip(expected).all(|(x, i)| *x == i / 32_768.0), "{name}");
        assert!(esc50(&mono.samples) == expected, "{name}");
    }
}

#[test]
fn padding_is_the_golden_one() {
    let expected = &transforms()["pad_1s_to_5s"];
    let clip = golden("synth_1s");
    let padded = eval_pad(std::slice::from_ref(&clip), ESC50_FRAMES).remove(0);
    let count = |side: &str| usize::try_from(expected[side].as_u64().unwrap()).unwrap();
    let (left, right) = (count("left"), count("right"));
    let value = |side: &str| expected[side].as_f64().unwrap() as f32;
    assert_eq!(padded.len(), left + clip.len() + right);
    assert!(padded[..left].iter().all(|&x| x == value("left_value")));
    assert!(padded[left..left + clip.len()] == clip);
    assert!(padded[left + clip.len()..].iter().all(|&x| x == value("right_value")));
}

#[test]
fn crops_start_where_the_golden_ones_do() {
    let expected = transforms();
    let expected = expected["crop_to_176400_start"].as_array().unwrap();
    let mut checked = 0;
    for entry in expected {
        let name = entry[0].as_str().unwrap();
        let start = entry.as_array().unwrap().last().unwrap().as_u64().unwrap();
        let clip = match name {
            "synth_12p3s" => golden(name),
            wav if DEMO.contains(&wav) => {
                read_mono(&demo_path(wav), SAMPLE_RATE_HZ, &AudioLimits::default()).unwrap().samples
            }
            // Known by name only; the unit tests have stand-ins.
            _ => continue,
        };
        assert_eq!(crop_start(&[clip], US8K_FRAMES) as u64, start, "{name}");
        checked += 1;
    }
    assert_eq!(checked, 3);
}

#[test]
fn stretching_is_bit_exact() {
    let transforms = transforms();
    let expected = &transforms["us8k_scale_cat"];
    let number = |key: &str| expected[key].as_f64().unwrap() as f32;
    // The clip is not at hand, but its extremes are, and what its first samples became tells what they were.
    let first: Vec<f32> = [-40, -18, -56, -38, -30, -57, -68, -13].map(|i: i16| f32::from(i) / 32_768.0).to_vec();
    let mut clip = [[&first[..], &[number("in_min"), number("in_max")]].concat()];
    stretch(&mut clip);
    let first8: Vec<f32> = expected["first8"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap() as f32).collect();
    assert_eq!(clip[0][..8], first8);
    assert_eq!(clip[0][8..], [number("min"), number("max")]);
}

#[test]
fn real_recordings_decode_without_complaint() {
    let mut files = 0;
    for class in std::fs::read_dir(shared("media/esc10")).unwrap().map(|entry| entry.unwrap().path()) {
        let mut clips: Vec<PathBuf> = match std::fs::read_dir(&class) {
            Ok(clips) => clips.map(|entry| entry.unwrap().path()).collect(),
            Err(_) => continue,
        };
        clips.sort();
        for clip in clips.iter().filter(|clip| clip.extension().is_some_and(|ext| ext == "ogg")).step_by(8) {
            let decoded = read_recording(clip, &RecordingRequest::default(), &AudioLimits::default()).unwrap();
            assert_eq!(decoded.damage, None, "{}", clip.display());
            assert_eq!(decoded.facts.declared_frames, Some(decoded.recording.frames() as u64), "{}", clip.display());
            files += 1;
        }
    }
    assert!(files >= 40, "only {files} clips found");
}

#[test]
fn the_mix_is_the_mean_and_comes_before_resampling() {
    let (left, right) = (noise(1, 5_000), noise(2, 5_000));
    let interleaved: Vec<i32> = left.iter().zip(&right).flat_map(|(l, r)| [*l, *r]).collect();
    let mut stereo = WavFile::new(PCM, 2, 16, little_endian(&interleaved, 2));
    stereo.sample_rate_hz = 48_000;
    let mean: Vec<i32> = left.iter().zip(&right).map(|(l, r)| (l + r) << 15).collect();
    let mut mixed = WavFile::new(PCM, 1, 32, little_endian(&mean, 4));
    mixed.sample_rate_hz = 48_000;
    let mono = |file: &WavFile| {
        let reader = AudioReader::from_bytes(Cursor::new(file.bytes()), &AudioLimits::default()).unwrap();
        reader.into_mono(SAMPLE_RATE_HZ).unwrap().samples
    };
    assert_eq!(mono(&stereo).len(), 4_594);
    assert!(mono(&stereo) == mono(&mixed));
}

#[test]
fn resampled_mono_is_that_of_librosa() {
    let check = |rate, frames| {
        let interleaved: Vec<i32> =
            noise(1, frames).into_iter().zip(noise(2, frames)).flat_map(|(l, r)| [l, r]).collect();
        let mut file = WavFile::new(PCM, 2, 16, little_endian(&interleaved, 2));
        file.sample_rate_hz = rate;
        let reader = AudioReader::from_bytes(Cursor::new(file.bytes()), &AudioLimits::default()).unwrap();
        let mono = reader.into_mono(SAMPLE_RATE_HZ).unwrap().samples;
        let expected = std::fs::read(fixture(&format!("librosa_from_{rate}.f32"))).unwrap();
        let expected: Vec<f32> = expected.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
        assert_eq!(mono.len(), expected.len(), "{rate} Hz");
        // Equal on the machine the golden was made on; other vector units may round otherwise.
        let worst = mono.iter().zip(&expected).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max);
        assert!(worst < 1e-6, "{rate} Hz: {worst}");
    };
    check(8_000, 200);
    check(11_025, 200);
    check(22_050, 600);
    check(48_000, 600);
    check(96_000, 600);
}

#[test]
fn a_request_for_the_beginning_is_the_beginning_of_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.wav");
    let mut file = WavFile::new(PCM, 2, 16, little_endian(&noise(3, 200_000), 2));
    file.sample_rate_hz = 48_000;
    std::fs::write(&path, file.bytes()).unwrap();
    let read = |max_frames| {
        let request = RecordingRequest { target_rate_hz: Some(SAMPLE_RATE_HZ), max_frames };
        read_recording(&path, &request, &AudioLimits::default()).unwrap().recording
    };
    let whole = read(None);
    assert_eq!((whole.sample_rate_hz, whole.frames(), whole.channels.len()), (44_100, 91_875, 2));
    for frames in [1, 10_000, 91_875, 1_000_000] {
        let part = read(Some(frames as u64));
        for (part, whole) in part.channels.iter().zip(&whole.channels) {
            assert!(part[..] == whole[..frames.min(91_875)], "{frames} frames differ");
        }
    }
}

#[test]
fn bytes_in_memory_are_as_good_as_a_file() {
    let bytes = std::fs::read(demo_path(DEMO[0])).unwrap();
    let request = RecordingRequest::default();
    let from_file = read_recording(&demo_path(DEMO[0]), &request, &AudioLimits::default()).unwrap();
    assert_eq!(decode(bytes).unwrap(), from_file);
}
