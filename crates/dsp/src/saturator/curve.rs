//! Change that the curves make, averaged between two neighbouring samples.
//!
//! First-order antiderivative anti-aliasing (Parker, Zavalishin & Le Bivic, "Reducing the Aliasing of Nonlinear
//! Waveshaping Using Continuous-Time Convolution", DAFx 2016, eq. 12): the curve is applied to the straight line
//! between two samples and averaged over it. Both averages have a form without cancellation, so no case for
//! nearly equal samples is needed. What is returned is the *change*, average of `f(x) - x`: exactly zero where a
//! curve is straight.

/// Change by [`super::SaturationCurve::Soft`] between `a` and `b`, with `bend = k²`.
///
/// `f(x) = x / √(1 + k² x²)` has the antiderivative `√(1 + k² x²) / k²`, and with `r` for the roots
/// `(F(b) - F(a)) / (b - a) = (a + b) / (r(a) + r(b))`.
#[inline]
pub(super) fn soft(bend: f64, a: f64, b: f64) -> f64 {
    let roots = (1.0 + bend * a * a).sqrt() + (1.0 + bend * b * b).sqrt();
    (a + b) * (2.0 - roots) / (2.0 * roots)
}

/// Change by [`super::SaturationCurve::Clip`] between `a` and `b`, with everything beyond ±`ceiling` cut off.
///
/// With `u` the excess over the ceiling, `f(x) - x` has the antiderivative `-u² / 2` on each side.
#[inline]
pub(super) fn clip(ceiling: f64, a: f64, b: f64) -> f64 {
    excess(ceiling, -a, -b) - excess(ceiling, a, b)
}

/// Average excess over `ceiling` on the way from `a` to `b`.
#[inline]
fn excess(ceiling: f64, a: f64, b: f64) -> f64 {
    let (over_a, over_b) = ((a - ceiling).max(0.0), (b - ceiling).max(0.0));
    if over_a > 0.0 && over_b > 0.0 {
        0.5 * (over_a + over_b)
    } else if over_a > 0.0 || over_b > 0.0 {
        // One is over and one is not: they differ.
        (over_b + over_a) * (over_b - over_a) / (2.0 * (b - a))
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::noise;

    /// The average of `change` over the line from `a` to `b`, by many midpoints.
    fn average(a: f64, b: f64, change: impl Fn(f64) -> f64) -> f64 {
        let steps = 20_000;
        (0..steps).map(|i| change(a + (b - a) * (f64::from(i) + 0.5) / f64::from(steps))).sum::<f64>()
            / f64::from(steps)
    }

    #[test]
    fn both_are_the_average_of_the_curve_s_change() {
        for pair in noise(3, 60, 2.0).windows(2) {
            let (a, b) = (pair[0], pair[1]);
            for amount in [0.1, 0.5, 3.0] {
                let expected = average(a, b, |x| x / (1.0 + amount * x * x).sqrt() - x);
                assert!((soft(amount, a, b) - expected).abs() < 1e-8, "soft {a} {b}");
                let expected = average(a, b, |x| x.clamp(-amount, amount) - x);
                assert!((clip(amount, a, b) - expected).abs() < 1e-8, "clip {a} {b} {amount}");
            }
        }
    }

    #[test]
    fn neighbours_however_near_are_no_special_case() {
        for x in [0.3, 0.5, 0.500_000_1, 0.9, -0.7] {
            for step in [0.0, 1e-17, 1e-16, 1e-12, 1e-8] {
                let y = x + step;
                assert!((clip(0.5, x, y) - (x.clamp(-0.5, 0.5) - x)).abs() < 1e-7, "{x} {step}");
                assert!((soft(2.0, x, y) - (x / (1.0 + 2.0 * x * x).sqrt() - x)).abs() < 1e-7, "{x} {step}");
            }
        }
    }

    #[test]
    fn nothing_is_changed_where_a_curve_is_straight() {
        for pair in noise(4, 200, 0.7).windows(2) {
            assert_eq!(soft(0.0, pair[0], pair[1]), 0.0);
            assert_eq!(clip(0.7, pair[0], pair[1]), 0.0);
        }
    }
}
