//! True peak of the places that come near a ceiling, by a sinc of 512 taps: its passband reaches 0.495 of the sampling rate,
//! and at 16 points a sample it reads at most 0.05 dB low.
//!
//! An interpolation of 48 taps at every quarter of a sample says which places come near.

use std::sync::LazyLock;

use dsp::kaiser::{kaiser, sinc};
use meter::overshoot_bound::OvershootBound;
use simd::{Isa, Kernel, Registers, Simd, Vector};

const OVERSAMPLING: usize = 16;
const TAPS: usize = 512;
const HALF: usize = TAPS / 2;
/// Shape of the Kaiser window: 70 dB of stop-band attenuation, which makes the transition 0.0087 of the rate wide.
const KAISER_BETA: f64 = 6.76;
/// Taps of the quick look.
const QUICK_TAPS: usize = 48;
/// Points of the quick look in a sample.
const QUARTERS: usize = 4;
/// Samples that are looked at together.
const SPAN: usize = 16;
/// Rounding of a quick value, relative.
const ROUNDING: f64 = 1e-12;
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
    isa: Isa,
    /// Linear level from which a place is read.
    near: f64,
    /// Of the quick look.
    bound: OvershootBound,
    /// The last samples: more than [`HALF`] before the first that is not looked at yet.
    samples: Vec<f64>,
    /// Index in `samples` of the next one to be looked at.
    next: usize,
    peak: f64,
}

impl LongSinc {
    /// At the start of the audio; places below `near`, linear, are not read.
    pub(crate) fn new(near: f64) -> Self {
        let bound = OvershootBound::new(QUICK.iter().map(|quarter| &quarter[..]));
        let samples = vec![0.0; HALF + 1];
        Self { isa: Isa::widest(), near, bound, samples, next: HALF + 1, peak: 0.0 }
    }

    /// Takes the next samples.
    pub(crate) fn process(&mut self, samples: &[f64]) {
        self.samples.extend_from_slice(samples);
        while self.next + SPAN + HALF < self.samples.len() {
            self.look(SPAN);
        }
        let spent = self.next - HALF - 1;
        if spent > 1 << 14 {
            self.samples.drain(..spent);
            self.next = HALF + 1;
        }
    }

    /// The highest value so far, linear; 0 if nothing came near.
    pub(crate) fn finish(mut self) -> f64 {
        let end = self.samples.len();
        self.samples.resize(end + HALF + SPAN + 1, 0.0);
        while self.next < end {
            self.look(SPAN.min(end - self.next));
        }
        self.peak
    }

    /// Reads the next `span` samples, and what lies behind each, where they come near.
    #[inline]
    fn look(&mut self, span: usize) {
        let at = self.next;
        self.next += span;
        let limit = (QUICK_MARGIN * self.near).max(QUICK_BELOW * self.peak);
        let reach = &self.samples[at + 1 - QUICK_TAPS / 2..][..QUICK_TAPS - 1 + SPAN];
        if self.bound.is_within(reach, limit * (1.0 - ROUNDING)) {
            return;
        }
        let quarters = self.isa.run(QuickLook { reach });
        for n in 0..span {
            for (quarter, values) in quarters.iter().enumerate() {
                if values[n].abs() >= limit {
                    self.read_around(at + n, quarter * OVERSAMPLING / QUARTERS);
                }
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
        let samples = &self.samples[at + 1 - HALF..at + 1 + HALF];
        self.isa.run(LongValue { samples, taps: &PHASES[phase] }).abs()
    }
}

/// Kernel of the quick look: the values at each quarter after each of [`SPAN`] samples.
struct QuickLook<'a> {
    /// The samples around the first, and those that follow.
    reach: &'a [f64],
}

impl Kernel for QuickLook<'_> {
    type Output = [[f64; SPAN]; QUARTERS];

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> Self::Output {
        let lanes = <S as Registers<f64>>::Vector::LANES;
        let zero = simd.splat(0.0);
        let mut values = [[0.0; SPAN]; QUARTERS];
        values[0].copy_from_slice(&self.reach[QUICK_TAPS / 2 - 1..][..SPAN]);
        for start in (0..SPAN).step_by(2 * lanes) {
            let mut sums = [[zero; 2]; QUARTERS - 1];
            for k in 0..QUICK_TAPS {
                let near = simd.load(&self.reach[start + k..]);
                let far = simd.load(&self.reach[start + lanes + k..]);
                for (sums, quarter) in sums.iter_mut().zip(QUICK.iter()) {
                    let tap = simd.splat(quarter[k]);
                    sums[0] = near.mul_add(tap, sums[0]);
                    sums[1] = far.mul_add(tap, sums[1]);
                }
            }
            for (values, sums) in values[1..].iter_mut().zip(&sums) {
                sums[0].store(&mut values[start..]);
                sums[1].store(&mut values[start + lanes..]);
            }
        }
        values
    }
}

/// Kernel of a value of the long sinc: the sum of products in eight lanes, whatever the processor has.
struct LongValue<'a> {
    samples: &'a [f64],
    taps: &'a [f64; TAPS],
}

impl Kernel for LongValue<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> f64 {
        let mut lanes = [0.0; 8];
        for (a, b) in self.samples.as_chunks::<8>().0.iter().zip(self.taps.as_chunks::<8>().0) {
            for lane in 0..8 {
                lanes[lane] += a[lane] * b[lane];
            }
        }
        lanes.iter().sum()
    }
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
            let value = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            let mut expected = 0.0_f64;
            for around in padded.windows(TAPS) {
                expected = PHASES.iter().fold(expected, |peak, phase| peak.max(value(around, phase).abs()));
            }
            for block in [1, 333, 6000] {
                let found = read(&samples, expected * 0.89, block);
                assert!((found - expected).abs() < 1e-12, "{seed}: {found} {expected}");
            }
            assert_eq!(read(&samples, expected * 1.01, 512), 0.0);
        }
    }
}
