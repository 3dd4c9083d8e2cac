//! Vorbis and FLAC in Ogg: pages into packets; granule positions into the first and the last frame.
//!
//! Sources: RFC 3533 (pages), Vorbis I specification, section A.2 (granule positions), the mapping of FLAC 1.0 into Ogg.

use std::path::Path;

use super::codec::{Codec, PacketDecoder};
use super::{PacketStream, Piece, read_piece};
use crate::error::{EXPORT_AGAIN, Error, Result, ffmpeg};
use crate::flac::mask;
use crate::info::{AudioInfo, Container, SampleFormat, absurd};
use crate::section::Section;
use units::Hz;

/// A page's granule position where no packet ends on it.
const NO_GRANULE: i64 = -1;
/// The most bytes of headers.
const MAX_HEADERS: usize = 1 << 24;

/// The packets of a file, and where its pages say that the audio stands.
#[derive(Default)]
struct Pages {
    pieces: Vec<Piece>,
    /// Packets that end on or before each page, and its granule position: of the first page with audio and of the last.
    first: Option<(usize, i64)>,
    last: Option<i64>,
    packets: usize,
    complete: bool,
    warnings: Vec<String>,
}

impl Pages {
    fn read(section: &mut Section, path: &Path) -> Result<Self> {
        let mut pages = Self::default();
        let mut serial = None;
        let mut at = 0;
        let mut next_page = None;
        while at < section.len() {
            let mut header = [0; 27 + 255];
            let len = section.read_at(at, &mut header).map_err(Error::read(path))?;
            let segments = usize::from(header[26]);
            let table = &header[27..27 + segments];
            let body: u64 = table.iter().map(|len| u64::from(*len)).sum();
            let whole = 27 + segments as u64 + body;
            if len < 27 + segments || !header.starts_with(b"OggS") || at + whole > section.len() {
                pages.warnings.push(if header.starts_with(b"OggS") || len < 27 {
                    "is cut off: its last page is incomplete".into()
                } else {
                    format!("bytes after {at} are no Ogg pages and are ignored")
                });
                break;
            }
            let word = |at: usize| u32::from_le_bytes(header[at..at + 4].try_into().expect("four bytes"));
            let own = word(14);
            if *serial.get_or_insert(own) != own {
                let fault = "Ogg with more than one stream";
                return Err(Error::unsupported(path, fault, ffmpeg(path)));
            }
            let sequence = word(18);
            if next_page.is_some_and(|next| next != sequence) {
                pages.warnings.push(format!("lacks pages before byte {at}"));
            }
            next_page = Some(sequence.wrapping_add(1));
            let granule = i64::from_le_bytes(header[6..14].try_into().expect("eight bytes"));
            pages.take(at + 27 + segments as u64, table);
            if granule != NO_GRANULE && pages.packets > 3 {
                pages.first.get_or_insert((pages.packets, granule));
            }
            // Pages of headers have 0.
            if granule > 0 || (granule == 0 && pages.packets > 3) {
                pages.last = Some(granule);
            }
            pages.complete |= header[5] & 4 != 0;
            at += whole;
        }
        if !pages.complete && pages.warnings.is_empty() {
            pages.warnings.push("is cut off: its last page is missing".into());
        }
        Ok(pages)
    }

    /// Takes the packets of a page whose segments begin at `at`.
    fn take(&mut self, mut at: u64, table: &[u8]) {
        let mut len = 0;
        for (index, segment) in table.iter().enumerate() {
            len += u32::from(*segment);
            let last = *segment < 255;
            if last || index + 1 == table.len() {
                self.pieces.push(Piece { at, len, last });
                at += u64::from(len);
                len = 0;
                self.packets += usize::from(last);
            }
        }
    }
}

