//! FLAC, decoded by symphonia and held to what the file promises: every frame, in order, and their MD5.

use std::io::{Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use symphonia::core::audio::{Audio, GenericAudioBufferRef};
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error as Fault;
use symphonia::core::formats::{FormatOptions, FormatReader, SeekMode, SeekTo};
use symphonia::core::io::{MediaSource, MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::packet::Packet;
use symphonia::default::codecs::FlacDecoder;
use symphonia::default::formats::FlacReader as Demuxer;

use super::info::{AudioInfo, Container, SampleFormat, absurd};
use super::section::Section;
use crate::error::{EXPORT_AGAIN, Error, Result, one_line};
use units::Hz;

/// An open FLAC file: its properties and its samples as planar `f64` in +-1.
///
/// A damaged frame, a missing one, or (when read from start to end) a wrong checksum is an error, never a gap.
pub struct FlacReader {
    path: PathBuf,
    stream: Stream,
    info: AudioInfo,
    /// Next frame to hand out.
    position: u64,
    /// Samples of the last packet, 32 bits, and how many of its frames are done.
    packet: Vec<Vec<i32>>,
    used: usize,
    /// True as long as the checksum covers all that was decoded.
    sequential: bool,
}

impl MediaSource for Section {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.len())
    }
}

/// The two halves of symphonia.
struct Stream {
    demuxer: Demuxer<'static>,
    decoder: FlacDecoder,
}

impl FlacReader {
    /// Opens the file. A file that does not declare its length is read once to count.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref().to_owned();
        let stream = Stream::open(&path)?;
        let declared = Declared::read(&path)?;
        let mut warnings = Vec::new();
        if let Some(fault) = absurd(declared.channels, declared.rate) {
            return Err(Error::malformed(&path, fault, EXPORT_AGAIN));
        }
        let frames = match declared.frames {
            0 => {
                let frames = Stream::open(&path)?.count(&path, declared.audio_bytes)?;
                warnings.push(format!("declares no length (it was streamed); {frames} frames found"));
                frames
            }
            frames => frames,
        };
        if frames == 0 {
            warnings.push("holds no audio".into());
        }
        let info = AudioInfo {
            frames,
            channel_mask: mask(declared.channels),
            warnings,
            ..AudioInfo::new(
                Container::Flac,
                Hz(declared.rate),
                declared.channels,
                SampleFormat::Int { bits: declared.bits },
            )
        };
        let packet = vec![Vec::new(); info.channels];
        Ok(Self { path, stream, info, position: 0, packet, used: 0, sequential: true })
    }

    /// The properties of the file.
    pub fn info(&self) -> &AudioInfo {
        &self.info
    }

    /// Reads up to `frames` frames into `planes`; see [`super::AudioReader::read_planar`].
    pub fn read_planar(&mut self, planes: &mut [Vec<f64>], frames: usize) -> Result<usize> {
        assert_eq!(planes.len(), self.info.channels, "one plane for each channel");
        planes.iter_mut().for_each(Vec::clear);
        let left = usize::try_from(self.info.frames - self.position).unwrap_or(usize::MAX);
        let wanted = frames.min(left);
        let mut done = 0;
        while done < wanted {
            if self.used == self.packet[0].len() {
                self.next_packet()?;
            }
            let now = (self.packet[0].len() - self.used).min(wanted - done);
            for (plane, samples) in planes.iter_mut().zip(&self.packet) {
                let samples = &samples[self.used..self.used + now];
                plane.extend(samples.iter().map(|&sample| f64::from(sample) / (1u64 << 31) as f64));
            }
            self.used += now;
            self.position += now as u64;
            done += now;
        }
        if self.position == self.info.frames && done > 0 {
            self.check_the_end()?;
        }
        Ok(done)
    }

    /// Makes `frame` the next to be read; past the end is the end.
    pub fn seek(&mut self, frame: u64) -> Result<()> {
        let target = frame.min(self.info.frames);
        self.sequential = false;
        self.forget();
        self.position = target;
        if target == self.info.frames {
            return Ok(());
        }
        // symphonia's search may fail near the end of a file or land on a false frame: then from the start.
        if target == 0 || self.jump(target).is_err() {
            self.stream = Stream::open(&self.path)?;
            self.forget();
            self.position = 0;
            self.sequential = true;
            while self.position + (self.packet[0].len() as u64) <= target {
                self.position += self.packet[0].len() as u64;
                self.forget();
                self.next_packet()?;
            }
            self.used = (target - self.position) as usize;
            self.position = target;
        }
        Ok(())
    }

    /// Decodes the packet that holds frame `target`, found by symphonia's search.
    fn jump(&mut self, target: u64) -> Result<()> {
        let path = &self.path;
        let to = i64::try_from(target).map_err(|_| broken(path, "seek", target, self.info.rate))?;
        let to = SeekTo::Timestamp { ts: to.into(), track_id: 0 };
        let demuxer = &mut self.stream.demuxer;
        let found = guarded(|| demuxer.seek(SeekMode::Accurate, to))
            .map_err(|fault| broken(path, &fault, target, self.info.rate))?;
        let start = u64::try_from(found.actual_ts.get()).unwrap_or(u64::MAX);
        self.position = start;
        if start <= target {
            self.next_packet()?;
        }
        let used = target.wrapping_sub(start);
        if start > target || used >= self.packet[0].len() as u64 {
            return Err(broken(&self.path, "seek", target, self.info.rate));
        }
        self.used = used as usize;
        self.position = target;
        Ok(())
    }

    fn forget(&mut self) {
        self.packet.iter_mut().for_each(Vec::clear);
        self.used = 0;
    }

    /// Decodes the next packet, which must start at the frame wanted next.
    fn next_packet(&mut self) -> Result<()> {
        let at = self.position;
        self.forget();
        let failed = |fault: &str| broken(&self.path, fault, at, self.info.rate);
        let packet = self.stream.next(failed)?.ok_or_else(|| failed("the file is cut off"))?;
        if u64::try_from(packet.pts.get()) != Ok(at) {
            return Err(failed("frames are missing or damaged"));
        }
        let decoder = &mut self.stream.decoder;
        let planes = &mut self.packet;
        guarded(|| {
            let GenericAudioBufferRef::S32(samples) = decoder.decode(&packet)? else {
                return Err(Fault::DecodeError("unexpected sample type"));
            };
            for (to, from) in planes.iter_mut().zip(samples.iter_planes()) {
                to.extend_from_slice(from);
            }
            Ok(())
        })
        .map_err(|fault| failed(&fault))?;
        let len = self.packet[0].len();
        if len == 0 || self.packet.iter().any(|plane| plane.len() != len) {
            return Err(failed("a frame has other channels than the file"));
        }
        Ok(())
    }

    /// All frames are out: nothing may follow, and if all were decoded, they must be those encoded.
    fn check_the_end(&mut self) -> Result<()> {
        let at = self.position;
        if self.used < self.packet[0].len() {
            return Err(broken(&self.path, "there are more samples than declared", at, self.info.rate));
        }
        if std::mem::take(&mut self.sequential) && self.stream.decoder.finalize().verify_ok == Some(false) {
            let fault = "its samples do not match their checksum";
            return Err(Error::malformed(&self.path, fault, EXPORT_AGAIN));
        }
        Ok(())
    }
}

