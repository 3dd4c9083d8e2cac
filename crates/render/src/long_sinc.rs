//! True peak of the places that come near a ceiling, by a sinc of 512 taps: its passband reaches 0.495 of the sampling rate,
//! and at 16 points a sample it reads at most 0.05 dB low.
//!
//! An interpolation of 48 taps at every quarter of a sample says which places come near.

use dsp::kaiser::{kaiser, sinc};
use std::sync::LazyLock;

const OVERSAMPLING: usize = 16;
const TAPS: usize = 512;
const HALF: usize = TAPS / 2;
/// Shape of the Kaiser window: 70 dB of stop-band attenuation, which makes the transition 0.0087 of the rate wide.
const KAISER_BETA: f64 = 6.76;
/// Taps of the quick look.
const QUICK_TAPS: usize = 48;
/// Points of the quick look in a sample.
const QUARTERS: usize = 4;
/// A quick value this far below the limit, linear, does not come near: 1.1 dB.
const QUICK_MARGIN: f64 = 0.88;
/// A quick value this far below the highest so far cannot exceed it: 1.4 dB.
const QUICK_BELOW: f64 = 0.85;
/// Content up to half the rate rises by less than this, 0.75 dB, between quarters of a sample.
const BETWEEN: f64 = 0.917;

/// Coefficients of the phases 0 to 15, in the order of the samples.
static PHASES: LazyLock<Vec<[f64; TAPS]>> = LazyLock::new(|| {
    let tap = |k: usize, phase: usize| {
        let x = (k as f64 - (HALF - 1) as f64) - phase as f64 / OVERSAMPLING as f64;
        sinc(x) * kaiser(x / HALF as f64, KAISER_BETA)
    };
    (0..OVERSAMPLING).map(|phase| core::array::from_fn(|k| tap(k, phase))).collect()
});

/// Coefficients of the quarters 1 to 3 of the quick look.
static QUICK: LazyLock<[[f64; QUICK_TAPS]; QUARTERS - 1]> = LazyLock::new(|| {
    let half = (QUICK_TAPS / 2) as f64;
    let tap = |k: usize, quarter: usize| {
        let x = (k + 1) as f64 - half - (quarter + 1) as f64 / QUARTERS as f64;
        sinc(x) * kaiser(x / half, 3.0)
    };
    core::array::from_fn(|quarter| core::array::from_fn(|k| tap(k, quarter)))
});

/// The true peak of one channel near a ceiling.
pub(crate) struct LongSinc {
    /// Linear level from which a place is read.
    near: f64,
    /// The last samples: more than [`HALF`] before the first that is not looked at yet.
    samples: Vec<f64>,
    /// Index in `samples` of the next one to be looked at.
    next: usize,
    peak: f64,
}

impl LongSinc {
    /// At the start of the audio; places below `near`, linear, are not read.
    pub(crate) fn new(near: f64) -> Self {
        Self { near, samples: vec![0.0; HALF + 1], next: HALF + 1, peak: 0.0 }
    }

    /// Takes the next samples.
    pub(crate) fn process(&mut self, samples: &[f64]) {
        self.samples.extend_from_slice(samples);
        while self.next + HALF + 2 <= self.samples.len() {
            self.look(self.next);
            self.next += 1;
        }
        let spent = self.next - HALF - 1;
        if spent > 1 << 14 {
            self.samples.drain(..spent);
            self.next = HALF + 1;
        }
    }

    /// The highest value so far, linear; 0 if nothing came near.
    pub(crate) fn finish(mut self) -> f64 {
        self.process(&[0.0; HALF + 2]);
        self.peak
    }

    /// Reads the sample from the frame `at` on where it comes near.
    #[inline]
    fn look(&mut self, at: usize) {
        let limit = (QUICK_MARGIN * self.near).max(QUICK_BELOW * self.peak);
        let around: [f64; QUICK_TAPS] =
            *self.samples[at + 1 - QUICK_TAPS / 2..].first_chunk().expect("there are samples behind");
        // What lies between low samples is low.
        if around.iter().all(|x| x.abs() < 0.5 * limit) {
            return;
        }
        for quarter in 0..QUARTERS {
            let quick = match quarter {
                0 => self.samples[at],
                _ => around.iter().zip(&QUICK[quarter - 1]).map(|(x, tap)| x * tap).sum(),
            };
            if quick.abs() >= limit {
                self.read_around(at, quarter * OVERSAMPLING / QUARTERS);
            }
        }
    }

