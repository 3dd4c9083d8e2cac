//! Samples that no audio has: not a number, infinite, or far beyond full scale. All that reads stems takes them as silence
//! and counts them.

use std::path::Path;

use crate::clock::clock;
use audiofile::error::{Error, Result, shown};
use audiofile::resample::Endless;
use audiofile::{AudioInfo, AudioReader};
use units::Hz;

/// The largest magnitude that a sample of audio can have, linear: +24 dBFS.
///
/// Converters end at 0 dBFS and float mixes some dB above. Beyond lie memory that was never set (multi-track exports of
/// LMMS begin with samples of 1e34) and integers written as float.
const MAX_MAGNITUDE: f64 = 15.848_931_924_611_133;

/// The share of samples beyond [`MAX_MAGNITUDE`] above which a file is scaled wrongly as a whole, and nothing of it is used.
const MAX_SHARE: f64 = 0.01;

/// True for a sample that audio can have.
pub(crate) fn is_audio(sample: f64) -> bool {
    sample.abs() <= MAX_MAGNITUDE // false for NaN
}

/// True if so many of the samples lie beyond [`MAX_MAGNITUDE`] that the file is scaled wrongly as a whole.
pub(crate) fn is_misscaled(beyond: u64, samples: u64) -> bool {
    beyond as f64 > MAX_SHARE * samples as f64
}

/// Samples of one file that were read as silence.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct SilencedSamples {
    not_numbers: u64,
    beyond: u64,
    /// Frame of the first one beyond [`MAX_MAGNITUDE`].
    first: u64,
    /// All samples read so far.
    read: u64,
}

impl SilencedSamples {
    /// Silences what is no audio in `planes`, the first frame of which is `frame`.
    fn silence(&mut self, planes: &mut [Vec<f64>], frame: u64) {
        for plane in planes {
            self.read += plane.len() as u64;
            if plane.iter().all(|x| is_audio(*x)) {
                continue;
            }
            for (n, x) in plane.iter_mut().enumerate().filter(|(_, x)| !is_audio(**x)) {
                if x.is_finite() {
                    let at = frame + n as u64;
                    self.first = if self.beyond == 0 { at } else { self.first.min(at) };
                    self.beyond += 1;
                } else {
                    self.not_numbers += 1;
                }
                *x = 0.0;
            }
        }
    }

    /// A line for each kind that the file at `path` had.
    pub(crate) fn faults(&self, path: &Path, rate: Hz) -> Vec<String> {
        let mut faults = Vec::new();
        if self.not_numbers > 0 {
            faults.push(format!(
                "{}: {} samples are not numbers and were silenced; export the stem again",
                shown(path),
                self.not_numbers
            ));
        }
        if self.beyond > 0 {
            faults.push(format!(
                "{}: {} samples beyond +24 dBFS, the first at {}, are no audio and were silenced; export the stem again",
                shown(path),
                self.beyond,
                clock(self.first, rate)
            ));
        }
        faults
    }

    /// # Errors
    /// If the file is scaled wrongly as a whole: silencing would leave nothing of it.
    pub(crate) fn refuse_misscaled(&self, path: &Path) -> Result<()> {
        if !is_misscaled(self.beyond, self.read) {
            return Ok(());
        }
        Err(Error::Bundle {
            path: path.to_owned(),
            fault: format!(
                "has {:.0} % of its samples beyond +24 dBFS: integers written as float, or no audio",
                100.0 * self.beyond as f64 / self.read as f64
            ),
            cure: "export it again, with peaks below 0 dBFS".into(),
        })
    }
}

/// A reader that gives audio only, from the first frame to the last.
pub(crate) struct CleanReader {
    reader: AudioReader,
    position: u64,
    silenced: SilencedSamples,
}

impl CleanReader {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        Ok(Self { reader: AudioReader::open(path)?, position: 0, silenced: SilencedSamples::default() })
    }

    pub(crate) fn info(&self) -> &AudioInfo {
        self.reader.info()
    }

    /// As [`AudioReader::read_planar`].
    pub(crate) fn read_planar(&mut self, planes: &mut [Vec<f64>], frames: usize) -> Result<usize> {
        let read = self.reader.read_planar(planes, frames)?;
        self.silenced.silence(planes, self.position);
        self.position += read as u64;
        Ok(read)
    }

    pub(crate) fn silenced(&self) -> &SilencedSamples {
        &self.silenced
    }
}

impl Endless for CleanReader {
    fn channels(&self) -> usize {
        self.info().channels
    }

    fn pull(&mut self, planes: &mut [Vec<f64>], frames: usize) -> Result<()> {
        self.read_planar(planes, frames)?;
        planes.iter_mut().for_each(|plane| plane.resize(frames, 0.0));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use units::linear;

    #[test]
    fn only_what_audio_cannot_have_is_silenced_and_its_first_frame_told() {
        assert!((linear(24.0) - MAX_MAGNITUDE).abs() < 1e-12);
        let mut planes =
            vec![vec![0.5, -15.8, 0.0, 3e34, 1.0], vec![f64::NAN, 1.0, -16.0, f64::INFINITY, 15.8]];
        let mut silenced = SilencedSamples::default();
        silenced.silence(&mut planes, 48_000);
        assert_eq!(planes, [[0.5, -15.8, 0.0, 0.0, 1.0], [0.0, 1.0, 0.0, 0.0, 15.8]]);
        let faults = silenced.faults(Path::new("a.wav"), Hz(48_000.0));
        assert_eq!(faults.len(), 2);
        assert!(faults[0].contains("2 samples are not numbers"), "{faults:?}");
        assert!(faults[1].contains("2 samples beyond +24 dBFS, the first at 0:01.000"), "{faults:?}");
        assert!(silenced.refuse_misscaled(Path::new("a.wav")).is_err(), "two of ten samples");
    }

    #[test]
    fn a_handful_in_a_song_is_no_wrong_scale() {
        let mut planes = vec![vec![0.1; 48_000]];
        planes[0][110..120].fill(3e34);
        let mut silenced = SilencedSamples::default();
        silenced.silence(&mut planes, 0);
        assert!(silenced.refuse_misscaled(Path::new("a.wav")).is_ok());
        let mut none = SilencedSamples::default();
        none.silence(&mut [vec![0.9; 100]], 0);
        assert_eq!(none.faults(Path::new("a.wav"), Hz(48_000.0)), [""; 0]);
    }
}
