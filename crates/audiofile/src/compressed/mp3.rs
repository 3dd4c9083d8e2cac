//! MPEG audio layer III: a row of frames, the first of which may hold no audio but the encoder's delay and padding.
//!
//! Sources: ISO/IEC 11172-3, 2.4.2.3 (header); "Mp3 Info Tag rev 1" of LAME (Xing, Info, delay and padding).

use std::path::Path;

use super::codec::{Codec, PacketDecoder};
use super::{PacketStream, Piece};
use crate::error::{EXPORT_AGAIN, Error, Result};
use crate::info::{AudioInfo, Container, SampleFormat};
use crate::section::Section;
use units::Hz;

/// Delay of every decoder: the polyphase filter and the overlap of the transform, frames.
const DECODER_DELAY: u64 = 529;
/// The most bytes before the first frame.
const MAX_LEAD: u64 = 1 << 16;
/// Bytes read at once while frames are looked for.
const WINDOW: usize = 1 << 16;

/// The header of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    rate: u32,
    channels: usize,
    /// Bytes of the whole frame.
    len: u32,
    /// Audio frames in it: 1152, or 576 in MPEG-2 and 2.5.
    samples: u64,
    /// Bytes between the header and the place of a Xing tag.
    side: usize,
}

impl Header {
    fn parse(bytes: [u8; 4]) -> Option<Self> {
        let [a, b, c, d] = bytes;
        if a != 0xff || b & 0xe0 != 0xe0 || b >> 1 & 3 != 1 {
            return None; // no layer III
        }
        let version = b >> 3 & 3; // 0: MPEG-2.5, 2: MPEG-2, 3: MPEG-1
        let shift = [2, 9, 1, 0][usize::from(version)];
        let rate = *[44_100, 48_000, 32_000].get(usize::from(c >> 2 & 3))? >> shift.min(2);
        let first = version == 3;
        let kilobits: u32 = if first {
            [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0][usize::from(c >> 4)]
        } else {
            [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0][usize::from(c >> 4)]
        };
        if kilobits == 0 || version == 1 {
            return None;
        }
        let padding = u32::from(c >> 1 & 1);
        let len = if first { 144_000 } else { 72_000 } * kilobits / rate + padding;
        let channels = if d >> 6 == 3 { 1 } else { 2 };
        let side = match (first, channels) {
            (true, 2) => 32,
            (true, _) | (false, 2) => 17,
            (false, _) => 9,
        };
        Some(Self { rate, channels, len, samples: if first { 1152 } else { 576 }, side })
    }

    fn is_like(&self, other: &Self) -> bool {
        (self.rate, self.channels, self.samples) == (other.rate, other.channels, other.samples)
    }
}

/// Content of a first frame that holds no audio.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct InfoTag {
    /// Frames of audio behind it.
    frames: Option<u64>,
    /// Delay and padding of the encoder.
    gaps: Option<[u64; 2]>,
}

/// The tag of a frame, if it is no audio.
fn info_tag(frame: &[u8], header: &Header) -> Option<InfoTag> {
    // Fraunhofer's tag lies at one place whatever the frame is.
    if frame.get(36..40) == Some(b"VBRI") {
        let frames = frame.get(50..54).map(|b| u64::from(u32::from_be_bytes([b[0], b[1], b[2], b[3]])));
        return Some(InfoTag { frames, gaps: None });
    }
    let tag = frame.get(4 + header.side..)?;
    if !(tag.starts_with(b"Xing") || tag.starts_with(b"Info")) {
        return None;
    }
    let word = |at: usize| tag.get(at..at + 4).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]));
    let flags = word(4)?;
    let mut at = 8;
    let frames = if flags & 1 != 0 { word(at).map(u64::from) } else { None };
    for (bit, len) in [(1, 4), (2, 4), (4, 100), (8, 4)] {
        at += if flags & bit != 0 { len } else { 0 };
    }
    // Nine bytes of the encoder's name, then eleven of other figures, then twelve bits each.
    let gaps = tag.get(at + 21..at + 24).map(|b| {
        let both = u64::from(u32::from_be_bytes([0, b[0], b[1], b[2]]));
        [both >> 12, both & 0xfff]
    });
    Some(InfoTag { frames, gaps: gaps.filter(|gaps| *gaps != [0, 0]) })
}

/// Frames found, and bytes between them that belong to none.
struct Mp3Frames {
    first: Header,
    pieces: Vec<Piece>,
    strays: u64,
}

