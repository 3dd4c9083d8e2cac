//! K-weighting filter of BS.1770-5 Annex 1: a high shelf for the head, then a high-pass (RLB).

use super::sanitize::finite_or_zero;
use dsp::flush_invalid;
use units::Hz;

/// Coefficients of a second-order section, `a0 = 1`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct BiquadSection {
    pub(super) b: [f64; 3],
    pub(super) a: [f64; 2],
}

/// Coefficients of shelf and high-pass at `rate`, from the analogue prototypes behind the 48 kHz coefficients of
/// BS.1770 Tables 1 and 2, as identified by Brecht De Man, "Evaluation of Implementations of the EBU R128 Loudness
/// Measurement" (AES 145, 2018), so that every rate has the same response.
pub(super) fn sections(rate: Hz) -> [BiquadSection; 2] {
    const SHELF_HZ: f64 = 1_681.974_450_955_533;
    const SHELF_GAIN: f64 = 1.584_864_701_130_855_4; // 3.999843853973347 dB
    const SHELF_MID_EXPONENT: f64 = 0.499_666_774_154_541_6;
    const SHELF_Q: f64 = 0.707_175_236_955_419_6;
    const HIGH_PASS_HZ: f64 = 38.135_470_876_024_44;
    const HIGH_PASS_Q: f64 = 0.500_327_037_323_877_3;

    let k = (core::f64::consts::PI * SHELF_HZ / rate.0).tan();
    let (high, mid) = (SHELF_GAIN, SHELF_GAIN.powf(SHELF_MID_EXPONENT));
    let a0 = 1.0 + k / SHELF_Q + k * k;
    let shelf = BiquadSection {
        b: [
            (high + mid * k / SHELF_Q + k * k) / a0,
            2.0 * (k * k - high) / a0,
            (high - mid * k / SHELF_Q + k * k) / a0,
        ],
        a: [2.0 * (k * k - 1.0) / a0, (1.0 - k / SHELF_Q + k * k) / a0],
    };
    let k = (core::f64::consts::PI * HIGH_PASS_HZ / rate.0).tan();
    let a0 = 1.0 + k / HIGH_PASS_Q + k * k;
    // The standard's high-pass has b = 1, -2, 1 without normalization (Table 2).
    let high_pass = BiquadSection {
        b: [1.0, -2.0, 1.0],
        a: [2.0 * (k * k - 1.0) / a0, (1.0 - k / HIGH_PASS_Q + k * k) / a0],
    };
    [shelf, high_pass]
}

/// K-weighting filter of one channel. Latency: none.
#[derive(Clone, Debug)]
pub struct KWeighting {
    sections: [BiquadSection; 2],
    state: [[f64; 2]; 2],
    /// Frames until the next check of the state; counted since reset, so block sizes do not matter.
    until_check: usize,
}

impl KWeighting {
    const CHECK_INTERVAL_FRAMES: usize = 64;

    /// Returns the filter at `rate` (8 kHz or more for a meaningful reading).
    pub fn new(rate: Hz) -> Self {
        Self { sections: sections(rate), state: [[0.0; 2]; 2], until_check: Self::CHECK_INTERVAL_FRAMES }
    }

    /// Clears all state.
    pub fn reset(&mut self) {
        self.state = [[0.0; 2]; 2];
        self.until_check = Self::CHECK_INTERVAL_FRAMES;
    }

    /// Filters `samples` in place. Non-finite samples count as silence.
    pub fn process(&mut self, samples: &mut [f64]) {
        let mut at = 0;
        while at < samples.len() {
            let frames = self.unchecked(samples.len() - at);
            for sample in &mut samples[at..at + frames] {
                *sample = self.step(*sample);
            }
            at += frames;
            self.advance(frames);
        }
    }

    /// Adds the squares of the weighted samples to `energy`, one by one, and returns it. Non-finite samples count as
    /// silence.
    pub fn add_energy(&mut self, samples: &[f64], mut energy: f64) -> f64 {
        let mut at = 0;
        while at < samples.len() {
            let frames = self.unchecked(samples.len() - at);
            for &sample in &samples[at..at + frames] {
                let y = self.step(sample);
                energy += y * y;
            }
            at += frames;
            self.advance(frames);
        }
        energy
    }

    #[inline(always)]
    fn step(&mut self, input: f64) -> f64 {
        let mut x = finite_or_zero(input);
        for (section, s) in self.sections.iter().zip(&mut self.state) {
            // Transposed direct form II.
            let y = section.b[0] * x + s[0];
            s[0] = section.b[1] * x - section.a[0] * y + s[1];
            s[1] = section.b[2] * x - section.a[1] * y;
            x = y;
        }
        x
    }

    /// Frames, at most `available`, until the next check of the state.
    #[inline]
    fn unchecked(&self, available: usize) -> usize {
        available.min(self.until_check)
    }

    #[inline]
    fn advance(&mut self, frames: usize) {
        self.until_check -= frames;
        if self.until_check == 0 {
            self.until_check = Self::CHECK_INTERVAL_FRAMES;
            for s in self.state.as_flattened_mut() {
                *s = flush_invalid(*s);
            }
        }
    }

    /// Gain of the filter at `frequency`, linear.
    pub fn gain_at(rate: Hz, frequency: Hz) -> f64 {
        let w = 2.0 * core::f64::consts::PI * frequency.0 / rate.0;
        sections(rate)
            .iter()
            .map(|section| {
                let magnitude = |c0: f64, c1: f64, c2: f64| {
                    (c0 + c1 * w.cos() + c2 * (2.0 * w).cos()).hypot(c1 * w.sin() + c2 * (2.0 * w).sin())
                };
                magnitude(section.b[0], section.b[1], section.b[2])
                    / magnitude(1.0, section.a[0], section.a[1])
            })
            .product()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coefficients_at_48_khz_are_those_of_bs_1770_tables_1_and_2() {
        let [shelf, high_pass] = sections(Hz(48_000.0));
        let table_1 = BiquadSection {
            b: [1.53512485958697, -2.69169618940638, 1.19839281085285],
            a: [-1.69065929318241, 0.73248077421585],
        };
        let table_2 = BiquadSection { b: [1.0, -2.0, 1.0], a: [-1.99004745483398, 0.99007225036621] };
        for (section, table) in [(shelf, table_1), (high_pass, table_2)] {
            for (got, expected) in section.b.iter().chain(&section.a).zip(table.b.iter().chain(&table.a)) {
                assert!((got - expected).abs() < 1e-9, "{got} {expected}");
            }
        }
    }

    #[test]
    fn every_rate_has_the_same_response_in_the_band() {
        for rate in [44_100.0, 88_200.0, 96_000.0, 192_000.0, 384_000.0] {
            for f in [20.0, 100.0, 997.0, 2_000.0] {
                let reference = KWeighting::gain_at(Hz(48_000.0), Hz(f));
                let here = KWeighting::gain_at(Hz(rate), Hz(f));
                assert!((here / reference).ln().abs() < 0.01, "{rate} {f}: {here} {reference}");
            }
        }
    }
}
