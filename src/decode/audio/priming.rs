//! What codecs add before and after the sound, and how it is taken off again.
//!
//! - MP3: the LAME tag, applied by the decoder; without one nothing is known and nothing is cut.
//! - Vorbis and Opus in Ogg: the positions of the first and the last page.
//! - Opus: the pre-skip of its header, or the edit list in MP4. Matroska's end padding is not known here, and heard.
//! - MP4: the edit list, or else Apple's `iTunSMPB` note.
//! - CAF: the packet table.
//! - AAC about which nothing is said (ADTS, Matroska): the 1,024 samples of one frame, which every encoder adds at
//!   least; Apple's add 2,112.

use symphonia::core::codecs::audio::well_known::{CODEC_ID_AAC, CODEC_ID_OPUS};
use symphonia::core::codecs::audio::{AudioCodecId, AudioCodecParameters};
use symphonia::core::formats::FormatId;
use symphonia::core::formats::Track;
use symphonia::core::formats::well_known::{FORMAT_ID_CAF, FORMAT_ID_OGG};

use super::Planes;
use super::edit_list::{Edit, Mp4Timing};

/// Frames that an AAC encoder puts before the first real one, if nothing else is said.
const AAC_PRIMING: u64 = 1024;

/// The frames of a decoded stream that are sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    /// Frames still to drop.
    skip: u64,
    /// Frames still to keep after those; `None` if the stream's end is the sound's end.
    keep: Option<u64>,
}

impl Window {
    /// Everything.
    pub(super) const ALL: Self = Self::skipping(0);

    /// Everything but the first `skip` frames.
    pub(super) const fn skipping(skip: u64) -> Self {
        Self { skip, keep: None }
    }

    /// The window of a track of the rate `rate_hz`.
    pub(super) fn of(
        track: &Track,
        codec: AudioCodecId,
        format: FormatId,
        opus: Option<&OpusHead>,
        mp4: Option<&Mp4Timing>,
        rate_hz: u32,
    ) -> Self {
        let edit = mp4.and_then(|timing| timing.edits.iter().find(|(id, _)| *id == track.id));
        if let Some((_, edit)) = edit {
            return Self::of_edit(edit, track.num_frames.filter(|&frames| frames > 0), rate_hz);
        }
        if let Some(note) = mp4.and_then(|timing| timing.gapless) {
            return Self { skip: note.delay, keep: Some(note.frames) };
        }
        match opus {
            _ if format == FORMAT_ID_OGG => Self::of_pages(track, opus.map_or(0, |head| head.pre_skip)),
            Some(head) => Self::skipping(head.pre_skip),
            None if format == FORMAT_ID_CAF => Self { skip: track.delay.unwrap_or(0).into(), keep: track.num_frames },
            None if codec == CODEC_ID_AAC => Self::skipping(AAC_PRIMING),
            None => Self::ALL,
        }
    }

    /// Ogg: the last page tells the position after the last frame, the first one the position of the first.
    fn of_pages(track: &Track, skip: u64) -> Self {
        let start = u64::try_from(track.start_ts.get()).unwrap_or(0);
        Self { skip, keep: track.num_frames.map(|end| end.saturating_sub(start + skip)) }
    }

    fn of_edit(edit: &Edit, track_frames: Option<u64>, rate_hz: u32) -> Self {
        let skip = rescale(edit.media_start, rate_hz, edit.media_timescale);
        let rest = track_frames.map(|frames| frames.saturating_sub(skip));
        if edit.duration == 0 {
            return Self { skip, keep: rest };
        }
        // The edit is counted in ticks of the film, often milliseconds; the track counts frames. Where both mean the
        // same, the track is the more precise.
        let duration = rescale(edit.duration, rate_hz, edit.movie_timescale);
        let tick = rescale(1, rate_hz, edit.movie_timescale) + 1;
        let keep = match rest {
            Some(rest) if rest.abs_diff(duration) <= tick => rest,
            Some(rest) => rest.min(duration),
            None => duration,
        };
        Self { skip, keep: Some(keep) }
    }

    /// Frames of sound in a stream of `frames` frames, if that is known or the window itself knows.
    pub(super) fn frames_of(&self, frames: Option<u64>) -> Option<u64> {
        let rest = frames.map(|frames| frames.saturating_sub(self.skip));
        match (rest, self.keep) {
            (Some(rest), Some(keep)) => Some(rest.min(keep)),
            (rest, _) => rest,
        }
    }

    /// Cuts a decoded block down to what is inside.
    pub(super) fn apply(&mut self, planes: &mut Planes) {
        let frames = planes.first().map_or(0, |plane| plane.len() as u64);
        let drop = self.skip.min(frames);
        self.skip -= drop;
        let keep = (frames - drop).min(self.keep.unwrap_or(u64::MAX));
        self.keep = self.keep.map(|left| left - keep);
        let (drop, keep) = (usize::try_from(drop), usize::try_from(keep));
        let (drop, keep) = drop.ok().zip(keep.ok()).expect("both are within a block in memory");
        for plane in planes {
            plane.drain(..drop);
            plane.truncate(keep);
        }
    }

    /// Whether nothing that follows can be inside.
    pub(super) fn closed(&self) -> bool {
        self.keep == Some(0)
    }
}

/// `ticks` of `timescale` a second, in frames of `rate_hz` a second, rounded.
fn rescale(ticks: u64, rate_hz: u32, timescale: u32) -> u64 {
    let (ticks, rate, timescale) = (u128::from(ticks), u128::from(rate_hz), u128::from(timescale));
    u64::try_from((ticks * rate + timescale / 2) / timescale).unwrap_or(u64::MAX)
}

/// The parts of an Opus header (RFC 7845 section 5.1) that the decoder leaves to its caller.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct OpusHead {
    /// Frames of 48 kHz before the sound.
    pub(super) pre_skip: u64,
    /// Factor on every sample.
    pub(super) gain: f32,
}

impl OpusHead {
    /// Takes the header out of `parameters`: the decoder would cut the pre-skip off the first packet only.
    pub(super) fn take(parameters: &mut AudioCodecParameters) -> Option<Self> {
        if parameters.codec != CODEC_ID_OPUS {
            return None;
        }
        let head = parameters.extra_data.take()?;
        if head.len() < 19 || &head[..8] != b"OpusHead" {
            return None;
        }
        let gain_db = f32::from(i16::from_le_bytes([head[16], head[17]])) / 256.0;
        let pre_skip = u16::from_le_bytes([head[10], head[11]]).into();
        Some(Self { pre_skip, gain: 10f32.powf(gain_db / 20.0) })
    }
}

#[cfg(test)]
mod tests;
