//! Samples that no audio has: not a number, infinite, or far beyond full scale. All that reads stems takes them as silence
//! and counts them.

use std::path::Path;

use crate::check::words;
use crate::clock::clock;
use audiofile::error::{Error, Result, shown};
use audiofile::resample::Endless;
use audiofile::{AudioInfo, AudioReader, BLOCK};
use units::{Db, Hz};

/// The largest magnitude that a sample of audio can have, linear: +24 dBFS.
///
/// Converters end at 0 dBFS and float mixes some dB above. Beyond lie memory that was never set (multi-track exports of
/// LMMS begin with samples of 1e34) and integers written as float.
const MAX_MAGNITUDE: f64 = 15.848_931_924_611_133;

/// The same as a level.
pub(crate) const MAX_LEVEL: Db = Db(24.0);

/// The share of samples beyond [`MAX_MAGNITUDE`] above which a file is scaled wrongly as a whole, and nothing of it is used.
const MAX_SHARE: f64 = 0.01;

/// Samples that are no audio and their neighbours, with this many frames of silence around, are an island.
const SHORE: usize = 48;
/// The longest island, seconds; in what is longer only the samples that are no audio are silenced.
const MAX_ISLAND_S: f64 = 0.01;

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
    /// Audio in the same islands.
    beside: u64,
    /// Frame of the first sample that is no audio.
    first: u64,
    /// All samples read so far.
    read: u64,
}

impl SilencedSamples {
    /// Silences what is no audio in `planes`, audio at `rate` that begins with `frame`, and the islands around it.
    fn silence(&mut self, planes: &mut [Vec<f64>], frame: u64, rate: Hz) {
        self.read += planes.iter().map(|plane| plane.len() as u64).sum::<u64>();
        // Sixty-four at once, which the compiler can compare side by side.
        let is_clean = |samples: &[f64]| samples.iter().fold(true, |all, x| all & is_audio(*x));
        if planes.iter().all(|plane| plane.chunks(64).all(is_clean)) {
            return;
        }
        self.silence_islands(planes, rate);
        for plane in planes {
            for (n, x) in plane.iter_mut().enumerate().filter(|(_, x)| !is_audio(**x)) {
                let at = frame + n as u64;
                let is_first = self.beyond + self.not_numbers == 0;
                self.first = if is_first { at } else { self.first.min(at) };
                if x.is_finite() {
                    self.beyond += 1;
                } else {
                    self.not_numbers += 1;
                }
                *x = 0.0;
            }
        }
    }

    /// Silences the audio in islands that hold samples that are none: all of an island comes from one memory that was never
    /// set, although some of its values could be audio.
    fn silence_islands(&mut self, planes: &mut [Vec<f64>], rate: Hz) {
        let frames = planes.iter().map(Vec::len).max().unwrap_or(0);
        let longest = (MAX_ISLAND_S * rate.0) as usize;
        let at = |planes: &[Vec<f64>], n: usize, is: fn(f64) -> bool| {
            planes.iter().any(|plane| plane.get(n).is_some_and(|x| is(*x)))
        };
        let sounds: Vec<usize> = (0..frames).filter(|&n| at(planes, n, |x| x != 0.0)).collect();
        for island in sounds.chunk_by(|a, b| b - a <= SHORE) {
            let (first, last) = (island[0], island[island.len() - 1]);
            if last - first < longest && island.iter().any(|&n| at(planes, n, |x| !is_audio(x))) {
                for x in planes.iter_mut().flat_map(|plane| &mut plane[first..=last]) {
                    if is_audio(*x) && *x != 0.0 {
                        *x = 0.0;
                        self.beside += 1;
                    }
                }
            }
        }
    }

