//! Samples that 32-bit floats hold exactly, as such: from anywhere in the file, interleaved as they lie there.

use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;

use super::error::{Error, Result};
use super::pcm::{Encoding, Kind, PcmStream};
use simd::{Isa, Unpack24};

/// Bytes read at once: few enough to stay in a processor's nearest cache but one, for several places of a file.
const AT_ONCE: usize = 1 << 16;

/// Bytes that were read ahead at one place of a file.
#[derive(Default)]
pub struct Ahead {
    bytes: Vec<u8>,
    frames: Range<u64>,
}

impl<R: Read + Seek> PcmStream<R> {
    /// True if every sample is a 32-bit float, or an integer that is exact as one.
    pub fn is_narrow(&self) -> bool {
        match self.encoding.kind {
            Kind::Float => self.encoding.bytes == 4,
            Kind::Signed | Kind::Unsigned => self.encoding.bytes <= 3,
        }
    }

    /// Reads `frames` into `to`, interleaved. Non-finite samples become silence; returns how many they were.
    ///
    /// # Errors
    /// If the file cannot be read on.
    ///
    /// # Panics
    /// If the samples are not narrow, or `to` is not as long as the frames.
    pub fn read_narrow(&mut self, ahead: &mut Ahead, frames: Range<u64>, to: &mut [f32]) -> Result<u64> {
        assert_eq!(to.len() as u64, (frames.end - frames.start) * self.channels as u64, "room for all");
        let (mut at, mut to, mut bad) = (frames.start, to, 0);
        while at < frames.end {
            if !ahead.frames.contains(&at) {
                self.read_ahead(ahead, at)?;
            }
            let end = frames.end.min(ahead.frames.end);
            let (now, later) = to.split_at_mut((end - at) as usize * self.channels);
            let from = (at - ahead.frames.start) as usize * self.frame_bytes();
            bad += decode(self.encoding, &ahead.bytes[from..from + now.len() * self.encoding.bytes], now);
            (at, to) = (end, later);
        }
        Ok(bad)
    }

    fn read_ahead(&mut self, ahead: &mut Ahead, first: u64) -> Result<()> {
        let frame_bytes = self.frame_bytes();
        let frames = ((AT_ONCE / frame_bytes).max(1) as u64).min(self.frames.saturating_sub(first));
        ahead.frames = 0..0; // until all went well
        ahead.bytes.resize(frames as usize * frame_bytes, 0);
        let byte = self.start + first * frame_bytes as u64;
        self.at = None;
        self.inner.seek(SeekFrom::Start(byte)).map_err(Error::read(&self.path))?;
        self.inner.read_exact(&mut ahead.bytes).map_err(Error::read(&self.path))?;
        ahead.frames = first..first + frames;
        Ok(())
    }
}

/// Decodes as many samples as `to` has; returns how many were not finite.
fn decode(encoding: Encoding, from: &[u8], to: &mut [f32]) -> u64 {
    const I8: f32 = 1.0 / (1u32 << 7) as f32;
    const I16: f32 = 1.0 / (1u32 << 15) as f32;
    let big_endian = encoding.big_endian;
    match (encoding.kind, encoding.bytes) {
        (Kind::Unsigned, 1) => each(from, to, |[s]| (f32::from(s) - 128.0) * I8),
        (Kind::Signed, 1) => each(from, to, |[s]| f32::from(s.cast_signed()) * I8),
        (Kind::Signed, 2) if big_endian => each(from, to, |s| f32::from(i16::from_be_bytes(s)) * I16),
        (Kind::Signed, 2) => each(from, to, |s| f32::from(i16::from_le_bytes(s)) * I16),
        (Kind::Signed, 3) => Isa::widest().run(Unpack24 { from, big_endian, to }),
        (Kind::Float, 4) => {
            if big_endian {
                each(from, to, f32::from_be_bytes);
            } else {
                each(from, to, f32::from_le_bytes);
            }
            return to.iter_mut().map(silence).sum();
        }
        _ => unreachable!("narrow samples"),
    }
    0
}

