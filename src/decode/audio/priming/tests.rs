use super::*;

fn cut(mut window: Window, blocks: &[usize]) -> Vec<f32> {
    let mut kept = Vec::new();
    let mut next = 0u16;
    for &frames in blocks {
        let plane = (0..frames)
            .map(|_| {
                next += 1;
                f32::from(next - 1)
            })
            .collect();
        let mut planes = vec![plane];
        window.apply(&mut planes);
        kept.append(&mut planes[0]);
    }
    kept
}

#[test]
fn windows_span_blocks() {
    let check = |skip, keep, blocks: &[usize], first: f32, count: usize| {
        let kept = cut(Window { skip, keep }, blocks);
        assert_eq!((kept.first().copied(), kept.len()), ((count > 0).then_some(first), count), "{skip} {keep:?}");
    };
    check(0, None, &[3, 4], 0.0, 7);
    check(5, None, &[3, 4], 5.0, 2);
    check(5, Some(1), &[3, 4], 5.0, 1);
    check(2, Some(3), &[3, 4], 2.0, 3);
    check(9, None, &[3, 4], 0.0, 0);
    check(0, Some(0), &[3, 4], 0.0, 0);
}

#[test]
fn edits_defer_to_the_track_when_they_differ_by_rounding() {
    let edit = |duration| Edit { media_start: 1_024, media_timescale: 44_100, duration, movie_timescale: 1_000 };
    let check = |duration, track_frames, keep| {
        assert_eq!(Window::of_edit(&edit(duration), track_frames, 44_100), Window { skip: 1_024, keep });
    };
    check(204, Some(10_024), Some(9_000));
    check(100, Some(10_024), Some(4_410));
    check(204, None, Some(8_996));
    check(0, Some(10_024), Some(9_000));
    check(0, None, None);
}

#[test]
fn opus_gain_is_in_256ths_of_a_decibel() {
    let mut head = *b"OpusHead\x01\x01\x38\x01\x80\xbb\0\0\0\0\0";
    head[16..18].copy_from_slice(&(-6 * 256i16).to_le_bytes());
    let mut parameters = AudioCodecParameters::new();
    parameters.for_codec(CODEC_ID_OPUS).with_extra_data(Box::new(head));
    let head = OpusHead::take(&mut parameters).unwrap();
    assert_eq!(head.pre_skip, 312);
    assert!((head.gain - 0.501_187).abs() < 1e-6, "{}", head.gain);
    assert!(parameters.extra_data.is_none());
}
