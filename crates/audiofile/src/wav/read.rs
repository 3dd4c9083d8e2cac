//! The streaming reader.

use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::bext::{self, Bext};
use super::chunks::{ChunkSpan, Chunks};
use super::format::{self, Format};
use crate::error::{EXPORT_AGAIN, Error, Result, code};
use crate::info::{AudioInfo, Container};
use crate::pcm::{PcmStream, read_up_to};
use crate::section::Section;

/// The most bytes of one chunk, other than audio, that are ever read: 64 MiB.
pub const MAX_CHUNK: u64 = 1 << 26;

/// The most bytes of coding history that are read.
const MAX_HISTORY: u64 = 1 << 20;

/// An open WAV file: its properties, its samples as planar `f64` in +-1, its other chunks as bytes.
///
/// Memory is bounded by the frames asked for at once, never by what the file declares. Non-finite samples of
/// float files come through as they are.
pub struct WavReader<R = Section> {
    pcm: PcmStream<R>,
    info: AudioInfo,
    chunks: Vec<ChunkSpan>,
}

impl WavReader<Section> {
    /// Opens the file. What can be helped is in [`AudioInfo::warnings`], all else is an error.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        Self::new(Section::open(path)?, path)
    }
}

impl<R: Read + Seek> WavReader<R> {
    /// Reads WAV from any source; `path` only names it in errors.
    pub fn new(mut inner: R, path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let file_len = inner.seek(SeekFrom::End(0)).map_err(Error::read(&path))?;
        let chunks = Chunks::walk(&mut inner, &path, file_len)?;
        let missing = |what: &str, cure| Error::malformed(&path, format!("it has no {what} chunk"), cure);
        let span = chunks.find(b"fmt ").ok_or_else(|| missing("format", EXPORT_AGAIN))?;
        let mut bytes = [0; format::USED];
        let bytes = start(&mut inner, &path, span, &mut bytes)?;
        let format = Format::parse(&path, bytes)?;
        let data = chunks.find(b"data").ok_or_else(|| missing("data", EXPORT_AGAIN))?;

        let mut warnings = chunks.warnings;
        warnings.extend(format.warnings);
        let frame_bytes = (format.channels * format.encoding.bytes) as u64;
        let frames = data.len / frame_bytes;
        if data.declared > data.len {
            warnings.push(format!(
                "is cut off: {frames} frames found of {} declared",
                data.declared / frame_bytes
            ));
        } else if frames == 0 {
            warnings.push("holds no audio".into());
        } else if data.len % frame_bytes != 0 && chunks.container != Container::Wave64 {
            warnings.push(format!("ends with {} bytes of an incomplete frame", data.len % frame_bytes));
        }
        let bext = match chunks.spans.iter().find(|span| span.id == *b"bext") {
            Some(span) => {
                let mut bytes = Vec::new();
                inner.seek(SeekFrom::Start(span.position)).map_err(Error::read(&path))?;
                let most = span.len.min(bext::FIXED as u64 + MAX_HISTORY);
                inner.by_ref().take(most).read_to_end(&mut bytes).map_err(Error::read(&path))?;
                let bext = Bext::parse(&bytes);
                match &bext {
                    Some(bext) => {
                        warnings.extend(
                            bext.source_faults().map(|fault| format!("{}{fault}", bext::MADE_FROM_FAULTY)),
                        );
                    }
                    None => warnings.push(format!("has a broadcast extension of only {} bytes", bytes.len())),
                }
                bext
            }
            None => None,
        };
        let info = AudioInfo {
            frames,
            channel_mask: format.channel_mask,
            lossy: bext.as_ref().and_then(Bext::source_codec),
            bext,
            warnings,
            ..AudioInfo::new(chunks.container, format.rate, format.channels, format.format)
        };
        let pcm = PcmStream::new(inner, path, data.position, frames, format.channels, format.encoding);
        Ok(Self { pcm, info, chunks: chunks.spans })
    }

    /// The properties of the file.
    pub fn info(&self) -> &AudioInfo {
        &self.info
    }

    /// Reads up to `frames` frames into `planes`, one for each channel, which are resized to what was read.
    ///
    /// Returns how many frames that is; fewer than asked for only at the end. Panics if `planes` are not as
    /// many as the channels.
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

    /// The next frame to be read.
    pub fn position(&self) -> u64 {
        self.pcm.position()
    }

    /// All chunks in the order of the file, to find `axml`, `chna`, `iXML`, `cue ` and others.
    pub fn chunks(&self) -> &[ChunkSpan] {
        &self.chunks
    }

