//! Part of a song that was heard. *Exact* names the part that it is exact for; for the whole there is an interval.

use super::range_report::RangeProgress;
use meter::loudness::{ABSOLUTE_GATE, integrated};
use units::{Db, Lu, Lufs, Ms, Power, linear};

/// Limits of the word *exact*, as a footnote wherever it stands.
pub const EXACT_FOOTNOTE: &str =
    "* if no device behind the Stem begins to react, and the stem reaches the mix on no second way";

/// Length of a hop.
const HOP_LENGTH: Ms = Ms(100.0);
/// Difference from which on a length of the song is told in full seconds.
const FULL_SECONDS: Ms = Ms(1000.0);
/// Levels that hops that were not heard may have beside silence, relative to the loud ones that were: every decibel down to
/// where the relative gate drops them.
const MAX_UNHEARD: Db = Db(3.0);
const UNHEARD_LEVELS: usize = 28;
/// Fraction of the hops that are quieter than the loud ones.
const LOUD_FRACTION: f64 = 0.95;

/// Part of a song that was heard with the present settings.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HeardPart {
    /// Length of what was heard.
    pub heard: Ms,
    /// Length of the song, or of the timeline that was played.
    pub whole: Ms,
}

impl From<RangeProgress> for HeardPart {
    fn from(progress: RangeProgress) -> Self {
        let length = |hops: usize| Ms(hops as f64 * HOP_LENGTH.0);
        Self { heard: length(progress.heard), whole: length(progress.all.max(progress.heard)) }
    }
}

impl HeardPart {
    /// Returns true if nothing is missing.
    pub fn is_whole(&self) -> bool {
        self.whole.0 - self.heard.0 < 0.5 * HOP_LENGTH.0
    }

    /// Returns "0:21 heard", "0:13 of 0:21 heard", or "0:21 heard, 0.3 s missing".
    pub fn words(&self) -> String {
        let missing = self.whole.0 - self.heard.0;
        if self.is_whole() {
            format!("{} heard", clock(self.whole))
        } else if missing < FULL_SECONDS.0 {
            format!("{} but {:.1} s heard", clock(self.whole), missing / 1000.0)
        } else {
            format!("{} of {} heard", clock(self.heard), clock(self.whole))
        }
    }

    /// Returns the certainty of a prediction, with what it holds for: "exact*, 0:21 heard", "exact* for 0:13 of 0:21
    /// heard", "estimate ±0.12 LU, 0:13 of 0:21 heard". `half_width`: zero if it is exact.
    pub fn certainty_words(&self, half_width: Lu) -> String {
        let joint = if self.is_whole() { "," } else { " for" };
        if half_width.0 == 0.0 {
            format!("exact*{joint} {}", self.words())
        } else {
            format!("estimate ±{:.2} LU, {}", half_width.0, self.words())
        }
    }
}

/// Minutes and seconds.
fn clock(length: Ms) -> String {
    let seconds = (length.0 / 1000.0).round().max(0.0) as u64;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// Interval of a prediction for the whole song, of which a part was heard.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WholeInterval {
    /// Change of the integrated loudness, lowest and highest.
    pub change: [Lu; 2],
    /// Integrated loudness after the move, lowest and highest.
    pub after: [Lufs; 2],
}

impl WholeInterval {
    /// Returns the largest distance of the loudness after the move from `predicted`.
    pub fn half_width(&self, predicted: Lufs) -> Lu {
        Lu(self.after.iter().map(|end| (*end - predicted).0.abs()).fold(0.0, f64::max))
    }

    /// Returns the change as text: "whole song +0.42 to +0.95 LU".
    pub fn words(&self) -> String {
        format!("whole song {:+.2} to {:+.2} LU", self.change[0].0, self.change[1].0)
    }

    /// Returns the interval for a song of which `unheard` hops are missing. `before`, `after`: powers of the hops that
    /// were heard, without and with the move (NaN elsewhere). `ratios`: of the powers of hops that consist of what is
    /// moved alone. `half_width`: of the prediction for what was heard.
    ///
    /// A hop that was not heard may contain nothing of what is moved, or nothing else; and it may be anything from
    /// silence to 3 dB more than what is loud in the part that was heard.
    pub fn new(
        before: &[Power],
        after: &[Power],
        unheard: usize,
        ratios: &[f64],
        half_width: Lu,
    ) -> Option<Self> {
        let is_known = |power: &Power| !power.0.is_nan();
        let mut loud: Vec<f64> = before.iter().filter(|power| is_known(power)).map(|power| power.0).collect();
        loud.sort_by(f64::total_cmp);
        let level = *loud.get((LOUD_FRACTION * loud.len().saturating_sub(1) as f64) as usize)?;
        let outside = unheard.saturating_sub(before.len() - loud.len());
        let gate = ABSOLUTE_GATE.power().0;
        let seen =
            before.iter().zip(after).filter(|(b, a)| b.0 > gate && is_known(a)).map(|(b, a)| a.0 / b.0);
        let ratios = seen.chain(ratios.iter().copied()).chain([1.0]);
        let (low, high) = ratios.fold((f64::INFINITY, 0.0f64), |(low, high), r| (low.min(r), high.max(r)));
        // between silence and loud, what passes the gate by little makes the song quietest
        let levels = (0..UNHEARD_LEVELS).map(|below| level * linear(2.0 * (MAX_UNHEARD.0 - below as f64)));
        let mut ends: Option<Self> = None;
        for level in levels.chain([0.0]) {
            let with = |powers: &[Power], level: f64, in_front: usize| {
                // a gap takes the blocks around it along, so it is filled where it is
                let filled = powers.iter().map(|power| if is_known(power) { *power } else { Power(level) });
                let beside = |hops: usize| std::iter::repeat_n(Power(level), hops);
                let song = beside(in_front).chain(filled).chain(beside(outside - in_front));
                integrated(&song.collect::<Vec<_>>())
            };
            let fronts = if outside > 0 { &[0, outside][..] } else { &[0] };
            for (ratio, &front) in
                [low, high].into_iter().flat_map(|ratio| fronts.iter().map(move |front| (ratio, front)))
            {
                let pair = with(before, level, front).zip(with(after, level * ratio, front));
                let Some((from, to)) = pair else { continue };
                let one = Self { change: [to - from; 2], after: [to; 2] };
                ends = Some(ends.map_or(one, |ends| ends.hull(&one)));
            }
        }
        let Self { change: [low, high], after: [lowest, highest] } = ends?;
        let width = half_width.0;
        Some(Self {
            change: [Lu(low.0 - width), Lu(high.0 + width)],
            after: [Lufs(lowest.0 - width), Lufs(highest.0 + width)],
        })
    }

