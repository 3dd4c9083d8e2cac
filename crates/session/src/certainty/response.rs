//! Estimate of a level-dependent response: how gains in the mix change with a stem's level.
//!
//! A compressor, a limiter, a sidechain or a saturating stage after a Stem makes the gains of stems depend on its
//! level. Songs change levels all the time, so the dependence can be measured: the residual of constant gains is
//! regressed on the stem, and on the rest of the mix, each times the logarithm of the stem's level over the last hop,
//! the last half second and the last second or so. Within parts of a few seconds gains are free, so that neither
//! fader rides nor the song's sections count as responses. A move shifts the level at all time scales alike, so the
//! slopes are summed over the scales: an echo or a hall, which is linear, makes gains depend on recent changes of
//! level, but its sum is zero.

use crate::gram::{Gram, Hops};
use units::Power;

/// Time scales over which a level is averaged, hops.
const SCALES_HOPS: [usize; 3] = [1, 4, 12];
/// Number of slopes: those of the stem and of the rest at every scale.
const SLOPES: usize = 2 * SCALES_HOPS.len();
/// Hops in a part, within which gains are free.
const PART_HOPS: usize = 30;
/// Number of folds of the jackknife.
pub(super) const FOLDS: usize = 10;
/// Prior standard deviation of a slope: that of a compressor with a ratio of 2:1.
const EXPECTED_SLOPE: f64 = 0.4;
/// Lower bound of a level relative to its mean, nepers (-30 dB).
const MIN_LEVEL: f64 = -3.45;

/// Sums of products of the level regressors and, last, of the residual.
type RegressionSums = [[f64; SLOPES + 1]; SLOPES + 1];
const ZERO_SUMS: RegressionSums = [[0.0; SLOPES + 1]; SLOPES + 1];

/// Slopes: change of the arriving gain of the stem, and of the rest of the mix, per neper of the stem's level.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct LevelResponse {
    pub(super) own: f64,
    pub(super) rest: f64,
}

/// Estimated response with its uncertainty.
#[derive(Clone, Copy, Debug)]
pub(super) struct ResponseEstimate {
    /// Most probable slopes.
    pub(super) response: LevelResponse,
    /// Their standard deviation, from the variation of levels and the residual.
    pub(super) deviation: LevelResponse,
    /// The slopes with each fold of the range left out in turn.
    pub(super) leave_one_out: [LevelResponse; FOLDS],
}

/// Returns the response to stem `stem`. `steady`: sources at constant gains and, last, the residual. `weights`:
/// weight of each hop.
pub(super) fn estimate_response(steady: &Hops, stem: usize, weights: &[f64]) -> ResponseEstimate {
    let levels = levels(&steady.powers_of(stem), weights);
    let mut folds = [ZERO_SUMS; FOLDS];
    let parts = steady.len().div_ceil(PART_HOPS).max(1);
    for part in 0..parts {
        let hops = part * PART_HOPS..steady.len().min((part + 1) * PART_HOPS);
        add(&mut folds[part * FOLDS / parts], &part_sums(steady, stem, hops, weights, &levels), 1.0);
    }
    let mut all = ZERO_SUMS;
    folds.iter().for_each(|fold| add(&mut all, fold, 1.0));
    let hops = weights.iter().filter(|weight| **weight > 0.0).count() as f64;
    let leave_one_out = folds.map(|fold| {
        let mut sums = all;
        add(&mut sums, &fold, -1.0);
        solve(&sums, hops).0
    });
    let (response, deviation) = solve(&all, hops);
    ResponseEstimate { response, deviation, leave_one_out }
}

fn add(sums: &mut RegressionSums, other: &RegressionSums, sign: f64) {
    sums.as_flattened_mut().iter_mut().zip(other.as_flattened()).for_each(|(a, b)| *a += sign * b);
}

/// Level of the stem per hop and scale, nepers, relative to its mean power.
fn levels(powers: &[Power], weights: &[f64]) -> Vec<[f64; SCALES_HOPS.len()]> {
    let powers: Vec<f64> = powers.iter().map(|p| if p.0.is_nan() { 0.0 } else { p.0 }).collect();
    let total: f64 = powers.iter().zip(weights).map(|(p, w)| p * w).sum();
    let mean = total / weights.iter().sum::<f64>().max(f64::MIN_POSITIVE);
    (0..powers.len())
        .map(|hop| {
            SCALES_HOPS.map(|scale| {
                let past = &powers[(hop + 1).saturating_sub(scale)..=hop];
                let level = past.iter().sum::<f64>() / past.len() as f64;
                if mean > 0.0 && level > 0.0 { (0.5 * (level / mean).ln()).max(MIN_LEVEL) } else { MIN_LEVEL }
            })
        })
        .collect()
}

