//! Finding the digital section whose power response is that of an analogue one.

use super::{Feature, Power, Section, Stage, Zeros};
use core::f64::consts::PI;

/// Effort of a fit. Frequencies of `features` and `points` are relative to the reference.
#[derive(Clone, Copy, Debug)]
pub struct Accuracy<'a> {
    /// Bends to follow closely.
    pub features: &'a [Feature],
    /// Further places to look at.
    pub points: &'a [f64],
    /// The frequency above which less is asked for, in cycles per sample.
    pub split: f64,
    /// The weight of errors above that, relative to those below.
    pub weight: f64,
    /// Damping of a step in single polynomials, relative to their quotient.
    pub damping: f64,
    /// Steps taken.
    pub steps: usize,
}

/// Places always looked at, in cycles per sample; nothing is looked at above [`HIGHEST`].
const EVERYWHERE: [f64; 9] = [0.06, 0.12, 0.18, 0.24, 0.30, 0.35, 0.40, 0.44, 0.46];
const HIGHEST: f64 = 0.47;
/// Points at which a feature is examined, in half bandwidths from its centre.
const OFFSETS: [f64; 5] = [0.0, 0.7, -0.7, 3.0, -3.0];
/// `c p / (1 - WARP p)` follows the square of frequency within 7 % up to 0.9 Nyquist.
const WARP: f64 = 0.519;
/// Points below this power, the bottom of a notch, are not examined.
const DEEPEST: f64 = 1e-20;
const MOST_POINTS: usize = 24;

/// Digital sections whose joint power response is that of `stages`, whose reference frequency is `reference`
/// cycles per sample (any positive number, also above Nyquist). Deterministic, bounded work; at most two stages.
///
/// Method: the squared magnitude of a second-order section is a quotient of two quadratics in
/// `p = sin²(w / 2)` (Vicanek, "Matched Second Order Digital Filters", 2016, in the basis
/// `1, p, p²`). It starts from the prototype with the square of frequency replaced by `c p / (1 - WARP p)`, exact
/// at zero frequency and at the feature. Gauss-Newton steps, damped after Levenberg and Marquardt, then make the
/// logarithm of the response agree at some twenty frequencies in the least squares sense, and the spectral
/// factorisation makes it of minimum phase. A step that would make a polynomial negative anywhere is
/// shortened, so the result is stable whatever the prototype.
pub fn fit<const S: usize>(stages: &[Stage; S], reference: f64, accuracy: &Accuracy<'_>) -> [Section; S] {
    let mut quotients = stages.map(|stage| Quotient::start(&stage, reference));
    let points = Points::new(stages, reference, accuracy);
    for _ in 0..accuracy.steps {
        let unknowns: usize = quotients.iter().map(|quotient| quotient.unknowns()).sum();
        match unknowns {
            2 => improve::<S, 2>(&mut quotients, &points, accuracy.damping),
            3 => improve::<S, 3>(&mut quotients, &points, accuracy.damping),
            4 => improve::<S, 4>(&mut quotients, &points, accuracy.damping),
            6 => improve::<S, 6>(&mut quotients, &points, accuracy.damping),
            8 => improve::<S, 8>(&mut quotients, &points, accuracy.damping),
            _ => {} // more than two stages: stays where it started
        }
    }
    let mut sections = quotients.map(|quotient| quotient.sides).map(|[n, d]| Section::from_power(n.0, d.0));
    for (section, stage) in sections.iter_mut().zip(stages) {
        if stage.zeros == Zeros::AtReference && reference < 0.5 {
            section.numerator[1] = 0.0; // exactly on the axis, which the square root of a rounding error is not
        }
    }
    sections
}

/// The digital power response of one section while it is being fitted.
#[derive(Clone, Copy)]
struct Quotient {
    /// Numerator and denominator, polynomials in `p`.
    sides: [Power; 2],
    zeros: Zeros,
}

