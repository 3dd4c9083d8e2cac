//! Certainty of a prediction: exact, or an estimate with a half-width in LU.
//!
//! A prediction scales a stem's known contribution to the mix. Three things may differ from that, and each leaves a
//! trace in the residual:
//!
//! - **Follow.** The residual may consist of the stem: a send, a return, a filter after it. Then it moves with the
//!   stem. And of a stem that arrives twice without delay, half may stay.
//! - **Bias.** The residual may resemble the stem, so that its fitted gain is off; above all where another stem
//!   resembles it too.
//! - **Response.** A compressor, a limiter or a sidechain between Stem and Master reacts to the stem's level. Levels
//!   change all the time, so the reaction shows as a dependence of gains on the level; see `response`.

mod response;
#[cfg(test)]
mod trust;

use super::coverage::{FULL_COVERAGE, unique_power};
use super::fit::{Fit, HopRow, MIN_CONDITION, StemArrival, fit, resolve};
use super::gram::Hops;
use super::predict::{Certainty, Move, gains};
use super::shares::gated_block_counts;
use meter::loudness::{ABSOLUTE_GATE, integrated};
use response::{FOLDS, LevelResponse, ResponseEstimate, estimate_response};
use units::{Lu, Power};

/// Half-width below which a prediction is called exact.
const EXACT_HALF_WIDTH: Lu = Lu(0.005);
/// Resemblance of the residual to a stem that is to be expected by chance and from playing the same notes, as an
/// amplitude ratio.
const RESEMBLANCE: f64 = 0.25;
/// The same for the part of a stem that no other stem resembles: the only evidence of that stem's gain.
const UNIQUE_RESEMBLANCE: f64 = 1.0;
/// Safety factor on an estimated response: levels are read differently than a device reads them, and a move goes to
/// levels that the song does not contain.
const RESPONSE_MARGIN: f64 = 1.3;
/// Upper bound of a response as a ratio of the move's effect: more than a full compensation is chance.
const MAX_RESPONSE_RATIO: f64 = 1.5;
/// Gain of a stem that arrives twice without delay, dB: a fader, or a second route to the mix that a move of the Stem
/// does not reach.
const DOUBLED_GAIN_DB: f64 = 6.0206;
/// Distance from [`DOUBLED_GAIN_DB`] within which a stem counts as doubled, dB.
const DOUBLED_TOLERANCE_DB: f64 = 0.1;
/// Hops over which bias is estimated together.
const BIAS_WINDOW_HOPS: usize = 100;

/// A row of hops and its fit: the input of predictions and of their certainty.
#[derive(Clone, Debug)]
pub struct FittedRange {
    /// Gains with which the stems arrive, per hop.
    pub fit: Fit,
    /// The stems as they arrive and, last, *Unlinked* (the residual).
    pub sources: Hops,
    /// The stems at their mean gains and, last, the residual of that.
    steady: Hops,
    /// Per stem, the largest factor by which a hop's level was rescaled: a move that the sources already contain.
    rescaled: Vec<f64>,
}

impl FittedRange {
    /// Fits `row`, hops of `stems` stems and the mix.
    pub fn new(row: &HopRow<'_>, stems: usize) -> Self {
        Self::with_fit(row, fit(row, stems))
    }

    /// Takes a `fit` that is already known.
    pub fn with_fit(row: &HopRow<'_>, fit: Fit) -> Self {
        let rescaled = vec![1.0; fit.stems()];
        Self { sources: resolve(row, &fit), steady: resolve(row, &fit.steady()), fit, rescaled }
    }

    /// Multiplies the stems of a hop by `gains`, linear, because their levels have changed since it was recorded. As
    /// exact as a move.
    pub fn rescale(&mut self, hop: usize, gains: &[f64]) {
        let with_unlinked: Vec<f64> = gains.iter().copied().chain([1.0]).collect();
        self.sources.rescale(hop, &with_unlinked);
        self.steady.rescale(hop, &with_unlinked);
        for (most, gain) in self.rescaled.iter_mut().zip(gains) {
            if gain.ln().abs() > most.ln().abs() {
                *most = *gain;
            }
        }
    }

    /// True if no level has changed since the hops were recorded.
    pub fn has_recorded_levels(&self) -> bool {
        self.rescaled.iter().all(|gain| *gain == 1.0)
    }

    /// Certainty of the integrated loudness after `moves`.
    pub fn certainty(&self, moves: &[Move]) -> Certainty {
        let Some(uncertainty) = self.uncertainty(moves) else {
            return Certainty::Estimate(Lu(f64::INFINITY));
        };
        if uncertainty.half_width().0 <= EXACT_HALF_WIDTH.0 && self.is_clean() {
            Certainty::Exact
        } else {
            Certainty::Estimate(Lu(uncertainty.half_width().0.max(EXACT_HALF_WIDTH.0)))
        }
    }

    /// True if in every hop above the absolute gate the stems account for 99.99 % of the mix.
    fn is_clean(&self) -> bool {
        let (mix, left) = (self.mix_powers(), self.sources.powers_of(self.unlinked()));
        let gate = ABSOLUTE_GATE.power();
        let mut used = (0..mix.len()).filter(|&hop| mix[hop] > gate);
        used.all(|hop| left[hop].0 <= (1.0 - FULL_COVERAGE) * mix[hop].0)
    }

    fn mix_powers(&self) -> Vec<Power> {
        self.sources.powers(&vec![1.0; self.sources.sources()])
    }

