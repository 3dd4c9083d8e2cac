//! The machine that runs a section on samples, safe while its coefficients move.

use super::Section;
use crate::{CONTROL_INTERVAL, flush_invalid};

/// A section as a linear state machine with two states `s` and `t`; with `u = x - t`
///
/// ```text
/// s' = a s + b0 u,   t' = t + b0 s + b1 u,   y = x + c0 s + c1 t + e x
/// ```
///
/// It is the trapezoidal state-variable filter (Zavalishin, "The Art of VA Filter Design", 2018)
/// written as one matrix. What it does to the states never lengthens them, for whatever frequency and damping, and
/// neither does any mixture of two such matrices: so the state stays bounded however the coefficients glide.
/// The output is what is *added* to the input, so a section that does nothing is exact to the bit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kernel {
    a: f64,
    b: [f64; 2],
    c: [f64; 2],
    e: f64,
}

/// Coefficients of a [`Kernel`].
pub(super) const COEFFICIENTS: usize = 6;

/// The memory of a [`Kernel`] for one channel.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct State(pub(super) [f64; 2]);

impl State {
    /// Makes NaN, infinity and subnormal numbers zero.
    #[inline]
    pub fn flush_invalid(&mut self) {
        self.0 = self.0.map(flush_invalid);
    }

    /// The memory of `factor` times the audio.
    pub fn scaled(self, factor: f64) -> Self {
        Self(self.0.map(|state| factor * state))
    }
}

impl Kernel {
    /// Adds nothing, remembers nothing.
    pub const IDENTITY: Self = Self { a: 0.0, b: [0.0; 2], c: [0.0; 2], e: 0.0 };

    /// The kernel of `section`.
    pub fn new(section: &Section) -> Self {
        let ([n0, n1, n2], [d0, d1, d2]) = (section.numerator, section.denominator);
        let g = (d0 / d2).sqrt();
        let k = d1 / (d0 * d2).sqrt();
        // What high-, band- and low-pass output of the state-variable filter add to the input.
        let (high, band, low) = (n2 / d2 - 1.0, (n1 - d1) / (d0 * d2).sqrt(), n0 / d0 - 1.0);
        let (band, low) = (band - high * k, low - high);
        let h = 1.0 / (1.0 + g * (g + k));
        let (gh, ggh) = (g * h, g * g * h);
        Self {
            a: 2.0 * h - 1.0,
            b: [2.0 * gh, 2.0 * ggh],
            c: [band * h + low * gh, low * (1.0 - ggh) - band * gh],
            e: high + band * gh + low * ggh,
        }
    }

    /// True when the output is the input, exactly.
    pub fn is_identity(&self) -> bool {
        self.c == [0.0; 2] && self.e == 0.0
    }

    /// What a lane of a vector needs: `a`, `b0`, `b1`, `c0`, `c1` and `1 + e`, what the input is multiplied with.
    #[inline(always)]
    pub(super) fn lane(&self) -> [f64; COEFFICIENTS] {
        let &Self { a, b, c, e } = self;
        [a, b[0], b[1], c[0], c[1], 1.0 + e]
    }

    #[inline]
    fn run(&self, state: &mut State, x: f64) -> f64 {
        let [s, t] = state.0;
        let u = x - t;
        state.0 = [self.a * s + self.b[0] * u, t + (self.b[0] * s + self.b[1] * u)];
        x + (self.c[0] * s + self.c[1] * t + self.e * x)
    }

    /// Runs over `samples` in place.
    pub fn process(&self, state: &mut State, samples: &mut [f64]) {
        for sample in samples {
            *sample = self.run(state, *sample);
        }
    }

    /// Runs over `samples` in place while moving from `self` to `next`, which is reached after `interval` frames;
    /// the first sample is `since` frames after the start.
    pub fn glide(&self, next: &Self, since: usize, interval: usize, state: &mut State, samples: &mut [f64]) {
        for (i, sample) in samples.iter_mut().enumerate() {
            let way = (since + i + 1) as f64 / interval as f64;
            *sample = self.mixed(next, way).run(state, *sample);
        }
    }

    /// The kernel that has gone `way` (0 to 1) from `self` to `next`. As safe as both.
    #[inline]
    pub fn mixed(&self, next: &Self, way: f64) -> Self {
        let mix = |from: f64, to: f64| from + (to - from) * way;
        Self {
            a: mix(self.a, next.a),
            b: core::array::from_fn(|i| mix(self.b[i], next.b[i])),
            c: core::array::from_fn(|i| mix(self.c[i], next.c[i])),
            e: mix(self.e, next.e),
        }
    }
}

/// How much of the way between two control ticks the frame `since` the first has gone, in (0, 1].
#[inline]
pub fn way(since: usize) -> f64 {
    (since + 1) as f64 / CONTROL_INTERVAL as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use biquad::{Biquad, DirectForm2Transposed};
    use testkit::noise;

    const SECTIONS: [Section; 4] = [
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
                    let Kernel { a, b, .. } = from.mixed(&to, way(i));
                    let [p, q, r, s] = [a, -b[0], b[0], 1.0 - b[1]];
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