impl Quotient {
    fn start(stage: &Stage, reference: f64) -> Self {
        let numerator = match stage.zeros {
            Zeros::AtReference => double_zero(reference, stage.numerator.0[0]),
            Zeros::Free | Zeros::AtZero => warped(&stage.numerator, stage.zero.place, reference),
        };
        let denominator = warped(&stage.denominator, stage.pole.place, reference);
        Self { sides: [numerator, denominator], zeros: stage.zeros }
    }

    /// The polynomial coefficients that may change, per side: these and all above.
    fn first_free(&self) -> [usize; 2] {
        match self.zeros {
            Zeros::Free => [1, 1],
            Zeros::AtZero => [2, 1],
            Zeros::AtReference => [3, 1],
        }
    }

    fn unknowns(&self) -> usize {
        self.first_free().into_iter().map(|first| 3 - first).sum()
    }

    fn is_sound(&self) -> bool {
        // A notch's numerator touches zero and does not change.
        (self.zeros == Zeros::AtReference || is_positive(self.sides[0], 0.0))
            && is_positive(self.sides[1], 1e-7)
    }
}

/// `prototype` with the square of frequency replaced by the warp, exact at `place`.
fn warped(prototype: &Power, place: f64, reference: f64) -> Power {
    let centre = (place * reference).min(0.5);
    let p = (PI * centre).sin().powi(2);
    let c = (2.0 * PI * centre).powi(2) * (1.0 - WARP * p) / p;
    let scale = c / (2.0 * PI * reference).powi(2);
    let [c0, c1, c2] = prototype.0;
    Power([c0, c1 * scale - 2.0 * WARP * c0, c0 * WARP * WARP - WARP * scale * c1 + scale * scale * c2])
}

/// A pair of zeros at `reference` on the frequency axis, or, above Nyquist, as far beyond it.
fn double_zero(reference: f64, gain: f64) -> Power {
    let place =
        if reference < 0.5 { (PI * reference).sin().powi(2) } else { 1.0 + (PI * (reference - 0.5)).powi(2) };
    Power([gain, -2.0 * gain / place, gain / (place * place)])
}

/// True when the power is nowhere negative between zero frequency and Nyquist, with some `margin` of damping.
fn is_positive(power: Power, margin: f64) -> bool {
    let [c0, c1, c2] = power.0;
    let nyquist = c0 + c1 + c2;
    c0 >= 0.0 && nyquist > 0.0 && {
        let both = 2.0 * (c0 * nyquist).sqrt();
        c1 + 2.0 * c0 + both >= margin * both
    }
}

/// Target responses at a set of frequencies.
struct Points {
    /// `p`, logarithm of the wanted power, squared weight.
    points: [(f64, f64, f64); MOST_POINTS],
    count: usize,
}

impl Points {
    fn new<const S: usize>(stages: &[Stage; S], reference: f64, accuracy: &Accuracy<'_>) -> Self {
        let mut all = Self { points: [(0.0, 0.0, 0.0); MOST_POINTS], count: 0 };
        let mut look = |frequency: f64| {
            let x = (frequency / reference).powi(2);
            let wanted: f64 = stages.iter().map(|stage| stage.at(x)).product();
            if frequency < HIGHEST && wanted > DEEPEST && all.count < MOST_POINTS {
                let weight = if frequency < accuracy.split { 1.0 } else { accuracy.weight };
                all.points[all.count] = ((PI * frequency).sin().powi(2), wanted.ln(), weight * weight);
                all.count += 1;
            }
        };
        EVERYWHERE.iter().for_each(|&frequency| look(frequency));
        for feature in accuracy.features {
            for offset in OFFSETS {
                let bend = 0.5 * offset / feature.q;
                look(reference * feature.place * ((1.0 + bend * bend).sqrt() + bend));
            }
        }
        accuracy.points.iter().for_each(|&place| look(reference * place));
        all
    }
}

