//! Auditions: which sounding stems are missing from the mix, as in a solo, a mute, or stems rendered through the master.

use crate::fit::{Arrival, solve_hop};
use crate::gram::Gram;

/// A stem is missing below this part of its usual gain (-60 dB).
const GONE: f64 = 1e-3;
/// Where something is left over gains are uncertain: a stem is missing if it is surely below this part (-20 dB) and may be
/// gone.
const SURELY: f64 = 0.1;
/// Independent samples that a hop holds at the least, for the uncertainty.
const SAMPLES: f64 = 12.0;
/// A stem is sounding when its part of the mix would be this or more (-40 dB).
const SOUNDING: f64 = 1e-4;
/// Power below which nothing sounds.
const SILENT: f64 = 1e-10;

/// Masks of stems in a hop; bit `i` is stem `i`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Heard {
    /// Sounding where they leave their Stem.
    pub(crate) sounding: u32,
    /// Sounding, but missing from the mix.
    pub(crate) missing: u32,
}

/// Which stems sound, and which of them are missing from the mix. `usual`: how stems arrive when nobody auditions.
pub(super) fn listen(packed: &[f64], usual: &[Arrival]) -> Heard {
    let stems = usual.len();
    let joint = Gram::from_packed(2 * (stems + 1), packed);
    let power = |source: usize| joint.at(2 * source, 2 * source) + joint.at(2 * source + 1, 2 * source + 1);
    let size = |arrival: &Arrival| arrival.gain().gain();
    let expected: Vec<f64> = (0..stems).map(|i| power(i) * size(&usual[i]).powi(2)).collect();
    let total: f64 = expected.iter().sum();
    let sounds = |i: usize| total >= SILENT && expected[i] > SOUNDING * total;
    let sounding = (0..stems).filter(|&i| sounds(i)).fold(0, |mask, i| mask | 1 << i);
    if power(stems) < SILENT {
        return Heard { sounding, missing: sounding };
    }
    let found = solve_hop(&joint, usual);
    let missing = (0..stems).filter(|&i| sounds(i)).fold(0, |mask, i| {
        let (gain, usual) = (size(&found.arrivals[i]), size(&usual[i]));
        let doubt = (found.left / (SAMPLES * power(i))).sqrt();
        let gone = gain <= GONE * usual || (gain <= 2.0 * doubt && gain + 2.0 * doubt < SURELY * usual);
        mask | u32::from(gone && found.arrivals[i].fitted != [false; 2]) << i
    });
    Heard { sounding, missing }
}
