//! Everything but raw WAVE samples, by way of symphonia and libopus.
//!
//! Owns the names of both. A packet that does not decode is left out and counted; a container that breaks off ends
//! the sound.

use std::io::Seek;
use std::sync::LazyLock;

use symphonia::core::audio::GenericAudioBufferRef;
use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::well_known::{CODEC_ID_AAC, CODEC_ID_MP3, CODEC_ID_OPUS, CODEC_ID_VORBIS};
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::codecs::registry::CodecRegistry;
use symphonia::core::common::Limit;
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::well_known::{FORMAT_ID_ADTS, FORMAT_ID_CAF, FORMAT_ID_OGG};
use symphonia::core::formats::{FormatId, FormatOptions, FormatReader, Track, TrackType};
use symphonia::core::io::{MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::MetadataOptions;
use symphonia::core::packet::Packet;
use symphonia::core::units::Duration;

use super::edit_list::{Mp4Timing, read_timing};
use super::priming::{OpusHead, Window};
use super::reader::check_channels;
use super::source::Source;
use super::{AudioFacts, BlockDecoder, Planes};
use crate::decode::{AudioLimits, DecodeError};

/// Samples that one packet may decode to, over all channels. FLAC has the largest real ones: 65,535 frames of 8.
const MAX_PACKET_SAMPLES: u64 = 1 << 22;

static CODECS: LazyLock<CodecRegistry> = LazyLock::new(|| {
    let mut registry = CodecRegistry::new();
    symphonia::default::register_enabled_codecs(&mut registry);
    registry.register_audio_decoder::<symphonia_adapter_libopus::OpusDecoder>();
    registry
});

/// Decodes one sound track of a container.
pub(super) struct PacketDecoder {
    container: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    track_id: u32,
    facts: AudioFacts,
    window: Window,
    /// Whether the window stands for the trimming that packets ask for.
    own_trim: bool,
    gain: f32,
    /// The first block: decoded when opening, because some headers leave out the channels.
    first: Option<Planes>,
    frames: u64,
    faults: Faults,
}

/// What went wrong and was worked around.
#[derive(Default)]
struct Faults {
    lost_packets: u64,
    first_loss: Option<String>,
    broken_off: Option<String>,
    cut_short: Option<String>,
    missing_frames: Option<u64>,
}

impl PacketDecoder {
    /// Opens a container; if it turns out to be cut short, as far as it can be read from the front.
    pub(super) fn open(mut source: Source, limits: &AudioLimits) -> Result<Self, DecodeError> {
        let timing = read_timing(&mut source)?;
        source.rewind()?;
        let error = match Self::open_once(source.clone(), timing.as_ref(), limits) {
            Err(error @ (DecodeError::Unsupported { .. } | DecodeError::Damaged { .. } | DecodeError::Empty(_))) => {
                error
            }
            result => return result,
        };
        // Demuxers look for what may follow the sound, and give up when the end is missing; not so in a pipe.
        let mut opened = match Self::open_once(source.forward_only()?, timing.as_ref(), limits) {
            Ok(opened) => opened,
            Err(_) => return Err(error),
        };
        opened.faults.cut_short = Some(error.to_string());
        Ok(opened)
    }

    fn open_once(source: Source, timing: Option<&Mp4Timing>, limits: &AudioLimits) -> Result<Self, DecodeError> {
        let container = probe(source)?;
        let track = container.default_track(TrackType::Audio).cloned();
        let Some((track, mut parameters)) = track.and_then(with_parameters) else {
            return Err(unsupported("it has no sound track".into()));
        };
        check_parameters(&parameters, limits)?;
        let opus = OpusHead::take(&mut parameters);
        let decoder = make_decoder(&parameters, &track)?;
        let facts = AudioFacts {
            container: container.format_info().short_name,
            codec: decoder.codec_info().short_name,
            sample_rate_hz: parameters.sample_rate.unwrap_or(0),
            channels: 0,
            bits_per_sample: bits_per_sample(&parameters),
            declared_frames: None,
        };
        let mut opened = Self {
            container,
            decoder,
            track_id: track.id,
            facts,
            window: Window::ALL,
            own_trim: false,
            gain: opus.map_or(1.0, |head| head.gain),
            first: None,
            frames: 0,
            faults: Faults::default(),
        };
        opened.read_first_block(&track, &parameters, opus.as_ref(), timing)?;
        Ok(opened)
    }

    /// Decodes up to the first samples, which tell the true rate and channels.
    fn read_first_block(
        &mut self,
        track: &Track,
        parameters: &AudioCodecParameters,
        opus: Option<&OpusHead>,
        timing: Option<&Mp4Timing>,
    ) -> Result<(), DecodeError> {
        let mut planes = Planes::new();
        let format = self.container.format_info().format;
        let promised = reliable_frames(track, parameters, format);
        // The Ogg demuxer also trims in the middle, where pages disagree by rounding; only the end is to be trimmed.
        self.own_trim = format == FORMAT_ID_OGG && promised.is_some();
        if !self.decode_block(&mut planes)? {
            self.faults.missing_frames = promised.filter(|&frames| frames > 0);
            return Err(match self.faults.describe() {
                Some(reason) => DecodeError::Damaged { format: self.facts.container, reason },
                None => DecodeError::Empty("sound"),
            });
        }
        self.window = Window::of(track, parameters.codec, format, opus, timing, self.facts.sample_rate_hz);
        self.facts.declared_frames = self.window.frames_of(promised);
        self.first = Some(planes);
        Ok(())
    }

    /// Decodes the next packet that holds samples. `false` at the end.
    fn decode_block(&mut self, planes: &mut Planes) -> Result<bool, DecodeError> {
        while let Some(mut packet) = self.next_packet()? {
            if self.own_trim {
                packet.trim_end = Duration::ZERO;
            }
            match self.decoder.decode(&packet) {
                Ok(buffer) if buffer.frames() == 0 => {}
                Ok(buffer) => {
                    if !fits(&mut self.facts, &buffer) {
                        self.faults.broken_off = Some("its rate or channels change in the middle".into());
                        return Ok(false);
                    }
                    buffer.copy_to_vecs_planar(planes);
                    return Ok(true);
                }
                Err(error) => self.faults.lose_packet(&error),
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
                Ok(Some(packet)) if packet.track_id == self.track_id => return Ok(Some(packet)),
                Ok(Some(_)) => {}
                Ok(None) => return Ok(None),
                // Chained streams: a new one begins where the old one ended.
                Err(Error::ResetRequired) if self.restart() => {}
                Err(Error::IoError(error)) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
                    return Err(error.into());
                }
                Err(error) => {
                    self.faults.broken_off = Some(error.to_string());
                    return Ok(None);
                }
            }
        }
    }

    /// Takes up the stream that follows in the same file.
    fn restart(&mut self) -> bool {
        let track = self.container.default_track(TrackType::Audio).cloned();
        let Some((track, mut parameters)) = track.and_then(with_parameters) else { return false };
        let opus = OpusHead::take(&mut parameters);
        let Ok(decoder) = make_decoder(&parameters, &track) else { return false };
        (self.decoder, self.track_id) = (decoder, track.id);
        self.gain = opus.map_or(1.0, |head| head.gain);
        self.window = opus.map_or(Window::ALL, |head| Window::skipping(head.pre_skip));
        (self.own_trim, self.facts.declared_frames) = (false, None);
        true
    }

    fn note_missing_frames(&mut self) {
        let missing = self.facts.declared_frames.map(|declared| declared.saturating_sub(self.frames));
        self.faults.missing_frames = missing.filter(|&frames| frames > 0);
    }
}

