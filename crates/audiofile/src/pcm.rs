//! Uncompressed samples in a file: decoding to planar `f64`, streaming, seeking.

use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::error::{Error, Result};

/// Kind of a stored sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Offset binary, as WAV stores up to 8 bits.
    Unsigned,
    /// Two's complement.
    Signed,
    /// IEEE 754.
    Float,
}

/// Layout of a sample in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding {
    /// Number format of a sample.
    pub kind: Kind,
    /// Bytes of one sample: 1 to 4 for integers, 4 or 8 for floats.
    pub bytes: usize,
    /// The most significant byte comes first.
    pub big_endian: bool,
}

/// Bytes read at once.
const BUFFER: usize = 1 << 16;

/// Interleaved samples in a part of `inner`.
pub struct PcmStream<R> {
    pub(super) inner: R,
    pub(super) path: PathBuf,
    /// Byte at which frame 0 starts.
    pub(super) start: u64,
    pub(super) frames: u64,
    pub(super) channels: usize,
    pub(super) encoding: Encoding,
    /// Next frame to read.
    position: u64,
    /// Byte at which `inner` stands, as far as known.
    pub(super) at: Option<u64>,
    buffer: Vec<u8>,
}

impl<R: Read + Seek> PcmStream<R> {
    /// The `frames` frames that start at byte `start` of `inner`.
    pub fn new(
        inner: R,
        path: PathBuf,
        start: u64,
        frames: u64,
        channels: usize,
        encoding: Encoding,
    ) -> Self {
        Self { inner, path, start, frames, channels, encoding, position: 0, at: None, buffer: Vec::new() }
    }

    /// The source, to read other parts of it, and its name.
    pub fn source(&mut self) -> (&mut R, &Path) {
        self.at = None;
        (&mut self.inner, &self.path)
    }

    /// The next frame to be read.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Reads up to `frames` frames from the present position into `planes`, one for each channel, which are
    /// resized to what was read. Returns how many frames that is; fewer than asked for only at the end.
    pub fn read_planar(&mut self, planes: &mut [Vec<f64>], frames: usize) -> Result<usize> {
        assert_eq!(planes.len(), self.channels, "one plane for each channel");
        planes.iter_mut().for_each(Vec::clear);
        let frame_bytes = self.frame_bytes();
        let wanted = frames.min(usize::try_from(self.frames - self.position).unwrap_or(usize::MAX));
        let at_once = (BUFFER / frame_bytes).max(1).min(wanted);
        if self.buffer.len() < at_once * frame_bytes {
            self.buffer.resize(at_once * frame_bytes, 0);
        }
        let byte = self.start + self.position * frame_bytes as u64;
        if wanted > 0 && self.at != Some(byte) {
            self.inner.seek(SeekFrom::Start(byte)).map_err(Error::read(&self.path))?;
        }
        self.at = None; // until all went well
        let mut done = 0;
        while done < wanted {
            let now = at_once.min(wanted - done);
            let bytes = &mut self.buffer[..now * frame_bytes];
            self.inner.read_exact(bytes).map_err(Error::read(&self.path))?;
            decode(self.encoding, bytes, planes);
            done += now;
            self.position += now as u64;
        }
        self.at = Some(byte + (done * frame_bytes) as u64).filter(|_| done > 0);
        Ok(done)
    }

    /// Makes `frame` the next to be read; past the end is the end.
    pub fn seek(&mut self, frame: u64) {
        self.position = frame.min(self.frames);
    }

    pub(super) fn frame_bytes(&self) -> usize {
        self.channels * self.encoding.bytes
    }
}

/// Appends the interleaved samples in `bytes` to the planes.
fn decode(encoding: Encoding, bytes: &[u8], planes: &mut [Vec<f64>]) {
    // A product with a power of two is exact.
    const I8: f64 = 1.0 / (1u64 << 7) as f64;
    const I16: f64 = 1.0 / (1u64 << 15) as f64;
    const I32: f64 = 1.0 / (1u64 << 31) as f64;
    match (encoding.kind, encoding.bytes, encoding.big_endian) {
        (Kind::Unsigned, 1, _) => spread(bytes, planes, |[s]| (f64::from(s) - 128.0) * I8),
        (Kind::Signed, 1, _) => spread(bytes, planes, |[s]| f64::from(s as i8) * I8),
        (Kind::Signed, 2, false) => spread(bytes, planes, |s| f64::from(i16::from_le_bytes(s)) * I16),
        (Kind::Signed, 2, true) => spread(bytes, planes, |s| f64::from(i16::from_be_bytes(s)) * I16),
        (Kind::Signed, 3, false) => {
            spread(bytes, planes, |[a, b, c]| f64::from(i32::from_le_bytes([0, a, b, c])) * I32);
        }
        (Kind::Signed, 3, true) => {
            spread(bytes, planes, |[a, b, c]| f64::from(i32::from_be_bytes([a, b, c, 0])) * I32);
        }
        (Kind::Signed, 4, false) => spread(bytes, planes, |s| f64::from(i32::from_le_bytes(s)) * I32),
        (Kind::Signed, 4, true) => spread(bytes, planes, |s| f64::from(i32::from_be_bytes(s)) * I32),
        (Kind::Float, 4, false) => spread(bytes, planes, |s| f64::from(f32::from_le_bytes(s))),
        (Kind::Float, 4, true) => spread(bytes, planes, |s| f64::from(f32::from_be_bytes(s))),
        (Kind::Float, 8, false) => spread(bytes, planes, f64::from_le_bytes),
        (Kind::Float, 8, true) => spread(bytes, planes, f64::from_be_bytes),
        _ => unreachable!("the readers make no other encodings"),
    }
}

/// Appends the value of each sample to its plane. Mono and stereo have loops of their own, whose stride is known
/// at compile time.
fn spread<const WIDTH: usize>(bytes: &[u8], planes: &mut [Vec<f64>], value: impl Fn([u8; WIDTH]) -> f64) {
    let samples = bytes.as_chunks::<WIDTH>().0;
    match planes {
        [plane] => plane.extend(samples.iter().map(|&sample| value(sample))),
        [left, right] => {
            let frames = samples.as_chunks::<2>().0;
            left.extend(frames.iter().map(|&[sample, _]| value(sample)));
            right.extend(frames.iter().map(|&[_, sample]| value(sample)));
        }
        _ => {
            let channels = planes.len();
            for (channel, plane) in planes.iter_mut().enumerate() {
                plane.extend(samples.chunks_exact(channels).map(|frame| value(frame[channel])));
            }
        }
    }
}

/// Fills `buffer` as far as the stream goes and returns how far that is.
pub fn read_up_to(inner: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut done = 0;
    while done < buffer.len() {
        match inner.read(&mut buffer[done..]) {
            Ok(0) => break,
            Ok(n) => done += n,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}
