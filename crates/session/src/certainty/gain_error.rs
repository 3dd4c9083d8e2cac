//! Standard error of a stem's gain because the residual resembles it.

use crate::coverage::unique_power;
use crate::gram::{Gram, Hops};

/// Hops over which gains are estimated together.
const WINDOW_HOPS: usize = 100;
/// Hops over which the residual's resemblance to a stem is taken to last.
const BATCH_HOPS: usize = 4;
/// Part of a stem that no other resembles below which its gain is not known: the fit's ridge leans on it.
const MIN_CLEAR: f64 = 1e-5;
/// Least part of a stem that no other resembles, for the error.
const MIN_UNIQUE: f64 = 1e-6;

/// Returns the standard error of the gain of `stem`, relative to the gain: the scatter of the residual's products with
/// what distinguishes the stem from the others (the sandwich estimate; White 1980, in batches). `steady`: the sources at
/// constant gains.
pub(super) fn gain_error(sources: &Hops, steady: &Hops, stem: usize, weights: &[f64]) -> f64 {
    let unlinked = sources.sources() - 1;
    let (mut error, mut unclear, mut own) = (0.0, 0.0, 0.0);
    for first in (0..weights.len()).step_by(WINDOW_HOPS) {
        let hops = first..weights.len().min(first + WINDOW_HOPS);
        let used: Vec<usize> = hops.filter(|&h| weights[h] > 0.0 && sources.is_heard(h)).collect();
        let gram = steady.weighted_sum(used.iter().map(|&h| (h, weights[h])));
        let power = gram.at(stem, stem);
        if power <= 0.0 {
            continue;
        }
        let alone = unique_power(&gram, stem, unlinked);
        if alone < MIN_CLEAR * power {
            unclear += power; // only the sum with another stem is known
        }
        let distinct = distinct_part(&gram, stem, unlinked);
        let score = |batch: &[usize]| -> f64 {
            let gram = sources.weighted_sum(batch.iter().map(|&h| (h, weights[h])));
            (0..unlinked).map(|i| distinct[i] * gram.at(i, unlinked)).sum()
        };
        let scores: f64 = used.chunks(BATCH_HOPS).map(|batch| score(batch).powi(2)).sum();
        error += scores * (power / alone.max(MIN_UNIQUE * power)).powi(2);
        own += power;
    }
    if own > 0.0 { error.sqrt().hypot(unclear) / own } else { 0.0 }
}

/// Coefficients of the stems whose sum is the part of `stem` that no other stem resembles.
fn distinct_part(gram: &Gram, stem: usize, stems: usize) -> Vec<f64> {
    // Gauss-Jordan on the others' normal equations.
    let others: Vec<usize> = (0..stems).filter(|&k| k != stem && gram.at(k, k) > 0.0).collect();
    let mut rows: Vec<Vec<f64>> = others
        .iter()
        .map(|&i| others.iter().map(|&j| gram.at(i, j)).chain([gram.at(i, stem)]).collect())
        .collect();
    let told = |rows: &[Vec<f64>], k: usize| rows[k][k] > MIN_UNIQUE * gram.at(others[k], others[k]);
    for pivot in 0..others.len() {
        if told(&rows, pivot) {
            let row = rows[pivot].clone();
            for (_, other) in rows.iter_mut().enumerate().filter(|(i, _)| *i != pivot) {
                let factor = other[pivot] / row[pivot];
                other.iter_mut().zip(&row).for_each(|(a, b)| *a -= factor * b);
            }
        }
    }
    let mut parts = vec![0.0; stems];
    parts[stem] = 1.0;
    for (k, &other) in others.iter().enumerate().filter(|(k, _)| told(&rows, *k)) {
        parts[other] = -rows[k][others.len()] / rows[k][k];
    }
    parts
}
