//! AIFF and uncompressed AIFF-C (Apple, "Audio Interchange File Format" 1.3 and the AIFF-C draft of 1991).

use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::info::{AudioInfo, Container, SampleFormat, absurd};
use super::section::Section;
use crate::error::{EXPORT_AGAIN, Error, Result, code, ffmpeg};
use crate::pcm::{Encoding, Kind, PcmStream, read_up_to};
use units::Hz;

/// An open AIFF file: its properties and its samples as planar `f64` in +-1.
pub struct AiffReader<R = Section> {
    pcm: PcmStream<R>,
    info: AudioInfo,
}

impl AiffReader<Section> {
    /// Opens the file. What can be helped is in [`AudioInfo::warnings`], all else is an error.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        Self::new(Section::open(path)?, path)
    }
}

impl<R: Read + Seek> AiffReader<R> {
    /// Reads AIFF from any source; `path` only names it in errors.
    pub fn new(mut inner: R, path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let file_len = inner.seek(SeekFrom::End(0)).map_err(Error::read(&path))?;
        let mut head = [0; 12];
        let len = read_at(&mut inner, &path, 0, &mut head)?;
        let container = match (&head[..4], &head[8..]) {
            (b"FORM", b"AIFF") => Container::Aiff,
            (b"FORM", b"AIFC") => Container::Aifc,
            _ => return Err(Error::not_audio(&path, format!("its first {len} bytes are not those of AIFF"))),
        };
        let parts = Parts::find(&mut inner, &path, file_len)?;
        let missing = |what: &str| Error::malformed(&path, format!("it has no {what} chunk"), EXPORT_AGAIN);
        let common = parts.common.ok_or_else(|| missing("common (COMM)"))?;
        let (format, encoding) = common.encoding(&path, container)?;
        if let Some(fault) = absurd(common.channels, common.rate) {
            return Err(Error::malformed(&path, fault, EXPORT_AGAIN));
        }
        let frame_bytes = (common.channels * encoding.bytes) as u64;
        let sound = match parts.sound {
            Some(sound) => sound,
            None if common.frames == 0 => Sound { start: file_len, len: 0 },
            None => return Err(missing("sound (SSND)")),
        };
        let frames = sound.len / frame_bytes;
        let mut warnings = Vec::new();
        if frames < common.frames {
            warnings.push(format!("is cut off: {frames} frames found of {} declared", common.frames));
        } else if frames > common.frames {
            // A recorder that died before it wrote the length for the last time; never a whole frame of padding.
            warnings.push(format!(
                "declares {} frames and holds {frames}, which are read (its recording broke off, or its header is wrong)",
                common.frames
            ));
        }
        if frames == 0 {
            warnings.push("holds no audio".into());
        }
        let info = AudioInfo {
            frames,
            warnings,
            ..AudioInfo::new(container, Hz(common.rate), common.channels, format)
        };
        let pcm = PcmStream::new(inner, path, sound.start, frames, info.channels, encoding);
        Ok(Self { pcm, info })
    }

    /// The properties of the file.
    pub fn info(&self) -> &AudioInfo {
        &self.info
    }

    /// Reads up to `frames` frames into `planes`; see [`super::AudioReader::read_planar`].
    pub fn read_planar(&mut self, planes: &mut [Vec<f64>], frames: usize) -> Result<usize> {
        self.pcm.read_planar(planes, frames)
    }

    /// The samples as they lie in the file.
    pub fn pcm(&mut self) -> &mut PcmStream<R> {
        &mut self.pcm
    }

    /// Makes `frame` the next to be read; past the end is the end.
    pub fn seek(&mut self, frame: u64) {
        self.pcm.seek(frame);
    }
}

/// The two chunks that matter.
#[derive(Default)]
struct Parts {
    common: Option<Common>,
    sound: Option<Sound>,
}

/// The place of the samples in the file.
struct Sound {
    start: u64,
    len: u64,
}

