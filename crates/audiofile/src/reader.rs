//! One reader for every kind of audio file.

use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::path::Path;

use super::aiff::AiffReader;
use super::error::{Error, Result};
use super::flac::FlacReader;
use super::info::AudioInfo;
use super::open::open_file;
use super::pcm::{PcmStream, read_up_to};
use super::wav::WavReader;

/// Frames that streams move at once.
pub const BLOCK: usize = 4096;

/// An open audio file: its properties and its samples as planar `f64` in +-1.
pub enum AudioReader {
    /// RIFF, RF64, BW64.
    Wav(WavReader),
    /// AIFF, AIFF-C.
    Aiff(AiffReader),
    /// FLAC.
    Flac(Box<FlacReader>),
}

impl AudioReader {
    /// Opens the file, whatever its name ends in. What can be helped is in [`AudioInfo::warnings`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let mut file = open_file(path)?;
        let mut head = [0; 12];
        let len = read_up_to(&mut file, &mut head).map_err(Error::read(path))?;
        file.seek(SeekFrom::Start(0)).map_err(Error::read(path))?;
        let not_audio = |fault: &str| Err(Error::not_audio(path, fault));
        match &head[..len] {
            [b'F', b'O', b'R', b'M', ..] => AiffReader::new(file, path).map(Self::Aiff),
            [b'f', b'L', b'a', b'C', ..] => FlacReader::open(path).map(|reader| Self::Flac(Box::new(reader))),
            [b'O', b'g', b'g', b'S', ..] => not_audio("it is Ogg"),
            [b'I', b'D', b'3', ..] => not_audio("it is an MP3 or starts with an ID3 tag"),
            [b'c', b'a', b'f', b'f', ..] => not_audio("it is Core Audio Format"),
            [b'w', b'v', b'p', b'k', ..] => not_audio("it is WavPack"),
            [b'r', b'i', b'f', b'f', 0x2e, 0x91, ..] => not_audio("it is Sony Wave64"),
            [_, _, _, _, b'f', b't', b'y', b'p', ..] => not_audio("it is MP4"),
            [0xff, second, ..] if second & 0xe0 == 0xe0 => not_audio("it may be MP3"),
            _ => WavReader::new(file, path).map(Self::Wav),
        }
    }

    /// The properties of the file.
    pub fn info(&self) -> &AudioInfo {
        match self {
            Self::Wav(reader) => reader.info(),
            Self::Aiff(reader) => reader.info(),
            Self::Flac(reader) => reader.info(),
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
    pub fn pcm(&mut self) -> Option<&mut PcmStream<File>> {
        match self {
            Self::Wav(reader) => Some(reader.pcm()),
            Self::Aiff(reader) => Some(reader.pcm()),
            Self::Flac(_) => None,
        }
    }

    /// Makes `frame` the next to be read; past the end is the end.
    pub fn seek(&mut self, frame: u64) -> Result<()> {
        match self {
            Self::Wav(reader) => reader.seek(frame),
            Self::Aiff(reader) => reader.seek(frame),
            Self::Flac(reader) => return reader.seek(frame),
        }
        Ok(())
    }
}
