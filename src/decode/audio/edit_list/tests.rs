use std::io::Cursor;

use super::*;
use crate::decode::AudioLimits;

fn mp4_box(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    [&u32::try_from(body.len() + 8).unwrap().to_be_bytes()[..], kind, body].concat()
}

/// A box that starts with a version, and goes on with 32-bit fields.
fn full_box(kind: &[u8; 4], fields: &[u32]) -> Vec<u8> {
    let fields: Vec<u8> = fields.iter().flat_map(|field| field.to_be_bytes()).collect();
    mp4_box(kind, &[&[0; 4], &fields[..]].concat())
}

/// A film of 1,000 ticks a second with one track, number 7, of 48,000; after it `rest`.
fn film(edit_list: &[u8], rest: &[u8]) -> Vec<u8> {
    let media = mp4_box(b"mdia", &full_box(b"mdhd", &[0, 0, 48_000, 96_000]));
    let track = [full_box(b"tkhd", &[0, 0, 7, 0]), media, mp4_box(b"edts", edit_list)].concat();
    let movie = [full_box(b"mvhd", &[0, 0, 1_000, 2_000]), mp4_box(b"trak", &track), rest.to_vec()].concat();
    [mp4_box(b"ftyp", b"isom"), mp4_box(b"mdat", &[0; 100]), mp4_box(b"moov", &movie)].concat()
}

fn timing(bytes: Vec<u8>) -> Option<Mp4Timing> {
    let mut source = Source::new(Cursor::new(bytes), &AudioLimits::default()).unwrap();
    read_timing(&mut source).unwrap()
}

#[test]
fn edits_are_read() {
    let check = |fields: &[u32], expected: Option<(u64, u64)>| {
        let edits = timing(film(&full_box(b"elst", fields), &[])).unwrap().edits;
        let expected = expected.map(|(media_start, duration)| {
            (7, Edit { media_start, media_timescale: 48_000, duration, movie_timescale: 1_000 })
        });
        assert_eq!(edits, Vec::from_iter(expected), "{fields:?}");
    };
    check(&[1, 1_500, 1_024, 0x1_0000], Some((1_024, 1_500)));
    // Silence first, then the sound.
    check(&[2, 500, u32::MAX, 0x1_0000, 1_500, 312, 0x1_0000], Some((312, 1_500)));
    check(&[2, 500, 1_024, 0x1_0000, 700, 40_000, 0x1_0000], Some((1_024, 0)));
    check(&[1, 500, u32::MAX, 0x1_0000], None);
    check(&[0], None);
}

#[test]
fn long_edits_are_read() {
    let fields = [1, 0, 1_500, 0, 1_024, 0x1_0000];
    let mut list = full_box(b"elst", &fields);
    list[8] = 1;
    let edits = timing(film(&list, &[])).unwrap().edits;
    assert_eq!(
        edits[0].1,
        Edit { media_start: 1_024, media_timescale: 48_000, duration: 1_500, movie_timescale: 1_000 }
    );
}

#[test]
fn notes_are_found() {
    let text = b" 00000000 00000840 000001CA 00000000003F31F6 00000000";
    let note = [
        mp4_box(b"mean", b"\0\0\0\0com.apple.iTunes"),
        mp4_box(b"name", b"\0\0\0\0iTunSMPB"),
        mp4_box(b"data", &[&[0, 0, 0, 1, 0, 0, 0, 0], &text[..]].concat()),
    ];
    let tags = mp4_box(b"ilst", &mp4_box(b"----", &note.concat()));
    let user_data = mp4_box(b"udta", &mp4_box(b"meta", &[&[0; 4], &tags[..]].concat()));
    let gapless = timing(film(&full_box(b"elst", &[0]), &user_data)).unwrap().gapless;
    assert_eq!(gapless, Some(Gapless { delay: 2_112, frames: 4_141_558 }));
}

#[test]
fn odd_notes_say_nothing() {
    assert_eq!(parse_note(" 00000000 00000840 000001CA"), None);
    assert_eq!(parse_note(" 00000000 00000840 000001CA 0000000000000000"), None);
    assert_eq!(parse_note("no numbers at all"), None);
}

#[test]
fn every_truncation_is_read_without_complaint() {
    let whole = film(&full_box(b"elst", &[1, 1_500, 1_024, 0x1_0000]), &[]);
    for len in 1..whole.len() {
        let found = timing(whole[..len].to_vec()).is_some_and(|timing| !timing.edits.is_empty());
        assert!(!found, "cut to {len}");
    }
    assert_eq!(timing(b"RIFF\0\0\0\0WAVE".to_vec()), None);
}
