//! Delay estimation: the delays at which a stem is found in the mix.
//!
//! The impulse response from stem to mix, `H = sum S_xy / sum S_xx` over several excerpts (Roth processor: Knapp &
//! Carter, "The generalized correlation method for estimation of time delay", IEEE TASSP 24(4), 1976), has a peak at
//! the stem's delay with its gain as height, independent of the stem's own spectrum. A second peak is a second
//! arrival. Frequencies at which the stem has little energy are regularized.

use fourier::Complex;
use fourier::{ComplexToReal, RealToComplex};
use std::sync::Arc;

/// Delay, gain and clarity of a stem found in the mix.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DelayEstimate {
    /// Delay after the expected position, frames; negative is early.
    pub delay: i64,
    /// Height of the peak: near the linear gain for broadband stems, lower for dull ones; negative if inverted.
    pub gain: f64,
    /// Height of the peak over the noise level of the response (a robust estimate); 8 or more is no chance.
    pub clarity: f64,
}

/// Estimator of a stem's delays from excerpts of the stem and of the mix.
pub struct Aligner {
    frames: usize,
    reach: usize,
    forward: Arc<dyn RealToComplex<f64>>,
    inverse: Arc<dyn ComplexToReal<f64>>,
    auto_power: Vec<f64>,
    cross: Vec<Complex<f64>>,
}

/// Peaks within this ratio (1 dB) of the highest are rivals: the one nearest the expected delay is taken.
const RIVAL_RATIO: f64 = 0.891;

impl Aligner {
    /// Returns an aligner for excerpts of `frames` frames and delays of up to ±`reach` frames.
    pub fn new(frames: usize, reach: usize) -> Self {
        let length = (frames + 2 * reach).next_power_of_two();
        Self {
            frames,
            reach,
            forward: fourier::forward(length),
            inverse: fourier::inverse(length),
            auto_power: vec![0.0; length / 2 + 1],
            cross: vec![Complex::default(); length / 2 + 1],
        }
    }

    /// Frames of mix that belong to an excerpt: from `reach` frames before it to `reach` frames after it.
    pub fn mix_frames(&self) -> usize {
        self.frames + 2 * self.reach
    }

    /// Adds an excerpt: `stem` of the aligner's length, `mix` of [`Self::mix_frames`] around it.
    ///
    /// # Panics
    /// If a length is wrong.
    pub fn add(&mut self, stem: &[f64], mix: &[f64]) {
        assert!(
            stem.len() == self.frames && mix.len() == self.mix_frames(),
            "excerpts have the aligner's lengths"
        );
        let x = self.spectrum(stem, self.reach);
        let y = self.spectrum(mix, 0);
        for (((auto, cross), x), y) in self.auto_power.iter_mut().zip(&mut self.cross).zip(x).zip(y) {
            *auto += x.norm_sqr();
            *cross += x.conj() * y;
        }
    }

    fn spectrum(&self, samples: &[f64], offset: usize) -> Vec<Complex<f64>> {
        let mut time = self.forward.make_input_vec();
        time[offset..offset + samples.len()].copy_from_slice(samples);
        let mut spectrum = self.forward.make_output_vec();
        self.forward.process(&mut time, &mut spectrum).expect("buffers were made by the plan");
        spectrum
    }

    /// Impulse response from stem to mix for delays from -reach to +reach.
    fn impulse_response(&self) -> Vec<f64> {
        let length = self.forward.len();
        let peak = self.auto_power.iter().copied().fold(0.0, f64::max);
        let mean = self.auto_power.iter().sum::<f64>() / self.auto_power.len() as f64;
        // Regularization: 60 dB below the strongest frequency, or 30 dB below the mean.
        let floor = (peak * 1e-6).max(mean * 1e-3).max(f64::MIN_POSITIVE);
        let mut spectrum: Vec<Complex<f64>> =
            self.cross.iter().zip(&self.auto_power).map(|(cross, auto)| cross / (auto + floor)).collect();
        spectrum[0].im = 0.0;
        if let Some(nyquist) = spectrum.last_mut() {
            nyquist.im = 0.0;
        }
        let mut time = self.inverse.make_output_vec();
        self.inverse.process(&mut spectrum, &mut time).expect("buffers were made by the plan");
        let scale = 1.0 / length as f64;
        (0..=2 * self.reach).map(|i| time[(i + length - self.reach) % length] * scale).collect()
    }

    /// Returns at most `max_count` delays of the stem in the mix, the strongest first; of rivals within 1 dB of the
    /// strongest, the one nearest `expected` comes first. Empty if the stem is not found.
    pub fn delays(&self, max_count: usize, expected: i64) -> Vec<DelayEstimate> {
        if self.auto_power.iter().all(|&p| p == 0.0) {
            return Vec::new();
        }
        let response = self.impulse_response();
        let mut magnitudes: Vec<f64> = response.iter().map(|h| h.abs()).collect();
        let middle = magnitudes.len() / 2;
        // Peaks do not move the median; 1.4826 makes it the standard deviation of Gaussian noise.
        let noise = *magnitudes.select_nth_unstable_by(middle, f64::total_cmp).1 * 1.4826;
        let noise = noise.max(1e-9);
        let mut left: Vec<f64> = response.clone();
        let mut arrivals = Vec::new();
        let guard = 32; // a spike's own foot
        while arrivals.len() < max_count {
            let (at, height) = strongest(&left, self.reach as i64 + expected);
            let clarity = height.abs() / noise;
            if clarity < 8.0 {
                break;
            }
            arrivals.push(DelayEstimate { delay: at as i64 - self.reach as i64, gain: height, clarity });
            let (start, end) = (at.saturating_sub(guard), (at + guard + 1).min(left.len()));
            left[start..end].fill(0.0);
        }
        arrivals
    }
}

