//! The boxes of a movie, as far as audio needs them.

use std::path::Path;

use super::super::codec::Codec;
use crate::error::{EXPORT_AGAIN, Error, Result};
use crate::section::Section;

/// The most bytes of a `moov` box: the tables of a day of audio are smaller.
const MAX_MOOV: u64 = 1 << 27;
/// More boxes than any real file has at one level.
const MAX_BOXES: usize = 4096;

/// The content of the `moov` box.
pub(super) struct Movie {
    moov: Vec<u8>,
    /// Fragments follow (`moof`).
    fragments: bool,
}

/// One edit: a part of the media, or nothing, for a while.
#[derive(PartialEq, Eq)]
pub(super) struct EditListEntry {
    /// In ticks of the movie.
    pub(super) len: u64,
    /// In ticks of the media; none: silence.
    pub(super) start: Option<u64>,
}

/// One stream: the content of its `trak` box.
pub(super) struct Mp4Track<'a>(&'a [u8]);

/// The boxes in `bytes`, each with its content as far as it is there.
fn boxes(bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (size, after) = rest.split_first_chunk::<4>()?;
        let (kind, mut content) = after.split_first_chunk::<4>()?;
        let mut len = u64::from(u32::from_be_bytes(*size));
        let mut header = 8;
        if len == 1 {
            let (long, after) = content.split_first_chunk::<8>()?;
            (len, content, header) = (u64::from_be_bytes(*long), after, 16);
        } else if len == 0 {
            len = rest.len() as u64;
        }
        let len = usize::try_from(len.checked_sub(header)?).unwrap_or(usize::MAX).min(content.len());
        let (content, after) = content.split_at(len);
        rest = after;
        Some((*kind, content))
    })
    .take(MAX_BOXES)
}

/// The content of the first box along a path of names.
pub(super) fn find<'a>(bytes: &'a [u8], path: &[&[u8; 4]]) -> Option<&'a [u8]> {
    path.iter().try_fold(bytes, |bytes, name| {
        boxes(bytes).find(|(kind, _)| kind == *name).map(|(_, content)| content)
    })
}

pub(super) fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

pub(super) fn long(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_be_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?))
}

impl Movie {
    /// Reads the `moov` box, wherever it lies.
    pub(super) fn read(section: &mut Section, path: &Path) -> Result<Self> {
        let mut at = 0;
        let mut movie = None;
        let mut fragments = false;
        for _ in 0..MAX_BOXES {
            let mut header = [0; 16];
            let found = section.read_at(at, &mut header).map_err(Error::read(path))?;
            if found < 8 {
                break;
            }
            let left = section.len() - at;
            let (len, skip) = match u32::from_be_bytes([header[0], header[1], header[2], header[3]]) {
                0 => (left, 8),
                1 => (u64::from_be_bytes(header[8..].try_into().expect("eight bytes")), 16),
                len => (u64::from(len), 8),
            };
            let present = len.min(left);
            match &header[4..8] {
                b"moov" if movie.is_none() => {
                    if len > left || len < skip {
                        let fault = "its description (moov) is cut off";
                        return Err(Error::malformed(path, fault, EXPORT_AGAIN));
                    }
                    if len > MAX_MOOV {
                        return Err(Error::unsupported(
                            path,
                            "MP4 with so large a description",
                            EXPORT_AGAIN,
                        ));
                    }
                    let mut moov = vec![0; (len - skip) as usize];
                    let found = section.read_at(at + skip, &mut moov).map_err(Error::read(path))?;
                    moov.truncate(found);
                    movie = Some(moov);
                }
                b"moof" => fragments = true,
                _ => {}
            }
            if present < 8 {
                break;
            }
            at += present;
        }
        let fault = "it has no description of its streams (moov), as an unfinished file has none";
        let moov = movie.ok_or_else(|| Error::malformed(path, fault, EXPORT_AGAIN))?;
        Ok(Self { moov, fragments })
    }

