//! Whether a prediction is exact, and if not, how far it may be off.
//!
//! A prediction multiplies what is known of a stem in the mix. Three things may be different from that, and each leaves
//! a trace in what is not explained:
//!
//! - **Follow.** What is left of the mix may be the stem's: a send, a return, a filter after it. Then it moves with it. And
//!   of a stem that is there twice without delay half may stay.
//! - **Bias.** What is left may resemble the stem, so that its fitted gain is off; above all where another stem
//!   resembles it too.
//! - **Response.** A compressor, a limiter or a sidechain between Stem and Master answers to the stem's level. Levels change
//!   all the time, so the answer shows as a dependence of gains on the level; see `response`.

mod response;
#[cfg(test)]
mod trust;

use super::coverage::{FULL_COVERAGE, unexplained};
use super::fit::{Arrival, Fit, Row, SEPARABLE, fit, resolve};
use super::gram::Hops;
use super::predict::{Certainty, Move, gains};
use super::shares::gated;
use meter::loudness::{ABSOLUTE_GATE, integrated};
use response::{FOLDS, Response, Responses, responses};
use units::{Lu, Power};

/// A half-width below which a prediction is called exact.
const EXACT: Lu = Lu(0.005);
/// How much what is left resembles a stem, as an amplitude, by chance and by playing the same notes.
const RESEMBLES: f64 = 0.25;
/// The same for the part of a stem that no other stem resembles: there it is all the evidence there is.
const ALIKE: f64 = 1.0;
/// What is seen of a response is less than what there is: levels are read in other ways than a device reads them, and a
/// move goes to levels that were not heard.
const UNSEEN: f64 = 1.3;
/// No response is larger than this times the move's effect: what takes back more than all of it is no device but chance.
const MOST: f64 = 1.5;
/// A stem that is there twice without delay is this much louder, to within this, dB: a fader, or a second route to the
/// mix that no move of the Stem moves.
const DOUBLED: (f64, f64) = (6.0206, 0.1);
/// Hops over which bias is estimated at once.
const STRETCH: usize = 100;

/// A row of hops, fitted: what predictions and their certainty are made from.
#[derive(Clone, Debug)]
pub struct FittedRange {
    /// How the stems arrive.
    pub fit: Fit,
    /// The stems as they arrive, and last *Unlinked*.
    pub sources: Hops,
    /// The stems as they arrive on average, and last what that leaves.
    steady: Hops,
    /// Per stem, the largest factor by which a hop's level was rescaled: a move that is already in the sources.
    rescaled: Vec<f64>,
}

impl FittedRange {
    /// Fits `row`.
    pub fn new(row: &Row<'_>, stems: usize) -> Self {
        Self::with_fit(row, fit(row, stems))
    }

    /// With a fit that is known.
    pub fn with_fit(row: &Row<'_>, fit: Fit) -> Self {
        let rescaled = vec![1.0; fit.stems()];
        Self { sources: resolve(row, &fit), steady: resolve(row, &fit.steady()), fit, rescaled }
    }

    /// Multiplies the stems of a hop by `gains`: since it was heard, their levels have changed. As exact as a move.
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

    /// True if no level has changed since the hops were heard.
    pub fn is_as_heard(&self) -> bool {
        self.rescaled.iter().all(|gain| *gain == 1.0)
    }