fn each<const WIDTH: usize>(from: &[u8], to: &mut [f32], value: impl Fn([u8; WIDTH]) -> f32) {
    for (sample, &bytes) in to.iter_mut().zip(from.as_chunks::<WIDTH>().0) {
        *sample = value(bytes);
    }
}

/// Silences a sample that is not finite: 1, else 0.
fn silence(sample: &mut f32) -> u64 {
    let bad = !sample.is_finite();
    *sample = if bad { 0.0 } else { *sample };
    u64::from(bad)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// All encodings that are narrow.
    fn encodings() -> impl Iterator<Item = Encoding> {
        let kinds =
            [(Kind::Unsigned, 1), (Kind::Signed, 1), (Kind::Signed, 2), (Kind::Signed, 3), (Kind::Float, 4)];
        kinds
            .into_iter()
            .flat_map(|(kind, bytes)| [false, true].map(|big_endian| Encoding { kind, bytes, big_endian }))
    }

    fn stream(encoding: Encoding, channels: usize, frames: u64) -> PcmStream<Cursor<Vec<u8>>> {
        let samples = frames as usize * channels;
        let bytes = 5 + samples * encoding.bytes;
        let mut bytes: Vec<u8> = (0..bytes).map(|n| (n * n * 31 + n / 7) as u8).collect();
        if encoding.kind == Kind::Float {
            for (n, sample) in bytes[5..].as_chunks_mut::<4>().0.iter_mut().enumerate() {
                let value = if n % 1000 == 7 { f32::NAN } else { (n as f32 * 0.37).sin() };
                *sample = if encoding.big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
            }
        }
        PcmStream::new(Cursor::new(bytes), "x".into(), 5, frames, channels, encoding)
    }

    #[test]
    fn from_anywhere_they_are_what_streaming_gives() {
        for encoding in encodings() {
            for channels in [1, 2, 5] {
                let mut stream = stream(encoding, channels, 20_000);
                assert!(stream.is_narrow());
                let mut planes = vec![Vec::new(); channels];
                stream.read_planar(&mut planes, 20_000).expect("reads");
                let [mut front, mut back] = [Ahead::default(), Ahead::default()];
                let mut bad = 0;
                for start in (0..9_990).step_by(481) {
                    for (ahead, first) in [(&mut front, start), (&mut back, 10_010 + start)] {
                        let frames = first..(first + 481).min(20_000);
                        let mut to = vec![9.0; (frames.end - frames.start) as usize * channels];
                        bad += stream.read_narrow(ahead, frames.clone(), &mut to).expect("reads");
                        for (n, frame) in to.chunks_exact(channels).enumerate() {
                            for (sample, plane) in frame.iter().zip(&planes) {
                                let expected = plane[frames.start as usize + n];
                                let expected = if expected.is_finite() { expected } else { 0.0 };
                                assert_eq!(f64::from(*sample), expected, "{encoding:?} {channels}");
                            }
                        }
                    }
                }
                assert_eq!(bad > 0, encoding.kind == Kind::Float, "{encoding:?}");
                let mut again = vec![Vec::new(); channels];
                stream.seek(3);
                stream.read_planar(&mut again, 5).expect("reads");
                assert_eq!(again[0].len(), 5);
            }
        }
    }

    #[test]
    fn a_file_that_has_become_shorter_is_an_error() {
        let encoding = Encoding { kind: Kind::Signed, bytes: 2, big_endian: false };
        let mut stream = stream(encoding, 1, 100);
        stream.frames = 200;
        let mut ahead = Ahead::default();
        assert!(stream.read_narrow(&mut ahead, 0..10, &mut [0.0; 10]).is_err());
        assert!(stream.read_narrow(&mut ahead, 0..10, &mut [0.0; 10]).is_err(), "nothing half read is kept");
    }

    #[test]
    fn wide_samples_are_not_narrow() {
        for (kind, bytes) in [(Kind::Signed, 4), (Kind::Float, 8)] {
            assert!(!stream(Encoding { kind, bytes, big_endian: false }, 1, 1).is_narrow());
        }
    }
}
