//! Pairs of stems that may share content: whitened correlation of their sketches.
//!
//! The effort of a pair is that of two short transforms, and no file is read: only pairs that stand out here are compared
//! sample by sample.

use std::sync::Arc;
use std::thread;

use super::loudest::loudest;
use super::measure::SEGMENT;
use super::subject::Subject;
use crate::progress::{Progress, advance};
use crate::sketch::{STRETCH, Sketch, Stretches};
use audiofile::error::Result;
use fourier::Complex;
use fourier::ComplexToReal;
use units::Hz;

/// A correlation this high over the median of all delays, in standard deviations, is looked at: chance gives 4.
const CLEAR: f32 = 6.0;
/// And the sound itself is correlated by this: half of what a finding needs, as the excerpts are short.
const SHARED: f64 = 0.25;
/// Delays looked at, seconds.
const REACH: f64 = 0.25;
/// Stretches of a pair that are looked at.
const LOOKS: usize = 2;
/// A stretch in which a stem is quieter than in its loudest by more than this, 40 dB, is not looked at.
const QUIET: f64 = 1e-4;
/// A stem is heard well where it has this part of the energy of its loudest stretch.
const WELL: f64 = 0.25;

/// Stretches in which every stem is heard, as far as they are few enough.
pub(super) fn stretches(stems: &[&Subject], rate: Hz) -> Stretches {
    let mut stretches = Stretches::none(rate);
    let frames = stretches.frames() as usize;
    let energy = |stem: &Subject, start: u64| -> f64 {
        let first = (start / SEGMENT as u64) as usize;
        let segments = stem.measured.segments.iter().skip(first).take(frames / SEGMENT);
        segments.sum()
    };
    for round in 1..=LOOKS {
        for stem in stems {
            let starts = loudest(&stem.measured.segments, frames, stem.info.frames, round);
            let Some(&start) = starts.get(round - 1) else { continue };
            let well = WELL * energy(stem, start);
            let heard = stretches.starts().iter().filter(|start| energy(stem, **start) >= well).count();
            if heard < round {
                stretches.add(start);
            }
        }
    }
    if stretches.starts().is_empty() {
        stretches.add(0);
    }
    stretches
}

/// Pairs of stems that may share content, by their sketches.
pub(super) fn pairs(
    stems: &[&Subject],
    sketches: &[Sketch],
    low_rate: f64,
    progress: &mut dyn Progress,
) -> Result<Vec<(usize, usize)>> {
    let whitened = whitened(sketches);
    let reach = ((REACH * low_rate) as usize).min(STRETCH / 2);
    let inverse = fourier::inverse::<f32>(STRETCH);
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let rows: Vec<usize> = (0..stems.len()).collect();
    progress.begin("comparing stems", rows.len() as u64);
    let mut found = Vec::new();
    for rows in rows.chunks(threads) {
        let (whitened, inverse) = (&whitened, &inverse);
        let parts: Vec<Vec<(usize, usize)>> = thread::scope(|scope| {
            let row = |first: usize| move || related(first, sketches, whitened, inverse, reach);
            let parts: Vec<_> = rows.iter().map(|&first| scope.spawn(row(first))).collect();
            let joined = parts.into_iter().map(|part| match part.join() {
                Ok(found) => found,
                Err(panic) => std::panic::resume_unwind(panic),
            });
            joined.collect()
        });
        found.extend(parts.into_iter().flatten());
        advance(progress, rows.len() as u64, &stems[rows[0]].path)?;
    }
    Ok(found)
}

type Spectrum = Vec<Complex<f32>>;

/// Spectra of all stretches in which every frequency that sounds has one magnitude.
fn whitened(sketches: &[Sketch]) -> Vec<Vec<Spectrum>> {
    let forward = fourier::forward::<f32>(STRETCH);
    let spectrum = |samples: &Vec<f32>| {
        let mut time = samples.clone();
        let mut spectrum = forward.make_output_vec();
        forward.process(&mut time, &mut spectrum).expect("buffers were made by the plan");
        let floor = 1e-3 * spectrum.iter().fold(1e-20, |peak: f32, x| peak.max(x.norm()));
        spectrum.iter_mut().for_each(|x| *x /= x.norm() + floor);
        spectrum
    };
    sketches.iter().map(|sketch| sketch.stretches.iter().map(spectrum).collect()).collect()
}

