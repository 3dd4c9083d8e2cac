//! Compressed audio, decoded by symphonia: the containers are read here, because the place of the first and of the last
//! frame follows from them.
//!
//! A codec adds frames in front of the audio (its delay) and fills up its last packet (padding). Both are left out by what the
//! container says, so that a stem is in time with the others to the sample. Where it says nothing, [`AudioInfo::start_known`]
//! is false.

mod caf;
mod codec;
mod mp3;
mod mp4;
mod ogg;

pub(crate) use mp4::stem_stream;
pub use mp4::{file_of, is_movie, is_stem_file, stem_streams};

use std::path::{Path, PathBuf};

use super::error::{EXPORT_AGAIN, Error, Result};
use super::info::AudioInfo;
use super::pcm::PcmStream;
use super::section::Section;
use codec::PacketDecoder;

/// A part of a packet in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Piece {
    at: u64,
    len: u32,
    /// The packet ends with this piece.
    last: bool,
}

/// Audio in packets, as its container describes it.
struct PacketStream {
    info: AudioInfo,
    decoder: PacketDecoder,
    pieces: Vec<Piece>,
    /// Frames of silence before the first packet is heard.
    lead: u64,
    /// Decoded frames that come before the audio.
    skip: u64,
}

/// An open file of compressed audio: its properties and its samples as planar `f64` in +-1.
///
/// A packet that cannot be decoded is an error, never a gap. Seeking backwards decodes from the beginning, so that the samples
/// are the same as when reading on.
pub struct CompressedReader {
    section: Section,
    path: PathBuf,
    stream: PacketStream,
    /// Next frame to hand out.
    position: u64,
    /// Next piece to read.
    next_piece: usize,
    /// Frames of the packets decoded last, and the number of the first of them among all decoded frames.
    planes: Vec<Vec<f64>>,
    first: u64,
    packet: Vec<u8>,
}

/// A file that is one of the containers read here.
pub(crate) enum Opened {
    /// Samples as they are.
    Pcm(PcmStream<Section>, AudioInfo),
    /// Packets.
    Packets(CompressedReader),
}

impl CompressedReader {
    fn new(section: Section, path: &Path, stream: PacketStream) -> Self {
        let planes = vec![Vec::new(); stream.info.channels];
        Self {
            section,
            path: path.into(),
            stream,
            position: 0,
            next_piece: 0,
            planes,
            first: 0,
            packet: Vec::new(),
        }
    }

    /// Opens MPEG audio.
    pub(crate) fn mp3(mut section: Section, path: &Path) -> Result<Self> {
        let stream = mp3::open(&mut section, path)?;
        Ok(Self::new(section, path, stream))
    }

    /// Opens Ogg.
    pub(crate) fn ogg(mut section: Section, path: &Path) -> Result<Self> {
        let stream = ogg::open(&mut section, path)?;
        Ok(Self::new(section, path, stream))
    }

    /// Opens a stream of MP4, by its number among the audio streams; none: the only one.
    pub(crate) fn mp4(mut section: Section, path: &Path, stream: Option<usize>) -> Result<Self> {
        let stream = mp4::open(&mut section, path, stream)?;
        Ok(Self::new(section, path, stream))
    }

    /// Opens Core Audio Format.
    pub(crate) fn caf(section: Section, path: &Path) -> Result<Opened> {
        caf::open(section, path)
    }

    /// The properties of the file.
    pub fn info(&self) -> &AudioInfo {
        &self.stream.info
    }

    /// Reads up to `frames` frames into `planes`; see [`super::AudioReader::read_planar`].
    ///
    /// # Errors
    /// If the file cannot be read on.
    pub fn read_planar(&mut self, planes: &mut [Vec<f64>], frames: usize) -> Result<usize> {
        assert_eq!(planes.len(), self.stream.info.channels, "one plane for each channel");
        planes.iter_mut().for_each(Vec::clear);
        let left = usize::try_from(self.stream.info.frames - self.position).unwrap_or(usize::MAX);
        let wanted = frames.min(left);
        let silent =
            wanted.min(usize::try_from(self.stream.lead.saturating_sub(self.position)).unwrap_or(usize::MAX));
        planes.iter_mut().for_each(|plane| plane.resize(silent, 0.0));
        self.position += silent as u64;
        let mut done = silent;
        while done < wanted {
            let raw = self.stream.skip + (self.position - self.stream.lead);
            if raw < self.first {
                self.restart()?;
            }
            let decoded = self.planes[0].len();
            let used = usize::try_from(raw - self.first).unwrap_or(usize::MAX);
            if used >= decoded {
                self.next_packet()?;
                continue;
            }
            let now = (decoded - used).min(wanted - done);
            for (plane, samples) in planes.iter_mut().zip(&self.planes) {
                plane.extend_from_slice(&samples[used..used + now]);
            }
            self.position += now as u64;
            done += now;
        }
        Ok(done)
    }

    /// Makes `frame` the next to be read; past the end is the end.
    pub fn seek(&mut self, frame: u64) {
        self.position = frame.min(self.stream.info.frames);
    }

    fn restart(&mut self) -> Result<()> {
        self.stream.decoder.restart().map_err(|fault| self.broken(&fault))?;
        self.planes.iter_mut().for_each(Vec::clear);
        self.first = 0;
        self.next_piece = 0;
        Ok(())
    }

    /// Decodes the next packet in place of the last one.
    fn next_packet(&mut self) -> Result<()> {
        self.first += self.planes[0].len() as u64;
        self.planes.iter_mut().for_each(Vec::clear);
        self.packet.clear();
        loop {
            let Some(piece) = self.stream.pieces.get(self.next_piece).copied() else {
                return Err(self.broken("the file is cut off"));
            };
            self.next_piece += 1;
            read_piece(&mut self.section, &self.path, piece, &mut self.packet)?;
            if piece.last {
                break;
            }
        }
        let decoded = self.stream.decoder.decode(&self.packet, &mut self.planes);
        decoded.map_err(|fault| self.broken(&fault))
    }

    fn broken(&self, fault: &str) -> Error {
        let seconds = self.position as f64 / self.stream.info.rate.0;
        Error::malformed(&self.path, format!("it is damaged at {seconds:.2} s, {fault}"), EXPORT_AGAIN)
    }
}

/// Appends the bytes of a piece, which must all be there.
fn read_piece(section: &mut Section, path: &Path, piece: Piece, to: &mut Vec<u8>) -> Result<()> {
    let start = to.len();
    to.resize(start + piece.len as usize, 0);
    let len = section.read_at(piece.at, &mut to[start..]).map_err(Error::read(path))?;
    if len < piece.len as usize {
        return Err(Error::read(path)(std::io::ErrorKind::UnexpectedEof.into()));
    }
    Ok(())
}