    /// The content of the first chunk with this id; `None` if there is none. At most [`MAX_CHUNK`] bytes, and
    /// not of a chunk that is cut off.
    pub fn chunk(&mut self, id: &[u8; 4]) -> Result<Option<Vec<u8>>> {
        let Some(span) = self.chunks.iter().copied().find(|span| span.id == *id) else {
            return Ok(None);
        };
        let (inner, path) = self.pcm.source();
        if span.declared > span.len {
            let fault = format!("its {} chunk is cut off", code(span.id));
            return Err(Error::malformed(path, fault, EXPORT_AGAIN));
        }
        if span.len > MAX_CHUNK {
            let fault = format!("its {} chunk of {} MiB", code(span.id), span.len >> 20);
            return Err(Error::unsupported(path, fault, EXPORT_AGAIN));
        }
        let mut bytes = Vec::new();
        inner.seek(SeekFrom::Start(span.position)).map_err(Error::read(path))?;
        inner.take(span.len).read_to_end(&mut bytes).map_err(Error::read(path))?;
        Ok(Some(bytes))
    }
}

/// The first bytes of a chunk, as many as fit `buffer`.
fn start<'a>(
    inner: &mut (impl Read + Seek),
    path: &Path,
    span: ChunkSpan,
    buffer: &'a mut [u8],
) -> Result<&'a [u8]> {
    let len = buffer.len().min(usize::try_from(span.len).unwrap_or(usize::MAX));
    inner.seek(SeekFrom::Start(span.position)).map_err(Error::read(path))?;
    let len = read_up_to(inner, &mut buffer[..len]).map_err(Error::read(path))?;
    Ok(&buffer[..len])
}

#[cfg(test)]
mod tests {
    use super::super::build::{
        chunk, ds64, extensible, fault, file, fmt, format, open, read_all, riff, samples, sized,
    };
    use super::super::format::{FLOAT, PCM};
    use crate::{Container, SampleFormat};
    use units::Hz;

    const NONE: Vec<String> = Vec::new();

    fn data() -> Vec<u8> {
        chunk(b"data", &samples(&[1, -2, 3, -4]))
    }

    /// One plane of the sixteen-bit samples of [`data`], read without fault.
    #[track_caller]
    fn is_whole(bytes: &[u8]) {
        assert_eq!(read_all(bytes), (vec![vec![1.0, -2.0, 3.0, -4.0]], NONE));
    }

    #[test]
    fn channels_come_apart() {
        let bytes = riff(&[fmt(2), data()]);
        assert_eq!(read_all(&bytes), (vec![vec![1.0, 3.0], vec![-2.0, -4.0]], NONE));
        let reader = open(&bytes).expect("opens");
        let info = reader.info();
        assert_eq!((info.rate, info.channels, info.frames), (Hz(48_000.0), 2, 2));
        assert_eq!((info.container, info.format), (Container::Wav, SampleFormat::Int { bits: 16 }));
    }

    #[test]
    fn every_sample_format_spans_plus_minus_one_exactly() {
        let cases: [(u16, u16, &[u8], [f64; 2]); 6] = [
            (PCM, 8, &[0, 255], [-1.0, 127.0 / 128.0]),
            (PCM, 16, &[0, 0x80, 0xff, 0x7f], [-1.0, 32_767.0 / 32_768.0]),
            (PCM, 24, &[0, 0, 0x80, 1, 0, 0], [-1.0, 1.0 / 8_388_608.0]),
            (PCM, 32, &[0, 0, 0, 0x80, 1, 0, 0, 0], [-1.0, 1.0 / 2_147_483_648.0]),
            (FLOAT, 32, &[0, 0, 0x80, 0xbf, 0, 0, 0, 0x40], [-1.0, 2.0]),
            (FLOAT, 64, &[0, 0, 0, 0, 0, 0, 0xf0, 0xbf, 0, 0, 0, 0, 0, 0, 0, 0x40], [-1.0, 2.0]),
        ];
        for (tag, bits, bytes, expected) in cases {
            let bytes = riff(&[chunk(b"fmt ", &format(tag, 1, bits)), chunk(b"data", bytes)]);
            let mut plane = [Vec::new()];
            open(&bytes).expect("opens").read_planar(&mut plane, 9).expect("reads");
            assert_eq!(plane[0], expected, "{tag} {bits}");
        }
    }

    #[test]
    fn format_chunks_of_any_size_are_taken() {
        for size in [16, 17, 18, 20, 39, 40, 41, 500] {
            let mut content = format(PCM, 1, 16);
            content.resize(size, 0);
            is_whole(&riff(&[chunk(b"fmt ", &content), data()]));
        }
        let content = extensible(PCM, 1, 16, 16, 4);
        is_whole(&riff(&[chunk(b"fmt ", &content), data()]));
    }