    /// Whether the integrated loudness after `moves` is exact, and if not, how far it may be off.
    pub fn certainty(&self, moves: &[Move]) -> Certainty {
        let Some(doubt) = self.doubt(moves) else { return Certainty::Estimate(Lu(f64::INFINITY)) };
        if doubt.half_width().0 <= EXACT.0 && self.is_clean() {
            Certainty::Exact
        } else {
            Certainty::Estimate(Lu(doubt.half_width().0.max(EXACT.0)))
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

    /// Index of what is left.
    fn unlinked(&self) -> usize {
        self.sources.sources() - 1
    }

    fn doubt(&self, moves: &[Move]) -> Option<Doubt> {
        let moved = gains(self.sources.sources(), moves);
        let powers = self.sources.powers(&moved);
        let predicted = integrated(&powers)?;
        let difference = |gains: &[f64]| integrated(&self.sources.powers(gains)).map(|i| (i - predicted).0);
        let weights = gated(&powers)?;
        let mut doubt = Doubt::default();
        for stem in 0..self.unlinked() {
            // What has changed since it was heard: what is in the sources already, and the move.
            let change = moved[stem] * self.rescaled[stem];
            if change == 1.0 && moved[stem] == 1.0 {
                continue;
            }
            let mut follow = moved.clone();
            // What is said to follow may not, and the other way round.
            let unlinked = &mut follow[self.unlinked()];
            *unlinked = if *unlinked == 1.0 { change } else { 1.0 };
            doubt.follow += difference(&follow)?.abs();
            let as_heard = 1.0 / self.rescaled[stem];
            if self.fit.mean(stem).is_some_and(looks_doubled) {
                let mut half = moved.clone();
                half[stem] += (as_heard - moved[stem]) / 2.0;
                doubt.follow += difference(&half)?.abs();
            }
            let mut biased = moved.clone();
            biased[stem] += (moved[stem] - as_heard) * self.bias(stem, &weights);
            doubt.bias += difference(&biased)?.abs();
            let mut unmoved = moved.clone();
            unmoved[stem] = as_heard;
            let effect = difference(&unmoved)?.abs();
            let response = self.response(stem, change, &moved, &weights, &difference)?;
            doubt.response += response.min(MOST * effect);
        }
        Some(doubt)
    }

    /// How far a stem's gain may be off, relative to it.
    fn bias(&self, stem: usize, weights: &[f64]) -> f64 {
        let unlinked = self.unlinked();
        let (mut error, mut own) = (0.0, 0.0);
        for first in (0..weights.len()).step_by(STRETCH) {
            let hops = first..weights.len().min(first + STRETCH);
            let used =
                |hops: std::ops::Range<usize>| hops.filter(|&h| weights[h] > 0.0).map(|h| (h, weights[h]));
            let left = self.sources.weighted_sum(used(hops.clone())).at(unlinked, unlinked).max(0.0);
            let gram = self.steady.weighted_sum(used(hops));
            let (power, alone) = (gram.at(stem, stem), unexplained(&gram, stem, unlinked));
            if power > 0.0 && left > 0.0 {
                let alike = ALIKE * ALIKE * (power / alone.max(1e-9 * power) - 1.0);
                error += left * (RESEMBLES * RESEMBLES + alike);
            }
            if alone < SEPARABLE * power {
                error += power; // only the sum with another stem is known
            }
            own += power;
        }
        if own > 0.0 { (error / own).sqrt() } else { 0.0 }
    }

    /// How much the loudness may change because devices answer to a `change` of the stem's level.
    fn response(
        &self,
        stem: usize,
        change: f64,
        moved: &[f64],
        weights: &[f64],
        difference: &impl Fn(&[f64]) -> Option<f64>,
    ) -> Option<f64> {
        let Responses { response, deviation, without } = responses(&self.steady, stem, weights);
        let shift = change.ln();
        let effect = |response: Response| {
            let mut gains: Vec<f64> = moved.iter().map(|gain| gain * (1.0 + response.rest * shift)).collect();
            gains[stem] = moved[stem] * (1.0 + response.own * shift);
            gains[self.unlinked()] = moved[self.unlinked()];
            difference(&gains)
        };
        let each: Option<Vec<f64>> = without.into_iter().map(effect).collect();
        let each = each?;
        let mean = each.iter().sum::<f64>() / FOLDS as f64;
        // The jackknife's estimate of the variance, and that of what is not known for want of variation.
        let squares: f64 = each.iter().map(|effect| (effect - mean).powi(2)).sum();
        let own = effect(Response { own: -deviation.own, rest: 0.0 })?;
        let rest = effect(Response { own: 0.0, rest: -deviation.rest })?;
        let variance = squares * (FOLDS - 1) as f64 / FOLDS as f64 + own * own + rest * rest;
        Some(UNSEEN * effect(response)?.abs() + variance.sqrt())
    }
}

/// True if a stem arrives as one that is there twice would.
fn looks_doubled(gains: [[f64; 2]; 2]) -> bool {
    (Arrival { gains, fitted: [true; 2] }.gain().0 - DOUBLED.0).abs() < DOUBLED.1
}

/// What may be different from the prediction, LU. The three are unlikely to be at their worst together.
#[derive(Clone, Copy, Debug, Default)]
struct Doubt {
    follow: f64,
    bias: f64,
    response: f64,
}

impl Doubt {
    fn half_width(self) -> Lu {
        Lu(self.follow.hypot(self.bias).hypot(self.response))
    }
}
