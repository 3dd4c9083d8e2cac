//! Core Audio Format: samples as they are, ALAC, and AAC-LC.
//!
//! Source: Apple, "Core Audio Format Specification 1.0".

use std::path::Path;

use super::codec::{Codec, PacketDecoder};
use super::mp4::{Properties, elementary};
use super::{CompressedReader, Opened, PacketStream, Piece, read_piece};
use crate::error::{EXPORT_AGAIN, Error, Result, code, ffmpeg};
use crate::info::{AudioInfo, Container, SampleFormat, absurd};
use crate::pcm::{Encoding, Kind, PcmStream};
use crate::section::Section;
use units::Hz;

/// More chunks than any real file has.
const MAX_CHUNKS: usize = 4096;
/// The most bytes of a packet table or of a decoder's description.
const MAX_TABLE: u64 = 1 << 27;

/// The audio description (`desc`).
struct Description {
    rate: f64,
    format: [u8; 4],
    flags: u32,
    packet_bytes: u32,
    packet_frames: u32,
    channels: usize,
    bits: u16,
}

/// The chunks that matter: descriptions as they are, the audio as its place and its declared length.
#[derive(Default)]
struct CafChunks {
    description: Option<Vec<u8>>,
    packets: Option<Vec<u8>>,
    cookie: Option<Vec<u8>>,
    data: Option<Data>,
}

/// The place of the audio.
#[derive(Clone, Copy)]
struct Data {
    start: u64,
    /// Bytes that are there.
    len: u64,
    /// Bytes that are declared; none: as far as the file goes.
    declared: Option<u64>,
}

impl CafChunks {
    fn read(section: &mut Section, path: &Path) -> Result<Self> {
        let mut chunks = Self::default();
        let mut at = 8;
        for _ in 0..MAX_CHUNKS {
            let mut header = [0; 12];
            if section.read_at(at, &mut header).map_err(Error::read(path))? < 12 {
                break;
            }
            at += 12;
            let left = section.len() - at.min(section.len());
            let declared =
                u64::try_from(i64::from_be_bytes(header[4..].try_into().expect("eight bytes"))).ok();
            let present = declared.unwrap_or(left).min(left);
            let mut content = |most: u64| -> Result<Option<Vec<u8>>> {
                let mut bytes = vec![0; present.min(most) as usize];
                let len = section.read_at(at, &mut bytes).map_err(Error::read(path))?;
                bytes.truncate(len);
                Ok(Some(bytes))
            };
            match &header[..4] {
                b"desc" => chunks.description = content(32)?,
                b"pakt" => chunks.packets = content(MAX_TABLE)?,
                b"kuki" => chunks.cookie = content(MAX_TABLE)?,
                // Four bytes count the edits.
                b"data" if chunks.data.is_none() => {
                    let declared = declared.map(|len| len.saturating_sub(4));
                    chunks.data = Some(Data { start: at + 4, len: present.saturating_sub(4), declared });
                }
                _ => {}
            }
            at += present;
        }
        Ok(chunks)
    }
}

impl Description {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; 32] = bytes.try_into().ok()?;
        let word = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        Some(Self {
            rate: f64::from_be_bytes(bytes[..8].try_into().ok()?),
            format: bytes[8..12].try_into().ok()?,
            flags: word(12),
            packet_bytes: word(16),
            packet_frames: word(20),
            channels: usize::try_from(word(24)).unwrap_or(usize::MAX),
            bits: u16::try_from(word(28)).unwrap_or(u16::MAX),
        })
    }

    fn encoding(&self) -> Option<(SampleFormat, Encoding)> {
        let (float, big_endian) = (self.flags & 1 != 0, self.flags & 2 == 0);
        let bytes = self.packet_bytes as usize / self.channels.max(1);
        if self.packet_bytes as usize != bytes * self.channels || self.packet_frames != 1 {
            return None;
        }
        let (kind, format) = match (float, self.bits, bytes) {
            (true, 32, 4) | (true, 64, 8) => (Kind::Float, SampleFormat::Float { bits: self.bits }),
            (false, bits @ 1..=32, 1..=4) if bytes == usize::from(bits.div_ceil(8)) => {
                (Kind::Signed, SampleFormat::Int { bits })
            }
            _ => return None,
        };
        Some((format, Encoding { kind, bytes, big_endian }))
    }
}