    #[test]
    fn a_float_file_may_have_a_sixteen_byte_format_chunk() {
        let values: Vec<u8> = [0.25f32, f32::NAN].iter().flat_map(|x| x.to_le_bytes()).collect();
        let bytes = riff(&[chunk(b"fmt ", &format(FLOAT, 1, 32)), chunk(b"data", &values)]);
        let (planes, warnings) = read_all(&bytes);
        assert_eq!(planes[0][0], 0.25 * 32_768.0);
        assert!(planes[0][1].is_nan(), "NaN comes through");
        assert_eq!(warnings, NONE);
    }

    #[test]
    fn chunks_around_the_audio_do_no_harm() {
        let junk = || chunk(b"JUNK", &[1; 27]);
        let list = || chunk(b"LIST", b"INFOISFT\x05\0\0\0Reap\0\0");
        is_whole(&riff(&[junk(), list(), fmt(1), chunk(b"what", &[9; 3]), data(), list(), junk()]));
        is_whole(&riff(&[data(), fmt(1)]));
    }

    #[test]
    fn a_forgotten_pad_byte_is_noticed() {
        let odd = || sized(b"LIST", 5, b"INFOx");
        is_whole(&riff(&[odd(), fmt(1), sized(b"JUNK", 3, b"abc"), data()]));
        let bytes = riff(&[
            chunk(b"fmt ", &format(PCM, 1, 8)),
            sized(b"data", 3, &[128; 3]),
            chunk(b"bext", &[0; 602]),
        ]);
        let reader = open(&bytes).expect("opens");
        assert_eq!(reader.info().frames, 3);
        assert!(reader.info().bext.is_some(), "the chunk behind unpadded audio is found");
    }

    #[test]
    fn a_truncated_file_gives_what_it_has_and_says_so() {
        let whole = riff(&[fmt(1), data()]);
        let (planes, warnings) = read_all(&whole[..whole.len() - 3]);
        assert_eq!(planes, [[1.0, -2.0]]);
        assert_eq!(warnings, ["is cut off: 2 frames found of 4 declared"]);
    }

    #[test]
    fn ten_gigabytes_in_a_kilobyte_are_not_believed() {
        let bytes = file(
            b"RF64",
            &[chunk(b"ds64", &ds64(10 << 30)), fmt(1), sized(b"data", u32::MAX, &samples(&[7; 500]))],
        );
        let (planes, warnings) = read_all(&bytes);
        assert_eq!(planes[0].len(), 500);
        assert_eq!(warnings, ["is cut off: 500 frames found of 5368709120 declared"]);
        let bytes = riff(&[fmt(1), sized(b"axml", u32::MAX, b"<"), data()]);
        assert!(fault(&bytes).contains("no data chunk"));
    }

    #[test]
    fn a_streamed_length_is_replaced_by_what_is_there() {
        for size in [0, u32::MAX] {
            let bytes = riff(&[fmt(1), sized(b"data", size, &samples(&[1, -2, 3, -4]))]);
            let (planes, warnings) = read_all(&bytes);
            assert_eq!(planes, [[1.0, -2.0, 3.0, -4.0]]);
            assert_eq!(warnings.len(), 1, "{warnings:?}");
            assert!(warnings[0].contains("declares no length"), "{warnings:?}");
        }
        let empty = riff(&[fmt(1), chunk(b"data", &[]), chunk(b"LIST", b"INFO")]);
        assert_eq!(read_all(&empty), (vec![vec![]], vec!["holds no audio".into()]));
    }

    #[test]
    fn the_64_bit_forms_take_their_sizes_from_ds64() {
        for (id, container) in [(b"RF64", Container::Rf64), (b"BW64", Container::Bw64)] {
            let audio = samples(&[1, -2, 3, -4]);
            let parts =
                [chunk(b"ds64", &ds64(8)), fmt(1), sized(b"data", u32::MAX, &audio), chunk(b"LIST", b"INFO")];
            is_whole(&file(id, &parts));
            let bytes = file(id, &parts);
            let reader = open(&bytes).expect("opens");
            assert_eq!(reader.info().container, container);
            assert_eq!(reader.chunks().last().map(|span| span.id), Some(*b"LIST"));
        }
    }

    #[test]
    fn ds64_may_give_the_size_of_other_chunks() {
        let mut sizes = ds64(8);
        sizes[24] = 1;
        sizes.extend(b"axml");
        sizes.extend(3u64.to_le_bytes());
        let mut axml = sized(b"axml", u32::MAX, b"<a>");
        axml.push(0);
        let bytes = file(b"BW64", &[chunk(b"ds64", &sizes), fmt(1), axml, data()]);
        is_whole(&bytes);
        assert_eq!(open(&bytes).expect("opens").chunk(b"axml").expect("reads"), Some(b"<a>".to_vec()));
    }

