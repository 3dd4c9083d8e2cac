//! Random numbers that are the same on every run.

use units::Hz;
use units::hash::SplitMix64;

/// Random numbers of one instrument.
#[derive(Clone)]
pub(super) struct Chance(SplitMix64);

impl Chance {
    /// One stream per `seed`.
    pub(super) fn new(seed: u64) -> Self {
        Self(SplitMix64::new(seed))
    }

    /// Uniform in -1..1.
    #[inline]
    pub(super) fn next(&mut self) -> f64 {
        // the top bits as a signed fraction
        (self.0.next_u64() as i64) as f64 / 2f64.powi(63)
    }

    /// `value`, give or take the fraction `spread`.
    pub(super) fn around(&mut self, value: f64, spread: f64) -> f64 {
        value * (1.0 + spread * self.next())
    }
}

/// White noise whose density per hertz does not depend on the sampling rate; filter it before use.
#[derive(Clone)]
pub(super) struct WhiteNoise {
    chance: Chance,
    scale: f64,
}

impl WhiteNoise {
    pub(super) fn new(seed: u64, rate: Hz) -> Self {
        Self { chance: Chance::new(seed), scale: (rate.0 / 48_000.0).sqrt() }
    }

    #[inline]
    pub(super) fn next(&mut self) -> f64 {
        self.chance.next() * self.scale
    }
}
