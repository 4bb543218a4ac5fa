//! Media that is broken in every way we could think of: each file is counted with a reason, and the rest goes on.

use std::collections::BTreeMap;

use earmark::library::{FailureCode, FileState};

use super::library::{Library, assert_sound, indexed, rounds, wav};
use crate::audio_decode::wav_file::{FLOAT, PCM, WavFile};

/// What is to become of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Indexed,
    /// With a note about what was wrong.
    IndexedDamaged,
    Failed(FailureCode),
    Ignored,
}

fn corpus() -> Vec<(&'static str, Vec<u8>, Fate)> {
    let tone = |count: i32| (0..count).map(|n| (n % 97 - 48) * 300).collect::<Vec<i32>>();
    let mono = |samples: i32| WavFile::mono_16(&tone(samples));
    let floats = |samples: &[f32]| {
        let data = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        WavFile::new(FLOAT, 1, 32, data)
    };
    let many_channels = |channels: u16| WavFile::new(PCM, channels, 16, vec![1; 2 * usize::from(channels) * 4_410]);
    let with = |mut file: WavFile, change: fn(&mut WavFile)| {
        change(&mut file);
        file.bytes()
    };
    let cat = std::fs::read(crate::shared("media/demo/cat_1.jpg")).unwrap();
    let dog = std::fs::read(crate::shared("media/esc10/001 - Dog bark/1-100032-A.ogg")).unwrap();
    let failed = Fate::Failed;
    vec![
        ("empty.wav", Vec::new(), failed(FailureCode::Empty)),
        ("empty.jpg", Vec::new(), failed(FailureCode::Empty)),
        ("empty.txt", Vec::new(), Fate::Ignored),
        (
            "random.flac",
            (0..5_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect(),
            failed(FailureCode::Unsupported),
        ),
        (
            "random.png",
            (0..5_000u32).map(|n| (n.wrapping_mul(2_654_435_769) >> 11) as u8).collect(),
            failed(FailureCode::Unsupported),
        ),
        ("text.mp3", b"Not a song, only words about one. ".repeat(50), failed(FailureCode::Unsupported)),
        ("text.md", b"Not a song, only words about one. ".repeat(51), Fate::Ignored),
        ("header_only.wav", b"RIFF\x24\0\0\0WAVE".to_vec(), failed(FailureCode::Damaged)),
        ("no_samples.wav", mono(0).bytes(), failed(FailureCode::Empty)),
        ("one_sample.wav", mono(1).bytes(), Fate::Indexed),
        ("lying_length.wav", with(mono(4_410), |file| file.data_bytes = Some(u32::MAX)), Fate::Indexed),
        ("zero_hertz.wav", with(mono(4_410), |file| file.sample_rate_hz = 0), failed(FailureCode::Damaged)),
        ("absurd_hertz.wav", with(mono(4_411), |file| file.sample_rate_hz = u32::MAX), failed(FailureCode::Damaged)),
        ("384_kilohertz.wav", with(mono(38_400), |file| file.sample_rate_hz = 384_000), Fate::Indexed),
        ("no_channels.wav", with(mono(4_412), |file| file.channels = 0), failed(FailureCode::Damaged)),
        ("32_channels.wav", many_channels(32).bytes(), Fate::Indexed),
        ("300_channels.wav", many_channels(300).bytes(), failed(FailureCode::TooLarge)),
        ("nan.wav", floats(&[0.1, f32::NAN, 0.2]).bytes(), failed(FailureCode::Damaged)),
        ("infinite.wav", floats(&[0.1, f32::INFINITY]).bytes(), failed(FailureCode::Damaged)),
        ("sound_named.jpg", wav(1), Fate::Indexed),
        ("picture_named.wav", cat.clone(), Fate::Indexed),
        ("unnamed", wav(2), Fate::Indexed),
        ("truncated.jpg", cat[..cat.len() / 2].to_vec(), Fate::IndexedDamaged),
        ("truncated.ogg", dog[..dog.len() / 2].to_vec(), Fate::Indexed),
        ("stub.jpg", cat[..20].to_vec(), failed(FailureCode::Damaged)),
        ("bomb.png", png_of(60_000, 60_000), failed(FailureCode::TooLarge)),
        ("good.ogg", dog, Fate::Indexed),
        ("good.jpg", cat, Fate::Indexed),
    ]
}

/// The start of a PNG of some size.
fn png_of(width: u32, height: u32) -> Vec<u8> {
    let mut header = b"IHDR".to_vec();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([8, 2, 0, 0, 0]);
    let mut file = b"\x89PNG\r\n\x1a\n\0\0\0\x0d".to_vec();
    file.extend(&header);
    file.extend(crc32fast::hash(&header).to_be_bytes());
    file.extend(b"\0\0\0\x04IDAT\x78\x9c\x63\x60\0\0\0\0");
    file
}

#[test]
fn every_broken_file_is_counted_with_a_reason() {
    let library = Library::new();
    let corpus = corpus();
    for (name, content, _) in &corpus {
        library.write(name, content);
    }
    let engine = library.watch();
    let catalog = engine.catalog().read().unwrap();
    let fates: BTreeMap<String, (Fate, String)> = catalog
        .files()
        .map(|(key, record)| {
            let fate = match &record.state {
                FileState::Indexed(id) => match &catalog.asset(id).unwrap().asset.damage {
                    Some(damage) => (Fate::IndexedDamaged, damage.clone()),
                    None => (Fate::Indexed, String::new()),
                },
                FileState::Failed(failure) => (Fate::Failed(failure.code), failure.reason.clone()),
                FileState::Ignored => (Fate::Ignored, String::new()),
            };
            (key.path.to_string(), fate)
        })
        .collect();
    let mut wrong = Vec::new();
    for (name, _, expected) in &corpus {
        let (fate, reason) = fates.get(*name).unwrap_or_else(|| panic!("{name} was forgotten"));
        let damaged_or_not = *expected == Fate::Indexed && *fate == Fate::IndexedDamaged;
        if fate != expected && !damaged_or_not {
            wrong.push(format!("{name}: {fate:?} ({reason}), expected {expected:?}"));
        }
        assert!(!matches!(fate, Fate::Failed(_) | Fate::IndexedDamaged) || reason.len() > 10, "{name}: {reason:?}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    drop(catalog);
    assert_sound(&engine);
}

#[test]
fn mutilated_media_never_stops_the_rest() {
    let library = Library::new();
    let sources = [
        ("ogg", std::fs::read(crate::shared("media/esc10/002 - Rain/1-17367-A.ogg")).unwrap()),
        ("jpg", std::fs::read(crate::shared("media/demo/cars_1.jpg")).unwrap()),
        ("wav", wav(5)),
    ];
    let mut state = 1u64;
    let mut random = |bound: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % bound
    };
    for round in 0..30 * rounds() {
        let (extension, source) = &sources[round as usize % sources.len()];
        let mut content = source.clone();
        for _ in 0..=random(20) {
            let at = random(content.len());
            content[at] = random(256) as u8;
        }
        if random(3) == 0 {
            content.truncate(random(content.len()));
        }
        library.write(&format!("{round}.{extension}"), &content);
    }
    library.sound("good.wav", 6);
    let engine = library.watch();
    assert!(indexed(&engine).contains("good.wav"));
    let stats = engine.stats();
    let counted = stats.files.indexed + stats.files.failed + stats.files.ignored;
    assert_eq!(counted, u64::from(30 * rounds()) + 1, "every file is accounted for");
    assert_sound(&engine);
}
