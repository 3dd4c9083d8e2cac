//! Share of the residual that consists of a stem: returns of its sends, what a filter or a device adds to it.
//!
//! The residual's power over time is regressed, with coefficients that are not negative, on the powers of all stems
//! now and before, beside a constant: what is not like a stem does not follow it.

use crate::gram::Hops;

/// Hops by which powers are late: now, and means over the hops before.
const DELAYS_HOPS: [[usize; 2]; 4] = [[0, 1], [1, 2], [2, 5], [5, 12]];
/// Sweeps of the coordinate descent.
const SWEEPS: usize = 60;

/// Returns for each stem the share of the power of the last of `sources`, the residual, that goes with it; 0 to 1.
pub(super) fn follow_shares(sources: &Hops, weights: &[f64]) -> Vec<f64> {
    let stems = sources.sources() - 1;
    let powers: Vec<Vec<f64>> =
        (0..=stems).map(|i| sources.powers_of(i).iter().map(|p| p.0).collect()).collect();
    let used: Vec<usize> = (12..weights.len())
        .filter(|&h| weights[h] > 0.0 && powers.iter().all(|p| p[h].is_finite()))
        .collect();
    let mean =
        |of: &dyn Fn(usize) -> f64| used.iter().map(|&h| of(h)).sum::<f64>() / used.len().max(1) as f64;
    let left = mean(&|h| powers[stems][h]);
    if left <= 0.0 {
        return vec![0.0; stems];
    }
    // Regressors scaled to a mean of one, less their mean: the constant is free.
    let mut columns: Vec<Vec<f64>> = Vec::new();
    for power in &powers[..stems] {
        for [first, end] in DELAYS_HOPS {
            let late = |h: usize| {
                (first..end).map(|d| if power[h - d].is_finite() { power[h - d] } else { 0.0 }).sum::<f64>()
            };
            let scale = mean(&late);
            columns
                .push(used.iter().map(|&h| if scale > 0.0 { late(h) / scale - 1.0 } else { 0.0 }).collect());
        }
    }
    let target: Vec<f64> = used.iter().map(|&h| powers[stems][h] / left - 1.0).collect();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let own: Vec<f64> = columns.iter().map(|c| dot(c, c)).collect();
    let mut left_over = target;
    let mut shares = vec![0.0; columns.len()];
    for _ in 0..SWEEPS {
        for (i, column) in columns.iter().enumerate() {
            if own[i] <= 0.0 {
                continue;
            }
            let change = (shares[i] + dot(column, &left_over) / own[i]).max(0.0) - shares[i];
            if change != 0.0 {
                shares[i] += change;
                left_over.iter_mut().zip(column).for_each(|(l, x)| *l -= change * x);
            }
        }
    }
    shares.chunks(DELAYS_HOPS.len()).map(|shares| shares.iter().sum::<f64>().min(1.0)).collect()
}
