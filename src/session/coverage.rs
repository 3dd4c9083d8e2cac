//! Coverage: how much of the mix the stems account for, and so whether a prediction is exact or an estimate.

use super::fit::{Fit, SEPARABLE};
use super::gram::{Gram, Hops};
use super::predict::{Certainty, Move};
use super::shares::shares;
use crate::meter::loudness::ABSOLUTE_GATE;
use crate::units::{Db, Lu, Power, decibels};

/// A hop counts as accounted for with this part of its power or more.
pub const FULL_COVERAGE: f64 = 0.9999;
/// Below this, totals are shown in grey.
pub const TRUSTED_COVERAGE: f64 = 0.999;
/// A gain that varies less than this over the song is constant.
const CONSTANT: Db = Db(0.01);

/// The part of the mix's power that the stems account for, `1 - residual / mix`, 0 to 1; `None` without a mix.
///
/// `sources` come from [`super::fit::resolve`]: the last one is what is left over.
pub fn coverage(sources: &Hops) -> Option<f64> {
    let sum = |powers: Vec<Power>| powers.into_iter().map(|p| p.0).sum::<f64>();
    let mix = sum(sources.powers(&vec![1.0; sources.sources()]));
    (mix > 0.0).then(|| (1.0 - sum(sources.powers_of(sources.sources() - 1)) / mix).clamp(0.0, 1.0))
}

/// Whether predictions of `moves` are exact, and if not, how far they may be off.
///
/// Exact only if in every hop above the absolute gate the stems account for 99.99 % of the power and can be told
/// apart, and every stem's gain is constant within 0.01 dB. Otherwise the half-width adds, per move,
/// `|share_i| 20 log10(1 + sqrt((1 - coverage) P_mm / (P_ii (1 - R_i^2))))`, times the move's relative amplitude
/// change where that is more than one: what the residual could hide of this stem.
pub fn certainty(sources: &Hops, fit: &Fit, moves: &[Move]) -> Certainty {
    let unlinked = sources.sources() - 1;
    let mix = sources.powers(&vec![1.0; sources.sources()]);
    let left = sources.powers_of(unlinked);
    let gate = ABSOLUTE_GATE.power();
    let used: Vec<usize> = (0..sources.len()).filter(|&hop| mix[hop] > gate).collect();
    let accounted = |hop: &usize| left[*hop].0 <= (1.0 - FULL_COVERAGE) * mix[*hop].0;
    let told_apart = |hop: &usize| fit.condition(*hop) >= SEPARABLE;
    let constant = (0..unlinked).all(|stem| fit.gain_spread(stem).0 <= CONSTANT.0);
    if constant && used.iter().all(|hop| accounted(hop) && told_apart(hop)) {
        return Certainty::Exact;
    }
    let gram = sources.weighted_sum(used.iter().map(|&hop| (hop, 1.0)));
    let Some(shares) = shares(sources, &vec![1.0; sources.sources()]) else {
        return Certainty::Estimate(Lu(f64::INFINITY));
    };
    let residual = gram.at(unlinked, unlinked).max(0.0);
    let half_width = moves.iter().filter(|m| m.source != unlinked).map(|m| {
        let own = unexplained(&gram, m.source, unlinked);
        if own <= 0.0 {
            return f64::INFINITY;
        }
        let doubt = decibels(1.0 + (residual / own).sqrt());
        shares[m.source].abs() * doubt * (m.gain.gain() - 1.0).abs().max(1.0)
    });
    Certainty::Estimate(Lu(half_width.sum()))
}

