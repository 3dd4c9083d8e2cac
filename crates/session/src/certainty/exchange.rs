//! Error of stems' gains because other stems may have played the same: gains that are exchanged between stems which
//! resemble each other, and between the sides of a mix, while the residual stays what it is.
//!
//! Gains of both sides of all stems to one side of the mix have a prior: as much as all stems that resemble a signal
//! bring, for its own side, and less for the other one. With the residual's power as noise, the posterior covariance
//! `(A / F + D^-1)^-1` of a window, `A` its matrix of products, says how far each stem's contribution may be off. What
//! a stem has alone, a residual does not hide.

use crate::fit::{Fit, HopRow, residual};
use crate::gram::Gram;

/// Hops of a window.
const WINDOW_HOPS: usize = 100;
/// Prior of the gain to the other side of the mix, relative to that on a signal's own side: rotations of 7 degrees.
const CROSS_PRIOR: f64 = 0.12;
/// Rounding of products, relative to the mix.
const ROUNDING: f64 = 1e-12;
/// Share of the residual's power that resembles a stem by chance, in a window.
const CHANCE_SHARE: f64 = 1e-3;
/// Share of the greatest error's power that is likely of a stem that resembles others: what is left may be nothing else.
const RESEMBLING_SHARE: f64 = 0.25;
/// Share of the mix's power below which a signal is silent.
const SILENT_SHARE: f64 = 1e-9;
/// Power over unique power from which on a stem resembles others, so that its gain, where it varies, may only be theirs.
const RESEMBLANCE: f64 = 100.0;

/// Errors of one stem's contribution, relative to its amplitude.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct ExchangeError {
    /// Error that is likely.
    pub(super) likely: f64,
    /// Greatest error that the residual can hide.
    pub(super) greatest: f64,
}

/// Products of a window of hops, and what the fit made of them.
#[derive(Clone, Debug)]
struct ExchangeWindow {
    products: Gram,
    /// Power of the residual, both sides.
    left: f64,
    /// Per stem, power of its contribution, and of what that differs from its mean gains.
    powers: Vec<[f64; 2]>,
}

/// Products of a row of hops by windows.
#[derive(Clone, Debug)]
pub(super) struct ExchangeWindows(Vec<ExchangeWindow>);

impl ExchangeWindows {
    pub(super) fn new(row: &HopRow<'_>, fit: &Fit) -> Self {
        let stems = fit.stems();
        let means: Vec<_> = (0..stems).map(|stem| fit.mean_gains(stem)).collect();
        let windows = (0..row.len()).step_by(WINDOW_HOPS).map(|first| {
            let mut window = ExchangeWindow {
                products: Gram::zero(2 * (stems + 1)),
                left: 0.0,
                powers: vec![[0.0; 2]; stems],
            };
            for hop in first..row.len().min(first + WINDOW_HOPS) {
                let Some(packed) = row[hop] else { continue };
                let joint = Gram::from_packed(2 * (stems + 1), packed);
                let arrivals = fit.arrivals(hop);
                window.products.add(packed, 1.0);
                window.left += residual(&joint, arrivals).max(0.0);
                for (stem, powers) in window.powers.iter_mut().enumerate() {
                    let Some(mean) = means[stem] else { continue };
                    let gains = arrivals[stem].gains;
                    for to in 0..2 {
                        powers[0] += power(&joint, stem, gains[to]);
                        let change = [0, 1].map(|from| gains[to][from] - mean[to][from]);
                        powers[1] += power(&joint, stem, change);
                    }
                }
            }
            window
        });
        Self(windows.collect())
    }

    /// Errors of all stems' contributions.
    pub(super) fn errors(&self) -> Vec<ExchangeError> {
        let stems = self.0.first().map_or(0, |window| window.powers.len());
        let mut sums = vec![[0.0f64; 3]; stems];
        for window in &self.0 {
            let mix = window.mix_power();
            if mix <= 0.0 {
                continue;
            }
            let likely = window.hidden(ROUNDING * mix + CHANCE_SHARE * window.left);
            let greatest = window.hidden(ROUNDING * mix + window.left);
            for (stem, sums) in sums.iter_mut().enumerate() {
                let [own, varied] = window.powers[stem];
                let varied = if greatest[stem].resembles { varied } else { 0.0 };
                sums[0] += own;
                let least =
                    if greatest[stem].resembles { RESEMBLING_SHARE * greatest[stem].power } else { 0.0 };
                sums[1] += likely[stem].power.max(least) + varied;
                sums[2] += greatest[stem].power + varied;
            }
        }
        let error = |[own, likely, greatest]: [f64; 3]| {
            let relative = |power: f64| if own > 0.0 { (power / own).sqrt() } else { 0.0 };
            ExchangeError { likely: relative(likely), greatest: relative(greatest) }
        };
        sums.into_iter().map(error).collect()
    }
}