impl BlockDecoder for PacketDecoder {
    fn facts(&self) -> &AudioFacts {
        &self.facts
    }

    fn next_block(&mut self, planes: &mut Planes) -> Result<bool, DecodeError> {
        loop {
            if self.window.closed() {
                return Ok(false);
            }
            match self.first.take() {
                Some(first) => *planes = first,
                None if self.decode_block(planes)? => {}
                None => {
                    self.note_missing_frames();
                    return Ok(false);
                }
            }
            self.window.apply(planes);
            if !planes[0].is_empty() {
                break;
            }
        }
        if self.gain != 1.0 {
            planes.iter_mut().flatten().for_each(|sample| *sample *= self.gain);
        }
        self.frames += planes[0].len() as u64;
        Ok(true)
    }

    fn damage(&self) -> Option<String> {
        self.faults.describe()
    }
}

impl Faults {
    fn lose_packet(&mut self, error: &Error) {
        self.lost_packets += 1;
        self.first_loss.get_or_insert_with(|| error.to_string());
    }

    fn describe(&self) -> Option<String> {
        let mut notes = Vec::new();
        if let Some(error) = &self.cut_short {
            notes.push(format!("it was read from the front only: {error}"));
        }
        if let Some(error) = &self.first_loss {
            notes.push(format!("{} packets could not be decoded, the first: {error}", self.lost_packets));
        }
        if let Some(error) = &self.broken_off {
            notes.push(format!("it breaks off: {error}"));
        }
        if let Some(frames) = self.missing_frames {
            notes.push(format!("{frames} frames fewer than promised"));
        }
        (!notes.is_empty()).then(|| notes.join("; "))
    }
}

