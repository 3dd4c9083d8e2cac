//! Properties of an audio file, whatever its container.

use crate::wav::bext::Bext;
use units::Hz;

/// The kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// RIFF WAVE, up to 4 GiB.
    Wav,
    /// RF64, the 64-bit WAVE of EBU Tech 3306.
    Rf64,
    /// BW64, the 64-bit WAVE of BS.2088.
    Bw64,
    /// AIFF, big-endian integers.
    Aiff,
    /// AIFF-C, of which the uncompressed kinds are read.
    Aifc,
    /// FLAC.
    Flac,
    /// Sony Wave64, the 64-bit WAVE with GUIDs for names.
    Wave64,
    /// Core Audio Format.
    Caf,
    /// A row of MPEG layer III frames.
    Mp3,
    /// MP4, QuickTime and their like.
    Mp4,
    /// Ogg.
    Ogg,
}

/// Format of stored samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SampleFormat {
    /// Integers with this many significant bits, 1 to 32.
    Int {
        /// Significant bits; the container may be wider.
        bits: u16,
    },
    /// IEEE floating point, 32 or 64 bits.
    Float {
        /// 32 or 64.
        bits: u16,
    },
}

/// The properties of an open file.
#[derive(Clone, Debug, PartialEq)]
pub struct AudioInfo {
    /// Sampling rate, 1 kHz to 1.536 MHz.
    pub rate: Hz,
    /// Channels, 1 to [`MAX_CHANNELS`].
    pub channels: usize,
    /// Frames that can be read, which in a truncated file is less than the file declares.
    pub frames: u64,
    /// Sample format.
    pub format: SampleFormat,
    /// The speakers as in WAVE_FORMAT_EXTENSIBLE, where the file states them.
    pub channel_mask: Option<u32>,
    /// The broadcast extension, where there is one.
    pub bext: Option<Bext>,
    /// Kind of file.
    pub container: Container,
    /// The codec, where it has lost something: `MP3`, `AAC`, `Vorbis`; of a WAV file, that of a file that it was made from.
    pub lossy: Option<&'static str>,
    /// False if nothing says how many frames the encoder has put in front of the audio: then they are still there, and the file
    /// is not in time with others.
    pub start_known: bool,
    /// Faults that could be worked around, each without the file name.
    pub warnings: Vec<String>,
}

impl AudioInfo {
    /// An empty file of these properties, without faults.
    pub fn new(container: Container, rate: Hz, channels: usize, format: SampleFormat) -> Self {
        Self {
            rate,
            channels,
            frames: 0,
            format,
            channel_mask: None,
            bext: None,
            container,
            lossy: None,
            start_known: true,
            warnings: Vec::new(),
        }
    }

    /// True if the file itself is stored by the codec that has lost something.
    pub fn is_compressed(&self) -> bool {
        let of_codecs = [Container::Caf, Container::Mp3, Container::Mp4, Container::Ogg];
        self.lossy.is_some() && of_codecs.contains(&self.container)
    }

    /// The remark on audio that a codec has lost something of.
    pub fn lossy_remark(&self) -> Option<String> {
        let codec = self.lossy?;
        let verb = if self.is_compressed() { "is" } else { "was made from" };
        Some(format!("{verb} {codec}: what the codec has left out does not come back"))
    }
}

/// More channels than any real file has; a file that claims more is damaged.
pub const MAX_CHANNELS: usize = 1024;

/// Why `channels` and `rate` are not those of an audio file, if they are not.
pub(crate) fn absurd(channels: usize, rate: f64) -> Option<String> {
    if channels == 0 {
        Some("it declares no channels".into())
    } else if channels > MAX_CHANNELS {
        Some(format!("it declares {channels} channels"))
    } else if !(1e3..=1.536e6).contains(&rate) {
        Some(format!("it declares a sampling rate of {rate} Hz"))
    } else {
        None
    }
}