    #[test]
    fn oddities_that_can_be_helped_are_warnings() {
        let incomplete = riff(&[fmt(2), chunk(b"data", &samples(&[1, 2, 3]))]);
        assert_eq!(read_all(&incomplete).1, ["ends with 2 bytes of an incomplete frame"]);
        let twice = riff(&[fmt(1), data(), data()]);
        assert_eq!(read_all(&twice).1, ["holds a second data chunk, which is ignored"]);
        let short = riff(&[fmt(1), chunk(b"bext", &[0; 600]), data()]);
        assert_eq!(read_all(&short).1, ["has a broadcast extension of only 600 bytes"]);
        let second = riff(&[fmt(1), data()]);
        assert_eq!(
            read_all(&[&second[..], &second].concat()).1,
            ["holds a second RIFF file behind the first, 52 bytes, which is not read"]
        );
        let rubbish = riff(&[fmt(1), data(), vec![0; 32]]);
        assert_eq!(read_all(&rubbish).1, ["bytes after 52 are no chunks and are ignored"]);
    }

    #[test]
    fn what_is_no_wav_is_named() {
        for (bytes, name) in [
            (&b""[..], "it is empty"),
            (b"RIFF", "it ends after 4 bytes"),
            (b"hello, world", "it starts with something else"),
            (b"RIFX\0\0\0\0WAVE", "big-endian RIFX"),
            (b"RIFF\0\0\0\0AVI ", "a RIFF file of the kind AVI "),
            (b"RIFF\0\0\0\0\n\x1b[3", "of the kind \\n\\x1b[3"),
            (b"RIFF\0\0\0\0WAVE", "no format chunk"),
        ] {
            assert!(fault(bytes).contains(name), "{}", fault(bytes));
        }
        assert!(fault(&riff(&[fmt(1)])).contains("no data chunk"));
        assert!(fault(&riff(&[data()])).contains("no format chunk"));
        assert!(fault(&riff(&[chunk(b"fmt ", &[1, 0]), data()])).contains("only 2 bytes"));
    }

    #[test]
    fn seeking_gives_the_same_samples_as_reading_on() {
        let values: Vec<i16> = (0..30_000).collect();
        let bytes = riff(&[fmt(2), chunk(b"data", &samples(&values))]);
        let mut reader = open(&bytes).expect("opens");
        let mut planes = [Vec::new(), Vec::new()];
        for (to, frames, expected) in [(14_990, 20, 10), (3, 5, 5), (0, 15_000, 15_000), (99_999, 1, 0)] {
            reader.seek(to);
            assert_eq!(reader.read_planar(&mut planes, frames).expect("reads"), expected);
            for (i, pair) in planes[0].iter().zip(&planes[1]).enumerate() {
                let first = 2.0 * (to as f64 + i as f64);
                assert_eq!((pair.0 * 32_768.0, pair.1 * 32_768.0), (first, first + 1.0));
            }
        }
        assert_eq!(reader.position(), 15_000);
    }

    #[test]
    fn other_chunks_can_be_had_and_audio_read_on() {
        let bytes = riff(&[fmt(1), chunk(b"chna", &[5; 7]), data(), chunk(b"axml", b"<x/>")]);
        let mut reader = open(&bytes).expect("opens");
        let mut plane = [Vec::new()];
        reader.read_planar(&mut plane, 1).expect("reads");
        assert_eq!(reader.chunk(b"axml").expect("reads"), Some(b"<x/>".to_vec()));
        assert_eq!(reader.chunk(b"chna").expect("reads"), Some(vec![5; 7]));
        assert_eq!(reader.chunk(b"iXML").expect("reads"), None);
        reader.read_planar(&mut plane, 1).expect("reads");
        assert_eq!(plane[0], [-2.0 / 32_768.0]);
        let mut reader = open(&bytes[..bytes.len() - 1]).expect("opens");
        assert!(reader.chunk(b"axml").is_err_and(|error| error.to_string().contains("cut off")));
    }

    #[test]
    fn a_flood_of_chunks_is_cut_short() {
        let flood: Vec<Vec<u8>> = (0..5000).map(|_| chunk(b"JUNK", &[])).collect();
        let (planes, warnings) = read_all(&riff(&[fmt(1), data(), flood.concat()]));
        assert_eq!(planes[0].len(), 4);
        assert!(warnings[0].contains("more than 4096 chunks"), "{warnings:?}");
    }
}
