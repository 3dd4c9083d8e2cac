//! Waves without aliasing: a sine, and a saw whose step is rounded off.

use units::Hz;

/// The sine of `turns` full circles, |turns| below 2^52, to within 1e-9; only additions and products, so the
/// same bits on every machine.
#[inline]
pub(super) fn sine(turns: f64) -> f64 {
    // to -0.5..0.5, then folded to -0.25..0.25 where the series is short
    let x = turns - (turns + 0.5f64.copysign(turns)) as i64 as f64;
    let folded = 0.25 - (x.abs() - 0.25).abs();
    let a = folded.copysign(x) * core::f64::consts::TAU;
    let b = a * a;
    a * (1.0
        + b * (-1.0 / 6.0
            + b * (1.0 / 120.0
                + b * (-1.0 / 5_040.0
                    + b * (1.0 / 362_880.0 + b * (-1.0 / 39_916_800.0 + b / 6_227_020_800.0))))))
}

/// A position in a cycle, 0..1, that advances by frequency over rate.
#[derive(Clone, Copy)]
pub(super) struct Phase {
    at: f64,
    per_hertz: f64,
}

impl Phase {
    pub(super) fn new(start: f64, rate: Hz) -> Self {
        Self { at: start, per_hertz: 1.0 / rate.0 }
    }

    /// The present position, then one sample on at `hertz`.
    #[inline]
    pub(super) fn next(&mut self, hertz: f64) -> f64 {
        let now = self.at;
        self.at += hertz * self.per_hertz;
        if self.at >= 1.0 {
            self.at -= 1.0;
        }
        now
    }
}

/// A falling saw, -1..1, no direct current; the step is a two-sample polynomial residual of a band-limited one
/// (polyBLEP: Välimäki & Huovilainen, "Antialiasing oscillators in subtractive synthesis", IEEE SPM 24(2), 2007).
#[derive(Clone, Copy)]
pub(super) struct Saw {
    phase: Phase,
}

impl Saw {
    pub(super) fn new(start: f64, rate: Hz) -> Self {
        Self { phase: Phase::new(start, rate) }
    }

    #[inline]
    pub(super) fn next(&mut self, hertz: f64) -> f64 {
        let step = hertz * self.phase.per_hertz;
        let at = self.phase.next(hertz);
        let residual = if at < step {
            let t = at / step;
            t + t - t * t - 1.0
        } else if at > 1.0 - step {
            let t = (at - 1.0) / step;
            t * t + t + t + 1.0
        } else {
            0.0
        };
        1.0 - 2.0 * at + residual
    }
}

/// A level that falls by 1/e every `seconds`.
#[derive(Clone, Copy)]
pub(super) struct Decay {
    level: f64,
    factor: f64,
}

impl Decay {
    pub(super) fn new(level: f64, seconds: f64, rate: Hz) -> Self {
        Self { level, factor: (-1.0 / (seconds * rate.0)).exp() }
    }

    #[inline]
    pub(super) fn next(&mut self) -> f64 {
        let now = self.level;
        self.level *= self.factor;
        now
    }
}

/// A fade from 0 to 1 with no corner at either end, over 0..1 of `way`.
#[inline]
pub(super) fn ease(way: f64) -> f64 {
    let x = way.clamp(0.0, 1.0);
    x * x * (3.0 - 2.0 * x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sine_is_the_sine() {
        for i in -4_000..4_000 {
            let turns = f64::from(i) * 1.2345e-3;
            let exact = (turns * core::f64::consts::TAU).sin();
            assert!((sine(turns) - exact).abs() < 1e-9, "{turns}");
        }
    }

    #[test]
    fn what_the_saw_folds_below_six_kilohertz_lies_sixty_decibels_down() {
        // one second holds whole cycles of every harmonic, and 443 Hz shares no factor with the rate
        let (rate, hertz) = (Hz(44_100.0), 443.0);
        let mut saw = Saw::new(0.0, rate);
        let wave: Vec<f64> = (0..44_100).map(|_| saw.next(hertz)).collect();
        let power = |hertz: f64| {
            let (mut re, mut im) = (0.0, 0.0);
            for (i, x) in wave.iter().enumerate() {
                let turns = hertz * i as f64 / rate.0;
                re += x * sine(turns + 0.25);
                im += x * sine(turns);
            }
            2.0 * (re * re + im * im) / (rate.0 * rate.0)
        };
        // the harmonics that fold to below 6 kHz, around the rate
        let folded = (87..113).map(|n| power((rate.0 - hertz * f64::from(n)).abs())).sum::<f64>();
        // half the square of 2/pi
        assert!((power(hertz) * core::f64::consts::PI.powi(2) / 2.0 - 1.0).abs() < 0.01);
        assert!(folded / power(hertz) < 1e-6, "{}", folded / power(hertz));
        assert!(power(0.0) < 1e-10);
    }
}