/// Content of one stem in another.
#[derive(Clone, Copy)]
struct Arrival {
    /// Frames at the low rate.
    delay: i64,
    inverted: bool,
}

impl Arrival {
    fn is_like(self, other: Self) -> bool {
        (self.delay - other.delay).abs() <= 1 && self.inverted == other.inverted
    }
}

/// The correlation of two stretches with `b` read `delay` frames later.
fn correlation(a: &[f32], b: &[f32], delay: i64) -> f64 {
    let late = delay.unsigned_abs() as usize;
    let (a, b) =
        if delay >= 0 { (&a[..STRETCH - late], &b[late..]) } else { (&a[late..], &b[..STRETCH - late]) };
    let (mut product, mut of_a, mut of_b) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        product += x * y;
        of_a += x * x;
        of_b += y * y;
    }
    let norm = f64::from(of_a) * f64::from(of_b);
    if norm > 0.0 { f64::from(product) / norm.sqrt() } else { 0.0 }
}

/// The stems after `first` that may share content with it.
fn related(
    first: usize,
    sketches: &[Sketch],
    whitened: &[Vec<Spectrum>],
    inverse: &Arc<dyn ComplexToReal<f32>>,
    reach: usize,
) -> Vec<(usize, usize)> {
    let mut scratch = inverse.make_scratch_vec();
    let mut product = inverse.make_input_vec();
    let mut time = inverse.make_output_vec();
    let mut magnitudes = Vec::new();
    let mut arrival = |second: usize, stretch: usize| -> Option<Arrival> {
        let both = whitened[first][stretch].iter().zip(&whitened[second][stretch]);
        product.iter_mut().zip(both).for_each(|(product, (a, b))| *product = a.conj() * b);
        product[0].im = 0.0;
        product[STRETCH / 2].im = 0.0;
        inverse
            .process_with_scratch(&mut product, &mut time, &mut scratch)
            .expect("buffers were made by the plan");
        magnitudes.clear();
        magnitudes.extend(time[..=reach].iter().chain(&time[STRETCH - reach..]).map(|x| x.abs()));
        let (at, highest) = magnitudes.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1))?;
        let middle = magnitudes.len() / 2;
        let (_, median, _) = magnitudes.select_nth_unstable_by(middle, f32::total_cmp);
        if highest <= CLEAR * 1.4826 * *median {
            return None;
        }
        let delay = if at <= reach { at as i64 } else { at as i64 - 2 * reach as i64 - 1 };
        // Chords in common stand out too, but no sound is the same.
        let correlation =
            correlation(&sketches[first].stretches[stretch], &sketches[second].stretches[stretch], delay);
        (correlation.abs() >= SHARED).then_some(Arrival { delay, inverted: correlation < 0.0 })
    };
    (first + 1..sketches.len())
        .filter(|&second| {
            let (a, b) = (&sketches[first].energy, &sketches[second].energy);
            let most = |energy: &[f64]| energy.iter().fold(0.0, |most: f64, e| most.max(*e));
            let (most_a, most_b) = (most(a), most(b));
            let mut looks: Vec<(usize, f64)> = (0..a.len())
                .filter(|&n| a[n] > QUIET * most_a && b[n] > QUIET * most_b)
                .map(|n| (n, a[n] / most_a * b[n] / most_b))
                .collect();
            looks.sort_by(|x, y| y.1.total_cmp(&x.1).then(x.0.cmp(&y.0)));
            let mut arrivals = looks.iter().take(LOOKS).map(|(stretch, _)| arrival(second, *stretch));
            let Some(one) = arrivals.next().flatten() else { return false };
            arrivals.all(|other| other.is_some_and(|other| other.is_like(one)))
        })
        .map(|second| (first, second))
        .collect()
}