    fn tracks(&self) -> impl Iterator<Item = Mp4Track<'_>> {
        boxes(&self.moov).filter(|(kind, _)| kind == b"trak").map(|(_, trak)| Mp4Track(trak))
    }

    /// The audio streams in order.
    pub(super) fn audio(&self) -> impl Iterator<Item = Mp4Track<'_>> {
        self.tracks().filter(|track| track.handler() == Some(*b"soun"))
    }

    /// True if a stream is video.
    pub(super) fn has_video(&self) -> bool {
        self.tracks().any(|track| track.handler() == Some(*b"vide"))
    }

    /// True if packets lie in fragments.
    pub(super) fn is_fragmented(&self) -> bool {
        self.fragments || find(&self.moov, &[b"mvex"]).is_some()
    }

    /// Ticks a second of the movie.
    pub(super) fn timescale(&self) -> u32 {
        find(&self.moov, &[b"mvhd"])
            .and_then(|mvhd| word(mvhd, if mvhd.first() == Some(&1) { 20 } else { 12 }))
            .unwrap_or(0)
    }

    /// Delay, padding and length of the audio, in frames, as iTunes notes them (`iTunSMPB`).
    pub(super) fn itunes_gaps(&self) -> Option<[u64; 3]> {
        let meta = find(&self.moov, &[b"udta", b"meta"])?;
        let list = find(meta.get(4..)?, &[b"ilst"])?;
        let gaps = boxes(list).filter(|(kind, _)| kind == b"----").find_map(|(_, item)| {
            let name = find(item, &[b"name"])?.get(4..)?;
            (name == b"iTunSMPB").then(|| find(item, &[b"data"])?.get(8..)).flatten()
        })?;
        let text = std::str::from_utf8(gaps).ok()?;
        let mut figures = text.split_whitespace().map(|figure| u64::from_str_radix(figure, 16).ok());
        let [_, delay, padding, len] = std::array::from_fn(|_| figures.next().flatten());
        let gaps = [delay?, padding?, len?];
        (gaps[0] < 1 << 20 && gaps[2] > 0).then_some(gaps)
    }

    /// The names of the stems of a stem file, in the order of the streams behind the first, fit for a file name.
    pub(super) fn stem_names(&self) -> Vec<String> {
        let Some(json) = find(&self.moov, &[b"udta", b"stem"]) else { return Vec::new() };
        let text = String::from_utf8_lossy(json);
        let Some((_, stems)) = text.split_once("\"stems\"") else { return Vec::new() };
        let mut names = Vec::new();
        let mut rest = stems;
        while let Some((_, after)) = rest.split_once("\"name\"") {
            let Some(value) =
                after.trim_start().strip_prefix(':').and_then(|value| value.trim_start().strip_prefix('"'))
            else {
                break;
            };
            let Some((name, later)) = value.split_once('"') else { break };
            let plain: String =
                name.chars().map(|c| if c.is_alphanumeric() || c == '-' { c } else { ' ' }).collect();
            names.push(plain.split_whitespace().collect::<Vec<_>>().join(" "));
            rest = later;
        }
        names.iter_mut().filter(|name| name.is_empty()).for_each(|name| *name = "Stem".into());
        names
    }
}

impl<'a> Mp4Track<'a> {
    fn handler(&self) -> Option<[u8; 4]> {
        find(self.0, &[b"mdia", b"hdlr"])?.get(8..12)?.try_into().ok()
    }

