//! Decoders: packets to planar `f64`.

use symphonia::core::audio::{Audio, GenericAudioBufferRef};
use symphonia::core::codecs::audio::well_known::{
    CODEC_ID_AAC, CODEC_ID_ALAC, CODEC_ID_FLAC, CODEC_ID_MP3, CODEC_ID_VORBIS,
};
use symphonia::core::codecs::audio::{AudioCodecId, AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error as Fault;
use symphonia::core::packet::Packet;
use symphonia::core::units::{Duration, Timestamp};
use symphonia::default::codecs::{AacDecoder, AlacDecoder, FlacDecoder, MpaDecoder, VorbisDecoder};

use crate::flac::guarded;

/// A codec with what it has to know beforehand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Codec {
    /// MPEG layer III.
    Mp3,
    /// AAC-LC: the AudioSpecificConfig of ISO/IEC 14496-3.
    Aac(Vec<u8>),
    /// Apple Lossless: its magic cookie.
    Alac(Vec<u8>),
    /// Vorbis: its identification and setup headers, one after the other.
    Vorbis(Vec<u8>),
    /// FLAC: its STREAMINFO.
    Flac(Vec<u8>),
}

impl Codec {
    /// The name of what is lost in it; none: nothing is.
    pub(super) fn lossy(&self) -> Option<&'static str> {
        match self {
            Self::Mp3 => Some("MP3"),
            Self::Aac(_) => Some("AAC"),
            Self::Vorbis(_) => Some("Vorbis"),
            Self::Alac(_) | Self::Flac(_) => None,
        }
    }

    fn decoder(&self) -> Result<Box<dyn AudioDecoder>, String> {
        let parameters = |codec: AudioCodecId, extra: &[u8]| {
            let mut parameters = AudioCodecParameters::new();
            parameters.for_codec(codec);
            if !extra.is_empty() {
                parameters.with_extra_data(extra.into());
            }
            parameters
        };
        let options = AudioDecoderOptions::default();
        guarded(|| {
            let decoder: Box<dyn AudioDecoder> = match self {
                Self::Mp3 => Box::new(MpaDecoder::try_new(&parameters(CODEC_ID_MP3, &[]), &options)?),
                Self::Aac(config) => {
                    Box::new(AacDecoder::try_new(&parameters(CODEC_ID_AAC, config), &options)?)
                }
                Self::Alac(cookie) => {
                    Box::new(AlacDecoder::try_new(&parameters(CODEC_ID_ALAC, cookie), &options)?)
                }
                Self::Vorbis(headers) => {
                    Box::new(VorbisDecoder::try_new(&parameters(CODEC_ID_VORBIS, headers), &options)?)
                }
                Self::Flac(info) => {
                    Box::new(FlacDecoder::try_new(&parameters(CODEC_ID_FLAC, info), &options)?)
                }
            };
            Ok(decoder)
        })
    }
}

/// A codec at work.
pub(super) struct PacketDecoder {
    codec: Codec,
    inner: Box<dyn AudioDecoder>,
}

impl PacketDecoder {
    /// Returns a decoder in its first state; else why there is none.
    pub(super) fn new(codec: Codec) -> Result<Self, String> {
        Ok(Self { inner: codec.decoder()?, codec })
    }

    /// Returns to the first state.
    pub(super) fn restart(&mut self) -> Result<(), String> {
        self.inner = self.codec.decoder()?;
        Ok(())
    }

    /// Appends the frames of a packet to `planes`; else why it cannot be decoded.
    pub(super) fn decode(&mut self, packet: &[u8], planes: &mut [Vec<f64>]) -> Result<(), String> {
        let packet = Packet::new(0, Timestamp::from(0), Duration::from(0u64), packet);
        guarded(|| {
            match self.inner.decode(&packet)? {
                GenericAudioBufferRef::F32(samples) => {
                    same_width(samples.spec().channels().count(), planes.len())?;
                    for (plane, from) in planes.iter_mut().zip(samples.iter_planes()) {
                        plane.extend(from.iter().map(|&x| f64::from(x)));
                    }
                }
                GenericAudioBufferRef::S32(samples) => {
                    same_width(samples.spec().channels().count(), planes.len())?;
                    for (plane, from) in planes.iter_mut().zip(samples.iter_planes()) {
                        plane.extend(from.iter().map(|&x| f64::from(x) / (1u64 << 31) as f64));
                    }
                }
                _ => return Err(Fault::DecodeError("unexpected sample type")),
            }
            Ok(())
        })
    }
}

fn same_width(found: usize, expected: usize) -> symphonia::core::errors::Result<()> {
    if found == expected {
        Ok(())
    } else {
        Err(Fault::DecodeError("a packet has other channels than the file"))
    }
}