/// Sums of one part, after elimination of a constant gain and a linear trend per stem.
fn part_sums(
    steady: &Hops,
    stem: usize,
    hops: core::ops::Range<usize>,
    weights: &[f64],
    levels: &[[f64; SCALES_HOPS.len()]],
) -> RegressionSums {
    let stems = steady.sources() - 1;
    let (left, rest, free) = (stems, stems + 1, 2 * stems);
    let size = free + SLOPES + 1;
    let mut sums = vec![0.0; size * size];
    let middle = 0.5 * (hops.start + hops.end) as f64;
    for hop in hops.filter(|&hop| weights[hop] > 0.0 && steady.is_heard(hop)) {
        let products = products(&steady.weighted_sum([(hop, weights[hop])].into_iter()), stem);
        let time = (hop as f64 - middle) / PART_HOPS as f64;
        let regressors: Vec<(usize, f64)> = ((0..stems).map(|i| (i, 1.0)))
            .chain((0..stems).map(|i| (i, time)))
            .chain(levels[hop].into_iter().flat_map(|level| [(stem, level), (rest, level)]))
            .chain([(left, 1.0)])
            .collect();
        for (i, &(a, x)) in regressors.iter().enumerate() {
            for (j, &(b, y)) in regressors.iter().enumerate() {
                sums[i * size + j] += products[a * (stems + 2) + b] * x * y;
            }
        }
    }
    let whole: Vec<f64> = (0..free).map(|i| sums[i * size + i]).collect();
    for pivot in 0..free {
        let row: Vec<f64> = sums[pivot * size..(pivot + 1) * size].to_vec();
        let own = row[pivot];
        if own > 1e-9 * whole[pivot] {
            for i in pivot + 1..size {
                let factor = row[i] / own;
                sums[i * size..(i + 1) * size].iter_mut().zip(&row).for_each(|(a, b)| *a -= factor * b);
            }
        }
    }
    core::array::from_fn(|i| core::array::from_fn(|j| sums[(free + i) * size + free + j]))
}

/// Products of all sources and, last, of the sum of the stems other than `stem`, row by row.
fn products(gram: &Gram, stem: usize) -> Vec<f64> {
    let (sources, size) = (gram.sources(), gram.sources() + 1);
    let mut out = vec![0.0; size * size];
    for i in 0..sources {
        for j in 0..sources {
            let value = gram.at(i, j);
            out[i * size + j] = value;
            let (others_i, others_j) = (i != stem && i + 1 < sources, j != stem && j + 1 < sources);
            if others_j {
                out[i * size + sources] += value;
            }
            if others_i {
                out[sources * size + j] += value;
            }
            if others_i && others_j {
                out[sources * size + sources] += value;
            }
        }
    }
    out
}

/// Most probable slopes and their standard deviation, for a prior of [`EXPECTED_SLOPE`] and a residual that is
/// independent from hop to hop. Where levels do not vary the deviation is that of the prior.
fn solve(sums: &RegressionSums, hops: f64) -> (LevelResponse, LevelResponse) {
    let noise = sums[SLOPES][SLOPES].max(0.0) / hops.max(1.0);
    let mut matrix = [[0.0; SLOPES + 3]; SLOPES];
    for (i, row) in matrix.iter_mut().enumerate() {
        row[..=SLOPES].copy_from_slice(&sums[i]);
        row[i] += noise / (EXPECTED_SLOPE * EXPECTED_SLOPE) + 1e-9 * sums[i][i] + f64::MIN_POSITIVE;
        row[SLOPES + 1 + i % 2] = 1.0;
    }
    // Gauss-Jordan; the matrix is positive definite.
    for pivot in 0..SLOPES {
        let row = matrix[pivot];
        for i in (0..SLOPES).filter(|&i| i != pivot) {
            let factor = matrix[i][pivot] / row[pivot];
            matrix[i].iter_mut().zip(&row).for_each(|(a, b)| *a -= factor * b);
        }
    }
    let sum = |first: usize, column: usize| {
        (first..SLOPES).step_by(2).map(|k| matrix[k][column] / matrix[k][k]).sum::<f64>()
    };
    let deviation = |first: usize| (noise * sum(first, SLOPES + 1 + first)).max(0.0).sqrt();
    // A limiter compensates a change completely (-1); less than that, or more than half on top, is chance.
    let slope = |first: usize| sum(first, SLOPES).clamp(-1.0, 0.5);
    (LevelResponse { own: slope(0), rest: slope(1) }, LevelResponse { own: deviation(0), rest: deviation(1) })
}