/// Returns the delay of `stem` in `mix`, which begins `reach` frames earlier and ends `reach` frames later: the
/// strongest arrival (of rivals, the one nearest `expected`) to the frame, with its least-squares gain. `None` if the
/// stem is not found.
pub fn locate_stem(stem: &[f64], mix: &[f64], reach: usize, expected: i64) -> Option<DelayEstimate> {
    let mut aligner = Aligner::new(stem.len(), reach);
    aligner.add(stem, mix);
    let arrival = *aligner.delays(1, expected).first()?;
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let own = dot(stem, stem);
    let gain = |delay: i64| dot(stem, &mix[(reach as i64 + delay) as usize..]) / own;
    let left = |delay: i64| {
        if delay.unsigned_abs() > reach as u64 {
            return f64::INFINITY;
        }
        let around = &mix[(reach as i64 + delay) as usize..][..stem.len()];
        dot(around, around) - gain(delay).powi(2) * own
    };
    let (delay, _) = refine_delay(arrival.delay, left);
    Some(DelayEstimate { delay, gain: gain(delay), ..arrival })
}

/// Walks from a delay to the neighbouring local minimum of `left`, the energy that remains: on dull stems the peak of
/// the response is broad. Returns delay and energy.
pub fn refine_delay(from: i64, left: impl Fn(i64) -> f64) -> (i64, f64) {
    let mut best = (from, left(from));
    for _ in 0..32 {
        let next = [best.0 - 1, best.0 + 1].map(|delay| (delay, left(delay)));
        let next = if next[0].1 < next[1].1 { next[0] } else { next[1] };
        if next.1 >= best.1 {
            break;
        }
        best = next;
    }
    best
}

/// Index and value of the highest magnitude; of those within 1 dB of it, the one nearest `expected`.
fn strongest(values: &[f64], expected: i64) -> (usize, f64) {
    let highest = values.iter().fold(0.0f64, |m, v| m.max(v.abs()));
    let rivals = values.iter().enumerate().filter(|(_, v)| v.abs() >= highest * RIVAL_RATIO);
    let nearest = rivals.min_by_key(|(i, _)| (*i as i64 - expected).abs());
    nearest.map_or((0, 0.0), |(i, v)| (i, *v))
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::noise;

    const FRAMES: usize = 20_000;
    const REACH: usize = 5_000;

    /// A dull, rhythmic stem.
    fn stem(seed: u64) -> Vec<f64> {
        let mut low = 0.0;
        let raw = noise(seed, FRAMES + 4 * REACH, 0.5);
        raw.iter()
            .enumerate()
            .map(|(n, x)| {
                low = 0.9 * low + 0.1 * x;
                low * (1.0 - (n % 3000) as f64 / 3000.0)
            })
            .collect()
    }

    fn arrivals(arrivals: &[(i64, f64)], others: f64, expected: i64) -> Vec<DelayEstimate> {
        let (stem, other) = (stem(1), stem(2));
        let start = 2 * REACH;
        let mix: Vec<f64> = (0..FRAMES + 2 * REACH)
            .map(|n| {
                let at = |delay: i64| stem[(n as i64 + REACH as i64 - delay) as usize];
                arrivals.iter().map(|&(delay, gain)| gain * at(delay)).sum::<f64>() + others * other[n]
            })
            .collect();
        let mut aligner = Aligner::new(FRAMES, REACH);
        aligner.add(&stem[start..start + FRAMES], &mix);
        aligner.delays(3, expected)
    }

    #[test]
    fn a_late_stem_is_found_to_the_sample_among_others() {
        for delay in [0, 64, -64, 1, 4_800, -3_001] {
            let found = arrivals(&[(delay, 0.7)], 1.0, 0);
            assert_eq!(found[0].delay, delay);
            assert!((found[0].gain / 0.7 - 1.0).abs() < 0.15, "{found:?}");
        }
    }

    #[test]
    fn an_inverted_stem_has_a_negative_gain() {
        assert!(arrivals(&[(10, -1.0)], 0.5, 0)[0].gain < -0.8);
    }

    #[test]
    fn a_doubled_stem_arrives_twice() {
        let found = arrivals(&[(0, 1.0), (480, 0.5)], 0.3, 0);
        assert_eq!((found[0].delay, found[1].delay), (0, 480));
    }

    #[test]
    fn of_equal_arrivals_the_expected_one_comes_first() {
        assert_eq!(arrivals(&[(0, 1.0), (480, 1.0)], 0.0, 480)[0].delay, 480);
        assert_eq!(arrivals(&[(0, 1.0), (480, 1.0)], 0.0, 0)[0].delay, 0);
    }

    #[test]
    fn a_stem_that_is_not_in_the_mix_is_not_found() {
        assert_eq!(arrivals(&[], 1.0, 0), []);
    }
}
