//! Moves that change the integrated loudness in the opposite direction, and why.

use super::gram::Hops;
use super::predict::{Move, gains};
use super::shares::gated_block_counts;
use meter::loudness::integrated;
use units::{Db, Lu, Power};

/// Least change of the loudness that is a surprise.
const MIN_CHANGE: Lu = Lu(0.005);

/// Reason why the loudness changes against the sign of a move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SurprisingSign {
    /// A quiet passage passes the gate after a raise, and lowers the mean.
    PassageEnters,
    /// A quiet passage falls below the gate after a cut, and no longer lowers the mean.
    PassageLeaves,
    /// The stem cancels others.
    Cancels,
}

impl SurprisingSign {
    /// Returns the reason as a sentence.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::PassageEnters => {
                "Lower although raised: a quiet passage now passes the gate of the loudness measurement and counts."
            }
            Self::PassageLeaves => {
                "Higher although cut: a quiet passage falls below the gate of the loudness measurement and no longer counts."
            }
            Self::Cancels => "Against the sign of the move: the stem cancels a part of the others.",
        }
    }
}

/// Returns the reason if `moves`, all up or all down, change the integrated loudness of `sources` in the opposite
/// direction.
pub fn surprising_sign(sources: &Hops, moves: &[Move]) -> Option<SurprisingSign> {
    let before = sources.powers(&vec![1.0; sources.sources()]);
    let after = sources.powers(&gains(sources.sources(), moves));
    surprising_change(&before, &after, moves.iter().map(|one| one.gain))
}

/// Returns the reason if moves by `gains`, all up or all down, have changed the integrated loudness in the opposite
/// direction: that of hops of the powers `before` and `after`.
pub fn surprising_change(
    before: &[Power],
    after: &[Power],
    gains: impl Iterator<Item = Db> + Clone,
) -> Option<SurprisingSign> {
    let up = gains.clone().all(|gain| gain.0 >= 0.0);
    if !up && !gains.clone().all(|gain| gain.0 <= 0.0) {
        return None;
    }
    let change = (integrated(after)? - integrated(before)?).0;
    if change.abs() < MIN_CHANGE.0 || (change > 0.0) == up {
        return None;
    }
    // the same passages as before, whatever passes the gate now
    let counts = gated_block_counts(before)?;
    let mean = |powers: &[Power]| {
        powers.iter().zip(&counts).filter(|(_, n)| **n > 0.0).map(|(p, n)| p.0 * n).sum::<f64>()
    };
    let rises = mean(after) > mean(before);
    Some(match (rises == up, up) {
        (false, _) => SurprisingSign::Cancels,
        (true, true) => SurprisingSign::PassageEnters,
        (true, false) => SurprisingSign::PassageLeaves,
    })
}

#[cfg(test)]
mod tests {
    use super::super::joint::tests::{hops_of, sources};
    use super::*;

    /// Ten seconds in which only source 0 sounds loudly, then ten in which source 1 sounds just below the gate.
    fn gated() -> Hops {
        const RATE: usize = 8_000;
        let tone = |frames: usize, level: f64| -> Vec<f64> {
            (0..frames).map(|n| level * (n as f64 * 0.8).sin()).collect()
        };
        let part = |loud: f64, quiet: f64| [tone(10 * RATE, loud), tone(10 * RATE, quiet)].concat();
        let stereo = |audio: Vec<f64>| [audio.clone(), audio];
        hops_of(&[stereo(part(0.5, 0.0)), stereo(part(0.0, 0.108))], RATE as f64)
    }

    #[test]
    fn a_raise_that_lets_a_quiet_passage_pass_the_gate_is_explained() {
        let hops = gated();
        let up = [Move { source: 1, gain: Db(3.0) }];
        assert_eq!(surprising_sign(&hops, &up), Some(SurprisingSign::PassageEnters));
        assert_eq!(surprising_sign(&hops, &[Move { source: 0, gain: Db(1.0) }]), None);
        // from the other side
        let mut raised = hops;
        (0..raised.len()).for_each(|hop| raised.rescale(hop, &[1.0, Db(3.0).gain()]));
        let down = [Move { source: 1, gain: Db(-3.0) }];
        assert_eq!(surprising_sign(&raised, &down), Some(SurprisingSign::PassageLeaves));
    }

    #[test]
    fn a_stem_that_cancels_another_is_named() {
        let mut audio = sources(9, 2, 40_000);
        audio[1] = audio[0].clone().map(|c| c.iter().map(|x| -0.5 * x).collect());
        let hops = hops_of(&audio, 8_000.0);
        let up = [Move { source: 1, gain: Db(1.0) }];
        assert_eq!(surprising_sign(&hops, &up), Some(SurprisingSign::Cancels));
        assert_eq!(surprising_sign(&hops, &[Move { source: 0, gain: Db(1.0) }]), None);
    }
}
