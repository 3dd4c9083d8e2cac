//! MP4 (ISO base media): the audio streams of a file, their packets, and by edit list or iTunes' tag where the audio lies.
//!
//! Sources: ISO/IEC 14496-12 (boxes, sample tables, edit lists), 14496-14 (`mp4a`, `esds`), QuickTime File Format (sound
//! sample descriptions 1 and 2), Native Instruments "Stem File Specification 1.0".

mod boxes;
mod tables;

use std::path::{Path, PathBuf};

use super::PacketStream;
use super::codec::{Codec, PacketDecoder};
use crate::error::{EXPORT_AGAIN, Error, Result, ffmpeg};
use crate::info::{AudioInfo, Container, SampleFormat, absurd};
use crate::section::Section;
pub(super) use boxes::elementary;
use boxes::{Movie, Mp4Track};
use units::Hz;

/// True if the name is that of a stem file: MP4 with the mix as its first stream and a stem in each of the others.
pub fn is_stem_file(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    [".stem.mp4", ".stem.m4a"].iter().any(|end| name.ends_with(end))
}

/// The streams of a stem file as paths below it, which [`super::super::AudioReader::open`] takes: the mix, then the stems by
/// the names that the file gives them.
///
/// # Errors
/// If it cannot be read or holds no audio.
pub fn stem_streams(path: &Path) -> Result<Vec<PathBuf>> {
    let movie = Movie::read(&mut Section::open(path)?, path)?;
    let names = movie.stem_names();
    let count = movie.audio().count();
    if count == 0 {
        return Err(Error::not_audio(path, "it is MP4 without audio"));
    }
    let name = |stream: usize| match names.get(stream.wrapping_sub(1)) {
        Some(name) => format!("{stream:02}_{name}_Stem.m4a"),
        None if stream == 0 => "00_Mix.m4a".into(),
        None => format!("{stream:02}_Stem {stream}_Stem.m4a"),
    };
    Ok((0..count).map(|stream| path.join(name(stream))).collect())
}

/// The stem file and the number of the stream that such a path names.
pub(crate) fn stem_stream(path: &Path) -> Option<(&Path, usize)> {
    let file = path.parent().filter(|file| is_stem_file(file) && file.is_file())?;
    let name = path.file_name()?.to_str()?;
    let digits = name.len() - name.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    Some((file, name[..digits].parse().ok()?))
}

/// The file on the disk that a path means: for a stream of a stem file, the stem file.
pub fn file_of(path: &Path) -> &Path {
    stem_stream(path).map_or(path, |(file, _)| file)
}

/// True unless the file is MP4 with audio and without a moving picture.
pub fn is_movie(path: &Path) -> bool {
    let movie = Section::open(path).and_then(|mut section| Movie::read(&mut section, path));
    movie.map_or(true, |movie| movie.has_video() || movie.audio().next().is_none())
}

