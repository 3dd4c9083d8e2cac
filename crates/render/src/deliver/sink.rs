//! A delivered file in the making: gain, fades, dither, readings, writing.

use std::path::PathBuf;

use super::print::Planes;
use crate::ceiling::StrictPeak;
use crate::wav_loudness::wav_loudness;
use audiofile::error::Result;
use audiofile::wav::{StoredFormat, WavSpec, WavWriter};
use dsp::dither::{Dither, Quantizer};
use dsp::{Block, Process};
use meter::layout::Layout;
use meter::{Meter, Reading};
use units::{Db, Dbtp, Hz, Ms};

/// A stretch of the song, with fades at its ends; all in frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SongWindow {
    pub(super) start: u64,
    pub(super) frames: u64,
    pub(super) fade_in: u64,
    pub(super) fade_out: u64,
}

impl SongWindow {
    pub(super) fn new(rate: Hz, [start, length, fade_in, fade_out]: [f64; 4]) -> Self {
        let frames = |seconds: f64| Ms(seconds * 1e3).samples(rate).0 as u64;
        Self {
            start: frames(start),
            frames: frames(length),
            fade_in: frames(fade_in),
            fade_out: frames(fade_out),
        }
    }

    /// The gain at a frame of the window: half a cosine up and down.
    fn gain(&self, at: u64) -> f64 {
        let up = |frames: u64, length: u64| match length {
            0 => 1.0,
            _ if frames >= length => 1.0,
            _ => 0.5 - 0.5 * (core::f64::consts::PI * frames as f64 / length as f64).cos(),
        };
        up(at, self.fade_in) * up(self.frames - 1 - at, self.fade_out)
    }
}

/// Sample format of a delivered file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    Int16,
    Int24,
    Float32,
}

impl Depth {
    pub(super) fn stored(self) -> StoredFormat {
        match self {
            Self::Int16 => StoredFormat::Int16,
            Self::Int24 => StoredFormat::Int24,
            Self::Float32 => StoredFormat::Float32,
        }
    }

    pub(super) fn dither(self) -> Dither {
        match self {
            Self::Int16 => Dither::Bits16,
            Self::Int24 => Dither::Bits24,
            Self::Float32 => Dither::Off,
        }
    }

    /// The end of a word such as `48k24`.
    pub(super) fn bits(self) -> &'static str {
        match self {
            Self::Int16 => "16",
            Self::Int24 => "24",
            Self::Float32 => "32f",
        }
    }

    /// For people.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Int16 => "16 bit",
            Self::Int24 => "24 bit",
            Self::Float32 => "32-bit float",
        }
    }

    /// The most that rounding (and dither) moves one sample of a file.
    pub(super) fn error(self) -> f64 {
        match self {
            Self::Int16 => 1.5 / 32_768.0,
            Self::Int24 => 1.5 / 8_388_608.0,
            Self::Float32 => 0.0,
        }
    }
}

/// A file whose frames come one block after the other.
pub(super) struct DeliverySink {
    writer: WavWriter,
    depth: Depth,
    quantizer: Quantizer,
    meter: Meter,
    strict: Option<StrictPeak>,
    gain: f64,
    window: Option<SongWindow>,
    /// Frames of the song that have come.
    at: u64,
    planes: Planes,
    /// The largest sample, before it is rounded.
    peak: f64,
}

/// A complete file without its name yet.
pub(super) struct FinishedFile {
    writer: WavWriter,
    pub(super) reading: Reading,
    /// The largest sample, before it was rounded.
    pub(super) peak: f64,
    /// The strict true peak, where it was asked for.
    pub(super) strict: Option<Dbtp>,
}

impl DeliverySink {
    /// Starts a file. `strict`: the ceiling, where the true peak is to be known.
    pub(super) fn create(
        path: PathBuf,
        spec: WavSpec,
        depth: Depth,
        gain: Db,
        window: Option<SongWindow>,
        strict: Option<Dbtp>,
        overwrite: bool,
    ) -> Result<Self> {
        let rate = spec.rate;
        // files that are summed have each their own dither
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut quantizer = Quantizer::named(rate, &name);
        quantizer.set(&depth.dither());
        Ok(Self {
            writer: WavWriter::create(path, spec, overwrite)?,
            depth,
            quantizer,
            meter: Meter::new(rate, &Layout::stereo()),
            strict: strict.map(StrictPeak::new),
            gain: gain.gain(),
            window,
            at: 0,
            planes: Planes::default(),
            peak: 0.0,
        })
    }

