//! FLAC files that appear complete or not at all, encoded by flac-codec (RFC 9639), and their Vorbis comments.
//!
//! Frames are encoded and written one by one, so memory does not grow with the length.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use flac_codec::encode::{FlacChannelWriter, Options};
use flac_codec::metadata::{VorbisComment, read_block};

use crate::error::{Error, Result, one_line};
use crate::flac::guarded_io;
use crate::output::{PendingFile, plain};
use units::Hz;

/// Names and texts of Vorbis comments, in their order.
pub type FlacComments = Vec<(String, String)>;

/// Properties of a FLAC file to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct FlacSpec {
    /// Sampling rate, a whole number of hertz, at most 655 350.
    pub rate: Hz,
    /// Channels, 1 to 8.
    pub channels: usize,
    /// Bits of a sample, 16 or 24.
    pub bits: u16,
    /// Frames that will be written, 1 or more.
    pub frames: u64,
    /// Vorbis comments.
    pub comments: FlacComments,
}

/// A FLAC file in the making, under a temporary name in its own folder.
///
/// [`finish`](Self::finish) gives it its name; dropped before, it leaves nothing behind.
pub struct FlacWriter {
    encoder: FlacChannelWriter<Output>,
    file: File,
    pending: PendingFile,
    path: PathBuf,
    /// Integers of the planes written last.
    integers: Vec<Vec<i32>>,
    /// The largest sample, plus one.
    full_scale: f64,
}

impl FlacWriter {
    /// Starts the file. Without `overwrite` an existing file is an error, now and at the end.
    ///
    /// # Errors
    /// If it may not be written, or FLAC cannot hold such audio.
    pub fn create(path: impl AsRef<Path>, spec: &FlacSpec, overwrite: bool) -> Result<Self> {
        let path = path.as_ref().to_owned();
        let refuse = |fault: String| Error::unwritable(&path, fault, "write WAV instead");
        if !(1.0..=655_350.0).contains(&spec.rate.0) || spec.rate.0.fract() != 0.0 {
            return Err(refuse(format!("FLAC cannot hold {} Hz", spec.rate.0)));
        }
        if !matches!(spec.bits, 16 | 24) || !(1..=8).contains(&spec.channels) || spec.frames == 0 {
            let FlacSpec { bits, channels, frames, .. } = spec;
            return Err(refuse(format!(
                "{frames} frames of {channels} channels with {bits} bits are not encoded"
            )));
        }
        let (file, pending) = PendingFile::create(&path, overwrite)?;
        let failed = |error: io::Error| Error::write(&path)(plain(error));
        let output = Output { buffer: BufWriter::new(file.try_clone().map_err(failed)?), is_patching: false };
        let options = Options::default().no_padding().comment(VorbisComment {
            vendor_string: concat!("Stemlink ", env!("CARGO_PKG_VERSION")).into(),
            fields: spec.comments.iter().map(|(name, text)| format!("{name}={text}")).collect(),
        });
        let (bits, channels) = (u32::from(spec.bits), spec.channels as u8);
        let encoder =
            FlacChannelWriter::new(output, options, spec.rate.0 as u32, bits, channels, Some(spec.frames))
                .map_err(|error| faulty(&path, error))?;
        Ok(Self {
            encoder,
            file,
            pending,
            integers: vec![Vec::new(); spec.channels],
            full_scale: 2f64.powi(i32::from(spec.bits) - 1),
            path,
        })
    }

    /// Appends frames: one plane for each channel, all of one length. Samples are the nearest integers and saturate; what was
    /// read from a file of as many bits is stored exactly.
    ///
    /// # Errors
    /// If the file cannot be written, or planes are not those of the file.
    pub fn write_planar(&mut self, planes: &[impl AsRef<[f64]>]) -> Result<()> {
        assert_eq!(planes.len(), self.integers.len(), "one plane for each channel");
        let [least, most] = [-self.full_scale, self.full_scale - 1.0];
        for (integers, plane) in self.integers.iter_mut().zip(planes) {
            integers.clear();
            let steps = plane.as_ref().iter().map(|x| (x * self.full_scale).round_ties_even());
            integers.extend(steps.map(|steps| steps.clamp(least, most) as i32));
        }
        self.encoder.write(&self.integers).map_err(|error| faulty(&self.path, error))
    }

    /// Puts length and MD5 right, brings the bytes to the disk and gives the file its name.
    ///
    /// # Errors
    /// If the system fails, fewer or more frames were written than declared, or something has taken the name meanwhile and may
    /// not be replaced.
    pub fn finish(self) -> Result<()> {
        self.encoder.finalize().map_err(|error| faulty(&self.path, error))?;
        self.pending.finish(self.file)
    }
}

/// An error of the encoder as one of the file.
fn faulty(path: &Path, error: flac_codec::Error) -> Error {
    Error::write(path)(match error {
        flac_codec::Error::Io(error) => plain(error),
        error => io::Error::other(one_line(&error.to_string())),
    })
}

/// The file as the encoder sees it: buffered, until it goes back to put the head right. That is not buffered: the encoder ends
/// by being dropped, where an error of a buffer would be lost.
struct Output {
    buffer: BufWriter<File>,
    is_patching: bool,
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_patching { self.buffer.get_mut().write(bytes) } else { self.buffer.write(bytes) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.buffer.flush()
    }
}

