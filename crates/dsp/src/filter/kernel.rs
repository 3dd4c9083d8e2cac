//! Second-order filter kernel, stable while its coefficients move.

use super::Section;
use crate::{CONTROL_INTERVAL, flush_invalid};

/// A section as a linear state machine with two states `s` and `t`; with `u = x - t`
///
/// ```text
/// s' = a s + b0 u,   t' = t + b0 s + b1 u,   y = x + c0 s + c1 t + e x
/// ```
///
/// The trapezoidal state-variable filter (Simper, "Solving the continuous SVF equations using trapezoidal integration and
/// equivalent currents", 2013; Zavalishin, "The Art of VA Filter Design", 2018, chapter 4) written as one matrix. The state
/// update never increases the Euclidean norm of the state, for any frequency and damping, and neither does any mixture of
/// two such updates: the state stays bounded however the coefficients glide. The output is what is *added* to the input, so
/// an identity section is exact to the bit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kernel(pub(super) [f64; COEFFICIENTS]);

/// Coefficients of a [`Kernel`]: `a`, `b0`, `b1`, `c0`, `c1` and `e`.
pub(super) const COEFFICIENTS: usize = 6;

/// States `s` and `t` of a [`Kernel`] for one channel.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct State(pub(super) [f64; 2]);

impl State {
    /// Replaces NaN, infinity and subnormal numbers by zero.
    #[inline]
    pub fn flush_invalid(&mut self) {
        self.0 = self.0.map(flush_invalid);
    }
}

impl Kernel {
    /// Adds nothing, remembers nothing.
    pub const IDENTITY: Self = Self([0.0; COEFFICIENTS]);

    /// The kernel of `section`.
    pub fn new(section: &Section) -> Self {
        let ([n0, n1, n2], [d0, d1, d2]) = (section.numerator, section.denominator);
        let g = (d0 / d2).sqrt();
        let k = d1 / (d0 * d2).sqrt();
        // Gains with which the high-, band- and low-pass outputs of the state-variable filter are added to the input.
        let (high, band, low) = (n2 / d2 - 1.0, (n1 - d1) / (d0 * d2).sqrt(), n0 / d0 - 1.0);
        let (band, low) = (band - high * k, low - high);
        let h = 1.0 / (1.0 + g * (g + k));
        let (gh, ggh) = (g * h, g * g * h);
        let (a, b0, b1) = (2.0 * h - 1.0, 2.0 * gh, 2.0 * ggh);
        let (c0, c1) = (band * h + low * gh, low * (1.0 - ggh) - band * gh);
        Self([a, b0, b1, c0, c1, high + band * gh + low * ggh])
    }

    /// True when the output is the input, exactly.
    pub fn is_identity(&self) -> bool {
        self.0[3..] == [0.0; 3]
    }

    /// The coefficients of a lane of a cascade: the last is `1 + e`, the factor of the input.
    #[inline(always)]
    pub(super) fn lane(&self) -> [f64; COEFFICIENTS] {
        let [a, b0, b1, c0, c1, e] = self.0;
        [a, b0, b1, c0, c1, 1.0 + e]
    }

    /// Filters `samples` of one channel in place.
    pub fn process(&self, state: &mut State, samples: &mut [f64]) {
        let [a, b0, b1, c0, c1, e] = self.0;
        for sample in samples {
            let ([s, t], x) = (state.0, *sample);
            let u = x - t;
            state.0 = [a * s + b0 * u, t + (b0 * s + b1 * u)];
            *sample = x + (c0 * s + c1 * t + e * x);
        }
    }

    /// The kernel a share (0 to 1) of the way from `self` to `next`. As stable as both.
    #[inline(always)]
    pub fn mixed(&self, next: &Self, share: f64) -> Self {
        let mut mixed = *self;
        for (mixed, next) in mixed.0.iter_mut().zip(&next.0) {
            *mixed += (next - *mixed) * share;
        }
        mixed
    }
}

/// The share, in (0, 1], of a control interval that is over with the frame `since` frames after its tick.
#[inline]
pub fn ramp_share(since: usize) -> f64 {
    (since + 1) as f64 / CONTROL_INTERVAL as f64
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use biquad::{Biquad, DirectForm2Transposed};
    use testkit::noise;

    pub(in crate::filter) const SECTIONS: [Section; 4] = [
        Section { numerator: [1.0, 3.0, 2.0], denominator: [1.0, 0.4, 1.5] },
        Section { numerator: [0.0, 0.0, 1.0], denominator: [0.01, 0.1, 1.0] },
        Section { numerator: [1.0, 0.0, 0.0], denominator: [1.0, 1.4, 1.0] },
        Section { numerator: [1.0, 0.2, 9.0], denominator: [1.0, 9.0, 3.0] },
    ];

    #[test]
    fn a_kernel_does_what_the_direct_form_does() {
        for section in SECTIONS {
            let mut samples = noise(4, 3000, 1.0);
            let mut oracle = DirectForm2Transposed::<f64>::new(section.coefficients());
            let expected: Vec<f64> = samples.iter().map(|&x| oracle.run(x)).collect();
            Kernel::new(&section).process(&mut State::default(), &mut samples);
            for (got, want) in samples.iter().zip(&expected) {
                assert!((got - want).abs() < 1e-12, "{section:?}: {got} {want}");
            }
        }
    }

    #[test]
    fn an_equal_numerator_and_denominator_change_nothing() {
        for section in SECTIONS {
            let same = Section { numerator: section.denominator, ..section };
            assert!(Kernel::new(&same).is_identity());
        }
        assert!(Kernel::new(&Section::IDENTITY).is_identity());
    }

    #[test]
    fn no_mixture_of_two_kernels_lengthens_the_state() {
        for from in SECTIONS {
            for to in SECTIONS {
                let (from, to) = (Kernel::new(&from), Kernel::new(&to));
                for i in 0..CONTROL_INTERVAL {
                    let Kernel([a, b0, b1, ..]) = from.mixed(&to, ramp_share(i));
                    let [p, q, r, s] = [a, -b0, b0, 1.0 - b1];
                    // The larger eigenvalue of the transpose times the matrix.
                    let (trace, determinant) = (p * p + q * q + r * r + s * s, p * s - q * r);
                    let largest =
                        0.5 * (trace + (trace * trace - 4.0 * determinant * determinant).max(0.0).sqrt());
                    assert!(largest <= 1.0 + 1e-12, "{largest}");
                }
            }
        }
    }
}
