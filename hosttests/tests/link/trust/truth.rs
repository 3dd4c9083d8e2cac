//! Answers held against renders, for the part of the song that they speak of.

use crate::link::desk::{Audio, RATE};
use link::summary::Forecast;
use meter::loudness::integrated;
use session::joint::GramMeter;
use std::ops::Range;
use testkit::trust::TrustAnswer;
use units::{Hz, Power};

/// Frames of a hop.
const HOP: usize = 4800;
/// Hops beside a gap, and at the ends of the song, that may be missing, too.
const MAX_EDGE_HOPS: usize = 4;
/// Difference of two figures of the same hops, LU.
const EQUAL: f64 = 0.003;

/// Renders of a question: before and after the move.
pub(super) struct Renders {
    hops: [Vec<Power>; 2],
}

/// Powers of the hops of a mix that begins the timeline.
fn hop_powers(mix: &Audio) -> Vec<Power> {
    let wide: Vec<Vec<f64>> = mix.iter().map(|side| side.iter().map(|&x| f64::from(x)).collect()).collect();
    let mut meter = GramMeter::new(Hz(RATE), 1);
    meter.process(wide[0].len(), |_, side| &wide[side]);
    let hops = meter.finish();
    // left by left, left by right, right by right
    hops.row().into_iter().flatten().map(|packed| Power(packed[0] + packed[2])).collect()
}

impl Renders {
    pub(super) fn new(before: &Audio, after: &Audio) -> Self {
        Self { hops: [before, after].map(hop_powers) }
    }

    /// Loudness of both without the hops of `gaps`, LUFS; `None` if nothing sounds.
    fn loudness(&self, gaps: &[Range<usize>]) -> Option<[f64; 2]> {
        let of = |hops: &[Power]| {
            let is_heard = |hop: &usize| gaps.iter().all(|gap| !gap.contains(hop));
            let known = |(hop, power): (usize, &Power)| if is_heard(&hop) { *power } else { Power(f64::NAN) };
            integrated(&hops.iter().enumerate().map(known).collect::<Vec<_>>())
        };
        Some([of(&self.hops[0])?.0, of(&self.hops[1])?.0])
    }

    /// Loudness of both over the hops that `forecast` was made from, by its own figure before the move. `unheard`: frames that
    /// were played and may not have counted. `None` if no part of that length is known.
    fn part(&self, forecast: &Forecast, unheard: Option<&Range<usize>>) -> Option<[f64; 2]> {
        let all = self.hops[0].len();
        let missing = all.checked_sub((forecast.heard * 10.0).round() as usize)?;
        let before = forecast.into_master?[0].0;
        let edges = || 0..=MAX_EDGE_HOPS;
        let mut candidates: Vec<Vec<Range<usize>>> = vec![Vec::new()];
        if let Some(frames) = unheard {
            let (first, end) = (frames.start / HOP, frames.end.div_ceil(HOP));
            let low = |edge: usize| first.saturating_sub(edge);
            for (a, b) in edges().flat_map(|a| edges().map(move |b| (a, b))) {
                candidates.push(vec![low(a)..(end + b).min(all)]);
                for (c, d) in edges().flat_map(|c| edges().map(move |d| (c, d))) {
                    candidates.push(vec![low(a)..first + b, end.saturating_sub(c)..(end + d).min(all)]);
                }
            }
        }
        let ends = edges().flat_map(|head| edges().map(move |tail| [0..head, all - tail..all]));
        let ends: Vec<[Range<usize>; 2]> = ends.collect();
        let count =
            |gaps: &[Range<usize>]| (0..all).filter(|hop| gaps.iter().any(|gap| gap.contains(hop))).count();
        let with_ends = candidates.iter().flat_map(|gaps| {
            ends.iter().map(|ends| gaps.iter().chain(ends).cloned().collect::<Vec<Range<usize>>>())
        });
        let parts = with_ends.filter(|gaps| count(gaps) == missing);
        let found = parts.filter_map(|gaps| self.loudness(&gaps));
        found.min_by(|a, b| (a[0] - before).abs().total_cmp(&(b[0] - before).abs()))
    }

    /// What the answer says, held against the renders: the part that was heard, and the whole song if it is another. The
    /// part counts only if it is known which it is.
    pub(super) fn judge(
        &self,
        kind: &str,
        forecast: &Forecast,
        unheard: Option<&Range<usize>>,
    ) -> Vec<TrustAnswer> {
        let (Some([before, after]), Some(whole)) = (forecast.into_master, self.loudness(&[])) else {
            return Vec::new();
        };
        let half_width = Some(forecast.half_width.0).filter(|half_width| *half_width > 0.0);
        let truth = if forecast.part().is_whole() { Some(whole) } else { self.part(forecast, unheard) };
        let part = truth.map(|[from, to]| {
            let (off, error) = (from - before.0, to - after.0);
            // where it starts is exact, or is part of the error
            let error = if off.abs() > EQUAL && off.abs() > error.abs() { off } else { error };
            TrustAnswer { kind: kind.to_owned(), half_width, error }
        });
        let song = forecast.whole.map(|interval| {
            let [low, high] = interval.after.map(|end| end.0);
            let (middle, half_width) = (0.5 * (low + high), 0.5 * (high - low));
            let kind = format!("{kind}, whole song");
            TrustAnswer { kind, half_width: Some(half_width.max(1e-9)), error: whole[1] - middle }
        });
        part.into_iter().chain(song).collect()
    }
}
