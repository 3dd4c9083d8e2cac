//! Between the samples: a polyphase interpolator and the true-peak reading made with it.

use core::f64::consts::PI;

/// Grid points per sample.
pub const PHASES: usize = 8;

/// Samples that a point between samples is computed from.
pub const TAPS: usize = 48;

/// Outputs computed side by side, so that the compiler keeps them in vector registers.
const LANES: usize = 4;

/// Values of a band-limited signal between its samples, on a grid of eighths.
///
/// A windowed sinc: cut off at half the sampling rate, Kaiser window of [`TAPS`] samples. Its transition band is
/// 0.067 of the rate wide (Kaiser's formula at 54 dB), less than from 20 kHz to the first image of 20 kHz at
/// 44.1 kHz: up to there every point between samples is right within 0.01 dB, and most of what lies above is
/// followed too. Every phase sums to one.
#[derive(Clone, Debug)]
pub struct Interpolator {
    phases: [[f64; TAPS]; PHASES],
    /// The phases 1/4 and 3/4 are mirror images: their sum and difference, and the phase 1/2, folded about the
    /// middle, halve the multiplications.
    even: [f64; TAPS / 2],
    odd: [f64; TAPS / 2],
    half: [f64; TAPS / 2],
    bound: f64,
}

/// Points of a signal at the quarters between `frames` samples and their successors.
#[derive(Clone, Debug)]
pub struct Quarters<const N: usize> {
    /// At 1/4, 1/2 and 3/4.
    pub at: [[f64; N]; 3],
}

impl Interpolator {
    /// Shape of the Kaiser window.
    const BETA: f64 = 5.0;

    /// Computes the coefficients.
    pub fn new() -> Self {
        let mut phases = [[0.0; TAPS]; PHASES];
        for (k, phase) in phases.iter_mut().enumerate() {
            for (t, tap) in phase.iter_mut().enumerate() {
                let distance = k as f64 / PHASES as f64 - (t as f64 - (TAPS / 2 - 1) as f64);
                *tap = sinc(distance) * kaiser(distance / (TAPS / 2) as f64, Self::BETA);
            }
            let sum: f64 = phase.iter().sum();
            phase.iter_mut().for_each(|tap| *tap /= sum);
        }
        let folded =
            |a: &[f64; TAPS], sign: f64| core::array::from_fn(|t| 0.5 * (a[t] + sign * a[TAPS - 1 - t]));
        let (quarter, half) = (&phases[PHASES / 4], &phases[PHASES / 2]);
        let (even, odd, half) = (folded(quarter, 1.0), folded(quarter, -1.0), folded(half, 1.0));
        let sums = phases.iter().map(|phase| phase.iter().map(|tap| tap.abs()).sum());
        let bound = sums.fold(0.0f64, f64::max);
        Self { phases, even, odd, half, bound }
    }

    /// The most that an interpolated value can exceed the largest sample it is computed from, as a factor.
    pub fn bound(&self) -> f64 {
        self.bound
    }

    /// The value `phase` eighths after sample `TAPS / 2 - 1` of `window`, which has [`TAPS`] samples.
    #[inline]
    pub fn eighth(&self, phase: usize, window: &[f64]) -> f64 {
        let mut sums = [0.0; LANES];
        for (taps, samples) in self.phases[phase].chunks_exact(LANES).zip(window.chunks_exact(LANES)) {
            for lane in 0..LANES {
                sums[lane] += taps[lane] * samples[lane];
            }
        }
        (sums[0] + sums[2]) + (sums[1] + sums[3])
    }

    /// The quarters after sample `i + TAPS / 2 - 1` of `samples` for every `i < frames`; `samples` has
    /// `frames + TAPS - 1`. A value's bits do not depend on how many are computed at once.
    #[inline]
    pub fn quarters<const N: usize>(&self, samples: &[f64], frames: usize, out: &mut Quarters<N>) {
        let mut at = 0;
        while at + LANES <= frames {
            self.some_quarters::<LANES, N>(&samples[at..], at, out);
            at += LANES;
        }
        while at < frames {
            self.some_quarters::<1, N>(&samples[at..], at, out);
            at += 1;
        }
    }

