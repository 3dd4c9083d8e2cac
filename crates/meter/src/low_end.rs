//! Low-end correlation of a stem and its sidechain below 150 Hz: whether kick and bass add up or cancel.

use super::sanitize::finite_or_zero;
use dsp::ballistics::one_pole_coefficient;
use dsp::delay::Delay;
use dsp::filter::{Kernel, Section, State};
use units::{Hz, Ms, Samples};

/// Corner frequency of the band: a Butterworth low-pass of fourth order.
pub const CORNER_FREQUENCY: Hz = Hz(150.0);

/// Time constant of the averages.
const AVERAGING_TIME: Ms = Ms(1000.0);

/// Mean square below which a signal is silent (-100 dBFS).
const SILENT_POWER: f64 = 1e-10;

/// Rate of the ring, frames per second: enough for delays of a band below 150 Hz.
const RING_RATE: f64 = 3000.0;

/// Longest delay that is searched, in either direction.
const MAX_DELAY: Ms = Ms(20.0);

/// Difference from the best correlation within which the shortest delay is taken, because tones repeat.
const RIVAL_MARGIN: f64 = 0.02;

/// Delay and polarity with which a stem adds up best with its sidechain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Alignment {
    /// Delay of the stem; negative: of the sidechain.
    pub delay: Ms,
    /// True if the stem should be inverted.
    pub inverted: bool,
    /// Correlation after the alignment.
    pub correlation: f64,
}

/// Correlation meter of a stem and its sidechain, of which it measures the mono sums.
#[derive(Clone, Debug)]
pub struct LowEnd {
    rate: Hz,
    kernels: [Kernel; 2],
    /// Indexed by stem and key, then section.
    states: [[State; 2]; 2],
    key_delay: Delay,
    forget: f64,
    /// Means of stem², key² and stem × key.
    means: [f64; 3],
    /// Frames per entry of the ring.
    stride: usize,
    until_next: usize,
    ring: Box<[[f64; 2]]>,
    at: usize,
}

impl LowEnd {
    /// Returns a meter at `rate` for a stem that is `latency` later than its sidechain, because it has passed a
    /// chain.
    pub fn new(rate: Hz, latency: Samples) -> Self {
        let sections = Section::BUTTERWORTH.map(|q| Section::passes(CORNER_FREQUENCY.0 / rate.0, q)[0]);
        let stride = ((rate.0 / RING_RATE) as usize).max(1);
        let kept = (2.0 * AVERAGING_TIME.0 * 1e-3 * rate.0 / stride as f64) as usize;
        Self {
            rate,
            kernels: sections.map(|section| Kernel::new(&section)),
            states: Default::default(),
            key_delay: Delay::new(latency),
            forget: one_pole_coefficient(AVERAGING_TIME, rate),
            means: [0.0; 3],
            stride,
            until_next: 0,
            ring: vec![[0.0; 2]; kept].into(),
            at: 0,
        }
    }

    /// Processes frames, all four slices of one length. Constant cost, no allocation; non-finite samples count as
    /// silence.
    pub fn process(&mut self, stem: [&[f64]; 2], key: [&[f64]; 2]) {
        for i in 0..stem[0].len() {
            let mono = |sides: [&[f64]; 2]| finite_or_zero(0.5 * (sides[0][i] + sides[1][i]));
            let mut pair = [mono(stem), self.key_delay.next(mono(key))];
            for (sample, states) in pair.iter_mut().zip(&mut self.states) {
                for (kernel, state) in self.kernels.iter().zip(states) {
                    kernel.process(state, core::slice::from_mut(sample));
                }
            }
            let [a, b] = pair;
            for (mean, product) in self.means.iter_mut().zip([a * a, b * b, a * b]) {
                *mean += (product - *mean) * self.forget;
            }
            if self.until_next == 0 {
                self.until_next = self.stride;
                self.ring[self.at] = pair;
                self.at = (self.at + 1) % self.ring.len();
                self.states.iter_mut().flatten().for_each(State::flush_invalid);
            }
            self.until_next -= 1;
        }
    }

    /// Correlation over about the last second: 1 in phase, 0 at a quarter of a period or for unrelated signals, -1
    /// cancelling; the cosine of the phase between two tones of one frequency. `None` while either is silent.
    pub fn correlation(&self) -> Option<f64> {
        let [stem, key, cross] = self.means;
        (stem > SILENT_POWER && key > SILENT_POWER).then(|| (cross / (stem * key).sqrt()).clamp(-1.0, 1.0))
    }