/// Opens an audio stream by its number among them; none: the only one.
pub(super) fn open(section: &mut Section, path: &Path, stream: Option<usize>) -> Result<PacketStream> {
    let movie = Movie::read(section, path)?;
    let count = movie.audio().count();
    if stream.is_none() && count > 1 {
        let fault = format!("MP4 with {count} audio streams");
        let cure = "name it .stem.mp4 if it is a stem file, or give each stream a file of its own";
        return Err(Error::unsupported(path, fault, cure));
    }
    let Some(track) = movie.audio().nth(stream.unwrap_or(0)) else {
        return Err(Error::not_audio(path, "it is MP4 without audio"));
    };
    let codec = track.codec().map_err(|kind| Error::unsupported(path, kind, ffmpeg(path)))?;
    if movie.is_fragmented() {
        return Err(Error::unsupported(path, "fragmented MP4", ffmpeg(path)));
    }
    let properties =
        Properties::of(&track, &codec).map_err(|kind| Error::unsupported(path, kind, ffmpeg(path)))?;
    if let Some(fault) = absurd(properties.channels, properties.rate) {
        return Err(Error::malformed(path, fault, EXPORT_AGAIN));
    }
    let table = tables::packets(&track, section.len())
        .map_err(|fault| Error::malformed(path, format!("it is damaged, {fault}"), EXPORT_AGAIN))?;
    let placed = Placed::new(&movie, &track, &codec, properties.rate)
        .map_err(|kind| Error::unsupported(path, kind, ffmpeg(path)))?;
    let mut warnings = Vec::new();
    let mut frames = placed.frames;
    if table.missing > 0 {
        let present = track.frames_of(table.pieces.len() as u64, properties.rate).saturating_sub(placed.skip);
        frames = frames.min(present + placed.lead);
        warnings.push(format!("is cut off: {frames} frames found of {} declared", placed.frames));
    }
    if frames == 0 {
        warnings.push("holds no audio".into());
    }
    let lossy = codec.lossy();
    // The streams of a stem file come from one encoder: what is not said of any of them is the same for all.
    let in_step = stream.is_some() && movie.audio().all(|other| other.is_in_step_with(&track));
    let decoder = PacketDecoder::new(codec).map_err(|fault| {
        Error::unsupported(path, format!("{} ({fault})", lossy.unwrap_or("ALAC")), ffmpeg(path))
    })?;
    let info = AudioInfo {
        frames,
        channel_mask: crate::flac::mask(properties.channels).filter(|_| properties.channels < 7),
        lossy,
        start_known: placed.known || in_step,
        warnings,
        ..AudioInfo::new(Container::Mp4, Hz(properties.rate), properties.channels, properties.format)
    };
    let pieces = table.pieces;
    Ok(PacketStream { info, decoder, pieces, lead: placed.lead, skip: placed.skip })
}

/// Properties of a stream as its decoder will give it.
pub(super) struct Properties {
    pub(super) rate: f64,
    pub(super) channels: usize,
    pub(super) format: SampleFormat,
}

impl Properties {
    fn of(track: &Mp4Track<'_>, codec: &Codec) -> std::result::Result<Self, String> {
        let properties = Self::of_codec(codec)?;
        // AAC whose upper half is made by SBR says so in its configuration, or only by twice the rate.
        if matches!(codec, Codec::Aac(_)) && f64::from(track.rate()) >= 1.9 * properties.rate {
            return Err("HE-AAC".into());
        }
        Ok(properties)
    }

    pub(super) fn of_codec(codec: &Codec) -> std::result::Result<Self, String> {
        match codec {
            Codec::Aac(config) => aac(config),
            Codec::Alac(cookie) => {
                let cookie = bare_cookie(cookie).ok_or("ALAC without its description")?;
                let word = |at: usize| {
                    u32::from_be_bytes([cookie[at], cookie[at + 1], cookie[at + 2], cookie[at + 3]])
                };
                let bits = u16::from(cookie[5]);
                if !(1..=32).contains(&bits) {
                    return Err(format!("{bits}-bit ALAC"));
                }
                Ok(Self {
                    rate: f64::from(word(20)),
                    channels: usize::from(cookie[9]),
                    format: SampleFormat::Int { bits },
                })
            }
            _ => Err("this kind of audio".into()),
        }
    }
}

/// The description of ALAC without the boxes that QuickTime puts in front.
fn bare_cookie(mut cookie: &[u8]) -> Option<&[u8]> {
    for name in [b"frma", b"alac"] {
        if cookie.get(4..8) == Some(name) {
            cookie = cookie.get(12..)?;
        }
    }
    (cookie.len() >= 24).then_some(cookie)
}