    /// Reads the points from one quarter before to one quarter after a point.
    fn read_around(&mut self, at: usize, phase: usize) {
        if self.value(at, phase) < BETWEEN * self.near.max(self.peak) {
            return;
        }
        let quarter = OVERSAMPLING / QUARTERS;
        for point in OVERSAMPLING + phase + 1 - quarter..OVERSAMPLING + phase + quarter {
            let value = self.value(at - 1 + point / OVERSAMPLING, point % OVERSAMPLING);
            if value >= self.near {
                self.peak = self.peak.max(value);
            }
        }
    }

    /// The magnitude `phase` sixteenths of a sample after the frame `at`.
    fn value(&self, at: usize, phase: usize) -> f64 {
        dot(&self.samples[at + 1 - HALF..at + 1 + HALF], &PHASES[phase]).abs()
    }
}

/// The sum of products, in eight lanes that the compiler can vectorize.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let (a, _) = a.as_chunks::<8>();
    let (b, _) = b.as_chunks::<8>();
    for (a, b) in a.iter().zip(b) {
        for lane in 0..8 {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    lanes.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use meter::peak_check::PeakCheck;
    use testkit::noise;

    /// A tone of `cycles` of the rate that fades in and out, with the highest point, 1, between two samples.
    fn tone(cycles: f64, phase: f64) -> Vec<f64> {
        let frames = 6000;
        let at = |n: usize| (core::f64::consts::TAU * cycles * (n as f64 - 3000.3) + phase).cos();
        let fade = |n: usize| {
            let x = (n as f64 - 3000.3) / 2900.0;
            if x.abs() < 1.0 { (core::f64::consts::FRAC_PI_2 * x).cos().powi(2) } else { 0.0 }
        };
        (0..frames).map(|n| fade(n) * at(n)).collect()
    }

    fn read(samples: &[f64], near: f64, block: usize) -> f64 {
        let mut sinc = LongSinc::new(near);
        samples.chunks(block).for_each(|chunk| sinc.process(chunk));
        sinc.finish()
    }

    #[test]
    fn tones_up_to_0_495_of_the_rate_read_at_most_0_05_db_low() {
        for cycles in [0.01, 0.2, 0.3456, 0.45, 0.47, 0.48, 0.49, 0.494] {
            for phase in [0.0, 0.4, 1.1] {
                let error = 20.0 * read(&tone(cycles, phase), 0.8, 700).log10();
                assert!((-0.05..0.02).contains(&error), "{cycles} {phase}: {error}");
            }
        }
    }

    #[test]
    fn short_bright_sounds_read_higher_than_by_the_quick_check() {
        // All frequencies from 0.46 to 0.494 of the rate at once, their crests at one point between two samples.
        let pulse = |n: usize| {
            let tones = (0..200).map(|k| 0.46 + 0.034 * f64::from(k) / 199.0);
            tones.map(|f| (core::f64::consts::TAU * f * (n as f64 - 3000.4)).cos()).sum::<f64>() / 200.0
        };
        let fade = |n: usize| (core::f64::consts::PI * n as f64 / 6000.0).sin().powi(2);
        let samples: Vec<f64> = (0..6000).map(|n| fade(n) * pulse(n)).collect();
        let error = 20.0 * read(&samples, 0.9, 512).log10();
        assert!((-0.05..0.02).contains(&error), "{error}");
        let mut quick = PeakCheck::new();
        quick.process(&samples);
        quick.finish();
        assert!(20.0 * quick.peak().log10() < error - 0.1, "{} {error}", quick.peak());
    }

    #[test]
    fn looking_near_the_ceiling_finds_what_looking_everywhere_finds() {
        for seed in 0..6 {
            let mut last = 0.0;
            let mut samples = noise(seed, 6000, 0.5);
            for (n, x) in samples.iter_mut().enumerate() {
                last = 0.5 * last + 0.5 * *x;
                *x = last * (n as f64 * 0.004 + seed as f64).sin().powi(3);
            }
            let padded = [vec![0.0; HALF], samples.clone(), vec![0.0; HALF + 1]].concat();
            let mut expected = 0.0_f64;
            for around in padded.windows(TAPS) {
                expected = PHASES.iter().fold(expected, |peak, phase| peak.max(dot(around, phase).abs()));
            }
            for block in [1, 333, 6000] {
                let found = read(&samples, expected * 0.89, block);
                assert!((found - expected).abs() < 1e-12, "{seed}: {found} {expected}");
            }
            assert_eq!(read(&samples, expected * 1.01, 512), 0.0);
        }
    }
}
