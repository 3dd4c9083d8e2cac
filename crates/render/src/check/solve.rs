//! Least squares: the gains with which sources best sum to a target.

/// Pull of every gain toward its prior, relative to the power of its source: decides only what the audio does not.
const RIDGE: f64 = 1e-9;

/// A symmetric matrix of products of `sources` sources and, last, the target.
#[derive(Clone, Debug)]
pub(super) struct InnerProducts {
    size: usize,
    full: Vec<f64>,
}

impl InnerProducts {
    pub(super) fn new(sources: usize) -> Self {
        let size = sources + 1;
        Self { size, full: vec![0.0; size * size] }
    }

    pub(super) fn at(&self, i: usize, j: usize) -> f64 {
        self.full[i.min(j) * self.size + i.max(j)]
    }

    /// Adds the products of equally long rows of samples, `row(i)` for each source and the target.
    pub(super) fn add<'a>(&mut self, row: impl Fn(usize) -> &'a [f64]) {
        for i in 0..self.size {
            for j in i..self.size {
                self.full[i * self.size + j] += dot(row(i), row(j));
            }
        }
    }

    /// The gains of the sources, least squares; a source without power keeps its prior.
    pub(super) fn solve(&self, prior: &[f64]) -> Vec<f64> {
        let target = self.size - 1;
        let active: Vec<usize> = (0..target).filter(|&i| self.at(i, i) > 0.0).collect();
        let n = active.len();
        let scale: Vec<f64> = active.iter().map(|&i| self.at(i, i).sqrt()).collect();
        // Cholesky factor of the correlations, row-major.
        let mut factor = vec![0.0; n * n];
        for row in 0..n {
            for column in 0..=row {
                let correlation = self.at(active[row], active[column]) / (scale[row] * scale[column]);
                let ridge = if row == column { RIDGE } else { 0.0 };
                let known: f64 = (0..column).map(|k| factor[row * n + k] * factor[column * n + k]).sum();
                let left = correlation + ridge - known;
                factor[row * n + column] =
                    if row == column { left.max(RIDGE).sqrt() } else { left / factor[column * n + column] };
            }
        }
        let mut z: Vec<f64> = (active.iter().zip(&scale))
            .map(|(&i, scale)| self.at(i, target) / scale + RIDGE * prior[i] * scale)
            .collect();
        for row in 0..n {
            let known: f64 = (0..row).map(|k| factor[row * n + k] * z[k]).sum();
            z[row] = (z[row] - known) / factor[row * n + row];
        }
        for row in (0..n).rev() {
            let known: f64 = (row + 1..n).map(|k| factor[k * n + row] * z[k]).sum();
            z[row] = (z[row] - known) / factor[row * n + row];
        }
        let mut gains = prior.to_vec();
        for ((&i, z), scale) in active.iter().zip(z).zip(&scale) {
            gains[i] = z / scale;
        }
        gains
    }
}

/// The sum of products, in eight lanes that the compiler can vectorize.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let (a_lanes, a_rest) = a.as_chunks::<8>();
    let (b_lanes, b_rest) = b.as_chunks::<8>();
    for (a, b) in a_lanes.iter().zip(b_lanes) {
        for lane in 0..8 {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    lanes.iter().sum::<f64>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::noise;

    fn solved(sources: &[Vec<f64>], target: &[f64]) -> Vec<f64> {
        let mut products = InnerProducts::new(sources.len());
        products.add(|i| sources.get(i).map_or(target, |s| s));
        products.solve(&vec![1.0; sources.len()])
    }

    #[test]
    fn gains_of_a_sum_are_found() {
        let sources: Vec<Vec<f64>> = (0..4).map(|seed| noise(seed, 5003, 0.1 * (seed + 1) as f64)).collect();
        let gains = [0.5, -1.0, 0.0, 2.0];
        let sum: Vec<f64> =
            (0..5003).map(|n| sources.iter().zip(gains).map(|(s, g)| s[n] * g).sum()).collect();
        for (found, gain) in solved(&sources, &sum).iter().zip(gains) {
            assert!((found - gain).abs() < 1e-7, "{found} {gain}");
        }
    }

    #[test]
    fn equal_sources_share_and_silent_ones_keep_their_gain() {
        let a = noise(1, 5000, 0.5);
        let gains = solved(&[a.clone(), a.clone(), vec![0.0; 5000]], &a);
        assert!((gains[0] - 0.5).abs() < 1e-3 && (gains[1] - 0.5).abs() < 1e-3, "{gains:?}");
        assert_eq!(gains[2], 1.0);
    }
}
