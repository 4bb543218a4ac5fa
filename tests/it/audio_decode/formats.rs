//! Sound formats: counts, rates and sample values.

use earmark::decode::AudioLimits;
use earmark::decode::audio::{RecordingRequest, read_mono, read_recording};

use super::wav_file::{EXTENSIBLE, FLOAT, PCM, WavFile, little_endian};
use super::{decode, fixture, noise, noise_f32};

fn open(name: &str) -> earmark::decode::audio::DecodedRecording {
    read_recording(&fixture(name), &RecordingRequest::default(), &AudioLimits::default()).unwrap()
}

#[test]
fn lossless_files_are_exact() {
    let check = |name: &str, container: &str, codec: &str, bits: Option<u32>, channels: u32| {
        let decoded = open(name);
        assert_eq!((decoded.facts.container, decoded.facts.codec), (container, codec), "{name}");
        assert_eq!((decoded.facts.bits_per_sample, decoded.facts.channels), (bits, channels), "{name}");
        assert_eq!(decoded.damage, None, "{name}");
        assert_eq!(decoded.recording.sample_rate_hz, 44_100, "{name}");
        for (channel, seed) in decoded.recording.channels.iter().zip(1..) {
            assert!(*channel == noise_f32(seed, 3_000), "{name}: channel {seed} differs");
        }
    };
    check("stereo.flac", "flac", "flac", Some(16), 2);
    check("mono_24bit.flac", "flac", "flac", Some(24), 1);
    check("mono_flac.mkv", "matroska", "flac", Some(16), 1);
    check("mono.aiff", "aiff", "pcm_s16be", Some(16), 1);
    check("mono_sowt.aifc", "aiff", "pcm_s16le", Some(16), 1);
    check("mono_float.aifc", "aiff", "pcm_f32be", None, 1);
    check("mono_pcm.caf", "caf", "pcm_s16be", Some(16), 1);
    check("stereo_alac.caf", "caf", "alac", None, 2);
    check("stereo_alac.m4a", "isomp4", "alac", None, 2);
}

/// How far `decoded` is behind `original`, by the best correlation, and how alike they then are.
fn alignment(decoded: &[f32], original: &[f32]) -> (isize, f64) {
    let similarity = |lag: isize| {
        let (mut dot, mut energy, mut reference) = (0.0, 0.0, 0.0);
        for (t, &x) in original.iter().enumerate() {
            let Some(&y) = t.checked_add_signed(lag).and_then(|t| decoded.get(t)) else { continue };
            let (x, y) = (f64::from(x), f64::from(y));
            (dot, energy, reference) = (dot + x * y, energy + y * y, reference + x * x);
        }
        dot / (energy * reference).sqrt()
    };
    (-1_200..1_200).map(|lag| (lag, similarity(lag))).max_by(|a, b| a.1.total_cmp(&b.1)).unwrap()
}

#[test]
fn lossy_files_start_and_end_with_the_sound() {
    let check = |name: &str, container: &str, codec: &str, rate, frames, lag| {
        let decoded = open(name);
        assert_eq!((decoded.facts.container, decoded.facts.codec), (container, codec), "{name}");
        assert_eq!((decoded.recording.sample_rate_hz, decoded.recording.frames()), (rate, frames), "{name}");
        assert_eq!(decoded.damage, None, "{name}");
        let (found, similarity) = alignment(&decoded.recording.channels[0], &noise_f32(1, 9_000));
        assert_eq!(found, lag, "{name} is shifted; similarity {similarity}");
        assert!(similarity > 0.97, "{name}: {similarity}");
    };
    check("mono.mp3", "mp3", "mp3", 44_100, 9_000, 0);
    check("mono_vorbis.ogg", "ogg", "vorbis", 44_100, 9_000, 0);
    check("mono.opus", "ogg", "opus", 48_000, 9_000, 0);
    check("stereo.opus", "ogg", "opus", 48_000, 9_000, 0);
    check("mono_aac.m4a", "isomp4", "aac", 44_100, 9_000, 0);
    check("mono_aac_faststart.m4a", "isomp4", "aac", 44_100, 9_000, 0);
    check("film.mp4", "isomp4", "aac", 44_100, 9_000, 0);
    check("mono_opus.mp4", "isomp4", "opus", 48_000, 9_000, 0);
    // These say nothing about their end: the last packet is heard in full.
    check("mono.aac", "aac", "aac", 44_100, 9_216, 0);
    check("mono_aac.mkv", "matroska", "aac", 44_100, 9_216, 0);
    check("mono_opus.mkv", "matroska", "opus", 48_000, 9_288, 0);
    check("mono_adpcm_ms.wav", "wave", "adpcm_ms", 44_100, 10_180, 0);
    check("mono_adpcm_ima.wav", "wave", "adpcm_ima_wav", 44_100, 10_205, 0);
    // Without a LAME tag nothing tells the 1,105 samples of encoder and decoder delay.
    check("mono_untagged.mp3", "mp3", "mp3", 44_100, 10_368, 1_105);
    check("mono_vbr_untagged.mp3", "mp3", "mp3", 44_100, 10_368, 1_105);
}

