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
const EQUAL: f64 = 1e-6;
/// Shares of the mix's power from which on a stem may count as sounding.
const SOUNDING: [f64; 4] = [0.0, 3e-5, 1e-4, 3e-4];

/// Stems that are not heard for a while.
pub(super) struct Silenced {
    frames: Range<usize>,
    /// Shares of the mix's power in their hops, of each the greatest.
    shares: Vec<f64>,
}

impl Silenced {
    /// `stems`: all of the mix, as they arrive; `which`: those that are not heard.
    pub(super) fn new(frames: Range<usize>, stems: &[Audio], which: &[usize]) -> Self {
        let powers: Vec<Vec<Power>> = stems.iter().map(hop_powers).collect();
        let share = |hop: usize| {
            let all: f64 = powers.iter().map(|of| of[hop].0).sum();
            which.iter().map(|stem| powers[*stem][hop].0 / all.max(f64::MIN_POSITIVE)).fold(0.0, f64::max)
        };
        Self { frames, shares: (0..powers[0].len()).map(share).collect() }
    }

    /// Hops that may be missing by it: all of the range, or those in which the stems sound, or its edges.
    fn gaps(&self, all: usize) -> Vec<Vec<bool>> {
        let (first, end) = (self.frames.start / HOP, self.frames.end.div_ceil(HOP));
        let mut gaps = Vec::new();
        for (a, b) in (0..=MAX_EDGE_HOPS).flat_map(|a| (0..=MAX_EDGE_HOPS).map(move |b| (a, b))) {
            for least in SOUNDING {
                let sounds = |hop: usize| {
                    (first..end).contains(&hop) && self.shares.get(hop).is_some_and(|share| *share > least)
                };
                let is_near = |hop: usize| (hop.saturating_sub(b)..=hop + a).any(sounds);
                gaps.push((0..all).map(is_near).collect());
            }
            for (c, d) in (0..=MAX_EDGE_HOPS).flat_map(|c| (0..=MAX_EDGE_HOPS).map(move |d| (c, d))) {
                let begins = first.saturating_sub(a)..first + b;
                let ends = end.saturating_sub(c)..end + d;
                gaps.push((0..all).map(|hop| begins.contains(&hop) || ends.contains(&hop)).collect());
            }
        }
        gaps
    }
}

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

    /// Loudness of both without the hops that are `missing`, LUFS; `None` if nothing sounds.
    fn loudness(&self, missing: &[bool]) -> Option<[f64; 2]> {
        let of = |hops: &[Power]| {
            let known = |(power, missing): (&Power, &bool)| if *missing { Power(f64::NAN) } else { *power };
            integrated(&hops.iter().zip(missing).map(known).collect::<Vec<_>>())
        };
        Some([of(&self.hops[0])?.0, of(&self.hops[1])?.0])
    }

    /// Loudness of both over the hops that `forecast` was made from, by its own figure before the move. `None` if it is not
    /// known which those are.
    fn part(&self, forecast: &Forecast, silenced: Option<&Silenced>) -> Option<[f64; 2]> {
        let all = self.hops[0].len();
        let missing = all.checked_sub((forecast.heard * 10.0).round() as usize)?;
        let before = forecast.into_master?[0].0;
        let mut gaps = vec![vec![false; all]];
        if let Some(silenced) = silenced {
            gaps.extend(silenced.gaps(all));
        }
        // one gap anywhere, as of frames that were lost
        let run =
            |first: usize, hops: usize| (0..all).map(|hop| (first..first + hops).contains(&hop)).collect();
        if silenced.is_none() {
            for length in missing.saturating_sub(2 * MAX_EDGE_HOPS).max(1)..=missing {
                gaps.extend((0..=all - length).map(|first| run(first, length)));
            }
        }
        let edges = || 0..=MAX_EDGE_HOPS;
        let ends = edges().flat_map(|head| edges().map(move |tail| head..all - tail));
        let ends: Vec<Range<usize>> = ends.collect();
        let with_ends = gaps.iter().flat_map(|gap| {
            let cut = |ends: &Range<usize>| -> Vec<bool> {
                gap.iter().enumerate().map(|(hop, missing)| *missing || !ends.contains(&hop)).collect()
            };
            ends.iter().map(cut)
        });
        let parts = with_ends.filter(|gap| gap.iter().filter(|missing| **missing).count() == missing);
        let found = parts.filter_map(|gap| self.loudness(&gap));
        let nearest = found.min_by(|a, b| (a[0] - before).abs().total_cmp(&(b[0] - before).abs()));
        nearest.filter(|[found, _]| (found - before).abs() < EQUAL)
    }

    /// Holds what the answer says against the renders: the part that was heard, and the whole song if it is another. The
    /// part counts only if it is known which it is.
    pub(super) fn judge(
        &self,
        kind: &str,
        forecast: &Forecast,
        silenced: Option<&Silenced>,
    ) -> Vec<TrustAnswer> {
        let (Some([before, after]), Some(whole)) =
            (forecast.into_master, self.loudness(&vec![false; self.hops[0].len()]))
        else {
            return Vec::new();
        };
        let half_width = Some(forecast.half_width.0).filter(|half_width| *half_width > 0.0);
        let truth = if forecast.part().is_whole() { Some(whole) } else { self.part(forecast, silenced) };
        let part = truth.map(|[from, to]| {
            let (off, error) = (from - before.0, to - after.0);
            // where it starts is exact, too
            let error = if off.abs() > error.abs() && half_width.is_none() { off } else { error };
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
