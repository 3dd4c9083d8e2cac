//! Gain of each bin from its ratio of power to noise.

use super::frames::SpectrumBin;

/// Smallest a priori ratio: -30 dB.
const MIN_RATIO: f32 = 1e-3;
/// Largest ratio; larger ones are clamped.
const MAX_RATIO: f32 = 1e6;
/// Mean ratio around a bin, less one, at which the removal is halved.
const HALVING_RATIO: f32 = 4.0;
/// Share of the last frame in the mean ratio around a bin.
const MEMORY: f32 = 0.7;

/// Gain of every bin, one for both channels.
///
/// Two-step noise reduction (Plapous, Marro & Scalart, "Improved Signal-to-Noise Ratio Estimation for Speech
/// Enhancement", IEEE TASLP 14(6), 2006, eq. 12 to 15) over the decision-directed estimate (Ephraim & Malah, IEEE
/// TASSP 32(6), 1984, eq. 51) with a Wiener gain: `ξ = a G² γ' + (1 - a) max(γ - 1, 0)`, once with the last frame's gain,
/// then with its own. The slow estimate is what keeps noise from becoming musical (Cappé, IEEE TSAP 2(2), 1994), the second
/// step what keeps it from lagging a frame behind.
///
/// Two things are added. Gains end at a floor, so that what is left of noise is noise as it was, only lower. And where
/// three neighbouring bins stand well above the noise, it is masked and they are spared: the take is divided by
/// `1 + ((γ̄ - 1) / 4)³`.
pub(super) struct GainRule {
    /// `G² γ` of the last frame.
    past: Vec<f32>,
    /// Mean of `γ` over neighbours and time.
    around: Vec<f32>,
    /// Power over noise, with one more at both ends.
    ratio: Vec<f32>,
    /// Share of each bin that is removed, 0 to 1.
    pub(super) take: Vec<f32>,
}

impl GainRule {
    pub(super) fn new(bins: usize) -> Self {
        Self {
            past: vec![0.0; bins],
            around: vec![0.0; bins],
            ratio: vec![0.0; bins + 2],
            take: vec![0.0; bins],
        }
    }

    pub(super) fn reset(&mut self) {
        self.past.fill(0.0);
        self.around.fill(0.0);
    }

    /// Updates [`Self::take`] from the bins' `power` and the `inverse` of the noise's; `smoothing` is `a`, `floor` the smallest
    /// gain.
    pub(super) fn update(&mut self, power: &[f32], inverse: &[f32], smoothing: f32, floor: f32) {
        let bins = power.len();
        for ((ratio, power), inverse) in self.ratio[1..=bins].iter_mut().zip(power).zip(inverse) {
            *ratio = (power * inverse).min(MAX_RATIO);
        }
        (self.ratio[0], self.ratio[bins + 1]) = (self.ratio[1], self.ratio[bins]);
        let (past, around, take) = (&mut self.past[..bins], &mut self.around[..bins], &mut self.take[..bins]);
        let ratio = &self.ratio[..bins + 2];
        for i in 0..bins {
            let here = ratio[i + 1];
            let mean = (ratio[i] + here + ratio[i + 2]) * (1.0 / 3.0);
            let around = &mut around[i];
            *around = mean + MEMORY * (*around - mean);
            let first = (smoothing * past[i] + (1.0 - smoothing) * (here - 1.0).max(0.0)).max(MIN_RATIO);
            let gain = first / (1.0 + first);
            let second = (gain * gain * here).max(MIN_RATIO);
            let gain = second / (1.0 + second);
            past[i] = gain * gain * here;
            let spared = (*around - 1.0).max(0.0) * (1.0 / HALVING_RATIO);
            take[i] = ((1.0 - gain) / (1.0 + spared * spared * spared)).min(1.0 - floor);
        }
    }
}

/// Mean power of two spectra, per bin.
pub(super) fn mean_power(left: &[SpectrumBin], right: &[SpectrumBin], power: &mut [f32]) {
    for ((power, l), r) in power.iter_mut().zip(left).zip(right) {
        *power = 0.5 * ((l.re * l.re + l.im * l.im) + (r.re * r.re + r.im * r.im));
    }
}
