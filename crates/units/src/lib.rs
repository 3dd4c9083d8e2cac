//! Quantities of audio as types, and the only decibel conversions of the workspace.
//!
//! Public boundaries speak in these types; inside loops bare `f64` is used and the unit is in the name
//! (`release_samples`, `gain_linear`). Powers may be summed, levels may not: `Lufs` has no addition with
//! `Lufs`, and their difference is a `Lu`.

pub mod hash;

use core::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

macro_rules! unit {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
        pub struct $name(pub f64);
    };
}

unit! {
    /// Ratio of amplitudes in decibels: a gain, a threshold relative to full scale, a reduction.
    Db
}
unit! {
    /// Absolute loudness, K-weighted, relative to full scale (BS.1770; the same as LKFS).
    Lufs
}
unit! {
    /// Difference of loudness; 1 LU is 1 dB.
    Lu
}
unit! {
    /// True peak relative to full scale, in decibels (BS.1770 Annex 2).
    Dbtp
}
unit! {
    /// Frequency or sampling rate in hertz.
    Hz
}
unit! {
    /// Time in milliseconds.
    Ms
}
unit! {
    /// Mean square after K-weighting, summed over channels with their weights (BS.1770 eq. 1 and 2).
    ///
    /// Averages and sums are made here; decibels only at the edge.
    Power
}

/// Number of sample frames: a delay, a latency, a length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Samples(pub usize);

/// Gain that doubles an amplitude, 6.02 dB.
pub const DOUBLING: Db = Db(20.0 / core::f64::consts::LOG2_10);

/// The least amplitude that is a sound, linear: -200 dB, 56 dB below the steps of 24 bits. What is below it is the rest of a
/// filter's memory, or denormal numbers.
pub const LEAST_AMPLITUDE: f64 = 1e-10;

/// Converts an amplitude ratio in decibels to a linear factor.
#[inline]
pub fn linear(db: f64) -> f64 {
    // A third of the time of `powf`, and as exact within a rounding.
    (db * (core::f64::consts::LOG2_10 / 20.0)).exp2()
}

/// Converts a non-negative linear amplitude to decibels; zero gives minus infinity.
#[inline]
pub fn decibels(amplitude: f64) -> f64 {
    20.0 * amplitude.log10()
}

impl Db {
    /// Linear amplitude factor.
    #[inline]
    pub fn gain(self) -> f64 {
        linear(self.0)
    }

    /// Gain that multiplies amplitudes by `factor`, sign ignored.
    #[inline]
    pub fn from_gain(factor: f64) -> Self {
        Self(decibels(factor.abs()))
    }

    /// Smaller of two gains.
    pub fn min(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }

    /// Larger of two gains.
    pub fn max(self, other: Self) -> Self {
        Self(self.0.max(other.0))
    }
}

impl Dbtp {
    /// Linear amplitude.
    #[inline]
    pub fn amplitude(self) -> f64 {
        linear(self.0)
    }

    /// Level of a linear amplitude; `None` for silence, up to [`LEAST_AMPLITUDE`].
    pub fn from_amplitude(amplitude: f64) -> Option<Self> {
        (amplitude > LEAST_AMPLITUDE).then(|| Self(decibels(amplitude)))
    }
}

impl Lufs {
    /// Power that reads this loudness (inverse of BS.1770 eq. 2).
    #[inline]
    pub fn power(self) -> Power {
        Power(10f64.powf((self.0 + 0.691) / 10.0))
    }
}

impl Power {
    /// The power of [`LEAST_AMPLITUDE`].
    const LEAST: Self = Self(LEAST_AMPLITUDE * LEAST_AMPLITUDE);

    /// Loudness of this power, `-0.691 + 10 log10(P)` (BS.1770 eq. 2); `None` for no power, or one below -200 dB.
    #[inline]
    pub fn loudness(self) -> Option<Lufs> {
        (self.0 > Self::LEAST.0).then(|| Lufs(-0.691 + 10.0 * self.0.log10()))
    }
}

impl Ms {
    /// Nearest whole number of sample frames at `rate`.
    pub fn samples(self, rate: Hz) -> Samples {
        Samples((self.0 * 1e-3 * rate.0).round().max(0.0) as usize)
    }
}

impl Samples {
    /// Duration at `rate`.
    pub fn duration(self, rate: Hz) -> Ms {
        Ms(self.0 as f64 / rate.0 * 1e3)
    }
}

impl Add for Samples {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

macro_rules! linear_space {
    ($($name:ident)*) => {$(
        impl Add for $name {
            type Output = Self;
            #[inline]
            fn add(self, other: Self) -> Self { Self(self.0 + other.0) }
        }
        impl Sub for $name {
            type Output = Self;
            #[inline]
            fn sub(self, other: Self) -> Self { Self(self.0 - other.0) }
        }
        impl Neg for $name {
            type Output = Self;
            #[inline]
            fn neg(self) -> Self { Self(-self.0) }
        }
        impl Mul<f64> for $name {
            type Output = Self;
            #[inline]
            fn mul(self, factor: f64) -> Self { Self(self.0 * factor) }
        }
        impl Div<f64> for $name {
            type Output = Self;
            #[inline]
            fn div(self, divisor: f64) -> Self { Self(self.0 / divisor) }
        }
    )*};
}
linear_space!(Db Lu Power);

impl AddAssign for Power {
    #[inline]
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl Sub for Lufs {
    type Output = Lu;
    fn sub(self, other: Self) -> Lu {
        Lu(self.0 - other.0)
    }
}

impl Add<Db> for Lufs {
    type Output = Self;
    fn add(self, gain: Db) -> Self {
        Self(self.0 + gain.0)
    }
}

impl Add<Db> for Dbtp {
    type Output = Self;
    fn add(self, gain: Db) -> Self {
        Self(self.0 + gain.0)
    }
}

impl Sub for Dbtp {
    type Output = Db;
    fn sub(self, other: Self) -> Db {
        Db(self.0 - other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_decibels_is_exactly_unity() {
        assert_eq!(Db(0.0).gain(), 1.0);
        assert_eq!(Db(-0.0).gain(), 1.0);
        assert_eq!(Db::from_gain(1.0), Db(0.0));
    }

    #[test]
    fn six_decibels_is_a_factor_of_two_within_rounding() {
        assert!((Db(20.0 * 2f64.log10()).gain() - 2.0).abs() < 1e-15);
        assert!((Db::from_gain(0.5).0 + 6.020_599_913_279_624).abs() < 1e-12);
    }

    #[test]
    fn loudness_and_power_are_inverse() {
        for lufs in [-69.9, -23.0, -14.0, 3.0] {
            let back = Lufs(lufs).power().loudness().expect("power is positive");
            assert!((back.0 - lufs).abs() < 1e-12);
        }
        assert_eq!(Power(0.0).loudness(), None);
        assert_eq!(Power(1e-80).loudness(), None, "denormal samples are no sound");
        assert!(Power(1e-19).loudness().is_some());
    }

    #[test]
    fn milliseconds_become_the_nearest_sample() {
        assert_eq!(Ms(1.5).samples(Hz(48_000.0)), Samples(72));
        assert_eq!(Ms(-1.0).samples(Hz(48_000.0)), Samples(0));
        assert_eq!(Samples(441).duration(Hz(44_100.0)), Ms(10.0));
    }
}