/// Reads an AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1).
fn aac(config: &[u8]) -> std::result::Result<Properties, String> {
    const RATES: [f64; 13] =
        [96e3, 88.2e3, 64e3, 48e3, 44.1e3, 32e3, 24e3, 22.05e3, 16e3, 12e3, 11.025e3, 8e3, 7.35e3];
    let bits = config.iter().take(8).fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
    let bits = bits.checked_shl(8 * (8 - config.len().min(8)) as u32).unwrap_or(0);
    let take = |at: u32, len: u32| bits << at >> (64 - len);
    let kind = take(0, 5);
    match kind {
        2 => {}
        5 | 29 => return Err("HE-AAC".into()),
        1 => return Err("AAC Main".into()),
        39 | 23 => return Err("low-delay AAC".into()),
        42 => return Err("xHE-AAC".into()),
        _ => return Err("an unusual kind of AAC".into()),
    }
    let (rate, at) = match take(5, 4) {
        15 => (take(9, 24) as f64, 33),
        index => (*RATES.get(index as usize).ok_or("AAC of no rate")?, 9),
    };
    let channels = take(at, 4) as usize;
    // A frame of 960, or an extension that says that SBR follows.
    if take(at + 4, 1) != 0 {
        return Err("AAC with frames of 960".into());
    }
    let rest = at + 7;
    if config.len() * 8 >= rest as usize + 17
        && take(rest, 11) == 0x2b7
        && take(rest + 11, 5) == 5
        && take(rest + 16, 1) == 1
    {
        return Err("HE-AAC".into());
    }
    if !(1..=2).contains(&channels) {
        return Err(format!("AAC of {channels} channels"));
    }
    Ok(Properties { rate, channels, format: SampleFormat::Float { bits: 32 } })
}

/// The place of the audio among the decoded frames.
struct Placed {
    lead: u64,
    skip: u64,
    frames: u64,
    known: bool,
}

