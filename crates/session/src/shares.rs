//! Loudness shares: the share of every source in the mix's loudness.

use super::gram::Hops;
use meter::loudness::{BLOCK_HOPS, integrated_gate, windows};
use units::Power;

/// Returns the share of every source: the derivative of the integrated loudness (LU) with respect to the source's
/// gain (dB), at the gates of the present mix. Shares sum to 1. A negative share means that the source cancels
/// others. `None` if nothing passes the gates.
///
/// With `P = sum_b g' Q_b g` over the gated blocks, `dI/d(gain_i) = g_i (Q g)_i / P`: a source's own power and half
/// of what it shares with each other source.
pub fn shares(hops: &Hops, gains: &[f64]) -> Option<Vec<f64>> {
    let uses = gated_block_counts(&hops.powers(gains))?;
    let gram = hops.weighted_sum(uses.into_iter().enumerate().filter(|(_, count)| *count > 0.0));
    let contributions: Vec<f64> = (0..hops.sources()).map(|i| gains[i] * gram.product(gains, i)).collect();
    let total: f64 = contributions.iter().sum();
    (total > 0.0).then(|| contributions.into_iter().map(|c| c / total).collect())
}

/// Number of gated blocks that each hop belongs to; `None` if nothing passes the gates.
pub(super) fn gated_block_counts(powers: &[Power]) -> Option<Vec<f64>> {
    let gate = integrated_gate(powers)?;
    let mut uses = vec![0.0; powers.len()];
    for (block, power) in windows(powers, BLOCK_HOPS).enumerate() {
        if power > gate {
            uses[block..block + BLOCK_HOPS].iter_mut().for_each(|count| *count += 1.0);
        }
    }
    Some(uses)
}

#[cfg(test)]
mod tests {
    use super::super::joint::tests::{hops_of, sources};
    use super::super::predict::{Move, predict};
    use super::*;
    use proptest::prelude::*;
    use units::Db;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn shares_sum_to_one(seed in 0u64..1000, gains in proptest::collection::vec(-2.0f64..3.0, 1..7)) {
            let hops = hops_of(&sources(seed, gains.len(), 20_000), 8_000.0);
            if let Some(shares) = shares(&hops, &gains) {
                prop_assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn a_share_is_the_slope_of_loudness_over_gain() {
        let hops = hops_of(&sources(9, 4, 60_000), 8_000.0);
        let shares = shares(&hops, &[1.0; 4]).expect("sounds");
        for (source, share) in shares.iter().enumerate() {
            let loudness =
                |gain| predict(&hops, &[Move { source, gain: Db(gain) }]).integrated.expect("sounds").0;
            let slope = (loudness(0.001) - loudness(-0.001)) / 0.002;
            assert!((slope - share).abs() < 1e-3, "{source}: {slope} {share}");
        }
    }

    #[test]
    fn an_inverted_copy_has_a_negative_share() {
        let mut sources = sources(9, 2, 20_000);
        sources[1] = sources[0].clone().map(|c| c.iter().map(|x| -0.5 * x).collect());
        let shares = shares(&hops_of(&sources, 8_000.0), &[1.0; 2]).expect("sounds");
        assert!((shares[0] - 2.0).abs() < 1e-9 && (shares[1] + 1.0).abs() < 1e-9, "{shares:?}");
    }

    #[test]
    fn silence_has_no_shares() {
        let silence = vec![[vec![0.0; 20_000], vec![0.0; 20_000]]; 2];
        assert_eq!(shares(&hops_of(&silence, 8_000.0), &[1.0; 2]), None);
    }
}
