//! Finding the sound in a container: the demuxer, the track, its decoder, and what the headers promise.

use std::io::ErrorKind;
use std::sync::LazyLock;

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

use super::AudioFacts;
use super::edit_list::Mp4Timing;
use super::priming::{OpusHead, Window};
use super::reader::check_channels;
use super::source::Source;
use crate::decode::{AudioLimits, DecodeError};

/// Samples that one packet may decode to, over all channels. FLAC has the largest real ones: 65,535 frames of 8.
const MAX_PACKET_SAMPLES: u64 = 1 << 22;

static CODECS: LazyLock<CodecRegistry> = LazyLock::new(|| {
    let mut registry = CodecRegistry::new();
    symphonia::default::register_enabled_codecs(&mut registry);
    registry.register_audio_decoder::<symphonia_adapter_libopus::OpusDecoder>();
    registry
});

/// Recognises the container by its content.
pub(super) fn probe(source: Source) -> Result<Box<dyn FormatReader>, DecodeError> {
    let stream = MediaSourceStream::new(Box::new(source), MediaSourceStreamOptions::default());
    // Tags and cover pictures are not wanted; a small limit keeps them from being held.
    let metadata =
        MetadataOptions::default().limit_tag_bytes(Limit::Maximum(1 << 16)).limit_visual_bytes(Limit::Maximum(1 << 16));
    symphonia::default::get_probe().probe(&Hint::new(), stream, FormatOptions::default(), metadata).map_err(|error| {
        match error {
            Error::Unsupported(_) => unsupported("its content is of no container that is read".into()),
            error => refused(error, "sound file"),
        }
    })
}

/// The track of a container that is heard, and its decoder.
pub(super) struct SoundTrack {
    pub(super) decoder: Box<dyn AudioDecoder>,
    track: Track,
    parameters: AudioCodecParameters,
    opus: Option<OpusHead>,
    format: FormatId,
    container: &'static str,
}

impl SoundTrack {
    /// Picks the default track, or the first with a known codec.
    pub(super) fn of(container: &dyn FormatReader, limits: &AudioLimits) -> Result<Self, DecodeError> {
        let track = container.default_track(TrackType::Audio).cloned();
        let Some((track, mut parameters)) = track.and_then(with_parameters) else {
            return Err(unsupported("it has no sound track".into()));
        };
        check_parameters(&parameters, limits)?;
        let opus = OpusHead::take(&mut parameters);
        let decoder = make_decoder(&parameters, &track)?;
        let info = container.format_info();
        Ok(Self { decoder, track, parameters, opus, format: info.format, container: info.short_name })
    }

    /// Its number in the container.
    pub(super) fn id(&self) -> u32 {
        self.track.id
    }

    /// Factor on every sample.
    pub(super) fn gain(&self) -> f32 {
        self.opus.map_or(1.0, |head| head.gain)
    }

    /// What the headers say; rate and channels may be missing there, and are 0 then.
    pub(super) fn facts(&self) -> AudioFacts {
        AudioFacts {
            container: self.container,
            codec: self.decoder.codec_info().short_name,
            sample_rate_hz: self.parameters.sample_rate.unwrap_or(0),
            channels: 0,
            bits_per_sample: bits_per_sample(&self.parameters),
            declared_frames: None,
        }
    }

    /// The part of the decoded stream that is sound.
    pub(super) fn window(&self, timing: Option<&Mp4Timing>, rate_hz: u32) -> Window {
        Window::of(&self.track, self.parameters.codec, self.format, self.opus.as_ref(), timing, rate_hz)
    }

    /// The number of frames the track announces, where that is a promise.
    ///
    /// ADTS and MP3 without a tag are estimates from the bit rate; a CAF packet table may count whole packets.
    pub(super) fn promised_frames(&self) -> Option<u64> {
        let guessed = self.parameters.codec == CODEC_ID_MP3 && !is_tagged(&self.track);
        let loose = matches!(self.format, FORMAT_ID_ADTS | FORMAT_ID_CAF);
        self.track.num_frames.filter(|&frames| frames > 0 && !guessed && !loose)
    }

    /// Whether the window does all trimming, and that of single packets is to be ignored.
    ///
    /// The Ogg demuxer trims not only the end, but wherever the positions of pages disagree with their packets.
    pub(super) fn trims_by_window(&self) -> bool {
        self.format == FORMAT_ID_OGG && self.promised_frames().is_some()
    }
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

/// Bits of a sample; lossy codecs have none, whatever their container says.
fn bits_per_sample(parameters: &AudioCodecParameters) -> Option<u32> {
    let lossy = [CODEC_ID_AAC, CODEC_ID_MP3, CODEC_ID_OPUS, CODEC_ID_VORBIS].contains(&parameters.codec);
    let bits = parameters.bits_per_sample.or(parameters.bits_per_coded_sample);
    bits.filter(|&bits| bits > 0 && !lossy)
}

/// What an error while opening means to the caller.
fn refused(error: Error, format: &'static str) -> DecodeError {
    match error {
        Error::IoError(error) if error.kind() != ErrorKind::UnexpectedEof => error.into(),
        Error::IoError(_) => DecodeError::Damaged { format, reason: "it ends within its headers".into() },
        Error::Unsupported(reason) => unsupported(reason.into()),
        error => DecodeError::Damaged { format, reason: error.to_string() },
    }
}

fn unsupported(reason: String) -> DecodeError {
    DecodeError::Unsupported { expected: "sound", reason }
}