impl Placed {
    fn new(
        movie: &Movie,
        track: &Mp4Track<'_>,
        codec: &Codec,
        rate: f64,
    ) -> std::result::Result<Self, String> {
        let scale = rate / f64::from(track.timescale().max(1));
        let in_frames = |media: u64| (media as f64 * scale).round() as u64;
        let all = in_frames(track.media_duration());
        let itunes = movie.itunes_gaps();
        let Some(edits) = track.edits() else {
            return Ok(match itunes {
                Some([delay, _, len]) => Self { lead: 0, skip: delay, frames: len, known: true },
                None => Self { lead: 0, skip: 0, frames: all, known: codec.lossy().is_none() },
            });
        };
        let tick = rate / f64::from(movie.timescale().max(1));
        let mut lead = 0.0;
        let mut parts = Vec::new();
        for edit in edits {
            match edit.start {
                None if parts.is_empty() => lead += edit.len as f64 * tick,
                None => {}
                Some(start) => parts.push((start, edit.len)),
            }
        }
        let [(start, len)] = parts.as_slice() else {
            return Err(format!("MP4 that plays {} parts in an order of their own", parts.len()));
        };
        let lead = lead.round() as u64;
        let skip = in_frames(*start);
        if let Some([delay, _, frames]) = itunes.filter(|[delay, ..]| skip == 0 || skip == *delay) {
            return Ok(Self { lead, skip: delay, frames: lead + frames, known: true });
        }
        // The edit's length counts in ticks of the movie, often milliseconds; the packets' own durations are exact.
        let rest = all.saturating_sub(skip);
        let edited = *len as f64 * tick;
        let frames =
            if *len == 0 || edited > rest as f64 - tick.max(1.0) { rest } else { edited.round() as u64 };
        Ok(Self { lead, skip, frames: lead + frames, known: skip > 0 || codec.lossy().is_none() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn atom(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
        [&(content.len() as u32 + 8).to_be_bytes(), &name[..], content].concat()
    }

    /// A movie of 1000 ticks a second with one stream of 44.1 kHz: 50 packets of 1024 and one of 300.
    fn moov(edits: &[[i32; 2]], smpb: Option<&str>) -> Movie {
        let words = |words: &[u32]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<u8>>();
        let header = |scale: u32| words(&[0, 0, 0, scale, 0]);
        let mut handler = words(&[0, 0]);
        handler.extend(b"soun");
        let table = atom(b"stbl", &atom(b"stts", &words(&[0, 2, 50, 1024, 1, 300])));
        let media = [atom(b"mdhd", &header(44_100)), atom(b"hdlr", &handler), atom(b"minf", &table)].concat();
        let mut list = words(&[0, edits.len() as u32]);
        for [len, start] in edits {
            list.extend(words(&[len.cast_unsigned(), start.cast_unsigned(), 1 << 16]));
        }
        let edits = if edits.is_empty() { Vec::new() } else { atom(b"edts", &atom(b"elst", &list)) };
        let mut content =
            [atom(b"mvhd", &header(1000)), atom(b"trak", &[edits, atom(b"mdia", &media)].concat())].concat();
        if let Some(smpb) = smpb {
            let item = [
                atom(b"mean", b"\0\0\0\0com.apple.iTunes"),
                atom(b"name", b"\0\0\0\0iTunSMPB"),
                atom(b"data", &[&[0, 0, 0, 1, 0, 0, 0, 0], smpb.as_bytes()].concat()),
            ];
            let list = atom(b"ilst", &atom(b"----", &item.concat()));
            content.extend(atom(b"udta", &atom(b"meta", &[&[0; 4][..], &list].concat())));
        }
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file can be made");
        std::io::Write::write_all(&mut file, &atom(b"moov", &content)).expect("writes");
        Movie::read(&mut Section::open(file.path()).expect("opens"), file.path()).expect("is a movie")
    }

    const SMPB: &str = " 00000000 00000840 000001CC 000000000000C2C4 00000000 00000000";

    #[test]
    fn the_place_of_the_audio_follows_from_edits_and_tags() {
        let all = 50 * 1024 + 300;
        let aac = Codec::Aac(vec![0x12, 0x10]);
        let alac = Codec::Alac(Vec::new());
        let cases = [
            ("an edit", &aac, moov(&[[1144, 1024]], None), [0, 1024, all - 1024], true),
            ("an edit that ends early", &aac, moov(&[[500, 1024]], None), [0, 1024, 22_050], true),
            ("an edit of no length", &aac, moov(&[[0, 2112]], None), [0, 2112, all - 2112], true),
            (
                "silence before",
                &aac,
                moov(&[[100, -1], [1144, 1024]], None),
                [4410, 1024, 4410 + all - 1024],
                true,
            ),
            ("a tag", &aac, moov(&[], Some(SMPB)), [0, 2112, 49_860], true),
            ("a tag and an edit of all", &aac, moov(&[[1168, 0]], Some(SMPB)), [0, 2112, 49_860], true),
            ("an edit of all", &aac, moov(&[[1168, 0]], None), [0, 0, all], false),
            ("nothing", &aac, moov(&[], None), [0, 0, all], false),
            ("nothing is lost", &alac, moov(&[], None), [0, 0, all], true),
        ];
        for (name, codec, movie, [lead, skip, frames], known) in cases {
            let track = movie.audio().next().expect("an audio stream");
            let placed = Placed::new(&movie, &track, codec, 44_100.0)
                .unwrap_or_else(|fault| panic!("{name}: {fault}"));
            assert_eq!([placed.lead, placed.skip, placed.frames], [lead, skip, frames], "{name}");
            assert_eq!(placed.known, known, "{name}");
        }
        let movie = moov(&[[100, 5000], [200, 0]], None);
        let track = movie.audio().next().expect("an audio stream");
        let fault = Placed::new(&movie, &track, &aac, 44_100.0).err().expect("is refused");
        assert!(fault.contains("2 parts"), "{fault}");
    }

    #[test]
    fn aac_that_is_not_low_complexity_is_named() {
        assert!(aac(&[0x12, 0x10]).is_ok_and(|it| (it.rate, it.channels) == (44_100.0, 2)));
        for (config, name) in [
            (&[0x2b, 0x92, 0x08, 0x00][..], "HE-AAC"),
            (&[0x13, 0x90, 0x56, 0xe5, 0xa0], "HE-AAC"),
            (&[0x0a, 0x10], "AAC Main"),
            (&[0x12, 0x30], "AAC of 6 channels"),
            (&[], "an unusual kind of AAC"),
        ] {
            let fault = aac(config).err().unwrap_or_default();
            assert!(fault.contains(name), "{config:02x?}: {fault}");
        }
    }
}