    #[inline]
    fn some_quarters<const W: usize, const N: usize>(&self, x: &[f64], at: usize, out: &mut Quarters<N>) {
        let x = &x[..W + TAPS - 1];
        let (mut even, mut odd, mut half) = ([0.0; W], [0.0; W], [0.0; W]);
        for t in 0..TAPS / 2 {
            let (front, back) = (&x[t..t + W], &x[TAPS - 1 - t..TAPS - 1 - t + W]);
            for i in 0..W {
                let (sum, difference) = (front[i] + back[i], front[i] - back[i]);
                even[i] += self.even[t] * sum;
                odd[i] += self.odd[t] * difference;
                half[i] += self.half[t] * sum;
            }
        }
        let [quarter, middle, last] = &mut out.at;
        for i in 0..W {
            quarter[at + i] = even[i] + odd[i];
            middle[at + i] = half[i];
            last[at + i] = even[i] - odd[i];
        }
    }
}

impl Default for Interpolator {
    fn default() -> Self {
        Self::new()
    }
}

/// `sin(pi x) / (pi x)`.
pub(super) fn sinc(x: f64) -> f64 {
    if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) }
}

/// The Kaiser window at `x`, -1 to 1.
pub(super) fn kaiser(x: f64, beta: f64) -> f64 {
    if x.abs() >= 1.0 { 0.0 } else { bessel(beta * (1.0 - x * x).sqrt()) / bessel(beta) }
}

/// The modified Bessel function of the first kind and order zero, by its power series.
fn bessel(x: f64) -> f64 {
    let mut term = 1.0;
    let mut sum = 1.0;
    for k in 1..40 {
        term *= (0.5 * x / f64::from(k)).powi(2);
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::super::contract::noise;
    use super::*;

    fn tone(frequency: f64, phase: f64, frames: usize) -> Vec<f64> {
        (0..frames).map(|i| (2.0 * PI * frequency * i as f64 + phase).cos()).collect()
    }

    /// The largest error against the tone itself, over all phases, in dB of full scale.
    fn error(frequency: f64) -> f64 {
        let interpolator = Interpolator::new();
        let mut worst = 0.0f64;
        for phase in 0..PHASES {
            for step in 0..50 {
                let start = f64::from(step) * 0.1257;
                let window = tone(frequency, start, TAPS);
                let at = (TAPS / 2 - 1) as f64 + phase as f64 / PHASES as f64;
                let truth = (2.0 * PI * frequency * at + start).cos();
                worst = worst.max((interpolator.eighth(phase, &window) - truth).abs());
            }
        }
        20.0 * worst.log10()
    }

    #[test]
    fn follows_tones_to_twenty_kilohertz_at_every_rate() {
        for (frequency, limit) in [(0.01, -65.0), (0.25, -73.0), (20.0 / 48.0, -66.0), (20.0 / 44.1, -72.0)] {
            assert!(error(frequency) < limit, "{frequency}: {} dB", error(frequency));
        }
    }

    #[test]
    fn passes_the_samples_themselves_and_constants() {
        let interpolator = Interpolator::new();
        let window = noise(1, TAPS, 1.0);
        assert!((interpolator.eighth(0, &window) - window[TAPS / 2 - 1]).abs() < 1e-15);
        for phase in 0..PHASES {
            assert!((interpolator.eighth(phase, &[0.7; TAPS]) - 0.7).abs() < 1e-15);
        }
    }

    #[test]
    fn folded_quarters_equal_the_plain_phases_whatever_the_count() {
        let interpolator = Interpolator::new();
        let samples = noise(2, 32 + TAPS - 1, 1.0);
        let mut whole = Quarters::<32> { at: [[0.0; 32]; 3] };
        interpolator.quarters(&samples, 32, &mut whole);
        for i in 0..32 {
            let mut single = Quarters::<1> { at: [[0.0; 1]; 3] };
            interpolator.quarters(&samples[i..i + TAPS], 1, &mut single);
            for quarter in 0..3 {
                let plain = interpolator.eighth(2 * (quarter + 1), &samples[i..i + TAPS]);
                assert!((whole.at[quarter][i] - plain).abs() < 1e-14);
                assert_eq!(whole.at[quarter][i], single.at[quarter][0]);
            }
        }
    }

    #[test]
    fn nothing_exceeds_the_bound() {
        let interpolator = Interpolator::new();
        for phase in 0..PHASES {
            let worst: Vec<f64> = interpolator.phases[phase].iter().map(|tap| tap.signum()).collect();
            assert!(interpolator.eighth(phase, &worst) <= interpolator.bound() * (1.0 + 1e-12));
        }
        assert!(interpolator.bound() > 1.0 && interpolator.bound() < 4.0, "{}", interpolator.bound());
    }
}
