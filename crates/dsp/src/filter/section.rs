//! A digital second-order section as a quotient of polynomials.

use biquad::Coefficients;

/// A digital section in the bilinear variable `S = (z - 1) / (z + 1)`:
/// `(n0 + n1 S + n2 S²) / (d0 + d1 S + d2 S²)`, all coefficients ≥ 0, so stable and of minimum phase.
///
/// `S` is only a change of variable (on the frequency axis it is `j tan(w / 2)`); the response does not have
/// to be that of a bilinear transform. Unlike `z`, it keeps full precision at low frequencies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Section {
    /// `n0, n1, n2`.
    pub numerator: [f64; 3],
    /// `d0, d1, d2`; all positive.
    pub denominator: [f64; 3],
}

impl Section {
    /// Passes everything unchanged.
    pub const IDENTITY: Self = Self { numerator: [1.0, 1.0, 1.0], denominator: [1.0, 1.0, 1.0] };

    /// Q of the two sections of a Butterworth filter of fourth order: 1 / (2 cos(π/8)) and 1 / (2 cos(3π/8)).
    pub const BUTTERWORTH: [f64; 2] = [0.541_196_100_146_197, 1.306_562_964_876_376_4];

    /// Low-, band- and high-pass by the bilinear transform, at `frequency` cycles per sample, gain 1 in the pass band:
    /// for what only has to be told apart. Above 0.45 the frequency is held.
    pub fn passes(frequency: f64, q: f64) -> [Self; 3] {
        let t = (core::f64::consts::PI * frequency.min(0.45)).tan();
        let denominator = [t * t, t / q, 1.0];
        [0, 1, 2].map(|i| {
            let mut numerator = [0.0; 3];
            numerator[i] = denominator[i];
            Self { numerator, denominator }
        })
    }

    /// The minimum-phase section whose power response is `B(p) / A(p)`, polynomials in `p = sin²(w / 2)`.
    ///
    /// With `e = c0 + c1 + c2` the polynomial at Nyquist, `|n|² = n0² (1-p)² + (n1² - 2 n0 n2) p (1-p) + n2² p²`
    /// gives `n0 = √c0`, `n2 = √e`, `n1 = √(c1 + 2 c0 + 2 n0 n2)` (the spectral factorisation of Vicanek,
    /// "Matched Second Order Digital Filters", 2016, in another variable).
    pub(super) fn from_power(numerator: [f64; 3], denominator: [f64; 3]) -> Self {
        Self { numerator: factor(numerator), denominator: factor(denominator) }
    }

    /// The power gain at `frequency`, in cycles per sample.
    pub fn power(&self, frequency: f64) -> f64 {
        let (sin, cos) = (core::f64::consts::PI * frequency).sin_cos();
        let power = |[c0, c1, c2]: [f64; 3]| {
            let (real, imaginary) = (c0 * cos * cos - c2 * sin * sin, c1 * sin * cos);
            real * real + imaginary * imaginary
        };
        power(self.numerator) / power(self.denominator)
    }

    /// The coefficients of the direct forms, `b0 + b1 z⁻¹ + b2 z⁻²` over `1 + a1 z⁻¹ + a2 z⁻²`.
    pub fn coefficients(&self) -> Coefficients<f64> {
        let direct = |[c0, c1, c2]: [f64; 3]| [c0 + c1 + c2, 2.0 * (c0 - c2), c0 - c1 + c2];
        let (b, a) = (direct(self.numerator), direct(self.denominator));
        Coefficients { a1: a[1] / a[0], a2: a[2] / a[0], b0: b[0] / a[0], b1: b[1] / a[0], b2: b[2] / a[0] }
    }
}

fn factor([c0, c1, c2]: [f64; 3]) -> [f64; 3] {
    let (low, high) = (c0.max(0.0).sqrt(), (c0 + c1 + c2).max(0.0).sqrt());
    [low, (c1 + 2.0 * c0 + 2.0 * low * high).max(0.0).sqrt(), high]
}
