//! The answer to "what if": a move, predicted.

use super::heard::{Bracket, Progress, RangeReport};
use super::playback::{Playback, exchange_sentence, others_change, playback};
use super::predict::{Certainty, Move, gains};
use super::target::NormalizationTarget;
use meter::{Reading, reading_from_hops};
use units::Db;

/// What moves with a stem because it is made of it: returns of its sends. Suggested by what is heard, confirmed by a
/// person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Follower {
    /// The source that follows: a stem, or the last source, *Unlinked*.
    pub follower: usize,
    /// The stem that it follows.
    pub stem: usize,
}

/// What a platform makes of a move.
#[derive(Clone, Debug, PartialEq)]
pub struct Exchange {
    /// The target's id.
    pub id: String,
    /// On the mix before.
    pub before: Option<Playback>,
    /// On the mix after; where a peak binds, at the highest that it may be.
    pub after: Option<Playback>,
    /// How much every stem that was not moved changes in playback.
    pub others: Option<Db>,
    /// The same as a sentence, for a single move.
    pub sentence: Option<String>,
}

impl Exchange {
    /// What `target` makes of a mix that reads `after` instead of `before`; `single`: the only stem that was moved, and by
    /// how much.
    pub fn of(
        before: &Reading,
        after: &Reading,
        target: &NormalizationTarget,
        single: Option<(&str, Db)>,
    ) -> Self {
        let others = others_change(before, after, target);
        Self {
            id: target.id.clone(),
            before: playback(before, target),
            after: playback(after, target),
            others,
            sentence: single.zip(others).map(|((stem, gain), others)| exchange_sentence(stem, gain, others)),
        }
    }
}

/// A move, predicted into the master.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// All that moves, followers included.
    pub moves: Vec<Move>,
    /// Exact, or how far off the integrated loudness may be.
    pub certainty: Certainty,
    /// Over how much of the range.
    pub progress: Progress,
    /// The mix before.
    pub before: Reading,
    /// The mix after, without peaks.
    pub after: Reading,
    /// Where its true peak may be.
    pub peak: Bracket,
    /// True if something is left that may be returns of a moved stem, and nobody said whose: "returns not included".
    pub returns_not_included: bool,
    /// What platforms make of it.
    pub exchanges: Vec<Exchange>,
}

/// Predicts `moves` (stems only) over what was `heard`. `followers`: what a person has confirmed to move with stems.
pub fn predict_moves(
    heard: &RangeReport,
    moves: &[Move],
    followers: &[Follower],
    targets: &[NormalizationTarget],
    name: impl Fn(usize) -> String,
) -> Prediction {
    let ground = &heard.ground;
    let unlinked = ground.sources.sources() - 1;
    let follows = |one: &Move| {
        let (stem, gain) = (one.source, one.gain);
        (followers.iter().filter(move |f| f.stem == stem)).map(move |f| Move { source: f.follower, gain })
    };
    let all: Vec<Move> = moves.iter().copied().chain(moves.iter().flat_map(follows)).collect();
    let certainty = ground.certainty(&all);
    let moved = gains(ground.sources.sources(), &all);
    let before = heard.reading();
    let peak = heard.bracket(&moved[..unlinked]);
    let after = reading_from_hops(&ground.sources.powers(&moved));
    let highest = Reading { true_peak: peak.high, ..after };
    let single = match moves {
        [one] => Some((name(one.source), one.gain)),
        _ => None,
    };
    let single = single.as_ref().map(|(name, gain)| (name.as_str(), *gain));
    let exchanges = targets.iter().map(|target| Exchange::of(&before, &highest, target, single)).collect();
    let claimed = followers.iter().any(|f| f.follower == unlinked);
    Prediction {
        returns_not_included: !claimed && certainty != Certainty::Exact,
        moves: all,
        certainty,
        progress: heard.progress,
        before,
        after,
        peak,
        exchanges,
    }
}
