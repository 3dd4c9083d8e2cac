//! Chance that is the same on every run.

use units::Hz;

/// SplitMix64 (Steele, Lea & Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014, fig. 16).
#[derive(Clone)]
pub(super) struct Chance(u64);

impl Chance {
    /// One stream per `seed`.
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Uniform in -1..1.
    #[inline]
    pub(super) fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        // the top bits as a signed fraction
        ((z ^ (z >> 31)) as i64) as f64 / 2f64.powi(63)
    }

    /// `value`, give or take the fraction `spread`.
    pub(super) fn around(&mut self, value: f64, spread: f64) -> f64 {
        value * (1.0 + spread * self.next())
    }
}

/// White noise whose density per hertz does not depend on the sampling rate; filter it before use.
#[derive(Clone)]
pub(super) struct Noise {
    chance: Chance,
    scale: f64,
}

impl Noise {
    pub(super) fn new(seed: u64, rate: Hz) -> Self {
        Self { chance: Chance::new(seed), scale: (rate.0 / 48_000.0).sqrt() }
    }

    #[inline]
    pub(super) fn next(&mut self) -> f64 {
        self.chance.next() * self.scale
    }
}