impl Seek for Output {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.is_patching |= matches!(to, SeekFrom::Start(_));
        self.buffer.seek(to) // writes what is buffered
    }

    fn stream_position(&mut self) -> io::Result<u64> {
        self.buffer.stream_position()
    }
}

/// The Vorbis comments of a FLAC file; none is an empty list. Names are in capitals.
///
/// # Errors
/// If it cannot be read, or is no FLAC file.
pub fn flac_comments(path: &Path) -> Result<FlacComments> {
    let file = BufReader::new(File::open(path).map_err(Error::open(path))?);
    let block = guarded_io(|| read_block::<_, VorbisComment>(file)).map_err(|fault| {
        Error::malformed(path, format!("its comments are damaged, {fault}"), crate::error::EXPORT_AGAIN)
    })?;
    let fields = block.map(|block| block.fields).unwrap_or_default();
    let split = |field: String| {
        let (name, text) = field.split_once('=')?;
        Some((name.to_ascii_uppercase(), text.to_owned()))
    };
    Ok(fields.into_iter().filter_map(split).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FlacReader, SampleFormat};
    use testkit::noise;

    fn spec(channels: usize, bits: u16, frames: usize) -> FlacSpec {
        let comments =
            vec![("TITLE".to_owned(), "Blå = 1".to_owned()), ("BPM".to_owned(), "92.5".to_owned())];
        FlacSpec { rate: Hz(48_000.0), channels, bits, frames: frames as u64, comments }
    }

    /// Noise in steps of so many bits, with runs of silence, full scale and the smallest step.
    fn planes(channels: usize, bits: u16, frames: usize) -> Vec<Vec<f64>> {
        let steps = 2f64.powi(i32::from(bits) - 1);
        let plane = |seed: u64| {
            let mut plane = noise(seed, frames, 1.0);
            for (i, x) in plane.iter_mut().enumerate() {
                *x = match i / 1000 % 5 {
                    0 => 0.0,
                    1 => *x,
                    2 => *x * 0.01,
                    3 if i % 2 == 0 => -1.0,
                    3 => (steps - 1.0) / steps,
                    _ => (i % 3) as f64 / steps,
                };
                *x = (*x * steps).round().min(steps - 1.0) / steps;
            }
            plane
        };
        (0..channels as u64).map(plane).collect()
    }

    #[test]
    fn every_sample_and_comment_comes_back() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let cases =
            [(2, 24, 30_000), (2, 16, 30_000), (1, 24, 4096), (1, 16, 1), (2, 24, 4097), (6, 24, 9000)];
        for (round, (channels, bits, frames)) in cases.into_iter().enumerate() {
            let path = folder.path().join(format!("{round}.flac"));
            let audio = planes(channels, bits, frames);
            let spec = spec(channels, bits, frames);
            let mut writer = FlacWriter::create(&path, &spec, false).expect("starts");
            let mut at = 0;
            for len in [1, 4095, 777, 8192, frames] {
                let to = frames.min(at + len);
                let part: Vec<&[f64]> = audio.iter().map(|plane| &plane[at..to]).collect();
                writer.write_planar(&part).expect("writes");
                at = to;
            }
            writer.finish().expect("finishes");
            assert_eq!(flac_comments(&path).expect("reads"), spec.comments);
            let Ok(mut reader) = FlacReader::open(&path) else { panic!("{round}: opens") };
            let info = reader.info();
            assert_eq!((info.frames, info.format), (frames as u64, SampleFormat::Int { bits }), "{round}");
            let mut back = vec![Vec::new(); channels];
            // Reading to the end compares the MD5 too.
            reader.read_planar(&mut back, frames + 1).expect("reads");
            assert!(back == audio, "{round}");
        }
    }

    #[test]
    fn it_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let path = folder.path().join("a.flac");
        let started = |frames, overwrite| FlacWriter::create(&path, &spec(1, 24, frames), overwrite);
        let mut writer = started(5000, false).expect("starts");
        writer.write_planar(&[[0.5; 5000]]).expect("writes");
        drop(writer);
        let mut short = started(5000, false).expect("starts");
        short.write_planar(&[[0.5; 4999]]).expect("writes");
        assert!(short.finish().is_err(), "a frame is missing");
        assert_eq!(std::fs::read_dir(folder.path()).expect("lists").count(), 0);
        std::fs::write(&path, "somebody's").expect("writes");
        assert!(matches!(started(1, false), Err(Error::Exists { .. })));
        let mut writer = started(1, true).expect("starts");
        writer.write_planar(&[[0.5]]).expect("writes");
        writer.finish().expect("replaces it");
        assert_eq!(FlacReader::open(&path).expect("opens").info().frames, 1);
    }

    #[test]
    fn what_flac_cannot_hold_is_refused() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let path = folder.path().join("a.flac");
        let fine = spec(2, 24, 100);
        for faulty in [
            FlacSpec { rate: Hz(705_600.0), ..fine.clone() },
            FlacSpec { rate: Hz(44_100.5), ..fine.clone() },
            FlacSpec { bits: 32, ..fine.clone() },
            FlacSpec { channels: 9, ..fine.clone() },
            FlacSpec { frames: 0, ..fine.clone() },
        ] {
            let line = FlacWriter::create(&path, &faulty, false).err().expect("is refused").to_string();
            assert!(line.contains("a.flac") && line.contains("write WAV instead"), "{line}");
        }
        assert_eq!(std::fs::read_dir(folder.path()).expect("lists").count(), 0);
    }
}
