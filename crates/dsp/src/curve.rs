//! Static curve of a compressor: gain reduction over level.

use units::Db;

/// Downward compression curve with a soft knee.
///
/// Giannoulis, Massberg & Reiss, "Digital Dynamic Range Compressor Design", JAES 60(6), 2012, eq. 4, written as
/// the reduction (input minus output level).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Curve {
    threshold_db: f64,
    /// Reduction per decibel above the knee: 1 - 1/ratio.
    slope: f64,
    knee_db: f64,
}

impl Curve {
    /// Curve with `ratio` >= 1 above `threshold`; `knee` >= 0 is the full width of the knee around it.
    pub fn new(threshold: Db, ratio: f64, knee: Db) -> Self {
        Self::with_slope(threshold, 1.0 - 1.0 / ratio, knee)
    }

    /// Curve with the ratio given as the reduction per decibel above the knee, 0 (1:1) to 1 (infinite).
    pub fn with_slope(threshold: Db, slope: f64, knee: Db) -> Self {
        Self { threshold_db: threshold.0, slope, knee_db: knee.0 }
    }

    /// Level up to which the reduction is zero: half a knee below the threshold.
    pub fn start(&self) -> Db {
        Db(self.threshold_db - 0.5 * self.knee_db)
    }

    /// Reduction at `level_db`, in dB, at least zero.
    #[inline]
    pub fn reduction(&self, level_db: f64) -> f64 {
        // All of it and a choice, no branches: many levels go side by side.
        let into_knee = level_db - self.threshold_db + 0.5 * self.knee_db;
        let bent = self.slope * into_knee * into_knee / (2.0 * self.knee_db);
        let straight = self.slope * (level_db - self.threshold_db);
        let wanted = if into_knee < self.knee_db { bent } else { straight };
        if into_knee > 0.0 { wanted } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_to_one_with_twelve_over_reduces_nine() {
        for knee in [0.0, 6.0, 24.0] {
            assert_eq!(Curve::new(Db(-18.0), 4.0, Db(knee)).reduction(-6.0), 9.0, "knee {knee}");
        }
        assert_eq!(Curve::new(Db(-18.0), 1.0, Db(6.0)).reduction(0.0), 0.0);
    }

    #[test]
    fn knee_is_continuous_at_both_edges() {
        for (ratio, knee) in [(1.5, 6.0), (4.0, 12.0), (10.0, 24.0), (2.0, 0.0)] {
            let curve = Curve::new(Db(-20.0), ratio, Db(knee));
            for edge in [-20.0 - knee / 2.0, -20.0 + knee / 2.0] {
                let (below, above) = (curve.reduction(edge - 1e-9), curve.reduction(edge + 1e-9));
                assert!((above - below).abs() < 1e-8, "{ratio} {knee} {edge}: {below} {above}");
                if knee > 0.0 {
                    let slope = |at: f64| (curve.reduction(at + 1e-6) - curve.reduction(at - 1e-6)) / 2e-6;
                    assert!((slope(edge - 1e-5) - slope(edge + 1e-5)).abs() < 1e-5, "smooth at {edge}");
                }
            }
            assert_eq!(curve.reduction(curve.start().0), 0.0);
        }
    }

    #[test]
    fn knee_takes_an_eighth_of_its_width_times_the_slope_at_the_threshold() {
        let curve = Curve::new(Db(-20.0), 2.0, Db(8.0));
        assert!((curve.reduction(-20.0) - 0.5 * 8.0 / 8.0).abs() < 1e-12);
    }
}