/// The content of COMM.
struct Common {
    channels: usize,
    frames: u64,
    bits: u16,
    rate: f64,
    /// AIFF-C only.
    compression: Option<[u8; 4]>,
}

/// More chunks than any real file has.
const MAX_CHUNKS: usize = 4096;

impl Parts {
    fn find(inner: &mut (impl Read + Seek), path: &Path, file_len: u64) -> Result<Self> {
        let mut parts = Self::default();
        let mut position = 12;
        for _ in 0..MAX_CHUNKS {
            let mut header = [0; 8];
            if read_at(inner, path, position, &mut header)? < 8 {
                break;
            }
            let [a, b, c, d, size @ ..] = header;
            position += 8;
            let declared = u64::from(u32::from_be_bytes(size));
            let present = declared.min(file_len.saturating_sub(position));
            match &[a, b, c, d] {
                b"COMM" if parts.common.is_none() => {
                    let mut bytes = [0; 22];
                    let most = bytes.len().min(present as usize);
                    let len = read_at(inner, path, position, &mut bytes[..most])?;
                    parts.common = Some(Common::parse(path, &bytes[..len])?);
                }
                b"SSND" if parts.sound.is_none() => {
                    let mut bytes = [0; 8];
                    let len = read_at(inner, path, position, &mut bytes)? as u64;
                    let [offset @ .., _, _, _, _] = bytes;
                    let skip = (len + u64::from(u32::from_be_bytes(offset))).min(present);
                    parts.sound = Some(Sound { start: position + skip, len: present - skip });
                }
                _ => {}
            }
            position += present + present % 2;
        }
        Ok(parts)
    }
}

impl Common {
    fn parse(path: &Path, bytes: &[u8]) -> Result<Self> {
        let Some((head, rest)) = bytes.split_at_checked(18) else {
            let fault = format!("its common (COMM) chunk has only {} bytes", bytes.len());
            return Err(Error::malformed(path, fault, EXPORT_AGAIN));
        };
        Ok(Self {
            channels: usize::from(u16::from_be_bytes([head[0], head[1]])),
            frames: u64::from(u32::from_be_bytes([head[2], head[3], head[4], head[5]])),
            bits: u16::from_be_bytes([head[6], head[7]]),
            rate: extended(head[8..18].try_into().expect("ten bytes")),
            compression: rest.try_into().ok(),
        })
    }

    fn encoding(&self, path: &Path, container: Container) -> Result<(SampleFormat, Encoding)> {
        let compression = match container {
            Container::Aifc => self
                .compression
                .ok_or_else(|| Error::malformed(path, "its common (COMM) chunk is cut off", EXPORT_AGAIN))?,
            _ => *b"NONE",
        };
        let float = |bits| {
            let encoding = Encoding { kind: Kind::Float, bytes: usize::from(bits / 8), big_endian: true };
            Ok((SampleFormat::Float { bits }, encoding))
        };
        let integer = |bits: u16, kind, big_endian| {
            let bytes = usize::from(bits.div_ceil(8));
            if !(1..=4).contains(&bytes) {
                return Err(Error::unsupported(path, format!("{bits}-bit integer audio"), ffmpeg(path)));
            }
            Ok((SampleFormat::Int { bits }, Encoding { kind, bytes, big_endian }))
        };
        match &compression {
            b"NONE" | b"none" | b"twos" => integer(self.bits, Kind::Signed, true),
            b"sowt" => integer(self.bits, Kind::Signed, false),
            b"raw " if self.bits <= 8 => integer(self.bits, Kind::Unsigned, true),
            b"in24" => integer(24, Kind::Signed, true),
            b"in32" => integer(32, Kind::Signed, true),
            b"42ni" | b"42n1" => integer(24, Kind::Signed, false),
            b"23ni" => integer(32, Kind::Signed, false),
            b"fl32" | b"FL32" => float(32),
            b"fl64" | b"FL64" => float(64),
            other => {
                let name = match other {
                    b"ulaw" | b"ULAW" => "mu-law compressed audio".into(),
                    b"alaw" | b"ALAW" => "A-law compressed audio".into(),
                    b"ima4" => "IMA ADPCM compressed audio".into(),
                    _ => format!("AIFF-C audio of the kind {}", code(*other)),
                };
                Err(Error::unsupported(path, name, ffmpeg(path)))
            }
        }
    }
}