/// Opens the file.
pub(super) fn open(mut section: Section, path: &Path) -> Result<Opened> {
    let chunks = CafChunks::read(&mut section, path)?;
    let damaged = |fault: &str| Error::malformed(path, format!("it is damaged, {fault}"), EXPORT_AGAIN);
    let description = chunks.description.as_deref().and_then(Description::parse);
    let description = description.ok_or_else(|| damaged("its description (desc) is missing"))?;
    let data = chunks.data.ok_or_else(|| damaged("its audio (data) is missing"))?;
    if let Some(fault) = absurd(description.channels, description.rate) {
        return Err(Error::malformed(path, fault, EXPORT_AGAIN));
    }
    let cookie = chunks.cookie.unwrap_or_default();
    let codec = match &description.format {
        b"lpcm" => return pcm(section, path, &description, data),
        b"alac" => Ok(Codec::Alac(cookie)),
        b"aac " => elementary(&cookie),
        b"ulaw" => Err("mu-law compressed audio".into()),
        b"alaw" => Err("A-law compressed audio".into()),
        b"ima4" => Err("IMA ADPCM compressed audio".into()),
        b"opus" => Err("Opus inside CAF".into()),
        b"aach" | b"aacp" => Err("HE-AAC".into()),
        other => Err(format!("CAF audio of the kind {}", code(*other))),
    };
    let unsupported = |kind: String| Error::unsupported(path, kind, ffmpeg(path));
    let codec = codec.map_err(unsupported)?;
    let properties = Properties::of_codec(&codec).map_err(unsupported)?;
    let packets = chunks.packets.ok_or_else(|| damaged("its packet table (pakt) is missing"))?;
    let table = CafPacketTable::read(&packets, &description, data).map_err(damaged)?;
    let lossy = codec.lossy();
    let mut decoder =
        PacketDecoder::new(codec).map_err(|fault| unsupported(format!("CAF audio ({fault})")))?;
    let mut held = table.pieces.len() as u64 * u64::from(description.packet_frames);
    if let (None, Some(last)) = (lossy, table.pieces.last()) {
        // A lossless packet stands for itself, and the last one may be shorter than the table says.
        let (mut packet, mut planes) = (Vec::new(), vec![Vec::new(); properties.channels]);
        read_piece(&mut section, path, *last, &mut packet)?;
        decoder.decode(&packet, &mut planes).map_err(|fault| damaged(&fault))?;
        decoder.restart().map_err(|fault| damaged(&fault))?;
        held = held.saturating_sub(description.packet_frames.into()) + planes[0].len() as u64;
    }
    let frames = held.saturating_sub(table.priming).min(table.frames);
    let mut warnings = Vec::new();
    if table.missing > 0 {
        warnings.push(format!("is cut off: {frames} frames found of {} declared", table.frames));
    }
    if frames == 0 {
        warnings.push("holds no audio".into());
    }
    let info = AudioInfo {
        frames,
        channel_mask: crate::flac::mask(properties.channels).filter(|_| properties.channels < 7),
        lossy,
        start_known: lossy.is_none() || table.priming > 0,
        warnings,
        ..AudioInfo::new(Container::Caf, Hz(properties.rate), properties.channels, properties.format)
    };
    let stream = PacketStream { info, decoder, pieces: table.pieces, lead: 0, skip: table.priming };
    Ok(Opened::Packets(CompressedReader::new(section, path, stream)))
}

/// Samples as they are.
fn pcm(section: Section, path: &Path, description: &Description, data: Data) -> Result<Opened> {
    let (format, encoding) = description.encoding().ok_or_else(|| {
        let fault = format!("CAF audio of {} bits in an unusual layout", description.bits);
        Error::unsupported(path, fault, ffmpeg(path))
    })?;
    let frame_bytes = u64::from(description.packet_bytes);
    let frames = data.len / frame_bytes;
    let mut warnings = Vec::new();
    match data.declared {
        Some(declared) if declared > data.len => {
            warnings
                .push(format!("is cut off: {frames} frames found of {} declared", declared / frame_bytes));
        }
        None => warnings.push(format!(
            "declares no length (it was streamed or its recording broke off); {} bytes of audio found",
            data.len
        )),
        _ if frames == 0 => warnings.push("holds no audio".into()),
        _ => {}
    }
    let channels = description.channels;
    let info = AudioInfo {
        frames,
        warnings,
        ..AudioInfo::new(Container::Caf, Hz(description.rate), channels, format)
    };
    Ok(Opened::Pcm(PcmStream::new(section, path.into(), data.start, frames, channels, encoding), info))
}

/// The packet table (`pakt`).
struct CafPacketTable {
    pieces: Vec<Piece>,
    missing: u64,
    priming: u64,
    frames: u64,
}

impl CafPacketTable {
    fn read(bytes: &[u8], description: &Description, data: Data) -> std::result::Result<Self, &'static str> {
        let short = "its packet table (pakt) is cut off";
        let (head, mut rest) = bytes.split_first_chunk::<24>().ok_or(short)?;
        let eight = |at: usize| i64::from_be_bytes(head[at..at + 8].try_into().expect("eight bytes"));
        let count = u64::try_from(eight(0)).map_err(|_| short)?;
        let frames = u64::try_from(eight(8)).map_err(|_| short)?;
        let priming = i32::from_be_bytes(head[16..20].try_into().expect("four bytes"));
        let mut table =
            Self { pieces: Vec::new(), missing: 0, priming: priming.max(0).unsigned_abs().into(), frames };
        let mut at = data.start;
        let end = data.start + data.len;
        let mut number = || {
            let mut value = 0u64;
            for _ in 0..9 {
                let (byte, after) = rest.split_first()?;
                rest = after;
                value = value << 7 | u64::from(byte & 0x7f);
                if byte & 0x80 == 0 {
                    return Some(value);
                }
            }
            None
        };
        for index in 0..count {
            let len = match description.packet_bytes {
                0 => number().ok_or(short)?,
                fixed => u64::from(fixed),
            };
            if description.packet_frames == 0 {
                number().ok_or(short)?;
            }
            if len == 0 || len > u64::from(u32::MAX) {
                return Err("its packet table (pakt) does not fit the file");
            }
            if at + len > end {
                table.missing = count - index;
                break;
            }
            table.pieces.push(Piece { at, len: len as u32, last: true });
            at += len;
        }
        Ok(table)
    }
}
