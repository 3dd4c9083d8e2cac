//! Delays that are likely before anything was heard.

use super::{PlacementState, StemPlacement, chain_latency};
use crate::lag::usual_lag;
use link::PeerView;

/// Returns likely sets of delays, the most likely first: those known; none; and by what hosts compensate: the chains'
/// own latency, the Master's, and the longest.
pub(super) fn likely_delays(placements: &[&StemPlacement], master: PeerView) -> Vec<Vec<i64>> {
    let latencies: Vec<i64> = placements.iter().map(|one| chain_latency(one.view).unwrap_or(0)).collect();
    let own = chain_latency(master).unwrap_or(0);
    let longest = latencies.iter().copied().max().unwrap_or(0);
    let known = |placement: &StemPlacement| match placement.state {
        PlacementState::Placed => Some(placement.delay),
        _ => placement.sighted.last().copied(),
    };
    let usual =
        usual_lag(placements.iter().zip(&latencies).filter_map(|(one, latency)| Some(known(one)? + latency)));
    let mut sets: Vec<Vec<i64>> = Vec::new();
    let mut add = |set: Vec<i64>| {
        if !sets.contains(&set) {
            sets.push(set);
        }
    };
    if let Some(usual) = usual {
        let or_usual = |(one, latency): (&&StemPlacement, &i64)| known(one).unwrap_or(usual - latency);
        add(placements.iter().zip(&latencies).map(or_usual).collect());
    }
    for lag in [0, -own, longest, own, -longest] {
        add(vec![lag; latencies.len()]);
        add(latencies.iter().map(|latency| lag - latency).collect());
    }
    sets
}
