//! Loudness over time, for graphs: in the order of hearing, and over the project's timeline.

use super::{Gauges, RING_HOPS, hop_at, is_shown};
use meter::loudness::{self, BLOCK_HOPS, SHORT_TERM_HOPS};
use units::{Lufs, Ms, Power};

/// Distance of the points of a [`LoudnessHistory`].
pub const HISTORY_STEP: Ms = Ms(100.0);
/// Points of the recent history: a minute.
pub const RECENT_POINTS: usize = 600;

/// Loudness at the end of a hop; `None` where it is below -70 LUFS or not all of its window was heard.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LoudnessPoint {
    /// Of the last 400 ms.
    pub momentary: Option<Lufs>,
    /// Of the last 3 s.
    pub short_term: Option<Lufs>,
}

/// Loudness over time: a point every [`HISTORY_STEP`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LoudnessHistory {
    /// Start of the first point's hop.
    pub start: Ms,
    /// The points.
    pub points: Vec<LoudnessPoint>,
}

impl LoudnessHistory {
    /// Computes the loudness of hops that follow each other; NaN for one that was not heard.
    fn new(start: Ms, powers: &[Power]) -> Self {
        let mut points = vec![LoudnessPoint::default(); powers.len()];
        let shown = |power: Power| power.loudness().filter(is_shown);
        for (index, power) in loudness::windows(powers, BLOCK_HOPS).enumerate() {
            points[index + BLOCK_HOPS - 1].momentary = shown(power);
        }
        for (index, power) in loudness::windows(powers, SHORT_TERM_HOPS).enumerate() {
            points[index + SHORT_TERM_HOPS - 1].short_term = shown(power);
        }
        Self { start, points }
    }

    /// Returns the end of the last point's hop.
    pub fn end(&self) -> Ms {
        Ms(self.start.0 + self.points.len() as f64 * HISTORY_STEP.0)
    }
}

impl Gauges {
    /// Returns the loudness of the last minute in the order of hearing; time counts from the first hop ever. Allocates.
    pub fn recent_loudness(&self) -> LoudnessHistory {
        let Some(ring) = self.hops.get() else { return LoudnessHistory::default() };
        let (_, written) = self.range();
        // windows that end in the minute begin before it
        let first = written.saturating_sub((RECENT_POINTS + SHORT_TERM_HOPS).min(RING_HOPS) as u64);
        let powers: Vec<Power> = (first..written).map(|hop| Power(hop_at(ring, hop).0)).collect();
        let mut history = LoudnessHistory::new(Ms(first as f64 * HISTORY_STEP.0), &powers);
        let early = history.points.len().saturating_sub(RECENT_POINTS);
        history.points.drain(..early);
        history.start.0 += early as f64 * HISTORY_STEP.0;
        history
    }

    /// Returns the loudness of the reading over the project's timeline, each place as it was heard last; without a timeline in
    /// the order of hearing. Allocates.
    pub fn song_loudness(&self) -> LoudnessHistory {
        let programme = self.programme();
        match programme.table {
            Some((first, length)) => {
                let start = Ms(first as f64 * HISTORY_STEP.0);
                LoudnessHistory::new(start, &programme.powers[..length])
            }
            None => LoudnessHistory::new(Ms(0.0), &programme.powers),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::MeterTap;
    use super::*;
    use std::sync::Arc;
    use testkit::noise;
    use units::Hz;

    #[test]
    fn a_minute_ends_now_and_a_song_lies_on_its_timeline_as_it_was_heard_last() {
        let gauges = Arc::new(Gauges::default());
        assert_eq!(gauges.recent_loudness(), LoudnessHistory::default());
        let mut tap = MeterTap::new(Hz(48_000.0), true, Arc::clone(&gauges));
        let (loud, quiet) = (noise(1, 5 * 48_000, 0.4), noise(2, 5 * 48_000, 0.05));
        // ten seconds from 0:20 on, then the first five again, more quietly
        for (audio, at) in [(&loud, 20), (&loud, 25), (&quiet, 20)] {
            tap.process(&[audio], Some(at * 48_000));
        }
        let reading = gauges.reading();
        let recent = gauges.recent_loudness();
        assert_eq!((recent.points.len(), recent.end()), (150, Ms(15_000.0)));
        let last = recent.points.last().copied().unwrap_or_default();
        assert_eq!((last.momentary, last.short_term), (reading.momentary, reading.short_term));
        assert!(recent.points[2].momentary.is_none() && recent.points[3].momentary.is_some());
        assert!(recent.points[28].short_term.is_none() && recent.points[29].short_term.is_some());

        let song = gauges.song_loudness();
        assert_eq!((song.start, song.points.len()), (Ms(20_000.0), 100));
        let at = |index: usize| song.points[index].momentary.expect("sounds").0;
        assert!(at(99) - at(40) > 15.0, "{} {}", at(99), at(40));
        let highest = song.points.iter().filter_map(|point| point.momentary).map(|m| m.0).reduce(f64::max);
        assert_eq!(highest, reading.momentary_max.map(|m| m.0));
    }

    #[test]
    fn more_than_a_minute_keeps_the_last_one_and_without_a_timeline_a_song_is_what_was_heard() {
        let gauges = Arc::new(Gauges::default());
        let mut tap = MeterTap::new(Hz(48_000.0), true, Arc::clone(&gauges));
        let audio = noise(1, 35 * 48_000, 0.3);
        tap.process(&[&audio], None);
        tap.process(&[&audio], None);
        let recent = gauges.recent_loudness();
        assert_eq!((recent.start, recent.points.len()), (Ms(10_000.0), RECENT_POINTS));
        assert!(recent.points[0].short_term.is_some(), "its window begins before the minute");
        assert_eq!(gauges.song_loudness().points.len(), 700);
        // after a gap of the timeline nothing spans it
        let gauges = Arc::new(Gauges::default());
        let mut tap = MeterTap::new(Hz(48_000.0), true, Arc::clone(&gauges));
        tap.process(&[&audio[..5 * 48_000]], Some(0));
        tap.process(&[&audio[..5 * 48_000]], Some(10 * 48_000));
        let song = gauges.song_loudness();
        assert_eq!(song.points.len(), 150);
        assert!(song.points[50..103].iter().all(|point| point.momentary.is_none()));
        assert!(song.points[103].momentary.is_some() && song.points[128].short_term.is_none());
    }
}
