//! Session timeline for the window: loudness, gain reduction and songs.

use link::records::BlockStatus;
use meter::loudness::{hop_frames, integrated, windows};
use plugin_core::document::songs::SongRange;
use plugin_core::session_view::{HOP_LENGTH, SessionTimeline, TimelinePoint, TimelineSong};
use session::range_report::{HopRange, RangeReport};
use session::record::{HopStatus, Recorder};
use session::timeline::{HopIndex, hop_at};
use std::collections::BTreeMap;
use units::{Db, Hz, Ms, Power};

/// Hops of the short-term window, and of the passage that is called loudest.
const SHORT_TERM_HOPS: usize = 30;
const LOUDEST_HOPS: usize = 200;
/// Points of integrated loudness per song: each takes a pass of the gates over everything before it.
const INTEGRATED_POINTS: usize = 48;
/// Hops of gain reduction that are kept: four hours.
const MAX_KEPT_HOPS: usize = 4 * 36_000;
/// Maximum length of the displayed timeline, hops: a day. Songs beyond it are not drawn.
const MAX_SHOWN_HOPS: i64 = 24 * 36_000;

/// Gain reduction of the Master along the timeline, sampled about 50 times a second: faster renders leave gaps.
#[derive(Debug, Default)]
pub(super) struct ReductionHistory(BTreeMap<HopIndex, Db>);

impl ReductionHistory {
    /// Records the Master's gain reduction at its current position, if it plays at `rate`.
    pub(super) fn record(&mut self, status: Option<BlockStatus>, rate: Hz) {
        let Some(status) = status.filter(|status| status.playing && status.rate == rate) else { return };
        let Some(position) = status.position else { return };
        let (hop, _) = hop_at(position, hop_frames(rate));
        let now = status.compressor_reduction + status.limiter_reduction;
        // maximum within a hop; a new pass replaces the old one
        let latest = self.0.entry(hop).or_insert(now);
        *latest = latest.max(now);
        // the next hop starts afresh when this pass reaches it
        self.0.remove(&(hop + 1));
        while self.0.len() > MAX_KEPT_HOPS {
            self.0.pop_first();
        }
    }

    fn at(&self, place: HopIndex) -> Option<Db> {
        self.0.get(&place).copied()
    }
}

/// Returns the timeline of `range`, whose report is `heard`, extended to the `songs` that reach beyond it.
pub(super) fn session_timeline(
    recorder: &Recorder,
    heard: &RangeReport,
    range: &HopRange,
    (reductions, songs): (&ReductionHistory, &[SongRange]),
) -> SessionTimeline {
    let sources = &heard.fitted_range.sources;
    let powers = sources.powers(&vec![1.0; sources.sources()]);
    let hop = |seconds: f64| (seconds * 1000.0 / HOP_LENGTH.0).round() as HopIndex;
    let mut shown = range.clone();
    for song in songs {
        let (start, end) = (hop(song.start), hop(song.end));
        if !shown.is_empty() && shown.start.min(start) >= shown.end.max(end) - MAX_SHOWN_HOPS {
            shown = shown.start.min(start)..shown.end.max(end);
        }
    }
    let mut points: Vec<TimelinePoint> = shown
        .clone()
        .map(|place| TimelinePoint {
            mark: recorder.status(place),
            short_term: None,
            integrated: None,
            reduction: reductions.at(place),
        })
        .collect();
    let before = (range.start - shown.start) as usize;
    for (index, power) in windows(&powers, SHORT_TERM_HOPS).enumerate() {
        // a hop that was not heard has no loudness
        if let Some(point) = points.get_mut(before + index + SHORT_TERM_HOPS - 1) {
            point.short_term = power.loudness().filter(|_| point.mark == HopStatus::Heard);
        }
    }
    // integrated loudness is per song; without songs, everything that was heard is one song
    let of_song = |song: &SongRange| {
        let inside = |second: f64| (hop(second) - range.start).clamp(0, powers.len() as i64) as usize;
        inside(song.start)..inside(song.end)
    };
    let all = core::iter::once(0..powers.len()).filter(|_| songs.is_empty());
    for stretch in all.chain(songs.iter().map(of_song)) {
        let step = (stretch.len() / INTEGRATED_POINTS).max(1);
        for end in (stretch.start + step..=stretch.end).step_by(step) {
            if let Some(point) = points.get_mut(before + end - 1) {
                point.integrated = integrated(&powers[stretch.start..end]);
            }
        }
    }
    let songs = songs.iter().map(|song| {
        let powers = &powers[of_song(song)];
        let heard = powers.iter().filter(|power| !power.0.is_nan()).count();
        TimelineSong {
            name: song.name.clone(),
            start: Ms(song.start * 1000.0),
            end: Ms(song.end * 1000.0),
            integrated: integrated(powers),
            heard: Ms(heard as f64 * HOP_LENGTH.0),
        }
    });
    let at = |hop: HopIndex| Ms(hop as f64 * HOP_LENGTH.0);
    let loudest = windows(&powers, LOUDEST_HOPS)
        .enumerate()
        .filter(|(_, power)| *power > Power(0.0))
        .max_by(|(_, a), (_, b)| a.0.total_cmp(&b.0))
        .map(|(hop, _)| range.start + hop as i64)
        .map(|first| (at(first), at(first + LOUDEST_HOPS as i64)));
    SessionTimeline { start: at(shown.start), step: HOP_LENGTH, points, songs: songs.collect(), loudest }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reductions_are_the_most_of_a_hop_and_of_the_last_time_it_was_played() {
        let rate = Hz(48_000.0);
        let mut reductions = ReductionHistory::default();
        let mut play = |second: f64, reduction: f64, playing: bool| {
            let status = BlockStatus {
                rate,
                playing,
                position: Some((second * rate.0) as i64),
                compressor_reduction: Db(reduction),
                limiter_reduction: Db(1.0),
                ..BlockStatus::default()
            };
            reductions.record(Some(status), rate);
            reductions.at((second * 10.0).floor() as HopIndex)
        };
        assert_eq!(
            [play(0.52, 2.0, true), play(0.54, 5.0, true), play(0.56, 3.0, true)],
            [3.0, 6.0, 6.0].map(|x| Some(Db(x)))
        );
        assert_eq!(play(0.62, 0.0, true), Some(Db(1.0)));
        // again from the start of it, and stopped
        assert_eq!(
            [play(0.45, 0.0, true), play(0.51, 0.5, true), play(0.55, 9.0, false)],
            [1.0, 1.5, 1.5].map(|x| Some(Db(x)))
        );
        reductions.record(None, rate);
        assert_eq!((reductions.at(-7), reductions.at(5)), (None, Some(Db(1.5))));
    }
}
