//! Bound on the values between samples.

use dsp::largest;

/// Bound on what an interpolator makes of samples, for those who look for its maximum: what cannot hold one need not be
/// interpolated.
///
/// First, the sum of the coefficients' magnitudes: a factor of the largest sample, reached by worst-case noise.
/// Second, closer for smooth signals: each phase is a straight line between its two middle samples, of the same sum
/// and slope, plus a filter of second differences, because the rest has neither sum nor slope.
#[derive(Clone, Copy, Debug)]
pub struct OvershootBound {
    /// Greatest ratio of a value to the largest sample.
    pub(crate) samples: f64,
    /// Second bound: this times the largest sample,
    pub(crate) line: f64,
    /// plus this times the largest second difference.
    pub(crate) bend: f64,
}

impl OvershootBound {
    /// The bound of an interpolator with these phases, an even number of taps each, that lie between the middle two.
    pub fn new<'a>(phases: impl IntoIterator<Item = &'a [f64]>) -> Self {
        let up = 1.0 + 1e-12; // roundings of this computation
        let magnitude = |taps: &[f64]| taps.iter().map(|tap| tap.abs()).sum::<f64>();
        let mut bound = Self { samples: 1.0, line: 1.0, bend: 0.0 };
        for phase in phases {
            let middle = phase.len() / 2 - 1;
            let sum: f64 = phase.iter().sum();
            let moment: f64 = phase.iter().enumerate().map(|(k, tap)| k as f64 * tap).sum();
            let line = [sum * (middle + 1) as f64 - moment, moment - sum * middle as f64];
            let mut rest = phase.to_vec();
            (rest[middle], rest[middle + 1]) = (rest[middle] - line[0], rest[middle + 1] - line[1]);
            // Summed twice, the rest becomes a filter of second differences.
            for _ in 0..2 {
                rest = (0..rest.len()).map(|k| rest[..=k].iter().sum()).collect();
            }
            bound.samples = bound.samples.max(magnitude(phase) * up);
            bound.line = bound.line.max(magnitude(&line) * up);
            bound.bend = bound.bend.max(magnitude(&rest) * up);
        }
        bound
    }

    /// True if no value interpolated from `samples` alone, finite ones, exceeds `limit`.
    #[inline(always)]
    pub fn is_within(&self, samples: &[f64], limit: f64) -> bool {
        let most = largest(samples);
        most * self.samples <= limit || most * self.line + largest_bend(samples) * self.bend <= limit
    }
}

/// The largest magnitude of the second differences.
#[inline(always)]
fn largest_bend(samples: &[f64]) -> f64 {
    const LANES: usize = 8;
    let mut lanes = [0.0f64; LANES];
    let count = samples.len().saturating_sub(2);
    let bend = |n: usize| (samples[n] - 2.0 * samples[n + 1] + samples[n + 2]).abs();
    let whole = count / LANES * LANES;
    for start in (0..whole).step_by(LANES) {
        let around: &[f64; LANES + 2] = samples[start..].first_chunk().expect("lanes and two more");
        for (n, lane) in lanes.iter_mut().enumerate() {
            let bend = (around[n] - 2.0 * around[n + 1] + around[n + 2]).abs();
            *lane = if bend > *lane { bend } else { *lane };
        }
    }
    (whole..count).map(bend).chain(lanes).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::noise;

    #[test]
    fn no_value_exceeds_either_bound() {
        let phases = crate::interpolate::phases();
        let bound = OvershootBound::new(phases.iter().map(|phase| &phase[..]));
        for seed in 0..300 {
            // From white noise to smooth curves.
            let smooth = seed as f64 / 320.0;
            let mut last = [0.0; 2];
            let samples: Vec<f64> = noise(seed, 40, 1.0)
                .into_iter()
                .map(|x| {
                    last[0] = smooth * last[0] + (1.0 - smooth) * x;
                    last[1] = smooth * last[1] + (1.0 - smooth) * last[0];
                    last[1]
                })
                .collect();
            for (window, phase) in samples.windows(12).flat_map(|w| phases.iter().map(move |p| (w, p))) {
                let value: f64 = window.iter().zip(phase).map(|(x, tap)| x * tap).sum();
                assert!(!bound.is_within(window, value.abs() * (1.0 - 1e-9)), "{seed}: {value}");
            }
        }
    }

    #[test]
    fn a_slow_sine_is_bounded_closely() {
        let phases = crate::interpolate::phases();
        let bound = OvershootBound::new(phases.iter().map(|phase| &phase[..]));
        let sine: Vec<f64> = (0..12).map(|n| (n as f64 * 0.05).sin()).collect();
        let most = largest(&sine);
        assert!(bound.is_within(&sine, 1.02 * most) && !bound.is_within(&sine, most));
    }

    #[test]
    fn the_largest_second_difference_is_found_anywhere() {
        for length in 0..40 {
            for at in 0..length {
                let mut samples = vec![0.25_f64; length];
                samples[at] = 0.5;
                let expected =
                    samples.windows(3).map(|w| (w[0] - 2.0 * w[1] + w[2]).abs()).fold(0.0, f64::max);
                assert_eq!(largest_bend(&samples), expected, "{length} {at}");
            }
        }
    }
}
