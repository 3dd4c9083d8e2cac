//! Analogue prototypes, as what they do to power.

/// Power over frequency as a polynomial: `c0 + c1 x + c2 x²`, where `x` is (frequency / reference)².
///
/// The squared magnitude of any analogue quadratic `a s² + b s + c` on the frequency axis has this form.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Power(pub [f64; 3]);

impl Power {
    /// Nothing but one.
    pub const UNITY: Self = Self([1.0, 0.0, 0.0]);

    /// The squared magnitude of `a s² + b s + c` at `s = j √x`.
    pub fn of(a: f64, b: f64, c: f64) -> Self {
        Self([c * c, b * b - 2.0 * a * c, a * a])
    }

    /// The value at `x`.
    #[inline]
    pub fn at(&self, x: f64) -> f64 {
        self.0[0] + x * (self.0[1] + x * self.0[2])
    }
}

/// A place where a prototype bends, in units of its reference frequency, and how sharply.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Feature {
    /// Frequency relative to the reference frequency.
    pub place: f64,
    /// Quality factor of the pole or zero pair there.
    pub q: f64,
}

/// Constraint on the zeros of a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zeros {
    /// Nothing but the gain at zero frequency (which may be nought).
    Free,
    /// Both lie at zero frequency: a low cut.
    AtZero,
    /// Both lie on the frequency axis at the reference: a notch.
    AtReference,
}

/// One second-order stage of an analogue prototype.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stage {
    /// Power of the numerator.
    pub numerator: Power,
    /// Power of the denominator.
    pub denominator: Power,
    /// Feature of the numerator.
    pub zero: Feature,
    /// Feature of the denominator.
    pub pole: Feature,
    /// Constraint on the zeros.
    pub zeros: Zeros,
}

impl Stage {
    /// Passes everything unchanged.
    pub const IDENTITY: Self = Self {
        numerator: Power::UNITY,
        denominator: Power::UNITY,
        zero: Feature { place: 1.0, q: 0.5 },
        pole: Feature { place: 1.0, q: 0.5 },
        zeros: Zeros::Free,
    };

    /// A stage whose zeros and poles both bend at the reference frequency, with sharpness `q`.
    pub fn at_reference(numerator: Power, denominator: Power, q: f64, zeros: Zeros) -> Self {
        let feature = Feature { place: 1.0, q };
        Self { numerator, denominator, zero: feature, pole: feature, zeros }
    }

    /// The power gain at `x`.
    #[inline]
    pub fn at(&self, x: f64) -> f64 {
        self.numerator.at(x) / self.denominator.at(x)
    }
}