/// Error of one stem's contribution in a window.
#[derive(Clone, Copy, Default)]
struct HiddenError {
    power: f64,
    resembles: bool,
}

impl ExchangeWindow {
    fn mix_power(&self) -> f64 {
        let mix = 2 * self.powers.len();
        self.products.at(mix, mix) + self.products.at(mix + 1, mix + 1)
    }

    /// Errors that a residual of power `floor` can hide, beyond those of a stem that resembles no other.
    fn hidden(&self, floor: f64) -> Vec<HiddenError> {
        let stems = self.powers.len();
        let silent = SILENT_SHARE * self.mix_power();
        let columns: Vec<usize> =
            (0..2 * stems).filter(|&column| self.products.at(column, column) > silent).collect();
        let mut errors = vec![HiddenError::default(); stems];
        if columns.is_empty() {
            return errors;
        }
        let covariances = [0, 1].map(|to| self.covariance(&columns, to, floor));
        for stem in 0..stems {
            let own: Vec<usize> = (0..columns.len()).filter(|&k| columns[k] / 2 == stem).collect();
            let (mut whole, mut least) = (0.0, 0.0);
            for covariance in &covariances {
                for &a in &own {
                    for &b in &own {
                        whole += self.products.at(columns[a], columns[b]) * covariance[a * columns.len() + b];
                    }
                }
                least += floor * own.len() as f64;
            }
            errors[stem] =
                HiddenError { power: (whole - least).max(0.0), resembles: whole > RESEMBLANCE * floor };
        }
        errors
    }

    /// Posterior covariance of the gains of `columns` to side `to` of the mix, row by row.
    fn covariance(&self, columns: &[usize], to: usize, floor: f64) -> Vec<f64> {
        let n = columns.len();
        let at = |a: usize, b: usize| self.products.at(columns[a], columns[b]);
        let arriving = |stem: usize| self.powers[stem][0];
        let prior = |a: usize| {
            // what arrives of all that resembles it
            let similar = (0..n).map(|b| {
                let likeness = at(a, b).powi(2) / (at(a, a) * at(b, b));
                likeness * arriving(columns[b] / 2)
            });
            let share = if columns[a] % 2 == to { 1.0 } else { CROSS_PRIOR * CROSS_PRIOR };
            share * similar.sum::<f64>() / at(a, a)
        };
        let precision: Vec<f64> = (0..n).map(|a| 1.0 / prior(a).max(f64::MIN_POSITIVE)).collect();
        // scaled to a unit diagonal
        let scale: Vec<f64> = (0..n).map(|a| (at(a, a) / floor + precision[a]).sqrt().recip()).collect();
        let matrix = |a: usize, b: usize| {
            let own = if a == b { precision[a] } else { 0.0 };
            (at(a, b) / floor + own) * scale[a] * scale[b]
        };
        let mut inverse = inverse(n, matrix);
        for a in 0..n {
            for b in 0..n {
                inverse[a * n + b] *= scale[a] * scale[b];
            }
        }
        inverse
    }
}

/// Power of a stem's contribution with gains from its two sides.
fn power(joint: &Gram, stem: usize, gains: [f64; 2]) -> f64 {
    let (left, right) = (2 * stem, 2 * stem + 1);
    let cross = 2.0 * gains[0] * gains[1] * joint.at(left, right);
    (gains[0].powi(2) * joint.at(left, left) + gains[1].powi(2) * joint.at(right, right) + cross).max(0.0)
}

/// Inverse of a positive definite matrix, row by row, by its Cholesky factor.
fn inverse(n: usize, matrix: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    const LEAST_PIVOT: f64 = 1e-14;
    let mut factor = vec![0.0; n * n];
    for row in 0..n {
        for column in 0..=row {
            let dot: f64 = (0..column).map(|k| factor[row * n + k] * factor[column * n + k]).sum();
            let value = matrix(row, column) - dot;
            factor[row * n + column] = if row == column {
                value.max(LEAST_PIVOT).sqrt()
            } else {
                value / factor[column * n + column]
            };
        }
    }
    // the factor's inverse, then its square
    let mut half = vec![0.0; n * n];
    for column in 0..n {
        half[column * n + column] = factor[column * n + column].recip();
        for row in column + 1..n {
            let dot: f64 = (column..row).map(|k| factor[row * n + k] * half[k * n + column]).sum();
            half[row * n + column] = -dot / factor[row * n + row];
        }
    }
    let mut inverse = vec![0.0; n * n];
    for a in 0..n {
        for b in 0..n {
            inverse[a * n + b] = (a.max(b)..n).map(|k| half[k * n + a] * half[k * n + b]).sum();
        }
    }
    inverse
}

#[cfg(test)]
mod tests;