/// The value of an 80-bit extended float; NaN where it is none that a rate can have.
fn extended(bytes: [u8; 10]) -> f64 {
    let exponent = i32::from(u16::from_be_bytes([bytes[0], bytes[1]]) & 0x7fff) - 16_383 - 63;
    let mantissa = u64::from_be_bytes(bytes[2..].try_into().expect("eight bytes"));
    if bytes[0] & 0x80 != 0 || !(-200..200).contains(&exponent) {
        return f64::NAN;
    }
    mantissa as f64 * 2f64.powi(exponent)
}

fn read_at(inner: &mut (impl Read + Seek), path: &Path, at: u64, bytes: &mut [u8]) -> Result<usize> {
    inner.seek(SeekFrom::Start(at)).map_err(Error::read(path))?;
    read_up_to(inner, bytes).map_err(Error::read(path))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn chunk(id: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let mut bytes = [&id[..], &(content.len() as u32).to_be_bytes(), content].concat();
        if !content.len().is_multiple_of(2) {
            bytes.push(0);
        }
        bytes
    }

    fn form(kind: &[u8; 4], parts: &[Vec<u8>]) -> Vec<u8> {
        let parts = parts.concat();
        [b"FORM", &(parts.len() as u32 + 4).to_be_bytes()[..], kind, &parts].concat()
    }

    /// COMM at 44.1 kHz.
    fn comm(channels: u16, frames: u32, bits: u16, compression: Option<&[u8; 4]>) -> Vec<u8> {
        let mut content = Vec::new();
        content.extend(channels.to_be_bytes());
        content.extend(frames.to_be_bytes());
        content.extend(bits.to_be_bytes());
        content.extend([0x40, 0x0e, 0xac, 0x44, 0, 0, 0, 0, 0, 0]);
        if let Some(compression) = compression {
            content.extend(compression);
            content.extend([0, 0]);
        }
        chunk(b"COMM", &content)
    }

    fn ssnd(offset: u32, samples: &[u8]) -> Vec<u8> {
        chunk(b"SSND", &[&offset.to_be_bytes(), &[0; 4], &vec![9; offset as usize][..], samples].concat())
    }

    fn open(bytes: &[u8]) -> Result<AiffReader<Cursor<&[u8]>>> {
        AiffReader::new(Cursor::new(bytes), "a.aif")
    }

    fn read(bytes: &[u8]) -> (Vec<Vec<f64>>, Vec<String>) {
        let mut reader = open(bytes).expect("opens");
        let mut planes = vec![Vec::new(); reader.info().channels];
        reader.read_planar(&mut planes, usize::MAX).expect("reads");
        (planes, reader.info().warnings.clone())
    }

    fn fault(bytes: &[u8]) -> String {
        open(bytes).err().expect("is refused").to_string()
    }

    #[test]
    fn the_extended_float_gives_the_rate() {
        assert_eq!(extended([0x40, 0x0e, 0xac, 0x44, 0, 0, 0, 0, 0, 0]), 44_100.0);
        assert_eq!(extended([0x40, 0x10, 0xbb, 0x80, 0, 0, 0, 0, 0, 0]), 192_000.0);
        assert!(extended([0xff; 10]).is_nan());
        assert!(extended([0; 10]).is_nan());
    }

    #[test]
    fn every_uncompressed_kind_is_read() {
        type Case<'a> = (Option<&'a [u8; 4]>, u16, &'a [u8], f64);
        let cases: [Case<'_>; 11] = [
            (None, 8, &[0x80], -1.0),
            (None, 16, &[0xc0, 0], -0.5),
            (None, 24, &[0, 0, 1], 1.0 / 8_388_608.0),
            (Some(b"NONE"), 32, &[0x40, 0, 0, 0], 0.5),
            (Some(b"twos"), 16, &[0x40, 0], 0.5),
            (Some(b"sowt"), 16, &[0, 0x40], 0.5),
            (Some(b"sowt"), 24, &[0, 0, 0x40], 0.5),
            (Some(b"in24"), 24, &[0x40, 0, 0], 0.5),
            (Some(b"23ni"), 32, &[0, 0, 0, 0x40], 0.5),
            (Some(b"fl32"), 32, &[0x40, 0, 0, 0], 2.0),
            (Some(b"FL64"), 64, &[0x40, 0, 0, 0, 0, 0, 0, 0], 2.0),
        ];
        for (compression, bits, sample, value) in cases {
            let kind = if compression.is_some() { b"AIFC" } else { b"AIFF" };
            let bytes = form(kind, &[comm(1, 2, bits, compression), ssnd(0, &sample.repeat(2))]);
            assert_eq!(read(&bytes), (vec![vec![value; 2]], vec![]), "{compression:?} {bits}");
        }
    }

    #[test]
    fn chunks_in_any_order_with_an_offset_are_read() {
        let parts = [
            chunk(b"NAME", b"odd"),
            ssnd(6, &[0x40, 0, 0xc0, 0]),
            chunk(b"MARK", &[0, 0]),
            comm(2, 1, 16, None),
        ];
        assert_eq!(read(&form(b"AIFF", &parts)), (vec![vec![0.5], vec![-0.5]], vec![]));
    }

    #[test]
    fn frames_beyond_the_declared_ones_are_read_and_said() {
        for declared in [0, 1] {
            let longer = [comm(1, declared, 16, None), ssnd(0, &[0x40, 0, 0x20, 0])];
            let (planes, warnings) = read(&form(b"AIFF", &longer));
            assert_eq!(planes, [[0.5, 0.25]]);
            assert!(warnings[0].contains(&format!("declares {declared} frames and holds 2")), "{warnings:?}");
        }
    }

    #[test]
    fn compressed_kinds_are_named() {
        for (kind, name) in [(b"ulaw", "mu-law"), (b"ima4", "IMA ADPCM"), (b"Qclp", "the kind Qclp")] {
            let line = fault(&form(b"AIFC", &[comm(1, 2, 16, Some(kind)), ssnd(0, &[0; 4])]));
            assert!(line.contains(name), "{line}");
        }
    }

    #[test]
    fn broken_files_are_named() {
        assert!(fault(&form(b"AIFF", &[ssnd(0, &[0; 4])])).contains("no common"));
        assert!(fault(&form(b"AIFF", &[comm(1, 2, 16, None)])).contains("no sound"));
        assert!(fault(&form(b"AIFF", &[comm(0, 2, 16, None)])).contains("no channels"));
        assert!(fault(&form(b"AIFF", &[comm(1, 2, 40, None)])).contains("40-bit"));
        assert!(fault(&form(b"8SVX", &[])).contains("not those of AIFF"));
    }

    #[test]
    fn truncated_and_mutated_files_give_frames_or_a_fault() {
        let whole = form(b"AIFC", &[comm(2, 3, 24, Some(b"sowt")), ssnd(2, &[1; 18]), chunk(b"NAME", b"x")]);
        for len in 0..whole.len() {
            if let Ok(reader) = open(&whole[..len]) {
                assert_eq!(reader.info().frames < 3, !reader.info().warnings.is_empty(), "{len}");
                read(&whole[..len]);
            }
        }
        for at in 0..whole.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut bytes = whole.clone();
                bytes[at] = value;
                if open(&bytes).is_ok() {
                    read(&bytes);
                }
            }
        }
    }
}
