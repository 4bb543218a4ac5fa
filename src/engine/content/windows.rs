//! Sounds to windows of five seconds, while they are being decoded.
//!
//! Invariant: which windows there are depends on the samples alone, not on the blocks they came in; no more is held
//! than two windows and a block.

use super::Window;
use crate::embed::ModelInput;
use crate::library::Span;
use crate::preprocess::audio::{ESC50_FRAMES, SAMPLE_RATE_HZ};

/// Samples of a window.
const WINDOW: u64 = ESC50_FRAMES as u64;
/// So many samples after the last window, a twentieth of a second, are not worth one of their own: they are what codecs
/// add to fill their last block. Without that, a recording of five seconds as Vorbis would be embedded twice.
const SPARE: u64 = SAMPLE_RATE_HZ as u64 / 20;

/// Cuts mono samples at [`SAMPLE_RATE_HZ`] into windows.
pub(super) struct Cutter {
    /// Samples from the start of a window to the start of the next.
    hop: u64,
    /// Windows whose samples are all quieter than this are silent.
    silence: f32,
    /// The latest samples: those that later windows may have, and others that have not been dropped yet.
    held: Vec<f32>,
    /// Samples so far.
    total: u64,
    /// Where the next regular window starts.
    next: u64,
}

impl Cutter {
    pub(super) fn new(hop_ms: u64, silence_dbfs: f32) -> Self {
        let hop = hop_ms.max(1).saturating_mul(u64::from(SAMPLE_RATE_HZ)).saturating_add(500) / 1000;
        Self { hop, silence: 10_f32.powf(silence_dbfs / 20.0), held: Vec::new(), total: 0, next: 0 }
    }

    /// Takes the next samples, and hands out the windows that they complete; `false` once `emit` has said so.
    pub(super) fn push(&mut self, mut samples: &[f32], emit: &mut dyn FnMut(Window) -> bool) -> bool {
        // A long block is taken in pieces, so that what is held does not depend on it.
        while !samples.is_empty() {
            let (piece, rest) = samples.split_at(samples.len().min(ESC50_FRAMES));
            self.held.extend_from_slice(piece);
            self.total += piece.len() as u64;
            samples = rest;
            while self.next.saturating_add(WINDOW) <= self.total {
                let window = self.window(self.next);
                self.next = self.next.saturating_add(self.hop);
                if !emit(window) {
                    return false;
                }
            }
            self.drop_stale();
        }
        true
    }

    /// Hands out what is left at the end of the sound: the only window of a short one, or the last of a long one,
    /// unless a regular window ends there or next to there.
    pub(super) fn finish(&mut self, emit: &mut dyn FnMut(Window) -> bool) {
        if self.total == 0 {
            return;
        }
        let Some(start) = self.total.checked_sub(WINDOW) else {
            let silent = self.is_silent(&self.held);
            let span = Span { start_ms: 0, end_ms: self.duration_ms() };
            emit(Window { span, silent, input: ModelInput::esc50(&self.held) });
            return;
        };
        // The last regular window started one hop before the next one would, unless that is further than can be
        // counted.
        let last = self.next.checked_sub(self.hop).filter(|_| self.next < u64::MAX).unwrap_or(0);
        if start - last > SPARE {
            emit(self.window(start));
        }
    }

    /// The length of what was taken.
    pub(super) fn duration_ms(&self) -> u64 {
        milliseconds(self.total)
    }

    fn window(&self, start: u64) -> Window {
        let first = usize::try_from(start - (self.total - self.held.len() as u64)).expect("a part of what is held");
        let samples = &self.held[first..first + ESC50_FRAMES];
        let span = Span { start_ms: milliseconds(start), end_ms: milliseconds(start + WINDOW) };
        Window { span, silent: self.is_silent(samples), input: ModelInput::whole(samples.to_vec()) }
    }

    fn is_silent(&self, samples: &[f32]) -> bool {
        samples.iter().all(|sample| sample.abs() < self.silence)
    }

    /// All regular windows that could be cut have been, so the next one, whatever it is, needs the last samples only.
    /// They are moved to the front only once in a window, because moving them costs as much as making one.
    fn drop_stale(&mut self) {
        if self.held.len() >= 2 * ESC50_FRAMES {
            self.held.drain(..self.held.len() - ESC50_FRAMES);
        }
    }
}

