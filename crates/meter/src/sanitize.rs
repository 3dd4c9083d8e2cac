//! Samples that are no numbers.

/// `sample`, or zero if it is infinite or NaN: such samples count as silence.
#[inline]
pub fn finite_or_zero(sample: f64) -> f64 {
    if sample.is_finite() { sample } else { 0.0 }
}
