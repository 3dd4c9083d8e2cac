//! Response of gains between Stems and Master to a level: of compressors, limiters, gates, duckers, automatic riders.
//!
//! The gain of each stem per hop is explained by four models: nothing but a drift, as of a fader ride; a device that
//! follows the stem's own level; one that follows the mix; one that follows another stem, its key. A move shifts a
//! level at all time scales alike, so the response at rest is the sum of a model's coefficients. The models are
//! averaged by their evidence; where the data cannot tell them apart, the average is wide.

use super::drift_regression::{CoefficientSum, Observation, PRIOR_SUM_VARIANCE, SumPosterior, regress};
use super::gain_track::HopGain;
use super::level_bank::{BankLevels, LEVELS};

/// Prior log odds of a device against a drift.
const LOG_PRIOR: f64 = -1.0;
/// Movement of a gain below which nothing reacts, nepers.
const STILL: f64 = 1e-5;
/// Standard deviation of what a device reads against the level of a hop, nepers (0.26 dB): peaks, other time constants.
/// A level that varies by less says little of how a device answers to a move.
const READING_ERROR: f64 = 0.03;

/// Change of a gain per change of a level, both in nepers: mean and standard deviation.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Slope {
    pub(super) mean: f64,
    pub(super) deviation: f64,
}

/// Response to one driver: slopes for moves up and down.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct DriverResponse {
    up: Slope,
    down: Slope,
}

impl DriverResponse {
    /// Slope for a change of the level, nepers.
    pub(super) fn slope(&self, change: f64) -> Slope {
        if change > 0.0 { self.up } else { self.down }
    }
}

/// Models of one stem's gain that do not depend on the question.
#[derive(Clone, Debug)]
pub(super) struct GainModels {
    track: Vec<HopGain>,
    movement: f64,
    drift: f64,
    own: Option<DeviceModel>,
    mix: Option<DeviceModel>,
}

/// Device that follows one driver.
#[derive(Clone, Copy, Debug)]
struct DeviceModel {
    posterior: SumPosterior,
    /// [`effective_reliability`] of the driver.
    reliability: f64,
}

/// Response of one stem's gain to its own level, to that of the mix, and to that of a key.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct StemResponse {
    pub(super) own: DriverResponse,
    pub(super) mix: DriverResponse,
    pub(super) key: DriverResponse,
}

/// Share of the variation of `levels`, where a gain is known, that a device reads, 0 to 1: the reliability of a regressor
/// with errors (Fuller, *Measurement Error Models*, 1987, section 1.1).
pub(super) fn reliability(track: &[HopGain], levels: &[BankLevels]) -> f64 {
    let known = track.iter().zip(levels).filter(|(gain, _)| gain.variance.is_finite());
    // the first follower is the level itself
    let present: Vec<f64> = known.map(|(_, levels)| levels[1]).collect();
    let count = present.len().max(1) as f64;
    let mean = present.iter().sum::<f64>() / count;
    let spread = present.iter().map(|level| (level - mean).powi(2)).sum::<f64>() / count;
    spread / (spread + READING_ERROR * READING_ERROR)
}

/// Reliability of a level as far as it matters: where only a share `movement` of a gain moves, less is hidden.
pub(super) fn effective_reliability(movement: f64, reliability: f64) -> f64 {
    1.0 - movement * (1.0 - reliability)
}

/// Fits a device that follows `levels`.
fn fit_device(track: &[HopGain], levels: &[BankLevels], movement: f64) -> DeviceModel {
    let reliability = effective_reliability(movement, reliability(track, levels));
    DeviceModel { posterior: fit(track, Some(levels)), reliability }
}

fn fit(track: &[HopGain], levels: Option<&[BankLevels]>) -> SumPosterior {
    let known = track.iter().enumerate().filter(|(_, gain)| gain.variance.is_finite());
    let observations: Vec<Observation> = known
        .map(|(hop, gain)| Observation {
            value: gain.log,
            variance: gain.variance,
            regressors: levels.map_or([0.0; LEVELS], |levels| levels[hop]),
        })
        .collect();
    regress(&observations)
}

impl GainModels {
    /// Fits the gains `track` of a stem to its own levels and to those of the mix; `movement`: how much of
    /// them moves, 0 to 1.
    pub(super) fn new(track: Vec<HopGain>, own: &[BankLevels], mix: &[BankLevels], movement: f64) -> Self {
        let logs = track.iter().filter(|gain| gain.variance.is_finite()).map(|gain| gain.log);
        let (low, high) = logs.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| (l.min(x), h.max(x)));
        if high - low < STILL || low > high {
            return Self { track, movement, drift: 0.0, own: None, mix: None };
        }
        let drift = fit(&track, None).log_evidence;
        let (own, mix) = (Some(fit_device(&track, own, movement)), Some(fit_device(&track, mix, movement)));
        Self { track, movement, drift, own, mix }
    }

    /// Average of the models, `key` (levels of another stem) among them.
    pub(super) fn response(&self, key: Option<&[BankLevels]>) -> StemResponse {
        if self.own.is_none() {
            return StemResponse::default();
        }
        let models = [self.own, self.mix, key.map(|key| fit_device(&self.track, key, self.movement))];
        // a level that stands still tells no model from another
        let evidence = |model: &DeviceModel| {
            self.drift + model.reliability * (model.posterior.log_evidence - self.drift) + LOG_PRIOR
        };
        let greatest = models.iter().flatten().map(evidence).fold(self.drift, f64::max);
        let weight = |log: f64| (log - greatest).exp();
        let total =
            weight(self.drift) + models.iter().flatten().map(|model| weight(evidence(model))).sum::<f64>();
        let [own, mix, key] = models.map(|model| {
            let Some(model) = model else { return DriverResponse::default() };
            let share = weight(evidence(&model)) / total;
            let unread = PRIOR_SUM_VARIANCE * (1.0 - model.reliability).powi(2);
            let slope = |sum: CoefficientSum| {
                let mean = share * sum.mean;
                let square = share * (sum.mean * sum.mean + sum.variance + unread);
                Slope { mean, deviation: (square - mean * mean).max(0.0).sqrt() }
            };
            DriverResponse { up: slope(model.posterior.up), down: slope(model.posterior.down) }
        });
        StemResponse { own, mix, key }
    }
}