impl Stream {
    fn open(path: &Path) -> Result<Self> {
        let section = Section::open(path)?;
        let source = MediaSourceStream::new(Box::new(section), MediaSourceStreamOptions::default());
        let failed = |fault: String| Error::malformed(path, format!("it is damaged, {fault}"), EXPORT_AGAIN);
        let demuxer = guarded(|| Demuxer::try_new(source, FormatOptions::default())).map_err(failed)?;
        let parameters = demuxer.tracks().first().and_then(|track| track.codec_params.as_ref()?.audio());
        let parameters = parameters.ok_or_else(|| failed("it has no audio".into()))?;
        let options = AudioDecoderOptions::default().verify(true);
        let decoder = guarded(|| FlacDecoder::try_new(parameters, &options)).map_err(failed)?;
        Ok(Self { demuxer, decoder })
    }

    fn next(&mut self, failed: impl Fn(&str) -> Error) -> Result<Option<Packet>> {
        guarded(|| self.demuxer.next_packet()).map_err(|fault| failed(&fault))
    }

    /// Frames in all packets, which must follow on each other and be all there is.
    fn count(mut self, path: &Path, audio_bytes: u64) -> Result<u64> {
        let failed = |fault: &str| Error::malformed(path, format!("it is damaged, {fault}"), EXPORT_AGAIN);
        let (mut frames, mut bytes) = (0, 0);
        while let Some(packet) = self.next(failed)? {
            if u64::try_from(packet.pts.get()) != Ok(frames) {
                return Err(failed("frames are missing"));
            }
            frames += packet.dur.get();
            bytes += packet.data.len() as u64;
        }
        if bytes != audio_bytes {
            return Err(failed("its last frame is cut off or broken"));
        }
        Ok(frames)
    }
}

