//! One reader for every kind of audio file.

use std::path::Path;

use super::aiff::AiffReader;
use super::compressed::{CompressedReader, Opened, stem_stream};
use super::error::{Error, Result, ffmpeg};
use super::flac::FlacReader;
use super::info::AudioInfo;
use super::pcm::PcmStream;
use super::section::Section;
use super::wav::WavReader;

/// Frames that streams move at once.
pub const BLOCK: usize = 4096;

/// An open audio file: its properties and its samples as planar `f64` in +-1.
pub enum AudioReader {
    /// RIFF, RF64, BW64, Wave64.
    Wav(WavReader),
    /// AIFF, AIFF-C.
    Aiff(AiffReader),
    /// FLAC.
    Flac(Box<FlacReader>),
    /// Core Audio Format with samples as they are.
    Pcm(PcmReader),
    /// MP3, MP4, Ogg and Core Audio Format with compressed audio.
    Compressed(Box<CompressedReader>),
}

/// Samples that lie in a file as they are, with its properties.
pub struct PcmReader {
    pcm: PcmStream<Section>,
    info: AudioInfo,
}

impl AudioReader {
    /// Opens the file, whatever its name ends in. A path below a stem file (see [`super::stem_streams`]) opens one of its
    /// streams. What can be helped is in [`AudioInfo::warnings`].
    ///
    /// # Errors
    /// If it cannot be opened, is no audio, or is of a kind that is not read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        if let Some((file, stream)) = stem_stream(path) {
            let section = Section::open(file)?;
            return CompressedReader::mp4(section, path, Some(stream))
                .map(|reader| Self::Compressed(Box::new(reader)));
        }
        let mut section = Section::open(path)?;
        let mut head = [0; 20];
        let len = section.read_at(0, &mut head).map_err(Error::read(path))?;
        section.read_at(0, &mut []).map_err(Error::read(path))?;
        let unread = |kind: &str| Err(Error::unsupported(path, kind, ffmpeg(path)));
        let packets =
            |reader: Result<CompressedReader>| reader.map(|reader| Self::Compressed(Box::new(reader)));
        match &head[..len] {
            [b'F', b'O', b'R', b'M', ..] => AiffReader::new(section, path).map(Self::Aiff),
            [b'f', b'L', b'a', b'C', ..] => FlacReader::open(path).map(|reader| Self::Flac(Box::new(reader))),
            [b'O', b'g', b'g', b'S', ..] => packets(CompressedReader::ogg(section, path)),
            [b'c', b'a', b'f', b'f', ..] => Ok(match CompressedReader::caf(section, path)? {
                Opened::Pcm(pcm, info) => Self::Pcm(PcmReader { pcm, info }),
                Opened::Packets(reader) => Self::Compressed(Box::new(reader)),
            }),
            [_, _, _, _, b'f', b't', b'y', b'p', ..]
            | [_, _, _, _, b'm', b'o', b'o', b'v', ..]
            | [_, _, _, _, b'm', b'd', b'a', b't', ..]
            | [_, _, _, _, b'w', b'i', b'd', b'e', ..] => packets(CompressedReader::mp4(section, path, None)),
            [b'w', b'v', b'p', b'k', ..] => unread("WavPack"),
            [b'M', b'A', b'C', b' ', ..] => unread("Monkey's Audio"),
            [b'D', b'S', b'D', b' ', ..] | [b'F', b'R', b'M', b'8', ..] => unread("DSD"),
            [0x30, 0x26, 0xb2, 0x75, ..] => unread("Windows Media Audio"),
            [0x1a, 0x45, 0xdf, 0xa3, ..] => unread("Matroska or WebM"),
            [b'.', b's', b'n', b'd', ..] => unread("Sun/NeXT audio"),
            [b'M', b'P', b'C', b'K', ..] | [b'M', b'P', b'+', ..] => unread("Musepack"),
            [b'T', b'T', b'A', b'1', ..] => unread("True Audio"),
            [b't', b'B', b'a', b'K', ..] => unread("TAK"),
            [0x0b, 0x77, ..] => unread("Dolby AC-3"),
            [0x7f, 0xfe, 0x80, 0x01, ..] => unread("DTS"),
            [0xff, second, ..] if second & 0xf6 == 0xf0 => {
                unread("raw AAC (ADTS), whose delay is not known,")
            }
            [0xff, second, ..] if second & 0xe6 == 0xe4 || second & 0xe6 == 0xe6 => {
                unread("MPEG layer I or II")
            }
            [0xff, second, ..] if second & 0xe6 == 0xe2 => packets(CompressedReader::mp3(section, path)),
            // Silence may stand before the first frame of an MP3 file.
            [0, ..] if is_called_mp3(path) => packets(CompressedReader::mp3(section, path)),
            _ => WavReader::new(section, path).map(Self::Wav),
        }
    }

    /// The properties of the file.
    pub fn info(&self) -> &AudioInfo {
        match self {
            Self::Wav(reader) => reader.info(),
            Self::Aiff(reader) => reader.info(),
            Self::Flac(reader) => reader.info(),
            Self::Pcm(reader) => &reader.info,
            Self::Compressed(reader) => reader.info(),
        }
    }

    /// Reads up to `frames` frames into `planes`, one for each channel, which are resized to what was read.
    ///
    /// Returns how many frames that is; fewer than asked for only at the end. Panics if `planes` are not as
    /// many as the channels.
    pub fn read_planar(&mut self, planes: &mut [Vec<f64>], frames: usize) -> Result<usize> {
        match self {
            Self::Wav(reader) => reader.read_planar(planes, frames),
            Self::Aiff(reader) => reader.read_planar(planes, frames),
            Self::Flac(reader) => reader.read_planar(planes, frames),
            Self::Pcm(reader) => reader.pcm.read_planar(planes, frames),
            Self::Compressed(reader) => reader.read_planar(planes, frames),
        }
    }

    /// Reads on to the end: `each` gets the planes of one block after the other.
    pub fn each_block(&mut self, mut each: impl FnMut(&mut [Vec<f64>]) -> Result<()>) -> Result<()> {
        let mut planes = vec![Vec::new(); self.info().channels];
        while self.read_planar(&mut planes, BLOCK)? > 0 {
            each(&mut planes)?;
        }
        Ok(())
    }

    /// The samples as they lie in the file, if they can be read from anywhere.
    pub fn pcm(&mut self) -> Option<&mut PcmStream<Section>> {
        match self {
            Self::Wav(reader) => Some(reader.pcm()),
            Self::Aiff(reader) => Some(reader.pcm()),
            Self::Pcm(reader) => Some(&mut reader.pcm),
            Self::Flac(_) | Self::Compressed(_) => None,
        }
    }

    /// Makes `frame` the next to be read; past the end is the end.
    pub fn seek(&mut self, frame: u64) -> Result<()> {
        match self {
            Self::Wav(reader) => reader.seek(frame),
            Self::Aiff(reader) => reader.seek(frame),
            Self::Flac(reader) => return reader.seek(frame),
            Self::Pcm(reader) => reader.pcm.seek(frame),
            Self::Compressed(reader) => reader.seek(frame),
        }
        Ok(())
    }
}

fn is_called_mp3(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("mp3"))
}
