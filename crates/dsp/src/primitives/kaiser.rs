//! Windowed sinc, the kernel of interpolators and linear-phase filters.

use core::f64::consts::PI;

/// `sin(pi x) / (pi x)`.
pub fn sinc(x: f64) -> f64 {
    if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) }
}

/// Kaiser window of shape `beta` (0 to 20) at `x`: 1 in the middle (0), 0 from the edges (-1 and 1) on.
pub fn kaiser(x: f64, beta: f64) -> f64 {
    if x.abs() >= 1.0 { 0.0 } else { bessel(beta * (1.0 - x * x).sqrt()) / bessel(beta) }
}

/// Modified Bessel function of the first kind and order zero, by its power series.
fn bessel(x: f64) -> f64 {
    let mut term = 1.0;
    let mut sum = 1.0;
    for k in 1..40 {
        term *= (0.5 * x / f64::from(k)).powi(2);
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bessel_function_is_that_of_the_tables() {
        // Abramowitz & Stegun, table 9.8 and 9.11.
        for (x, value) in [(0.0, 1.0), (1.0, 1.266_065_877_752_008_4), (5.0, 27.239_871_823_604_442)] {
            assert!((bessel(x) / value - 1.0).abs() < 1e-14, "{x}: {}", bessel(x));
        }
        assert!((bessel(10.0) / 2_815.716_628_466_254 - 1.0).abs() < 1e-14, "{}", bessel(10.0));
        assert!((bessel(20.0) / 4.355_828_255_955_353_3e7 - 1.0).abs() < 1e-14, "{}", bessel(20.0));
    }

    #[test]
    fn the_window_is_even_and_falls_from_one_to_nothing() {
        assert_eq!(kaiser(0.0, 8.0), 1.0);
        assert_eq!([kaiser(1.0, 8.0), kaiser(-1.0, 8.0), kaiser(1.5, 8.0)], [0.0; 3]);
        let way: Vec<f64> = (0..100).map(|i| kaiser(f64::from(i) / 100.0, 8.0)).collect();
        assert!(way.windows(2).all(|w| w[1] < w[0]));
        assert_eq!(kaiser(0.3, 8.0), kaiser(-0.3, 8.0));
        assert_eq!([sinc(0.0), sinc(0.5)], [1.0, 2.0 / PI]);
        assert!(sinc(3.0).abs() < 1e-16);
    }
}