#[test]
fn companded_files_are_close() {
    for name in ["mono_alaw.wav", "mono_mulaw.wav"] {
        let decoded = open(name);
        let plane = &decoded.recording.channels[0];
        assert_eq!(plane.len(), 3_000);
        let far = plane.iter().zip(noise_f32(1, 3_000)).find(|(x, y)| (*x - y).abs() > 0.001 + 0.04 * y.abs());
        assert_eq!(far, None, "{name}");
    }
}

#[test]
fn raw_samples_of_all_widths_are_exact() {
    let check = |mut file: WavFile, codec: &str, expected: &[f32]| {
        let decode_as = |file: &WavFile| {
            let decoded = decode(file.bytes()).unwrap();
            assert_eq!(decoded.facts.codec, codec);
            assert_eq!(decoded.damage, None, "{codec}");
            decoded.recording.channels.concat()
        };
        assert_eq!(decode_as(&file), expected, "{codec}");
        file.sub_format = Some((std::mem::replace(&mut file.tag, EXTENSIBLE), file.bits));
        assert_eq!(decode_as(&file), expected, "{codec}, extensible");
    };
    check(WavFile::new(PCM, 1, 8, vec![0, 128, 192, 255]), "pcm_u8", &[-1.0, 0.0, 0.5, 127.0 / 128.0]);
    let extremes = [i32::from(i16::MIN), -1, 0, 1, i32::from(i16::MAX)];
    let expected = [-1.0, -1.0 / 32_768.0, 0.0, 1.0 / 32_768.0, 32_767.0 / 32_768.0];
    check(WavFile::new(PCM, 1, 16, little_endian(&extremes, 2)), "pcm_s16le", &expected);
    let extremes = [-8_388_608, -1, 0, 1, 8_388_607];
    let expected = extremes.map(|x| x as f32 / 8_388_608.0);
    check(WavFile::new(PCM, 1, 24, little_endian(&extremes, 3)), "pcm_s24le", &expected);
    let extremes = [i32::MIN, -256, 0, 1 << 30, i32::MAX];
    let expected = [-1.0, -256.0 / 2_147_483_648.0, 0.0, 0.5, 1.0];
    check(WavFile::new(PCM, 1, 32, little_endian(&extremes, 4)), "pcm_s32le", &expected);
    let values = [-1.5, 0.0, 1.0 / 3.0, 1e-30];
    let data = values.iter().flat_map(|x: &f32| x.to_le_bytes()).collect();
    check(WavFile::new(FLOAT, 1, 32, data), "pcm_f32le", &values);
    let data = values.iter().flat_map(|&x| f64::from(x).to_le_bytes()).collect();
    check(WavFile::new(FLOAT, 1, 64, data), "pcm_f64le", &values);
}

