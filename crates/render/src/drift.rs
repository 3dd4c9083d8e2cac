//! Drift: a file that runs at another speed than the mix it belongs to, as one recorded or converted by another clock does.

use std::path::Path;

use crate::check::{Excerpts, SampleTrack};
use audiofile::AudioReader;
use audiofile::error::Result;
use units::Hz;

/// Places looked at, evenly spread.
const PLACES: u64 = 12;
/// Frames of a place: at 100 ppm the ends of it are 3 samples apart.
const FRAMES: usize = 1 << 15;
/// The farthest that a file may have run away, seconds.
const REACH: f64 = 0.25;
/// Least clarity of a place.
const CLEAR: f64 = 9.0;
/// Places that must agree.
const MIN_PLACES: usize = 5;
/// Delays off the line by more than this many samples do not agree with it.
const OFF_LINE: f64 = 2.0;
/// The part of the places that must agree.
const AGREEING: f64 = 0.75;
/// The delay changes by this many samples from the first to the last place, or more.
const MIN_CHANGE: f64 = 4.0;

/// The drift of a file against a mix.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Drift {
    /// Frames later in the mix for each frame of the file: 1e-4 is 100 ppm.
    pub(crate) rate: f64,
    /// Frames that its beginning is later in the mix.
    pub(crate) start: f64,
}

/// The drift of the file `stem` against `mix`, both of one rate, if there is one.
pub(crate) fn drift(stem: &Path, mix: &Path) -> Result<Option<Drift>> {
    let (stem_info, mix_info) =
        (AudioReader::open(stem)?.info().clone(), AudioReader::open(mix)?.info().clone());
    let rate: Hz = stem_info.rate;
    let total = stem_info.frames.min(mix_info.frames);
    let fits = SampleTrack::maps(stem_info.channels, 1) && SampleTrack::maps(mix_info.channels, 1);
    if rate != mix_info.rate || !fits || total < PLACES * FRAMES as u64 {
        return Ok(None);
    }
    let reach = (REACH * rate.0) as usize;
    let (mut of_stem, mut of_mix) = (SampleTrack::open(stem, 1)?, SampleTrack::open(mix, 1)?);
    let mut points = Vec::new();
    for place in 0..PLACES {
        let start = ((total - FRAMES as u64) * place / (PLACES - 1)) as i64;
        let signal = of_stem.window(start, FRAMES, 0)?;
        let energy: f64 = signal.iter().map(|x| x * x).sum();
        if energy == 0.0 {
            continue;
        }
        // The delay is that of where the sound is.
        let centre = signal.iter().enumerate().map(|(n, x)| n as f64 * x * x).sum::<f64>() / energy;
        let around = of_mix.window(start - reach as i64, FRAMES + 2 * reach, 0)?;
        let mut excerpts = Excerpts::new(FRAMES, reach, u64::MAX >> 2);
        excerpts.add(start, signal, around);
        if let Some(arrival) = excerpts.arrivals(1, 0).first().filter(|arrival| arrival.clarity >= CLEAR) {
            let (delay, left) = excerpts.refine_delay(arrival.delay);
            // The minimum of the parabola through what the delays around leave.
            let [before, after] = [delay - 1, delay + 1].map(|delay| excerpts.unexplained(delay));
            let bend = before - 2.0 * left + after;
            let part = if bend > 0.0 { (0.5 * (before - after) / bend).clamp(-0.5, 0.5) } else { 0.0 };
            points.push((start as f64 + centre, delay as f64 + part));
        }
    }
    Ok(line(&points))
}