fn probe(source: Source) -> Result<Box<dyn FormatReader>, DecodeError> {
    let stream = MediaSourceStream::new(Box::new(source), MediaSourceStreamOptions::default());
    // Tags and cover pictures are not wanted; a small limit keeps them from being held.
    let metadata =
        MetadataOptions::default().limit_tag_bytes(Limit::Maximum(1 << 16)).limit_visual_bytes(Limit::Maximum(1 << 16));
    symphonia::default::get_probe()
        .probe(&Hint::new(), stream, FormatOptions::default(), metadata)
        .map_err(|error| refused(error, "sound file"))
}

fn with_parameters(track: Track) -> Option<(Track, AudioCodecParameters)> {
    match &track.codec_params {
        Some(CodecParameters::Audio(parameters)) => {
            let parameters = parameters.clone();
            Some((track, parameters))
        }
        _ => None,
    }
}

/// Decoders allocate one packet's worth of samples from the headers: this is the last chance to look at them.
fn check_parameters(parameters: &AudioCodecParameters, limits: &AudioLimits) -> Result<(), DecodeError> {
    let channels = parameters.channels.as_ref().map_or(1, |channels| channels.count() as u64);
    check_channels(u32::try_from(channels).unwrap_or(u32::MAX), limits)?;
    let frames = parameters.max_frames_per_packet.unwrap_or(0);
    if frames.saturating_mul(channels) > MAX_PACKET_SAMPLES {
        let reason = format!("its header announces packets of {frames} frames of {channels} channels");
        return Err(DecodeError::Damaged { format: "sound file", reason });
    }
    Ok(())
}

fn make_decoder(parameters: &AudioCodecParameters, track: &Track) -> Result<Box<dyn AudioDecoder>, DecodeError> {
    // The end of an MP3 without a tag is a guess from its bit rate, and must not be cut off.
    let guessed = parameters.codec == CODEC_ID_MP3 && !is_tagged(track);
    let options = AudioDecoderOptions::default().gapless(!guessed);
    CODECS.make_audio_decoder(parameters, &options).map_err(|error| refused(error, "sound track"))
}

/// Whether an MP3 says how long it is.
fn is_tagged(track: &Track) -> bool {
    track.delay.is_some() || track.padding.is_some()
}

/// The number of frames a track announces, where that is a promise.
///
/// ADTS and MP3 without a tag are estimates from the bit rate; a CAF packet table may count whole packets.
fn reliable_frames(track: &Track, parameters: &AudioCodecParameters, format: FormatId) -> Option<u64> {
    let guessed = parameters.codec == CODEC_ID_MP3 && !is_tagged(track);
    let loose = matches!(format, FORMAT_ID_ADTS | FORMAT_ID_CAF);
    track.num_frames.filter(|&frames| frames > 0 && !guessed && !loose)
}

/// Bits of a sample; lossy codecs have none, whatever their container says.
fn bits_per_sample(parameters: &AudioCodecParameters) -> Option<u32> {
    let lossy = [CODEC_ID_AAC, CODEC_ID_MP3, CODEC_ID_OPUS, CODEC_ID_VORBIS].contains(&parameters.codec);
    let bits = parameters.bits_per_sample.or(parameters.bits_per_coded_sample);
    bits.filter(|&bits| bits > 0 && !lossy)
}

/// Whether a block continues the sound; the first one defines it.
fn fits(facts: &mut AudioFacts, buffer: &GenericAudioBufferRef<'_>) -> bool {
    let (rate, channels) = (buffer.spec().rate(), u32::try_from(buffer.num_planes()).unwrap_or(u32::MAX));
    if facts.channels == 0 {
        (facts.sample_rate_hz, facts.channels) = (rate, channels);
    }
    (facts.sample_rate_hz, facts.channels) == (rate, channels)
}

/// What an error while opening means to the caller.
fn refused(error: Error, format: &'static str) -> DecodeError {
    match error {
        Error::IoError(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => error.into(),
        Error::IoError(_) => DecodeError::Damaged { format, reason: "it ends within its headers".into() },
        Error::Unsupported(reason) => unsupported(reason.into()),
        error => DecodeError::Damaged { format, reason: error.to_string() },
    }
}

fn unsupported(reason: String) -> DecodeError {
    DecodeError::Unsupported { expected: "sound", reason }
}
