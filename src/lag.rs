//! Lags of stems: delays in the mix without the latency of their own chains.
//!
//! A host that compensates latency stamps a Stem's blocks ahead of the Master's by the latency of what lies between it
//! and the mix, so a lag below zero is no fault, whatever the others have. A host that counts the Master's own latency,
//! too, stamps all stems ahead by at least that.

/// Returns the most frequent lag; of equals the one nearest to none.
pub(crate) fn usual_lag(lags: impl Iterator<Item = i64>) -> Option<i64> {
    let lags: Vec<i64> = lags.collect();
    lags.iter().copied().max_by_key(|lag| (count(&lags, *lag), -lag.saturating_abs()))
}

fn count(lags: &[i64], lag: i64) -> usize {
    lags.iter().filter(|other| **other == lag).count()
}

/// Returns by how much each stem is later than usual, frames, negative if earlier; 0 if it is not, if it is not known,
/// or if the host's compensation explains it.
pub(crate) fn misalignments(lags: &[Option<i64>], master_latency: i64) -> Vec<i64> {
    let known: Vec<i64> = lags.iter().copied().flatten().collect();
    let Some(usual) = usual_lag(known.iter().copied()) else { return vec![0; lags.len()] };
    let is_base = usual == master_latency.saturating_neg() && 2 * count(&known, usual) > known.len();
    // exactly none beside exactly the Master's latency: the host counts that for some of the buses, or the others have an
    // insert of that latency (a Stem or a Master of the same class); a fault would be of another length
    let is_late = |lag: i64| lag > 0 || (is_base && lag != 0);
    let is_fault = |lag: i64| if lag > usual { is_late(lag) } else { lag >= 0 };
    lags.iter()
        .map(|lag| lag.filter(|lag| is_fault(*lag)).map_or(0, |lag| lag.saturating_sub(usual)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_lag_is_the_one_seen_most() {
        assert_eq!(usual_lag([3, -544, 7, -544].into_iter()), Some(-544));
        assert_eq!(usual_lag([90, -3, 2].into_iter()), Some(2), "of equals the one nearest to none");
        assert_eq!(usual_lag(std::iter::empty()), None);
    }

    #[test]
    fn only_what_no_host_compensates_is_late() {
        let of = |lags: &[i64], master_latency: i64| {
            misalignments(&lags.iter().copied().map(Some).collect::<Vec<_>>(), master_latency)
        };
        assert_eq!(of(&[0, 64, 0], 544), [0, 64, 0]);
        assert_eq!(of(&[7000, 400, 400, 464], 0), [6600, 0, 0, 64], "one delay for all is none");
        assert_eq!(of(&[64, 64, 0], 0), [0, 0, -64]);
        // the Master's latency is compensated
        assert_eq!(of(&[-544, -480, -544], 544), [0, 64, 0]);
        assert_eq!(of(&[-544, -544, -544, 0, 30], 544), [0, 0, 0, 0, 574], "one may have no insert of 544");
        // inserts between the Stems and the mix
        assert_eq!(of(&[-544, -7712, 0, -1031, -544], 544), [0; 5]);
        assert_eq!(of(&[-1031, -1031, 0], 544), [0; 3]);
        assert_eq!(of(&[-300, -20, -1400], 0), [0; 3]);
        assert_eq!(misalignments(&[None, Some(64), Some(0), Some(0)], 0), [0, 64, 0, 0]);
        assert_eq!(misalignments(&[None], 0), [0]);
    }
}