    /// Returns the best alignment over the last two seconds, within ±20 ms. `None` while either is silent. Copies the
    /// ring and takes some million operations: not for the audio thread.
    pub fn best_alignment(&self) -> Option<Alignment> {
        self.correlation()?;
        let (new, old) = self.ring.split_at(self.at);
        let pairs: Vec<[f64; 2]> = [old, new].concat();
        let rate = self.rate.0 / self.stride as f64;
        let reach = (MAX_DELAY.0 * 1e-3 * rate) as isize;
        // Correlation with the stem delayed by `lag`, normalized over the overlap.
        let correlation = |lag: isize| {
            let (early, late) = (lag.min(0).unsigned_abs(), lag.max(0).unsigned_abs());
            let mut sums = [0.0; 3];
            for n in late..pairs.len() - early {
                let (stem, key) = (pairs[n - late + early][0], pairs[n][1]);
                sums[0] += stem * stem;
                sums[1] += key * key;
                sums[2] += stem * key;
            }
            sums[2] / (sums[0] * sums[1]).sqrt().max(f64::MIN_POSITIVE)
        };
        let all: Vec<f64> = (-reach..=reach).map(correlation).collect();
        let top = all.iter().fold(0.0f64, |m, r| m.max(r.abs()));
        let is_peak = |i: &usize| all[*i].abs() >= all[i - 1].abs() && all[*i].abs() >= all[i + 1].abs();
        let near = |i: &usize| all[*i].abs() >= top - RIVAL_MARGIN;
        let middle = reach.unsigned_abs();
        let found = (1..all.len() - 1).filter(is_peak).filter(near).min_by_key(|i| i.abs_diff(middle))?;
        // Parabola through the peak and its neighbours.
        let [before, at, after] = [-1, 0, 1].map(|d| all[found.saturating_add_signed(d)].abs());
        let bend = 2.0 * at - before - after;
        let offset = if bend > 0.0 { 0.5 * (after - before) / bend } else { 0.0 };
        Some(Alignment {
            delay: Ms((found as f64 - middle as f64 + offset) / rate * 1e3),
            inverted: all[found] < 0.0,
            correlation: at,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::f64::consts::TAU;
    use dsp::align::{Align, AlignSettings};
    use dsp::{Block, Process};
    use testkit::noise;

    const RATE: Hz = Hz(48_000.0);

    fn tone(frequency: f64, degrees: f64, frames: usize) -> Vec<f64> {
        (0..frames).map(|i| (TAU * (frequency * i as f64 / 48_000.0 + degrees / 360.0)).sin()).collect()
    }

    fn measured(stem: &[f64], key: &[f64]) -> LowEnd {
        let mut low_end = LowEnd::new(RATE, Samples(0));
        for (stem, key) in stem.chunks(500).zip(key.chunks(500)) {
            low_end.process([stem, stem], [key, key]);
        }
        low_end
    }

    #[test]
    fn two_tones_read_the_cosine_of_the_phase_between_them() {
        for degrees in [0.0, 30.0, 90.0, 135.0, 180.0] {
            let low_end = measured(&tone(60.0, degrees, 192_000), &tone(60.0, 0.0, 192_000));
            let read = low_end.correlation().expect("both sound");
            assert!((read - (degrees / 360.0 * TAU).cos()).abs() < 0.02, "{degrees}: {read}");
        }
    }

    #[test]
    fn what_is_above_the_low_end_does_not_count() {
        let mix = |low: Vec<f64>, high: f64| -> Vec<f64> {
            low.iter().zip(tone(2000.0, high, 96_000)).map(|(a, b)| a + 2.0 * b).collect()
        };
        let low_end = measured(&mix(tone(50.0, 0.0, 96_000), 0.0), &mix(tone(50.0, 0.0, 96_000), 180.0));
        assert!(low_end.correlation().expect("both sound") > 0.999);
    }

    #[test]
    fn silence_has_no_relation() {
        assert_eq!(measured(&tone(60.0, 0.0, 9600), &[0.0; 9600]).correlation(), None);
        assert_eq!(measured(&[f64::NAN; 9600], &tone(60.0, 0.0, 9600)).best_alignment(), None);
    }

    #[test]
    fn the_latency_of_the_stem_is_taken_into_account() {
        let key = noise(1, 96_000, 1.0);
        let mut low_end = LowEnd::new(RATE, Samples(336));
        let stem: Vec<f64> = [vec![0.0; 336], key[..96_000 - 336].to_vec()].concat();
        low_end.process([&stem, &stem], [&key, &key]);
        assert!(low_end.correlation().expect("both sound") > 0.999_999);
    }

    #[test]
    fn finds_the_delay_and_polarity_that_align_and_they_do() {
        for (late, inverted) in [(3.2, false), (11.47, true), (-5.05, false), (0.0, true)] {
            let source = noise(5, 144_000, 0.5);
            let by = |ms: f64| {
                let mut align = Align::new(RATE);
                align.set(&AlignSettings { delay: Ms(ms) });
                let (mut left, mut right) = (source.clone(), source.clone());
                align.process(&mut Block::new(&mut left, &mut right));
                left
            };
            let sign = if inverted { -1.0 } else { 1.0 };
            let stem: Vec<f64> = by(0f64.max(-late)).iter().map(|x| x * sign).collect();
            let best_alignment = measured(&stem, &by(0f64.max(late))).best_alignment().expect("both sound");
            assert!((best_alignment.delay.0 - late).abs() < 0.05, "{late}: {best_alignment:?}");
            assert!(
                best_alignment.inverted == inverted && best_alignment.correlation > 0.99,
                "{best_alignment:?}"
            );
        }
    }

    #[test]
    fn of_a_tone_s_many_delays_the_shortest_is_told() {
        let best_alignment = measured(&tone(100.0, 90.0, 144_000), &tone(100.0, 0.0, 144_000))
            .best_alignment()
            .expect("both sound");
        assert!(
            (best_alignment.delay.0 - 2.5).abs() < 0.1 && !best_alignment.inverted
                || (best_alignment.delay.0 + 2.5).abs() < 0.1 && best_alignment.inverted
        );
    }
}