#[test]
fn narrow_samples_in_wide_containers_are_left_justified() {
    let mut file = WavFile::new(EXTENSIBLE, 1, 24, little_endian(&[0x4000_0000], 4));
    (file.block_align, file.sub_format) = (Some(4), Some((PCM, 24)));
    assert_eq!(decode(file.bytes()).unwrap().recording.channels, [[0.5]]);
    let mut file = WavFile::new(PCM, 1, 12, little_endian(&[0x4000], 2));
    file.block_align = Some(2);
    assert_eq!(decode(file.bytes()).unwrap().recording.channels, [[0.5]]);
}

#[test]
fn channels_are_kept_apart() {
    let interleaved: Vec<i32> = (0..32 * 100).map(|i| i % 32 * 1_000 - 16_000).collect();
    let decoded = decode(WavFile::new(PCM, 32, 16, little_endian(&interleaved, 2)).bytes()).unwrap();
    assert_eq!(decoded.facts.channels, 32);
    for (channel, level) in decoded.recording.channels.iter().zip((-16_000..).step_by(1_000)) {
        assert_eq!(*channel, vec![level as f32 / 32_768.0; 100]);
    }
}

#[test]
fn long_form_headers_are_read() {
    let check = |magic: &[u8; 4], container: &str| {
        let samples = noise(1, 1_001);
        let mut file = WavFile::mono_16(&samples);
        (file.magic, file.riff_bytes, file.data_bytes) = (*magic, Some(u32::MAX), Some(u32::MAX));
        // RIFF size, data size, frames, no table.
        let sizes = [9_999u64, 2_002, 1_001].iter().flat_map(|size| size.to_le_bytes()).chain([0; 4]).collect();
        file.first_chunks = vec![(b"ds64", sizes), (b"bext", vec![0; 603])];
        file.trailer = b"LIST\x04\0\0\0INFO".to_vec();
        let decoded = decode(file.bytes()).unwrap();
        assert_eq!((decoded.facts.container, decoded.damage), (container, None));
        assert_eq!(decoded.recording.channels, [noise_f32(1, 1_001)]);
    };
    check(b"RF64", "rf64");
    check(b"BW64", "bw64");
}

#[test]
fn high_rates_and_single_frames_are_fine() {
    let mut file = WavFile::mono_16(&[12_345]);
    file.sample_rate_hz = 384_000;
    let decoded = decode(file.bytes()).unwrap();
    assert_eq!((decoded.recording.sample_rate_hz, decoded.recording.frames()), (384_000, 1));
}

#[test]
fn names_do_not_matter() {
    let folder = tempfile::tempdir().unwrap();
    for (name, wrong) in
        [("mono.mp3", "a.wav"), ("mono_vorbis.ogg", "b.flac"), ("mono.aiff", "c"), ("film.mp4", "d.jpg")]
    {
        let path = folder.path().join(wrong);
        std::fs::copy(fixture(name), &path).unwrap();
        let renamed = read_mono(&path, 44_100, &AudioLimits::default()).unwrap();
        assert_eq!(renamed, read_mono(&fixture(name), 44_100, &AudioLimits::default()).unwrap(), "{name} as {wrong}");
    }
}

#[test]
fn filler_after_the_last_caf_chunk_is_ignored() {
    let mut bytes = std::fs::read(fixture("mono_pcm.caf")).unwrap();
    bytes.push(0);
    let decoded = decode(bytes).unwrap();
    assert_eq!((decoded.recording.channels, decoded.damage), (vec![noise_f32(1, 3_000)], None));
}

#[test]
fn chained_streams_are_heard_one_after_the_other() {
    let (mono, stereo) = (std::fs::read(fixture("mono.opus")).unwrap(), std::fs::read(fixture("stereo.opus")).unwrap());
    let twice = decode([&mono[..], &mono].concat()).unwrap();
    assert_eq!((twice.recording.frames(), twice.damage), (18_000, None));
    let (first, second) = twice.recording.channels[0].split_at(9_000);
    assert_eq!(first, second);
    let mixed = decode([mono, stereo].concat()).unwrap();
    assert_eq!(mixed.recording.channels, [first]);
    assert_eq!(mixed.damage.as_deref(), Some("it breaks off: its rate or channels change in the middle"));
}