/// Milliseconds from the start to a sample, rounded.
fn milliseconds(sample: u64) -> u64 {
    let rate = u64::from(SAMPLE_RATE_HZ);
    sample.saturating_mul(1000).saturating_add(rate / 2) / rate
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What [`Cutter`] yields for all samples at once, in the plainest way: starts, spans, marks and inputs.
    fn reference(samples: &[f32], hop: usize, silence: f32) -> Vec<Window> {
        let n = samples.len();
        if n < ESC50_FRAMES {
            let silent = samples.iter().all(|sample| sample.abs() < silence);
            let span = Span { start_ms: 0, end_ms: milliseconds_of(n) };
            return vec![Window { span, silent, input: ModelInput::esc50(samples) }];
        }
        let mut starts: Vec<usize> = (0..).map(|k| k * hop).take_while(|start| start + ESC50_FRAMES <= n).collect();
        if *starts.last().unwrap() + ESC50_FRAMES + 2205 < n {
            starts.push(n - ESC50_FRAMES);
        }
        let window = |start: usize| {
            let part = &samples[start..start + ESC50_FRAMES];
            let span = Span { start_ms: milliseconds_of(start), end_ms: milliseconds_of(start + ESC50_FRAMES) };
            let silent = part.iter().all(|sample| sample.abs() < silence);
            Window { span, silent, input: ModelInput::whole(part.to_vec()) }
        };
        starts.into_iter().map(window).collect()
    }

    fn milliseconds_of(samples: usize) -> u64 {
        format!("{:.0}", samples as f64 / 44.1).parse().unwrap()
    }

    fn ramp(n: usize) -> Vec<f32> {
        (0..n).map(|index| (index % 9973) as f32 / 9973.0 - 0.5).collect()
    }

    fn cut(samples: &[f32], hop_ms: u64, dbfs: f32, block: usize) -> Vec<Window> {
        let mut windows = Vec::new();
        let mut emit = |window| {
            windows.push(window);
            true
        };
        let mut cutter = Cutter::new(hop_ms, dbfs);
        for block in samples.chunks(block) {
            assert!(cutter.push(block, &mut emit));
            assert!(cutter.held.len() < 2 * ESC50_FRAMES, "{} samples are held", cutter.held.len());
        }
        cutter.finish(&mut emit);
        assert!(cutter.duration_ms() - windows.last().unwrap().span.end_ms <= 50);
        windows
    }

    #[track_caller]
    fn check(frames: usize, hop_ms: u64, block: usize) -> usize {
        let samples = ramp(frames);
        let hop = usize::try_from((hop_ms * 441 + 5) / 10).unwrap();
        let (got, expected) = (cut(&samples, hop_ms, -60.0, block), reference(&samples, hop, 0.001));
        let spans = |windows: &[Window]| windows.iter().map(|window| window.span).collect::<Vec<_>>();
        assert_eq!(spans(&got), spans(&expected), "{frames} frames, hop {hop_ms} ms");
        assert!(got == expected, "{frames} frames, hop {hop_ms} ms, blocks of {block}");
        got.len()
    }

    #[test]
    fn lengths_around_the_borders() {
        const W: usize = ESC50_FRAMES;
        const SHORT: [(usize, usize); 6] = [(1, 1), (2, 1), (W - 1, 1), (W, 1), (W + 2205, 1), (W + 2206, 2)];
        const LONG: [(usize, usize); 5] =
            [(2 * W - 1, 2), (2 * W, 2), (2 * W + 2205, 2), (2 * W + 2206, 3), (3 * W, 3)];
        for (frames, count) in SHORT.into_iter().chain(LONG) {
            assert_eq!(check(frames, 5000, 4096), count, "{frames} frames");
        }
    }

    #[test]
    fn hops_smaller_and_larger_than_a_window() {
        for hop_ms in [700, 2500, 4999, 5000, 5001, 7000, 12_000, 60_000] {
            for block in [1000, ESC50_FRAMES, usize::MAX] {
                check(30 * 44_100 + 17, hop_ms, block);
            }
        }
        // Exactly after one hop that is larger than a window.
        assert_eq!(check(7 * 44_100 + ESC50_FRAMES, 7000, 5000), 2);
    }

    #[test]
    fn absurd_hops_end() {
        assert_eq!(cut(&ramp(ESC50_FRAMES + 441), 0, -60.0, 1 << 16).len(), 11);
        assert_eq!(check(3 * ESC50_FRAMES, u64::MAX / 100_000, 1 << 16), 2);
        assert_eq!(cut(&ramp(3 * ESC50_FRAMES), u64::MAX, -60.0, 1 << 16).len(), 2);
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config { cases: 24, ..Default::default() })]

        #[test]
        fn windows_do_not_depend_on_blocks(
            frames in 1..800_000_usize, hop_ms in 500..12_000_u64, block in 1000..400_000_usize,
        ) {
            check(frames, hop_ms, block);
        }
    }

    #[test]
    fn silence_is_told_by_the_loudest_sample_of_a_window() {
        let mut samples = vec![0.0; 3 * ESC50_FRAMES];
        samples[ESC50_FRAMES + 7] = -0.001_1;
        samples[5] = 0.000_9;
        let marks = |dbfs| cut(&samples, 5000, dbfs, 4096).iter().map(|window| window.silent).collect::<Vec<_>>();
        assert_eq!(marks(-60.0), [true, false, true]);
        assert_eq!(marks(-70.0), [false, false, true]);
        assert_eq!(marks(-50.0), [true, true, true]);
        assert_eq!(marks(f32::NEG_INFINITY), [false, false, false]);
        // The padding of a short one would only repeat its ends.
        assert!(cut(&[0.000_9; 10], 5000, -60.0, 10)[0].silent);
        assert!(!cut(&[0.0, 0.002, 0.0], 5000, -60.0, 10)[0].silent);
    }

    #[test]
    fn nothing_comes_after_the_last_wanted_window() {
        let mut count = 0;
        let mut cutter = Cutter::new(1000, -60.0);
        let mut emit = |_| {
            count += 1;
            count < 3
        };
        assert!(!cutter.push(&ramp(20 * 44_100), &mut emit));
        assert_eq!(count, 3);
    }
}
