//! Findings on what lies between Stems and Master, from the hops alone: gains that react, what follows a stem, how well
//! gains are known. They do not depend on the question.

use super::follow::follow_shares;
use super::gain_error::gain_error;
use super::gain_track::gain_track;
use super::level_bank::{BankLevels, bank_levels};
use super::response::{GainModels, StemResponse, effective_reliability, reliability};
use crate::fit::{Fit, MIN_CONDITION};
use crate::gram::Hops;
use crate::shares::gated_block_counts;

/// Greatest number of hops that gains are observed over, the loudest in a row: two minutes.
const MAX_HOPS: usize = 1200;

/// Difference of the 95th and the 5th percentile of a normal distribution, standard deviations; halved, because the
/// variances of gains are upper bounds.
const NORMAL_SPREAD: f64 = 0.5 * 3.29;

/// Distance from its median within which a gain stands still, nepers.
const STILL_RANGE: f64 = 1e-4;
/// Share of a stem's power that has to move for its gain to count as one that moves.
const MOVING_SHARE: f64 = 0.05;

/// Findings on a range of hops.
#[derive(Clone, Debug)]
pub(super) struct DeviceModels {
    levels: Vec<Vec<BankLevels>>,
    gains: Vec<GainModels>,
    /// Share of the residual's power that goes with each stem.
    pub(super) follow: Vec<f64>,
    /// Standard error of each stem's gain, relative.
    pub(super) gain_errors: Vec<f64>,
    /// Spread of each stem's gain where it is loud, beyond what the residual makes of it, nepers.
    pub(super) depths: Vec<f64>,
    /// The same, what the residual makes of it included: an upper bound.
    pub(super) spreads: Vec<f64>,
    /// Share of the variation of each stem's level that a device reads: near 0 of levels that stand still.
    reliabilities: Vec<f64>,
    /// The same of the mix's level.
    mix_reliability: f64,
    /// Movement of each stem's gain: 0 if nothing moves, 1 if [`MOVING_SHARE`] of its power or more.
    movements: Vec<f64>,
}

impl DeviceModels {
    /// Returns the findings on `sources`, resolved by `fit`; `steady`: the same at constant gains. `None` if nothing
    /// passes the gates.
    pub(super) fn new(sources: &Hops, steady: &Hops, fit: &Fit) -> Option<Self> {
        let stems = sources.sources() - 1;
        let weights = gated_block_counts(&sources.powers(&vec![1.0; stems + 1]))?;
        let powers =
            |gains: &[f64]| -> Vec<f64> { steady.powers(gains).iter().map(|power| power.0).collect() };
        let mut all = vec![1.0; stems + 1];
        all[stems] = 0.0;
        let mix = bank_levels(&powers(&all), &weights);
        let range = loudest(&weights, &powers(&all));
        let track = gain_track(steady, range.clone());
        let mut models = Self {
            levels: Vec::new(),
            gains: Vec::new(),
            follow: follow_shares(sources, &weights),
            gain_errors: (0..stems)
                .map(|stem| {
                    gain_error(sources, steady, stem, &weights).hypot(pair_error(fit, stem, sources.len()))
                })
                .collect(),
            depths: Vec::new(),
            spreads: Vec::new(),
            reliabilities: Vec::new(),
            mix_reliability: 1.0,
            movements: Vec::new(),
        };
        for stem in 0..stems {
            let mut alone = vec![0.0; stems + 1];
            alone[stem] = 1.0;
            let own = powers(&alone);
            let levels = bank_levels(&own, &weights)[range.clone()].to_vec();
            let gains: Vec<_> = track.iter().map(|hop| hop[stem]).collect();
            let loud = || gains.iter().zip(range.clone()).map(|(gain, hop)| (gain, own[hop] * weights[hop]));
            let spread = weighted_spread(loud().map(|(gain, weight)| (gain.log, weight)).collect());
            let known = || loud().filter(|(gain, weight)| gain.variance.is_finite() && *weight > 0.0);
            let noise: f64 = known().map(|(gain, weight)| gain.variance * weight).sum();
            let noise =
                NORMAL_SPREAD * (noise / known().map(|one| one.1).sum::<f64>().max(f64::MIN_POSITIVE)).sqrt();
            models.spreads.push(spread);
            models.depths.push((spread * spread - noise * noise).max(0.0).sqrt());
            models.reliabilities.push(reliability(&gains, &levels));
            models.mix_reliability = models.mix_reliability.min(reliability(&gains, &mix[range.clone()]));
            let movement = movement(known().map(|(gain, weight)| (gain.log, weight)).collect());
            models.movements.push(movement);
            models.gains.push(GainModels::new(gains, &levels, &mix[range.clone()], movement));
            models.levels.push(levels);
        }
        Some(models)
    }