    /// Index of *Unlinked*.
    fn unlinked(&self) -> usize {
        self.sources.sources() - 1
    }

    fn uncertainty(&self, moves: &[Move]) -> Option<Uncertainty> {
        let moved = gains(self.sources.sources(), moves);
        let powers = self.sources.powers(&moved);
        let predicted = integrated(&powers)?;
        let difference = |gains: &[f64]| integrated(&self.sources.powers(gains)).map(|i| (i - predicted).0);
        let weights = gated_block_counts(&powers)?;
        let mut uncertainty = Uncertainty::default();
        for stem in 0..self.unlinked() {
            // Change since recording: the rescaling that the sources contain, and the move.
            let change = moved[stem] * self.rescaled[stem];
            if change == 1.0 && moved[stem] == 1.0 {
                continue;
            }
            let mut follow = moved.clone();
            // A residual that is taken to follow may stay, and the reverse.
            let unlinked = &mut follow[self.unlinked()];
            *unlinked = if *unlinked == 1.0 { change } else { 1.0 };
            uncertainty.follow += difference(&follow)?.abs();
            let as_heard = 1.0 / self.rescaled[stem];
            if self.fit.mean_gains(stem).is_some_and(is_doubled_gain) {
                let mut half = moved.clone();
                half[stem] += (as_heard - moved[stem]) / 2.0;
                uncertainty.follow += difference(&half)?.abs();
            }
            let mut biased = moved.clone();
            biased[stem] += (moved[stem] - as_heard) * self.bias(stem, &weights);
            uncertainty.bias += difference(&biased)?.abs();
            let mut unmoved = moved.clone();
            unmoved[stem] = as_heard;
            let effect = difference(&unmoved)?.abs();
            let response = self.response(stem, change, &moved, &weights, &difference)?;
            uncertainty.response += response.min(MAX_RESPONSE_RATIO * effect);
        }
        Some(uncertainty)
    }

    /// Standard error of a stem's gain, relative to the gain.
    fn bias(&self, stem: usize, weights: &[f64]) -> f64 {
        let unlinked = self.unlinked();
        let (mut error, mut own) = (0.0, 0.0);
        for first in (0..weights.len()).step_by(BIAS_WINDOW_HOPS) {
            let hops = first..weights.len().min(first + BIAS_WINDOW_HOPS);
            let used =
                |hops: std::ops::Range<usize>| hops.filter(|&h| weights[h] > 0.0).map(|h| (h, weights[h]));
            let left = self.sources.weighted_sum(used(hops.clone())).at(unlinked, unlinked).max(0.0);
            let gram = self.steady.weighted_sum(used(hops));
            let (power, alone) = (gram.at(stem, stem), unique_power(&gram, stem, unlinked));
            if power > 0.0 && left > 0.0 {
                let alike = UNIQUE_RESEMBLANCE * UNIQUE_RESEMBLANCE * (power / alone.max(1e-9 * power) - 1.0);
                error += left * (RESEMBLANCE * RESEMBLANCE + alike);
            }
            if alone < MIN_CONDITION * power {
                error += power; // only the sum with another stem is known
            }
            own += power;
        }
        if own > 0.0 { (error / own).sqrt() } else { 0.0 }
    }

    /// Possible change of the loudness because devices react to a `change` (linear) of the stem's level, LU.
    fn response(
        &self,
        stem: usize,
        change: f64,
        moved: &[f64],
        weights: &[f64],
        difference: &impl Fn(&[f64]) -> Option<f64>,
    ) -> Option<f64> {
        let ResponseEstimate { response, deviation, leave_one_out } =
            estimate_response(&self.steady, stem, weights);
        let shift = change.ln();
        let effect = |response: LevelResponse| {
            let mut gains: Vec<f64> = moved.iter().map(|gain| gain * (1.0 + response.rest * shift)).collect();
            gains[stem] = moved[stem] * (1.0 + response.own * shift);
            gains[self.unlinked()] = moved[self.unlinked()];
            difference(&gains)
        };
        let each: Option<Vec<f64>> = leave_one_out.into_iter().map(effect).collect();
        let each = each?;
        let mean = each.iter().sum::<f64>() / FOLDS as f64;
        // Variance by the jackknife, plus that of slopes which the song's levels do not determine.
        let squares: f64 = each.iter().map(|effect| (effect - mean).powi(2)).sum();
        let own = effect(LevelResponse { own: -deviation.own, rest: 0.0 })?;
        let rest = effect(LevelResponse { own: 0.0, rest: -deviation.rest })?;
        let variance = squares * (FOLDS - 1) as f64 / FOLDS as f64 + own * own + rest * rest;
        Some(RESPONSE_MARGIN * effect(response)?.abs() + variance.sqrt())
    }
}

/// True if a stem arrives with the gain of one that arrives twice.
fn is_doubled_gain(gains: [[f64; 2]; 2]) -> bool {
    (StemArrival { gains, fitted: [true; 2] }.gain().0 - DOUBLED_GAIN_DB).abs() < DOUBLED_TOLERANCE_DB
}

/// Deviations from a prediction by their kind, LU. They are independent, so they add in quadrature.
#[derive(Clone, Copy, Debug, Default)]
struct Uncertainty {
    follow: f64,
    bias: f64,
    response: f64,
}

impl Uncertainty {
    fn half_width(self) -> Lu {
        Lu(self.follow.hypot(self.bias).hypot(self.response))
    }
}
