//! Certainty of a prediction: exact, or an estimate with a half-width in LU.
//!
//! A prediction scales a stem's known contribution to the mix. Three things may differ from that, and each leaves a
//! trace in the residual or in the gains:
//!
//! - **Response.** Devices between Stem and Master react to the stem's level, to that of the mix, or of a key: `response`.
//! - **Follow.** The residual may consist of the stem: a send, a return, a filter after it. Then it moves with the
//!   stem: `follow`. And of a stem that arrives twice without delay, half may stay.
//! - **Bias.** The residual may resemble the stem, so that its fitted gain is off; above all where another stem
//!   resembles it too: `gain_error`.
//!
//! What is likely of the first two is part of the expected gains ([`FittedRange::expected`]); the half-width is for the
//! rest. The constants of both were chosen on the trust test's development seeds.

mod device_models;
mod drift_regression;
mod exchange;
mod follow;
mod gain_error;
mod gain_track;
mod level_bank;
mod response;
#[cfg(test)]
mod trust;

use super::coverage::FULL_COVERAGE;
use super::fit::{Fit, HopRow, StemArrival, fit, resolve};
use super::gram::Hops;
use super::predict::{Certainty, Move, gains};
use device_models::DeviceModels;
use exchange::{ExchangeError, ExchangeWindows};
use meter::loudness::{ABSOLUTE_GATE, integrated};
use response::{Slope, StemResponse};
use std::sync::OnceLock;
use units::{Db, Lu, Power};

/// Half-width below which a prediction is called exact.
const EXACT_HALF_WIDTH: Lu = Lu(0.005);
/// Shares of an estimated response that a prediction expects, by driver.
const EXPECTED: DriverFactors = DriverFactors { own: 0.9, mix: 0.7, key: 0.5 };
/// Half-width of the interval, as a multiple of the estimated response.
const RESPONSE_FACTORS: DriverFactors = DriverFactors { own: 0.4, mix: 1.0, key: 0.55 };
/// The same, as a multiple of the response's standard deviation.
const DEVIATION_FACTORS: DriverFactors = DriverFactors { own: 0.8, mix: 1.0, key: 0.2 };
/// A response to a move down raises gains at most by this multiple of the spread that they were seen to have.
const MAX_SPREADS: f64 = 3.0;
/// Share of a move by which another gain may change whose key stood still.
const UNREAD_KEY: f64 = 0.5;
/// Share of a gain's spread that may be a reaction which no model shows.
const DEPTH_FACTOR: f64 = 0.6;
/// Share of the following residual that a prediction expects, and half-width as a multiple of it.
const EXPECTED_FOLLOW: f64 = 0.25;
const FOLLOW_FACTOR: f64 = 0.9;
/// Half-width as a multiple of a gain's standard error.
const BIAS_FACTOR: f64 = 2.0;
/// Relative error of a gain from which on all of a sum with another stem, or nothing, may be this stem's.
const UNKNOWN_GAIN: f64 = 0.5;
/// Share of a move's effect that is uncertain wherever anything is left over or moves: thresholds that the move crosses.
const EFFECT_FACTOR: f64 = 0.06;
/// Spread of a gain below which it stands still, nepers.
const STILL_DEPTH: f64 = 1e-4;
/// Greatest change of a gain by a response, nepers (26 dB).
const MAX_RESPONSE: f64 = 3.0;
/// Gain of a stem that arrives twice without delay, dB: a fader, or a second route to the mix that a move of the Stem
/// does not reach.
const DOUBLED_GAIN_DB: f64 = 6.0206;
/// Distance from [`DOUBLED_GAIN_DB`] within which a stem counts as doubled, dB.
const DOUBLED_TOLERANCE_DB: f64 = 0.1;

/// A factor per driver of a response.
struct DriverFactors {
    own: f64,
    mix: f64,
    key: f64,
}