/// Looks through the whole file for frames.
fn find(section: &mut Section, path: &Path) -> Result<Mp3Frames> {
    let mut window = ScanWindow { bytes: Vec::new(), start: 0 };
    let mut found: Option<Mp3Frames> = None;
    let mut at = 0;
    let len = section.len();
    while at + 4 <= len {
        let header = window.header(section, path, at)?;
        let alike = |header: &Header| found.as_ref().is_none_or(|found| header.is_like(&found.first));
        let fits = header.filter(|header| alike(header) && at + u64::from(header.len) <= len);
        // Two headers in the right distance are no accident; the last frame has none behind it.
        let end = fits.map(|header| at + u64::from(header.len));
        let confirmed = match (fits, end) {
            (Some(header), Some(end)) if end + 4 <= len => {
                window.header(section, path, end)?.is_some_and(|next| next.is_like(&header))
                    || found.is_some()
            }
            (Some(_), _) => true,
            _ => false,
        };
        match (fits, confirmed) {
            (Some(header), true) => {
                let frames = found.get_or_insert(Mp3Frames { first: header, pieces: Vec::new(), strays: 0 });
                frames.pieces.push(Piece { at, len: header.len, last: true });
                at += u64::from(header.len);
            }
            _ => {
                match &mut found {
                    Some(found) => found.strays += 1,
                    None if at > MAX_LEAD => break,
                    None => {}
                }
                at += 1;
            }
        }
    }
    found.ok_or_else(|| Error::not_audio(path, "it begins like MP3 and has no frames of it"))
}

/// The part of the file around the place looked at.
struct ScanWindow {
    bytes: Vec<u8>,
    start: u64,
}

impl ScanWindow {
    fn header(&mut self, section: &mut Section, path: &Path, at: u64) -> Result<Option<Header>> {
        let within = |window: &Self| {
            let from = usize::try_from(at.checked_sub(window.start)?).ok()?;
            window.bytes.get(from..from + 4).map(|b| [b[0], b[1], b[2], b[3]])
        };
        let mut bytes = within(self);
        if bytes.is_none() {
            self.start = at.saturating_sub(WINDOW as u64 / 2);
            self.bytes.resize(WINDOW, 0);
            let len = section.read_at(self.start, &mut self.bytes).map_err(Error::read(path))?;
            self.bytes.truncate(len);
            bytes = within(self);
        }
        Ok(bytes.and_then(Header::parse))
    }
}

/// Opens the file and finds all its frames.
pub(super) fn open(section: &mut Section, path: &Path) -> Result<PacketStream> {
    let Mp3Frames { first, mut pieces, strays } = find(section, path)?;
    let mut frame = Vec::new();
    super::read_piece(section, path, pieces[0], &mut frame)?;
    let tag = info_tag(&frame, &first);
    if tag.is_some() {
        pieces.remove(0);
    }
    let tag = tag.unwrap_or_default();
    let mut warnings = Vec::new();
    if strays > 0 {
        warnings.push(format!("holds {strays} bytes that are no MP3 frames; frames may be missing"));
    }
    let found = pieces.len() as u64;
    let declared = tag.frames.filter(|declared| *declared > 0);
    let missing = declared.is_some_and(|declared| declared > found);
    if let Some(declared) = declared.filter(|_| missing) {
        warnings.push(format!(
            "is cut off: {} frames found of {} declared",
            found * first.samples,
            declared * first.samples
        ));
    }
    let all = found * first.samples;
    let [delay, padding] = tag.gaps.unwrap_or_default();
    let skip = tag.gaps.map_or(0, |_| (delay + DECODER_DELAY).min(all));
    // The padding is that of the declared end. The decoder's own delay takes its place there, as far as it goes.
    let end = if missing {
        all
    } else {
        (declared.unwrap_or(found).min(found) * first.samples + DECODER_DELAY)
            .saturating_sub(padding)
            .min(all)
    };
    let frames = match tag.gaps {
        Some(_) => end.saturating_sub(skip),
        None => all,
    };
    if frames == 0 {
        warnings.push("holds no audio".into());
    }
    let decoder = PacketDecoder::new(Codec::Mp3)
        .map_err(|fault| Error::malformed(path, format!("it is damaged, {fault}"), EXPORT_AGAIN))?;
    let info = AudioInfo {
        frames,
        lossy: Codec::Mp3.lossy(),
        start_known: tag.gaps.is_some(),
        warnings,
        ..AudioInfo::new(
            Container::Mp3,
            Hz(f64::from(first.rate)),
            first.channels,
            SampleFormat::Float { bits: 32 },
        )
    };
    Ok(PacketStream { info, decoder, pieces, lead: 0, skip })
}