/// The stream information block, and how many bytes of frames follow the metadata.
struct Declared {
    rate: f64,
    channels: usize,
    bits: u16,
    /// Zero where unknown.
    frames: u64,
    audio_bytes: u64,
}

impl Declared {
    /// Reads what symphonia has accepted already (RFC 9639, sections 8.1 and 8.2).
    fn read(path: &Path) -> Result<Self> {
        let mut file = Section::open(path)?;
        let mut info = [0; 4 + 4 + 34];
        file.read_exact(&mut info).map_err(Error::read(path))?;
        if info[4] & 0x7f != 0 {
            return Err(Error::malformed(
                path,
                "its first block is not the stream information",
                EXPORT_AGAIN,
            ));
        }
        let packed = u64::from_be_bytes(info[18..26].try_into().expect("eight bytes"));
        let mut audio_at = 4;
        loop {
            let mut header = [0; 4];
            file.seek(SeekFrom::Start(audio_at)).map_err(Error::read(path))?;
            file.read_exact(&mut header).map_err(Error::read(path))?;
            audio_at += 4 + u64::from(u32::from_be_bytes([0, header[1], header[2], header[3]]));
            if header[0] & 0x80 != 0 {
                break;
            }
        }
        let len = file.seek(SeekFrom::End(0)).map_err(Error::read(path))?;
        Ok(Self {
            rate: (packed >> 44) as f64,
            channels: (packed >> 41 & 7) as usize + 1,
            bits: (packed >> 36 & 31) as u16 + 1,
            frames: packed & ((1 << 36) - 1),
            audio_bytes: len.saturating_sub(audio_at),
        })
    }
}

fn broken(path: &Path, fault: &str, frame: u64, rate: Hz) -> Error {
    let seconds = frame as f64 / rate.0;
    Error::malformed(path, format!("it is damaged at {seconds:.2} s, {fault}"), EXPORT_AGAIN)
}

/// Runs `work` of symphonia; its errors and its panics become a fault in words.
pub(crate) fn guarded<T>(
    work: impl FnOnce() -> symphonia::core::errors::Result<T>,
) -> core::result::Result<T, String> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(Fault::IoError(error))) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            Err("the file is cut off".into())
        }
        Ok(Err(fault)) => Err(one_line(&fault.to_string())),
        Err(_) => Err("the decoder gave up on it".into()),
    }
}

/// Runs `work` of flac-codec; its errors and its panics become a fault in words.
pub(crate) fn guarded_io<T>(
    work: impl FnOnce() -> core::result::Result<T, flac_codec::Error>,
) -> core::result::Result<T, String> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(|fault| one_line(&fault.to_string())),
        Err(_) => Err("the decoder gave up on it".into()),
    }
}

/// The speakers of FLAC's channel assignment (RFC 9639, table 11), beyond stereo.
pub(crate) fn mask(channels: usize) -> Option<u32> {
    [0x7, 0x33, 0x37, 0x3f, 0x70f, 0x63f].get(channels.checked_sub(3)?).copied()
}

#[cfg(test)]
mod tests {
    use super::super::flac_build::{BLOCK, Header, encode};
    use super::*;

    const FRAMES: usize = 5 * BLOCK + 40;
    const NO_MD5: Header = Header { declare_length: true, md5: [0; 16] };

    /// Never two equal samples in reach, and nothing that looks like a frame.
    fn planes() -> Vec<Vec<i16>> {
        (0..2).map(|channel| (0..FRAMES as i16).map(|i| i * 7 - 3000 * channel).collect()).collect()
    }

    struct OnDisk {
        folder: tempfile::TempDir,
        path: PathBuf,
    }

    fn on_disk(bytes: &[u8]) -> OnDisk {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let path = folder.path().join("a.flac");
        std::fs::write(&path, bytes).expect("writes");
        OnDisk { folder, path }
    }

    /// Reads all in pieces of 100 frames.
    fn read(bytes: &[u8]) -> Result<(Vec<Vec<f64>>, AudioInfo)> {
        let file = on_disk(bytes);
        let mut reader = FlacReader::open(&file.path)?;
        let mut all = vec![Vec::new(); reader.info().channels];
        let mut part = all.clone();
        while reader.read_planar(&mut part, 100)? > 0 {
            for (all, part) in all.iter_mut().zip(&part) {
                all.extend(part);
            }
        }
        drop(file.folder);
        Ok((all, reader.info().clone()))
    }

