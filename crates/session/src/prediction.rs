//! Prediction of moves on the whole session: loudness, peaks, certainty, platforms.

use super::certainty::ExpectedMove;
use super::heard_part::WholeInterval;
use super::playback::{Playback, exchange_sentence, others_change, playback};
use super::predict::{Certainty, Move, gains};
use super::range_report::{PeakBounds, RangeProgress, RangeReport};
use super::surprise::{SurprisingSign, surprising_sign};
use super::target::NormalizationTarget;
use meter::{Reading, reading_from_hops};
use units::{Db, Lu};

/// A source that moves with a stem because it consists of it, as the returns of its sends do. Suggested by analysis,
/// confirmed by the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Follower {
    /// Index of the source that follows: a stem, or the last source, *Unlinked*.
    pub follower: usize,
    /// Index of the stem that it follows.
    pub stem: usize,
}

/// Effect of a move on one platform.
#[derive(Clone, Debug, PartialEq)]
pub struct PlatformChange {
    /// Id of the target.
    pub id: String,
    /// Playback of the mix before the move.
    pub before: Option<Playback>,
    /// Playback of the mix after the move; where a peak limits the gain, with the highest possible peak.
    pub after: Option<Playback>,
    /// Change in playback of all stems that were not moved.
    pub others: Option<Db>,
    /// The change as a sentence; only for a single move.
    pub sentence: Option<String>,
}

impl PlatformChange {
    /// Returns the effect on `target` of a mix that reads `after` instead of `before`; `single`: name and gain of the
    /// stem, if only one was moved.
    pub fn new(
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

/// Predicted moves, heard into the master.
#[derive(Clone, Debug, PartialEq)]
pub struct MovePrediction {
    /// All moves, those of followers included.
    pub moves: Vec<Move>,
    /// Expected linear gains of all sources: the moves, what devices make of them, what follows.
    pub expected: Vec<f64>,
    /// Certainty of the integrated loudness.
    pub certainty: Certainty,
    /// Hops of the range that the prediction is based on.
    pub progress: RangeProgress,
    /// Interval for the whole song, if a part of it was not heard.
    pub whole: Option<WholeInterval>,
    /// The mix before.
    pub before: Reading,
    /// The mix after, at the expected gains, without peaks.
    pub after: Reading,
    /// Bounds of the mix's true peak after the moves.
    pub peak: PeakBounds,
    /// True if the residual may contain returns of a moved stem and no follower was confirmed: "returns not
    /// included".
    pub returns_not_included: bool,
    /// Reason if the loudness changes against the sign of the moves.
    pub surprise: Option<SurprisingSign>,
    /// Effect on every platform.
    pub platform_changes: Vec<PlatformChange>,
}

/// Factor on the interval of an estimate for a move inside a bus: over 36 such moves in random sessions, errors behind a filter
/// were up to 1.6 times as large as the interval of the estimate alone.
const BUS_MARGIN: f64 = 2.0;

impl MovePrediction {
    /// Widens an estimate for moves of nested stems: what a bus does beside summing resembles all of its parts, so the share of it
    /// that follows one of them is known less well than that of a stem by itself.
    pub fn allow_bus_processing(&mut self) {
        if let Certainty::Estimate(half_width) = &mut self.certainty {
            half_width.0 *= BUS_MARGIN;
        }
    }

    /// Widens the interval for moves of nested stems in a bus whose chain reacts to its level: it may take a move back
    /// from everything that passes, at most completely. `passing`: sources that may pass through that chain.
    pub fn allow_reaction(&mut self, report: &RangeReport, passing: &[usize]) {
        let sources = &report.fitted_range.sources;
        let moved = gains(sources.sources(), &self.moves);
        let back = self.moves.iter().map(|one| -one.gain).fold(Db(0.0), |sum, gain| sum + gain).gain();
        let unlinked = sources.sources() - 1;
        let distance = |gains: &[f64]| {
            let after = reading_from_hops(&sources.powers(gains)).integrated?;
            Some((after - self.after.integrated?).0.abs())
        };
        let mut taken_back = moved.clone();
        passing.iter().for_each(|&source| taken_back[source] *= back);
        let linked = distance(&taken_back);
        taken_back[unlinked] *= back;
        let widest = linked.zip(distance(&taken_back)).map(|(a, b)| a.max(b));
        let width = self.certainty.half_width().0.hypot(widest.unwrap_or(f64::INFINITY));
        self.certainty = Certainty::Estimate(Lu(width));
    }
}

/// Predicts `moves` (stems only) over a range. `followers`: sources that the user has confirmed to move with stems.
pub fn predict_moves(
    report: &RangeReport,
    moves: &[Move],
    followers: &[Follower],
    targets: &[NormalizationTarget],
    name: impl Fn(usize) -> String,
) -> MovePrediction {
    let fitted_range = &report.fitted_range;
    let unlinked = fitted_range.sources.sources() - 1;
    let follows = |one: &Move| {
        let (stem, gain) = (one.source, one.gain);
        (followers.iter().filter(move |f| f.stem == stem)).map(move |f| Move { source: f.follower, gain })
    };
    let all: Vec<Move> = moves.iter().copied().chain(moves.iter().flat_map(follows)).collect();
    let ExpectedMove { gains: expected, certainty } = fitted_range.expected(&all);
    let moved = gains(expected.len(), &all);
    let before = report.reading();
    let peak = report.peak_bounds(&moved[..unlinked]);
    let powers = fitted_range.sources.powers(&expected);
    let after = reading_from_hops(&powers);
    let unheard = report.progress.all.saturating_sub(report.progress.heard);
    let whole = (unheard > 0).then(|| {
        let unmoved = fitted_range.sources.powers(&vec![1.0; moved.len()]);
        let ratios: Vec<f64> = moved.iter().map(|gain| gain * gain).collect();
        WholeInterval::new(&unmoved, &powers, unheard, &ratios, certainty.half_width())
    });
    let highest = Reading { true_peak: peak.high, ..after };
    let single = match moves {
        [one] => Some((name(one.source), one.gain)),
        _ => None,
    };
    let single = single.as_ref().map(|(name, gain)| (name.as_str(), *gain));
    let platform_changes =
        targets.iter().map(|target| PlatformChange::new(&before, &highest, target, single)).collect();
    let claimed = followers.iter().any(|f| f.follower == unlinked);
    MovePrediction {
        returns_not_included: !claimed && certainty != Certainty::Exact,
        surprise: surprising_sign(&fitted_range.sources, moves),
        moves: all,
        expected,
        certainty,
        progress: report.progress,
        whole: whole.flatten(),
        before,
        after,
        peak,
        platform_changes,
    }
}
