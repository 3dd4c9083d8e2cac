//! Detection of auditions: sounding stems that are missing from the mix, as in a solo, in a mute, or while stems are
//! rendered through the master.

use crate::fit::{StemArrival, fit_single_hop};
use crate::gram::Gram;

/// Ratio to its usual gain below which a stem is missing (-60 dB).
const MISSING_RATIO: f64 = 1e-3;
/// The same where a residual makes gains uncertain: a stem is missing if its gain is significantly below this ratio
/// (-20 dB) and not significantly above zero.
const MISSING_RATIO_UNCERTAIN: f64 = 0.1;
/// Least number of independent samples in a hop, for the uncertainty.
const INDEPENDENT_SAMPLES: f64 = 12.0;
/// Share of the mix's power from which on a stem counts as sounding (-40 dB).
const SOUNDING_SHARE: f64 = 1e-4;
/// Power (K-weighted mean square) below which everything is silent.
const SILENT_POWER: f64 = 1e-10;

/// Masks of stems in a hop; bit `i` is stem `i`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct StemPresence {
    /// Stems that sound at their output.
    pub(crate) sounding: u32,
    /// Stems that sound at their output but are missing from the mix.
    pub(crate) missing: u32,
}

/// Returns the sounding stems, and those of them that are missing from the mix. `usual`: arrivals without auditions.
pub(super) fn stem_presence(packed: &[f64], usual: &[StemArrival]) -> StemPresence {
    let stems = usual.len();
    let joint = Gram::from_packed(2 * (stems + 1), packed);
    let power = |source: usize| joint.at(2 * source, 2 * source) + joint.at(2 * source + 1, 2 * source + 1);
    let size = |arrival: &StemArrival| arrival.gain().gain();
    let expected: Vec<f64> = (0..stems).map(|i| power(i) * size(&usual[i]).powi(2)).collect();
    let total: f64 = expected.iter().sum();
    let sounds = |i: usize| total >= SILENT_POWER && expected[i] > SOUNDING_SHARE * total;
    let sounding = (0..stems).filter(|&i| sounds(i)).fold(0, |mask, i| mask | 1 << i);
    if power(stems) < SILENT_POWER {
        return StemPresence { sounding, missing: sounding };
    }
    let found = fit_single_hop(&joint, usual);
    let missing = (0..stems).filter(|&i| sounds(i)).fold(0, |mask, i| {
        let (gain, usual) = (size(&found.arrivals[i]), size(&usual[i]));
        let doubt = (found.left / (INDEPENDENT_SAMPLES * power(i))).sqrt();
        let gone = gain <= MISSING_RATIO * usual
            || (gain <= 2.0 * doubt && gain + 2.0 * doubt < MISSING_RATIO_UNCERTAIN * usual);
        mask | u32::from(gone && found.arrivals[i].fitted != [false; 2]) << i
    });
    StemPresence { sounding, missing }
}