/// Opens the file, finds all packets, and decodes those of the first page to know where they lie.
pub(super) fn open(section: &mut Section, path: &Path) -> Result<PacketStream> {
    let mut pages = Pages::read(section, path)?;
    let damaged = |fault: &str| Error::malformed(path, format!("it is damaged Ogg, {fault}"), EXPORT_AGAIN);
    let mut headers: Vec<Vec<u8>> = vec![Vec::new()];
    let mut used = 0;
    for piece in &pages.pieces {
        let packet = headers.last_mut().expect("one at least");
        if packet.len() + piece.len as usize > MAX_HEADERS {
            return Err(damaged("its headers are too long"));
        }
        read_piece(section, path, *piece, packet)?;
        used += 1;
        if headers.len() == 1 && piece.last && headers[0].starts_with(b"\x7fFLAC") {
            let first = headers.swap_remove(0);
            return flac(section, path, pages, &first);
        }
        if headers.len() == 1 && !is_known(&headers[0]) {
            return Err(Error::unsupported(path, kind(&headers[0]), ffmpeg(path)));
        }
        if piece.last {
            if headers.len() == 3 {
                break;
            }
            headers.push(Vec::new());
        }
    }
    let [identification, _, setup] = headers.as_slice() else { return Err(damaged("it has no audio")) };
    if identification.len() != 30 || !setup.starts_with(b"\x05vorbis") {
        return Err(damaged("its headers are missing"));
    }
    let channels = usize::from(identification[11]);
    let rate = u32::from_le_bytes(identification[12..16].try_into().expect("four bytes"));
    if let Some(fault) = absurd(channels, f64::from(rate)) {
        return Err(Error::malformed(path, fault, EXPORT_AGAIN));
    }
    let codec = Codec::Vorbis([&identification[..], setup].concat());
    let mut decoder = PacketDecoder::new(codec.clone()).map_err(|fault| damaged(&fault))?;
    pages.pieces.drain(..used);

    // The first granule position is that of the end of the first page: what its packets hold beyond it is no audio.
    let mut skip = 0;
    let mut start = 0;
    if let Some((packets, granule)) = pages.first {
        let mut planes = vec![Vec::new(); channels];
        let mut packet = Vec::new();
        let mut left = packets.saturating_sub(3);
        for piece in &pages.pieces {
            if left == 0 {
                break;
            }
            read_piece(section, path, *piece, &mut packet)?;
            if piece.last {
                decoder.decode(&packet, &mut planes).map_err(|fault| damaged(&fault))?;
                packet.clear();
                left -= 1;
            }
        }
        decoder.restart().map_err(|fault| damaged(&fault))?;
        let held = planes[0].len() as i64;
        start = granule - held;
        // On a page that is the last too, it is the end that is cut.
        if start < 0 && !(pages.last == Some(granule) && pages.complete) {
            skip = start.unsigned_abs();
            start = 0;
        } else if start < 0 {
            start = 0;
        }
    }
    let frames = pages.last.map_or(0, |last| last.saturating_sub(start).max(0).unsigned_abs());
    let mut warnings = pages.warnings;
    if frames == 0 {
        warnings.push("holds no audio".into());
    }
    let info = AudioInfo {
        frames,
        channel_mask: mask(channels),
        lossy: codec.lossy(),
        warnings,
        ..AudioInfo::new(Container::Ogg, Hz(f64::from(rate)), channels, SampleFormat::Float { bits: 32 })
    };
    Ok(PacketStream { info, decoder, pieces: pages.pieces, lead: 0, skip })
}

/// True for the beginning of a first packet of Vorbis or FLAC.
fn is_known(packet: &[u8]) -> bool {
    packet.starts_with(b"\x01vorbis") || packet.starts_with(b"\x7fFLAC")
}

/// The stream of a file whose first packet is one of FLAC's: signature and STREAMINFO.
fn flac(section: &mut Section, path: &Path, mut pages: Pages, first: &[u8]) -> Result<PacketStream> {
    /// Bytes before STREAMINFO: signature, version, count of headers, `fLaC`, block header.
    const BEFORE: usize = 17;
    const STREAMINFO: usize = 34;
    let damaged = |fault: &str| Error::malformed(path, format!("it is damaged Ogg, {fault}"), EXPORT_AGAIN);
    let stream = first.get(BEFORE..BEFORE + STREAMINFO).ok_or_else(|| damaged("its headers are missing"))?;
    let bits = u64::from_be_bytes(stream[10..18].try_into().expect("eight bytes"));
    let (rate, channels) = ((bits >> 44) as u32, (bits >> 41 & 7) as usize + 1);
    let (depth, declared) = ((bits >> 36 & 31) as u16 + 1, bits & ((1 << 36) - 1));
    if let Some(fault) = absurd(channels, f64::from(rate)) {
        return Err(Error::malformed(path, fault, EXPORT_AGAIN));
    }
    let codec = Codec::Flac(stream.to_vec());
    let decoder = PacketDecoder::new(codec.clone()).map_err(|fault| damaged(&fault))?;
    // Packets of audio begin with FLAC's sync code, those of headers never.
    let (mut audio, mut begins, mut byte) = (pages.pieces.len(), true, Vec::new());
    for (index, piece) in pages.pieces.iter().enumerate() {
        if begins && piece.len > 0 {
            byte.clear();
            read_piece(section, path, Piece { len: 1, ..*piece }, &mut byte)?;
            if byte[0] == 0xff {
                audio = index;
                break;
            }
        }
        begins = piece.last;
    }
    pages.pieces.drain(..audio);
    let mut warnings = pages.warnings;
    let frames = pages.last.map_or(0, i64::unsigned_abs);
    if frames == 0 {
        warnings.push("holds no audio".into());
    } else if declared > frames {
        warnings.push(format!("is cut off: {frames} frames found of {declared} declared"));
    }
    let format = SampleFormat::Int { bits: depth };
    let info = AudioInfo {
        frames,
        channel_mask: mask(channels),
        lossy: codec.lossy(),
        warnings,
        ..AudioInfo::new(Container::Ogg, Hz(f64::from(rate)), channels, format)
    };
    Ok(PacketStream { info, decoder, pieces: pages.pieces, lead: 0, skip: 0 })
}

/// The kind of a stream by its first packet, as the subject of a sentence.
fn kind(packet: &[u8]) -> String {
    match packet {
        [b'O', b'p', b'u', b's', b'H', b'e', b'a', b'd', ..] => "Opus".into(),
        [b'S', b'p', b'e', b'e', b'x', ..] => "Speex".into(),
        [0x80, b't', b'h', b'e', b'o', ..] => "video".into(),
        _ => "Ogg of an unknown kind".into(),
    }
}
