//! Level detection of a compressor.

use super::{Pair, SlidingMax, flush_invalid, larger};
use crate::ballistics::one_pole_coefficient;
use units::{Hz, Ms};

/// Kind of level that is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detector {
    /// Largest sample of the last 5 ms.
    Peak,
    /// Root of the mean square with a time constant of 10 ms; a sine reads 3.01 dB below its peak.
    #[default]
    Rms,
}

/// Level detector of two channels.
#[derive(Clone, Debug)]
pub struct LevelDetector {
    detector: Detector,
    /// Squares of the last 5 ms: long enough that a tone above 100 Hz reads steady.
    largest: SlidingMax,
    mean_squares: Pair,
    mean_coefficient: f64,
}

impl LevelDetector {
    pub(crate) const PEAK_HOLD: Ms = Ms(5.0);
    pub(crate) const MEAN_TIME: Ms = Ms(10.0);

    /// Detector at rest, for audio at `rate`.
    pub fn new(rate: Hz) -> Self {
        Self {
            detector: Detector::default(),
            largest: SlidingMax::new(Self::PEAK_HOLD.samples(rate).0.max(1)),
            mean_squares: [0.0; 2],
            mean_coefficient: one_pole_coefficient(Self::MEAN_TIME, rate),
        }
    }

    /// Sets the kind of level; a change continues from the levels read so far.
    pub fn set(&mut self, detector: Detector) {
        if detector != self.detector {
            match detector {
                Detector::Peak => {
                    self.largest.reset();
                    self.largest.push(self.mean_squares);
                }
                Detector::Rms => self.mean_squares = larger(self.largest.max(), [0.0; 2]),
            }
            self.detector = detector;
        }
    }

    /// Square of a sample; zero for a non-finite one.
    #[inline(always)]
    pub fn square(sample: f64) -> f64 {
        let square = sample * sample;
        if square < f64::INFINITY { square } else { 0.0 }
    }

    /// Replaces samples by the squares of their levels.
    #[inline(always)]
    pub fn read(&mut self, [left, right]: [&mut [f64]; 2]) {
        for sample in left.iter_mut().chain(right.iter_mut()) {
            *sample = Self::square(*sample);
        }
        self.follow([left, right]);
    }

    /// Replaces squares of samples by the squares of levels.
    #[inline(always)]
    pub fn follow(&mut self, [left, right]: [&mut [f64]; 2]) {
        match self.detector {
            Detector::Peak => {
                for (left, right) in left.iter_mut().zip(right) {
                    [*left, *right] = self.largest.push([*left, *right]);
                }
            }
            Detector::Rms => {
                // Side by side: neither waits for the other.
                let (stay, go) = (1.0 - self.mean_coefficient, self.mean_coefficient);
                for channel in [&mut *left, &mut *right] {
                    channel.iter_mut().for_each(|square| *square *= go);
                }
                let mut means = self.mean_squares;
                for (left, right) in left.iter_mut().zip(right) {
                    means = [means[0] * stay + *left, means[1] * stay + *right];
                    [*left, *right] = means;
                }
                self.mean_squares = means.map(flush_invalid);
            }
        }
    }

    /// Forgets all audio.
    pub fn reset(&mut self) {
        self.largest.reset();
        self.mean_squares = [0.0; 2];
    }
}

/// Reductions with the smaller drawn towards the larger by `link`, 0 (independent) to 1 (equal).
#[inline]
pub fn linked(reductions: [f64; 2], link: f64) -> [f64; 2] {
    let [left, right] = reductions;
    let top = if left > right { left } else { right };
    [left + (top - left) * link, right + (top - right) * link]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both channels have `sample`; gives the first level.
    fn next(levels: &mut LevelDetector, sample: f64) -> f64 {
        let (mut left, mut right) = ([sample], [sample]);
        levels.read([&mut left, &mut right]);
        left[0]
    }

    fn reading(detector: Detector) -> LevelDetector {
        let mut levels = LevelDetector::new(Hz(48_000.0));
        levels.set(detector);
        levels
    }

    fn sine_level(detector: Detector, frequency: f64) -> (f64, f64) {
        let mut levels = reading(detector);
        let read: Vec<f64> = (0..9600)
            .map(|i| next(&mut levels, (core::f64::consts::TAU * frequency * f64::from(i) / 48_000.0).sin()))
            .skip(4800)
            .collect();
        let db = |square: f64| 10.0 * square.log10();
        (db(read.iter().copied().fold(f64::MAX, f64::min)), db(read.iter().copied().fold(0.0, f64::max)))
    }

    #[test]
    fn a_sine_reads_its_peak_or_three_decibels_less() {
        let (low, high) = sine_level(Detector::Peak, 1000.0);
        assert!(low > -0.01 && high <= 0.0, "{low} {high}");
        let (low, high) = sine_level(Detector::Rms, 1000.0);
        assert!((low + 3.01).abs() < 0.06 && (high + 3.01).abs() < 0.06, "{low} {high}");
    }

    #[test]
    fn a_change_of_detector_goes_on_from_the_level() {
        let mut levels = reading(Detector::Rms);
        for _ in 0..48_000 {
            next(&mut levels, 0.5);
        }
        levels.set(Detector::Peak);
        assert!((next(&mut levels, 0.0) - 0.25).abs() < 1e-9);
        levels.set(Detector::Rms);
        assert!((next(&mut levels, 0.5) - 0.25).abs() < 1e-9);
    }

    #[test]
    fn link_draws_the_smaller_reduction_up() {
        assert_eq!(linked([4.0, 0.0], 0.0), [4.0, 0.0]);
        assert_eq!(linked([4.0, 0.0], 0.75), [4.0, 3.0]);
        assert_eq!(linked([1.0, 4.0], 1.0), [4.0, 4.0]);
    }
}
