//! AIFF and uncompressed AIFF-C (Apple, "Audio Interchange File Format" 1.3 and the AIFF-C draft of 1991).

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::{AudioInfo, Container, SampleFormat, absurd, open_file};
use crate::offline::error::{EXPORT_AGAIN, Error, Result, code};
use crate::offline::pcm::{Encoding, Kind, PcmStream, read_up_to};
use crate::units::Hz;

const CONVERT: &str = "convert it to WAV, or to AIFF without compression";

/// An open AIFF file: its properties and its samples as planar `f64` in +-1.
pub struct AiffReader<R = File> {
    pcm: PcmStream<R>,
    info: AudioInfo,
}

impl AiffReader<File> {
    /// Opens the file. What can be helped is in [`AudioInfo::warnings`], all else is an error.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        Self::new(open_file(path)?, path)
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
        let frames = (sound.len / frame_bytes).min(common.frames);
        let mut warnings = Vec::new();
        if frames < common.frames {
            warnings.push(format!("is cut off: {frames} frames found of {} declared", common.frames));
        }
        if frames == 0 {
            warnings.push("holds no audio".into());
        }
        let info = AudioInfo {
            rate: Hz(common.rate),
            channels: common.channels,
            frames,
            format,
            channel_mask: None,
            bext: None,
            container,
            warnings,
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

/// Where the samples lie.
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
const MOST: usize = 4096;

impl Parts {
    fn find(inner: &mut (impl Read + Seek), path: &Path, file_len: u64) -> Result<Self> {
        let mut parts = Self::default();
        let mut position = 12;
        for _ in 0..MOST {
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
                return Err(Error::unsupported(path, format!("{bits}-bit integer audio"), CONVERT));
            }
            Ok((SampleFormat::Int { bits }, Encoding { kind, bytes, big_endian }))
        };
        match &compression {
            b"NONE" | b"none" | b"twos" => integer(self.bits, Kind::Signed, true),
            b"sowt" => integer(self.bits, Kind::Signed, false),
            b"raw " if self.bits <= 8 => integer(self.bits, Kind::Unsigned, true),
            b"in24" => integer(24, Kind::Signed, true),
            b"in32" => integer(32, Kind::Signed, true),
            b"42ni" => integer(24, Kind::Signed, false),
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
                Err(Error::unsupported(path, name, CONVERT))
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