    fn hull(&self, other: &Self) -> Self {
        Self {
            change: [
                Lu(self.change[0].0.min(other.change[0].0)),
                Lu(self.change[1].0.max(other.change[1].0)),
            ],
            after: [Lufs(self.after[0].0.min(other.after[0].0)), Lufs(self.after[1].0.max(other.after[1].0))],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn exact_names_the_part_that_it_is_exact_for() {
        let part = |heard: f64, whole: f64| HeardPart { heard: Ms(heard), whole: Ms(whole) };
        assert_eq!(part(21_000.0, 21_000.0).certainty_words(Lu(0.0)), "exact*, 0:21 heard");
        assert_eq!(part(13_000.0, 21_000.0).certainty_words(Lu(0.0)), "exact* for 0:13 of 0:21 heard");
        assert_eq!(part(20_600.0, 21_000.0).certainty_words(Lu(0.0)), "exact* for 0:21 but 0.4 s heard");
        let estimate = part(13_000.0, 81_000.0).certainty_words(Lu(0.12));
        assert_eq!(estimate, "estimate ±0.12 LU, 0:13 of 1:21 heard");
    }

    #[test]
    fn a_part_that_was_not_heard_and_just_passes_the_gate_makes_the_song_quieter_than_silence_does() {
        let song = |quiet: f64| -> Vec<Power> {
            (0..200).map(|hop| Power(0.01 * if (150..190).contains(&hop) { quiet } else { 1.0 })).collect()
        };
        let (before, ratio) = (song(linear(2.0 * -9.5)), linear(2.0 * 4.0));
        let heard: Vec<Power> = song(f64::NAN);
        let moved = |powers: &[Power]| powers.iter().map(|power| Power(ratio * power.0)).collect::<Vec<_>>();
        let truth = integrated(&moved(&before)).expect("sounds").0;
        let found = WholeInterval::new(&heard, &moved(&heard), 40, &[ratio], Lu(0.0)).expect("sounds");
        assert!((found.after[0].0..=found.after[1].0).contains(&truth), "{found:?} {truth}");
        let silent = integrated(&moved(&song(0.0))).expect("sounds").0;
        assert!(truth < silent - 0.5, "{truth} {silent}");
    }

    #[test]
    fn what_was_not_heard_may_be_before_the_part_that_was() {
        // quiet at first, loud at the end: what is beside the missing hops is in their blocks
        let song: Vec<Power> = (0..100).map(|hop| Power(if hop < 20 { 2e-3 } else { 0.01 })).collect();
        let found = WholeInterval::new(&song[2..], &song[2..], 2, &[1.0], Lu(0.0)).expect("sounds");
        let truth = integrated(&song).expect("sounds").0;
        assert!((found.after[0].0..=found.after[1].0).contains(&truth), "{found:?} {truth}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn the_whole_is_in_its_interval_wherever_the_part_ends(
            seed in 0u64..1000, db in -9.0f64..9.0, heard in 40usize..160, share in 0.02f64..0.9,
        ) {
            // Swelling noise, of which the moved stem has another part in every second.
            let noise = testkit::noise(seed, 400, 1.0);
            let level = |hop: usize| 0.01 * (1.2 + noise[hop / 5]) * if hop % 60 < 8 { 0.01 } else { 1.0 };
            let part = |hop: usize| (share * (1.0 + noise[200 + hop / 10])).clamp(0.0, 1.0);
            let ratio = units::linear(2.0 * db);
            let before: Vec<Power> = (0..200).map(|hop| Power(level(hop))).collect();
            let after: Vec<Power> = (0..200)
                .map(|hop| Power(level(hop) * (1.0 - part(hop) + part(hop) * ratio)))
                .collect();
            // the rest is missing, and a hop here and there
            let is_missing = |hop: usize| hop >= heard || hop % 23 == 7;
            let only = |powers: &[Power]| -> Vec<Power> {
                let known = powers.iter().enumerate().take(180);
                known.map(|(hop, power)| if is_missing(hop) { Power(f64::NAN) } else { *power }).collect()
            };
            let unheard = (0..200).filter(|hop| is_missing(*hop)).count();
            let found = WholeInterval::new(&only(&before), &only(&after), unheard, &[ratio], Lu(0.0)).expect("sounds");
            let (from, to) = (integrated(&before).expect("sounds"), integrated(&after).expect("sounds"));
            let change = (to - from).0;
            prop_assert!((found.change[0].0..=found.change[1].0).contains(&change), "{found:?} {change}");
            prop_assert!((found.after[0].0..=found.after[1].0).contains(&to.0), "{found:?} {to:?}");
        }
    }
}
