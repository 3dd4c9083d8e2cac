//! Uncompressed samples in a file: decoding to planar `f64`, streaming, seeking.

use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::error::{Error, Result};

/// What a stored sample is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Offset binary, as WAV stores up to 8 bits.
    Unsigned,
    /// Two's complement.
    Signed,
    /// IEEE 754.
    Float,
}

/// How a sample lies in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Encoding {
    pub(crate) kind: Kind,
    /// Bytes of one sample: 1 to 4 for integers, 4 or 8 for floats.
    pub(crate) bytes: usize,
    pub(crate) big_endian: bool,
}

/// Bytes read at once.
const BUFFER: usize = 1 << 16;

/// Interleaved samples in a part of `inner`.
pub(crate) struct PcmStream<R> {
    inner: R,
    path: PathBuf,
    /// Byte at which frame 0 starts.
    start: u64,
    frames: u64,
    channels: usize,
    encoding: Encoding,
    /// Next frame to read.
    position: u64,
    buffer: Vec<u8>,
}

impl<R: Read + Seek> PcmStream<R> {
    /// The `frames` frames that start at byte `start` of `inner`.
    pub(crate) fn new(
        inner: R,
        path: PathBuf,
        start: u64,
        frames: u64,
        channels: usize,
        encoding: Encoding,
    ) -> Self {
        Self { inner, path, start, frames, channels, encoding, position: 0, buffer: Vec::new() }
    }

    /// The source, to read other parts of it, and its name.
    pub(crate) fn source(&mut self) -> (&mut R, &Path) {
        (&mut self.inner, &self.path)
    }

    /// The next frame to be read.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// Reads up to `frames` frames from the present position into `planes`, one for each channel, which are
    /// resized to what was read. Returns how many frames that is; fewer than asked for only at the end.
    pub(crate) fn read_planar(&mut self, planes: &mut [Vec<f64>], frames: usize) -> Result<usize> {
        assert_eq!(planes.len(), self.channels, "one plane for each channel");
        planes.iter_mut().for_each(Vec::clear);
        let frame_bytes = self.frame_bytes();
        let wanted = frames.min(usize::try_from(self.frames - self.position).unwrap_or(usize::MAX));
        let at_once = (BUFFER / frame_bytes).max(1).min(wanted);
        if self.buffer.len() < at_once * frame_bytes {
            self.buffer.resize(at_once * frame_bytes, 0);
        }
        if wanted > 0 {
            let byte = self.start + self.position * frame_bytes as u64;
            self.inner.seek(SeekFrom::Start(byte)).map_err(Error::read(&self.path))?;
        }
        let mut done = 0;
        while done < wanted {
            let now = at_once.min(wanted - done);
            let bytes = &mut self.buffer[..now * frame_bytes];
            self.inner.read_exact(bytes).map_err(Error::read(&self.path))?;
            for (channel, plane) in planes.iter_mut().enumerate() {
                decode(self.encoding, bytes, frame_bytes, channel * self.encoding.bytes, plane);
            }
            done += now;
            self.position += now as u64;
        }
        Ok(done)
    }

    /// Makes `frame` the next to be read; past the end is the end.
    pub(crate) fn seek(&mut self, frame: u64) {
        self.position = frame.min(self.frames);
    }

    fn frame_bytes(&self) -> usize {
        self.channels * self.encoding.bytes
    }
}

/// Appends to `plane` the sample at `offset` of every frame in `bytes`.
fn decode(encoding: Encoding, bytes: &[u8], frame_bytes: usize, offset: usize, plane: &mut Vec<f64>) {
    macro_rules! each {
        ($width:literal, |$sample:ident| $value:expr) => {{
            plane.extend(bytes.chunks_exact(frame_bytes).map(|frame| {
                let $sample: [u8; $width] =
                    frame[offset..offset + $width].try_into().expect("the slice is as long as the sample");
                $value
            }));
        }};
    }
    // A division by a power of two is exact.
    const I8: f64 = 1.0 / (1u64 << 7) as f64;
    const I16: f64 = 1.0 / (1u64 << 15) as f64;
    const I32: f64 = 1.0 / (1u64 << 31) as f64;
    match (encoding.kind, encoding.bytes, encoding.big_endian) {
        (Kind::Unsigned, 1, _) => each!(1, |s| (f64::from(s[0]) - 128.0) * I8),
        (Kind::Signed, 1, _) => each!(1, |s| f64::from(s[0] as i8) * I8),
        (Kind::Signed, 2, false) => each!(2, |s| f64::from(i16::from_le_bytes(s)) * I16),
        (Kind::Signed, 2, true) => each!(2, |s| f64::from(i16::from_be_bytes(s)) * I16),
        (Kind::Signed, 3, false) => {
            each!(3, |s| f64::from(i32::from_le_bytes([0, s[0], s[1], s[2]])) * I32);
        }
        (Kind::Signed, 3, true) => each!(3, |s| f64::from(i32::from_be_bytes([s[0], s[1], s[2], 0])) * I32),
        (Kind::Signed, 4, false) => each!(4, |s| f64::from(i32::from_le_bytes(s)) * I32),
        (Kind::Signed, 4, true) => each!(4, |s| f64::from(i32::from_be_bytes(s)) * I32),
        (Kind::Float, 4, false) => each!(4, |s| f64::from(f32::from_le_bytes(s))),
        (Kind::Float, 4, true) => each!(4, |s| f64::from(f32::from_be_bytes(s))),
        (Kind::Float, 8, false) => each!(8, |s| f64::from_le_bytes(s)),
        (Kind::Float, 8, true) => each!(8, |s| f64::from_be_bytes(s)),
        _ => unreachable!("the readers make no other encodings"),
    }
}

/// Fills `buffer` as far as the stream goes and returns how far that is.
pub(crate) fn read_up_to(inner: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
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
