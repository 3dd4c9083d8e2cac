//! Decibel conversions of many values at once, by vectors; those of `units` are the reference.

use simd::{Binary, F64Vector, Kernel, Pairs, Simd, Vector};
use units::DOUBLING;

/// Converts squares of amplitudes to levels in decibels, in place: `10 log10(x)`. Squares are finite and not negative; below
/// 1e-300 they count as that. Right within 1e-12 dB. A value's bits do not depend on its neighbours.
#[inline(always)]
pub(super) fn levels<S: Simd>(simd: S, squares: &mut [f64]) {
    Elementwise { values: squares, function: SquaresToLevels }.run(simd);
}

/// Converts reductions in decibels, 0 to 1000, to linear gains, in place: `10^(-x / 20)`, exactly one for zero. Right
/// within 1e-15 of the factor and a rounding per 100 dB. A value's bits do not depend on its neighbours.
#[inline(always)]
pub(super) fn factors<S: Simd>(simd: S, reductions: &mut [f64]) {
    Elementwise { values: reductions, function: ReductionsToGains }.run(simd);
}

/// Function of one value.
trait ElementFunction {
    fn apply<S: Simd>(&self, simd: S, x: F64Vector<S>) -> F64Vector<S>;
}

struct SquaresToLevels;
struct ReductionsToGains;

/// Kernel that applies a function to each value.
struct Elementwise<'a, F> {
    values: &'a mut [f64],
    function: F,
}

impl<F: ElementFunction> Kernel for Elementwise<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let mut chunks = self.values.chunks_exact_mut(F64Vector::<S>::LANES);
        for chunk in &mut chunks {
            self.function.apply(simd, simd.load(chunk)).store(chunk);
        }
        let rest = chunks.into_remainder();
        if !rest.is_empty() {
            let mut last = [1.0; 8];
            last[..rest.len()].copy_from_slice(rest);
            self.function.apply(simd, simd.load(&last)).store(&mut last);
            rest.copy_from_slice(&last[..rest.len()]);
        }
    }
}

impl ElementFunction for SquaresToLevels {
    /// With `x = 2^k m`, m from 1/√2 to √2 and `z = (m - 1) / (m + 1)`: `ln m = 2 (z + z³/3 + z⁵/5 + ...)`.
    #[inline(always)]
    fn apply<S: Simd>(&self, simd: S, x: F64Vector<S>) -> F64Vector<S> {
        // A table, not a division: and short enough to be unrolled.
        const SERIES: [f64; 7] = [1.0, 1.0 / 3.0, 1.0 / 5.0, 1.0 / 7.0, 1.0 / 9.0, 1.0 / 11.0, 1.0 / 13.0];
        let one = simd.splat(1.0);
        let (exponent, fraction) = x.max(simd.splat(1e-300)).split();
        let above = simd.splat(core::f64::consts::SQRT_2);
        let m = (fraction * simd.splat(0.5)).where_above(fraction, fraction, above);
        let k = (exponent + one).where_above(exponent, fraction, above);
        let z = (m - one) / (m + one);
        let square = z * z;
        let mut sum: F64Vector<S> = simd.splat(1.0 / 15.0);
        for i in 0..SERIES.len() {
            sum = sum.mul_add(square, simd.splat(SERIES[SERIES.len() - 1 - i]));
        }
        // Half a doubling: the values are squares.
        let scale = 0.5 * DOUBLING.0;
        (sum * z).mul_add(simd.splat(2.0 * core::f64::consts::LOG2_E * scale), k * simd.splat(scale))
    }
}

impl ElementFunction for ReductionsToGains {
    /// `2^x = 2^k e^(f ln 2)` with k whole and f from -1/2 to 1/2, by the power series.
    #[inline(always)]
    fn apply<S: Simd>(&self, simd: S, x: F64Vector<S>) -> F64Vector<S> {
        /// Adding this and taking it away again rounds to whole numbers.
        const ROUND: f64 = 1.5 * (1u64 << 52) as f64;
        let x = x * simd.splat(-1.0 / DOUBLING.0);
        let k = (x + simd.splat(ROUND)) - simd.splat(ROUND);
        let f = x - k;
        let mut sum: F64Vector<S> = simd.splat(POWERS[POWERS.len() - 1]);
        for i in 1..POWERS.len() {
            sum = sum.mul_add(f, simd.splat(POWERS[POWERS.len() - 1 - i]));
        }
        sum.scaled(k)
    }
}

/// The power series of `2^f`: `(ln 2)^n / n!`.
const POWERS: [f64; 13] = {
    let mut powers = [1.0; 13];
    let mut n = 1;
    while n < powers.len() {
        powers[n] = powers[n - 1] * core::f64::consts::LN_2 / n as f64;
        n += 1;
    }
    powers
};

#[cfg(test)]
mod tests {
    use super::*;
    use simd::Isa;
    use testkit::noise;
    use units::{decibels, linear};

    fn levels(isa: Isa, squares: &mut [f64]) {
        isa.run(Elementwise { values: squares, function: SquaresToLevels });
    }

    fn factors(isa: Isa, reductions: &mut [f64]) {
        isa.run(Elementwise { values: reductions, function: ReductionsToGains });
    }

    #[test]
    fn levels_are_those_of_the_units() {
        let squares: Vec<f64> = noise(1, 999, 1.0).iter().map(|x| 10f64.powf(20.0 * x - 8.0)).collect();
        for isa in Isa::all() {
            let mut got = squares.clone();
            got.extend([0.0, 1.0, 0.5, 2.0]);
            levels(isa, &mut got);
            for (square, got) in squares.iter().zip(&got) {
                assert!((got - 0.5 * decibels(*square)).abs() < 1e-12, "{isa:?}: {square} {got}");
            }
            let doubling = DOUBLING.0;
            assert_eq!(got[1000..], [0.0, -0.5 * doubling, 0.5 * doubling], "{isa:?}");
            assert!((got[999] + 3000.0).abs() < 1e-9, "{isa:?}: {}", got[999]);
        }
    }

    #[test]
    fn factors_are_those_of_the_units() {
        let reductions: Vec<f64> = noise(2, 999, 80.0).iter().map(|x| x + 80.0).collect();
        for isa in Isa::all() {
            let mut got = reductions.clone();
            got.extend([0.0, 1e-300, 1000.0]);
            factors(isa, &mut got);
            for (reduction, got) in reductions.iter().zip(&got) {
                assert!((got / linear(-reduction) - 1.0).abs() < 1e-14, "{isa:?}: {reduction} {got}");
            }
            assert_eq!(got[999..1001], [1.0, 1.0], "{isa:?}");
            assert!((got[1001] - 1e-50).abs() < 1e-63, "{isa:?}");
        }
    }

    #[test]
    fn neighbours_do_not_matter() {
        for isa in Isa::all() {
            let values: Vec<f64> = noise(3, 37, 1.0).iter().map(|x| x.abs()).collect();
            let (mut whole, mut single) = (values.clone(), values);
            levels(isa, &mut whole);
            single.chunks_mut(1).for_each(|one| levels(isa, one));
            assert_eq!(whole, single, "{isa:?}");
            whole.iter_mut().for_each(|x| *x = x.abs());
            let mut single = whole.clone();
            factors(isa, &mut whole);
            single.chunks_mut(1).for_each(|one| factors(isa, one));
            assert_eq!(whole, single, "{isa:?}");
        }
    }
}