    /// The same with the dither of `stems master`, which makes the same file.
    pub(super) fn like_stems_master(mut self, rate: Hz) -> Self {
        self.quantizer = Quantizer::new(rate);
        self.quantizer.set(&self.depth.dither());
        self
    }

    /// Takes the next frames of the song.
    pub(super) fn push(&mut self, audio: [&[f64]; 2]) -> Result<()> {
        let (from, to) = (self.at, self.at + audio[0].len() as u64);
        self.at = to;
        let (start, end) = self
            .window
            .map_or((from, to), |w| (w.start.clamp(from, to), (w.start + w.frames).clamp(from, to)));
        if start == end {
            return Ok(());
        }
        let range = (start - from) as usize..(end - from) as usize;
        for (plane, side) in self.planes.iter_mut().zip(audio) {
            plane.clear();
            plane.extend(side[range.clone()].iter().map(|x| x * self.gain));
            if let Some(window) = &self.window {
                for (x, at) in plane.iter_mut().zip(start - window.start..) {
                    *x *= window.gain(at);
                }
            }
            self.peak = plane.iter().fold(self.peak, |most, x| most.max(x.abs()));
        }
        let [left, right] = &mut self.planes;
        self.quantizer.process(&mut Block::new(left, right));
        if self.depth == Depth::Float32 {
            left.iter_mut().chain(right.iter_mut()).for_each(|x| *x = f64::from(*x as f32));
        }
        self.meter.process(&[left, right]);
        if let Some(strict) = &mut self.strict {
            strict.process([left, right]);
        }
        self.writer.write_planar(&[left, right])
    }

    /// After the last frame.
    pub(super) fn complete(mut self) -> FinishedFile {
        let reading = self.meter.reading();
        let strict = self.strict.and_then(|strict| Dbtp::from_amplitude(strict.finish_with(&reading)));
        self.writer.set_loudness(wav_loudness(&reading));
        FinishedFile { writer: self.writer, reading, peak: self.peak, strict }
    }
}

impl FinishedFile {
    /// Gives the file its name.
    pub(super) fn finish(self) -> Result<()> {
        self.writer.finish().map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dither_of_files_that_are_summed_adds_as_noise_does() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let quiet = vec![0.3 / 32_768.0; 20_000];
        let mut sum = vec![0.0; quiet.len()];
        let mut single = 0.0;
        for n in 0..16 {
            let spec = WavSpec::new(Hz(48_000.0), 2, Depth::Int16.stored());
            let path = folder.path().join(format!("{n}.wav"));
            let mut sink = DeliverySink::create(path, spec, Depth::Int16, Db(0.0), None, None, false)
                .expect("can be written");
            sink.push([&quiet, &quiet]).expect("can be written");
            let error = sink.planes[0].iter().zip(&quiet).map(|(x, y)| x - y);
            sum.iter_mut().zip(error).for_each(|(sum, error)| {
                *sum += error;
                single += error * error / 16.0;
            });
        }
        let power = sum.iter().map(|x| x * x).sum::<f64>();
        // 16 times the power of one; equal noises would have 256 times
        assert!((power / single - 16.0).abs() < 2.0, "{}", power / single);
    }

    #[test]
    fn fades_begin_and_end_at_silence() {
        let window = SongWindow::new(Hz(1000.0), [2.0, 1.0, 0.1, 0.4]);
        assert_eq!(window, SongWindow { start: 2000, frames: 1000, fade_in: 100, fade_out: 400 });
        assert_eq!(
            (window.gain(0), window.gain(100), window.gain(599), window.gain(999)),
            (0.0, 1.0, 1.0, 0.0)
        );
        assert!((window.gain(50) - 0.5).abs() < 1e-12 && (window.gain(799) - 0.5).abs() < 1e-12);
        let hard = SongWindow::new(Hz(1000.0), [0.0, 1.0, 0.0, 0.0]);
        assert!((0..1000).all(|at| hard.gain(at) == 1.0));
    }
}
