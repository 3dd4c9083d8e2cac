//! Loudness of the whole song out of a chain, from windows of it.
//!
//! Of captured hops it is known what the chain makes of them. Of the others the power into the chain is known, and the
//! chain makes of them what it made of captured hops of like power. How far that may be off is seen where it can be
//! checked: on each window, predicted by the others.

use super::PassedMix;
use meter::loudness::integrated;
use units::{Db, Lu, Lufs, Power};

/// Captured hops of like power whose gains are averaged.
const NEIGHBOURS: usize = 12;
/// Standard deviations to the end of the interval.
const DEVIATIONS: f64 = 3.0;
/// Error that the windows' edges and the run-in leave, LU.
const EDGE_ERROR: f64 = 0.03;
/// Distance below the loudness at which hops may still pass the relative gate, LU.
const GATE_RANGE: f64 = 13.0;

/// Loudness out of a chain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct SongLoudness {
    pub(crate) loudness: Lufs,
    /// Largest error, LU: infinite of a single window.
    pub(crate) half_width: Lu,
}

/// Gains of a chain by the power into it, both as natural logarithms of powers; in order of the power.
struct GainCurve(Vec<[f64; 2]>);

impl GainCurve {
    /// `None` if no hop sounds.
    fn new<'a>(windows: impl Iterator<Item = &'a PassedMix>) -> Option<Self> {
        let sounds = |power: Power| power.0 > 0.0;
        let mut hops: Vec<[f64; 2]> = windows
            .flat_map(|window| window.into.iter().zip(&window.out))
            .filter(|(into, out)| sounds(**into) && sounds(**out))
            .map(|(into, out)| [into.0.ln(), (out.0 / into.0).ln()])
            .collect();
        hops.sort_by(|a, b| a[0].total_cmp(&b[0]));
        Some(Self(hops)).filter(|curve| !curve.0.is_empty())
    }

    /// Power out of the chain of a hop with the power `into`.
    fn out(&self, into: Power) -> Power {
        if into.0.is_nan() || into.0 <= 0.0 {
            return into;
        }
        let at = self.0.partition_point(|hop| hop[0] < into.0.ln());
        let count = NEIGHBOURS.min(self.0.len());
        let first = at.saturating_sub(count / 2).min(self.0.len() - count);
        let sum: f64 = self.0[first..first + count].iter().map(|hop| hop[1]).sum();
        Power(into.0 * (sum / count as f64).exp())
    }
}

/// Returns the loudness out of the chain of a song with the hop powers `into` (NaN: not heard), by `windows` of it; `None`
/// without windows or loudness.
pub(crate) fn song_loudness(into: &[Power], windows: &[PassedMix]) -> Option<SongLoudness> {
    let curve = GainCurve::new(windows.iter())?;
    let mut out: Vec<Power> = into.iter().map(|power| curve.out(*power)).collect();
    let mut is_captured = vec![false; out.len()];
    for window in windows {
        for (hop, power) in (window.first..).zip(&window.out) {
            if into.get(hop).is_some_and(|power| !power.0.is_nan()) {
                (out[hop], is_captured[hop]) = (*power, true);
            }
        }
    }
    let loudness = integrated(&out)?;
    let counts = |power: Power| power >= Lufs(loudness.0 - GATE_RANGE).power();

    // per window, the logarithm of what the others predict over what it was
    let errors: Vec<f64> = (0..windows.len())
        .filter_map(|left_out| {
            let others = windows.iter().enumerate().filter(|(n, _)| *n != left_out);
            let curve = GainCurve::new(others.map(|(_, window)| window))?;
            let hops =
                windows[left_out].into.iter().zip(&windows[left_out].out).filter(|(_, out)| counts(**out));
            let [predicted, was] = hops.fold([0.0; 2], |[predicted, was], (into, out)| {
                [predicted + curve.out(*into).0, was + out.0]
            });
            Some((predicted / was).ln()).filter(|error| error.is_finite())
        })
        .collect();
    if errors.len() < 2 {
        return Some(SongLoudness { loudness, half_width: Lu(f64::INFINITY) });
    }
    let square = errors.iter().map(|error| error * error).sum::<f64>() / (errors.len() - 1) as f64;
    // the other hops in stretches as long as windows, each as far off as a window is, and all of them alike
    let length = windows.iter().map(|window| window.out.len()).max().unwrap_or(1).max(1);
    let total: f64 = out.iter().filter(|power| counts(**power)).map(|power| power.0).sum();
    let predicted: Vec<f64> = out
        .iter()
        .zip(&is_captured)
        .filter(|(power, known)| counts(**power) && !**known)
        .map(|(power, _)| power.0 / total)
        .collect();
    let alone: f64 = predicted.chunks(length).map(|stretch| stretch.iter().sum::<f64>().powi(2)).sum();
    let alike = predicted.iter().sum::<f64>().powi(2) / errors.len() as f64;
    let deviation = ((alone + alike) * square).sqrt();
    let half_width = Lu(DEVIATIONS * Db::from_gain((1.0 + deviation).sqrt()).0 + EDGE_ERROR);
    Some(SongLoudness { loudness, half_width })
}