/// Expected result of moves.
#[derive(Clone, Debug)]
pub struct ExpectedMove {
    /// Linear gains of all sources, what devices do and what follows included.
    pub gains: Vec<f64>,
    /// Certainty of the integrated loudness with these gains.
    pub certainty: Certainty,
}

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
    /// Products of what was recorded, for gains that may be exchanged between stems.
    exchange: ExchangeWindows,
    exchange_errors: OnceLock<Vec<ExchangeError>>,
    /// Findings on what was recorded.
    models: OnceLock<Option<DeviceModels>>,
}

impl FittedRange {
    /// Fits `row`, hops of `stems` stems and the mix.
    pub fn new(row: &HopRow<'_>, stems: usize) -> Self {
        Self::with_fit(row, fit(row, stems))
    }

    /// Takes a `fit` that is already known.
    pub fn with_fit(row: &HopRow<'_>, fit: Fit) -> Self {
        let rescaled = vec![1.0; fit.stems()];
        Self {
            sources: resolve(row, &fit),
            steady: resolve(row, &fit.steady()),
            exchange: ExchangeWindows::new(row, &fit),
            exchange_errors: OnceLock::new(),
            fit,
            rescaled,
            models: OnceLock::new(),
        }
    }

    /// Multiplies the stems of a hop by `gains`, linear, because their levels have changed since it was recorded. As
    /// exact as a move.
    pub fn rescale(&mut self, hop: usize, gains: &[f64]) {
        self.models(); // of the levels that were recorded
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

    /// Certainty of the integrated loudness after `moves`, predicted by their gains alone.
    pub fn certainty(&self, moves: &[Move]) -> Certainty {
        let ExpectedMove { gains: expected, certainty } = self.expected(moves);
        let loudness = |gains: &[f64]| integrated(&self.sources.powers(gains));
        match (certainty, loudness(&expected), loudness(&gains(expected.len(), moves))) {
            (Certainty::Estimate(half_width), Some(expected), Some(plain)) => {
                Certainty::Estimate(Lu(half_width.0 + (expected - plain).0.abs()))
            }
            (certainty, ..) => certainty,
        }
    }

    /// Expected gains after `moves`, with the certainty of the integrated loudness that they give.
    pub fn expected(&self, moves: &[Move]) -> ExpectedMove {
        let plain = gains(self.sources.sources(), moves);
        let Some((expected, half_width)) = self.estimate(&plain) else {
            return ExpectedMove { gains: plain, certainty: Certainty::Estimate(Lu(f64::INFINITY)) };
        };
        if half_width <= EXACT_HALF_WIDTH.0 && self.is_clean() && self.is_told_apart(&plain) {
            ExpectedMove { gains: plain, certainty: Certainty::Exact }
        } else {
            let half_width = Lu(half_width.max(EXACT_HALF_WIDTH.0));
            ExpectedMove { gains: expected, certainty: Certainty::Estimate(half_width) }
        }
    }

    /// True if in every hop above the absolute gate the stems account for 99.99 % of the mix.
    fn is_clean(&self) -> bool {
        let (mix, left) = (self.mix_powers(), self.sources.powers_of(self.unlinked()));
        let gate = ABSOLUTE_GATE.power();
        let mut used = (0..mix.len()).filter(|&hop| mix[hop] > gate);
        used.all(|hop| left[hop].0 <= (1.0 - FULL_COVERAGE) * mix[hop].0)
    }

    /// True if gains that the residual hides, exchanged between stems, change no move by more than exact answers are off.
    fn is_told_apart(&self, plain: &[f64]) -> bool {
        let loudness = |gains: &[f64]| integrated(&self.sources.powers(gains));
        let errors = self.exchange_errors();
        let change = |(stem, error): (usize, &ExchangeError)| {
            let as_heard = 1.0 / self.rescaled[stem];
            let mut off = plain.to_vec();
            off[stem] += (plain[stem] - as_heard) * error.greatest;
            Some((loudness(&off)? - loudness(plain)?).0.abs())
        };
        // of the others nothing changes
        let is_moved = |(stem, _): &(usize, &ExchangeError)| plain[*stem] != 1.0 / self.rescaled[*stem];
        errors.iter().enumerate().filter(is_moved).filter_map(change).map(|off| off * off).sum::<f64>().sqrt()
            <= EXACT_HALF_WIDTH.0
    }

    fn exchange_errors(&self) -> &[ExchangeError] {
        self.exchange_errors.get_or_init(|| self.exchange.errors())
    }

    fn mix_powers(&self) -> Vec<Power> {
        self.sources.powers(&vec![1.0; self.sources.sources()])
    }

    /// Index of *Unlinked*.
    fn unlinked(&self) -> usize {
        self.sources.sources() - 1
    }

    fn models(&self) -> Option<&DeviceModels> {
        self.models.get_or_init(|| DeviceModels::new(&self.sources, &self.steady, &self.fit)).as_ref()
    }

    /// Expected gains after a move by the linear gains `plain`, and the half-width, LU.
    fn estimate(&self, plain: &[f64]) -> Option<(Vec<f64>, f64)> {
        let (models, unlinked) = (self.models()?, self.unlinked());
        let loudness = |gains: &[f64]| integrated(&self.sources.powers(gains));
        let unity = vec![1.0; plain.len()];
        let before = loudness(&unity)?;
        // Changes since recording: the rescaling that the sources contain, and the move.
        let change = |stem: usize| plain[stem] * self.rescaled[stem];
        let stems: Vec<usize> =
            (0..unlinked).filter(|&stem| change(stem) != 1.0 || plain[stem] != 1.0).collect();
        let responses: Vec<Vec<StemResponse>> = stems.iter().map(|&stem| models.responses(stem)).collect();
        // Changes of the mix by each move alone, and by all.
        let mix_change = |gains: &[f64]| Some(nepers((loudness(gains)? - before).0));
        let mut each_mix_change = 0.0;
        for &stem in &stems {
            let mut alone = unity.clone();
            alone[stem] = change(stem);
            each_mix_change += mix_change(&alone)?.abs();
        }
        let net_mix_change = mix_change(plain)?;

        let mut expected = plain.to_vec();
        let respond = |gains: &mut [f64], stem: usize, response: f64| {
            gains[stem] *= response.clamp(-MAX_RESPONSE, MAX_RESPONSE).exp();
        };
        // of a level that stood still, what a gain was seen to do bounds nothing
        let bounded = |(stem, driver): (usize, usize), shift: f64, response: f64| match shift < 0.0 {
            true => response.min(MAX_SPREADS * models.spreads[stem] / models.reliability(stem, Some(driver))),
            false => response,
        };
        let unread = |stem: usize, driver: Option<usize>, shift: f64| {
            (1.0 - models.reliability(stem, driver)) * shift.abs()
        };
        for (&stem, responses) in stems.iter().zip(&responses) {
            let shift = change(stem).ln();
            let own = responses[stem].own.slope(shift).mean * shift;
            respond(&mut expected, stem, EXPECTED.own * bounded((stem, stem), shift, own));
            for (other, response) in responses.iter().enumerate() {
                let key = response.key.slope(shift).mean * shift;
                respond(&mut expected, other, EXPECTED.key * bounded((other, stem), shift, key));
            }
        }
        if let Some(responses) = responses.first() {
            for (stem, response) in responses.iter().enumerate() {
                let mix = response.mix.slope(net_mix_change).mean * net_mix_change;
                respond(&mut expected, stem, EXPECTED.mix * mix);
            }
        }
        let follows = plain[unlinked] == 1.0;
        let following = |share: f64, change: f64| (1.0 + share * (change * change - 1.0)).max(0.0).sqrt();
        if follows {
            for &stem in &stems {
                expected[unlinked] *= following(EXPECTED_FOLLOW * models.follow[stem], change(stem));
            }
        }

        let center = loudness(&expected)?;
        let effect = |gains: &[f64]| loudness(gains).map(|loudness| (loudness - center).0.abs());
        let extent = |slope: Slope, driver: fn(&DriverFactors) -> f64| {
            driver(&RESPONSE_FACTORS) * slope.mean.abs() + driver(&DEVIATION_FACTORS) * slope.deviation
        };
        let (mut square, mut own_sum, mut key_sum) = (0.0, 0.0, 0.0);
        let is_still = self.is_clean() && stems.iter().all(|&stem| models.depths[stem] < STILL_DEPTH);
        for (&stem, responses) in stems.iter().zip(&responses) {
            let shift = change(stem).ln();
            let mut own = expected.clone();
            let response = extent(responses[stem].own.slope(shift), |factors| factors.own) * shift.abs();
            let unseen = DEPTH_FACTOR * models.depths[stem].min(shift.abs());
            let unread_own = unread(stem, Some(stem), shift);
            respond(&mut own, stem, bounded((stem, stem), shift, response) + unseen + unread_own);
            own_sum += effect(&own)?;
            let mut keyed = expected.clone();
            for (other, response) in responses.iter().enumerate() {
                let key = extent(response.key.slope(shift), |factors| factors.key) * shift.abs();
                let unread_key = match other == stem {
                    true => 0.0,
                    false => UNREAD_KEY * unread(other, Some(stem), shift),
                };
                respond(&mut keyed, other, bounded((other, stem), shift, key) + unread_key);
            }
            key_sum += effect(&keyed)?;
            let mut follow = expected.clone();
            if follows {
                follow[unlinked] =
                    following((EXPECTED_FOLLOW + FOLLOW_FACTOR) * models.follow[stem], change(stem));
            } else {
                follow[unlinked] = 1.0; // What is taken to follow may stay.
            }
            square += effect(&follow)?.powi(2);
            let as_heard = 1.0 / self.rescaled[stem];
            if self.fit.mean_gains(stem).is_some_and(is_doubled_gain) {
                let mut half = expected.clone();
                half[stem] += (as_heard - plain[stem]) / 2.0;
                square += effect(&half)?.powi(2);
            }
            let gain_error = models.gain_errors[stem].max(self.exchange_errors()[stem].likely);
            let mut most: f64 = 0.0;
            if gain_error >= UNKNOWN_GAIN && self.fit.is_inseparable(stem) {
                let mut all = expected.clone();
                self.fit.copies(stem).for_each(|copy| all[copy] *= change(stem));
                let mut nothing = expected.clone();
                nothing[stem] = as_heard;
                most = effect(&all)?.max(effect(&nothing)?);
            } else {
                // either way, and less of it: two sums may be equally loud by accident
                for share in [1.0, 0.5, -0.5, -1.0] {
                    let mut biased = expected.clone();
                    biased[stem] += share * (plain[stem] - as_heard) * BIAS_FACTOR * gain_error;
                    most = most.max(effect(&biased)?);
                }
            }
            square += most.powi(2);
            if !is_still {
                let mut unmoved = expected.clone();
                unmoved[stem] = as_heard;
                square += (EFFECT_FACTOR * effect(&unmoved)?).powi(2);
            }
        }
        let mut mixed = expected.clone();
        for (stem, response) in responses.first().into_iter().flatten().enumerate() {
            let slope = response.mix.slope(net_mix_change);
            let unread_mix = unread(stem, None, each_mix_change);
            respond(&mut mixed, stem, extent(slope, |factors| factors.mix) * each_mix_change + unread_mix);
        }
        let mix = effect(&mixed)?;
        Some((expected, (square + own_sum * own_sum + key_sum * key_sum + mix * mix).sqrt()))
    }
}

/// Change of a level in nepers.
fn nepers(lu: f64) -> f64 {
    Db(lu).gain().ln()
}

/// True if a stem arrives with the gain of one that arrives twice.
fn is_doubled_gain(gains: [[f64; 2]; 2]) -> bool {
    (StemArrival { gains, fitted: [true; 2] }.gain().0 - DOUBLED_GAIN_DB).abs() < DOUBLED_TOLERANCE_DB
}