    /// Share of what a device on `stem` reads of `driver` (a stem; `None`: the mix) that the levels show, 0 to 1.
    pub(super) fn reliability(&self, stem: usize, driver: Option<usize>) -> f64 {
        let level = driver.map_or(self.mix_reliability, |driver| self.reliabilities[driver]);
        effective_reliability(self.movements[stem], level)
    }

    /// Responses of all stems to a move of `stem`.
    pub(super) fn responses(&self, stem: usize) -> Vec<StemResponse> {
        let others = self.gains.iter().enumerate();
        others.map(|(j, gains)| gains.response((j != stem).then_some(&self.levels[stem]))).collect()
    }
}

/// Relative error of the gain of a stem that could not be told from another everywhere: the spread of what was found, and
/// the share of the hops where nothing was.
fn pair_error(fit: &Fit, stem: usize, hops: usize) -> f64 {
    if !fit.is_inseparable(stem) {
        return 0.0;
    }
    let unclear = (0..hops).filter(|&hop| fit.condition(hop) < MIN_CONDITION).count();
    (fit.gain_spread(stem).gain() - 1.0).max(unclear as f64 / hops.max(1) as f64).min(1.0)
}

/// Row of [`MAX_HOPS`] hops with the greatest sum of power and weight; all hops if they are fewer.
fn loudest(weights: &[f64], powers: &[f64]) -> core::ops::Range<usize> {
    let product = |hop: usize| if powers[hop].is_finite() { weights[hop] * powers[hop] } else { 0.0 };
    let count = weights.len().min(MAX_HOPS);
    let mut sum: f64 = (0..count).map(product).sum();
    let (mut best, mut first) = (sum, 0);
    for start in 1..=weights.len() - count {
        sum += product(start + count - 1) - product(start - 1);
        if sum > best {
            (best, first) = (sum, start);
        }
    }
    first..first + count
}

/// Movement of a gain, 0 to 1, by its logarithms with weights.
fn movement(mut gains: Vec<(f64, f64)>) -> f64 {
    let median = weighted_percentile(&mut gains, 0.5);
    let total: f64 = gains.iter().map(|(_, weight)| weight).sum();
    let moved = gains.iter().filter(|(log, _)| (log - median).abs() > STILL_RANGE);
    let moved: f64 = moved.map(|(_, weight)| weight).sum();
    (moved / (MOVING_SHARE * total).max(f64::MIN_POSITIVE)).min(1.0)
}

/// Difference of the 95th and the 5th percentile of values with weights.
fn weighted_spread(mut values: Vec<(f64, f64)>) -> f64 {
    weighted_percentile(&mut values, 0.95) - weighted_percentile(&mut values, 0.05)
}

/// Percentile of values with weights, 0 to 1; values of no weight are taken out.
fn weighted_percentile(values: &mut Vec<(f64, f64)>, share: f64) -> f64 {
    values.retain(|(_, weight)| *weight > 0.0);
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = values.iter().map(|value| value.1).sum();
    let mut sum = 0.0;
    let found = values.iter().find(|(_, weight)| {
        sum += weight;
        sum >= share * total
    });
    found.or(values.last()).map_or(0.0, |value| value.0)
}
