//! Coverage: the share of the mix that the stems account for.

use super::gram::{Gram, Hops};
use units::Power;

/// Share of a hop's power from which on the stems account for all of it.
pub const FULL_COVERAGE: f64 = 0.9999;
/// Coverage below which totals are shown in grey.
pub const TRUSTED_COVERAGE: f64 = 0.999;

/// Returns the share of the mix's power that the stems account for, `1 - residual / mix`, 0 to 1; `None` without a
/// mix.
///
/// `sources` come from [`super::fit::resolve`]: the last one is the residual.
pub fn coverage(sources: &Hops) -> Option<f64> {
    let sum = |powers: Vec<Power>| powers.into_iter().map(|p| p.0).filter(|p| !p.is_nan()).sum::<f64>();
    let mix = sum(sources.powers(&vec![1.0; sources.sources()]));
    (mix > 0.0).then(|| (1.0 - sum(sources.powers_of(sources.sources() - 1)) / mix).clamp(0.0, 1.0))
}

/// Returns `P_ii (1 - R_i^2)`: the power of stem `i` that no combination of the other `stems` can reproduce.
pub(super) fn unique_power(gram: &Gram, stem: usize, stems: usize) -> f64 {
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
    use super::super::shares::shares;
    use super::*;
    use testkit::noise;

    #[test]
    fn a_complete_session_is_covered() {
        let mut all = sources(1, 3, 80_000);
        all.push(mix(&all, &[0.5, 1.0, 2.0]));
        let raw = joint_of(&all, 8_000.0);
        let sources = resolve(&raw.row(), &fit(&raw.row(), 3));
        assert!(coverage(&sources).expect("sounds") > 1.0 - 1e-9);
    }

    #[test]
    fn coverage_is_what_is_not_left() {
        let mut all = sources(1, 2, 80_000);
        let mut sum = mix(&all, &[0.5, 1.0]);
        let extra = noise(7, 80_000, 0.05);
        sum.iter_mut().for_each(|side| side.iter_mut().zip(&extra).for_each(|(m, x)| *m += x));
        let powers = |audio: &[Vec<f64>; 2]| {
            joint_of(std::slice::from_ref(audio), 8_000.0).as_sources().powers(&[1.0])
        };
        let total = |powers: Vec<Power>| powers.iter().map(|p| p.0).sum::<f64>();
        let expected = 1.0 - total(powers(&[extra.clone(), extra])) / total(powers(&sum));
        all.push(sum);
        let raw = joint_of(&all, 8_000.0);
        let found = coverage(&resolve(&raw.row(), &fit(&raw.row(), 2))).expect("sounds");
        assert!((found - expected).abs() < 0.002, "{found} {expected}");
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
        let shares = shares(&sources, &[1.0; 3]).expect("sounds");
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn unheard_hops_do_not_count() {
        let mut hops = Hops::new(1, &[1.0]);
        hops.push(&[Gram::from_packed(1, &[0.5])]);
        hops.push_unheard();
        assert_eq!(coverage(&hops), Some(0.0), "one source: it is what is left");
    }
}