    /// The line on what the file at `path` had of them.
    pub(crate) fn fault(&self, path: &Path, rate: Hz) -> Option<String> {
        let samples = |count: u64, kind: &str| format!("{}{kind}", words::count(count, "sample"));
        let kinds = match (self.not_numbers, self.beyond) {
            (0, 0) => return None,
            (none, 0) => samples(none, " without a number"),
            (0, beyond) => samples(beyond, " beyond +24 dBFS"),
            (none, beyond) => {
                format!("{} and {}", samples(none, " without a number"), samples(beyond, " beyond +24 dBFS"))
            }
        };
        let verbs =
            if self.not_numbers + self.beyond == 1 { "is no audio and was" } else { "are no audio and were" };
        let beside = match self.beside {
            0 => String::new(),
            beside => format!(" with {} beside", words::count(beside, "other")),
        };
        Some(format!(
            "{}: {kinds}, the first at {}, {verbs} silenced{beside}; export the stem again",
            shown(path),
            clock(self.first, rate)
        ))
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
///
/// It cleans blocks of one length, whatever lengths are asked for: what is silenced does not depend on them.
pub(crate) struct CleanReader {
    reader: AudioReader,
    /// Frames read from the file.
    position: u64,
    silenced: SilencedSamples,
    /// A cleaned block.
    block: Vec<Vec<f64>>,
    /// Frames of it that were given.
    given: usize,
}

impl CleanReader {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let reader = AudioReader::open(path)?;
        let block = vec![Vec::new(); reader.info().channels];
        Ok(Self { reader, position: 0, silenced: SilencedSamples::default(), block, given: 0 })
    }

    pub(crate) fn info(&self) -> &AudioInfo {
        self.reader.info()
    }

    /// As [`AudioReader::read_planar`].
    pub(crate) fn read_planar(&mut self, planes: &mut [Vec<f64>], frames: usize) -> Result<usize> {
        if frames == BLOCK && self.given == self.block[0].len() {
            // A whole block, as it is.
            let read = self.next_block()?;
            planes.swap_with_slice(&mut self.block);
            self.block.iter_mut().for_each(Vec::clear);
            self.given = 0;
            return Ok(read);
        }
        planes.iter_mut().for_each(Vec::clear);
        let mut read = 0;
        while read < frames {
            if self.given == self.block[0].len() && self.next_block()? == 0 {
                break;
            }
            let count = (frames - read).min(self.block[0].len() - self.given);
            for (plane, block) in planes.iter_mut().zip(&self.block) {
                plane.extend_from_slice(&block[self.given..self.given + count]);
            }
            self.given += count;
            read += count;
        }
        Ok(read)
    }

    /// Reads and cleans the next block: returns its length, 0 at the end.
    fn next_block(&mut self) -> Result<usize> {
        self.given = 0;
        let fresh = self.reader.read_planar(&mut self.block, BLOCK)?;
        if fresh == 0 {
            self.block.iter_mut().for_each(Vec::clear);
        }
        let rate = self.reader.info().rate;
        self.silenced.silence(&mut self.block, self.position, rate);
        self.position += fresh as u64;
        Ok(fresh)
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
        silenced.silence(&mut planes, 48_000, Hz(100.0));
        assert_eq!(planes, [[0.5, -15.8, 0.0, 0.0, 1.0], [0.0, 1.0, 0.0, 0.0, 15.8]]);
        assert_eq!(
            silenced.fault(Path::new("a.wav"), Hz(48_000.0)).as_deref(),
            Some(
                "a.wav: 2 samples without a number and 2 samples beyond +24 dBFS, the first at 0:01.000, are no audio \
                 and were silenced; export the stem again"
            )
        );
        let mut one = SilencedSamples::default();
        one.silence(&mut [vec![0.0, f64::NAN, 0.0]], 96_000 - 1, Hz(48_000.0));
        let fault = one.fault(Path::new("a.wav"), Hz(48_000.0)).unwrap_or_default();
        assert!(
            fault.contains("1 sample without a number, the first at 0:02.000, is no audio and was silenced"),
            "{fault}"
        );
        assert!(silenced.refuse_misscaled(Path::new("a.wav")).is_err(), "two of ten samples");
    }

    #[test]
    fn a_handful_in_a_song_is_no_wrong_scale() {
        let mut planes = vec![vec![0.1; 48_000]];
        planes[0][110..120].fill(3e34);
        let mut silenced = SilencedSamples::default();
        silenced.silence(&mut planes, 0, Hz(48_000.0));
        assert!(silenced.refuse_misscaled(Path::new("a.wav")).is_ok());
        let mut none = SilencedSamples::default();
        none.silence(&mut [vec![0.9; 100]], 0, Hz(48_000.0));
        assert_eq!(none.fault(Path::new("a.wav"), Hz(48_000.0)), None);
    }

    #[test]
    fn all_of_an_island_of_unset_memory_is_silenced_and_audio_around_a_fault_is_not() {
        let mut planes = vec![vec![0.0; 4000], vec![0.0; 4000]];
        (planes[0][117], planes[1][127], planes[0][130]) = (0.98, f64::NAN, 1e-13);
        planes[0][400..].fill(0.3);
        let mut silenced = SilencedSamples::default();
        silenced.silence(&mut planes, 0, Hz(48_000.0));
        assert!(planes.iter().flat_map(|plane| &plane[..400]).all(|x| *x == 0.0));
        assert_eq!(planes[0][400..], [0.3; 3600]);
        let fault = silenced.fault(Path::new("a.wav"), Hz(48_000.0)).unwrap_or_default();
        assert!(fault.contains("1 sample without a number, the first at 0:00.003"), "{fault}");
        assert!(fault.contains("with 2 others beside;"), "{fault}");

        let mut song = vec![vec![0.3; 4000]];
        song[0][2000] = 1e30;
        let mut silenced = SilencedSamples::default();
        silenced.silence(&mut song, 0, Hz(48_000.0));
        assert_eq!(song[0].iter().filter(|x| **x == 0.0).count(), 1);
    }
}
