//! Regression of a drifting level: `z = w + x b + noise`, `w` a random walk, by a Kalman filter.
//!
//! The state is `w` and the coefficients `b`, which are constant; the filter's last state is therefore their
//! posterior, and the product of its innovations' densities the evidence (Harvey, *Forecasting, structural time series
//! models and the Kalman filter*, 1989, chapter 3). The variances of walk and noise are those of the greatest
//! evidence on a grid.

use super::level_bank::{BankLevels, LEVELS};

/// State: the walk and the coefficients.
const STATES: usize = LEVELS + 1;
/// Decades of the variances that are tried.
const LEAST_DECADE: i32 = -10;
const GREATEST_DECADE: i32 = 0;
/// Prior variance of a coefficient, and covariance of two: those of their sum are known best.
const PRIOR_VARIANCE: f64 = 0.19;
const PRIOR_COVARIANCE: f64 = -0.03;
/// Prior variance of the sum of all coefficients.
pub(super) const PRIOR_SUM_VARIANCE: f64 =
    LEVELS as f64 * (PRIOR_VARIANCE + (LEVELS - 1) as f64 * PRIOR_COVARIANCE);
/// Innovations beyond so many standard deviations count as that many.
const OUTLIER: f64 = 3.0;

/// One observation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Observation {
    pub(super) value: f64,
    pub(super) variance: f64,
    pub(super) regressors: BankLevels,
}

/// Mean and variance of a sum of coefficients.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CoefficientSum {
    pub(super) mean: f64,
    pub(super) variance: f64,
}

/// Sums of the coefficients, and how well the data speak for the model.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SumPosterior {
    pub(super) log_evidence: f64,
    /// Of all levels: the response to a move up.
    pub(super) up: CoefficientSum,
    /// Of all but the first, the excess over a loud level: the response to a move down.
    pub(super) down: CoefficientSum,
}

/// Variances of the walk, per observation, and of the noise, as decades.
type Decades = [i32; 2];

/// Returns the posterior of the coefficients' sum at the most probable variances.
pub(super) fn regress(observations: &[Observation]) -> SumPosterior {
    let mut steps =
        observations.windows(2).map(|pair| (pair[1].value - pair[0].value).powi(2)).collect::<Vec<_>>();
    steps.sort_by(f64::total_cmp);
    let typical = steps.get(steps.len() / 2).copied().unwrap_or(0.0).max(1e-12);
    let decade = (typical.log(10.0).round() as i32).clamp(LEAST_DECADE, GREATEST_DECADE);
    let mut at: Decades = [decade, decade];
    let mut best = filter(observations, at);
    loop {
        let neighbours =
            [[1, 0], [-1, 0], [0, 1], [0, -1]].map(|step: Decades| [at[0] + step[0], at[1] + step[1]]);
        let inside = |d: &Decades| d.iter().all(|d| (LEAST_DECADE..=GREATEST_DECADE).contains(d));
        let tried = neighbours.into_iter().filter(inside).map(|d| (d, filter(observations, d)));
        match tried.max_by(|a, b| a.1.log_evidence.total_cmp(&b.1.log_evidence)) {
            Some((decades, found)) if found.log_evidence > best.log_evidence => (at, best) = (decades, found),
            _ => return best,
        }
    }
}

fn filter(observations: &[Observation], decades: Decades) -> SumPosterior {
    let [walk, noise] = decades.map(|decade| 10f64.powi(decade));
    let mut mean = [0.0; STATES];
    let mut covariance = [[0.0; STATES]; STATES];
    covariance[0][0] = 1.0;
    for i in 1..STATES {
        for j in 1..STATES {
            covariance[i][j] = if i == j { PRIOR_VARIANCE } else { PRIOR_COVARIANCE };
        }
    }
    let mut log_evidence = 0.0;
    for observation in observations {
        covariance[0][0] += walk;
        let mut with = [0.0; STATES];
        for (with, row) in with.iter_mut().zip(&covariance) {
            *with = row[0] + row[1..].iter().zip(&observation.regressors).map(|(p, x)| p * x).sum::<f64>();
        }
        let predicted =
            mean[0] + mean[1..].iter().zip(&observation.regressors).map(|(b, x)| b * x).sum::<f64>();
        let mut variance = with[0]
            + with[1..].iter().zip(&observation.regressors).map(|(p, x)| p * x).sum::<f64>()
            + observation.variance
            + noise;
        let innovation = observation.value - predicted;
        variance = variance.max(innovation * innovation / (OUTLIER * OUTLIER));
        log_evidence -= 0.5 * (variance.ln() + innovation * innovation / variance);
        for i in 0..STATES {
            let gain = with[i] / variance;
            mean[i] += gain * innovation;
            for j in 0..STATES {
                covariance[i][j] -= gain * with[j];
            }
        }
    }
    let sum = |first: usize| CoefficientSum {
        mean: mean[first..].iter().sum(),
        variance: covariance[first..]
            .iter()
            .map(|row| row[first..].iter().sum::<f64>())
            .sum::<f64>()
            .max(0.0),
    };
    SumPosterior { log_evidence, up: sum(1), down: sum(2) }
}
