//! The offset between all stems and a mix that begins elsewhere on the timeline, however far: a pre-roll, or stems cut at
//! the first note.
//!
//! The courses of the levels, a value for every 10 ms, are correlated over all offsets; the best of them are then compared
//! sample by sample.

use super::super::loudest::loudest;
use super::super::measure::SEGMENT;
use super::super::seek::{EXCERPT, Excerpts};
use super::bed::Bed;
use crate::bursts::WINDOW_CELLS;
use audiofile::error::Result;
use units::Hz;

/// Offsets compared sample by sample.
const CANDIDATES: usize = 4;
/// Windows around an offset that belong to it.
const FOOT: usize = 20;
/// Excerpts compared at each.
const EXCERPTS: usize = 4;
/// An offset is believed when it leaves less than this of the power of the excerpts.
const FOUND: f64 = 0.5;

/// Frames of a window of a course.
fn window_frames(rate: Hz) -> i64 {
    ((rate.0 / 1000.0).round().max(1.0) as i64) * WINDOW_CELLS as i64
}

/// The frames by which the mix holds all stems later, if that is clear.
pub(super) fn offset(bed: &Bed<'_>) -> Result<Option<i64>> {
    let longest = bed.stems.iter().map(|stem| stem.measured.course.len()).max().unwrap_or(0);
    let power = |n: usize| -> f64 {
        let peaks = bed.stems.iter().filter_map(|stem| stem.measured.course.get(n));
        peaks.map(|peak| f64::from(*peak).powi(2)).sum()
    };
    let stems: Vec<f64> = (0..longest).map(|n| power(n).sqrt()).collect();
    let mix: Vec<f64> = bed.mix.measured.course.iter().map(|peak| f64::from(*peak)).collect();
    let mut best: Option<(i64, f64)> = None;
    for windows in likely(&stems, &mix) {
        if let Some((delay, left)) = refine(bed, windows * window_frames(bed.rate))?
            && best.is_none_or(|(_, least)| left < least)
        {
            best = Some((delay, left));
        }
    }
    Ok(best.filter(|(_, left)| *left < FOUND).map(|(delay, _)| delay))
}

/// Offsets, in windows, at which two courses are most alike, the best first.
fn likely(stems: &[f64], mix: &[f64]) -> Vec<i64> {
    if stems.is_empty() || mix.is_empty() {
        return Vec::new();
    }
    let length = (stems.len() + mix.len()).next_power_of_two();
    let (forward, inverse) = (fourier::forward(length), fourier::inverse(length));
    let spectrum = |course: &[f64]| {
        // Steps instead of levels: they are sharp where levels are broad.
        let mut time = forward.make_input_vec();
        for (n, pair) in course.windows(2).enumerate() {
            time[n] = pair[1] - pair[0];
        }
        let mut spectrum = forward.make_output_vec();
        forward.process(&mut time, &mut spectrum).expect("buffers were made by the plan");
        spectrum
    };
    let mut cross = spectrum(stems);
    cross.iter_mut().zip(spectrum(mix)).for_each(|(x, y)| *x = x.conj() * y);
    cross[0].im = 0.0;
    cross[length / 2].im = 0.0;
    let mut response = inverse.make_output_vec();
    inverse.process(&mut cross, &mut response).expect("buffers were made by the plan");
    let mut found = Vec::new();
    while found.len() < CANDIDATES {
        let Some((at, value)) = response.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)) else { break };
        if *value <= 0.0 {
            break;
        }
        found.push(if at < mix.len() { at as i64 } else { at as i64 - length as i64 });
        for n in 0..=2 * FOOT {
            response[(at + length + n - FOOT) % length] = 0.0;
        }
    }
    found
}

/// The delay near `coarse`, and what it leaves of the power of the loudest excerpts.
fn refine(bed: &Bed<'_>, coarse: i64) -> Result<Option<(i64, f64)>> {
    let total = bed.stems.iter().map(|stem| stem.info.frames).max().unwrap_or(0);
    let frames = usize::try_from(total / 2).unwrap_or(usize::MAX).min(EXCERPT);
    let reach = (2 * window_frames(bed.rate)) as usize;
    // Only the part of the stems that is in the mix at that offset.
    let first = (-coarse).clamp(0, total as i64) as u64;
    let end = (bed.mix.info.frames as i64 - coarse).clamp(first as i64, total as i64) as u64;
    let segments = (0..total.div_ceil(SEGMENT as u64)).map(|segment| {
        let at = segment * SEGMENT as u64;
        let inside = at >= first && at + SEGMENT as u64 <= end;
        let energies = bed.stems.iter().filter_map(|stem| stem.measured.segments.get(segment as usize));
        if inside { energies.sum() } else { 0.0 }
    });
    let segments: Vec<f64> = segments.collect();
    let mut excerpts = Excerpts::new(frames, reach, total.max(bed.mix.info.frames) * 2);
    let channel = bed.mix.measured.loudest_channel();
    let mut mix = bed.open_mix()?;
    let mut any = false;
    let mut tracks = (0..bed.stems.len()).map(|stem| bed.open_stem(stem)).collect::<Result<Vec<_>>>()?;
    for start in loudest(&segments, frames, total, EXCERPTS) {
        let start = start as i64;
        let mut sum = vec![0.0; frames];
        for track in &mut tracks {
            let window = track.window(start, frames, channel)?;
            sum.iter_mut().zip(window).for_each(|(sum, x)| *sum += x);
        }
        let around = mix.window(start + coarse - reach as i64, frames + 2 * reach, channel)?;
        // Places in the mix are counted from the coarse offset on.
        excerpts.add(start + reach as i64, sum, around);
        any = true;
    }
    if !any {
        return Ok(None);
    }
    let delays = excerpts.arrivals(2, 0).into_iter().map(|arrival| arrival.delay);
    let refined = delays.map(|delay| excerpts.refine_delay(delay));
    Ok(refined.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(delay, left)| (coarse + delay, left)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::noise;

    #[test]
    fn courses_are_found_in_each_other_at_any_offset() {
        let song: Vec<f64> = noise(1, 4000, 0.5).iter().map(|x| x.abs()).collect();
        let later = |by: usize| [vec![0.0; by], song.clone()].concat();
        assert_eq!(likely(&song, &song)[0], 0);
        assert_eq!(likely(&song, &later(200))[0], 200);
        assert_eq!(likely(&song, &later(6000))[0], 6000);
        assert_eq!(likely(&song, &song[300..])[0], -300);
        assert_eq!(likely(&later(5000), &song)[0], -5000);
        assert_eq!(likely(&[], &song), [0i64; 0]);
    }
}