/// `P_ii (1 - R_i^2)`: the power of stem `i` that the other `stems` cannot imitate.
fn unexplained(gram: &Gram, stem: usize, stems: usize) -> f64 {
    // Eliminate the other stems one by one (Gaussian elimination on the symmetric matrix).
    let mut matrix: Vec<Vec<f64>> = (0..stems).map(|i| (0..stems).map(|j| gram.at(i, j)).collect()).collect();
    let own = matrix[stem][stem];
    for pivot in (0..stems).filter(|&k| k != stem) {
        let diagonal = matrix[pivot][pivot];
        if diagonal <= 1e-12 * gram.at(pivot, pivot) || diagonal <= 0.0 {
            continue; // silent, or already explained
        }
        let row = matrix[pivot].clone();
        for (i, other) in matrix.iter_mut().enumerate() {
            if i != pivot {
                let factor = other[pivot] / diagonal;
                other.iter_mut().zip(&row).for_each(|(a, b)| *a -= factor * b);
            }
        }
    }
    matrix[stem][stem].clamp(0.0, own)
}

#[cfg(test)]
mod tests {
    use super::super::fit::{fit, resolve};
    use super::super::joint::tests::{joint_of, measured, mix, sources};
    use super::super::predict::predict;
    use super::*;
    use crate::dsp::contract::noise;

    #[test]
    fn a_complete_session_is_exact() {
        let mut all = sources(1, 3, 80_000);
        all.push(mix(&all, &[0.5, 1.0, 2.0]));
        let raw = joint_of(&all, 8_000.0);
        let fit = fit(&raw.row(), 3);
        let sources = resolve(&raw.row(), &fit);
        assert!(coverage(&sources).expect("sounds") > 1.0 - 1e-9);
        assert_eq!(certainty(&sources, &fit, &[Move { source: 0, gain: Db(3.0) }]), Certainty::Exact);
    }

    #[test]
    fn an_unlinked_track_makes_an_estimate_whose_interval_holds_the_truth() {
        for seed in 0..20 {
            let stems = sources(seed, 3, 80_000);
            let mut all = stems.clone();
            let extra: Vec<Vec<f64>> = (0..2).map(|c| noise(seed + 70 + c, 80_000, 0.03)).collect();
            let with_extra = |gains: &[f64]| {
                let mut sum = mix(&stems, gains);
                for (channel, extra) in sum.iter_mut().zip(&extra) {
                    channel.iter_mut().zip(extra).for_each(|(m, x)| *m += x);
                }
                sum
            };
            all.push(with_extra(&[1.0; 3]));
            let raw = joint_of(&all, 8_000.0);
            let fit = fit(&raw.row(), 3);
            let sources = resolve(&raw.row(), &fit);
            for source in 0..3 {
                let moves = [Move { source, gain: Db(4.0) }];
                let Certainty::Estimate(half_width) = certainty(&sources, &fit, &moves) else {
                    panic!("seed {seed}: an unlinked track cannot be exact");
                };
                let mut gains = [1.0; 3];
                gains[source] = Db(4.0).gain();
                let truth = measured(&with_extra(&gains), 8_000.0).reading().integrated.expect("sounds");
                let predicted = predict(&sources, &moves).integrated.expect("sounds");
                assert!(
                    (predicted - truth).0.abs() <= half_width.0,
                    "{seed}: {predicted:?} {truth:?} {half_width:?}"
                );
            }
        }
    }

    #[test]
    fn moving_nothing_is_measured_whatever_is_unlinked() {
        let mut all = sources(6, 2, 60_000);
        let mut sum = mix(&all, &[1.0, 0.6]);
        for (c, channel) in sum.iter_mut().enumerate() {
            channel.iter_mut().zip(noise(c as u64, 60_000, 0.2)).for_each(|(m, x)| *m += x);
        }
        let truth = measured(&sum, 8_000.0).reading().integrated.expect("sounds");
        all.push(sum);
        let raw = joint_of(&all, 8_000.0);
        let sources = resolve(&raw.row(), &fit(&raw.row(), 2));
        let predicted = predict(&sources, &[]).integrated.expect("sounds");
        assert!((predicted - truth).0.abs() < 1e-9);
        let shares = super::shares(&sources, &[1.0; 3]).expect("sounds");
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    }
}