/// One damped Gauss-Newton step in `N` unknowns.
fn improve<const S: usize, const N: usize>(quotients: &mut [Quotient; S], points: &Points, damping: f64) {
    // Which stage, which side, which coefficient.
    let mut unknowns = [(0, 0, 0); N];
    let mut next = unknowns.iter_mut();
    for (stage, quotient) in quotients.iter().enumerate() {
        for (side, first) in quotient.first_free().into_iter().enumerate() {
            for (coefficient, unknown) in (first..3).zip(&mut next) {
                *unknown = (stage, side, coefficient);
            }
        }
    }
    let mut system = System::<N>::new();
    for &(p, wanted, weight) in &points.points[..points.count] {
        let mut response = 1.0;
        // By how much the logarithm of the response grows per unit of a side's value.
        let slopes = quotients.map(|quotient| {
            let [numerator, denominator] = quotient.sides.map(|side| side.at(p).max(1e-300));
            response *= numerator / denominator;
            [1.0 / numerator, -1.0 / denominator]
        });
        let powers = [1.0, p, p * p];
        let mut row = [0.0; N];
        for (slope, &(stage, side, coefficient)) in row.iter_mut().zip(&unknowns) {
            *slope = slopes[stage][side] * powers[coefficient];
        }
        system.add(&row, wanted - response.ln(), weight);
    }
    for (i, one) in unknowns.iter().enumerate() {
        for (j, other) in unknowns.iter().enumerate() {
            if (one.0, one.1) == (other.0, other.1) {
                system.matrix[i][j] *= 1.0 + damping * damping;
            }
        }
    }
    let step = system.solve();
    let mut length = 1.0;
    while length > 0.01 {
        let mut tried = *quotients;
        for (change, &(stage, side, coefficient)) in step.iter().zip(&unknowns) {
            tried[stage].sides[side].0[coefficient] += length * change;
        }
        if tried.iter().all(Quotient::is_sound) {
            *quotients = tried;
            return;
        }
        length *= 0.5;
    }
}

/// The normal equations of a small least squares problem.
struct System<const N: usize> {
    matrix: [[f64; N]; N],
    right: [f64; N],
}

impl<const N: usize> System<N> {
    fn new() -> Self {
        Self { matrix: [[0.0; N]; N], right: [0.0; N] }
    }

    #[inline]
    fn add(&mut self, row: &[f64; N], wanted: f64, weight: f64) {
        for i in 0..N {
            let weighted = weight * row[i];
            self.right[i] += weighted * wanted;
            for j in 0..=i {
                self.matrix[i][j] += weighted * row[j];
            }
        }
    }

    /// Cholesky decomposition of the matrix scaled to a unit diagonal.
    fn solve(self) -> [f64; N] {
        let Self { mut matrix, mut right } = self;
        let mut scale = [1.0; N];
        for i in 0..N {
            scale[i] = 1.0 / matrix[i][i].max(1e-300).sqrt();
        }
        for i in 0..N {
            right[i] *= scale[i];
            for j in 0..=i {
                matrix[i][j] *= scale[i] * scale[j];
            }
        }
        for i in 0..N {
            for j in 0..=i {
                let done: f64 = (0..j).map(|k| matrix[i][k] * matrix[j][k]).sum();
                matrix[i][j] = if i == j {
                    (matrix[i][i] - done).max(1e-14).sqrt()
                } else {
                    (matrix[i][j] - done) / matrix[j][j]
                };
            }
        }
        for i in 0..N {
            let done: f64 = (0..i).map(|k| matrix[i][k] * right[k]).sum();
            right[i] = (right[i] - done) / matrix[i][i];
        }
        for i in (0..N).rev() {
            let done: f64 = (i + 1..N).map(|k| matrix[k][i] * right[k]).sum();
            right[i] = (right[i] - done) / matrix[i][i];
        }
        for i in 0..N {
            right[i] *= scale[i];
        }
        right
    }
}