    pub(super) fn table(&self, name: &[u8; 4]) -> Option<&'a [u8]> {
        find(self.0, &[b"mdia", b"minf", b"stbl", name])
    }

    /// Ticks a second of the media.
    pub(super) fn timescale(&self) -> u32 {
        let mdhd = find(self.0, &[b"mdia", b"mdhd"]).unwrap_or_default();
        word(mdhd, if mdhd.first() == Some(&1) { 20 } else { 12 }).unwrap_or(0)
    }

    /// Runs of packets of one duration: how many, and how long each is in ticks of the media.
    fn durations(&self) -> impl Iterator<Item = (u64, u64)> {
        let table = self.table(b"stts").and_then(|table| table.get(8..)).unwrap_or_default();
        table.as_chunks::<8>().0.iter().map(|[a, b, c, d, e, f, g, h]| {
            (u64::from(u32::from_be_bytes([*a, *b, *c, *d])), u64::from(u32::from_be_bytes([*e, *f, *g, *h])))
        })
    }

    /// The length of all packets in ticks of the media.
    pub(super) fn media_duration(&self) -> u64 {
        self.durations().fold(0u64, |sum, (count, each)| sum.saturating_add(count * each))
    }

    /// The length of the first `packets` packets, in frames.
    pub(super) fn frames_of(&self, packets: u64, rate: f64) -> u64 {
        let mut left = packets;
        let mut ticks = 0u64;
        for (count, each) in self.durations() {
            let now = count.min(left);
            ticks = ticks.saturating_add(now * each);
            left -= now;
        }
        (ticks as f64 * rate / f64::from(self.timescale().max(1))).round() as u64
    }

    /// The edit list; none if there is none, or an empty one.
    pub(super) fn edits(&self) -> Option<Vec<EditListEntry>> {
        let list = find(self.0, &[b"edts", b"elst"])?;
        let wide = list.first() == Some(&1);
        let count = word(list, 4)? as usize;
        let entries = list.get(8..)?.chunks_exact(if wide { 20 } else { 12 }).take(count);
        let edits: Option<Vec<EditListEntry>> = entries
            .map(|entry| {
                let (len, start) = if wide {
                    (long(entry, 0)?, long(entry, 8)?.cast_signed())
                } else {
                    (u64::from(word(entry, 0)?), i64::from(word(entry, 4)?.cast_signed()))
                };
                Some(EditListEntry { len, start: u64::try_from(start).ok() })
            })
            .collect();
        edits.filter(|edits| edits.iter().any(|edit| edit.start.is_some()))
    }

    /// True if both have one codec, one rate and one edit list: then their audio lies at the same place.
    pub(super) fn is_in_step_with(&self, other: &Self) -> bool {
        let kind = |track: &Self| track.codec().ok().map(|codec| codec.lossy());
        kind(self) == kind(other)
            && (self.rate(), self.timescale()) == (other.rate(), other.timescale())
            && self.edits() == other.edits()
    }

    fn entry(&self) -> Option<([u8; 4], &'a [u8])> {
        boxes(self.table(b"stsd")?.get(8..)?).next()
    }

    /// The sampling rate that the sample description gives, Hz.
    pub(super) fn rate(&self) -> u32 {
        self.entry().and_then(|(_, entry)| word(entry, 24)).map_or(0, |rate| rate >> 16)
    }

    /// The codec; else the kind of audio that is not read.
    pub(super) fn codec(&self) -> std::result::Result<Codec, String> {
        let (kind, entry) = self.entry().ok_or("MP4 without a description of its audio")?;
        // QuickTime's version 1 and 2 have more fields before the boxes, which may lie in a `wave` box.
        let fields = match entry.get(8..10) {
            Some([0, 1]) => 44,
            Some([0, 2]) => 64,
            _ => 28,
        };
        let inner = entry.get(fields..).unwrap_or_default();
        let inner = find(inner, &[b"wave"]).unwrap_or(inner);
        match &kind {
            b"mp4a" => {
                let esds = find(inner, &[b"esds"])
                    .and_then(|esds| esds.get(4..))
                    .ok_or("AAC without its description")?;
                elementary(esds)
            }
            b"alac" => {
                let cookie = find(inner, &[b"alac"])
                    .and_then(|alac| alac.get(4..))
                    .ok_or("ALAC without its description")?;
                Ok(Codec::Alac(cookie.to_vec()))
            }
            b".mp3" => Err("MP3 inside MP4".into()),
            b"Opus" => Err("Opus inside MP4".into()),
            b"fLaC" => Err("FLAC inside MP4".into()),
            b"ac-3" | b"ec-3" | b"ac-4" => Err("Dolby audio inside MP4".into()),
            b"enca" | b"drms" => Err("protected (encrypted) audio".into()),
            other => Err(format!("MP4 audio of the kind {}", other.escape_ascii())),
        }
    }
}

/// The codec of an elementary stream descriptor (ISO/IEC 14496-1, 7.2.6).
pub(in crate::compressed) fn elementary(bytes: &[u8]) -> std::result::Result<Codec, String> {
    let (stream, body) = descriptor(bytes).ok_or("AAC without its description")?;
    let body = if stream == 3 {
        let flags = body.get(2).copied().unwrap_or(0);
        let url = if flags & 0x40 != 0 { 1 + usize::from(body.get(5).copied().unwrap_or(0)) } else { 0 };
        let at = 3 + if flags & 0x80 != 0 { 2 } else { 0 } + url + if flags & 0x20 != 0 { 2 } else { 0 };
        body.get(at..).unwrap_or_default()
    } else {
        bytes
    };
    let (4, config) = descriptor(body).ok_or("AAC without its description")? else {
        return Err("AAC without its description".into());
    };
    match config.first() {
        Some(0x40 | 0x66..=0x68) => {}
        Some(0x69 | 0x6b) => return Err("MP3 inside MP4".into()),
        Some(other) => return Err(format!("MP4 audio of the object type {other:#04x}")),
        None => return Err("AAC without its description".into()),
    }
    match config.get(13..).and_then(descriptor) {
        Some((5, specific)) if specific.len() >= 2 => Ok(Codec::Aac(specific.to_vec())),
        _ => Err("AAC without its description".into()),
    }
}

/// The tag of a descriptor and its content.
fn descriptor(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let (tag, mut rest) = bytes.split_first()?;
    let mut len = 0usize;
    for _ in 0..4 {
        let (byte, after) = rest.split_first()?;
        rest = after;
        len = len << 7 | usize::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            break;
        }
    }
    Some((*tag, &rest[..len.min(rest.len())]))
}
