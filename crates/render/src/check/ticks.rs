//! Click tracks: nothing but short ticks of one level at one distance, from the beginning to the end.

use crate::bursts::Burst;

/// Windows of a tick, 10 ms each.
const MAX_TICK: usize = 5;
/// Ticks that make a click track.
const MIN_TICKS: usize = 16;
/// Quieter than the loudest tick by this, 40 dB, is silence.
const SILENCE: f32 = 0.01;
/// Ticks are as loud as each other to this ratio, 9 dB: accents of a bar.
const ACCENT: f32 = 0.35;
/// Distances of ticks differ by no more than this many windows.
const JITTER: usize = 1;
/// The part of the file from the first to the last tick.
const COVERED: f64 = 0.6;

/// The distance of ticks in seconds, if the peaks of 10 ms are those of a click track.
pub(super) fn interval(course: &[f32], bursts: &[Burst]) -> Option<f64> {
    let loudest = course.iter().copied().fold(0.0, f32::max);
    if loudest <= 0.0 || !bursts.is_empty() {
        return None;
    }
    // Start and peak of each tick.
    let mut ticks: Vec<(usize, f32)> = Vec::new();
    let mut length = 0;
    for (n, &peak) in course.iter().enumerate() {
        if peak < SILENCE * loudest {
            length = 0;
            continue;
        }
        length += 1;
        match ticks.last_mut() {
            Some((_, highest)) if length > 1 => *highest = highest.max(peak),
            _ => ticks.push((n, peak)),
        }
        if length > MAX_TICK {
            return None;
        }
    }
    let [first, .., last] = ticks[..] else { return None };
    let covered = (last.0 - first.0) as f64 >= COVERED * course.len() as f64;
    let alike = ticks.iter().all(|(_, peak)| *peak >= ACCENT * loudest);
    let distances: Vec<usize> = ticks.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    let (least, most) = (distances.iter().min()?, distances.iter().max()?);
    let even = most - least <= 2 * JITTER && *least > MAX_TICK;
    (ticks.len() >= MIN_TICKS && covered && alike && even)
        .then(|| (last.0 - first.0) as f64 / (ticks.len() - 1) as f64 / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn course(windows: usize, every: f64, length: usize, level: impl Fn(usize) -> f32) -> Vec<f32> {
        let mut course = vec![0.0; windows];
        for tick in 0.. {
            let start = (tick as f64 * every) as usize;
            if start + length > windows {
                return course;
            }
            course[start..start + length].fill(level(tick));
        }
        course
    }

    #[test]
    fn ticks_at_one_distance_are_a_click_track() {
        let bar = |tick: usize| if tick.is_multiple_of(4) { 0.8 } else { 0.5 };
        let found = interval(&course(3000, 51.3, 3, bar), &[]).expect("a click track");
        assert!((found - 0.513).abs() < 1e-3, "{found}");
    }

    #[test]
    fn music_is_none() {
        assert_eq!(interval(&course(3000, 50.0, 12, |_| 0.8), &[]), None, "a kick drum rings");
        assert_eq!(interval(&course(600, 50.0, 3, |_| 0.8), &[]), None, "too few");
        let uneven = |tick: usize| if tick.is_multiple_of(3) { 0.1 } else { 0.8 };
        assert_eq!(interval(&course(3000, 50.0, 3, uneven), &[]), None);
        let mut swing = course(3000, 100.0, 3, |_| 0.8);
        for n in (66..2900).step_by(100) {
            swing[n..n + 3].fill(0.8);
        }
        assert_eq!(interval(&swing, &[]), None);
        assert_eq!(interval(&[], &[]), None);
        assert_eq!(interval(&[0.0; 3000], &[]), None);
    }
}
