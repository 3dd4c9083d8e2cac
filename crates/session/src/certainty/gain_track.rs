//! Gains of the stems hop by hop, relative to their mean gains: what rides and devices do to them.

use crate::gram::Hops;

/// Least number of independent samples in a hop, for the uncertainty of its gains.
const INDEPENDENT_SAMPLES: f64 = 12.0;
/// Ridge, relative to a stem's power.
const RIDGE: f64 = 1e-9;
/// Lower bound of a gain relative to its mean (-20 dB).
const MIN_GAIN: f64 = 0.1;

/// Gain of one stem in one hop.
#[derive(Clone, Copy, Debug)]
pub(super) struct HopGain {
    /// Logarithm of the gain, nepers.
    pub(super) log: f64,
    /// Its variance because of what is left of the mix; infinite if the hop says nothing.
    pub(super) variance: f64,
}

/// Returns the gains of every stem over `hops`, `[hop][stem]`. `steady`: sources at constant gains and, last, the
/// residual.
pub(super) fn gain_track(steady: &Hops, hops: core::ops::Range<usize>) -> Vec<Vec<HopGain>> {
    hops.map(|hop| hop_gains(steady, hop)).collect()
}

fn hop_gains(steady: &Hops, hop: usize) -> Vec<HopGain> {
    let stems = steady.sources() - 1;
    let unknown = HopGain { log: 0.0, variance: f64::INFINITY };
    if !steady.is_heard(hop) {
        return vec![unknown; stems];
    }
    let gram = steady.weighted_sum([(hop, 1.0)].into_iter());
    // Gauss-Jordan on [Gram | products with the residual | identity].
    let width = 2 * stems + 1;
    let mut rows: Vec<Vec<f64>> = (0..stems)
        .map(|i| {
            let mut row = vec![0.0; width];
            (0..stems).for_each(|j| row[j] = gram.at(i, j));
            row[i] += RIDGE * gram.at(i, i) + f64::MIN_POSITIVE;
            row[stems] = gram.at(i, stems);
            row[stems + 1 + i] = 1.0;
            row
        })
        .collect();
    for pivot in 0..stems {
        let own = rows[pivot][pivot].max(RIDGE * gram.at(pivot, pivot)).max(f64::MIN_POSITIVE);
        rows[pivot].iter_mut().for_each(|x| *x /= own);
        let row = rows[pivot].clone();
        for (_, other) in rows.iter_mut().enumerate().filter(|(i, _)| *i != pivot) {
            let factor = other[pivot];
            other.iter_mut().zip(&row).for_each(|(a, b)| *a -= factor * b);
        }
    }
    let explained: f64 = (0..stems).map(|i| rows[i][stems] * gram.at(i, stems)).sum();
    let left = (gram.at(stems, stems) - explained).max(0.0);
    (0..stems)
        .map(|i| {
            let gain = (1.0 + rows[i][stems]).max(MIN_GAIN);
            let variance = left / INDEPENDENT_SAMPLES * rows[i][stems + 1 + i] / (gain * gain);
            let known = gram.at(i, i) > 0.0 && variance.is_finite() && gain.is_finite();
            if known { HopGain { log: gain.ln(), variance } } else { unknown }
        })
        .collect()
}
