//! What level a compressor reads.

use super::{SlidingMax, settle};
use crate::dsp::ballistics::pole;
use crate::units::{Hz, Ms};

/// Which level is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "offline",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Detector {
    /// The largest sample of the last 5 ms.
    Peak,
    /// The root of the mean square with a time constant of 10 ms; a sine reads 3.01 dB below its peak.
    #[default]
    Rms,
}

/// Reads the level of one channel.
#[derive(Clone, Debug)]
pub struct Level {
    detector: Detector,
    /// Squares of the last 5 ms: long enough that a tone above 100 Hz reads steady.
    largest: SlidingMax,
    mean_square: f64,
    mean_pole: f64,
}

impl Level {
    const HOLD: Ms = Ms(5.0);
    const MEAN: Ms = Ms(10.0);

    /// A level at rest.
    pub fn new(rate: Hz) -> Self {
        Self {
            detector: Detector::default(),
            largest: SlidingMax::new(Self::HOLD.samples(rate).0.max(1)),
            mean_square: 0.0,
            mean_pole: pole(Self::MEAN, rate),
        }
    }

    /// Chooses the detector; a change goes on from the level read so far.
    pub fn set(&mut self, detector: Detector) {
        if detector != self.detector {
            match detector {
                Detector::Peak => {
                    self.largest.reset();
                    self.largest.push(self.mean_square);
                }
                Detector::Rms => self.mean_square = self.largest.max().max(0.0),
            }
            self.detector = detector;
        }
    }

    /// Makes samples of two channels, with the same detector, the squares of their levels, in place. What is not finite
    /// counts as silence.
    pub fn read(levels: &mut [Self; 2], [left, right]: [&mut [f64]; 2]) {
        let square = |sample: f64| {
            let square = sample * sample;
            if square < f64::INFINITY { square } else { 0.0 }
        };
        let [first, second] = levels;
        match first.detector {
            Detector::Peak => {
                left.iter_mut().for_each(|x| *x = first.largest.push(square(*x)));
                right.iter_mut().for_each(|x| *x = second.largest.push(square(*x)));
            }
            Detector::Rms => {
                // Side by side: neither waits for the other.
                let (stay, go) = (1.0 - first.mean_pole, first.mean_pole);
                let mut means = [first.mean_square, second.mean_square];
                for (left, right) in left.iter_mut().zip(right) {
                    means = [means[0] * stay + square(*left) * go, means[1] * stay + square(*right) * go];
                    [*left, *right] = means;
                }
                [first.mean_square, second.mean_square] = means.map(settle);
            }
        }
    }

    /// Forgets the past.
    pub fn reset(&mut self) {
        self.largest.reset();
        self.mean_square = 0.0;
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

    /// Both levels read `sample`; gives the first.
    fn next(levels: &mut [Level; 2], sample: f64) -> f64 {
        let (mut left, mut right) = ([sample], [sample]);
        Level::read(levels, [&mut left, &mut right]);
        left[0]
    }

    fn pair(detector: Detector) -> [Level; 2] {
        let mut level = Level::new(Hz(48_000.0));
        level.set(detector);
        [level.clone(), level]
    }

    fn sine_level(detector: Detector, frequency: f64) -> (f64, f64) {
        let mut levels = pair(detector);
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
        let mut levels = pair(Detector::Rms);
        for _ in 0..48_000 {
            next(&mut levels, 0.5);
        }
        levels.iter_mut().for_each(|level| level.set(Detector::Peak));
        assert!((next(&mut levels, 0.0) - 0.25).abs() < 1e-9);
        levels.iter_mut().for_each(|level| level.set(Detector::Rms));
        assert!((next(&mut levels, 0.5) - 0.25).abs() < 1e-9);
    }

    #[test]
    fn link_draws_the_smaller_reduction_up() {
        assert_eq!(linked([4.0, 0.0], 0.0), [4.0, 0.0]);
        assert_eq!(linked([4.0, 0.0], 0.75), [4.0, 3.0]);
        assert_eq!(linked([1.0, 4.0], 1.0), [4.0, 4.0]);
    }
}