/// The line that most points are on, if it is not level.
fn line(points: &[(f64, f64)]) -> Option<Drift> {
    // The median of the slopes between all pairs: a few wrong points do not move it.
    let pairs = points.iter().enumerate().flat_map(|(n, a)| points[n + 1..].iter().map(move |b| (a, b)));
    let mut slopes: Vec<f64> = pairs.map(|(a, b)| (b.1 - a.1) / (b.0 - a.0)).collect();
    if points.len() < MIN_PLACES {
        return None;
    }
    slopes.sort_by(f64::total_cmp);
    let slope = slopes[slopes.len() / 2];
    let mut starts: Vec<f64> = points.iter().map(|(at, delay)| delay - slope * at).collect();
    starts.sort_by(f64::total_cmp);
    let start = starts[starts.len() / 2];
    let on_line: Vec<&(f64, f64)> =
        points.iter().filter(|(at, delay)| (delay - slope * at - start).abs() <= OFF_LINE).collect();
    let agree = on_line.len() >= MIN_PLACES && on_line.len() as f64 >= AGREEING * points.len() as f64;
    // Least squares over those that agree.
    let count = on_line.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| on_line.iter().map(|point| of(point)).sum::<f64>() / count;
    let (at, delay) = (mean(|point| point.0), mean(|point| point.1));
    let spread: f64 = on_line.iter().map(|point| (point.0 - at).powi(2)).sum();
    let rate = on_line.iter().map(|point| (point.0 - at) * (point.1 - delay)).sum::<f64>() / spread;
    let first = points.first().map_or(0.0, |point| point.0);
    let last = points.last().map_or(0.0, |point| point.0);
    let changes = rate.abs() * (last - first) >= MIN_CHANGE;
    (agree && changes).then_some(Drift { rate, start: delay - rate * at })
}

/// Whole numbers whose ratio is that of a file of `from` at the rate `to` without `drift`: rates to convert between.
pub(crate) fn rates(from: Hz, to: Hz, drift: f64) -> (Hz, Hz) {
    if drift == 0.0 {
        return (from, to);
    }
    let ratio = to.0 / from.0 * (1.0 + drift);
    let error = |from: u32| {
        let to = (f64::from(from) * ratio).round();
        (to / f64::from(from) / ratio - 1.0).abs()
    };
    // Large enough for small drifts; the converter's blocks are as long as the numbers are large.
    let best = (20_000..100_000).min_by(|a, b| error(*a).total_cmp(&error(*b))).unwrap_or(20_000);
    (Hz(f64::from(best)), Hz((f64::from(best) * ratio).round()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_delays_is_a_drift_and_a_level_or_a_cloud_is_none() {
        let at = |n: usize| n as f64 * 160_000.0 + 16_384.0;
        let points = |delay: &dyn Fn(usize) -> f64| (0..12).map(|n| (at(n), delay(n))).collect::<Vec<_>>();
        let drifting = points(&|n| (at(n) * 1e-4 + 30.0).round());
        let found = line(&drifting).expect("a drift");
        assert!((found.rate - 1e-4).abs() < 1e-6 && (found.start - 30.0).abs() < 1.0, "{found:?}");
        // Two places heard wrongly.
        let mut wrong = drifting.clone();
        (wrong[3].1, wrong[8].1) = (-4000.0, 900.0);
        assert!((line(&wrong).expect("a drift").rate - 1e-4).abs() < 1e-6);
        assert_eq!(line(&points(&|_| 64.0)), None);
        assert_eq!(line(&points(&|n| (n * n * n * 7919 % 997) as f64)), None);
        assert_eq!(line(&drifting[..4]), None);
        // A jump is no drift.
        assert_eq!(line(&points(&|n| if n < 6 { 0.0 } else { 480.0 })), None);
    }

    #[test]
    fn whole_rates_keep_the_drift_to_a_billionth() {
        for drift in [1e-4, -1e-4, 3.7e-5, 1.234e-3] {
            for (from, to) in [(48_000.0, 48_000.0), (44_100.0, 48_000.0)] {
                let (a, b) = rates(Hz(from), Hz(to), drift);
                assert!((b.0 / a.0 / (to / from * (1.0 + drift)) - 1.0).abs() < 2e-8, "{drift} {a:?} {b:?}");
                assert!(a.0.fract() == 0.0 && b.0.fract() == 0.0);
            }
        }
        assert_eq!(rates(Hz(44_100.0), Hz(48_000.0), 0.0), (Hz(44_100.0), Hz(48_000.0)));
    }
}
