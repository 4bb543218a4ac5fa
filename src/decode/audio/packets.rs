//! Everything but raw WAVE samples: packets of a codec in a container, by way of symphonia and libopus.
//!
//! A packet that does not decode is left out and counted; a container that breaks off ends the sound.

use std::io::{ErrorKind, Seek};

use symphonia::core::audio::GenericAudioBufferRef;
use symphonia::core::errors::Error;
use symphonia::core::formats::FormatReader;
use symphonia::core::packet::Packet;
use symphonia::core::units::Duration;

use super::caf;
use super::edit_list::{Mp4Timing, read_timing};
use super::faults::Faults;
use super::priming::Window;
use super::source::Source;
use super::track::{SoundTrack, probe};
use super::{AudioFacts, BlockDecoder, Planes};
use crate::decode::{AudioLimits, DecodeError};

/// Decodes one sound track of a container.
pub(super) struct PacketDecoder {
    container: Box<dyn FormatReader>,
    track: SoundTrack,
    limits: AudioLimits,
    facts: AudioFacts,
    window: Window,
    /// The first block: decoded when opening, because some headers leave out the channels.
    first: Option<Planes>,
    frames: u64,
    faults: Faults,
}

impl PacketDecoder {
    /// Opens a container; if it turns out to be cut short, as far as it can be read from the front.
    pub(super) fn open(mut source: Source, limits: &AudioLimits) -> Result<Self, DecodeError> {
        let timing = read_timing(&mut source)?;
        if let Some(end) = caf::read_end(&mut source)? {
            source.end_at(end);
        }
        source.rewind()?;
        let error = match Self::open_once(source.clone(), timing.as_ref(), limits) {
            Err(error @ (DecodeError::Io(_) | DecodeError::TooLarge { .. })) => return Err(error),
            Err(error) => error,
            Ok(opened) => return Ok(opened),
        };
        // Demuxers look for what may follow the sound, and give up when the end is missing; not so in a pipe.
        let Ok(mut opened) = Self::open_once(source.forward_only()?, timing.as_ref(), limits) else {
            return Err(error);
        };
        opened.faults.cut_short = Some(error.to_string());
        Ok(opened)
    }

    fn open_once(source: Source, timing: Option<&Mp4Timing>, limits: &AudioLimits) -> Result<Self, DecodeError> {
        let container = probe(source)?;
        let track = SoundTrack::of(&*container, limits)?;
        let (facts, limits) = (track.facts(), *limits);
        let (window, first, frames, faults) = (Window::ALL, None, 0, Faults::default());
        let mut opened = Self { container, track, limits, facts, window, first, frames, faults };
        opened.read_first_block(timing)?;
        Ok(opened)
    }

    /// Decodes up to the first samples, which tell the true rate and channels.
    fn read_first_block(&mut self, timing: Option<&Mp4Timing>) -> Result<(), DecodeError> {
        let mut planes = Planes::new();
        let promised = self.track.promised_frames();
        if !self.decode_block(&mut planes)? {
            self.faults.missing_frames = promised.unwrap_or(0);
            return Err(match self.faults.describe() {
                Some(reason) => DecodeError::Damaged { format: self.facts.container, reason },
                None => DecodeError::Empty("sound"),
            });
        }
        self.window = self.track.window(timing, self.facts.sample_rate_hz);
        self.facts.declared_frames = self.window.frames_of(promised);
        self.first = Some(planes);
        Ok(())
    }

    /// Decodes the next packet that holds samples. `false` at the end.
    fn decode_block(&mut self, planes: &mut Planes) -> Result<bool, DecodeError> {
        while let Some(mut packet) = self.next_packet()? {
            if self.track.trims_by_window() {
                packet.trim_end = Duration::ZERO;
            }
            match self.track.decoder.decode(&packet) {
                Ok(buffer) if buffer.frames() == 0 => {}
                Ok(buffer) => {
                    if !fits(&mut self.facts, &buffer) {
                        self.faults.broken_off = Some("its rate or channels change in the middle".into());
                        return Ok(false);
                    }
                    buffer.copy_to_vecs_planar(planes);
                    let gain = self.track.gain();
                    if gain != 1.0 {
                        planes.iter_mut().flatten().for_each(|sample| *sample *= gain);
                    }
                    return Ok(true);
                }
                Err(error) => self.faults.lose_packet(error.to_string()),
            }
        }
        Ok(false)
    }

    /// The next packet of the track; `None` at the end, be it proper or not.
    fn next_packet(&mut self) -> Result<Option<Packet>, DecodeError> {
        if self.faults.broken_off.is_some() {
            return Ok(None);
        }
        loop {
            match self.container.next_packet() {
                Ok(Some(packet)) if packet.track_id == self.track.id() => return Ok(Some(packet)),
                Ok(Some(_)) => {}
                Ok(None) => return Ok(None),
                // Chained streams: a new one begins where the old one ended.
                Err(Error::ResetRequired) => match SoundTrack::of(&*self.container, &self.limits) {
                    Ok(track) => self.take_up(track),
                    Err(error) => self.faults.broken_off = Some(error.to_string()),
                },
                Err(Error::IoError(error)) if error.kind() != ErrorKind::UnexpectedEof => return Err(error.into()),
                Err(error) => self.faults.broken_off = Some(error.to_string()),
            }
            if self.faults.broken_off.is_some() {
                return Ok(None);
            }
        }
    }

    fn take_up(&mut self, next: SoundTrack) {
        self.window = next.window(None, self.facts.sample_rate_hz);
        self.track = next;
        // The promise was for the first stream only.
        self.facts.declared_frames = None;
    }
}

impl BlockDecoder for PacketDecoder {
    fn facts(&self) -> &AudioFacts {
        &self.facts
    }

    fn next_block(&mut self, planes: &mut Planes) -> Result<bool, DecodeError> {
        loop {
            // In Ogg another stream may follow the end of this one.
            if self.window.closed() && !self.track.trims_by_window() {
                return Ok(false);
            }
            match self.first.take() {
                Some(first) => *planes = first,
                None if self.decode_block(planes)? => {}
                None => {
                    let missing = self.facts.declared_frames.map(|declared| declared.saturating_sub(self.frames));
                    self.faults.missing_frames = missing.unwrap_or(0);
                    return Ok(false);
                }
            }
            self.window.apply(planes);
            if !planes[0].is_empty() {
                self.frames += planes[0].len() as u64;
                return Ok(true);
            }
        }
    }

    fn damage(&self) -> Option<String> {
        self.faults.describe()
    }
}

/// Whether a block continues the sound; the first one defines it.
fn fits(facts: &mut AudioFacts, buffer: &GenericAudioBufferRef<'_>) -> bool {
    let (rate, channels) = (buffer.spec().rate(), u32::try_from(buffer.num_planes()).unwrap_or(u32::MAX));
    if facts.channels == 0 {
        (facts.sample_rate_hz, facts.channels) = (rate, channels);
    }
    (facts.sample_rate_hz, facts.channels) == (rate, channels)
}
