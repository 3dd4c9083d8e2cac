//! Normal equations of the fit: gains of signals that reproduce another signal with the least residual.

use crate::gram::Gram;

/// Ridge toward the last gains, relative to a signal's power.
const RIDGE: f64 = 1e-9;
/// Ridge on signals that cannot be told apart: it holds their difference, not their sum.
const HOLD_RIDGE: f64 = 1e-3;
/// Iterations that remove the ridge's bias from everything that can be told apart: it falls to `HOLD_RIDGE` to this
/// power.
const HOLD_ITERATIONS: usize = 4;
/// Least reciprocal condition at which stems can be told apart.
pub const MIN_CONDITION: f64 = 1e-6;

/// Solution of the normal equations.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LeastSquares {
    /// Gains, in the order of the columns.
    pub(super) gains: Vec<f64>,
    /// Smallest share of a column's power that the columns before it do not explain.
    pub(super) condition: f64,
    /// Pairs of columns that cannot be told apart: their sum is fitted, their difference held.
    pub(super) inseparable: Vec<(usize, usize)>,
}

/// The gains of the signals `columns` that leave least of the signal `target` after the signals `held` have been taken
/// away with their gains. `last`: the gains of the columns that the solution leans to where the equations say nothing,
/// `pull`: how much it leans, per column.
///
/// Columns are scaled to unit power; Cholesky decomposition with a ridge of `pull`, at least 1e-9, toward `last`. Where
/// the condition is below [`MIN_CONDITION`], the two columns concerned are held by a ridge of 1e-3, iterated (Tikhonov): what
/// can be told comes out exactly, what cannot stays as it was.
pub(super) fn solve(
    gram: &Gram,
    target: usize,
    columns: &[usize],
    held: &[(usize, f64)],
    last: &[f64],
    pull: &[f64],
) -> LeastSquares {
    let n = columns.len();
    let scale: Vec<f64> = columns.iter().map(|&i| gram.at(i, i).sqrt()).collect();
    let correlation = |a: usize, b: usize| gram.at(columns[a], columns[b]) / (scale[a] * scale[b]);
    let mut ridge: Vec<f64> = pull.iter().map(|pull| pull.max(RIDGE)).collect();
    let mut held_back = vec![false; n];
    let mut inseparable = Vec::new();
    let mut condition = 1.0f64;
    let factor = loop {
        let (factor, smallest, weakest) =
            cholesky(n, |a, b| correlation(a, b) + if a == b { ridge[a] } else { 0.0 });
        condition = condition.min(smallest);
        if smallest >= MIN_CONDITION || held_back[weakest] {
            break factor;
        }
        let others = (0..n).filter(|&k| k != weakest);
        let partner =
            others.max_by(|&a, &b| correlation(weakest, a).abs().total_cmp(&correlation(weakest, b).abs()));
        let partner = partner.unwrap_or(weakest);
        for column in [weakest, partner] {
            (ridge[column], held_back[column]) = (ridge[column].max(HOLD_RIDGE), true);
        }
        inseparable.push((weakest.min(partner), weakest.max(partner)));
    };
    if !inseparable.is_empty() {
        // of several copies, all of them
        let pairs = (0..n).flat_map(|b| (0..b).map(move |a| (a, b)));
        let copies = pairs.filter(|&(a, b)| 1.0 - correlation(a, b).powi(2) < MIN_CONDITION);
        let others: Vec<(usize, usize)> = copies.filter(|pair| !inseparable.contains(pair)).collect();
        inseparable.extend(others);
    }
    let wanted: Vec<f64> = (0..n)
        .map(|a| {
            let known: f64 = held.iter().map(|&(j, gain)| gram.at(columns[a], j) * gain).sum();
            (gram.at(columns[a], target) - known) / scale[a]
        })
        .collect();
    let mut z: Vec<f64> = last.iter().zip(&scale).map(|(gain, scale)| gain * scale).collect();
    for _ in 0..if !inseparable.is_empty() { HOLD_ITERATIONS } else { 1 } {
        z.iter_mut().zip(&wanted).zip(&ridge).for_each(|((z, wanted), ridge)| *z = wanted + ridge * *z);
        substitute(n, &factor, &mut z);
    }
    LeastSquares { gains: z.iter().zip(&scale).map(|(z, s)| z / s).collect(), condition, inseparable }
}

/// The lower triangle of the Cholesky factor, row-major, the smallest pivot and where it is. Pivots below the ridge are
/// lifted to it.
fn cholesky(n: usize, matrix: impl Fn(usize, usize) -> f64) -> (Vec<f64>, f64, usize) {
    let mut factor = vec![0.0; n * n];
    let (mut smallest, mut weakest) = (1.0f64, 0);
    for row in 0..n {
        for column in 0..=row {
            let dot: f64 = (0..column).map(|k| factor[row * n + k] * factor[column * n + k]).sum();
            let value = matrix(row, column) - dot;
            factor[row * n + column] = if row == column {
                if value < smallest {
                    (smallest, weakest) = (value, row);
                }
                value.max(RIDGE).sqrt()
            } else {
                value / factor[column * n + column]
            };
        }
    }
    (factor, smallest, weakest)
}

fn substitute(n: usize, factor: &[f64], z: &mut [f64]) {
    for row in 0..n {
        let dot: f64 = (0..row).map(|k| factor[row * n + k] * z[k]).sum();
        z[row] = (z[row] - dot) / factor[row * n + row];
    }
    for row in (0..n).rev() {
        let dot: f64 = (row + 1..n).map(|k| factor[k * n + row] * z[k]).sum();
        z[row] = (z[row] - dot) / factor[row * n + row];
    }
}
