//! Correlation of the left and right channel.

use super::sanitize::finite_or_zero;

/// Sums of products of a stereo signal; additive.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StereoSums {
    left: f64,
    right: f64,
    cross: f64,
}

impl StereoSums {
    /// Adds frames; non-finite samples count as silence.
    pub fn add(&mut self, left: &[f64], right: &[f64]) {
        for (l, r) in left.iter().map(|&l| finite_or_zero(l)).zip(right.iter().map(|&r| finite_or_zero(r))) {
            self.left += l * l;
            self.right += r * r;
            self.cross += l * r;
        }
    }

    /// Sums of two signals in sequence.
    pub fn merge(self, other: Self) -> Self {
        Self {
            left: self.left + other.left,
            right: self.right + other.right,
            cross: self.cross + other.cross,
        }
    }

    /// Correlation coefficient without removal of the mean, -1 (out of phase) to 1 (mono); `None` if a side is
    /// silent.
    pub fn correlation(self) -> Option<f64> {
        let power = (self.left * self.right).sqrt();
        (power > 0.0).then(|| (self.cross / power).clamp(-1.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::noise;

    #[test]
    fn mono_is_one_inverted_is_minus_one_independent_is_near_zero_silence_is_none() {
        let (a, b) = (noise(1, 20_000, 0.5), noise(2, 20_000, 0.5));
        let inverted: Vec<f64> = a.iter().map(|x| -x).collect();
        let correlation = |l: &[f64], r: &[f64]| {
            let mut sums = StereoSums::default();
            sums.add(l, r);
            sums.correlation()
        };
        assert!((correlation(&a, &a).expect("sounds") - 1.0).abs() < 1e-12);
        assert!((correlation(&a, &inverted).expect("sounds") + 1.0).abs() < 1e-12);
        assert!(correlation(&a, &b).expect("sounds").abs() < 0.03);
        assert_eq!(correlation(&a, &vec![0.0; a.len()]), None);
    }
}
