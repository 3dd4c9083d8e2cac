//! What level a compressor reads.

use super::{Pair, SlidingMax, larger, settle};
use crate::ballistics::one_pole_coefficient;
use units::{Hz, Ms};

/// Which level is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detector {
    /// The largest sample of the last 5 ms.
    Peak,
    /// The root of the mean square with a time constant of 10 ms; a sine reads 3.01 dB below its peak.
    #[default]
    Rms,
}

/// Reads the levels of two channels, by one detector.
#[derive(Clone, Debug)]
pub struct Levels {
    detector: Detector,
    /// Squares of the last 5 ms: long enough that a tone above 100 Hz reads steady.
    largest: SlidingMax,
    mean_squares: Pair,
    mean_pole: f64,
}

impl Levels {
    const HOLD: Ms = Ms(5.0);
    const MEAN: Ms = Ms(10.0);

    /// Levels at rest.
    pub fn new(rate: Hz) -> Self {
        Self {
            detector: Detector::default(),
            largest: SlidingMax::new(Self::HOLD.samples(rate).0.max(1)),
            mean_squares: [0.0; 2],
            mean_pole: one_pole_coefficient(Self::MEAN, rate),
        }
    }

    /// Chooses the detector; a change goes on from the levels read so far.
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

    /// The square of a sample; what is not finite counts as silence.
    #[inline(always)]
    pub fn square(sample: f64) -> f64 {
        let square = sample * sample;
        if square < f64::INFINITY { square } else { 0.0 }
    }

    /// Makes samples the squares of their levels, in place.
    #[inline(always)]
    pub fn read(&mut self, [left, right]: [&mut [f64]; 2]) {
        for sample in left.iter_mut().chain(right.iter_mut()) {
            *sample = Self::square(*sample);
        }
        self.follow([left, right]);
    }

    /// Makes squares of samples the squares of levels, in place.
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
                let (stay, go) = (1.0 - self.mean_pole, self.mean_pole);
                for channel in [&mut *left, &mut *right] {
                    channel.iter_mut().for_each(|square| *square *= go);
                }
                let mut means = self.mean_squares;
                for (left, right) in left.iter_mut().zip(right) {
                    means = [means[0] * stay + *left, means[1] * stay + *right];
                    [*left, *right] = means;
                }
                self.mean_squares = means.map(settle);
            }
        }
    }

    /// Forgets the past.
    pub fn reset(&mut self) {
        self.largest.reset();
        self.mean_squares = [0.0; 2];
    }
}

/// Draws the smaller of two reductions towards the larger: by nothing at `link` 0, all the way at 1.
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
    fn next(levels: &mut Levels, sample: f64) -> f64 {
        let (mut left, mut right) = ([sample], [sample]);
        levels.read([&mut left, &mut right]);
        left[0]
    }

    fn reading(detector: Detector) -> Levels {
        let mut levels = Levels::new(Hz(48_000.0));
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