    fn fault(bytes: &[u8]) -> String {
        let line = read(bytes).expect_err("is refused").to_string();
        assert!(line.contains("a.flac: it") && line.contains("; export it again"), "{line}");
        line
    }

    fn is_whole(found: &[Vec<f64>]) {
        for (found, plane) in found.iter().zip(planes()) {
            assert!(found.iter().map(|x| x * 32_768.0).eq(plane.into_iter().map(f64::from)));
        }
    }

    #[test]
    fn samples_come_through_exactly() {
        let (found, info) = read(&encode(&planes(), NO_MD5).0).expect("reads");
        is_whole(&found);
        assert_eq!((info.rate, info.channels, info.frames), (Hz(48_000.0), 2, FRAMES as u64));
        assert_eq!((info.format, info.container), (SampleFormat::Int { bits: 16 }, Container::Flac));
        assert_eq!(info.warnings, Vec::<String>::new());
    }

    #[test]
    fn an_undeclared_length_is_counted() {
        let (bytes, _) = encode(&planes(), Header { declare_length: false, ..NO_MD5 });
        let (found, info) = read(&bytes).expect("reads");
        is_whole(&found);
        assert_eq!(info.frames, FRAMES as u64);
        assert!(info.warnings[0].contains("declares no length"));
        assert!(fault(&bytes[..bytes.len() - 1]).contains("its last frame is cut off"));
    }

    #[test]
    fn a_damaged_frame_is_an_error_wherever_it_is() {
        let (bytes, starts) = encode(&planes(), NO_MD5);
        for (number, start) in starts.iter().enumerate() {
            let mut damaged = bytes.clone();
            damaged[start + 60] ^= 0x10;
            let line = fault(&damaged);
            assert!(line.contains("damaged at 0.0") || line.contains("cut off"), "frame {number}: {line}");
        }
    }

    #[test]
    fn a_missing_frame_is_an_error() {
        let (bytes, starts) = encode(&planes(), NO_MD5);
        let without = [&bytes[..starts[2]], &bytes[starts[3]..]].concat();
        assert!(fault(&without).contains("frames are missing"));
    }

    #[test]
    fn a_wrong_checksum_is_an_error_at_the_end() {
        let (bytes, _) = encode(&planes(), Header { md5: [1; 16], ..NO_MD5 });
        assert!(fault(&bytes).contains("do not match their checksum"));
    }

    #[test]
    fn a_file_truncated_at_any_byte_is_an_error() {
        let (bytes, starts) = encode(&planes(), NO_MD5);
        let ends = starts.iter().flat_map(|start| start - 3..start + 20);
        for len in (0..60).chain(ends).chain([bytes.len() - 1]) {
            assert!(read(&bytes[..len]).is_err(), "{len}");
        }
    }

    #[test]
    fn mutated_files_give_all_frames_or_a_fault() {
        let (bytes, starts) = encode(&planes(), NO_MD5);
        let heads = starts.iter().flat_map(|start| *start..start + 12);
        for at in (0..42).chain(heads) {
            for value in [0, 0x7f, 0xff, bytes[at] ^ 0x40] {
                let mut mutated = bytes.clone();
                mutated[at] = value;
                if let Ok((found, info)) = read(&mutated) {
                    assert!(found.iter().all(|plane| plane.len() as u64 == info.frames), "byte {at}");
                }
            }
        }
    }

    #[test]
    fn seeking_gives_the_same_samples_as_reading_on() {
        let frames = 200_000;
        let long: Vec<i16> = (0..frames).map(|i: i32| (i.wrapping_mul(7919) >> 3) as i16).collect();
        let file = on_disk(&encode(std::slice::from_ref(&long), NO_MD5).0);
        let mut reader = FlacReader::open(&file.path).expect("opens");
        let mut plane = [Vec::new()];
        for at in [150_000, 3, 0, 192, 191, 199_999, 199_900, 100_000, 200_000, 999_999, 5] {
            reader.seek(at).expect("seeks");
            let wanted = 300.min(frames as u64 - at.min(frames as u64)) as usize;
            assert_eq!(reader.read_planar(&mut plane, 300).expect("reads"), wanted, "{at}");
            let expected = long.iter().skip(at as usize).take(wanted).map(|&x| f64::from(x) / 32_768.0);
            assert!(plane[0].iter().copied().eq(expected), "{at}");
        }
    }
}
